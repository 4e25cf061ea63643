//! Overviews of recorded, unfinished and damaged runs.

use super::*;
use crate::analysis::history::History;
use crate::event::FinishReason;
use crate::journal::Journal;
use crate::journal::snapshot::Draft;
use crate::runs::RunDirectory;

/// The recorded run, up to the first record for which `last` returns true.
fn recorded(last: impl Fn(&Event) -> bool) -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let run = root.path().join("a-run");
    std::fs::create_dir(&run).unwrap();
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl"),
    )
    .unwrap();
    let end = |line: &&str| last(&serde_json::from_str::<Record>(line).unwrap().event);
    let count = text
        .lines()
        .position(|line| end(&line))
        .map_or(usize::MAX, |index| index + 1);
    let lines: String = text
        .lines()
        .take(count)
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(run.join("journal.jsonl"), lines).unwrap();
    (root, run)
}

fn children(info: &RunInfo) -> u64 {
    match info.work {
        WorkInfo::Search { children, .. } => children,
        WorkInfo::Training { .. } => 0,
    }
}

#[test]
fn the_survey_of_a_recorded_run_agrees_with_its_summary() {
    let (_root, run) = recorded(|_| false);
    let info = look_at(&run).unwrap();
    let summary = <crate::analysis::Summary as crate::analysis::RunSummary>::of_journal(
        &run.join("journal.jsonl"),
    )
    .unwrap();
    assert_eq!(
        (info.name.as_str(), info.work.subject()),
        ("a-run", summary.preset.as_str())
    );
    assert_eq!(
        (children(&info), info.best_accuracy),
        (
            summary.children_evaluated,
            summary.best.map(|best| best.accuracy)
        )
    );
    assert_eq!((info.status, info.holder), (RunStatus::Completed, None));
}

#[test]
fn a_run_without_an_end_is_dead_or_at_work() {
    let (_root, run) = recorded(|event| matches!(event, Event::ChildFinished(_)));
    assert_eq!(look_at(&run).unwrap().status, RunStatus::Dead);
    let mut journal = Journal::open(&run.join("journal.jsonl")).unwrap().journal;
    std::fs::write(run.join("config.toml"), "# ours\n").unwrap();
    let _directory = RunDirectory::open(&run).unwrap();
    let info = look_at(&run).unwrap();
    assert_eq!((info.status, children(&info)), (RunStatus::Running, 1));
    assert!(info.holder.unwrap().starts_with("pid "));
    for (event, status) in [
        (Event::PauseRequested, RunStatus::Pausing),
        (Event::Paused, RunStatus::Paused),
    ] {
        journal.append(event).unwrap();
        assert_eq!(look_at(&run).unwrap().status, status);
    }
    let stopped = Event::RunFinished {
        reason: FinishReason::Stopped,
        children: 1,
        epochs: None,
        wall_seconds: 1.0,
    };
    journal.append(stopped).unwrap();
    drop(_directory);
    assert_eq!(look_at(&run).unwrap().status, RunStatus::Stopped);
}

#[test]
fn a_number_that_no_run_can_have_makes_the_run_unreadable_with_its_place_and_reason() {
    let (_root, run) = recorded(|_| false);
    let path = run.join("journal.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    for (field, value) in [("episodes", u64::MAX), ("children_per_episode", 1 << 32)] {
        let (before, after) = text.split_once(&format!("\"{field}\":")).unwrap();
        let after = after.trim_start_matches(|character: char| character.is_ascii_digit());
        std::fs::write(&path, format!("{before}\"{field}\":{value}{after}")).unwrap();
        let info = look_at(&run).unwrap();
        let reason = info.unreadable.clone().unwrap();
        assert!(
            reason.starts_with(&format!(
                "journal.jsonl, line 1: {field} is {value}, but must be at most"
            )),
            "{reason}"
        );
        assert_eq!(info.word(), "unreadable");
    }
    std::fs::write(&path, text.replacen("\"v\":1", "\"v\":2", 1)).unwrap();
    assert!(
        look_at(&run)
            .unwrap()
            .unreadable
            .unwrap()
            .contains("version is 2")
    );
    std::fs::write(&path, format!("{text}\0\0{{\"event\":\"notice\"\n")).unwrap();
    assert_eq!(
        look_at(&run).unwrap().unreadable,
        None,
        "a torn last line is no damage"
    );
}

#[test]
fn a_folder_without_a_journal_is_not_a_run() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(look_at(root.path()), None);
}

#[test]
fn a_snapshot_changes_nothing_in_an_overview() {
    let all = |_: &Event| false;
    let until_an_epoch =
        |event: &Event| matches!(event, Event::ChildEpoch(epoch) if epoch.child == 30);
    for (_root, run) in [recorded(all), recorded(until_an_epoch)] {
        let expected = look_at(&run).unwrap();
        for last in [1, 150, u64::MAX] {
            let folder = std::fs::File::open(&run).unwrap();
            let draft = Draft::write::<History>(&run.join("journal.jsonl"), last, folder).unwrap();
            draft.put_in_place().unwrap();
            assert_eq!(look_at(&run).unwrap(), expected, "{last} records");
        }
    }
}

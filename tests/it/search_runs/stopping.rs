//! Children that real workers stop early, in a run that is killed and resumed.

use super::*;

/// Enough earlier children for the last episode to have a threshold.
const STOPPING: [&str; 6] = [
    "search.episodes=4",
    "search.controls=0",
    "search.reuse=never",
    "child.epochs=3",
    "early_stopping.below=0.8",
    "early_stopping.after=0.3",
];

/// The children that were stopped early, with the number of their epochs.
fn stopped(path: &Path) -> BTreeMap<u64, usize> {
    let stopped = |record: Record| match record.event {
        Event::ChildFinished(child) if child.stopped_early => {
            Some((child.child, child.valid_accuracies.len()))
        }
        _ => None,
    };
    records(path).into_iter().filter_map(stopped).collect()
}

#[test]
fn a_run_whose_workers_stop_children_early_killed_after_any_line_equals_an_uninterrupted_one() {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole");
    let settings = [&TINY[..], &STOPPING[..]].concat();
    assert_ok(
        &search(&["--run", whole.to_str().unwrap()], &settings)
            .output()
            .unwrap(),
    );
    let (expected, early) = (found(&whole), stopped(&whole));
    assert!(!early.is_empty() && early.values().all(|epochs| *epochs == 1));
    assert!(early.keys().all(|child| *child > 12), "{early:?}");

    let journal = fs::read_to_string(whole.join("journal.jsonl")).unwrap();
    let lines: Vec<&str> = journal.split_inclusive('\n').collect();
    let is_late = |line: &&str| line.contains("\"child\":13,") && line.contains("child_sampled");
    let first = lines.iter().position(is_late).unwrap();
    // Epochs change nothing: a child in training begins again.
    let cuts = (first..lines.len()).filter(|cut| !lines[cut - 1].contains("\"child_epoch\""));
    for cut in cuts {
        let path = root.path().join(format!("cut-{cut}"));
        fs::create_dir_all(&path).unwrap();
        fs::copy(whole.join("config.toml"), path.join("config.toml")).unwrap();
        fs::write(path.join("journal.jsonl"), lines[..cut].concat()).unwrap();
        assert_ok(&resume(&path).output().unwrap());
        assert_eq!(found(&path), expected, "line {cut}");
        assert_eq!(stopped(&path), early, "line {cut}");
    }
}

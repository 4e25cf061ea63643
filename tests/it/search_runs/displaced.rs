//! A run directory that is moved, deleted or changed under a search.

use std::sync::OnceLock;

use super::*;
use crate::disturbed::Running;

/// Children of enough epochs for something to happen meanwhile.
const LONGER: &str = "child.epochs=8";

/// The results of a search that nobody disturbs.
pub(super) fn undisturbed() -> &'static Found {
    static FOUND: OnceLock<Found> = OnceLock::new();
    FOUND.get_or_init(|| {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("run");
        assert_ok(&longer(&path).output().unwrap());
        found(&path)
    })
}

pub(super) fn longer(path: &Path) -> Command {
    let mut command = new_run(path);
    command.args(["--set", LONGER]);
    command
}

/// A search of which a child has ended.
pub(super) fn in_progress(root: &Path) -> (PathBuf, Running) {
    let path = root.join("run");
    let mut command = longer(&path);
    command.env("XDG_STATE_HOME", root.join("state"));
    let running = Running::start(command, &root.join("lines"));
    wait_for_line(&path, "\"event\":\"child_finished\"");
    (path, running)
}

pub(super) const PAUSED: &str = "paused until it can save: ";

#[test]
fn a_search_whose_directory_is_moved_pauses_until_it_is_back() {
    let root = tempfile::tempdir().unwrap();
    let (path, mut running) = in_progress(root.path());
    let elsewhere = root.path().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    running.wait_for(PAUSED);
    assert!(
        running
            .text()
            .contains(&format!("moved to {}", elsewhere.display())),
        "{}",
        running.text()
    );
    std::thread::sleep(Duration::from_millis(2_500));
    assert!(!path.exists(), "it is not made anew");
    fs::rename(&elsewhere, &path).unwrap();
    running.succeeds();
    assert_eq!(found(&path), *undisturbed());
    let journal = fs::read_to_string(path.join("journal.jsonl")).unwrap();
    assert!(journal.contains("\"event\":\"resumed\""));
}

#[test]
fn a_search_whose_directory_is_deleted_ends_with_status_1_and_says_what_is_lost() {
    let root = tempfile::tempdir().unwrap();
    let (path, mut running) = in_progress(root.path());
    // So that no file appears meanwhile.
    running.signal(Signal::STOP);
    fs::remove_dir_all(&path).unwrap();
    running.signal(Signal::CONT);
    running.wait_for(PAUSED);
    let last = running.stopped_without_saving();
    assert!(
        last.contains("deleted") && last.contains("without saving"),
        "{last}"
    );
    assert!(!path.exists(), "it is not made anew");
}

#[test]
fn a_search_stopped_while_its_directory_is_elsewhere_saves_everything_there() {
    let root = tempfile::tempdir().unwrap();
    let (path, mut running) = in_progress(root.path());
    let elsewhere = root.path().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    running.wait_for(PAUSED);
    let last = running.stopped_without_saving();
    assert!(
        last.contains(&format!("--resume {}", elsewhere.display())),
        "{last}"
    );
    assert!(!path.exists());
    let summary = fs::read_to_string(elsewhere.join("summary.json")).expect("a summary there");
    assert!(summary.contains(r#""reason": "stopped""#), "{summary}");
    assert!(!elsewhere.join("control.sock").exists());
    assert_ok(&resume(&elsewhere).output().unwrap());
    assert_eq!(found(&elsewhere), *undisturbed());
}

#[test]
fn a_removed_journal_is_written_again_at_the_stop() {
    let root = tempfile::tempdir().unwrap();
    let (path, mut running) = in_progress(root.path());
    fs::remove_file(path.join("journal.jsonl")).unwrap();
    running.wait_for(PAUSED);
    let last = running.stopped_without_saving();
    assert!(last.contains("has been written again"), "{last}");
    assert_ok(&resume(&path).output().unwrap());
    assert_eq!(found(&path), *undisturbed());
}

#[test]
fn a_journal_that_was_replaced_or_truncated_is_noticed_until_it_is_put_back() {
    for is_replaced in [true, false] {
        let root = tempfile::tempdir().unwrap();
        let (path, mut running) = in_progress(root.path());
        let (journal, kept) = (path.join("journal.jsonl"), path.join("kept"));
        running.signal(Signal::STOP);
        if is_replaced {
            fs::rename(&journal, &kept).unwrap();
            fs::copy(&kept, &journal).unwrap();
        } else {
            fs::copy(&journal, &kept).unwrap();
            File::options()
                .write(true)
                .open(&journal)
                .unwrap()
                .set_len(100)
                .unwrap();
        }
        running.signal(Signal::CONT);
        running.wait_for(PAUSED);
        let what = if is_replaced { "replaced" } else { "truncated" };
        assert!(running.text().contains(what), "{}", running.text());
        if is_replaced {
            fs::rename(&kept, &journal).unwrap();
        } else {
            // The same file with its contents.
            fs::copy(&kept, &journal).unwrap();
        }
        running.succeeds();
        assert_eq!(found(&path), *undisturbed());
    }
}

/// Names of the files in a folder, in order.
fn names(path: &Path) -> Vec<String> {
    let name =
        |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(path).unwrap().map(name).collect();
    names.sort();
    names
}

#[test]
fn a_search_stopped_while_its_journal_is_truncated_removes_nothing() {
    for bytes in [0, 100] {
        let root = tempfile::tempdir().unwrap();
        let (path, mut running) = in_progress(root.path());
        let (journal, kept) = (path.join("journal.jsonl"), root.path().join("kept"));
        running.signal(Signal::STOP);
        fs::copy(&journal, &kept).unwrap();
        let truncated = File::options().write(true).open(&journal).unwrap();
        truncated.set_len(bytes).unwrap();
        running.signal(Signal::CONT);
        running.wait_for(PAUSED);
        let last = running.stopped_without_saving();
        assert!(
            last.contains("--resume") && last.contains("copy of the journal"),
            "{last}"
        );
        let left = names(&path);
        for name in ["checkpoint", "config.toml", "journal.jsonl", "lock"] {
            assert!(left.contains(&name.to_owned()), "{name} is gone: {left:?}");
        }
        fs::copy(&kept, &journal).unwrap();
        assert_ok(&resume(&path).output().unwrap());
        assert_eq!(found(&path), *undisturbed());
    }
}

#[test]
fn what_has_taken_the_place_of_a_moved_search_is_not_removed() {
    let root = tempfile::tempdir().unwrap();
    let (path, mut running) = in_progress(root.path());
    let elsewhere = root.path().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    running.wait_for(PAUSED);
    // As a second search leaves it for its first seconds.
    fs::create_dir(&path).unwrap();
    for name in ["config.toml", "journal.jsonl", "lock"] {
        fs::write(path.join(name), "").unwrap();
    }
    let last = running.stopped_without_saving();
    assert!(last.contains("--resume"), "{last}");
    assert_eq!(names(&path), ["config.toml", "journal.jsonl", "lock"]);
}

#[test]
fn without_its_lock_a_run_is_still_not_written_by_a_second_process() {
    let root = tempfile::tempdir().unwrap();
    let (path, mut running) = in_progress(root.path());
    // Standing still, it cannot make the lock again.
    running.signal(Signal::STOP);
    fs::remove_file(path.join("lock")).unwrap();
    let second = resume(&path).output().unwrap();
    assert_eq!(second.status.code(), Some(2));
    let pid = format!("pid {} on", running.child.id());
    assert!(
        stderr(&second).contains("another process") && stderr(&second).contains(&pid),
        "{}",
        stderr(&second)
    );
    running.signal(Signal::CONT);
    running.succeeds();
    assert_eq!(found(&path), *undisturbed());
    assert!(
        fs::read_to_string(path.join("lock"))
            .unwrap()
            .contains(&pid)
    );
}

#[test]
fn what_was_killed_before_its_settings_were_written_says_how_to_begin() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("lock"), "pid 1 on elsewhere\n").unwrap();
    fs::write(path.join("config.toml.tmp"), "pre").unwrap();
    let output = resume(&path).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let (text, place) = (stderr(&output), path.display());
    assert!(
        text.contains("nothing had begun")
            && text.contains(&format!("nas-tui search --run {place}")),
        "{text}"
    );
    assert_ok(&new_run(&path).output().unwrap());
}

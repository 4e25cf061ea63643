//! A search that cannot write: full disks, read-only ones, limits of file sizes.

use nas_tui::runs::look_at;
use rustix::process::{Resource, Rlimit, prlimit, setrlimit};

use super::*;
use crate::disturbed::{ReadOnly, Running, SmallDisk};

const PAUSED: &str = "paused until it can save: ";

/// What `nas-tui list --json` says about the run in the file system of the test.
pub(super) fn listed(path: &Path) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_nas-tui"))
        .args(["list", "--json"])
        .env("XDG_STATE_HOME", path.parent().unwrap().join("state"))
        .output()
        .unwrap();
    let runs: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let is_it =
        |run: &serde_json::Value| run["path"].as_str() == path.canonicalize().unwrap().to_str();
    runs.into_iter().find(is_it).expect("the run is listed")
}

/// A search on a small disk, of which a child has ended.
fn in_progress(disk: &SmallDisk, name: &str) -> (PathBuf, Running) {
    let path = disk.path(name);
    let mut command = new_run(&path);
    command.env("XDG_STATE_HOME", disk.path("state"));
    let running = Running::start(command, &disk.path(&format!("{name}.lines")));
    wait_for_line(&path, "\"event\":\"child_finished\"");
    (path, running)
}

#[test]
fn a_full_disk_pauses_the_search_with_the_reason_until_there_is_space() {
    let Some(disk) = SmallDisk::new(4 << 20) else {
        return;
    };
    let whole = disk.path("whole");
    assert_ok(&new_run(&whole).output().unwrap());
    // The lines of the test itself go to the same disk, but not after it is full.
    let root = tempfile::tempdir().unwrap();
    let path = disk.path("run");
    let mut command = new_run(&path);
    command.env("XDG_STATE_HOME", disk.path("state"));
    let mut running = Running::start(command, &root.path().join("lines"));
    wait_for_line(&path, "\"event\":\"child_finished\"");
    let full = disk.fill();
    running.wait_for(PAUSED);
    assert!(
        running.text().contains("No space left"),
        "{}",
        running.text()
    );
    let run = listed(&path);
    assert_eq!(run["status"], "blocked");
    assert!(run["blocked"].as_str().unwrap().contains("No space left"));
    fs::remove_file(full).unwrap();
    running.succeeds();
    assert_eq!(found(&path), found(&whole));
    assert_eq!(look_at(&path).unwrap().blocked, None);
}

#[test]
fn a_search_stopped_on_a_full_disk_ends_with_status_1_and_resumes_to_the_same_results() {
    let Some(disk) = SmallDisk::new(4 << 20) else {
        return;
    };
    let whole = disk.path("whole");
    assert_ok(&new_run(&whole).output().unwrap());
    let root = tempfile::tempdir().unwrap();
    let path = disk.path("run");
    let mut running = Running::start(new_run(&path), &root.path().join("lines"));
    wait_for_line(&path, "\"event\":\"child_finished\"");
    let full = disk.fill();
    running.wait_for(PAUSED);
    let last = running.stopped_without_saving();
    assert!(
        last.contains("No space left")
            && last.contains("without saving")
            && last.contains("--resume"),
        "{last}"
    );
    fs::remove_file(full).unwrap();
    assert_ok(&resume(&path).output().unwrap());
    assert_eq!(found(&path), found(&whole));
}

#[test]
fn a_disk_that_has_become_read_only_pauses_the_search_until_it_can_be_written() {
    let Some(disk) = SmallDisk::new(4 << 20) else {
        return;
    };
    let whole = disk.path("whole");
    assert_ok(&new_run(&whole).output().unwrap());
    let (path, mut running) = in_progress(&disk, "run");
    let covered = ReadOnly::cover(&path);
    running.wait_for(PAUSED);
    assert!(
        running.text().contains("Read-only file system"),
        "{}",
        running.text()
    );
    assert_eq!(listed(&path)["status"], "blocked");
    drop(covered);
    running.succeeds();
    assert_eq!(found(&path), found(&whole));
}

/// A limit of the size of its files, which can be raised later.
fn limit_file_size(command: &mut Command, bytes: u64) {
    let limit = move || {
        let limit = Rlimit {
            current: Some(bytes),
            maximum: None,
        };
        Ok(setrlimit(Resource::Fsize, limit)?)
    };
    // SAFETY: the closure makes one async-signal-safe system call and allocates nothing.
    unsafe { command.pre_exec(limit) };
}

#[test]
fn a_file_size_limit_pauses_the_search_is_named_and_can_be_raised() {
    let root = tempfile::tempdir().unwrap();
    // The journal exceeds the limit first if the checkpoint contains no controller, otherwise the
    // checkpoint does.
    for (strategy, file) in [
        ("random", "journal.jsonl"),
        ("reinforce", "search.safetensors"),
    ] {
        let whole = root.path().join(strategy);
        let setting = format!("search.strategy={strategy}");
        let begin = |path: &Path| {
            let mut command = new_run(path);
            command.args(["--set", &setting]);
            command
        };
        assert_ok(&begin(&whole).output().unwrap());
        let limit = fs::metadata(whole.join("journal.jsonl")).unwrap().len() / 2;
        for is_raised in [true, false] {
            let path = root.path().join(format!("{strategy}-{is_raised}"));
            let mut command = begin(&path);
            limit_file_size(&mut command, limit);
            let lines = root.path().join(format!("{strategy}-{is_raised}-lines"));
            let mut running = Running::start(command, &lines);
            running.wait_for(PAUSED);
            let text = running.text();
            assert!(
                text.contains(file) && text.contains(&format!("limit of {limit} bytes (ulimit -f")),
                "{text}"
            );
            if is_raised {
                let unlimited = Rlimit {
                    current: None,
                    maximum: None,
                };
                let pid = Pid::from_child(&running.child);
                prlimit(Some(pid), Resource::Fsize, unlimited).unwrap();
                running.succeeds();
            } else {
                assert!(running.stopped_without_saving().contains("--resume"));
                let journal = fs::read_to_string(path.join("journal.jsonl")).unwrap();
                assert!(journal.ends_with('\n'), "the journal is whole");
                assert_ok(&resume(&path).output().unwrap());
            }
            assert_eq!(found(&path), found(&whole));
        }
    }
}

//! Single files of a run directory that are removed or replaced under a search.

use super::blocked::listed;
use super::displaced::{PAUSED, in_progress, undisturbed};
use super::*;

#[test]
fn the_journal_of_a_search_is_saved_beside_a_file_that_has_taken_its_place() {
    let root = tempfile::tempdir().unwrap();
    let (path, mut running) = in_progress(root.path());
    let (journal, foreign) = (path.join("journal.jsonl"), root.path().join("foreign"));
    fs::write(&foreign, "").unwrap();
    fs::rename(&foreign, &journal).unwrap();
    running.wait_for(PAUSED);
    let last = running.stopped_without_saving();
    let rescued = path.join("journal.jsonl.rescued");
    let (own, place) = (rescued.display(), journal.display());
    let remedy = format!("mv {place} {place}.other && mv {own} {place}");
    assert!(last.contains(&remedy), "{last}");
    assert_eq!(fs::read(&journal).unwrap(), b"", "it is not ours");
    let refused = resume(&path).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains(&remedy), "{}", stderr(&refused));
    fs::rename(&rescued, &journal).unwrap();
    assert_ok(&resume(&path).output().unwrap());
    assert_eq!(found(&path), *undisturbed());
}

#[test]
fn a_search_whose_journal_was_replaced_by_a_folder_is_unreadable_until_it_is_put_back() {
    let root = tempfile::tempdir().unwrap();
    let (path, mut running) = in_progress(root.path());
    let journal = path.join("journal.jsonl");
    running.signal(Signal::STOP);
    fs::remove_file(&journal).unwrap();
    fs::create_dir(&journal).unwrap();
    running.signal(Signal::CONT);
    running.wait_for(PAUSED);
    assert_eq!(listed(&path)["status"], "blocked");
    running.stopped_without_saving();
    let rescued = path.join("journal.jsonl.rescued");
    let (own, place) = (rescued.display(), journal.display());
    let remedy = format!("Put it back with: mv {place} {place}.other && mv {own} {place}");
    let run = listed(&path);
    assert!(
        (run["unreadable"].as_str()).is_some_and(|reason| reason.ends_with(&remedy)),
        "{run}"
    );
    let (run, out) = (path.to_str().unwrap(), root.path().join("page"));
    for arguments in [
        &["attach", run][..],
        &["report", run, "--out", out.to_str().unwrap()],
    ] {
        let said = Command::new(env!("CARGO_BIN_EXE_nas-tui"))
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(said.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&said).contains(&remedy), "{}", stderr(&said));
    }
    fs::rename(&journal, path.join("journal.jsonl.other")).unwrap();
    fs::rename(&rescued, &journal).unwrap();
    assert_ok(&resume(&path).output().unwrap());
    assert_eq!(found(&path), *undisturbed());
}

#[test]
fn a_search_whose_journal_is_removed_is_listed_as_blocked_and_attach_says_why() {
    let root = tempfile::tempdir().unwrap();
    let (path, mut running) = in_progress(root.path());
    fs::remove_file(path.join("journal.jsonl")).unwrap();
    running.wait_for(PAUSED);
    let run = listed(&path);
    assert_eq!(run["status"], "blocked", "{run}");
    assert!(
        run["blocked"].as_str().unwrap().contains("removed"),
        "{run}"
    );
    let attach = Command::new(env!("CARGO_BIN_EXE_nas-tui"))
        .args(["attach", path.to_str().unwrap()])
        .output()
        .unwrap();
    let said = stderr(&attach);
    assert!(
        said.contains("blocked: journal.jsonl has been removed")
            && said.contains(&format!("pid {}", running.child.id())),
        "{said}"
    );
    running.stopped_without_saving();
}

#[test]
fn a_search_whose_lock_is_a_folder_is_listed_as_blocked() {
    let root = tempfile::tempdir().unwrap();
    let (path, mut running) = in_progress(root.path());
    running.signal(Signal::STOP);
    fs::remove_file(path.join("lock")).unwrap();
    fs::create_dir(path.join("lock")).unwrap();
    running.signal(Signal::CONT);
    running.wait_for(PAUSED);
    assert_eq!(listed(&path)["status"], "blocked");
    fs::remove_dir(path.join("lock")).unwrap();
    running.succeeds();
}

#[test]
fn a_removed_folder_of_checkpoints_is_made_again() {
    let root = tempfile::tempdir().unwrap();
    let (path, mut running) = in_progress(root.path());
    running.signal(Signal::STOP);
    fs::remove_dir_all(path.join("checkpoint")).unwrap();
    running.signal(Signal::CONT);
    running.succeeds();
    assert!(!running.text().contains(PAUSED), "{}", running.text());
    assert!(path.join("checkpoint/search.safetensors").is_file());
    assert_eq!(found(&path), *undisturbed());
}

#[test]
fn the_settings_come_back_with_the_journal() {
    let root = tempfile::tempdir().unwrap();
    let (path, mut running) = in_progress(root.path());
    let settings = fs::read(path.join("config.toml")).unwrap();
    running.signal(Signal::STOP);
    // As `rm -rf RUN/*` does.
    for entry in fs::read_dir(&path).unwrap() {
        let file = entry.unwrap().path();
        let _ = fs::remove_file(&file).or_else(|_| fs::remove_dir_all(&file));
    }
    running.signal(Signal::CONT);
    running.wait_for(PAUSED);
    let last = running.stopped_without_saving();
    assert!(last.contains("Everything is saved"), "{last}");
    assert_eq!(fs::read(path.join("config.toml")).unwrap(), settings);
    assert_ok(&resume(&path).output().unwrap());
    assert_eq!(found(&path), *undisturbed());
}

#[test]
fn settings_that_were_removed_are_back_at_the_end() {
    let root = tempfile::tempdir().unwrap();
    let (path, mut running) = in_progress(root.path());
    let settings = fs::read(path.join("config.toml")).unwrap();
    fs::remove_file(path.join("config.toml")).unwrap();
    running.succeeds();
    assert_eq!(fs::read(path.join("config.toml")).unwrap(), settings);
}

#[test]
fn records_are_written_although_the_checkpoint_cannot_be() {
    let root = tempfile::tempdir().unwrap();
    let (path, mut running) = in_progress(root.path());
    let folder = path.join("checkpoint");
    running.signal(Signal::STOP);
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "in the way").unwrap();
    running.signal(Signal::CONT);
    running.wait_for(PAUSED);
    let last = running.stopped_without_saving();
    assert!(
        last.contains("without saving checkpoint/search.safetensors"),
        "{last}"
    );
    let (_, lost) = last.split_once("without saving ").unwrap();
    let (lost, _) = lost.split_once(';').unwrap();
    let mut names: Vec<&str> = lost.split(", ").collect();
    names.dedup();
    assert_eq!(names.join(", "), lost, "each once");
    let end = records(&path).pop().unwrap().event;
    assert!(matches!(end, Event::RunFinished { .. }), "{end:?}");
    fs::remove_file(&folder).unwrap();
    assert_ok(&resume(&path).output().unwrap());
    assert_eq!(found(&path), *undisturbed());
}

#[test]
fn what_cannot_be_resumed_is_told_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    for name in ["pipe", "emptied", "begun"] {
        fs::create_dir(path(name)).unwrap();
        fs::write(path(name).join("lock"), "").unwrap();
    }
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe/config.toml"), mode).unwrap();
    fs::write(path("emptied/config.toml"), "").unwrap();
    fs::write(path("begun/config.toml"), "").unwrap();
    fs::write(path("begun/journal.jsonl"), "").unwrap();
    fs::write(path("file"), "").unwrap();
    for (name, reason) in [
        ("absent", "no such folder"),
        ("file", "it is not a folder"),
        ("pipe", "its config.toml cannot be read: it is a pipe"),
        (
            "emptied",
            "config.toml is empty: the settings of the run are lost. Nothing had begun",
        ),
        (
            "begun",
            "config.toml is empty: the settings of the run are lost. Restore it from a copy",
        ),
    ] {
        let output = resume(&path(name)).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
    }
}

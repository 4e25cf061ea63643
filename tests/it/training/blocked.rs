//! Trainings that cannot save, or whose directory is not where it was.

use super::resuming::assert_same_results;
use super::*;
use crate::disturbed::{Running, SmallDisk};

const PAUSED: &str = "paused until it can save: ";
/// A checkpoint after every batch.
const OFTEN: [&str; 2] = [
    "train.checkpoint_minutes=0.00001",
    "recipes.cosine.epochs=12",
];

#[test]
fn a_training_whose_checkpoint_cannot_be_saved_pauses_until_there_is_space() {
    let Some(disk) = SmallDisk::new(2 << 20) else {
        return;
    };
    let workspace = Workspace::new();
    assert_ok(&workspace.train("whole", &OFTEN).output().unwrap());
    let run = disk.path("run");
    let mut running = Running::start(
        workspace.train(run.to_str().unwrap(), &OFTEN),
        &workspace.path("lines"),
    );
    wait_for_line(&run, "\"event\":\"training_epoch\"");
    let full = disk.fill();
    running.wait_for(PAUSED);
    assert!(
        running.text().contains("No space left"),
        "{}",
        running.text()
    );
    fs::remove_file(full).unwrap();
    running.succeeds();
    let run = run.to_str().unwrap();
    assert_same_results(&workspace, run, "whole");
}

#[test]
fn a_training_stopped_on_a_full_disk_ends_with_status_1_and_resumes_to_the_same_results() {
    let Some(disk) = SmallDisk::new(2 << 20) else {
        return;
    };
    let workspace = Workspace::new();
    assert_ok(&workspace.train("whole", &OFTEN).output().unwrap());
    let run = disk.path("run");
    let name = run.to_str().unwrap();
    let mut running = Running::start(workspace.train(name, &OFTEN), &workspace.path("lines"));
    wait_for_line(&run, "\"event\":\"training_epoch\"");
    let full = disk.fill();
    running.wait_for(PAUSED);
    let last = running.stopped_without_saving();
    assert!(
        last.contains("without saving") && last.contains("nas-tui train --resume"),
        "{last}"
    );
    fs::remove_file(full).unwrap();
    assert_ok(&workspace.resume(name).output().unwrap());
    assert_same_results(&workspace, name, "whole");
}

#[test]
fn a_training_whose_directory_is_moved_pauses_until_it_is_back() {
    let workspace = Workspace::new();
    assert_ok(&workspace.train("whole", &OFTEN).output().unwrap());
    let mut running = Running::start(workspace.train("run", &OFTEN), &workspace.path("lines"));
    let (run, elsewhere) = (workspace.path("run"), workspace.path("elsewhere"));
    wait_for_line(&run, "\"event\":\"training_epoch\"");
    fs::rename(&run, &elsewhere).unwrap();
    running.wait_for(PAUSED);
    assert!(!run.exists());
    fs::rename(&elsewhere, &run).unwrap();
    running.succeeds();
    assert_same_results(&workspace, "run", "whole");
}

#[test]
fn a_training_whose_directory_is_deleted_ends_with_status_1() {
    let workspace = Workspace::new();
    let mut running = Running::start(workspace.train("run", &OFTEN), &workspace.path("lines"));
    let run = workspace.path("run");
    wait_for_line(&run, "\"event\":\"training_epoch\"");
    // So that no file appears meanwhile.
    running.signal(Signal::STOP);
    fs::remove_dir_all(&run).unwrap();
    running.signal(Signal::CONT);
    running.wait_for(PAUSED);
    let last = running.stopped_without_saving();
    assert!(last.contains("has been deleted"), "{last}");
    assert!(!running.text().contains("nothing had begun"));
    assert!(!run.exists());
}

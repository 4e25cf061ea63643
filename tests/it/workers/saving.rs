//! Workers that save their child in a pause, so that another one can go on with it.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use super::*;

const EPOCHS: usize = 6;

fn saving_in(folder: &Path) -> Watched {
    Watched::start(WorkerSettings {
        checkpoints: Some(folder.to_owned()),
        ..settings(1, EPOCHS)
    })
}

/// A child saved after its first epoch; its worker is killed.
fn saved_and_killed(folder: &Path) -> Watched {
    let mut watched = saving_in(folder);
    watched.workers.submit(job(1));
    watched.wait(|report| matches!(report, Report::Epoch(_)));
    watched.workers.pause(1);
    watched.wait(|report| matches!(report, Report::Paused { number: 1 }));
    assert!(folder.join("1.safetensors").is_file());
    kill(watched.pids[0]);
    watched.wait(|report| matches!(report, Report::Retried { child: 1, .. }));
    watched
}

fn said(text: &'static str) -> impl Fn(&Report) -> bool {
    move |report| matches!(report, Report::Log { message, .. } if message.contains(text))
}

#[test]
fn a_child_saved_in_a_pause_goes_on_in_another_process_to_the_same_result() {
    let folder = tempfile::tempdir().unwrap();
    let mut watched = saved_and_killed(folder.path());
    watched.workers.resume();
    watched.wait(said("child 1 goes on where it was saved"));
    let first = watched.wait(|report| matches!(report, Report::Epoch(_)));
    assert!(
        matches!(&first, Report::Epoch(epoch) if epoch.epoch == 1),
        "what was known of it is told again: {first:?}"
    );
    assert_eq!(watched.outcome_of(1), undisturbed(1, EPOCHS));
}

#[test]
fn a_child_with_a_damaged_checkpoint_begins_anew_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut watched = saved_and_killed(folder.path());
    let path = folder.path().join("1.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    watched.workers.resume();
    watched.wait(said("child 1 begins anew"));
    assert_eq!(watched.outcome_of(1), undisturbed(1, EPOCHS));
}

#[test]
fn a_worker_that_saves_outlives_the_signal_that_a_cluster_sends_to_all_processes() {
    let folder = tempfile::tempdir().unwrap();
    let mut watched = saving_in(folder.path());
    watched.workers.submit(job(1));
    watched.wait(|report| matches!(report, Report::Epoch(_)));
    let pid = Pid::from_raw(i32::try_from(watched.pids[0]).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    watched.workers.pause(1);
    watched.wait(|report| matches!(report, Report::Paused { number: 1 }));
    assert!(folder.path().join("1.safetensors").is_file());
}

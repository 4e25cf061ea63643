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

/// The checkpoints of children 1 and 2, as they are now.
fn checkpoints(folder: &Path) -> [Option<Vec<u8>>; 2] {
    [1, 2].map(|child| fs::read(folder.join(format!("{child}.safetensors"))).ok())
}

/// Wait until children 1 and 2 have both made progress.
fn both_move(watched: &mut Watched) {
    for child in [1, 2] {
        watched.wait(|report| matches!(report, Report::Epoch(epoch) if epoch.child == child));
    }
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

#[test]
fn each_pause_saves_every_child_anew_before_it_is_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let mut watched = Watched::start(WorkerSettings {
        checkpoints: Some(folder.path().to_owned()),
        ..settings(2, 1000)
    });
    watched.workers.submit(job(1));
    watched.workers.submit(job(2));
    let mut before = checkpoints(folder.path());
    for round in 1..=3 {
        both_move(&mut watched);
        // The last one follows others that are withdrawn at once.
        for number in [3 * round, 3 * round + 1] {
            watched.workers.pause(number);
            watched.workers.resume();
        }
        let number = 3 * round + 2;
        watched.workers.pause(number);
        watched.wait(|report| *report == Report::Paused { number });
        let now = checkpoints(folder.path());
        for (old, new) in before.iter().zip(&now) {
            assert!(new.is_some() && old != new, "pause {number}");
        }
        before = now;
        watched.workers.resume();
    }
}

#[test]
fn a_child_goes_on_from_the_latest_of_several_pauses() {
    let folder = tempfile::tempdir().unwrap();
    let mut watched = saving_in(folder.path());
    watched.workers.submit(job(1));
    for number in [1, 2] {
        watched.wait(|report| matches!(report, Report::Epoch(_)));
        watched.workers.pause(number);
        watched.wait(|report| *report == Report::Paused { number });
        if number == 1 {
            watched.workers.resume();
        }
    }
    kill(watched.pids[0]);
    watched.wait(|report| matches!(report, Report::Retried { child: 1, .. }));
    watched.workers.resume();
    let place = watched.wait(said("child 1 goes on where it was saved"));
    let is_of_first =
        |message: &str| message.contains("epoch 1, ") || message.contains("epoch 2, ");
    assert!(
        matches!(&place, Report::Log { message, .. } if !is_of_first(message)),
        "{place:?}"
    );
    assert_eq!(watched.outcome_of(1), undisturbed(1, EPOCHS));
}

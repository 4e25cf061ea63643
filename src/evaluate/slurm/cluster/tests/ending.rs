//! What is left of saved children when a session ends.

use super::*;
use crate::evaluate::slurm::files::ResultFile;
use crate::evaluate::worker::saving;
use crate::reward::Outcome;

/// A result of a child, as a task has handed it in and the search has taken it.
fn take_result(bridge: &Bridge, child: u64, epochs: usize) {
    let result = ResultFile {
        v: VERSION,
        child,
        digest: String::new(),
        attempt: "a".to_owned(),
        node: "n1".to_owned(),
        outcome: Outcome::Trained {
            valid_accuracies: vec![0.5; epochs],
        },
        skipped: false,
        doubtful: false,
        seconds: 1.0,
        energy_wh: None,
    };
    let text = serde_json::to_string(&result).unwrap();
    fs::write(bridge.folder.result(child), text).unwrap();
}

#[test]
fn a_session_that_is_stopped_before_any_child_is_submitted_keeps_what_is_saved_of_them() {
    let run = tempfile::tempdir().unwrap();
    submitted_before(run.path(), 3);
    let (mut bridge, _requests) = bridge(run.path());
    take_result(&bridge, 2, bridge.config.child.epochs);
    let saved = |child| saving::path(&bridge.folder.checkpoints(), child);
    let paths = [1, 2, 3].map(saved);
    for path in &paths {
        fs::write(path, "saved").unwrap();
    }
    let (report, _heard) = listener();
    let (_sender, messages) = channel();
    bridge.shut_down(&messages, &report);
    let left = paths.map(|path| path.exists());
    assert_eq!(left, [true, false, true], "only child 2 has ended");
}

#[test]
fn what_a_task_saved_after_the_end_of_its_child_is_removed_at_the_end_of_the_session() {
    let run = tempfile::tempdir().unwrap();
    let (mut bridge, _requests) = bridge(run.path());
    let (report, _heard) = listener();
    (7..=8).for_each(|child| bridge.submit(job(child), &report));
    bridge.take(Message::Skip(7), &report);
    bridge.act(&report);
    let paths = [7, 8].map(|child| saving::path(&bridge.folder.checkpoints(), child));
    paths
        .iter()
        .for_each(|path| fs::write(path, "saved").unwrap());
    let (_sender, messages) = channel();
    bridge.shut_down(&messages, &report);
    assert_eq!(paths.map(|path| path.exists()), [false, true]);
}

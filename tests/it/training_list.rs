//! Trainings in `nas-tui list` and in the picker.

use std::io::Write;
use std::path::Path;

use nas_tui::event::{Event, FinishReason};
use nas_tui::runs::{RunInfo, WorkInfo, look_at};
use nas_tui::state::RunStatus;

use crate::example_training as example;

/// The overview of a folder whose journal has these events.
fn seen(events: &[Event]) -> RunInfo {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), events);
    look_at(folder.path()).expect("a run")
}

fn write(folder: &Path, events: &[Event]) {
    let mut journal = std::fs::File::create(folder.join("journal.jsonl")).unwrap();
    for record in example::records(events)
        .iter()
        .filter(|record| !record.event.is_tick())
    {
        writeln!(journal, "{}", serde_json::to_string(record).unwrap()).unwrap();
    }
    std::fs::write(folder.join("architecture.json"), "{}").unwrap();
}

#[test]
fn a_training_without_a_process_is_dead_in_its_current_epoch() {
    let info = seen(&example::running(18));
    assert_eq!(
        (info.status, info.work.progress().as_str()),
        (RunStatus::Dead, "epoch 19/300")
    );
    let best = (1..=18)
        .map(|number| example::epoch(number).valid_accuracy)
        .fold(0.0, f64::max);
    assert_eq!(info.best_accuracy, Some(best));
}

#[test]
fn a_finished_training_shows_its_last_epoch_and_its_test() {
    let info = seen(&example::finished());
    let accuracy = example::report().accuracy;
    let WorkInfo::Training {
        network,
        recipe,
        epoch,
        test_accuracy,
        ..
    } = &info.work
    else {
        panic!("{info:?}")
    };
    assert_eq!(
        (network.as_str(), recipe.as_str(), *epoch, *test_accuracy),
        ("nascnn15", "plateau", 30, Some(accuracy))
    );
    assert_eq!(info.status, RunStatus::Completed);
}

#[test]
fn epochs_voided_by_a_resume_are_not_the_best() {
    let mut events = example::running(3);
    events.push(Event::RunResumed {
        host: "h".into(),
        pid: 1,
        version: "0".into(),
        next_child: None,
        epoch: Some(2),
        micro_batch: None,
    });
    assert_eq!(
        seen(&events).best_accuracy,
        Some(example::epoch(1).valid_accuracy)
    );
}

#[test]
fn a_training_that_never_began_is_a_training_without_a_name() {
    let info = seen(&[Event::RunFinished {
        reason: FinishReason::Failed,
        children: 0,
        epochs: Some(0),
        wall_seconds: 1.0,
    }]);
    assert_eq!(
        (info.work.kind().noun(), info.work.subject(), info.status),
        ("training", "", RunStatus::Failed)
    );
}

#[test]
fn the_json_of_a_training_has_the_documented_fields() {
    let json = serde_json::to_value(seen(&example::finished())).unwrap();
    let documented = "name path status kind best_accuracy started changed holder network recipe epoch epochs test_accuracy";
    assert!(
        documented.split(' ').all(|name| json.get(name).is_some()),
        "{json}"
    );
    assert_eq!(
        (json["kind"].as_str(), json.get("children")),
        (Some("training"), None)
    );
}

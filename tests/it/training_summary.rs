//! The summary of a training, from its records.

use nas_tui::analysis::training::TrainingTally;
use nas_tui::analysis::{RunSummary, TrainingSummary};
use nas_tui::event::{Event, FinishReason};

use crate::example_training as example;

fn of(events: &[Event]) -> TrainingSummary {
    let mut tally = TrainingTally::default();
    for record in example::records(events) {
        tally.apply(&record);
    }
    tally.summary()
}

#[test]
fn a_training_that_never_began_has_a_summary_without_a_name() {
    let failed = Event::RunFinished {
        reason: FinishReason::Failed,
        children: 0,
        epochs: Some(0),
        wall_seconds: 1.0,
    };
    let summary = of(&[failed]);
    assert_eq!(
        (summary.run.as_str(), summary.reason, summary.epochs_done),
        ("", Some(FinishReason::Failed), 0)
    );
}

#[test]
fn the_best_epoch_is_that_of_the_highest_validation_accuracy() {
    let summary = of(&example::finished());
    assert_eq!(summary.best.map(|best| best.epoch), Some(22));
    assert_eq!(
        (summary.epochs_done, summary.epochs, summary.micro_batch),
        (example::EPOCHS, 300, 64)
    );
}

#[test]
fn a_resumed_session_has_no_reason_for_its_end_until_it_ends() {
    let mut events = example::running(3);
    events.push(Event::RunFinished {
        reason: FinishReason::Stopped,
        children: 0,
        epochs: Some(3),
        wall_seconds: 9.0,
    });
    assert_eq!(of(&events).reason, Some(FinishReason::Stopped));
    events.push(Event::RunResumed {
        host: "h".into(),
        pid: 2,
        version: "0".into(),
        next_child: None,
        epoch: Some(3),
        micro_batch: None,
    });
    assert_eq!((of(&events).reason, of(&events).epochs_done), (None, 2));
}

#[test]
fn a_training_without_an_epoch_has_no_best_no_speed_and_no_test() {
    let summary = of(&example::running(0));
    assert_eq!(
        (
            summary.best,
            summary.images_per_second,
            summary.test.is_none()
        ),
        (None, None, true)
    );
    insta::assert_snapshot!("training_summary_at_the_start", summary);
}

#[test]
fn the_text_contains_accuracy_speed_and_test() {
    insta::assert_snapshot!("training_summary", of(&example::finished()));
}

#[test]
fn the_json_has_the_documented_fields_and_can_be_read_back() {
    let summary = of(&example::finished());
    let json: serde_json::Value = serde_json::from_str(&summary.to_json().unwrap()).unwrap();
    let documented = "run kind architecture params macs recipe seed reason epochs_done epochs best test wall_seconds \
                      images_per_second micro_batch precision device version libtorch";
    assert!(
        documented
            .split_whitespace()
            .all(|name| json.get(name).is_some_and(|value| !value.is_null())),
        "{json}"
    );
    assert_eq!(json["kind"], "training");
    assert_eq!(
        serde_json::from_value::<TrainingSummary>(json).unwrap(),
        summary
    );
}

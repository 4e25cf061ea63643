//! Compares docs/JOURNAL.md with the events themselves: nothing is undocumented, and nothing
//! documented is missing.

mod child;
mod run;
mod training;

use std::collections::BTreeSet;

use nas_tui::event::Event;
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../docs/JOURNAL.md");

fn text() -> String {
    "x".to_owned()
}

/// The event that follows `event` in the enum, with all its fields; a new variant does not compile
/// until it is added here.
fn next(event: &Event) -> Option<Event> {
    Some(match event {
        Event::RunStarted(_) => run::run_resumed(),
        Event::RunResumed { .. } => run::worker_started(),
        Event::WorkerStarted { .. } => run::worker_died(),
        Event::WorkerDied { .. } => run::episode_started(),
        Event::EpisodeStarted { .. } => child::child_sampled(),
        Event::ChildSampled(_) => child::batch_intended(),
        Event::BatchIntended { .. } => child::child_started(),
        Event::ChildStarted { .. } => child::child_progress(),
        Event::ChildProgress(_) => child::child_epoch(),
        Event::ChildEpoch(_) => child::child_finished(),
        Event::ChildFinished(_) => child::child_failed(),
        Event::ChildFailed { .. } => child::child_excluded(),
        Event::ChildExcluded { .. } => child::child_retried(),
        Event::ChildRetried { .. } => run::episode_finished(),
        Event::EpisodeFinished(_) => run::episode_excluded(),
        Event::EpisodeExcluded { .. } => run::checkpoint_saved(),
        Event::CheckpointSaved { .. } => Event::PauseRequested,
        Event::PauseRequested => Event::Paused,
        Event::Paused => Event::Resumed,
        Event::Resumed => Event::StopRequested,
        Event::StopRequested => Event::EpisodeStopRequested,
        Event::EpisodeStopRequested => Event::EpisodeStopWithdrawn,
        Event::EpisodeStopWithdrawn => child::skip_requested(),
        Event::SkipRequested { .. } => child::child_queued(),
        Event::ChildQueued(_) => child::child_noted(),
        Event::ChildNoted { .. } => training::training_started(),
        Event::TrainingStarted(_) => training::stage_entered(),
        Event::StageEntered(_) => training::training_progress(),
        Event::TrainingProgress(_) => training::measuring(),
        Event::Measuring(_) => training::training_epoch(),
        Event::TrainingEpoch(_) => training::training_saved(),
        Event::TrainingSaved { .. } => training::micro_batch_reduced(),
        Event::MicroBatchReduced { .. } => training::test_finished(),
        Event::TestFinished(_) => run::heartbeat(),
        Event::Heartbeat { .. } => run::notice(),
        Event::Notice { .. } => run::storage_blocked(),
        Event::StorageBlocked { .. } => run::run_finished(),
        Event::RunFinished { .. } => return None,
    })
}

/// Every key of a JSON value, at any depth.
fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            into.insert(key.clone());
            keys(value, into);
        }),
        Value::Array(items) => items.iter().for_each(|item| keys(item, into)),
        _ => {}
    }
}

/// The section of the document under `### \`name\``.
fn section(name: &str) -> &'static str {
    let heading = format!("### `{name}`\n");
    let start = DOCUMENT
        .find(&heading)
        .unwrap_or_else(|| panic!("docs/JOURNAL.md has no section for {name}"))
        + heading.len();
    let rest = &DOCUMENT[start..];
    &rest[..rest.find("\n### ").unwrap_or(rest.len())]
}

fn all_events() -> Vec<Value> {
    std::iter::successors(Some(run::run_started()), next)
        .chain([child::tabular_child()])
        .map(|event| serde_json::to_value(event).unwrap())
        .collect()
}

#[test]
fn every_event_and_every_field_is_documented() {
    for event in all_events() {
        let name = event["event"].as_str().unwrap();
        let mut fields = BTreeSet::new();
        keys(&event, &mut fields);
        fields.remove("event");
        let section = section(name);
        let missing: Vec<&String> = fields
            .iter()
            .filter(|field| !section.contains(&format!("`{field}`")))
            .collect();
        assert!(missing.is_empty(), "docs/JOURNAL.md, {name}: {missing:?}");
    }
}

#[test]
fn every_documented_event_exists() {
    let documented: BTreeSet<&str> = DOCUMENT
        .lines()
        .filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'))
        .collect();
    let events = all_events();
    let existing: BTreeSet<&str> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(documented, existing);
}

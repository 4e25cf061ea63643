//! docs/JOURNAL.md against the events themselves: nothing is undocumented, and nothing documented
//! is gone.

use std::collections::BTreeSet;

use nas_tui::classification::ClassificationReport;
use nas_tui::config::{Precision, Recipe, Schedule};
use nas_tui::event::{
    ChildEpoch, ChildFinished, ChildProgress, ChildQueued, ChildSampled, Choice, DataDescription,
    EpisodeFinished, Event, FinishReason, Level, Reference, ReferenceEpisode, RunStarted,
    TestFinished, TrainingEpoch, TrainingProgress, TrainingStarted,
};
use nas_tui::space::{Architecture, Decision, DecisionKind, Design, Dna, Layer};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../docs/JOURNAL.md");

fn text() -> String {
    "x".to_owned()
}

fn data() -> DataDescription {
    DataDescription {
        spec: text(),
        input: [1, 28, 28],
        classes: vec![text()],
        train_images: 1,
        validation_images: 1,
        fingerprint: text(),
    }
}

fn run_started() -> Event {
    Event::RunStarted(RunStarted {
        run: text(),
        preset: text(),
        strategy: text(),
        seed: 1,
        version: text(),
        host: text(),
        pid: 1,
        libtorch: Some(text()),
        episodes: 1,
        children_per_episode: 1,
        child_epochs: 1,
        child_batch_size: Some(1),
        reward_power: 1.0,
        reward_last_epochs: 1,
        workers: 1,
        threads: Some(1),
        device: Some(text()),
        data: data(),
        decisions: vec![Decision {
            kind: DecisionKind::Kernel,
            choices: vec![1],
        }],
        decode: nas_tui::config::Decode::Literal,
        reference: Some(Box::new(Reference {
            run: text(),
            strategy: text(),
            episodes: vec![ReferenceEpisode {
                episode: 1,
                mean_reward: 0.0,
                mean_accuracy: Some(0.0),
            }],
            not_comparable: Some(text()),
        })),
    })
}

fn child_sampled() -> Event {
    let layer = Layer {
        kernel: [3, 3],
        filters: 8,
        stride: [1, 1],
        padding: [1, 1],
        inputs: vec![0],
    };
    let choice = Choice {
        layer: 1,
        head: 0,
        index: 0,
        log_prob: 0.0,
        entropy: 0.0,
        probabilities: vec![1.0],
    };
    Event::ChildSampled(ChildSampled {
        child: 1,
        episode: 1,
        dna: Dna(vec![vec![3, 8, 1, 1]]),
        design: Design::Network(Architecture {
            name: text(),
            input: [1, 28, 28],
            classes: 10,
            layers: vec![layer],
            output: vec![1],
        }),
        params: 1,
        macs: 1,
        log_prob: Some(0.0),
        entropy: Some(0.0),
        max_entropy: Some(0.0),
        choices: vec![choice],
        parent: Some(1),
    })
}

fn child_progress() -> Event {
    Event::ChildProgress(ChildProgress {
        child: 1,
        worker: 0,
        epoch: 1,
        epochs: 1,
        batch: 1,
        batches: 1,
        loss: 0.0,
        images_per_second: 1.0,
    })
}

fn child_epoch() -> Event {
    Event::ChildEpoch(ChildEpoch {
        child: 1,
        worker: 0,
        epoch: 1,
        epochs: 1,
        train_loss: 0.0,
        train_accuracy: 0.0,
        valid_loss: 0.0,
        valid_accuracy: 0.0,
        learning_rate: 0.0,
        images_per_second: 0.0,
        seconds: 0.0,
    })
}

fn child_finished() -> Event {
    Event::ChildFinished(ChildFinished {
        child: 2,
        episode: 1,
        dna: Dna(vec![]),
        accuracy: 0.0,
        reward: 0.0,
        params: 1,
        macs: 1,
        seconds: 0.0,
        repeat_of: Some(1),
        valid_accuracies: vec![],
        skipped: true,
        energy_wh: Some(0.0),
        test_accuracy: Some(0.0),
    })
}

fn child_queued() -> Event {
    let Event::ChildSampled(ChildSampled {
        dna,
        design,
        params,
        macs,
        ..
    }) = child_sampled()
    else {
        unreachable!()
    };
    Event::ChildQueued(ChildQueued {
        child: 3,
        episode: 1,
        parent: 1,
        dna,
        design,
        params,
        macs,
    })
}

fn episode_finished() -> Event {
    Event::EpisodeFinished(EpisodeFinished {
        episode: 1,
        mean_reward: 0.0,
        mean_accuracy: Some(0.0),
        best_accuracy: Some(0.0),
        baseline: Some(0.0),
        next_baseline: Some(0.0),
        advantages: vec![0.0],
        entropy: Some(0.0),
        max_entropy: Some(0.0),
        loss: Some(0.0),
        gradient_norm: Some(0.0),
        repeats: 0,
        failures: 0,
        excluded: 1,
        seconds: 0.0,
    })
}

fn training_started() -> Event {
    let Event::ChildSampled(ChildSampled {
        design: Design::Network(architecture),
        params,
        macs,
        ..
    }) = child_sampled()
    else {
        unreachable!()
    };
    let schedule = Schedule::Steps {
        at: vec![0.5],
        factor: 0.1,
    };
    let settings = Recipe {
        epochs: 1,
        batch_size: 2,
        learning_rate: 0.1,
        momentum: 0.9,
        nesterov: true,
        weight_decay: 0.0,
        schedule,
        early_stopping: 0,
    };
    Event::TrainingStarted(Box::new(TrainingStarted {
        run: text(),
        origin: text(),
        architecture,
        params,
        macs,
        recipe: text(),
        settings,
        precision: Precision::Float32,
        micro_batch: 2,
        seed: 1,
        version: text(),
        host: text(),
        pid: 1,
        libtorch: text(),
        threads: 1,
        device: text(),
        data: data(),
    }))
}

fn training_progress() -> Event {
    Event::TrainingProgress(TrainingProgress {
        epoch: 1,
        batch: 1,
        batches: 1,
        loss: 0.0,
        accuracy: 0.0,
        learning_rate: 0.0,
        images_per_second: 0.0,
    })
}

fn training_epoch() -> Event {
    Event::TrainingEpoch(TrainingEpoch {
        epoch: 1,
        train_loss: 0.0,
        train_accuracy: 0.0,
        valid_loss: 0.0,
        valid_accuracy: 0.0,
        learning_rate: 0.0,
        images_per_second: 0.0,
        seconds: 0.0,
    })
}

fn test_finished() -> Event {
    let classes: Vec<String> = (0..6).map(|class| class.to_string()).collect();
    // Two images, one of them taken for another class.
    let logits = [0, 1].map(|prediction| {
        (0..6)
            .map(|class| f64::from(u8::from(class == prediction)))
            .collect()
    });
    let report = ClassificationReport::new(&classes, &[0, 0], &logits).unwrap();
    Event::TestFinished(Box::new(TestFinished {
        epoch: 1,
        valid_accuracy: 0.0,
        data: text(),
        seconds: 0.0,
        report,
    }))
}

/// The event after `event` in the enum, each with every field; a new variant does not compile until
/// it is here.
fn next(event: &Event) -> Option<Event> {
    Some(match event {
        Event::RunStarted(_) => Event::RunResumed {
            host: text(),
            pid: 1,
            version: text(),
            next_child: Some(1),
            epoch: Some(1),
        },
        Event::RunResumed { .. } => Event::WorkerStarted {
            worker: 0,
            pid: 1,
            device: text(),
            host: Some(text()),
        },
        Event::WorkerStarted { .. } => Event::WorkerDied {
            worker: 0,
            reason: text(),
        },
        Event::WorkerDied { .. } => Event::EpisodeStarted {
            episode: 1,
            depth: 6,
            baseline: Some(0.0),
        },
        Event::EpisodeStarted { .. } => child_sampled(),
        Event::ChildSampled(_) => Event::ChildStarted {
            child: 1,
            episode: 1,
            worker: 0,
            device: text(),
            attempt: 1,
        },
        Event::ChildStarted { .. } => child_progress(),
        Event::ChildProgress(_) => child_epoch(),
        Event::ChildEpoch(_) => child_finished(),
        Event::ChildFinished(_) => Event::ChildFailed {
            child: 1,
            episode: 1,
            reason: text(),
            reward: 0.0,
            seconds: 0.0,
        },
        Event::ChildFailed { .. } => Event::ChildExcluded {
            child: 1,
            episode: 1,
            reason: text(),
            seconds: 0.0,
        },
        Event::ChildExcluded { .. } => Event::ChildRetried {
            child: 1,
            reason: text(),
        },
        Event::ChildRetried { .. } => episode_finished(),
        Event::EpisodeFinished(_) => Event::EpisodeExcluded {
            episode: 1,
            children: 1,
            seconds: 0.0,
        },
        Event::EpisodeExcluded { .. } => Event::CheckpointSaved {
            episode: 1,
            next_child: 1,
        },
        Event::CheckpointSaved { .. } => Event::PauseRequested,
        Event::PauseRequested => Event::Paused,
        Event::Paused => Event::Resumed,
        Event::Resumed => Event::StopRequested,
        Event::StopRequested => Event::EpisodeStopRequested,
        Event::EpisodeStopRequested => Event::EpisodeStopWithdrawn,
        Event::EpisodeStopWithdrawn => Event::SkipRequested { child: 1 },
        Event::SkipRequested { .. } => child_queued(),
        Event::ChildQueued(_) => training_started(),
        Event::TrainingStarted(_) => training_progress(),
        Event::TrainingProgress(_) => training_epoch(),
        Event::TrainingEpoch(_) => Event::TrainingSaved { epoch: 1, batch: 1 },
        Event::TrainingSaved { .. } => Event::MicroBatchReduced {
            micro_batch: 1,
            reason: text(),
        },
        Event::MicroBatchReduced { .. } => test_finished(),
        Event::TestFinished(_) => Event::Notice {
            level: Level::Info,
            message: text(),
        },
        Event::Notice { .. } => Event::RunFinished {
            reason: FinishReason::Completed,
            children: 1,
            epochs: Some(1),
            wall_seconds: 0.0,
        },
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

/// The section under `### \`name\`` of the document.
fn section(name: &str) -> &'static str {
    let heading = format!("### `{name}`\n");
    let start = DOCUMENT
        .find(&heading)
        .unwrap_or_else(|| panic!("docs/JOURNAL.md has no section for {name}"))
        + heading.len();
    let rest = &DOCUMENT[start..];
    &rest[..rest.find("\n### ").unwrap_or(rest.len())]
}

/// A child of a space that is looked up in a table.
fn tabular_child() -> Event {
    let Event::ChildSampled(sampled) = child_sampled() else {
        unreachable!()
    };
    Event::ChildSampled(ChildSampled {
        design: Design::Key(text()),
        ..sampled
    })
}

fn all_events() -> Vec<Value> {
    std::iter::successors(Some(run_started()), next)
        .chain([tabular_child()])
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

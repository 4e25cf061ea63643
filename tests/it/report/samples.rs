//! Runs to report on: the recorded search, and synthetic trainings.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use nas_tui::classification::ClassificationReport;
use nas_tui::config::{Decode, Precision, Recipe, Schedule};
use nas_tui::event::{
    DataDescription, Event, FinishReason, ImageSet, Record, TestFinished, TrainingEpoch,
    TrainingStarted, VERSION,
};
use nas_tui::space::{Cost, resolve_architecture};

/// A real search.
pub const SEARCH: &str = include_str!("../../fixtures/journal-demo.jsonl");

/// The run directory `run` in `folder` with this journal and settings.
pub fn run_directory(folder: &Path, journal: &str) -> PathBuf {
    let run = folder.join("run");
    std::fs::create_dir_all(&run).unwrap();
    std::fs::write(run.join("journal.jsonl"), journal).unwrap();
    std::fs::write(run.join("config.toml"), nas_tui::config::SAMPLE).unwrap();
    run
}

const CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];

fn classes() -> Vec<String> {
    CLASSES.map(str::to_owned).to_vec()
}

/// The journal of a training of NASCNN15 that has completed this many of its 30 epochs and is in
/// progress.
pub fn training(epochs: usize) -> String {
    journal(std::iter::once(started()).chain((1..=epochs).map(epoch)))
}

/// The journal of a training that early stopping ended after 12 epochs, with its test.
pub fn with_test() -> String {
    let finished = Event::RunFinished {
        reason: FinishReason::Completed,
        children: 0,
        epochs: Some(12),
        wall_seconds: 12.0 * 1_900.0,
    };
    journal(
        std::iter::once(started())
            .chain((1..=12).map(epoch))
            .chain([tested(), finished]),
    )
}

/// The journal of a training that was killed after this many epochs, resumed after 5 and stopped.
pub fn cut_off(epochs: usize) -> String {
    let resumed = Event::RunResumed {
        host: "host".into(),
        pid: 2,
        version: "0.1.0".into(),
        next_child: None,
        epoch: Some(6),
        micro_batch: None,
    };
    let stopped = Event::RunFinished {
        reason: FinishReason::Stopped,
        children: 0,
        epochs: Some(6),
        wall_seconds: 1.0,
    };
    journal(
        std::iter::once(started())
            .chain((1..=epochs).map(epoch))
            .chain([resumed, epoch(6), stopped]),
    )
}

/// Events as lines, at intervals of one epoch.
fn journal(events: impl Iterator<Item = Event>) -> String {
    let record = |(seq, event)| {
        let time = Timestamp::from_second(1_795_515_300 + 1_900 * seq as i64).unwrap();
        serde_json::to_string(&Record {
            v: VERSION,
            seq: Some(seq),
            time,
            event,
        })
        .unwrap()
            + "\n"
    };
    (1..).zip(events).map(record).collect()
}

fn started() -> Event {
    let architecture = resolve_architecture("nascnn15", Decode::Literal, [3, 32, 32], 10).unwrap();
    let cost = Cost::of(&architecture).unwrap();
    Event::TrainingStarted(Box::new(TrainingStarted {
        run: "nascnn15".into(),
        origin: "nascnn15".into(),
        architecture,
        params: cost.params,
        macs: cost.macs,
        recipe: "plateau".into(),
        settings: Recipe {
            epochs: 30,
            batch_size: 128,
            learning_rate: 0.1,
            momentum: 0.9,
            nesterov: true,
            weight_decay: 1e-4,
            schedule: Schedule::Plateau {
                patience: 3,
                factor: 0.1,
            },
            early_stopping: 4,
            ..Recipe::default()
        },
        precision: Precision::Bf16,
        micro_batch: 128,
        seed: 7,
        version: "0.1.0".into(),
        host: "host".into(),
        pid: 1,
        libtorch: "2.11.0".into(),
        threads: 2,
        device: "cuda:0".into(),
        data: DataDescription {
            spec: "cifar10:/data".into(),
            images: Some(ImageSet {
                input: [3, 32, 32],
                classes: classes(),
                train: 45_000,
                validation: 5_000,
            }),
            fingerprint: "0badcafe".into(),
        },
        without_test: false,
        found: None,
        initial: None,
    }))
}

fn epoch(epoch: usize) -> Event {
    let (number, rate) = (epoch as f64, if epoch > 7 { 0.01 } else { 0.1 });
    let gain = 1.0 - (-number / 3.0).exp();
    Event::TrainingEpoch(TrainingEpoch {
        epoch,
        train_loss: 2.3 - 2.0 * gain,
        train_accuracy: 0.1 + 0.85 * gain,
        valid_loss: 2.3 - 1.8 * gain + 0.03 * (number - 8.0).max(0.0),
        valid_accuracy: 0.1 + 0.8 * gain - 0.02 * (number - 8.0).max(0.0),
        learning_rate: rate,
        images_per_second: 24.0 + number % 3.0,
        seconds: 1_880.0,
        ..TrainingEpoch::default()
    })
}

/// The result on 2,000 images that are classified as their class, or as one of the next two, by
/// their number.
fn tested() -> Event {
    let labels: Vec<usize> = (0..2_000).map(|image| image % 10).collect();
    let row = |(image, label): (usize, &usize)| {
        let taken_for = if image % 11 == 0 {
            (label + 2) % 10
        } else if image % 7 == 0 {
            (label + 1) % 10
        } else {
            *label
        };
        (0..10)
            .map(|class| {
                if class == taken_for {
                    1.0 + (image % 50) as f64 / 10.0
                } else {
                    0.1 * ((image + class) % 5) as f64
                }
            })
            .collect()
    };
    let logits: Vec<Vec<f64>> = labels.iter().enumerate().map(row).collect();
    let report = ClassificationReport::new(&classes(), &labels, &logits).unwrap();
    Event::TestFinished(Box::new(TestFinished {
        epoch: 8,
        valid_accuracy: 0.84,
        data: "cifar10:/data".into(),
        seconds: 31.0,
        averaged: false,
        report,
        mirrored: None,
    }))
}

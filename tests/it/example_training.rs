//! A synthetic training with plausible numbers, as recorded in its journal: NASCNN15 with the
//! plateau recipe.

use nas_tui::classification::ClassificationReport;
use nas_tui::config::{Decode, Precision, Recipe, Schedule, Stage};
use nas_tui::event::{
    DataDescription, Event, FinishReason, ImageSet, Record, StageEntered, TestFinished,
    TrainingEpoch, TrainingProgress, TrainingStarted,
};
use nas_tui::space::{Cost, builtin::builtin};

/// Number of epochs until early stopping.
pub const EPOCHS: usize = 30;
/// Batches in an epoch.
pub const BATCHES: usize = 352;
const CIFAR: [&str; 10] = [
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
/// Seconds of an epoch.
const SECONDS: f64 = 38.0;

/// Noise in -1..=1 that is the same for the same number.
fn noise(number: usize) -> f64 {
    let mut bits = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (bits >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

fn classes() -> Vec<String> {
    CIFAR.map(str::to_owned).to_vec()
}

pub fn started() -> TrainingStarted {
    let architecture = builtin("nascnn15", Decode::Literal, [3, 32, 32], 10)
        .expect("built in")
        .expect("valid");
    let cost = Cost::of(&architecture).expect("a valid network");
    TrainingStarted {
        run: "20261124-101500-nascnn15".to_owned(),
        origin: "nascnn15".to_owned(),
        architecture,
        params: cost.params,
        macs: cost.macs,
        recipe: "plateau".to_owned(),
        settings: Recipe {
            epochs: 300,
            batch_size: 128,
            learning_rate: 0.1,
            momentum: 0.9,
            nesterov: true,
            weight_decay: 1e-4,
            schedule: Schedule::Plateau {
                patience: 4,
                factor: 0.1,
            },
            early_stopping: 8,
            ..Recipe::default()
        },
        precision: Precision::Bf16,
        micro_batch: 128,
        seed: 1,
        version: "0.1.0".to_owned(),
        host: "gpu-server".to_owned(),
        pid: 4242,
        libtorch: "2.11.0".to_owned(),
        threads: 2,
        device: "cuda:0".to_owned(),
        data: DataDescription {
            spec: "cifar10:/data/cifar10".to_owned(),
            images: Some(ImageSet {
                input: [3, 32, 32],
                classes: classes(),
                train: 45_000,
                validation: 5_000,
            }),
            fingerprint: "0badcafe".to_owned(),
        },
        without_test: false,
        found: None,
        initial: None,
    }
}

/// Epoch `epoch`, from 1: the learning rate falls after epochs 12 and 22, and the best validation
/// accuracy is in epoch 22.
pub fn epoch(epoch: usize) -> TrainingEpoch {
    let (steps, learning_rate) = match epoch {
        ..=12 => (0.0, 0.1),
        13..=22 => (1.0, 0.01),
        _ => (2.0, 0.001),
    };
    let learned = 1.0 - (-(epoch as f64) / 5.0).exp();
    let train_loss = 2.3 - 1.55 * learned - 0.3 * steps + 0.02 * noise(epoch);
    let overfits = 0.02 * epoch.saturating_sub(22) as f64;
    TrainingEpoch {
        epoch,
        train_loss,
        train_accuracy: 0.1 + 0.66 * learned + 0.1 * steps + 0.005 * noise(epoch + 100),
        valid_loss: train_loss + 0.1 + overfits + 0.05 * noise(epoch + 200),
        valid_accuracy: 0.1
            + 0.64 * learned
            + 0.09 * f64::min(steps, 1.0)
            + 0.01 * noise(epoch + 300)
            - overfits / 10.0
            + if epoch == 22 { 0.03 } else { 0.0 },
        learning_rate,
        images_per_second: 1_290.0 + 25.0 * noise(epoch + 400),
        seconds: SECONDS,
        ..TrainingEpoch::default()
    }
}

/// 1,000 images of 10 classes; cats and dogs are confused most often.
pub fn report() -> ClassificationReport {
    let labels: Vec<usize> = (0..1_000).map(|image| image % 10).collect();
    let logits = labels.iter().enumerate().map(|(image, &label)| {
        let of_class = |class: usize| {
            let alike = matches!(
                (label, class),
                (3, 5) | (5, 3) | (1, 9) | (9, 1) | (0, 8) | (2, 4)
            );
            let right = if class == label { 4.0 } else { 0.0 };
            right + if alike { 1.8 } else { 0.0 } + 2.2 * noise(image * 10 + class + 5_000)
        };
        (0..10).map(of_class).collect()
    });
    ClassificationReport::new(&classes(), &labels, &logits.collect::<Vec<_>>())
        .expect("labels and logits belong together")
}

/// The start and the first `epochs` epochs.
pub fn running(epochs: usize) -> Vec<Event> {
    let done = (1..=epochs).map(|number| Event::TrainingEpoch(epoch(number)));
    std::iter::once(Event::TrainingStarted(Box::new(started())))
        .chain(done)
        .collect()
}

/// Another training, in three stages, after its first `epochs` epochs: those of a stage take their time
/// in proportion to its MACs.
pub fn in_stages(epochs: usize) -> Vec<Event> {
    let mut started = started();
    let stage = |(epochs, size, crop_pixels)| Stage {
        epochs,
        size,
        crop_pixels,
        cutout_pixels: 0,
    };
    started.recipe = "night".to_owned();
    started.settings = Recipe {
        epochs: 28,
        stages: [(10, 16, 2), (10, 24, 3), (8, 32, 4)].map(stage).to_vec(),
        schedule: Schedule::Cosine { warmup_epochs: 1 },
        early_stopping: 0,
        ..started.settings
    };
    let architecture = started.architecture.clone();
    let settings = started.settings.clone();
    let mut events = vec![Event::TrainingStarted(Box::new(started))];
    for span in settings.stage_spans() {
        let cost = Cost::of(&architecture.for_size(span.stage.size)).expect("a valid network");
        if span.first > epochs + 1 {
            break;
        }
        events.push(Event::StageEntered(StageEntered {
            stage: span.number,
            stages: settings.stages.len(),
            size: span.stage.size,
            crop_pixels: span.stage.crop_pixels,
            cutout_pixels: span.stage.cutout_pixels,
            first_epoch: span.first,
            last_epoch: span.last,
            macs: cost.macs,
            statistics_batches: (span.number > 1).then_some(32),
        }));
        events.extend((span.first..=span.last.min(epochs)).map(|number| {
            let part = (span.stage.size * span.stage.size) as f64 / 1_024.0;
            let epoch = epoch(number);
            Event::TrainingEpoch(TrainingEpoch {
                // Worse on images that the network has not been trained on.
                valid_accuracy: epoch.valid_accuracy - 0.15 / (number - span.first + 1) as f64,
                seconds: epoch.seconds * part,
                images_per_second: epoch.images_per_second / part,
                ..epoch
            })
        }));
    }
    events
}

/// A tick in the epoch after the first `epochs`.
pub fn progress(epochs: usize) -> Event {
    let next = epoch(epochs + 1);
    Event::TrainingProgress(TrainingProgress {
        epoch: epochs + 1,
        batch: 130,
        batches: BATCHES,
        loss: next.train_loss,
        accuracy: next.train_accuracy,
        learning_rate: next.learning_rate,
        images_per_second: 1_284.0,
    })
}

/// The whole training, including the test.
pub fn finished() -> Vec<Event> {
    let mut events = running(EPOCHS);
    events.insert(
        1,
        Event::MicroBatchReduced {
            micro_batch: 64,
            reason: "CUDA out of memory".to_owned(),
        },
    );
    let best = epoch(22);
    events.push(Event::TestFinished(Box::new(TestFinished {
        epoch: 22,
        valid_accuracy: best.valid_accuracy,
        data: "cifar10:/data/cifar10".to_owned(),
        seconds: 4.5,
        averaged: false,
        report: report(),
        mirrored: None,
    })));
    let reason = FinishReason::Completed;
    events.push(Event::RunFinished {
        reason,
        children: 0,
        epochs: Some(EPOCHS),
        wall_seconds: SECONDS * EPOCHS as f64,
    });
    events
}

/// Records of events: epochs take their time, every other event a second.
pub fn records(events: &[Event]) -> Vec<Record> {
    let mut time = 1_795_515_300.0;
    let mut seq = 0;
    let record = |event: &Event| {
        time += match event {
            Event::TrainingEpoch(epoch) => epoch.seconds,
            _ => 1.0,
        };
        seq += u64::from(!event.is_tick());
        let time = jiff::Timestamp::from_millisecond((time * 1e3) as i64).expect("in range");
        Record {
            v: 1,
            seq: (!event.is_tick()).then_some(seq),
            time,
            event: event.clone(),
        }
    };
    events.iter().map(record).collect()
}

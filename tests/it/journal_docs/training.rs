//! The events of a training.

use nas_tui::classification::{ClassificationReport, MirroredAccuracy};
use nas_tui::config::{DecayOn, Optimizer, Precision, Recipe, Schedule, Stage, WeightAverage};
use nas_tui::event::{
    ChildSampled, EarlierTraining, Event, Found, InitialWeights, Measured, Measuring, StageEntered,
    TestFinished, TrainingEpoch, TrainingProgress, TrainingStarted,
};
use nas_tui::space::Design;

use super::child::child_sampled;
use super::run::data;
use super::text;

pub fn training_started() -> Event {
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
        stages: vec![Stage {
            epochs: 1,
            size: 32,
            crop_pixels: 4,
            cutout_pixels: 8,
        }],
        batch_size: 2,
        learning_rate: 0.1,
        optimizer: Optimizer::Muon {
            rate: 0.03,
            momentum: 0.95,
        },
        momentum: 0.9,
        nesterov: true,
        weight_decay: 0.0,
        weight_decay_on: DecayOn::Weights,
        schedule,
        early_stopping: 0,
        label_smoothing: 0.1,
        cutmix: 0.5,
        weight_average: WeightAverage::Ema { decay: 0.5 },
        mirrored_test: true,
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
        without_test: true,
        found: Some(found()),
        initial: Some(initial()),
    }))
}

fn initial() -> InitialWeights {
    InitialWeights {
        file: text(),
        training: Some(EarlierTraining {
            run: text(),
            epochs: 1,
            valid_accuracy: 0.5,
            test_accuracy: Some(0.5),
            data: text(),
            fingerprint: text(),
            before: Some(Box::new(begun_with_unknown())),
        }),
        mean_with: vec![begun_with_unknown()],
    }
}

fn begun_with_unknown() -> InitialWeights {
    InitialWeights {
        file: text(),
        training: None,
        mean_with: Vec::new(),
    }
}

fn found() -> Found {
    Found {
        run: text(),
        child: 1,
        accuracy: 0.5,
        best_of: Some(1),
        child_epochs: 1,
        train_images: 1,
        validation_images: 1,
    }
}

pub fn stage_entered() -> Event {
    Event::StageEntered(StageEntered {
        stage: 2,
        stages: 2,
        size: 32,
        crop_pixels: 4,
        cutout_pixels: 8,
        first_epoch: 2,
        last_epoch: 2,
        macs: 1,
        statistics_batches: Some(1),
    })
}

pub fn training_progress() -> Event {
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

pub fn measuring() -> Event {
    Event::Measuring(Measuring {
        what: Measured::Validation,
        images: 1,
        of: 1,
    })
}

pub fn training_epoch() -> Event {
    Event::TrainingEpoch(TrainingEpoch {
        epoch: 1,
        train_loss: 0.0,
        train_accuracy: 0.0,
        valid_loss: 0.0,
        valid_accuracy: 0.0,
        learning_rate: 0.0,
        images_per_second: 0.0,
        seconds: 0.0,
        label_smoothing: 0.1,
        cutmix: 0.5,
        averaged: true,
    })
}

pub fn test_finished() -> Event {
    let classes: Vec<String> = (0..6).map(|class| class.to_string()).collect();
    // Two images, one of them misclassified.
    let logits = [0, 1].map(|prediction| {
        (0..6)
            .map(|class| f64::from(u8::from(class == prediction)))
            .collect()
    });
    let report = ClassificationReport::new(&classes, &[0, 0], &logits).unwrap();
    let mirrored = MirroredAccuracy::new(&[0, 0], [&logits, &logits]).unwrap();
    Event::TestFinished(Box::new(TestFinished {
        epoch: 1,
        valid_accuracy: 0.0,
        data: text(),
        seconds: 0.0,
        averaged: true,
        report,
        mirrored: Some(mirrored),
    }))
}

pub fn training_saved() -> Event {
    Event::TrainingSaved { epoch: 1, batch: 1 }
}

pub fn micro_batch_reduced() -> Event {
    Event::MicroBatchReduced {
        micro_batch: 1,
        reason: text(),
    }
}

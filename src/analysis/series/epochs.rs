//! The series of a training by its epochs.

use crate::event::{ChildEpoch, TrainingEpoch};

/// A measure after each epoch, for training and validation images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// Fraction of the images, 0 to 1.
    #[default]
    Accuracy,
    /// Mean cross-entropy per image, nats.
    Loss,
}

impl Measure {
    /// The largest value that there can be.
    pub fn most(self) -> f64 {
        match self {
            Measure::Accuracy => 1.0,
            Measure::Loss => f64::INFINITY,
        }
    }

    /// Its name in charts.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Accuracy => "accuracy",
            Measure::Loss => "loss",
        }
    }

    /// The other measure.
    pub fn other(self) -> Measure {
        match self {
            Measure::Accuracy => Measure::Loss,
            Measure::Loss => Measure::Accuracy,
        }
    }

    /// For training and for validation.
    pub fn of(self, epoch: &impl EpochPoint) -> [f64; 2] {
        match self {
            Measure::Accuracy => epoch.accuracies(),
            Measure::Loss => epoch.losses(),
        }
    }

    /// Curves over the epochs, by number: for training and for validation.
    pub fn curves(self, epochs: &[impl EpochPoint]) -> [Vec<(u64, f64)>; 2] {
        [0, 1].map(|which| {
            let value = |epoch| (EpochPoint::number(epoch), self.of(epoch)[which]);
            epochs.iter().map(value).collect()
        })
    }
}

/// An epoch of a child's training or of a run that trains one network.
pub trait EpochPoint {
    /// Number of the epoch, from 1.
    fn number(&self) -> u64;
    /// Losses in training and validation, nats.
    fn losses(&self) -> [f64; 2];
    /// Accuracies in training and validation, 0..=1.
    fn accuracies(&self) -> [f64; 2];
}

impl EpochPoint for ChildEpoch {
    fn number(&self) -> u64 {
        self.epoch as u64
    }

    fn losses(&self) -> [f64; 2] {
        [self.train_loss, self.valid_loss]
    }

    fn accuracies(&self) -> [f64; 2] {
        [self.train_accuracy, self.valid_accuracy]
    }
}

impl EpochPoint for TrainingEpoch {
    fn number(&self) -> u64 {
        self.epoch as u64
    }

    fn losses(&self) -> [f64; 2] {
        [self.train_loss, self.valid_loss]
    }

    fn accuracies(&self) -> [f64; 2] {
        [self.train_accuracy, self.valid_accuracy]
    }
}

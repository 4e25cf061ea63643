//! The series of a training by its epochs.

use crate::event::{ChildEpoch, TrainingEpoch};

/// What is measured after an epoch, of training and of validation images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// Share of the images, 0 to 1.
    #[default]
    Accuracy,
    /// Mean cross-entropy of an image, nats.
    Loss,
}

impl Measure {
    /// As charts name it.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Accuracy => "accuracy",
            Measure::Loss => "loss",
        }
    }

    /// The one that this is not.
    pub fn other(self) -> Measure {
        match self {
            Measure::Accuracy => Measure::Loss,
            Measure::Loss => Measure::Accuracy,
        }
    }

    /// Of training and of validation.
    pub fn of(self, epoch: &impl Epoch) -> [f64; 2] {
        match self {
            Measure::Accuracy => epoch.accuracies(),
            Measure::Loss => epoch.losses(),
        }
    }

    /// Over the epochs, by number: of training and of validation.
    pub fn curves(self, epochs: &[impl Epoch]) -> [Vec<(u64, f64)>; 2] {
        [0, 1].map(|which| {
            let value = |epoch| (Epoch::number(epoch), self.of(epoch)[which]);
            epochs.iter().map(value).collect()
        })
    }
}

/// An epoch, of a child's training or of a whole one.
pub trait Epoch {
    /// From 1.
    fn number(&self) -> u64;
    /// Of training and of validation, nats.
    fn losses(&self) -> [f64; 2];
    /// Of training and of validation, shares of 1.
    fn accuracies(&self) -> [f64; 2];
}

impl Epoch for ChildEpoch {
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

impl Epoch for TrainingEpoch {
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

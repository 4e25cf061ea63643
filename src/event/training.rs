//! The training of one network to the end: its beginning, its epochs and its test.

use serde::{Deserialize, Serialize};

use super::DataDescription;
use crate::classification::ClassificationReport;
use crate::config::{Precision, Recipe};
use crate::space::Architecture;

/// What a training begins with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingStarted {
    /// Name of the run directory.
    pub run: String,
    /// ARCH as the user gave it.
    pub origin: String,
    /// The network.
    pub architecture: Architecture,
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulate operations for one image.
    pub macs: u64,
    /// Name of the recipe, and what it says.
    pub recipe: String,
    /// The recipe itself.
    pub settings: Recipe,
    /// Never `auto`.
    pub precision: Precision,
    /// Images computed at a time; as many as the recipe's batch has, where memory suffices.
    pub micro_batch: usize,
    /// Seed of every random stream of the run.
    pub seed: u64,
    /// Version of nas-tui.
    pub version: String,
    /// Name of the machine.
    pub host: String,
    /// Process id.
    pub pid: u32,
    /// Version of libtorch.
    pub libtorch: String,
    /// CPU threads.
    pub threads: usize,
    /// `cpu`, or the GPU as `cuda:N`.
    pub device: String,
    /// The data set.
    pub data: DataDescription,
}

/// Where a training stands within an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingProgress {
    /// Epoch under way, counted from 1.
    pub epoch: usize,
    /// Batches of this epoch that are done.
    pub batch: usize,
    /// Batches of an epoch.
    pub batches: usize,
    /// Mean training loss and accuracy of the epoch so far.
    pub loss: f64,
    /// Accuracy, 0..=1.
    pub accuracy: f64,
    /// Learning rate of the latest step.
    pub learning_rate: f64,
    /// Training images a second.
    pub images_per_second: f64,
}

/// What an epoch of a training has brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingEpoch {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Mean cross-entropy over the training images, nats.
    pub train_loss: f64,
    /// Accuracy on the training images, 0..=1.
    pub train_accuracy: f64,
    /// Mean cross-entropy over the validation images, nats.
    pub valid_loss: f64,
    /// Accuracy on the validation images, 0..=1.
    pub valid_accuracy: f64,
    /// Learning rate of the epoch's last batch.
    pub learning_rate: f64,
    /// Training images a second.
    pub images_per_second: f64,
    /// With its validation, without pauses.
    pub seconds: f64,
}

/// How well the best weights classify the test images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestFinished {
    /// The epoch whose weights these are: that of the highest validation accuracy.
    pub epoch: usize,
    /// Accuracy on the validation images, 0..=1.
    pub valid_accuracy: f64,
    /// SPEC with its folder.
    pub data: String,
    /// Time that it took, without pauses.
    pub seconds: f64,
    /// How well it classifies them.
    pub report: ClassificationReport,
}

//! The training of one network to completion: its beginning, its epochs and its test.

use std::ops::Not;

use serde::{Deserialize, Serialize};

use super::{DataDescription, InitialWeights};
use crate::classification::{ClassificationReport, MirroredAccuracy};
use crate::config::{Precision, Recipe};
use crate::foundation::numbers;
use crate::space::Architecture;

/// The beginning of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingStarted {
    /// Name of the run directory.
    pub run: String,
    /// ARCH as given by the user.
    pub origin: String,
    /// The network.
    pub architecture: Architecture,
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulate operations for one image.
    pub macs: u64,
    /// Name of the recipe.
    pub recipe: String,
    /// The recipe itself.
    pub settings: Recipe,
    /// Precision of the convolutions; never `auto`.
    pub precision: Precision,
    /// Images computed at a time: the recipe's batch size, or less if memory is short.
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
    /// Whether the test images are not used (`train.test = false`).
    #[serde(default, skip_serializing_if = "Not::not")]
    pub without_test: bool,
    /// What a search said of the network, if ARCH is a child of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
    /// The weights that it began with, if they were not random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial: Option<InitialWeights>,
}

/// A network as a search left it, before it was trained to completion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Name of the search's run directory.
    pub run: String,
    /// Number of the child, from 1.
    pub child: u64,
    /// Its validation accuracy in the search, 0..=1.
    pub accuracy: f64,
    /// Number of children among which it was chosen as the best; absent if it was named by its
    /// number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_of: Option<usize>,
    /// Epochs that the search's children were trained for.
    pub child_epochs: usize,
    /// Number of images that they were trained on.
    pub train_images: usize,
    /// Number of images that they were validated on.
    pub validation_images: usize,
}

/// The training is in a stage: from here on its epochs are on images of one size (progressive
/// resizing).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageEntered {
    /// Number of the stage, from 1.
    pub stage: usize,
    /// Number of stages.
    pub stages: usize,
    /// Height and width of its images, in pixels.
    pub size: usize,
    /// Pixels that its training images are padded by before they are cropped; 0: not cropped.
    pub crop_pixels: usize,
    /// Side of the square that is cut out of each of its training images; 0: none.
    #[serde(skip_serializing_if = "super::is_zero", default)]
    pub cutout_pixels: usize,
    /// Number of its first epoch, from 1.
    pub first_epoch: usize,
    /// Number of its last epoch.
    pub last_epoch: usize,
    /// Multiply-accumulate operations for one of its images.
    pub macs: u64,
    /// Number of batches on which batch norm statistics are estimated anew before the stage's first
    /// step; absent in the first stage, and where a training continues within a stage.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub statistics_batches: Option<usize>,
}

/// How far a training has progressed within an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingProgress {
    /// Number of the epoch in progress, from 1.
    pub epoch: usize,
    /// Completed batches of this epoch.
    pub batch: usize,
    /// Number of batches in an epoch.
    pub batches: usize,
    /// Mean training loss of the epoch so far.
    pub loss: f64,
    /// Training accuracy of the epoch so far, 0..=1.
    pub accuracy: f64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Training images per second.
    pub images_per_second: f64,
}

/// How far a training has progressed in measuring something, in which no step is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measuring {
    /// What it does.
    pub what: Measured,
    /// Number of images that are done.
    pub images: usize,
    /// Number of images in all.
    pub of: usize,
}

/// What a training measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// The batch norm statistics of averaged weights, or of the images of a new stage.
    Statistics,
    /// The accuracy on the validation images.
    Validation,
    /// The accuracy on the test images.
    Test,
    /// The accuracy on the mirrored test images.
    MirroredTest,
}

impl Measuring {
    /// `validating 1,280/5,000`.
    pub fn text(&self) -> String {
        let doing = match self.what {
            Measured::Statistics => "estimating batch norm statistics",
            Measured::Validation => "validating",
            Measured::Test => "classifying test images",
            Measured::MirroredTest => "classifying mirrored test images",
        };
        self.counted(doing)
    }

    /// The same for where there is little room.
    pub fn brief(&self) -> String {
        let doing = match self.what {
            Measured::Statistics => "batch norm",
            Measured::Validation => "validating",
            Measured::Test => "test images",
            Measured::MirroredTest => "mirrored",
        };
        self.counted(doing)
    }

    fn counted(&self, doing: &str) -> String {
        let [images, of] = [self.images, self.of].map(|images| numbers::count(images as u64));
        format!("{doing} {images}/{of}")
    }
}

/// The results of one epoch of a training.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingEpoch {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Mean cross-entropy over the training images, nats, with `label_smoothing` and `cutmix`.
    pub train_loss: f64,
    /// Accuracy on the training images, 0..=1; of mixed images, on the label that has more of each.
    pub train_accuracy: f64,
    /// Mean cross-entropy over the validation images, nats.
    pub valid_loss: f64,
    /// Accuracy on the validation images, 0..=1.
    pub valid_accuracy: f64,
    /// Learning rate of the epoch's last batch.
    pub learning_rate: f64,
    /// Training images per second.
    pub images_per_second: f64,
    /// Duration in seconds, including validation and excluding pauses.
    pub seconds: f64,
    /// Label smoothing of the training loss, which cannot be compared with the validation loss
    /// unless it is 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub label_smoothing: f64,
    /// The part of the batches in training whose images were mixed. Training loss and accuracy cannot be compared
    /// with those of validation unless it is 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cutmix: f64,
    /// Whether the validation figures are those of averaged weights.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub averaged: bool,
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// How well the best weights classify the test images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestFinished {
    /// The epoch of these weights, which has the highest validation accuracy.
    pub epoch: usize,
    /// Accuracy on the validation images, 0..=1.
    pub valid_accuracy: f64,
    /// SPEC with its folder.
    pub data: String,
    /// Duration in seconds, excluding pauses.
    pub seconds: f64,
    /// Whether these weights are averaged.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub averaged: bool,
    /// The results on the test images.
    pub report: ClassificationReport,
    /// The results on the test images with their mirror images, if they were measured; nothing is
    /// decided by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirrored: Option<MirroredAccuracy>,
}

//! The messages between a search and its worker processes: JSON, one message per line, over the
//! worker's pipes.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ChildJob;
use crate::config::{ChildConfig, DataConfig};
use crate::event::{ChildEpoch, ChildProgress, DataDescription, Level};
use crate::foundation::device::Device;
use crate::reward::Outcome;

/// Messages to a worker's standard input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToWorker {
    /// The first message. The worker answers `ready`, `unusable` or `broken`.
    Start {
        /// Number of the worker, from 0.
        worker: usize,
        /// The images and how they are prepared.
        data: DataConfig,
        /// How each child is trained.
        child: ChildConfig,
        /// CPU threads of the process.
        threads: usize,
        /// The device it trains on.
        device: Device,
        /// Images to use instead of the configured split; `None` in a search.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sample: Option<ImageSample>,
        /// Where each child is saved when the worker pauses; nothing is saved if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkpoints: Option<PathBuf>,
    },
    /// Train this child; answered by `finished` or `broken`.
    Train {
        /// The child.
        job: ChildJob,
    },
    /// End the training of this child at the next batch, with the accuracies of the completed
    /// epochs.
    Skip {
        /// Number of the child.
        child: u64,
    },
    /// Stop at the next batch and answer with the number, once the child is saved.
    Pause {
        /// Number of the pause.
        number: u64,
    },
    /// Continue after a pause.
    Resume,
}

/// Images for a benchmark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageSample {
    /// The first images of the training files in order, without a split. The validation images are
    /// those that `benches/pytorch_baseline.py` uses: the first of CIFAR-10's fifth batch, or the
    /// last images of other data.
    FirstOfFiles {
        /// Training images.
        train: usize,
        /// Validation images.
        validation: usize,
    },
    /// Noise in a network's input shape, for use if no such data set is available.
    Noise {
        /// `[C, H, W]`.
        input: [usize; 3],
        /// Number of classes.
        classes: usize,
        /// Training images.
        train: usize,
        /// Validation images.
        validation: usize,
    },
}

/// What a worker reports about itself when it is ready.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Introduction {
    /// The description of the data it read.
    pub data: DataDescription,
    /// The device it trains on.
    pub device: Device,
    /// Version of libtorch.
    pub libtorch: String,
}

/// Messages from a worker's standard output. (Its standard error is kept for the log.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromWorker {
    /// The worker has its data and its device, and can train.
    Ready {
        /// Process id of the worker.
        pid: u32,
        /// Information about the worker.
        #[serde(flatten)]
        introduction: Introduction,
    },
    /// No worker can use the data, for the reason given with its remedy.
    Unusable {
        /// What is wrong.
        message: String,
    },
    /// This process can no longer train, although others may be able to: it ends now.
    Broken {
        /// Why it ends.
        cause: Breakdown,
        /// The same in words.
        reason: String,
    },
    /// Progress of the child in training.
    Progress(ChildProgress),
    /// The results of an epoch of the child in training.
    Epoch(ChildEpoch),
    /// A child has ended.
    Finished {
        /// Number of the child.
        child: u64,
        /// Its outcome.
        outcome: Outcome,
        /// Training time in seconds, excluding pauses.
        seconds: f64,
    },
    /// The worker has stopped at a batch boundary (or is idle) for the `pause` with this number.
    Paused {
        /// Number of the pause.
        number: u64,
    },
    /// Sent regularly by a thread of its own, from the start of the process to its end.
    Beat {
        /// The child in training.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        child: Option<u64>,
        /// Number of batches, of training and validation, that the process has completed so far.
        /// Each result counts as one as well.
        steps: u64,
    },
    /// A line for the run's log.
    Log {
        /// How serious it is.
        level: Level,
        /// The line.
        message: String,
    },
}

/// Why a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breakdown {
    /// Its device failed, or the process may not use it.
    Device,
    /// Memory ran out. Memory kept from earlier children is released when the process ends.
    Memory,
}

//! What a search and its worker processes say to each other: JSON, one message a line, over the
//! worker's pipes.

use serde::{Deserialize, Serialize};

use super::ChildJob;
use crate::config::{ChildConfig, DataConfig};
use crate::event::{ChildEpoch, ChildProgress, DataDescription, Level};
use crate::foundation::device::Device;
use crate::reward::Outcome;

/// To a worker's standard input.
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
        /// Where it trains.
        device: Device,
        /// Images to use instead of the configured split; `None` in a search.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sample: Option<Sample>,
    },
    /// Train this child; answered by `finished` or `broken`.
    Train {
        /// The child.
        job: ChildJob,
    },
    /// End the training of this child at the next batch, with the accuracies of the epochs it has
    /// finished.
    Skip {
        /// Number of the child.
        child: u64,
    },
    /// Stand still at the next batch and answer with the number.
    Pause {
        /// Number of the pause.
        number: u64,
    },
    /// Go on after a pause.
    Resume,
}

/// Images for a benchmark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sample {
    /// The first images of the training files, in their order, without a split. The validation
    /// images are those that `benches/pytorch_baseline.py` takes: of CIFAR-10 the first of its
    /// fifth batch, of other data the last.
    FirstOfFiles {
        /// Training images.
        train: usize,
        /// Validation images.
        validation: usize,
    },
    /// Noise of a network's input shape, for when no such data set is available.
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

/// From a worker's standard output. (Its standard error is kept for the log.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromWorker {
    /// The worker has its data and its device, and can train.
    Ready {
        /// Process id of the worker.
        pid: u32,
        /// What it found the data to be.
        data: DataDescription,
        /// Where it trains.
        device: Device,
        /// Version of libtorch.
        libtorch: String,
    },
    /// The data cannot be used, by no worker: the text says why and what to do.
    Unusable {
        /// What is wrong.
        message: String,
    },
    /// This process can train no more, though another may: it ends now.
    Broken {
        /// What it came to its end by.
        cause: Cause,
        /// The same in words.
        reason: String,
    },
    /// How far the child in training is.
    Progress(ChildProgress),
    /// What an epoch of the child in training has brought.
    Epoch(ChildEpoch),
    /// A child has come to its end.
    Finished {
        /// Number of the child.
        child: u64,
        /// What came of it.
        outcome: Outcome,
        /// Time in training, without pauses.
        seconds: f64,
    },
    /// Stands still at a batch boundary (or has nothing to do), as the `pause` of this number
    /// asked.
    Paused {
        /// Number of the pause.
        number: u64,
    },
    /// A line for the run's log.
    Log {
        /// How much it matters.
        level: Level,
        /// The line.
        message: String,
    },
}

/// What a process came to its end by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its device failed, or it may not use it.
    Device,
    /// Memory did not suffice. What the process kept of earlier children is free again with its
    /// end.
    Memory,
}

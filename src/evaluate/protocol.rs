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
        worker: usize,
        data: DataConfig,
        child: ChildConfig,
        threads: usize,
        device: Device,
        /// Images to use instead of the configured split; none in a search.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sample: Option<Sample>,
    },
    Train {
        job: ChildJob,
    },
    /// End the training of this child at the next batch, with the accuracies of the epochs it has
    /// finished.
    Skip {
        child: u64,
    },
    /// Stand still at the next batch and answer with the number.
    Pause {
        number: u64,
    },
    Resume,
}

/// Images for a benchmark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sample {
    /// The first images of the training files, in their order, without a split. The validation
    /// images are those that `benches/pytorch_baseline.py` takes: of CIFAR-10 the first of its
    /// fifth batch, of other data the last.
    FirstOfFiles { train: usize, validation: usize },
    /// Noise of a network's input shape, where no such data set is at hand.
    Noise {
        input: [usize; 3],
        classes: usize,
        train: usize,
        validation: usize,
    },
}

/// From a worker's standard output. (Its standard error is kept for the log.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromWorker {
    Ready {
        pid: u32,
        data: DataDescription,
        device: Device,
        libtorch: String,
    },
    /// The data cannot be used, by no worker: the text says why and what to do.
    Unusable {
        message: String,
    },
    /// This process can train no more, though another may: it ends now.
    Broken {
        cause: Cause,
        reason: String,
    },
    Progress(ChildProgress),
    Epoch(ChildEpoch),
    Finished {
        child: u64,
        outcome: Outcome,
        seconds: f64,
    },
    /// Stands still at a batch boundary (or has nothing to do), as the `pause` of this number
    /// asked.
    Paused {
        number: u64,
    },
    Log {
        level: Level,
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

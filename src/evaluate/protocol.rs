//! What a search and its worker processes say to each other: JSON, one message a line, over the worker's pipes.

use serde::{Deserialize, Serialize};

use super::ChildJob;
use crate::config::{ChildConfig, DataConfig};
use crate::event::{ChildEpoch, ChildProgress, DataDescription, Level};
use crate::reward::Outcome;

/// To a worker's standard input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToWorker {
    /// The first message. The worker answers `ready` or `unusable`.
    Start {
        worker: usize,
        data: DataConfig,
        child: ChildConfig,
        threads: usize,
        device: String,
        seed: u64,
    },
    Train {
        job: ChildJob,
    },
    Pause,
    Resume,
}

/// From a worker's standard output. (Its standard error is kept for the log.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromWorker {
    Ready {
        pid: u32,
        data: DataDescription,
        device: String,
        libtorch: String,
    },
    /// The data or the device cannot be used: the text says why and what to do.
    Unusable {
        message: String,
    },
    Progress(ChildProgress),
    Epoch(ChildEpoch),
    Finished {
        child: u64,
        outcome: Outcome,
        seconds: f64,
    },
    /// Stands still at a batch boundary (or has nothing to do).
    Paused,
    Log {
        level: Level,
        message: String,
    },
}

//! Evaluators: whoever turns architectures into outcomes. A search submits jobs and receives
//! reports.

#[cfg(feature = "torch")]
mod actor;
#[cfg(feature = "torch")]
pub mod environment;
#[cfg(feature = "torch")]
pub mod local;
pub mod placement;
#[cfg(feature = "torch")]
mod process;
pub mod protocol;
#[cfg(feature = "torch")]
mod rate_limit;
#[cfg(feature = "torch")]
mod slot;
#[cfg(feature = "torch")]
pub mod throughput;
#[cfg(feature = "torch")]
pub mod worker;

#[cfg(feature = "torch")]
pub use local::LocalWorkers;
use serde::{Deserialize, Serialize};

use crate::event::{ChildEpoch, ChildProgress, DataDescription, Level};
use crate::reward::Outcome;
use crate::space::Architecture;

/// One child to train.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildJob {
    pub child: u64,
    /// Seed of its weights, batch order and augmentation: same seed, thread count and device kind,
    /// same outcome.
    pub seed: u64,
    pub architecture: Architecture,
}

/// What an evaluator tells the search, in the order in which it happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// Every worker that can start is up and has checked its data. Nothing is trained before.
    Ready(Ready),
    WorkerStarted {
        worker: usize,
        pid: u32,
        device: String,
    },
    WorkerDied {
        worker: usize,
        reason: String,
    },
    ChildStarted {
        child: u64,
        worker: usize,
        device: String,
        attempt: u32,
    },
    Progress(ChildProgress),
    Epoch(ChildEpoch),
    /// The child's worker died and the child is tried once more.
    Retried {
        child: u64,
        reason: String,
    },
    Finished {
        child: u64,
        outcome: Outcome,
        seconds: f64,
    },
    /// Every worker stands still at a batch boundary, as the pause of this number asked.
    Paused {
        number: u64,
    },
    Log {
        level: Level,
        message: String,
    },
    /// Nothing can be trained (bad data, no worker that can work): the search must end with this
    /// message.
    Fatal {
        message: String,
    },
}

/// What the workers found when they started.
#[derive(Debug, Clone, PartialEq)]
pub struct Ready {
    pub data: DataDescription,
    pub workers: usize,
    /// CPU threads of each worker.
    pub threads: usize,
    /// `cpu`, or the GPU's name.
    pub device: String,
    pub libtorch: String,
}

/// Trains children. Reports arrive through the `report` callback given when it is started, from its
/// own threads.
pub trait Evaluator {
    /// Queue a child; children are started in the order of submission.
    fn submit(&mut self, job: ChildJob);
    /// End a submitted child's training at its next batch: `Report::Finished` follows, with the
    /// accuracies of the epochs it has finished, or excluded with the reason [`crate::reward::SKIPPED`] where
    /// there are none.
    fn skip(&mut self, child: u64);
    /// Stand still at the next batch boundary; `Report::Paused` with this number follows, at once
    /// if nothing is in training.
    fn pause(&mut self, number: u64);
    fn resume(&mut self);
    /// End every worker now. What was in training is lost; no report follows.
    fn shutdown(&mut self);
}

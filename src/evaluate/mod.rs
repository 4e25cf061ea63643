//! Evaluators: whoever turns designs into outcomes. A search submits jobs and receives reports.
//!
//! An evaluator owns where children run: on which host and device, in which processes, and what
//! energy they take. The local worker processes are one, a table ([`table`]) is another.

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
pub mod table;
#[cfg(feature = "torch")]
pub mod throughput;
#[cfg(feature = "torch")]
pub mod worker;

#[cfg(feature = "torch")]
pub use local::LocalWorkers;
use serde::{Deserialize, Serialize};

use crate::event::{ChildEpoch, ChildProgress, DataDescription, Level};
use crate::reward::Outcome;
use crate::space::{Architecture, Design};

/// One child to evaluate.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Number of the child.
    pub child: u64,
    /// Seed of whatever is random in its evaluation: same seed, same evaluator, same outcome.
    pub seed: u64,
    /// What is to be evaluated.
    pub design: Design,
}

/// One child to train.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildJob {
    /// Number of the child, from 1.
    pub child: u64,
    /// Seed of its weights, batch order and augmentation: same seed, thread count and device kind,
    /// same outcome.
    pub seed: u64,
    /// The network.
    pub architecture: Architecture,
}

/// What an evaluator tells the search, in the order in which it happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// Every worker that can start is up and has checked its data. Nothing is trained before.
    Ready(Ready),
    /// A worker is ready to train.
    WorkerStarted {
        /// Number of the worker, from 0.
        worker: usize,
        /// Process id of the worker.
        pid: u32,
        /// `cpu`, or the GPU as `cuda:N`.
        device: String,
        /// Machine that it runs on; none where that is this one.
        host: Option<String>,
    },
    /// The process of a worker has ended.
    WorkerDied {
        /// Number of the worker, from 0.
        worker: usize,
        /// Why, for a reader.
        reason: String,
    },
    /// A child is handed to a worker.
    ChildStarted {
        /// Number of the child, from 1.
        child: u64,
        /// Number of the worker, from 0.
        worker: usize,
        /// `cpu`, or the GPU as `cuda:N`.
        device: String,
        /// Which attempt this is, from 1.
        attempt: u32,
    },
    /// How far a child in training is.
    Progress(ChildProgress),
    /// What an epoch of a child in training has brought.
    Epoch(ChildEpoch),
    /// The child's worker died and the child is tried once more.
    Retried {
        /// Number of the child, from 1.
        child: u64,
        /// Why, for a reader.
        reason: String,
    },
    /// A child has come to its end.
    Finished {
        /// Number of the child, from 1.
        child: u64,
        /// What came of it.
        outcome: Outcome,
        /// Time that it took, without pauses.
        seconds: f64,
        /// Energy that its device took for it, watt-hours; none where that is not measured.
        energy_wh: Option<f64>,
        /// Test accuracy of the network trained to the end, where that is known already. Nothing in
        /// a search may depend on it.
        test_accuracy: Option<f64>,
    },
    /// Every worker stands still at a batch boundary, as the pause of this number asked.
    Paused {
        /// Number of the pause.
        number: u64,
    },
    /// A line for the run's log.
    Log {
        /// How serious it is.
        level: Level,
        /// The text, for a reader.
        message: String,
    },
    /// Nothing can be trained (bad data, no worker that can work): the search must end with this
    /// message.
    Fatal {
        /// The text, for a reader.
        message: String,
    },
}

/// What an evaluator found when it started.
#[derive(Debug, Clone, PartialEq)]
pub struct Ready {
    /// What rewards are measured on.
    pub data: DataDescription,
    /// Children that it works on at a time.
    pub workers: usize,
    /// What computes; `None` if nothing is trained.
    pub compute: Option<Compute>,
}

/// What trains the children.
#[derive(Debug, Clone, PartialEq)]
pub struct Compute {
    /// CPU threads of each worker.
    pub threads: usize,
    /// `cpu`, or the GPU's name.
    pub device: String,
    /// Version of libtorch.
    pub libtorch: String,
}

/// Evaluates children. Reports arrive through the `report` callback given when it is started, from
/// its own threads.
pub trait Evaluator {
    /// Queue a child; children are started in the order of submission.
    fn submit(&mut self, job: Job);
    /// End a submitted child's training at its next batch: `Report::Finished` follows, with the
    /// accuracies of the epochs it has finished, or excluded with the reason
    /// [`crate::reward::SKIPPED`] where there are none.
    fn skip(&mut self, child: u64);
    /// Stand still at the next batch boundary; `Report::Paused` with this number follows, at once
    /// if nothing is in training.
    fn pause(&mut self, number: u64);
    /// Go on after a pause.
    fn resume(&mut self);
    /// End every worker now. What was in training is lost; no report follows.
    fn shutdown(&mut self);
}

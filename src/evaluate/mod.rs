//! Evaluators turn designs into outcomes. A search submits jobs and receives reports.
//!
//! An evaluator determines where children run: on which host and device, in which processes, and
//! how their energy is measured. Local worker processes are one evaluator, a table ([`table`]) is
//! another. A new one is a file that registers itself in [`EVALUATORS`]; the only other line is its
//! `mod` line.

#[cfg(feature = "torch")]
mod actor;
#[cfg(feature = "torch")]
pub mod environment;
mod error;
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
pub mod slurm;
pub mod table;
#[cfg(feature = "torch")]
pub mod throughput;
pub mod validity;
pub mod watch;
#[cfg(feature = "torch")]
pub mod worker;

pub use error::TableError;
#[cfg(feature = "torch")]
pub use local::LocalWorkers;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::event::{ChildEpoch, ChildProgress, Compute, DataDescription, Level};
use crate::reward::Outcome;
use crate::space::{Architecture, Design};

/// Receives the reports of an evaluator.
pub type Reports = Box<dyn Fn(Report) + Send>;

/// An evaluator of this program, and which runs it is for.
pub struct Registered {
    /// Its name, unique among the evaluators.
    pub name: &'static str,
    /// Whether it can evaluate the children of a run with these settings.
    pub takes: fn(&Config) -> bool,
    /// Whether it leaves a run to any other evaluator that takes it.
    pub is_default: bool,
    /// Starts it. It may keep files of its own in the folder.
    pub start: fn(&Config, &Path, Reports) -> std::io::Result<Box<dyn Evaluator>>,
}

/// Every evaluator of this build, in no particular order.
#[linkme::distributed_slice]
pub static EVALUATORS: [Registered];

/// The evaluator of a run with these settings, the first by name if several take it; `None` if this
/// program has none.
pub fn evaluator_for(config: &Config) -> Option<&'static Registered> {
    let able = EVALUATORS.iter().filter(|one| (one.takes)(config));
    able.min_by_key(|one| (one.is_default, one.name))
}

/// One child to evaluate.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Number of the child.
    pub child: u64,
    /// Seed of the randomness in its evaluation: the same seed and evaluator give the same outcome.
    pub seed: u64,
    /// The design to evaluate.
    pub design: Design,
    /// When to stop it early; a table has no such moment.
    pub stop: Option<EarlyStop>,
}

/// When to stop a child before the end of its training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EarlyStop {
    /// Epochs after which it is decided, at least 1.
    pub after: usize,
    /// It is stopped if its best validation accuracy until then is below this one.
    pub below: f64,
}

/// One child to train.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildJob {
    /// Number of the child, from 1.
    pub child: u64,
    /// Seed of its weights, batch order and augmentation: the same seed, thread count and kind of
    /// device give the same outcome.
    pub seed: u64,
    /// The network.
    pub architecture: Architecture,
    /// When to stop it early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<EarlyStop>,
}

/// What an evaluator reports to the search, in the order in which it happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// Every worker that can start is running and has checked its data. Nothing is trained before.
    Ready(Ready),
    /// A worker is ready to train.
    WorkerStarted {
        /// Number of the worker, from 0.
        worker: usize,
        /// Process id of the worker on its machine; `None` if it is not a separate process.
        pid: Option<u32>,
        /// `cpu`, or the GPU as `cuda:N`.
        device: String,
        /// Machine it runs on; `None` for this one.
        host: Option<String>,
    },
    /// The process of a worker has ended.
    WorkerDied {
        /// Number of the worker, from 0.
        worker: usize,
        /// Explanation for the user.
        reason: String,
    },
    /// A batch of children is about to be handed to a cluster. [`Evaluator::recorded`] follows once that is in
    /// the journal; the cluster is not asked before.
    BatchIntended {
        /// Number of the batch in the run, from 1.
        batch: u64,
        /// Name of its job, by which a resumed run finds it.
        job: String,
        /// Number of its tasks.
        tasks: usize,
        /// Numbers of its children.
        children: Vec<u64>,
    },
    /// A child was assigned to a worker.
    ChildStarted {
        /// Number of the child, from 1.
        child: u64,
        /// Number of the worker, from 0.
        worker: usize,
        /// `cpu`, or the GPU as `cuda:N`.
        device: String,
        /// Number of the attempt, from 1.
        attempt: u32,
        /// Machine that trains it; `None` for this one.
        host: Option<String>,
        /// The cluster's name of the task that trains it; `None` without a cluster.
        task: Option<String>,
    },
    /// Progress of a child in training.
    Progress(ChildProgress),
    /// The results of an epoch of a child in training.
    Epoch(ChildEpoch),
    /// The child's worker died and the child is retried.
    Retried {
        /// Number of the child, from 1.
        child: u64,
        /// Explanation for the user.
        reason: String,
    },
    /// A child has ended.
    Finished {
        /// Number of the child, from 1.
        child: u64,
        /// Its outcome.
        outcome: Outcome,
        /// Duration in seconds, excluding pauses.
        seconds: f64,
        /// Energy used for it by its device, in watt-hours; `None` if not measured.
        energy_wh: Option<f64>,
        /// Test accuracy of the fully trained network, if already known. Nothing in a search may
        /// depend on it.
        test_accuracy: Option<f64>,
    },
    /// Every worker has stopped at a batch boundary for the pause with this number.
    Paused {
        /// Number of the pause.
        number: u64,
    },
    /// A line for the run's log.
    Log {
        /// How serious it is.
        level: Level,
        /// The text, for the user.
        message: String,
    },
    /// Nothing can be trained (bad data, no usable worker): the search must end with this message.
    Fatal {
        /// The text, for the user.
        message: String,
    },
}

/// What an evaluator found when it started.
#[derive(Debug, Clone, PartialEq)]
pub struct Ready {
    /// What rewards are measured on.
    pub data: DataDescription,
    /// Number of children it evaluates at a time.
    pub workers: usize,
    /// What computes; `None` if nothing is trained.
    pub compute: Option<Compute>,
}

/// Evaluates children. Reports arrive through the callback given to the evaluator when it is
/// started, from its own threads.
pub trait Evaluator {
    /// Number of children it evaluates at a time by now; `None`: as many as when it was ready.
    fn workers(&self) -> Option<usize> {
        None
    }
    /// Queue a child; children are started in the order of submission.
    fn submit(&mut self, job: Job);
    /// End a submitted child's training at its next batch. [`Report::Finished`] follows, with the
    /// accuracies of the completed epochs or, if there are none, excluded with the reason
    /// [`crate::reward::SKIPPED`].
    fn skip(&mut self, child: u64);
    /// Pause at the next batch boundary. [`Report::Paused`] with this number follows, at once if
    /// nothing is in training. No two pauses may have the same number: whoever has answered one is not
    /// asked again.
    fn pause(&mut self, number: u64);
    /// Continue after a pause.
    fn resume(&mut self);
    /// The journal has what [`Report::BatchIntended`] says of this batch.
    fn recorded(&mut self, _batch: u64) {}
    /// End every worker now. Trainings in progress are lost; no report follows.
    fn shutdown(&mut self);
}

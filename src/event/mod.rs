//! Everything that happens in a run, as one versioned enum of plain data. The journal, the screen,
//! headless output, reports and replays all see these events and nothing else of the search.

mod child;
mod episode;
mod kind;
pub mod process;
mod run;
mod training;

pub use child::{ChildEpoch, ChildFinished, ChildProgress, ChildQueued, ChildSampled, Choice};
pub use episode::EpisodeFinished;
pub use kind::RunKind;
pub use run::{DataDescription, Reference, ReferenceEpisode, RunStarted};
pub use training::{TestFinished, TrainingEpoch, TrainingProgress, TrainingStarted};

use serde::{Deserialize, Serialize};

/// Version of the journal's schema, in every line as `v`.
pub const VERSION: u32 = 1;

/// One event with its place and time: a line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Version of the journal's format.
    pub v: u32,
    /// Position in the journal, from 1; absent for ticks, which are never written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seq: Option<u64>,
    /// When it happened: RFC 3339, UTC.
    pub time: jiff::Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened. Children and episodes are counted from 1. Accuracies are in 0..=1. Every number
/// is finite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A search has begun.
    RunStarted(RunStarted),
    /// A later process continues the run from its checkpoint.
    RunResumed {
        /// Name of the machine.
        host: String,
        /// Process id.
        pid: u32,
        /// Version of nas-tui.
        version: String,
        /// Searches only: the next child to be sampled.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        next_child: Option<u64>,
        /// Of a training: the epoch that goes on. What the journal tells of it and of later ones is
        /// void: it happens again.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        epoch: Option<usize>,
    },
    /// One network is trained to the end (`nas-tui train`). Such a run has no children and no
    /// episodes.
    TrainingStarted(Box<TrainingStarted>),
    /// A tick: may be dropped, is never written to the journal.
    TrainingProgress(TrainingProgress),
    /// An epoch of a training is over.
    TrainingEpoch(TrainingEpoch),
    /// The state after `batch` batches of `epoch` can be resumed from.
    TrainingSaved {
        /// Number of the epoch, from 1.
        epoch: usize,
        /// Batches of that epoch that are done.
        batch: usize,
    },
    /// Memory did not suffice: batches are computed in smaller parts from here on, with the same
    /// number of images a step.
    MicroBatchReduced {
        /// Images computed at a time from now on.
        micro_batch: usize,
        /// Why, for a reader.
        reason: String,
    },
    /// The test images were classified, once, by the best weights.
    TestFinished(Box<TestFinished>),
    /// A worker is ready to train.
    WorkerStarted {
        /// Number of the worker, from 0.
        worker: usize,
        /// Process id.
        pid: u32,
        /// `cpu`, or the GPU as `cuda:N`.
        device: String,
        /// Machine that it runs on; absent where that is the run's own.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        host: Option<String>,
    },
    /// The process of a worker has ended.
    WorkerDied {
        /// Number of the worker, from 0.
        worker: usize,
        /// Why, for a reader.
        reason: String,
    },
    /// An episode begins.
    EpisodeStarted {
        /// Number of the episode, from 1.
        episode: usize,
        /// Layers of its children.
        depth: usize,
        /// Baseline that its rewards are compared with; `None` if there is none.
        baseline: Option<f64>,
    },
    /// A child was proposed.
    ChildSampled(ChildSampled),
    /// A child is handed to a worker.
    ChildStarted {
        /// Number of the child, from 1.
        child: u64,
        /// Number of the episode, from 1.
        episode: usize,
        /// Number of the worker, from 0.
        worker: usize,
        /// `cpu`, or the GPU as `cuda:N`.
        device: String,
        /// Which attempt this is, from 1.
        attempt: u32,
    },
    /// A tick: may be dropped, is never written to the journal.
    ChildProgress(ChildProgress),
    /// An epoch of a child in training is over.
    ChildEpoch(ChildEpoch),
    /// A child has been evaluated.
    ChildFinished(ChildFinished),
    /// A child has no accuracy; it has a reward all the same.
    ChildFailed {
        /// Number of the child, from 1.
        child: u64,
        /// Number of the episode, from 1.
        episode: usize,
        /// Why, for a reader.
        reason: String,
        /// Its reward.
        reward: f64,
        /// Time that it took, without pauses.
        seconds: f64,
    },
    /// Nothing is known of the child: a user ended it before its first epoch had, or what trained
    /// it broke twice. It has no reward, and no part in what the controller learns, in any mean or
    /// in the baseline.
    ChildExcluded {
        /// Number of the child, from 1.
        child: u64,
        /// Number of the episode, from 1.
        episode: usize,
        /// Why, for a reader.
        reason: String,
        /// Time that it took, without pauses.
        seconds: f64,
    },
    /// The child's worker died; the child starts again on another.
    ChildRetried {
        /// Number of the child, from 1.
        child: u64,
        /// Why, for a reader.
        reason: String,
    },
    /// All children of the episode have ended, and the strategy has learned from them.
    EpisodeFinished(EpisodeFinished),
    /// All children of the episode were excluded: nothing is learned from it, and it has no means.
    EpisodeExcluded {
        /// Number of the episode, from 1.
        episode: usize,
        /// Children of the episode.
        children: usize,
        /// Time that it took, without pauses.
        seconds: f64,
    },
    /// The state of the search is on disk.
    CheckpointSaved {
        /// Number of the episode, from 1.
        episode: usize,
        /// Number of the child that a resumed search samples next.
        next_child: u64,
    },
    /// A user asked for a pause.
    PauseRequested,
    /// Everything stands still.
    Paused,
    /// The run goes on after a pause.
    Resumed,
    /// A user asked for the run to stop after the next checkpoint.
    StopRequested,
    /// A user asked for the run to stop when the episode under way has been learned from.
    EpisodeStopRequested,
    /// A user took back the request to stop after the episode.
    EpisodeStopWithdrawn,
    /// A user asked for a child's training to end at the next batch; `child_finished` or
    /// `child_excluded` follows.
    SkipRequested {
        /// Number of the child, from 1.
        child: u64,
    },
    /// A user edited a child and asked for the result to be trained.
    ChildQueued(ChildQueued),
    /// A message for the log.
    Notice {
        /// How serious it is.
        level: Level,
        /// The text, for a reader.
        message: String,
    },
    /// The run is over, or this session of it.
    RunFinished {
        /// How it ended.
        reason: FinishReason,
        /// 0 for a training.
        children: u64,
        /// Epochs of a training.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        epochs: Option<usize>,
        /// Time since the run or its latest session began.
        wall_seconds: f64,
    },
}

/// How serious a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Something is not as it should be; the run goes on.
    Warning,
    /// Something failed.
    Error,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// Over as planned: every episode is done, or every epoch and the test.
    Completed,
    /// A user or a signal stopped it; it can be resumed.
    Stopped,
    /// An error stopped it; it can be resumed when the cause is mended.
    Failed,
}

impl Event {
    /// Ticks may be dropped on the way and are never written to the journal.
    pub fn is_tick(&self) -> bool {
        matches!(self, Event::ChildProgress(_) | Event::TrainingProgress(_))
    }
}

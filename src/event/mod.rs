//! Everything that happens in a run, as one versioned enum of plain data. The journal, the screen,
//! headless output, reports and replays all receive these events and nothing else from the search.

mod checked;
mod child;
mod episode;
mod initial;
mod kind;
mod load;
mod note;
mod outlook;
pub mod process;
mod ranges;
mod reading;
mod run;
mod training;

pub use child::{
    ChildEpoch, ChildFinished, ChildProgress, ChildQueued, ChildSampled, Choice, MeanOf,
};
pub use episode::EpisodeFinished;
pub use initial::{EarlierTraining, InitialWeights};
pub use kind::RunKind;
pub use load::{GpuLoad, MachineLoad};
pub use note::{LONGEST_NOTE, NoteError, checked_note, is_of_tag, tags};
pub use outlook::{CostOutlook, DepthCost};
pub use reading::{checked_json, is_consistent, unread};
pub use run::{Compute, DataDescription, ImageSet, Reference, ReferenceEpisode, RunStarted};
pub use training::{
    Found, Measured, Measuring, StageEntered, TestFinished, TrainingEpoch, TrainingProgress,
    TrainingStarted,
};

use serde::{Deserialize, Deserializer, Serialize};

/// For counts that are left out of the journal where there is nothing to count.
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Version of the journal's schema, in every line as `v`.
pub const VERSION: u32 = 1;

/// One event with its number and time: a line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Version of the journal's format.
    pub v: u32,
    /// Position in the journal, from 1; absent for ticks, which are never written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seq: Option<u64>,
    /// When it happened: RFC 3339, UTC.
    #[serde(deserialize_with = "time_of_a_record")]
    pub time: jiff::Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// A time, or an error in words that users know.
fn time_of_a_record<'de, D: Deserializer<'de>>(input: D) -> Result<jiff::Timestamp, D::Error> {
    jiff::Timestamp::deserialize(input).map_err(|_| {
        let reason =
            "its time is not one in RFC 3339 from -009999-01-02T01:59:59Z to 9999-12-30T22:00:00Z";
        serde::de::Error::custom(reason)
    })
}

/// What happened. Children and episodes are counted from 1, accuracies are in 0..=1, and every
/// number is finite.
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
        /// Number of the next child to be sampled (searches only).
        #[serde(skip_serializing_if = "Option::is_none", default)]
        next_child: Option<u64>,
        /// The epoch at which a training continues. Earlier records about this epoch and later ones
        /// are void, because those epochs are repeated.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        epoch: Option<usize>,
        /// Images that a training computes at a time from here on, as in its checkpoint; absent in
        /// journals of older versions.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        micro_batch: Option<usize>,
    },
    /// The training of one network to completion has begun (`nas-tui train`). Such a run has no
    /// children and no episodes.
    TrainingStarted(Box<TrainingStarted>),
    /// A training in stages begins one, or continues in it.
    StageEntered(StageEntered),
    /// A tick: may be dropped and is never written to the journal.
    TrainingProgress(TrainingProgress),
    /// A tick between the steps of a training: may be dropped and is never written to the journal.
    Measuring(Measuring),
    /// An epoch of a training has ended.
    TrainingEpoch(TrainingEpoch),
    /// A training can be resumed from the state after `batch` batches of `epoch`.
    TrainingSaved {
        /// Number of the epoch, from 1.
        epoch: usize,
        /// Completed batches of that epoch.
        batch: usize,
    },
    /// Memory was insufficient: from here on batches are computed in smaller parts, with the same
    /// number of images per step.
    MicroBatchReduced {
        /// Images computed at a time from now on.
        micro_batch: usize,
        /// Explanation for the user.
        reason: String,
    },
    /// The test images were classified, once, with the best weights.
    TestFinished(Box<TestFinished>),
    /// A worker is ready to train.
    WorkerStarted {
        /// Number of the worker, from 0.
        worker: usize,
        /// Process id; absent if the worker is not a separate process.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pid: Option<u32>,
        /// `cpu`, or the GPU as `cuda:N`.
        device: String,
        /// Machine it runs on; absent if it is the run's own.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        host: Option<String>,
    },
    /// The process of a worker has ended.
    WorkerDied {
        /// Number of the worker, from 0.
        worker: usize,
        /// Explanation for the user.
        reason: String,
    },
    /// An episode has begun.
    EpisodeStarted {
        /// Number of the episode, from 1.
        episode: usize,
        /// Number of layers of its children.
        depth: usize,
        /// Baseline to be subtracted from its rewards; `None` if there is none.
        baseline: Option<f64>,
    },
    /// A child was proposed.
    ChildSampled(ChildSampled),
    /// Children are about to be handed to a cluster, which is asked only once this is in the journal.
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
        /// Number of the episode, from 1.
        episode: usize,
        /// Number of the worker, from 0.
        worker: usize,
        /// `cpu`, or the GPU as `cuda:N`.
        device: String,
        /// Number of the attempt, from 1.
        attempt: u32,
        /// Machine that trains it; absent for the one that runs the search.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        host: Option<String>,
        /// The cluster's name of the task that trains it, such as Slurm's `4711_3`; absent without a
        /// cluster.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        task: Option<String>,
    },
    /// A tick: may be dropped and is never written to the journal.
    ChildProgress(ChildProgress),
    /// An epoch of a child in training has ended.
    ChildEpoch(ChildEpoch),
    /// A child has been evaluated.
    ChildFinished(ChildFinished),
    /// A child failed: it has no accuracy, but it does have a reward.
    ChildFailed {
        /// Number of the child, from 1.
        child: u64,
        /// Number of the episode, from 1.
        episode: usize,
        /// Explanation for the user.
        reason: String,
        /// Its reward.
        reward: f64,
        /// Duration in seconds, excluding pauses.
        seconds: f64,
        /// Whether it is a control, see [`ChildSampled::control`].
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        control: bool,
    },
    /// The child was excluded because nothing is known about it: a user ended it during its first
    /// epoch, or its worker failed twice. It has no reward, the controller does not learn from it,
    /// and neither the means nor the baseline include it.
    ChildExcluded {
        /// Number of the child, from 1.
        child: u64,
        /// Number of the episode, from 1.
        episode: usize,
        /// Explanation for the user.
        reason: String,
        /// Duration in seconds, excluding pauses.
        seconds: f64,
        /// Whether it is a control, see [`ChildSampled::control`].
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        control: bool,
    },
    /// The child's worker died; the child is started again on another.
    ChildRetried {
        /// Number of the child, from 1.
        child: u64,
        /// Explanation for the user.
        reason: String,
    },
    /// All children of the episode have ended, and the strategy has learned from them.
    EpisodeFinished(EpisodeFinished),
    /// All children of the episode were excluded: nothing is learned from it, and it has no means.
    EpisodeExcluded {
        /// Number of the episode, from 1.
        episode: usize,
        /// Number of children in the episode.
        children: usize,
        /// Duration in seconds, excluding pauses.
        seconds: f64,
    },
    /// The state of the search was written to disk.
    CheckpointSaved {
        /// Number of the episode, from 1.
        episode: usize,
        /// Number of the child that a resumed search samples next.
        next_child: u64,
    },
    /// A user asked for a pause.
    PauseRequested,
    /// All work has stopped for the pause.
    Paused,
    /// The run continues after a pause.
    Resumed,
    /// A user asked the run to stop after the next checkpoint.
    StopRequested,
    /// A user asked the run to stop once the current episode has been learned from.
    EpisodeStopRequested,
    /// A user withdrew the request to stop after the episode.
    EpisodeStopWithdrawn,
    /// A user asked for a child's training to end at the next batch; `child_finished` or
    /// `child_excluded` follows.
    SkipRequested {
        /// Number of the child, from 1.
        child: u64,
    },
    /// A user edited a child and asked for the result to be trained.
    ChildQueued(ChildQueued),
    /// The run is at work. Written in every minute in which it trains, so that the working time of a
    /// session that is killed is known.
    Heartbeat {
        /// The load of the machine that the run's process is on; absent in journals of older versions
        /// and if nothing is known of it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        load: Option<MachineLoad>,
    },
    /// A user wrote a note on a child, in place of the one that it had. It decides nothing, and may
    /// come after the end of a run.
    ChildNoted {
        /// Number of the child, from 1.
        child: u64,
        /// The note, of at most [`LONGEST_NOTE`] characters; empty if it was removed.
        text: String,
    },
    /// A message for the log.
    Notice {
        /// How serious it is.
        level: Level,
        /// The text, for the user.
        message: String,
    },
    /// A tick, and never written to the journal, because the journal cannot be written: the run is
    /// paused until its directory can be written to again. Repeated as long as that lasts.
    StorageBlocked {
        /// Number of the last record in the journal. A later record means that it is over.
        after: u64,
        /// Explanation for the user.
        reason: String,
    },
    /// The run, or this session of it, has ended.
    RunFinished {
        /// How it ended.
        reason: FinishReason,
        /// Number of children; 0 for a training.
        children: u64,
        /// Number of epochs, for a training.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        epochs: Option<usize>,
        /// Time in seconds since the run or its latest session began.
        wall_seconds: f64,
    },
}

/// How serious a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Something is wrong, but the run continues.
    Warning,
    /// Something failed.
    Error,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// Completed as planned: every episode, or every epoch and the test.
    Completed,
    /// A user or a signal stopped it; it can be resumed.
    Stopped,
    /// An error stopped it; it can be resumed once the cause is fixed.
    Failed,
}

impl Event {
    /// Whether this event marks the start of a run; before it there is nothing to resume.
    pub fn begins_run(&self) -> bool {
        matches!(self, Event::RunStarted(_) | Event::TrainingStarted(_))
    }

    /// Whether it is a tick, which may be dropped and is never written to the journal.
    pub fn is_tick(&self) -> bool {
        matches!(
            self,
            Event::ChildProgress(_)
                | Event::TrainingProgress(_)
                | Event::Measuring(_)
                | Event::StorageBlocked { .. }
        )
    }
}

//! Everything that happens in a run, as one versioned enum of plain data. The journal, the screen,
//! headless output, reports and replays all see these events and nothing else of the search.

mod kind;
pub mod process;

pub use kind::RunKind;

use serde::{Deserialize, Serialize};

use crate::classification::ClassificationReport;
use crate::config::{Decode, Precision, Recipe};
use crate::space::{Architecture, Decision, Design, Dna, Space, SpaceError};

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
        /// Of a search.
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
    /// A user asked for the run to stop when the episode under way has been learned from, and took
    /// it back.
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

/// The beginning of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Name of the run directory.
    pub run: String,
    /// Name of the preset that the settings started from.
    pub preset: String,
    /// Name of the strategy, as in `search.strategy`.
    pub strategy: String,
    /// Seed of every random stream of the run.
    pub seed: u64,
    /// Version of nas-tui.
    pub version: String,
    /// Name of the machine.
    pub host: String,
    /// Process id.
    pub pid: u32,
    /// Version of libtorch that trains the children. This, `threads` and `device` are absent where
    /// nothing is trained (a table).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub libtorch: Option<String>,
    /// Number of episodes planned.
    pub episodes: usize,
    /// Children of each episode.
    pub children_per_episode: usize,
    /// Epochs of each child's training.
    pub child_epochs: usize,
    /// Images per step of a child's training; journals of older programs do not tell.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub child_batch_size: Option<usize>,
    /// Power of the accuracy in the reward (`reward.power`).
    pub reward_power: f64,
    /// The accuracy is the best of so many last epochs (`reward.last_epochs`).
    pub reward_last_epochs: usize,
    /// Children that are evaluated at a time.
    pub workers: usize,
    /// CPU threads of each worker.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub threads: Option<usize>,
    /// `cpu`, or the GPU's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub device: Option<String>,
    /// The data set.
    pub data: DataDescription,
    /// Decisions of a layer, in order: the heads of the controller.
    pub decisions: Vec<Decision>,
    /// How DNA becomes a network.
    #[serde(default)]
    pub decode: Decode,
    /// An earlier run to hold this one against, usually one of the random strategy.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reference: Option<Box<Reference>>,
}

impl RunStarted {
    /// How many children the search is to sample in all.
    pub fn children(&self) -> usize {
        self.episodes * self.children_per_episode
    }

    /// The run that this one can be held against.
    pub fn comparable(&self) -> Option<&Reference> {
        self.reference
            .as_deref()
            .filter(|reference| reference.not_comparable.is_none())
    }

    /// The search space of the run, as far as its DNA needs it: an error where the decisions are of
    /// no known space.
    pub fn space(&self) -> Result<Space, SpaceError> {
        Space::restore(
            self.decisions.clone(),
            self.decode,
            self.data.input,
            self.data.classes.len(),
        )
    }
}

/// Another run's episodes, as they were when this run began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// Name of its run directory.
    pub run: String,
    /// Name of the strategy, as in `search.strategy`.
    pub strategy: String,
    /// Its episodes, in order.
    pub episodes: Vec<ReferenceEpisode>,
    /// Why the two runs cannot be held against each other: other data, space, schedule, depths or
    /// rewards. Absent where they can.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_comparable: Option<String>,
}

/// An episode of the reference run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReferenceEpisode {
    /// Number of the episode, from 1.
    pub episode: usize,
    /// Mean reward of its children.
    pub mean_reward: f64,
    /// Mean accuracy of the children that have one.
    pub mean_accuracy: Option<f64>,
}

/// What a run's rewards are measured on: images, or the rows of a table, which has no images, no
/// classes and no input (zeros).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataDescription {
    /// SPEC with its folder, or the table's file.
    pub spec: String,
    /// `[C, H, W]`.
    pub input: [usize; 3],
    /// Names of the classes, in the order of their numbers.
    pub classes: Vec<String>,
    /// Number of training images.
    pub train_images: usize,
    /// Number of validation images.
    pub validation_images: usize,
    /// CRC-32 (hex) of the training images, labels and split, or of the table.
    pub fingerprint: String,
}

/// A proposed child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildSampled {
    /// Number of the child, from 1.
    pub child: u64,
    /// Number of the episode, from 1.
    pub episode: usize,
    /// The decisions that describe it.
    pub dna: Dna,
    /// `architecture`, or `key` in a space whose children are looked up in a table.
    #[serde(flatten)]
    pub design: Design,
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulate operations for one image.
    pub macs: u64,
    /// Sum of the masked log-probabilities of the choices, nats. This and the next two are absent
    /// where the strategy has no distribution to tell of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub log_prob: Option<f64>,
    /// Sum of the entropies of the masked distributions, nats.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entropy: Option<f64>,
    /// Largest entropy these decisions could have had: the sum of ln(feasible choices).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_entropy: Option<f64>,
    /// Every choice in the order it was taken; empty where the strategy has no distribution.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub choices: Vec<Choice>,
    /// The earlier child of which one decision was changed (evolution).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<u64>,
}

/// A network that a user made from a child by hand. Its number comes after those of all children
/// that the search samples; its reward teaches the controller nothing and is in no mean, and it is
/// never the best child of the search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildQueued {
    /// Number of the child, from 1.
    pub child: u64,
    /// Episode under way when it was queued.
    pub episode: usize,
    /// The child that was edited.
    pub parent: u64,
    /// The decisions that describe it.
    pub dna: Dna,
    /// `architecture`, or `key` in a space whose children are looked up in a table.
    #[serde(flatten)]
    pub design: Design,
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulate operations for one image.
    pub macs: u64,
}

/// One decision as it was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Layer, counted from 1.
    pub layer: usize,
    /// Index into [`RunStarted::decisions`].
    pub head: usize,
    /// Index into the head's choices.
    pub index: usize,
    /// Logarithm of the probability of this choice.
    pub log_prob: f64,
    /// Entropy of the distribution, nats.
    pub entropy: f64,
    /// Probability of each choice (rounded to 4 places); 0 for those that cannot be built.
    pub probabilities: Vec<f64>,
}

/// How far a child's training has come within an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildProgress {
    /// Number of the child, from 1.
    pub child: u64,
    /// Number of the worker, from 0.
    pub worker: usize,
    /// Epoch under way, counted from 1.
    pub epoch: usize,
    /// Epochs of the whole training.
    pub epochs: usize,
    /// Batches of this epoch that are done.
    pub batch: usize,
    /// Batches of an epoch.
    pub batches: usize,
    /// Mean training loss of the epoch so far.
    pub loss: f64,
    /// Training images a second.
    pub images_per_second: f64,
}

/// What an epoch of a child's training has brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildEpoch {
    /// Number of the child, from 1.
    pub child: u64,
    /// Number of the worker, from 0.
    pub worker: usize,
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Epochs of the whole training.
    pub epochs: usize,
    /// Mean cross-entropy over the training images, nats.
    pub train_loss: f64,
    /// Accuracy on the training images, 0..=1.
    pub train_accuracy: f64,
    /// Mean cross-entropy over the validation images, nats.
    pub valid_loss: f64,
    /// Accuracy on the validation images, 0..=1.
    pub valid_accuracy: f64,
    /// Learning rate of the latest step.
    pub learning_rate: f64,
    /// Training images a second.
    pub images_per_second: f64,
    /// Time that it took, without pauses.
    pub seconds: f64,
}

/// What an evaluated child came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildFinished {
    /// Number of the child, from 1.
    pub child: u64,
    /// Number of the episode, from 1.
    pub episode: usize,
    /// The decisions that describe it.
    pub dna: Dna,
    /// Accuracy, 0..=1.
    pub accuracy: f64,
    /// Its reward.
    pub reward: f64,
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulate operations for one image.
    pub macs: u64,
    /// Training time; 0 for a repeat.
    pub seconds: f64,
    /// The earlier child with the same architecture whose accuracy this one takes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repeat_of: Option<u64>,
    /// Validation accuracy after each epoch.
    pub valid_accuracies: Vec<f64>,
    /// A user ended its training early; the accuracies are those of the epochs that it had
    /// finished.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub skipped: bool,
    /// Energy that its GPU took for it, watt-hours: the GPU's, shared by the children in training
    /// on it. Absent where no GPU tells its power.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub energy_wh: Option<f64>,
    /// Test accuracy of the network trained to the end, where the evaluator has it (a table does).
    /// Nothing in the search reads it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub test_accuracy: Option<f64>,
}

/// What an episode came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpisodeFinished {
    /// Number of the episode, from 1.
    pub episode: usize,
    /// Mean reward of its children.
    pub mean_reward: f64,
    /// Mean accuracy of the children that have one; none if all failed.
    pub mean_accuracy: Option<f64>,
    /// Best accuracy of its children, 0..=1.
    pub best_accuracy: Option<f64>,
    /// Baseline the advantages were taken against. This and the next two are absent for a strategy
    /// without a baseline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub baseline: Option<f64>,
    /// Baseline after this episode's rewards.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_baseline: Option<f64>,
    /// One per child, in order, without those that were excluded.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub advantages: Vec<f64>,
    /// Mean entropy of the children's decisions, nats per child. This and the next are absent where
    /// no child was drawn from a known distribution.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entropy: Option<f64>,
    /// Largest entropy that its decisions could have had, nats.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_entropy: Option<f64>,
    /// REINFORCE loss and gradient norm before clipping; none for a strategy that does not learn.
    pub loss: Option<f64>,
    /// L2 norm of the gradient before clipping.
    pub gradient_norm: Option<f64>,
    /// Children that took the reward of an equal one.
    pub repeats: usize,
    /// Children that failed.
    pub failures: usize,
    /// Children that count in none of the other figures.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub excluded: usize,
    /// Time that it took, without pauses.
    pub seconds: f64,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What a training begins with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingStarted {
    /// Name of the run directory.
    pub run: String,
    /// ARCH as the user gave it.
    pub origin: String,
    /// The network.
    pub architecture: Architecture,
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulate operations for one image.
    pub macs: u64,
    /// Name of the recipe, and what it says.
    pub recipe: String,
    /// The recipe itself.
    pub settings: Recipe,
    /// Never `auto`.
    pub precision: Precision,
    /// Images computed at a time; as many as the recipe's batch has, where memory suffices.
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
}

/// Where a training stands within an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingProgress {
    /// Epoch under way, counted from 1.
    pub epoch: usize,
    /// Batches of this epoch that are done.
    pub batch: usize,
    /// Batches of an epoch.
    pub batches: usize,
    /// Mean training loss and accuracy of the epoch so far.
    pub loss: f64,
    /// Accuracy, 0..=1.
    pub accuracy: f64,
    /// Learning rate of the latest step.
    pub learning_rate: f64,
    /// Training images a second.
    pub images_per_second: f64,
}

/// What an epoch of a training has brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingEpoch {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Mean cross-entropy over the training images, nats.
    pub train_loss: f64,
    /// Accuracy on the training images, 0..=1.
    pub train_accuracy: f64,
    /// Mean cross-entropy over the validation images, nats.
    pub valid_loss: f64,
    /// Accuracy on the validation images, 0..=1.
    pub valid_accuracy: f64,
    /// Of the epoch's last batch.
    pub learning_rate: f64,
    /// Training images a second.
    pub images_per_second: f64,
    /// With its validation, without pauses.
    pub seconds: f64,
}

/// How well the best weights classify the test images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestFinished {
    /// The epoch whose weights these are: that of the highest validation accuracy.
    pub epoch: usize,
    /// Accuracy on the validation images, 0..=1.
    pub valid_accuracy: f64,
    /// SPEC with its folder.
    pub data: String,
    /// Time that it took, without pauses.
    pub seconds: f64,
    /// How well it classifies them.
    pub report: ClassificationReport,
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

//! What happens to a child, from its proposal to its reward.

use serde::{Deserialize, Serialize};

use crate::space::{Design, Dna};

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
    /// Largest entropy these decisions could have had: the sum of ln(feasible options).
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
    /// Index into `decisions` of [`RunStarted`](super::RunStarted).
    pub head: usize,
    /// Index into the head's options.
    pub index: usize,
    /// Logarithm of the probability of this choice.
    pub log_prob: f64,
    /// Entropy of the distribution, nats.
    pub entropy: f64,
    /// Probability of each option (rounded to 4 places); 0 for those that cannot be built.
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

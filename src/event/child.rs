//! What happens to a child, from its proposal to its reward.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize, Serializer};

use super::{TrainingEpoch, TrainingProgress};
use crate::foundation::numbers::six_digits;
use crate::space::{Architecture, Design, Dna};

/// A proposed child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SampledFields<Vec<Choice>>")]
pub struct ChildSampled {
    /// Number of the child, from 1.
    pub child: u64,
    /// Number of the episode, from 1.
    pub episode: usize,
    /// Its DNA.
    pub dna: Dna,
    /// `architecture`, or `key` in a space whose children are looked up in a table.
    #[serde(flatten)]
    pub design: Design,
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulate operations for one image.
    pub macs: u64,
    /// Sum of the masked log-probabilities of the choices, nats. This and the next two are absent
    /// if the strategy has no known distribution.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub log_prob: Option<f64>,
    /// Sum of the entropies of the masked distributions, nats.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entropy: Option<f64>,
    /// Maximum possible entropy: the sum of ln(number of feasible options) over the choices.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_entropy: Option<f64>,
    /// Every choice in the order it was made; empty if the strategy has no known distribution.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub choices: Vec<Choice>,
    /// The earlier child that it was mutated from by changing one choice, or several (`predictor`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<u64>,
    /// Number of earlier episodes that had not been learned from when it was proposed, so that an
    /// older policy proposed it: 0 unless updates are asynchronous.
    #[serde(skip_serializing_if = "super::is_zero", default)]
    pub staleness: usize,
    /// Sampled uniformly at the depth of the episode, whatever the strategy, for comparison with
    /// its children (`search.controls`). Nothing is learned from a control, and it does not count
    /// in any mean or best value.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub control: bool,
}

/// The fields of [`ChildSampled`], of which the choices can be skipped. Reading them one by one is several
/// times faster than reading flattened ones.
#[derive(Deserialize)]
struct SampledFields<C> {
    child: u64,
    episode: usize,
    dna: Dna,
    architecture: Option<Architecture>,
    key: Option<String>,
    params: u64,
    macs: u64,
    log_prob: Option<f64>,
    entropy: Option<f64>,
    max_entropy: Option<f64>,
    #[serde(default)]
    choices: C,
    parent: Option<u64>,
    #[serde(default)]
    staleness: usize,
    #[serde(default)]
    control: bool,
}

impl<C: Into<Vec<Choice>>> TryFrom<SampledFields<C>> for ChildSampled {
    type Error = &'static str;

    fn try_from(fields: SampledFields<C>) -> Result<ChildSampled, Self::Error> {
        Ok(ChildSampled {
            child: fields.child,
            episode: fields.episode,
            dna: fields.dna,
            design: Design::of(fields.architecture, fields.key)?,
            params: fields.params,
            macs: fields.macs,
            log_prob: fields.log_prob,
            entropy: fields.entropy,
            max_entropy: fields.max_entropy,
            choices: fields.choices.into(),
            parent: fields.parent,
            staleness: fields.staleness,
            control: fields.control,
        })
    }
}

/// Choices that are not read.
#[derive(Default, Deserialize)]
struct Skipped(IgnoredAny);

impl From<Skipped> for Vec<Choice> {
    fn from(_: Skipped) -> Vec<Choice> {
        Vec::new()
    }
}

/// A proposed child without its choices.
#[derive(Deserialize)]
#[serde(try_from = "SampledFields<Skipped>")]
pub(super) struct SampledWithoutChoices(pub ChildSampled);

impl TryFrom<SampledFields<Skipped>> for SampledWithoutChoices {
    type Error = &'static str;

    fn try_from(fields: SampledFields<Skipped>) -> Result<Self, Self::Error> {
        fields.try_into().map(SampledWithoutChoices)
    }
}

/// A network that a user made by editing a child. It is numbered after all children that the search
/// samples; the controller does not learn from its reward, no mean includes it, and it is never the
/// best child of the search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildQueued {
    /// Number of the child, from 1.
    pub child: u64,
    /// Episode in progress when it was queued.
    pub episode: usize,
    /// The child that was edited.
    pub parent: u64,
    /// Its DNA.
    pub dna: Dna,
    /// `architecture`, or `key` in a space whose children are looked up in a table.
    #[serde(flatten)]
    pub design: Design,
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulate operations for one image.
    pub macs: u64,
}

/// One choice: what was picked, and from which distribution. Written as a list of its fields in order, because their
/// names would make up half of a journal; read from an object too, as in journals of older versions.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Choice {
    /// Number of the layer, from 1.
    pub layer: usize,
    /// Index of the head in `decisions` of [`RunStarted`](super::RunStarted).
    pub head: usize,
    /// Index into the head's options.
    pub index: usize,
    /// Log-probability of this choice, nats.
    pub log_prob: f64,
    /// Entropy of the distribution, nats.
    pub entropy: f64,
    /// Probability of each option (rounded to 4 decimals); 0 for infeasible options.
    pub probabilities: Vec<f64>,
}

impl Serialize for Choice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Choice {
            layer,
            head,
            index,
            log_prob,
            entropy,
            probabilities,
        } = self;
        (layer, head, index, log_prob, entropy, probabilities).serialize(serializer)
    }
}

impl Choice {
    /// The same with log-probability and entropy in six digits.
    pub fn rounded(&self) -> Choice {
        Choice {
            log_prob: six_digits(self.log_prob),
            entropy: six_digits(self.entropy),
            ..self.clone()
        }
    }
}

/// How far a child's training has progressed within an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildProgress {
    /// Number of the child, from 1.
    pub child: u64,
    /// Number of the worker, from 0.
    pub worker: usize,
    /// Number of the epoch in progress, from 1.
    pub epoch: usize,
    /// Number of epochs in the training.
    pub epochs: usize,
    /// Completed batches of this epoch.
    pub batch: usize,
    /// Number of batches in an epoch.
    pub batches: usize,
    /// Mean training loss of the epoch so far.
    pub loss: f64,
    /// Training images per second.
    pub images_per_second: f64,
}

impl ChildProgress {
    /// Progress of `child` on `worker`, with `epochs` epochs in total.
    pub fn of(child: u64, worker: usize, epochs: usize, training: &TrainingProgress) -> Self {
        ChildProgress {
            child,
            worker,
            epoch: training.epoch,
            epochs,
            batch: training.batch,
            batches: training.batches,
            loss: training.loss,
            images_per_second: training.images_per_second,
        }
    }
}

/// The results of one epoch of a child's training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildEpoch {
    /// Number of the child, from 1.
    pub child: u64,
    /// Number of the worker, from 0.
    pub worker: usize,
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Number of epochs in the training.
    pub epochs: usize,
    /// Mean cross-entropy over the training images, nats.
    pub train_loss: f64,
    /// Accuracy on the training images, 0..=1.
    pub train_accuracy: f64,
    /// Mean cross-entropy over the validation images, nats.
    pub valid_loss: f64,
    /// Accuracy on the validation images, 0..=1.
    pub valid_accuracy: f64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Training images per second.
    pub images_per_second: f64,
    /// Duration in seconds, excluding pauses.
    pub seconds: f64,
}

impl ChildEpoch {
    /// An epoch of `child` on `worker`, with `epochs` epochs in total. All but its validation accuracy, from
    /// which the reward is computed, is only shown: six digits are enough.
    pub fn of(child: u64, worker: usize, epochs: usize, training: &TrainingEpoch) -> Self {
        ChildEpoch {
            child,
            worker,
            epoch: training.epoch,
            epochs,
            train_loss: six_digits(training.train_loss),
            train_accuracy: six_digits(training.train_accuracy),
            valid_loss: six_digits(training.valid_loss),
            valid_accuracy: training.valid_accuracy,
            learning_rate: six_digits(training.learning_rate),
            images_per_second: six_digits(training.images_per_second),
            seconds: six_digits(training.seconds),
        }
    }
}

/// The result of an evaluated child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildFinished {
    /// Number of the child, from 1.
    pub child: u64,
    /// Number of the episode, from 1.
    pub episode: usize,
    /// Its DNA.
    pub dna: Dna,
    /// Accuracy, 0..=1.
    pub accuracy: f64,
    /// Its reward.
    pub reward: f64,
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulate operations for one image.
    pub macs: u64,
    /// Training time in seconds; 0 for a repeat.
    pub seconds: f64,
    /// The earlier child with the same architecture whose accuracy it takes over.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repeat_of: Option<u64>,
    /// If accuracy and reward are means over several trainings of this architecture: which, and what
    /// this child's own training gave (`search.reuse = "mean"`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mean: Option<Box<MeanOf>>,
    /// Validation accuracy after each epoch of its own training; for a repeat, of the child's that it
    /// repeats.
    pub valid_accuracies: Vec<f64>,
    /// Whether a user ended its training early; the accuracies are those of the completed epochs.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub skipped: bool,
    /// Whether it was stopped early because its accuracy was low for the moment of its training
    /// (`early_stopping.below`); the accuracies are those of the completed epochs.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub stopped_early: bool,
    /// Whether it is a control, see [`ChildSampled::control`].
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub control: bool,
    /// Energy used by the GPU for this child, in watt-hours; shared equally with the other children
    /// in training on that GPU. Absent if no GPU reports its power.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub energy_wh: Option<f64>,
    /// Test accuracy of the fully trained network, if the evaluator knows it (a table does).
    /// Nothing in the search uses it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub test_accuracy: Option<f64>,
}

/// The trainings whose mean a child's accuracy and reward are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeanOf {
    /// The children that trained the architecture, in order; the last one is the child itself unless
    /// it is a repeat.
    pub children: Vec<u64>,
    /// Accuracy of the child's own training, 0..=1; absent for a repeat.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub own_accuracy: Option<f64>,
    /// Reward of the child's own training; absent for a repeat.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub own_reward: Option<f64>,
}

impl MeanOf {
    /// Accuracy and reward of the child's own training; `None` for a repeat.
    pub fn own(&self) -> Option<(f64, f64)> {
        Some((self.own_accuracy?, self.own_reward?))
    }
}

impl ChildFinished {
    /// Accuracy and reward of the child's own training. For a repeat, which has none, those that it
    /// takes over.
    pub fn own(&self) -> (f64, f64) {
        let own = self.mean.as_deref().and_then(MeanOf::own);
        own.unwrap_or((self.accuracy, self.reward))
    }

    /// The first child that trained this one's architecture: itself, if it has not been averaged
    /// with, or taken over from, an earlier one.
    pub fn first_training(&self) -> u64 {
        let first = self.mean.as_ref().and_then(|mean| mean.children.first());
        first.copied().or(self.repeat_of).unwrap_or(self.child)
    }

    /// Whether it trained the architecture of an earlier child again.
    pub fn is_retraining(&self) -> bool {
        self.repeat_of.is_none() && self.mean.is_some()
    }

    /// Number of trainings that its accuracy is the mean of, at least 1.
    pub fn trainings(&self) -> usize {
        self.mean.as_ref().map_or(1, |mean| mean.children.len())
    }
}

#[cfg(test)]
mod tests;

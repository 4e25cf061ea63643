//! What is known of one child: as a candidate, in training, and when it has come to an end.

use crate::event::{ChildEpoch, ChildProgress, ChildQueued, ChildSampled, Choice};
use crate::space::{Design, Dna, Genes};

/// A child that has come to an end, small enough to keep 100,000 of them.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildRow {
    /// Its number, from 1.
    pub child: u64,
    /// The one that sampled it, or was under way when it was queued; from 1.
    pub episode: usize,
    /// None for a child that failed or is excluded.
    pub accuracy: Option<f64>,
    /// None for a child that is excluded.
    pub reward: Option<f64>,
    /// Trainable parameters; 0 where the network is not known.
    pub params: u64,
    /// Multiply-accumulates for one image; 0 where the network is not known.
    pub macs: u64,
    /// Training time, seconds; 0 for a repeat.
    pub seconds: f64,
    /// The earlier child whose accuracy it took; none where it was trained itself.
    pub repeat_of: Option<u64>,
    /// The child that a user edited it from; none for a child that the search sampled.
    pub parent: Option<u64>,
    /// A user ended its training early.
    pub skipped: bool,
    /// What its GPU took for it, watt-hours; none where no GPU told.
    pub energy_wh: Option<f64>,
    /// Its decisions, packed.
    pub genes: Genes,
    /// Log-probability of its decisions, nats; none where it was not drawn from a distribution.
    pub log_prob: Option<f64>,
    /// Entropy of its decisions, nats; none where it was not drawn from a distribution.
    pub entropy: Option<f64>,
    /// Where the journal tells of its sampling.
    pub sampled_seq: u64,
    /// Where the journal tells of its end.
    pub ended_seq: u64,
}

impl ChildRow {
    /// A user edited it: it counts in no figure of the search.
    pub fn is_edited(&self) -> bool {
        self.parent.is_some()
    }

    /// It has reward 0 and no accuracy.
    pub fn is_failed(&self) -> bool {
        self.accuracy.is_none() && self.reward.is_some()
    }

    /// It has neither, and counts nowhere.
    pub fn is_excluded(&self) -> bool {
        self.reward.is_none()
    }

    /// Why it has no accuracy, in a word; none where it has one.
    pub fn trouble(&self) -> Option<&'static str> {
        match (self.accuracy, self.reward) {
            (Some(_), _) => None,
            (None, Some(_)) => Some("failed"),
            (None, None) => Some("excluded"),
        }
    }
}

/// A network that is to be trained, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its number, from 1.
    pub child: u64,
    /// The one that sampled it, or that was under way when it was queued; from 1.
    pub episode: usize,
    /// The decisions it was built from.
    pub dna: Dna,
    /// The network in the making of a child.
    pub design: Design,
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulates for one image.
    pub macs: u64,
    /// Sampled, mutated, drawn uniformly or edited.
    pub origin: Origin,
    /// Where the journal tells of it; 0 where no journal does.
    pub seq: u64,
}

/// Where a candidate comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// The search's strategy sampled it from distributions. In nats.
    Sampled {
        /// Log-probability of all its decisions.
        log_prob: f64,
        /// Sum of the entropies of the distributions that its decisions were drawn from, nats.
        entropy: f64,
        /// The most that `entropy` could be: of uniform distributions.
        max_entropy: f64,
        /// One per decision, in the order in which they were taken.
        choices: Vec<Choice>,
    },
    /// The search's strategy changed one decision of this earlier child.
    Mutated {
        /// Number of the earlier child.
        parent: u64,
    },
    /// The search's strategy took every decision uniformly, and has no distribution to tell of.
    Uniform,
    /// A user edited it from this child.
    Edited {
        /// Number of the child that it was edited from.
        parent: u64,
    },
}

impl Candidate {
    /// The one that the search proposed, of which line `seq` of the journal tells.
    pub fn sampled(sampled: &ChildSampled, seq: u64) -> Candidate {
        let ChildSampled {
            child,
            episode,
            dna,
            design,
            params,
            macs,
            log_prob,
            entropy,
            max_entropy,
            choices,
            parent,
        } = sampled.clone();
        let origin = match (log_prob, entropy, max_entropy, parent) {
            (Some(log_prob), Some(entropy), Some(max_entropy), _) => Origin::Sampled {
                log_prob,
                entropy,
                max_entropy,
                choices,
            },
            (.., Some(parent)) => Origin::Mutated { parent },
            _ => Origin::Uniform,
        };
        Candidate {
            child,
            episode,
            dna,
            design,
            params,
            macs,
            origin,
            seq,
        }
    }

    /// The one that a user edited, of which line `seq` of the journal tells.
    pub fn queued(queued: &ChildQueued, seq: u64) -> Candidate {
        let ChildQueued {
            child,
            episode,
            parent,
            dna,
            design,
            params,
            macs,
        } = queued.clone();
        Candidate {
            child,
            episode,
            dna,
            design,
            params,
            macs,
            origin: Origin::Edited { parent },
            seq,
        }
    }

    /// Every decision as it was taken; none of a child that was not drawn from a distribution.
    pub fn choices(&self) -> &[Choice] {
        match &self.origin {
            Origin::Sampled { choices, .. } => choices,
            Origin::Mutated { .. } | Origin::Uniform | Origin::Edited { .. } => &[],
        }
    }

    /// The child that a user edited it from; none for a child that the search proposed.
    pub fn parent(&self) -> Option<u64> {
        match self.origin {
            Origin::Edited { parent } => Some(parent),
            Origin::Sampled { .. } | Origin::Mutated { .. } | Origin::Uniform => None,
        }
    }
}

/// Everything that the journal tells of one child.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildDetail {
    /// What was to be trained.
    pub candidate: Candidate,
    /// Epochs of its last attempt.
    pub epochs: Vec<ChildEpoch>,
    /// Its row, once it has come to an end.
    pub row: Option<ChildRow>,
}

/// A child in training on one worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// Its number, from 1.
    pub child: u64,
    /// `cpu`, or the GPU's name.
    pub device: String,
    /// None where the journal does not tell of its sampling.
    pub candidate: Option<Candidate>,
    /// Within the epoch under way; none before its first batches are done.
    pub progress: Option<ChildProgress>,
    /// Those that are done, in order.
    pub epochs: Vec<ChildEpoch>,
}

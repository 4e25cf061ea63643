//! What is known of one child: as a candidate, in training, and when it has come to an end.

use crate::event::{ChildEpoch, ChildProgress, ChildQueued, ChildSampled, Choice};
use crate::space::{Design, Dna, Genes};

/// A child that has come to an end, small enough to keep 100,000 of them.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildRow {
    pub child: u64,
    pub episode: usize,
    /// None for a child that failed or is excluded.
    pub accuracy: Option<f64>,
    /// None for a child that is excluded.
    pub reward: Option<f64>,
    pub params: u64,
    pub macs: u64,
    pub seconds: f64,
    pub repeat_of: Option<u64>,
    /// The child that a user edited it from; none for a child that the search sampled.
    pub parent: Option<u64>,
    pub skipped: bool,
    pub energy_wh: Option<f64>,
    pub genes: Genes,
    /// Log-probability and entropy of its decisions, nats; none for an edited child.
    pub log_prob: Option<f64>,
    pub entropy: Option<f64>,
    /// Where the journal tells of it: its sampling and its end.
    pub sampled_seq: u64,
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
    pub child: u64,
    pub episode: usize,
    pub dna: Dna,
    pub design: Design,
    pub params: u64,
    pub macs: u64,
    pub origin: Origin,
    /// Where the journal tells of it; 0 where no journal does.
    pub seq: u64,
}

/// Where a candidate comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// The search's strategy sampled it. Nats; one choice per decision, in the order in which they
    /// were taken.
    Sampled {
        log_prob: f64,
        entropy: f64,
        max_entropy: f64,
        choices: Vec<Choice>,
    },
    /// The search's strategy changed one decision of this earlier child.
    Mutated { parent: u64 },
    /// The search's strategy took every decision uniformly, and has no distribution to tell of.
    Uniform,
    /// A user edited it from this child.
    Edited { parent: u64 },
}

impl Candidate {
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
    pub candidate: Candidate,
    /// Of its last attempt.
    pub epochs: Vec<ChildEpoch>,
    /// Its row, once it has come to an end.
    pub row: Option<ChildRow>,
}

/// A child in training on one worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    pub child: u64,
    pub device: String,
    pub candidate: Option<Candidate>,
    pub progress: Option<ChildProgress>,
    pub epochs: Vec<ChildEpoch>,
}

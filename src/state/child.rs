//! What is known about one child: as a candidate, in training, and after its end.

use std::ops::Not;

use serde::{Deserialize, Serialize};

use crate::event::{ChildEpoch, ChildProgress, ChildQueued, ChildSampled, Choice, Event, MeanOf};
use crate::space::{Design, Dna, Genes};

/// A child that has ended, small enough for keeping 100,000 of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildRow {
    /// Its number, from 1.
    pub child: u64,
    /// The episode in which it was sampled or queued, from 1.
    pub episode: usize,
    /// Its accuracy; `None` for a child that failed or was excluded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub accuracy: Option<f64>,
    /// Its reward; `None` for an excluded child.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reward: Option<f64>,
    /// Trainable parameters; 0 if the network is not known.
    pub params: u64,
    /// Multiply-accumulates for one image; 0 if the network is not known.
    pub macs: u64,
    /// Training time in seconds; 0 for a repeat.
    pub seconds: f64,
    /// The earlier child whose accuracy it took over; `None` if it was trained itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repeat_of: Option<u64>,
    /// The trainings that accuracy and reward are means over, if several.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mean: Option<Box<MeanOf>>,
    /// Whether a later child trained its architecture again, so that its accuracy is not the one
    /// that counts for the architecture.
    #[serde(skip_serializing_if = "Not::not", default)]
    pub superseded: bool,
    /// The child that a user edited it from; `None` for a sampled child.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<u64>,
    /// Whether it is a control: drawn uniformly, for comparison with the others of its episode.
    #[serde(skip_serializing_if = "Not::not", default)]
    pub control: bool,
    /// Whether a user ended its training early.
    #[serde(skip_serializing_if = "Not::not", default)]
    pub skipped: bool,
    /// Energy used for it by its GPU, in watt-hours; `None` if no GPU reported it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub energy_wh: Option<f64>,
    /// Its DNA, packed.
    pub genes: Genes,
    /// Log-probability of its choices, nats; `None` if it was not drawn from a known distribution.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub log_prob: Option<f64>,
    /// Entropy of its choices, nats; `None` if it was not drawn from a known distribution.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entropy: Option<f64>,
    /// Number of the record that sampled it.
    pub sampled_seq: u64,
    /// Number of the record that ended it.
    pub ended_seq: u64,
}

impl ChildRow {
    /// Whether a user made it by editing, in which case it counts in no figure of the search.
    pub fn is_edited(&self) -> bool {
        self.parent.is_some()
    }

    /// Whether the strategy proposed it: it is neither edited by a user nor a control. Only such
    /// children count in the figures of the search.
    pub fn is_proposed(&self) -> bool {
        !self.is_edited() && !self.control
    }

    /// Reward of its own training, see [`MeanOf`].
    pub fn own_reward(&self) -> Option<f64> {
        let own = self.mean.as_deref().and_then(MeanOf::own);
        own.map(|(_, reward)| reward).or(self.reward)
    }

    /// Whether it failed: it has reward 0 and no accuracy.
    pub fn is_failed(&self) -> bool {
        self.accuracy.is_none() && self.reward.is_some()
    }

    /// Whether it was excluded: it has neither reward nor accuracy, and counts nowhere.
    pub fn is_excluded(&self) -> bool {
        self.reward.is_none()
    }

    /// Why it has no accuracy, in a word; `None` if it has one.
    pub fn trouble(&self) -> Option<&'static str> {
        match (self.accuracy, self.reward) {
            (Some(_), _) => None,
            (None, Some(_)) => Some("failed"),
            (None, None) => Some("excluded"),
        }
    }

    /// What sets it apart from an ordinary child, in a table where child `best` is the best one:
    /// `best, repeat of 12`; without numbers if `short`.
    pub fn notes(&self, best: Option<u64>, short: bool) -> String {
        let from = |word: &str, of: &str, child: u64| {
            if short {
                word.to_owned()
            } else {
                format!("{word} {of} {child}")
            }
        };
        let notes = [
            (best == Some(self.child)).then(|| "best".to_owned()),
            self.trouble().map(str::to_owned),
            self.control.then(|| "control".to_owned()),
            self.skipped.then(|| "skipped".to_owned()),
            self.parent.map(|parent| from("edited", "from", parent)),
            self.repeat_of.map(|earlier| from("repeat", "of", earlier)),
            self.mean
                .as_ref()
                .map(|mean| format!("mean of {}", mean.children.len())),
        ];
        notes.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// A network that is to be trained, and its origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its number, from 1.
    pub child: u64,
    /// The episode in which it was sampled or queued, from 1.
    pub episode: usize,
    /// Its DNA.
    pub dna: Dna,
    /// The network, or its key in a table.
    pub design: Design,
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulates for one image.
    pub macs: u64,
    /// Sampled, mutated, drawn uniformly, a control or edited.
    pub origin: CandidateOrigin,
    /// Number of the record about it; 0 if there is no journal.
    pub seq: u64,
}

/// The origin of a candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CandidateOrigin {
    /// The search's strategy sampled it from known distributions.
    Sampled {
        /// Log-probability of all its choices, nats.
        log_prob: f64,
        /// Sum of the entropies of the distributions of its choices, nats.
        entropy: f64,
        /// The maximum of `entropy`: for uniform distributions.
        max_entropy: f64,
        /// Its choices, in the order in which they were made. Not in a snapshot.
        #[serde(skip)]
        choices: Vec<Choice>,
    },
    /// The search's strategy changed one choice of this earlier child.
    Mutated {
        /// Number of the earlier child.
        parent: u64,
    },
    /// The search's strategy made every choice uniformly and reports no distribution.
    Uniform,
    /// Every choice was made uniformly, whatever the strategy, for comparison with its children.
    Control,
    /// A user edited it from this child.
    Edited {
        /// Number of the child that it was edited from.
        parent: u64,
    },
}

impl Candidate {
    /// Whether it is a control.
    pub fn is_control(&self) -> bool {
        matches!(self.origin, CandidateOrigin::Control)
    }

    /// The candidate that the search proposed in record `seq` of the journal.
    pub fn sampled(sampled: &ChildSampled, seq: u64) -> Candidate {
        let distribution = (sampled.log_prob, sampled.entropy, sampled.max_entropy);
        let origin = match (distribution, sampled.parent) {
            _ if sampled.control => CandidateOrigin::Control,
            ((Some(log_prob), Some(entropy), Some(max_entropy)), _) => CandidateOrigin::Sampled {
                log_prob,
                entropy,
                max_entropy,
                choices: sampled.choices.clone(),
            },
            (_, Some(parent)) => CandidateOrigin::Mutated { parent },
            _ => CandidateOrigin::Uniform,
        };
        Candidate {
            child: sampled.child,
            episode: sampled.episode,
            dna: sampled.dna.clone(),
            design: sampled.design.clone(),
            params: sampled.params,
            macs: sampled.macs,
            origin,
            seq,
        }
    }

    /// The candidate that a user edited, from record `seq` of the journal.
    pub fn queued(queued: &ChildQueued, seq: u64) -> Candidate {
        Candidate {
            child: queued.child,
            episode: queued.episode,
            dna: queued.dna.clone(),
            design: queued.design.clone(),
            params: queued.params,
            macs: queued.macs,
            origin: CandidateOrigin::Edited {
                parent: queued.parent,
            },
            seq,
        }
    }

    /// Whether the choices that it was drawn by are known, if it was. They are not read where a journal is
    /// long.
    pub fn has_choices(&self) -> bool {
        match &self.origin {
            CandidateOrigin::Sampled { choices, .. } => !choices.is_empty(),
            _ => true,
        }
    }

    /// Its choices; empty for a child that was not drawn from a known distribution.
    pub fn choices(&self) -> &[Choice] {
        match &self.origin {
            CandidateOrigin::Sampled { choices, .. } => choices,
            _ => &[],
        }
    }

    /// The child that a user edited it from; `None` for a child that the search proposed.
    pub fn parent(&self) -> Option<u64> {
        match self.origin {
            CandidateOrigin::Edited { parent } => Some(parent),
            _ => None,
        }
    }
}

/// The start of a child's training, in words; `None` for another event.
pub(super) fn start_in_words(event: &Event) -> Option<String> {
    let Event::ChildStarted {
        child,
        worker,
        device,
        attempt,
        host,
        task,
        ..
    } = event
    else {
        return None;
    };
    let place = (host.clone()).unwrap_or_else(|| format!("worker {worker}"));
    let task = (task.as_ref()).map_or(String::new(), |task| format!(", task {task}"));
    let again = match attempt {
        0 | 1 => String::new(),
        attempt => format!(", attempt {attempt}"),
    };
    Some(format!(
        "child {child}: training on {place} ({device}{task}{again})"
    ))
}

/// Where a cluster trains a child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterPlace {
    /// Name of the machine.
    pub host: String,
    /// The cluster's name of the task.
    pub task: Option<String>,
    /// Number of the attempt, from 1.
    pub attempt: u32,
}

impl std::fmt::Display for ClusterPlace {
    /// `n2 (task 4711_3, attempt 1)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let task = self.task.as_ref().map(|task| format!("task {task}"));
        let attempt = format!("attempt {}", self.attempt);
        let details: Vec<String> = task.into_iter().chain([attempt]).collect();
        write!(f, "{} ({})", self.host, details.join(", "))
    }
}

/// Everything in the journal about one child.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildDetail {
    /// The candidate.
    pub candidate: Candidate,
    /// Epochs of its last attempt.
    pub epochs: Vec<ChildEpoch>,
    /// Its row, once it has ended.
    pub row: Option<ChildRow>,
}

/// A child in training on one worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainedChild {
    /// Its number, from 1.
    pub child: u64,
    /// `cpu`, or the GPU's name.
    pub device: String,
    /// The machine, the cluster's task and the number of the attempt; `None` if it is trained where the
    /// search runs.
    pub place: Option<ClusterPlace>,
    /// `None` if the journal does not contain its sampling.
    pub candidate: Option<Candidate>,
    /// Progress within the current epoch; `None` before its first batches.
    pub progress: Option<ChildProgress>,
    /// Completed epochs, in order.
    pub epochs: Vec<ChildEpoch>,
}

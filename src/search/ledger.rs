//! What the search loop needs to know about its run's past, from the events of all sessions.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::analysis::summary::{BestChild, SearchTally};
use crate::event::{
    ChildFinished, ChildQueued, ChildSampled, EpisodeFinished, Event, Record, RunStarted,
};
use crate::session::{Begun, Ledger};
use crate::space::{Design, Dna};
use crate::state::Ending;
use crate::strategy::Reward;

/// The run so far. A resumed search fills it from the journal, then continues as if it had never
/// been interrupted.
#[derive(Debug, Default)]
pub struct SearchLedger {
    pub started: Option<RunStarted>,
    /// Counts and working time.
    pub tally: SearchTally,
    /// Latest episodes for which these events have been written; 0 before the first.
    pub episode_started: usize,
    pub episode_finished: Option<EpisodeFinished>,
    /// Latest episode from which nothing could be learned; 0 if there is none.
    pub episode_excluded: usize,
    pub checkpointed: Option<usize>,
    /// Sampled children: the DNA and, until the child has ended, the whole event.
    dna: HashMap<u64, Dna>,
    waiting: HashMap<u64, ChildSampled>,
    ended: HashMap<u64, Ended>,
    /// The children sampled with each architecture, by its key, in order, except for skipped and
    /// excluded ones.
    with: HashMap<String, Vec<u64>>,
    /// Validation accuracies by epoch of every child that was trained, and not ended by a user.
    trained: BTreeMap<u64, Vec<f64>>,
    /// Children skipped by a user in this session.
    skips: HashSet<u64>,
    /// Edited children that have not ended.
    queued: BTreeMap<u64, ChildQueued>,
    best: Option<Best>,
    /// Proposals and ends of children in the order of the journal.
    steps: Vec<Step>,
    /// Working time in seconds when the latest episode began.
    episode_began: f64,
}

/// `best.json`: the best child so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    #[serde(flatten)]
    pub child: BestChild,
    /// `architecture`, or `key`.
    #[serde(flatten)]
    pub design: Design,
}

/// What happens to the children of a strategy that learns from each of them, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// This child was proposed.
    Proposed(u64),
    /// This child has ended; [`SearchLedger::ended`] tells how.
    Ended(u64),
}

/// How a child ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    Trained {
        accuracy: f64,
        reward: f64,
        valid_accuracies: Vec<f64>,
        /// Test accuracy, if the evaluator knows it; no decision depends on it.
        test_accuracy: Option<f64>,
    },
    Failed {
        reason: String,
        reward: f64,
    },
    /// Nothing is known about it.
    Excluded {
        reason: String,
    },
}

impl Ended {
    pub fn accuracy(&self) -> Option<f64> {
        match self {
            Ended::Trained { accuracy, .. } => Some(*accuracy),
            Ended::Failed { .. } | Ended::Excluded { .. } => None,
        }
    }

    /// The reward in the form that a strategy learns from.
    pub fn earned(&self) -> Option<Reward> {
        match self {
            Ended::Trained { reward, .. } => Some(Reward::trained(*reward)),
            Ended::Failed { reward, .. } => Some(Reward::failed(*reward)),
            Ended::Excluded { .. } => None,
        }
    }

    /// The reward; `None` for a child from which nothing can be learned.
    pub fn reward(&self) -> Option<f64> {
        match self {
            Ended::Trained { reward, .. } | Ended::Failed { reward, .. } => Some(*reward),
            Ended::Excluded { .. } => None,
        }
    }
}

impl Ledger for SearchLedger {
    fn apply(&mut self, record: &Record) {
        let ending = self.tally.apply(record);
        if let Some(Ending {
            child,
            is_edited: true,
            ..
        }) = ending
        {
            self.queued.remove(&child);
            return;
        }
        match &record.event {
            Event::RunStarted(started) => self.started = Some(started.clone()),
            // Children that were in training are trained again from scratch.
            Event::RunResumed { .. } => self.skips.clear(),
            Event::EpisodeStarted { episode, .. } => {
                self.episode_started = *episode;
                self.episode_began = self.tally.clock().seconds();
            }
            Event::ChildSampled(sampled) => self.sample(sampled),
            Event::ChildFinished(finished) => {
                self.finish(finished, ending.is_some_and(|ending| ending.is_best))
            }
            Event::SkipRequested { child } => drop(self.skips.insert(*child)),
            Event::ChildQueued(queued) => {
                self.queued.insert(queued.child, queued.clone());
            }
            Event::ChildFailed {
                child,
                reason,
                reward,
                ..
            } => {
                let sampled = self.waiting.remove(child);
                self.forget_skipped(
                    sampled
                        .as_ref()
                        .filter(|sampled| self.skips.contains(&sampled.child)),
                );
                self.end(
                    *child,
                    Ended::Failed {
                        reason: reason.clone(),
                        reward: *reward,
                    },
                );
            }
            Event::ChildExcluded { child, reason, .. } => self.exclude(*child, reason),
            Event::EpisodeFinished(finished) => self.episode_finished = Some(finished.clone()),
            Event::EpisodeExcluded { episode, .. } => self.episode_excluded = *episode,
            Event::CheckpointSaved { episode, .. } => self.checkpointed = Some(*episode),
            _ => {}
        }
    }

    fn begun(&self) -> Option<Begun<'_>> {
        self.started.as_ref().map(|started| Begun {
            data: &started.data,
            workers: Some(started.workers),
            threads: started.threads,
            device: started.device.as_deref(),
            libtorch: started.libtorch.as_deref(),
        })
    }

    fn has_checkpoint(&self) -> bool {
        self.checkpointed.is_some()
    }

    /// Number of sampled children that have ended, not counting controls and edited ones.
    fn steps_done(&self) -> u64 {
        self.tally.outcomes().counts.sampled as u64
    }
}

impl SearchLedger {
    /// DNA of a child that has been sampled.
    pub fn dna(&self, child: u64) -> Option<&Dna> {
        self.dna.get(&child)
    }

    pub fn ended(&self, child: u64) -> Option<&Ended> {
        self.ended.get(&child)
    }

    /// The first child with the architecture of this key whose outcome others may take over.
    /// Skipped and excluded children do not qualify, because their outcomes do not measure the
    /// architecture.
    pub fn first_with(&self, key: &str) -> Option<u64> {
        self.with.get(key)?.first().copied()
    }

    /// Whether a user has asked in this session for the end of a child's training.
    pub fn is_skipped(&self, child: u64) -> bool {
        self.skips.contains(&child)
    }

    /// Edited children that have not ended, in order.
    pub fn queued(&self) -> impl Iterator<Item = &ChildQueued> {
        self.queued.values()
    }

    pub fn queued_child(&self, child: u64) -> Option<&ChildQueued> {
        self.queued.get(&child)
    }

    /// Whether the child was made by a user.
    pub fn is_edited(&self, child: u64) -> bool {
        self.tally.outcomes().is_edited(child)
    }

    /// Number of children that users have edited.
    pub fn edited(&self) -> u64 {
        self.tally.outcomes().edited()
    }

    pub fn best(&self) -> Option<&Best> {
        self.best.as_ref()
    }

    /// Step number `index` (from 0) of the run: a child's proposal or end.
    pub fn step(&self, index: usize) -> Option<Step> {
        self.steps.get(index).copied()
    }

    /// Working time in seconds from the start of the latest episode until `now`.
    pub fn episode_seconds(&self, now: jiff::Timestamp) -> f64 {
        (self.tally.clock().seconds_until(now) - self.episode_began).max(0.0)
    }

    /// Validation accuracies by epoch of the children before this one that were trained.
    pub fn trained_before(&self, child: u64) -> impl Iterator<Item = &[f64]> {
        self.trained.range(..child).map(|(_, each)| each.as_slice())
    }

    /// No child repeats a control, and strategies do not see controls.
    fn sample(&mut self, sampled: &ChildSampled) {
        if !sampled.control {
            self.with
                .entry(sampled.design.key())
                .or_default()
                .push(sampled.child);
            self.steps.push(Step::Proposed(sampled.child));
        }
        self.dna.insert(sampled.child, sampled.dna.clone());
        self.waiting.insert(sampled.child, sampled.clone());
    }

    fn finish(&mut self, finished: &ChildFinished, is_best: bool) {
        let sampled = self.waiting.remove(&finished.child);
        self.forget_skipped(sampled.as_ref().filter(|_| finished.skipped));
        if let Some(sampled) = sampled.filter(|_| is_best) {
            self.best = Some(Best {
                child: BestChild::from(finished),
                design: sampled.design,
            });
        }
        if finished.repeat_of.is_none() && !finished.skipped {
            let accuracies = finished.valid_accuracies.clone();
            self.trained.insert(finished.child, accuracies);
        }
        let ended = Ended::Trained {
            accuracy: finished.accuracy,
            reward: finished.reward,
            valid_accuracies: finished.valid_accuracies.clone(),
            test_accuracy: finished.test_accuracy,
        };
        self.end(finished.child, ended);
    }

    fn end(&mut self, child: u64, ended: Ended) {
        self.steps.push(Step::Ended(child));
        self.ended.insert(child, ended);
    }

    fn exclude(&mut self, child: u64, reason: &str) {
        let sampled = self.waiting.remove(&child);
        self.forget_skipped(sampled.as_ref());
        self.end(
            child,
            Ended::Excluded {
                reason: reason.to_owned(),
            },
        );
    }

    /// Let no child repeat one whose training a user ended, or about which nothing is known.
    fn forget_skipped(&mut self, skipped: Option<&ChildSampled>) {
        if let Some(skipped) = skipped
            && let Some(children) = self.with.get_mut(&skipped.design.key())
        {
            children.retain(|child| *child != skipped.child);
        }
    }
}

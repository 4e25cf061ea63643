//! What the search loop needs to know about its run's past, from the events of all sessions.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::success::Tried;
use crate::analysis::summary::{BestChild, SearchTally};
use crate::event::{
    ChildFinished, ChildQueued, ChildSampled, EpisodeFinished, Event, MeanOf, Record, RunStarted,
};
use crate::session::{Begun, Ledger};
use crate::space::{Design, Dna};
use crate::state::{Ending, Notes};
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
    /// Sampled children: the DNA and, until the checkpoint of their episode, the whole event.
    dna: HashMap<u64, Dna>,
    sampled: BTreeMap<u64, ChildSampled>,
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
    /// Proposals and ends of children, and what was learned, in the order of the journal.
    steps: Vec<Step>,
    /// Working time in seconds when each episode in progress began.
    began: BTreeMap<usize, f64>,
    /// How the children of each episode ended.
    tried: BTreeMap<usize, Tried>,
    notes: Notes,
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

/// What the state of a strategy follows from, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// This child was proposed.
    Proposed(u64),
    /// This child has ended; [`SearchLedger::ended`] tells how.
    Ended(u64),
    /// This episode has been learned from, or all of its children were excluded.
    Learned(usize),
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
        /// The child whose outcome this one takes over.
        repeat_of: Option<u64>,
        /// The trainings that accuracy and reward are means over, if several.
        mean: Option<Box<MeanOf>>,
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
    /// Accuracy and reward of the child's own training.
    pub fn own(&self) -> Option<(f64, f64)> {
        let Ended::Trained {
            accuracy,
            reward,
            mean,
            ..
        } = self
        else {
            return None;
        };
        let own = mean.as_deref().and_then(MeanOf::own);
        Some(own.unwrap_or((*accuracy, *reward)))
    }

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
        self.count(&record.event);
        match &record.event {
            Event::RunStarted(started) => self.started = Some(started.clone()),
            // Children that were in training are trained again from scratch.
            Event::RunResumed { .. } => self.skips.clear(),
            Event::EpisodeStarted { episode, .. } => {
                self.episode_started = *episode;
                (self.began).insert(*episode, self.tally.clock().seconds());
            }
            Event::ChildSampled(sampled) => self.sample(sampled),
            Event::ChildFinished(finished) => self.finish(finished),
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
                if self.skips.contains(child) {
                    self.forget(*child);
                }
                self.end(
                    *child,
                    Ended::Failed {
                        reason: reason.clone(),
                        reward: *reward,
                    },
                );
            }
            Event::ChildExcluded { child, reason, .. } => {
                self.forget(*child);
                let reason = reason.clone();
                self.end(*child, Ended::Excluded { reason });
            }
            Event::EpisodeFinished(finished) => {
                self.learn(finished.episode);
                self.episode_finished = Some(finished.clone());
            }
            Event::EpisodeExcluded { episode, .. } => {
                self.learn(*episode);
                self.episode_excluded = *episode;
            }
            Event::CheckpointSaved { episode, .. } => {
                self.checkpointed = Some(*episode);
                self.sampled.retain(|_, sampled| sampled.episode > *episode);
            }
            event => self.notes.apply(event),
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

    /// The proposal of a child; `None` once its episode is part of a checkpoint.
    pub fn sampled(&self, child: u64) -> Option<&ChildSampled> {
        self.sampled.get(&child)
    }

    /// The children with the architecture of this key, in order. Skipped and excluded ones do not
    /// count, because their outcomes do not measure the architecture.
    pub fn same_network(&self, key: &str) -> &[u64] {
        self.with.get(key).map_or(&[], Vec::as_slice)
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

    /// The note on a child, if there is one.
    pub fn note(&self, child: u64) -> Option<&str> {
        self.notes.of(child)
    }

    /// Number of the best child so far.
    pub fn best_child(&self) -> Option<u64> {
        self.tally.outcomes().best.as_ref().map(|best| best.child)
    }

    pub fn best(&self) -> Option<Best> {
        let outcomes = self.tally.outcomes();
        Some(Best {
            child: BestChild::from(outcomes.best.as_ref()?),
            design: outcomes.best_design.as_deref()?.clone(),
        })
    }

    /// Step number `index` (from 0) of the run.
    pub fn step(&self, index: usize) -> Option<Step> {
        self.steps.get(index).copied()
    }

    /// Number of steps up to the one that learned from this episode; `None` if there is none.
    pub fn steps_until(&self, episode: usize) -> Option<usize> {
        let learned = |step: &Step| *step == Step::Learned(episode);
        Some(self.steps.iter().position(learned)? + 1)
    }

    /// Working time in seconds from the start of an episode in progress until `now`.
    pub fn episode_seconds(&self, episode: usize, now: jiff::Timestamp) -> f64 {
        let now = self.tally.clock().seconds_until(now);
        (now - self.began.get(&episode).unwrap_or(&now)).max(0.0)
    }

    /// Validation accuracies by epoch of the children before this one that were trained.
    pub fn trained_before(&self, child: u64) -> impl Iterator<Item = &[f64]> {
        self.trained.range(..child).map(|(_, each)| each.as_slice())
    }

    /// How the children of each episode before this one ended, in order.
    pub fn tried_before(&self, episode: usize) -> impl Iterator<Item = Tried> {
        self.tried.range(..episode).map(|(_, tried)| *tried)
    }

    /// Count the end of a child, or of a control, as a success or a failure.
    fn count(&mut self, event: &Event) {
        let (episode, has_succeeded) = match event {
            Event::ChildFinished(finished) => (finished.episode, true),
            Event::ChildFailed { child, episode, .. }
            | Event::ChildExcluded { child, episode, .. }
                if !self.skips.contains(child) =>
            {
                (*episode, false)
            }
            _ => return,
        };
        let tried = self.tried.entry(episode).or_default();
        if has_succeeded {
            tried.succeeded += 1;
        } else {
            tried.failed += 1;
        }
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
        self.sampled.insert(sampled.child, sampled.clone());
    }

    fn finish(&mut self, finished: &ChildFinished) {
        if finished.skipped {
            self.forget(finished.child);
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
            repeat_of: finished.repeat_of,
            mean: finished.mean.clone(),
        };
        self.end(finished.child, ended);
    }

    fn end(&mut self, child: u64, ended: Ended) {
        self.steps.push(Step::Ended(child));
        self.ended.insert(child, ended);
    }

    fn learn(&mut self, episode: usize) {
        self.steps.push(Step::Learned(episode));
        self.began.remove(&episode);
    }

    /// Let no child repeat one whose training a user ended, or about which nothing is known.
    fn forget(&mut self, child: u64) {
        if let Some(sampled) = self.sampled.get(&child)
            && let Some(children) = self.with.get_mut(&sampled.design.key())
        {
            children.retain(|other| *other != child);
        }
    }
}

//! The summary of a run: `summary.json` and the text at its end, computed from the events at any
//! time.

mod text;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

pub(super) use text::{duration, reason_word};

use super::statistics::{self, Slope};
use super::verdict::Comparison;
use crate::event::{
    ChildFinished, ChildSampled, EpisodeFinished, Event, FinishReason, Record, Reference,
};
use crate::journal::{JournalError, Reader};
use crate::space::Dna;
use crate::state::clock::Clock;
use crate::state::{Ending, Outcomes, RunStatus};

/// What came of a run so far. The field names are `summary.json`'s.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the run directory. Empty, as `preset` and `strategy` are, where the run never got as
    /// far as `run_started`.
    pub run: String,
    /// Preset of the settings.
    pub preset: String,
    /// As `search.strategy` names it.
    pub strategy: String,
    /// `search.seed`.
    pub seed: u64,
    /// Why the last session ended; null while one is at work and after a crash.
    pub reason: Option<FinishReason>,
    /// Children that have come to an end: trained, repeats and failures.
    pub children_evaluated: u64,
    /// Different networks among them.
    pub unique_architectures: u64,
    /// Children that took the accuracy of an earlier child with the same architecture.
    pub repeats: u64,
    /// Children without an accuracy; their reward is 0.
    pub failures: u64,
    /// Children of which nothing is known: skipped before their first epoch had ended, or whose
    /// workers broke. They have no reward and count nowhere else.
    #[serde(default)]
    pub excluded_children: u64,
    /// Children that users edited and that have come to an end. They count nowhere else.
    #[serde(default)]
    pub edited_children: u64,
    /// The highest accuracy; the earlier child of equals. Null before the first.
    pub best: Option<BestChild>,
    /// Those that have ended, in order.
    pub episodes: Vec<Episode>,
    /// Line through the episodes' mean rewards; null for fewer than 3 episodes.
    pub reward_slope: Option<Slope>,
    /// The run that this one is held against (`search.reference`); absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Held>,
    /// Seconds at work over all sessions, from `run_started`; pauses and the time between sessions
    /// do not count.
    pub wall_seconds: f64,
    /// `children_evaluated` per hour of `wall_seconds`.
    pub children_per_hour: f64,
}

/// What came of holding a run against another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// Name of the other run.
    pub run: String,
    /// As the `search.strategy` of the other run names it.
    pub strategy: String,
    /// This run's slope minus the other's over the episodes that both have finished; null where
    /// those are fewer than 3, or the runs cannot be compared.
    pub difference: Option<Slope>,
    /// Why they cannot; null where they can.
    pub not_comparable: Option<String>,
}

impl Held {
    fn of(reference: &Reference, points: &[(usize, f64)]) -> Held {
        let (difference, not_comparable) = match Comparison::of(reference, points) {
            Some(Comparison::Slopes { difference, .. }) => (Some(difference), None),
            Some(Comparison::Impossible { reason, .. }) => (None, Some(reason)),
            None => (None, None),
        };
        Held {
            run: reference.run.clone(),
            strategy: reference.strategy.clone(),
            difference,
            not_comparable,
        }
    }
}

/// The child with the highest accuracy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BestChild {
    /// Its number, from 1.
    pub child: u64,
    /// The one that sampled it, from 1.
    pub episode: usize,
    /// On the validation images, 0 to 1.
    pub accuracy: f64,
    /// The accuracy to the power of `reward.power`.
    pub reward: f64,
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulates for one image.
    pub macs: u64,
    /// The decisions it was built from.
    pub dna: Dna,
    /// Test accuracy of the network trained to the end, where a table told it. It decided nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_accuracy: Option<f64>,
}

/// An episode that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// Its number, from 1.
    pub episode: usize,
    /// Over all children but the excluded ones.
    pub mean_reward: f64,
    /// Baseline the episode's advantages were taken against; null for a strategy without one.
    pub baseline: Option<f64>,
    /// Over the children that have an accuracy; null if all failed.
    pub mean_accuracy: Option<f64>,
    /// The highest on the validation images; null if all failed.
    pub best_accuracy: Option<f64>,
    /// Mean entropy of the children's decisions, nats per child; null for a strategy that draws
    /// from no distribution.
    pub entropy: Option<f64>,
}

impl Summary {
    /// Summary of a run's records, in the order of its journal.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Summary {
        let mut tally = Tally::default();
        for record in records {
            tally.apply(record);
        }
        tally.summary()
    }

    /// Summary of the journal at `path`, read line by line.
    ///
    /// # Errors
    /// If the journal cannot be read or is damaged.
    pub fn of_journal(path: &Path) -> Result<Summary, JournalError> {
        let mut tally = Tally::default();
        for record in Reader::open(path)? {
            tally.apply(&record?);
        }
        Ok(tally.summary())
    }

    /// `summary.json`: indented, with a newline at the end.
    ///
    /// # Errors
    /// If a number cannot be represented in JSON; a journal contains none.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

/// Counts over a run's events, fed one at a time.
#[derive(Debug, Default)]
pub struct Tally {
    run: String,
    preset: String,
    strategy: String,
    seed: u64,
    status: RunStatus,
    outcomes: Outcomes,
    /// Keys of the architectures of children under way, and of those that have ended.
    waiting: HashMap<u64, String>,
    architectures: HashSet<String>,
    episodes: Vec<EpisodeFinished>,
    reference: Option<Reference>,
    clock: Clock,
}

impl Tally {
    /// Take in the next record of the run: the end of a child, where it is one.
    pub fn apply(&mut self, record: &Record) -> Option<Ending> {
        self.clock.apply(record);
        self.status.apply(&record.event);
        match &record.event {
            Event::RunStarted(started) => {
                self.run = started.run.clone();
                self.preset = started.preset.clone();
                self.strategy = started.strategy.clone();
                self.seed = started.seed;
                self.reference = started.reference.as_deref().cloned();
            }
            Event::ChildSampled(sampled) => self.sample(sampled),
            Event::ChildFinished(ChildFinished { child, .. })
            | Event::ChildFailed { child, .. } => {
                self.architectures.extend(self.waiting.remove(child));
            }
            Event::ChildExcluded { child, .. } => drop(self.waiting.remove(child)),
            Event::EpisodeFinished(episode) => self.episodes.push(episode.clone()),
            _ => {}
        }
        self.outcomes.apply(&record.event)
    }

    /// Where the run stands.
    pub fn status(&self) -> RunStatus {
        self.status
    }

    /// What the children have come to.
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// Working time so far.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What the records so far come to.
    pub fn summary(&self) -> Summary {
        let wall_seconds = self.clock.seconds();
        let counts = self.outcomes.counts;
        let positions: Vec<f64> = self
            .episodes
            .iter()
            .map(|episode| episode.episode as f64)
            .collect();
        let rewards: Vec<f64> = self
            .episodes
            .iter()
            .map(|episode| episode.mean_reward)
            .collect();
        let points: Vec<(usize, f64)> = self
            .episodes
            .iter()
            .map(|episode| (episode.episode, episode.mean_reward))
            .collect();
        Summary {
            run: self.run.clone(),
            preset: self.preset.clone(),
            strategy: self.strategy.clone(),
            seed: self.seed,
            reason: self.status.reason(),
            children_evaluated: counts.evaluated() as u64,
            unique_architectures: self.architectures.len() as u64,
            repeats: counts.repeats as u64,
            failures: counts.failures as u64,
            excluded_children: counts.excluded as u64,
            edited_children: counts.edited as u64,
            best: self.outcomes.best.as_ref().map(BestChild::from),
            episodes: self.episodes.iter().map(Episode::from).collect(),
            reward_slope: statistics::slope(&positions, &rewards),
            reference: self
                .reference
                .as_ref()
                .map(|reference| Held::of(reference, &points)),
            wall_seconds,
            children_per_hour: if wall_seconds > 0.0 {
                counts.evaluated() as f64 * 3600.0 / wall_seconds
            } else {
                0.0
            },
        }
    }

    fn sample(&mut self, sampled: &ChildSampled) {
        self.waiting.insert(sampled.child, sampled.design.key());
    }
}

impl From<&ChildFinished> for BestChild {
    fn from(child: &ChildFinished) -> Self {
        BestChild {
            child: child.child,
            episode: child.episode,
            accuracy: child.accuracy,
            reward: child.reward,
            params: child.params,
            macs: child.macs,
            dna: child.dna.clone(),
            test_accuracy: child.test_accuracy,
        }
    }
}

impl From<&EpisodeFinished> for Episode {
    fn from(episode: &EpisodeFinished) -> Self {
        Episode {
            episode: episode.episode,
            mean_reward: episode.mean_reward,
            baseline: episode.baseline,
            mean_accuracy: episode.mean_accuracy,
            best_accuracy: episode.best_accuracy,
            entropy: episode.entropy,
        }
    }
}

#[cfg(test)]
mod tests;

//! The summary of a run: `summary.json` and the text at its end, computed from the events at any
//! time.

mod text;

use serde::{Deserialize, Serialize};

pub(super) use text::{duration, reason_word};

use super::RunSummary;
use super::history::Networks;
use super::lift::PolicyLift;
use super::statistics::{self, Slope};
use super::trend::{DepthOfTrend, EpisodePoint, Trend};
use super::verdict::{Comparison, beside};
use crate::event::{
    ChildFinished, EpisodeFinished, Event, FinishReason, Record, Reference, RunStarted,
};
use crate::space::Dna;
use crate::state::clock::Clock;
use crate::state::{Arms, Ending, Outcomes, RunState, RunStatus};

/// The results of a run so far. The field names are those of `summary.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the run directory. Empty, like `preset` and `strategy`, if the run never reached
    /// `run_started`.
    pub run: String,
    /// Name of the preset that the settings are based on.
    pub preset: String,
    /// Name of the strategy, as in `search.strategy`.
    pub strategy: String,
    /// Seed of the run, `search.seed`.
    pub seed: u64,
    /// Why the last session ended; null while one is in progress and after a crash.
    pub reason: Option<FinishReason>,
    /// Number of children that have ended: trained, repeats and failures.
    pub children_evaluated: u64,
    /// Number of different networks among them.
    pub unique_architectures: u64,
    /// Number of children that took over the accuracy of an earlier child with the same
    /// architecture.
    pub repeats: u64,
    /// Number of children that trained the architecture of an earlier child again
    /// (`search.reuse = "mean"`); absent if there are none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retrained: u64,
    /// Number of children without an accuracy, whose reward is 0.
    pub failures: u64,
    /// Number of children about which nothing is known: skipped during their first epoch, or lost
    /// with their workers. They have no reward and count nowhere else.
    #[serde(default)]
    pub excluded_children: u64,
    /// Number of children that were stopped early (`early_stopping.below`); absent if there are none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stopped_early: u64,
    /// Number of edited children that have ended. They count nowhere else.
    #[serde(default)]
    pub edited_children: u64,
    /// Number of controls (`search.controls`) that have ended. They count only in `policy_lift`.
    #[serde(default)]
    pub control_children: u64,
    /// The child with the highest accuracy; the earlier one wins ties. Null before the first
    /// accuracy.
    pub best: Option<BestChild>,
    /// Number of children with an accuracy of their own, the highest of which `best` has: the more
    /// there are, the more of it is luck.
    #[serde(default)]
    pub best_of: u64,
    /// Finished episodes, in order.
    pub episodes: Vec<EpisodeSummary>,
    /// Mean over the finished episodes of their children's staleness: by how many updates the policy
    /// that proposed a child was older than the one that learned from it. Absent unless updates are
    /// asynchronous.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staleness: Option<f64>,
    /// Line through the episodes' mean rewards; null for fewer than 3 episodes.
    pub reward_slope: Option<Slope>,
    /// The same at equal depth, with an intercept for each depth; absent unless depth changed and
    /// several episodes share one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward_slope_at_equal_depth: Option<Slope>,
    /// What the trend of the mean reward owes to the depth of the networks; absent for fewer than 3
    /// episodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth_of_trend: Option<DepthOfTrend>,
    /// How much better the strategy's children are than controls of the same depth, over the
    /// finished episodes from the second one; null while this is unknown.
    #[serde(default)]
    pub policy_lift: Option<PolicyLift>,
    /// The comparison with another run (`search.reference`); absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Held>,
    /// Working time in seconds over all sessions, from `run_started`; pauses and the time between
    /// sessions do not count.
    pub wall_seconds: f64,
    /// `children_evaluated` per hour of `wall_seconds`.
    pub children_per_hour: f64,
}

/// The comparison of a run with another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// Name of the other run.
    pub run: String,
    /// The other run's strategy, as in `search.strategy`.
    pub strategy: String,
    /// How much better this run's children are than the other's of the same depth, over the episodes
    /// from the second one that both have finished; null while this is unknown.
    #[serde(default)]
    pub lift: Option<PolicyLift>,
    /// This run's slope minus the other's over the episodes that both have finished; null if there
    /// are fewer than 3, or the runs cannot be compared.
    pub difference: Option<Slope>,
    /// Why they cannot be compared; null if they can.
    pub not_comparable: Option<String>,
}

impl Held {
    fn of(reference: &Reference, points: &[EpisodePoint], arms: &[Arms]) -> Held {
        let (difference, not_comparable) = match Comparison::of(reference, points) {
            Some(Comparison::Slopes { difference, .. }) => (Some(difference), None),
            Some(Comparison::Impossible { reason, .. }) => (None, Some(reason)),
            None => (None, None),
        };
        Held {
            run: reference.run.clone(),
            strategy: reference.strategy.clone(),
            lift: PolicyLift::of(&beside(arms, reference)),
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
    /// The episode in which it was sampled, from 1.
    pub episode: usize,
    /// Validation accuracy, 0..=1.
    pub accuracy: f64,
    /// The accuracy to the power of `reward.power`, times the factor of `reward.target_macs`.
    pub reward: f64,
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulates for one image.
    pub macs: u64,
    /// Its DNA.
    pub dna: Dna,
    /// Test accuracy of the fully trained network, if a table contains it. Nothing in the search
    /// used it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_accuracy: Option<f64>,
    /// Number of trainings that accuracy and reward are means over; absent if there is one.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub trainings: usize,
}

fn one() -> usize {
    1
}

fn is_one(count: &usize) -> bool {
    *count == 1
}

/// A finished episode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpisodeSummary {
    /// Its number, from 1.
    pub episode: usize,
    /// Mean over all children except excluded ones.
    pub mean_reward: f64,
    /// Baseline that was subtracted from the episode's rewards; null for a strategy without one.
    pub baseline: Option<f64>,
    /// Mean over the children that have an accuracy; null if all failed.
    pub mean_accuracy: Option<f64>,
    /// The highest validation accuracy; null if all failed.
    pub best_accuracy: Option<f64>,
    /// Mean entropy of the children's choices, nats per child; null for a strategy without a known
    /// distribution.
    pub entropy: Option<f64>,
}

impl RunSummary for Summary {
    type Tally = SearchTally;

    fn count(tally: &mut SearchTally, record: &Record) {
        tally.apply(record);
    }

    fn of(tally: &SearchTally) -> Summary {
        tally.summary()
    }
}

/// Counts over a run's events, fed one at a time.
#[derive(Debug, Default)]
pub struct SearchTally {
    run: String,
    preset: String,
    strategy: String,
    seed: u64,
    status: RunStatus,
    outcomes: Outcomes,
    networks: Networks,
    episodes: Vec<EpisodeFinished>,
    reference: Option<Reference>,
    clock: Clock,
}

impl SearchTally {
    /// What the records add up to that led to this state and these networks.
    pub fn of(state: &RunState, networks: &Networks) -> SearchTally {
        let search = state.search();
        let mut tally = SearchTally {
            status: state.status,
            outcomes: search.outcomes.clone(),
            networks: networks.clone(),
            episodes: search.episodes.clone(),
            clock: state.clock.clone(),
            ..SearchTally::default()
        };
        if let Some(started) = &search.started {
            tally.begin(started);
        }
        tally
    }

    fn begin(&mut self, started: &RunStarted) {
        self.run = started.run.clone();
        self.preset = started.preset.clone();
        self.strategy = started.strategy.clone();
        self.seed = started.seed;
        self.reference = started.reference.as_deref().cloned();
    }

    /// Process the next record of the run; returns the end of a child, if it is one.
    pub fn apply(&mut self, record: &Record) -> Option<Ending> {
        self.clock.apply(record);
        self.status.apply(&record.event);
        self.networks.apply(&record.event);
        match &record.event {
            Event::RunStarted(started) => self.begin(started),
            Event::EpisodeFinished(episode) => self.episodes.push(episode.clone()),
            _ => {}
        }
        self.outcomes.apply(&record.event)
    }

    /// The outcomes of the children.
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// Working time so far.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Slope of the mean reward over the finished episodes.
    pub fn reward_slope(&self) -> Option<Slope> {
        let episodes = self.episodes.iter();
        let points = episodes.map(|episode| (episode.episode as f64, episode.mean_reward));
        let (positions, rewards): (Vec<f64>, Vec<f64>) = points.unzip();
        statistics::slope(&positions, &rewards)
    }

    /// The summary of the records so far.
    pub fn summary(&self) -> Summary {
        let wall_seconds = self.clock.seconds();
        let counts = self.outcomes.counts;
        let points = EpisodePoint::of(&self.episodes, &self.outcomes.arms);
        let trend = Trend::of(&points);
        let at_equal_depth =
            trend.filter(|trend| matches!(trend.depth, DepthOfTrend::Separated { .. }));
        Summary {
            run: self.run.clone(),
            preset: self.preset.clone(),
            strategy: self.strategy.clone(),
            seed: self.seed,
            reason: self.status.reason(),
            children_evaluated: counts.evaluated() as u64,
            unique_architectures: self.networks.count() as u64,
            repeats: counts.repeats as u64,
            retrained: counts.retrained as u64,
            failures: counts.failures as u64,
            excluded_children: counts.excluded as u64,
            stopped_early: counts.stopped as u64,
            edited_children: counts.edited as u64,
            control_children: counts.controls as u64,
            best: self.outcomes.best.as_ref().map(BestChild::from),
            best_of: counts.compared() as u64,
            episodes: self.episodes.iter().map(EpisodeSummary::from).collect(),
            staleness: self.staleness(),
            reward_slope: self.reward_slope(),
            reward_slope_at_equal_depth: at_equal_depth.map(|trend| trend.slope),
            depth_of_trend: trend.map(|trend| trend.depth),
            policy_lift: PolicyLift::of(&self.outcomes.arms),
            reference: self
                .reference
                .as_ref()
                .map(|reference| Held::of(reference, &points, &self.outcomes.arms)),
            wall_seconds,
            children_per_hour: if wall_seconds > 0.0 {
                counts.evaluated() as f64 * 3600.0 / wall_seconds
            } else {
                0.0
            },
        }
    }

    fn staleness(&self) -> Option<f64> {
        let each = self.episodes.iter().filter_map(|episode| episode.staleness);
        let each: Vec<f64> = each.collect();
        (!each.is_empty()).then(|| statistics::mean(&each))
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
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
            trainings: child.trainings(),
        }
    }
}

impl From<&EpisodeFinished> for EpisodeSummary {
    fn from(episode: &EpisodeFinished) -> Self {
        EpisodeSummary {
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

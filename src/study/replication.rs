//! The same search with several seeds and strategies: do a policy's children beat random ones at
//! equal depth and equal numbers of trainings, in each search and in all of them together?

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::series::{Series, is_complete};
use crate::analysis::lift::PolicyLift;
use crate::analysis::statistics::{MeanInterval, Slope};
use crate::analysis::{RunSummary, SearchTally, Summary};
use crate::config::StrategyFacts;
use crate::journal::Reader;
use crate::runs::directory::name_of;
use crate::state::Arms;

/// The searches of the set: each strategy with each seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplicationQuestion {
    /// Name of the preset that their settings are based on.
    pub preset: String,
    /// Names of the strategies.
    pub strategies: Vec<String>,
    /// Seed of each search.
    pub seeds: Vec<u64>,
}

impl ReplicationQuestion {
    /// Strategy and seed of each search, in the order in which they are run: pairs of the same
    /// seed follow each other, so that a set that is still incomplete can be compared.
    pub fn searches(&self) -> impl Iterator<Item = (&str, u64)> {
        let seeds = self.seeds.iter();
        seeds.flat_map(|seed| self.strategies.iter().map(|name| (name.as_str(), *seed)))
    }
}

/// `result.json` of the set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replication {
    /// Name of the preset.
    pub preset: String,
    /// The searches, in order.
    pub searches: Vec<ReplicatedSearch>,
    /// One entry for each strategy that learns.
    pub lifts: Vec<StrategyLift>,
    /// Number of unfinished searches, which are in no comparison.
    pub unfinished: usize,
}

/// One search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplicatedSearch {
    /// Name of its strategy.
    pub strategy: String,
    /// Its seed.
    pub seed: u64,
    /// Name of its run directory.
    pub run: String,
    /// Whether it was completed as planned.
    pub is_complete: bool,
    /// Children that were trained, without controls and repeats.
    pub trainings: u64,
    /// Best validation accuracy: of that many noisy ones the highest, hence optimistic. Null if
    /// there is none.
    pub best_accuracy: Option<f64>,
    /// Trend of the mean reward over the episodes, in which depth may grow.
    pub reward_slope: Option<Slope>,
}

/// How much better a strategy's children are than random ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StrategyLift {
    /// Name of the strategy.
    pub strategy: String,
    /// One entry for each seed whose searches are completed.
    pub seeds: Vec<SeedLift>,
    /// Over the episodes of all these searches: holds for these seeds.
    pub together: LiftPair,
    /// Mean of the seeds' lifts against the random search; its interval (Student's t over the
    /// seeds) holds for further seeds as well. Null for fewer than two seeds.
    pub over_seeds: Option<MeanInterval>,
    /// Best accuracy minus the random search's, over the seeds. Null for fewer than two.
    pub best_accuracy: Option<MeanInterval>,
}

/// The lift in the search of one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeedLift {
    /// The seed.
    pub seed: u64,
    /// The comparisons.
    #[serde(flatten)]
    pub lift: LiftPair,
}

/// A strategy's children against two kinds of random ones, episode by episode and so at equal depth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LiftPair {
    /// Against the children of the random search with the same seed; null if there is none.
    pub random: Option<PolicyLift>,
    /// Against the controls of the same search; null if it has none.
    pub controls: Option<PolicyLift>,
}

/// A search read from its journal.
struct PastSearch {
    result: ReplicatedSearch,
    arms: Vec<Arms>,
}

impl PastSearch {
    fn read(strategy: &str, seed: u64, run: &Path) -> PastSearch {
        let mut tally = SearchTally::default();
        // What cannot be read has not been searched, so the search stays unfinished.
        let records = Reader::open(&run.join("journal.jsonl"))
            .into_iter()
            .flatten();
        for record in records.map_while(Result::ok) {
            Summary::count(&mut tally, &record);
        }
        let counts = tally.outcomes().counts;
        let result = ReplicatedSearch {
            strategy: strategy.to_owned(),
            seed,
            run: name_of(run),
            is_complete: is_complete(run),
            trainings: (counts.evaluated() - counts.repeats) as u64,
            best_accuracy: tally.outcomes().best.as_ref().map(|best| best.accuracy),
            reward_slope: tally.reward_slope(),
        };
        let arms = tally.outcomes().arms.clone();
        PastSearch { result, arms }
    }
}

impl Replication {
    /// The searches of `series` as they are now.
    pub fn of(series: &Series<ReplicationQuestion>) -> Replication {
        let question = series.question();
        let searches: Vec<PastSearch> = question
            .searches()
            .zip(series.paths())
            .map(|((strategy, seed), path)| PastSearch::read(strategy, seed, &path))
            .collect();
        Replication::of_searches(question, searches)
    }

    fn of_searches(question: &ReplicationQuestion, searches: Vec<PastSearch>) -> Replication {
        let learning = question.strategies.iter().filter(|name| learns(name));
        Replication {
            preset: question.preset.clone(),
            lifts: learning
                .map(|strategy| StrategyLift::of(strategy, &searches))
                .collect(),
            unfinished: searches
                .iter()
                .filter(|search| !search.result.is_complete)
                .count(),
            searches: searches.into_iter().map(|search| search.result).collect(),
        }
    }
}

fn learns(strategy: &str) -> bool {
    StrategyFacts::named(strategy).is_some_and(|facts| facts.learns)
}

impl StrategyLift {
    fn of(strategy: &str, searches: &[PastSearch]) -> StrategyLift {
        let complete = || searches.iter().filter(|search| search.result.is_complete);
        let ours = complete().filter(|search| search.result.strategy == strategy);
        let (mut seeds, mut best_accuracies) = (Vec::new(), Vec::new());
        let (mut against_random, mut against_controls) = (Vec::new(), Vec::new());
        for search in ours {
            let seed = search.result.seed;
            let random = complete()
                .find(|other| other.result.seed == seed && !learns(&other.result.strategy));
            let both = random.map(|random| between(&search.arms, &random.arms));
            seeds.push(SeedLift {
                seed,
                lift: LiftPair {
                    random: both.as_deref().and_then(PolicyLift::of),
                    controls: PolicyLift::of(&search.arms),
                },
            });
            let random_best = random.and_then(|random| random.result.best_accuracy);
            let bests = search.result.best_accuracy.zip(random_best);
            best_accuracies.extend(bests.map(|(ours, theirs)| ours - theirs));
            against_random.extend(both.into_iter().flatten());
            against_controls.extend_from_slice(&search.arms);
        }
        let lifts = seeds.iter().filter_map(|seed| seed.lift.random);
        let differences: Vec<f64> = lifts.map(|lift| lift.difference).collect();
        StrategyLift {
            strategy: strategy.to_owned(),
            together: LiftPair {
                random: PolicyLift::of(&against_random),
                controls: PolicyLift::of(&against_controls),
            },
            over_seeds: MeanInterval::of(&differences),
            best_accuracy: MeanInterval::of(&best_accuracies),
            seeds,
        }
    }
}

/// The episodes of a policy with the children of a random search as controls.
fn between(policy: &[Arms], random: &[Arms]) -> Vec<Arms> {
    let pair = |ours: &Arms| {
        let theirs = random.iter().find(|arms| arms.episode == ours.episode)?;
        Some(Arms {
            episode: ours.episode,
            depths: ours.depths,
            policy: ours.policy.clone(),
            controls: theirs.policy.clone(),
        })
    };
    policy.iter().filter_map(pair).collect()
}

#[cfg(test)]
mod tests;

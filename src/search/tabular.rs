//! A whole search over a table in memory, without run directory, journal or processes, for
//! comparing strategies over hundreds of seeds.
//!
//! It proposes the same children as a run with the same settings and seed, judges them by the same
//! rules and learns from them in the same order, which a test checks for every strategy. It has no
//! use for the loop of a run: a child ends as soon as it is proposed, nothing is recorded or steered,
//! and it ends after a number of evaluations instead of `search.episodes`.

use std::collections::HashMap;

use super::episode::{self, Child};
use super::ledger::Ended;
use crate::analysis::benchmark::{Found, Trajectory};
use crate::config::Config;
use crate::evaluate::table::Table;
use crate::space::{Space, SpaceError};
use crate::state::is_better;
use crate::strategy::{Reward, Strategy, StrategyError};

/// When a search ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchLimits {
    /// Number of distinct children to evaluate. A child that repeats an earlier one takes over its
    /// outcome, costs nothing and is counted.
    pub evaluations: usize,
    /// This many consecutive repeats mean that the search has converged, and end it.
    pub repeats_in_a_row: usize,
}

/// Why a search over a table cannot continue.
#[derive(Debug, thiserror::Error)]
pub enum TabularError {
    /// A proposal does not belong to the space.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The strategy cannot propose or learn.
    #[error(transparent)]
    Strategy(#[from] StrategyError),
    /// A child has no accuracy in the table.
    #[error("{0}; name a table of the whole space (docs/NASBENCH201.md)")]
    NoAccuracy(String),
}

/// Search `table` with the settings `config`, whose seed and strategy are those of `strategy`.
///
/// # Errors
/// If the strategy cannot propose or learn, or a child has no row in the table.
pub fn search(
    config: &Config,
    strategy: &mut dyn Strategy,
    space: &Space,
    table: &Table,
    limits: SearchLimits,
) -> Result<Trajectory, TabularError> {
    let mut search = TableSearch {
        config,
        space,
        table,
        limits,
        rewards: HashMap::new(),
        repeats: 0,
        best_reward: None,
        best: Found {
            child: 0,
            validation: 0.0,
            test: 0.0,
        },
        found: Vec::with_capacity(limits.evaluations),
    };
    let mut episode = 1;
    while !search.is_over() {
        search.episode(strategy, episode)?;
        episode += 1;
    }
    Ok(Trajectory {
        seed: config.search.seed,
        found: search.found,
    })
}

/// A search in progress.
struct TableSearch<'a> {
    config: &'a Config,
    space: &'a Space,
    table: &'a Table,
    limits: SearchLimits,
    /// Reward of every child that was evaluated, by its key.
    rewards: HashMap<String, f64>,
    /// Number of repeats since the latest evaluation.
    repeats: usize,
    /// The highest reward and the first child that has it.
    best_reward: Option<(f64, u64)>,
    best: Found,
    /// What had been found after each evaluation.
    found: Vec<Found>,
}

impl TableSearch<'_> {
    fn is_over(&self) -> bool {
        self.found.len() >= self.limits.evaluations || self.repeats >= self.limits.repeats_in_a_row
    }

    /// Propose, evaluate and learn from the children of an episode, in the order of a run whose
    /// evaluator takes one child at a time, as a table does.
    fn episode(&mut self, strategy: &mut dyn Strategy, episode: usize) -> Result<(), TabularError> {
        let numbers = episode::children_of(episode, &self.config.search);
        let (mut proposals, mut rewards) = (Vec::new(), Vec::new());
        for number in numbers {
            let search = &self.config.search;
            let child = Child::propose::<TabularError>(strategy, self.space, search, number)?;
            let reward = self.evaluate(&child)?;
            if strategy.learns_from_each() {
                strategy.child_ended(number, &child.proposal, reward)?;
                if self.is_over() {
                    return Ok(());
                }
            }
            proposals.push(child.proposal);
            rewards.push(Reward::trained(reward));
        }
        strategy.learn(&proposals, &rewards)?;
        Ok(())
    }

    /// The reward of a child: that of its row, or of the child that it repeats.
    fn evaluate(&mut self, child: &Child) -> Result<f64, TabularError> {
        let key = child.design.key();
        if let Some(reward) = self.rewards.get(&key) {
            self.repeats += 1;
            return Ok(*reward);
        }
        let (outcome, test) = self.table.outcome(&child.design);
        let (accuracy, reward, test) = match (
            episode::judge(&outcome, test, child.macs, &self.config.reward),
            test,
        ) {
            (
                Ended::Trained {
                    accuracy, reward, ..
                },
                Some(test),
            ) => (accuracy, reward, test),
            (Ended::Failed { reason, .. } | Ended::Excluded { reason }, _) => {
                return Err(TabularError::NoAccuracy(reason));
            }
            (Ended::Trained { .. }, None) => {
                return Err(TabularError::NoAccuracy(format!(
                    "{key} has no test accuracy"
                )));
            }
        };
        self.rewards.insert(key, reward);
        self.repeats = 0;
        let this = (reward, child.number);
        if self.best_reward.is_none_or(|best| is_better(this, best)) {
            self.best_reward = Some(this);
            self.best = Found {
                child: child.number,
                validation: accuracy,
                test,
            };
        }
        self.found.push(Found {
            child: child.number,
            ..self.best
        });
        Ok(reward)
    }
}

#[cfg(test)]
mod tests;

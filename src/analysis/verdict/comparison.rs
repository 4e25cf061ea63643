//! The slope of a run's mean rewards beside that of another run over the same episodes.

use super::decimals;
use crate::analysis::statistics::{Slope, p_text};
use crate::analysis::trend::{EpisodePoint, Trend};
use crate::event::Reference;
use crate::state::Arms;

/// Minimum number of shared episodes.
const FEWEST: usize = 3;

/// The comparison of the slope with that of another run over the same episodes.
#[derive(Debug, Clone, PartialEq)]
pub enum Comparison {
    /// Both have a slope over the episodes that both have finished.
    Slopes {
        /// Strategy of the other run.
        strategy: String,
        /// This run's slope minus the other's, see [`LineFit::minus`](crate::analysis::statistics::LineFit::minus).
        difference: Slope,
    },
    /// The two runs cannot be compared.
    Impossible {
        /// Name of the other run.
        run: String,
        /// The differences between them.
        reason: String,
    },
}

/// The episodes of a run with the children of `reference` as controls: the same episode has the same
/// depth in both. Empty if the runs are not comparable or the journal does not have the rewards.
pub fn beside(arms: &[Arms], reference: &Reference) -> Vec<Arms> {
    let pair = |ours: &Arms| {
        let mut episodes = reference.episodes.iter();
        let theirs = episodes.find(|other| other.episode == ours.episode)?;
        Some(Arms {
            controls: theirs.rewards.clone(),
            ..ours.clone()
        })
    };
    match reference.not_comparable {
        Some(_) => Vec::new(),
        None => arms.iter().filter_map(pair).collect(),
    }
}

impl Comparison {
    /// Both runs' slopes over the episodes that both have finished, within depths if possible; ours
    /// are `points`, and the other run's episodes have the same depths, since it is comparable.
    /// `None` if there are too few.
    pub fn of(reference: &Reference, points: &[EpisodePoint]) -> Option<Comparison> {
        if let Some(reason) = &reference.not_comparable {
            return Some(Comparison::Impossible {
                run: reference.run.clone(),
                reason: reason.clone(),
            });
        }
        let other = |episode: usize| {
            reference
                .episodes
                .iter()
                .find(|other| other.episode == episode)
        };
        let shared = points.iter().filter_map(|ours| {
            let mean_reward = other(ours.episode)?.mean_reward;
            let theirs = EpisodePoint {
                mean_reward,
                ..*ours
            };
            Some((*ours, theirs))
        });
        let (ours, theirs): (Vec<_>, Vec<_>) = shared.unzip();
        if ours.len() < FEWEST {
            return None;
        }
        let difference = Trend::fit(&ours)?.0.minus(&Trend::fit(&theirs)?.0)?;
        Some(Comparison::Slopes {
            strategy: reference.strategy.clone(),
            difference,
        })
    }

    /// The comparison in words: with its numbers or the reason for having none, and without. `so_far`
    /// is what a run that may still change adds.
    pub fn texts(&self, so_far: &str) -> (String, String) {
        let (strategy, difference) = match self {
            Comparison::Slopes {
                strategy,
                difference,
            } => (strategy, difference),
            Comparison::Impossible { run, reason } => {
                return (
                    format!("; not comparable with {run} ({reason})"),
                    format!("; not comparable with {run}"),
                );
            }
        };
        let words = if difference.ci95[0] > 0.0 {
            format!("better than {strategy}")
        } else if difference.ci95[1] < 0.0 {
            format!("worse than {strategy}")
        } else {
            format!("not told apart from {strategy}")
        };
        let [low, high] = difference.ci95;
        let digits = decimals((high - low) / 2.0, 2).max(4);
        let change = format!("{:+.digits$}", difference.per_episode);
        let numbers = format!("{change} per episode, {}", p_text(difference.p_value));
        (
            format!("; {words} ({numbers}){so_far}"),
            format!("; {words}{so_far}"),
        )
    }

    /// The first difference, if the two runs cannot be compared: `child.epochs` for `child.epochs
    /// is 1 there and 2 here; ...`.
    pub fn incomparable(&self) -> Option<&str> {
        match self {
            Comparison::Impossible { reason, .. } => Some(
                reason
                    .split([';', ',', ':'])
                    .next()?
                    .split(" is ")
                    .next()?
                    .trim(),
            ),
            Comparison::Slopes { .. } => None,
        }
    }
}

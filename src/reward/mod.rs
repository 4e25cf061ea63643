//! Turns the outcome of a child into its reward, which is defined for every outcome (paper, section
//! 4.1).

use serde::{Deserialize, Serialize};

use crate::config::{MacsPenalty, RewardConfig};

/// Why a skipped child has no accuracy.
pub const SKIPPED: &str = "skipped by a user before its first epoch had ended";

/// The outcome of one child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The child was trained.
    Trained {
        /// Validation accuracy after each epoch, each in 0..=1.
        valid_accuracies: Vec<f64>,
    },
    /// The child has no accuracy; the reason is shown and recorded in the journal.
    Failed {
        /// Explanation for the user.
        reason: String,
    },
    /// Nothing is known about the child: a user ended it during its first epoch, or its worker
    /// failed. It has no reward, because nothing can be learned from it.
    Excluded {
        /// Explanation for the user.
        reason: String,
    },
}

/// Accuracy of a child: the best validation accuracy of its last `last_epochs` epochs; `None` if it
/// failed.
pub fn accuracy(outcome: &Outcome, config: &RewardConfig) -> Option<f64> {
    let Outcome::Trained { valid_accuracies } = outcome else {
        return None;
    };
    let first = valid_accuracies.len().saturating_sub(config.last_epochs);
    valid_accuracies[first..]
        .iter()
        .copied()
        .filter(|accuracy| accuracy.is_finite())
        .reduce(f64::max)
}

/// Reward of a child with this number of multiply-accumulates: its accuracy raised to `power`,
/// times `(macs / target) ^ exponent` if there is a penalty and the number is known (not 0); 0 for
/// a child that failed; `None` for an excluded one.
pub fn reward(outcome: &Outcome, macs: u64, config: &RewardConfig) -> Option<f64> {
    if let Outcome::Excluded { .. } = outcome {
        return None;
    }
    let factor = match config.penalty {
        Some(MacsPenalty { target, exponent }) if macs > 0 => {
            (macs as f64 / target as f64).powf(exponent)
        }
        _ => 1.0,
    };
    let accuracy = accuracy(outcome, config);
    Some(accuracy.map_or(0.0, |accuracy| accuracy.powf(config.power) * factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAPER: RewardConfig = RewardConfig {
        last_epochs: 5,
        power: 3.0,
        penalty: None,
    };

    #[test]
    fn the_best_of_the_last_epochs_counts_and_earlier_ones_do_not() {
        let outcome = Outcome::Trained {
            valid_accuracies: vec![0.9, 0.1, 0.2, 0.5, 0.4, 0.3],
        };
        assert_eq!(accuracy(&outcome, &PAPER), Some(0.5));
        assert_eq!(reward(&outcome, 1, &PAPER), Some(0.125));
    }

    #[test]
    fn the_monographs_60_percent_is_its_cubed_accuracy() {
        let outcome = Outcome::Trained {
            valid_accuracies: vec![0.8456],
        };
        assert!((reward(&outcome, 1, &PAPER).unwrap() - 0.604637).abs() < 5e-7);
    }

    #[test]
    fn a_failed_child_has_reward_zero_and_no_accuracy() {
        let outcome = Outcome::Failed {
            reason: "loss is not finite".into(),
        };
        assert_eq!(
            (accuracy(&outcome, &PAPER), reward(&outcome, 1, &PAPER)),
            (None, Some(0.0))
        );
    }

    #[test]
    fn an_excluded_child_has_neither() {
        let outcome = Outcome::Excluded {
            reason: "its device failed".into(),
        };
        assert_eq!(
            (accuracy(&outcome, &PAPER), reward(&outcome, 1, &PAPER)),
            (None, None)
        );
    }

    #[test]
    fn a_child_with_more_macs_than_the_target_has_a_smaller_reward_and_the_same_accuracy() {
        let config = RewardConfig {
            penalty: Some(MacsPenalty {
                target: 1_000,
                exponent: -0.5,
            }),
            power: 1.0,
            ..PAPER
        };
        let outcome = Outcome::Trained {
            valid_accuracies: vec![0.8],
        };
        let rewards = [250, 1_000, 4_000].map(|macs| reward(&outcome, macs, &config).unwrap());
        assert_eq!(rewards, [1.6, 0.8, 0.4]);
        assert_eq!(accuracy(&outcome, &config), Some(0.8));
        let failed = Outcome::Failed { reason: "x".into() };
        assert_eq!(reward(&failed, 10, &config), Some(0.0));
    }
}

//! The reward that a child's reward is compared with: an exponential moving average of the rewards
//! of previous episodes.

use super::{Learned, StrategyError};

/// Exponential moving average of previous rewards (paper, section 3.2).
///
/// The average does not change during an episode, so that no reward is ever subtracted from itself;
/// the episode's rewards are added in child order when it is over: `b <- decay * b + (1 - decay) *
/// reward`. It starts after the first episode, at that episode's mean reward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    decay: f64,
    value: Option<f64>,
}

impl Baseline {
    /// A baseline without rewards. `decay` is in `0..1`.
    pub fn new(decay: f64) -> Self {
        Baseline { decay, value: None }
    }

    /// The average of the rewards of previous episodes; `None` before the end of the first episode.
    pub fn value(&self) -> Option<f64> {
        self.value
    }

    /// Continue from a saved value.
    ///
    /// # Errors
    /// If the value is not finite; the baseline is then unchanged.
    pub fn restore(&mut self, value: Option<f64>) -> Result<(), StrategyError> {
        if value.is_some_and(|value| !value.is_finite()) {
            return Err(StrategyError::Scalar {
                name: "baseline".to_owned(),
                reason: "not finite".to_owned(),
            });
        }
        self.value = value;
        Ok(())
    }

    /// Reward minus baseline for each child of an episode.
    ///
    /// The first episode has no previous rewards, so each child is compared with the mean reward of
    /// the *other* children. This is independent of the child's own choices, hence unbiased, and
    /// far less noisy than no baseline at all (leave-one-out: Mnih & Rezende 2016, "Variational
    /// inference for Monte Carlo objectives"; Kool, van Hoof & Welling 2019, "Buy 4 REINFORCE
    /// samples, get a baseline for free"). If the first episode has only one child, its baseline is
    /// 0.
    pub fn advantages(&self, rewards: &[f64]) -> Vec<f64> {
        let total: f64 = rewards.iter().sum();
        let others = rewards.len().saturating_sub(1).max(1) as f64;
        let alone = rewards.len() == 1;
        let baseline_of = |reward: f64| {
            self.value.unwrap_or(if alone {
                0.0
            } else {
                (total - reward) / others
            })
        };
        rewards
            .iter()
            .map(|&reward| reward - baseline_of(reward))
            .collect()
    }

    /// Account for a completed episode: the advantages with the old average, then the new average.
    pub fn end_episode(
        &mut self,
        rewards: &[f64],
        loss: Option<f64>,
        gradient_norm: Option<f64>,
    ) -> Learned {
        let advantages = self.advantages(rewards);
        let mean = rewards
            .iter()
            .zip(&advantages)
            .map(|(reward, advantage)| reward - advantage)
            .sum::<f64>()
            / rewards.len() as f64;
        let baseline = self.value.unwrap_or(mean);
        Learned {
            baseline: Some(baseline),
            next_baseline: Some(self.update(rewards)),
            advantages,
            loss,
            gradient_norm,
        }
    }

    /// Add the rewards of a completed episode in child order, and return the new average.
    pub fn update(&mut self, rewards: &[f64]) -> f64 {
        let next = match self.value {
            Some(value) => rewards.iter().fold(value, |value, reward| {
                self.decay * value + (1.0 - self.decay) * reward
            }),
            None if rewards.is_empty() => return 0.0,
            None => rewards.iter().sum::<f64>() / rewards.len() as f64,
        };
        self.value = Some(next);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_baseline_does_not_contain_the_rewards_it_is_subtracted_from() {
        let mut baseline = Baseline::new(0.5);
        baseline.update(&[0.2, 0.4]);
        let before = baseline.value().unwrap();
        for own in [0.0, 0.5, 1.0] {
            assert_eq!(baseline.advantages(&[own, 0.9])[0], own - before);
        }
    }

    #[test]
    fn in_the_first_episode_a_child_is_compared_with_the_mean_of_the_others() {
        let advantages = Baseline::new(0.9).advantages(&[0.5, 0.2, 0.4]);
        for (advantage, expected) in advantages.iter().zip([0.5 - 0.3, 0.2 - 0.45, 0.4 - 0.35]) {
            assert!((advantage - expected).abs() < 1e-12);
        }
        assert_eq!(Baseline::new(0.9).advantages(&[0.5]), [0.5]);
    }

    #[test]
    fn an_episodes_rewards_enter_the_average_in_child_order() {
        let mut baseline = Baseline::new(0.75);
        assert_eq!(baseline.value(), None);
        assert_eq!(baseline.update(&[0.25, 0.75]), 0.5);
        assert_eq!(baseline.update(&[1.0, 0.0]), (0.5 * 0.75 + 0.25) * 0.75);
    }

    #[test]
    fn the_decay_is_the_same_for_every_reward() {
        // Linear in the rewards: a decay scaled by the reward would make it quadratic.
        let after = |reward: f64| {
            let mut baseline = Baseline {
                decay: 0.8,
                value: Some(0.5),
            };
            baseline.update(&[reward])
        };
        let slopes =
            [0.0, 0.25, 0.5, 0.75].map(|reward| (after(reward + 0.25) - after(reward)) / 0.25);
        assert!(
            slopes.iter().all(|slope| (slope - 0.2).abs() < 1e-12),
            "{slopes:?}"
        );
    }

    #[test]
    fn a_saved_value_that_is_not_finite_is_refused() {
        let mut baseline = Baseline::new(0.9);
        assert!(
            baseline
                .restore(Some(f64::NAN))
                .unwrap_err()
                .to_string()
                .contains("`baseline`")
        );
        assert_eq!(baseline.value(), None);
    }
}

//! The baseline that is subtracted from the rewards of an episode.

use super::{Learned, Reward, StrategyError};
use crate::config::{BaselineKind, ControllerConfig};

/// The baseline that is subtracted from the rewards of an episode. No kind ever contains the reward
/// that it is subtracted from, so the gradient stays unbiased.
///
/// - `leave_one_out`: for each child the mean reward of the *other* children of its episode (Mnih
///   & Rezende 2016, "Variational inference for Monte Carlo objectives"; Kool, van Hoof & Welling
///   2019, "Buy 4 REINFORCE samples, get a baseline for free"). Whatever all children of an episode
///   share, such as their depth, cancels out.
/// - `moving_average`: an exponential moving average of the rewards of previous episodes (paper,
///   section 3.2). It is constant during an episode and then updated with the episode's rewards in
///   child order: `b <- decay * b + (1 - decay) * reward`. It starts at the mean reward of the first
///   episode, whose children are compared as with `leave_one_out`.
///
/// A failed child counts with a reward of one standard deviation below the worst of the episode's
/// other children: its own, 0, is so far below the rest that one failure would decide the update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    kind: BaselineKind,
    decay: f64,
    /// The moving average; `None` with `leave_one_out`.
    average: Option<f64>,
}

impl Baseline {
    /// That of the controller's settings, without rewards.
    pub fn of(config: &ControllerConfig) -> Self {
        Baseline::new(config.baseline, config.baseline_decay)
    }

    /// No rewards yet. `decay`, in `0..1`, is that of the moving average.
    pub fn new(kind: BaselineKind, decay: f64) -> Self {
        Baseline {
            kind,
            decay,
            average: None,
        }
    }

    /// The average of the rewards of previous episodes; `None` before the first episode has ended,
    /// and with `leave_one_out`.
    pub fn value(&self) -> Option<f64> {
        self.average
    }

    /// Continue from a saved value.
    ///
    /// # Errors
    /// If it is not finite; the baseline is then unchanged.
    pub fn restore(&mut self, value: Option<f64>) -> Result<(), StrategyError> {
        if value.is_some_and(|value| !value.is_finite()) {
            return Err(StrategyError::Scalar {
                name: "baseline".to_owned(),
                reason: "not finite".to_owned(),
            });
        }
        self.average = value.filter(|_| self.kind == BaselineKind::MovingAverage);
        Ok(())
    }

    /// Reward minus baseline for each child of an episode. A child that is alone has an advantage of
    /// 0 with `leave_one_out`, and a baseline of 0 in the first episode of a moving average.
    pub fn advantages(&self, rewards: &[Reward]) -> Vec<f64> {
        let rewards = floored(rewards);
        let total: f64 = rewards.iter().sum();
        let advantage = |&reward: &f64| match (self.average, rewards.len()) {
            (Some(average), _) => reward - average,
            (None, 1) if self.kind == BaselineKind::LeaveOneOut => 0.0,
            (None, 1) => reward,
            (None, children) => reward - (total - reward) / (children - 1) as f64,
        };
        rewards.iter().map(advantage).collect()
    }

    /// Account for a completed episode: the advantages with the old average, then the new average.
    pub fn end_episode(
        &mut self,
        rewards: &[Reward],
        loss: Option<f64>,
        gradient_norm: Option<f64>,
    ) -> Learned {
        let advantages = self.advantages(rewards);
        let taken = floored(rewards);
        let mean = taken
            .iter()
            .zip(&advantages)
            .map(|(reward, advantage)| reward - advantage)
            .sum::<f64>()
            / taken.len() as f64;
        let baseline = self.average.unwrap_or(mean);
        self.update(&taken);
        Learned {
            baseline: Some(baseline),
            next_baseline: self.average,
            advantages,
            loss,
            gradient_norm,
        }
    }

    /// Update the moving average with the rewards of a completed episode, in child order.
    fn update(&mut self, rewards: &[f64]) {
        if self.kind == BaselineKind::LeaveOneOut || rewards.is_empty() {
            return;
        }
        self.average = Some(match self.average {
            Some(value) => rewards.iter().fold(value, |value, reward| {
                self.decay * value + (1.0 - self.decay) * reward
            }),
            None => rewards.iter().sum::<f64>() / rewards.len() as f64,
        });
    }
}

/// The rewards to learn from: that of a failed child is raised to one standard deviation below the
/// worst of the others. It stays as it is if the others have no standard deviation.
fn floored(rewards: &[Reward]) -> Vec<f64> {
    let trained: Vec<f64> = rewards
        .iter()
        .filter(|reward| !reward.failed)
        .map(|reward| reward.value)
        .collect();
    let count = trained.len() as f64;
    let mean = trained.iter().sum::<f64>() / count;
    let squares: f64 = trained.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / (count - 1.0)).sqrt();
    let worst = trained.iter().copied().fold(f64::INFINITY, f64::min);
    let floor = if trained.len() > 1 && deviation > 0.0 {
        worst - deviation
    } else {
        f64::NEG_INFINITY
    };
    let of = |reward: &Reward| {
        if reward.failed {
            reward.value.max(floor)
        } else {
            reward.value
        }
    };
    rewards.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn average(decay: f64) -> Baseline {
        Baseline::new(BaselineKind::MovingAverage, decay)
    }

    fn left_out() -> Baseline {
        Baseline::new(BaselineKind::LeaveOneOut, 0.9)
    }

    fn trained<const N: usize>(rewards: [f64; N]) -> [Reward; N] {
        rewards.map(Reward::trained)
    }

    fn assert_close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn the_baseline_does_not_contain_the_rewards_it_is_subtracted_from() {
        let mut moving = average(0.5);
        moving.update(&[0.2, 0.4]);
        let before = moving.value().unwrap();
        let others = left_out();
        for own in [0.0, 0.5, 1.0] {
            assert_eq!(moving.advantages(&trained([own, 0.9]))[0], own - before);
            assert_close(
                &others.advantages(&trained([own, 0.9])),
                &[own - 0.9, 0.9 - own],
            );
        }
    }

    #[test]
    fn with_leave_one_out_a_child_is_compared_with_the_others_in_every_episode() {
        let mut others = left_out();
        let expected = [0.5 - 0.3, 0.2 - 0.45, 0.4 - 0.35];
        for _ in 0..2 {
            let learned = others.end_episode(&trained([0.5, 0.2, 0.4]), None, None);
            assert_close(&learned.advantages, &expected);
            assert_close(&[learned.baseline.unwrap()], &[1.1 / 3.0]);
            assert_eq!((learned.next_baseline, others.value()), (None, None));
        }
        assert_eq!(others.advantages(&trained([0.5])), [0.0]);
    }

    #[test]
    fn in_the_first_episode_of_a_moving_average_a_child_is_compared_with_the_others() {
        assert_close(
            &average(0.9).advantages(&trained([0.5, 0.2, 0.4])),
            &[0.5 - 0.3, 0.2 - 0.45, 0.4 - 0.35],
        );
        assert_eq!(average(0.9).advantages(&trained([0.5])), [0.5]);
    }

    #[test]
    fn an_episodes_rewards_enter_the_average_in_child_order() {
        let mut baseline = average(0.75);
        assert_eq!(baseline.value(), None);
        baseline.update(&[0.25, 0.75]);
        assert_eq!(baseline.value(), Some(0.5));
        baseline.update(&[1.0, 0.0]);
        assert_eq!(baseline.value(), Some((0.5 * 0.75 + 0.25) * 0.75));
    }

    #[test]
    fn the_decay_is_the_same_for_every_reward() {
        // Linear in the rewards: a decay scaled by the reward would make it quadratic.
        let after = |reward: f64| {
            let mut baseline = average(0.8);
            baseline.restore(Some(0.5)).unwrap();
            baseline.update(&[reward]);
            baseline.value().unwrap()
        };
        let slopes =
            [0.0, 0.25, 0.5, 0.75].map(|reward| (after(reward + 0.25) - after(reward)) / 0.25);
        assert!(
            slopes.iter().all(|slope| (slope - 0.2).abs() < 1e-12),
            "{slopes:?}"
        );
    }

    #[test]
    fn a_failed_child_counts_as_one_standard_deviation_below_the_worst_of_the_others() {
        let failed = Reward::failed(0.0);
        let rewards = [Reward::trained(0.7), failed, Reward::trained(0.8)];
        let deviation = 0.005f64.sqrt();
        assert_close(&floored(&rewards), &[0.7, 0.7 - deviation, 0.8]);
        let mut moving = average(0.9);
        moving.restore(Some(0.75)).unwrap();
        let advantages = moving.advantages(&rewards);
        assert_close(&advantages, &[-0.05, -0.05 - deviation, 0.05]);
    }

    #[test]
    fn a_failed_child_keeps_its_reward_if_the_others_have_no_standard_deviation() {
        let failed = Reward::failed(0.0);
        assert_eq!(floored(&[failed, failed]), [0.0, 0.0]);
        assert_eq!(floored(&[failed, Reward::trained(0.7)]), [0.0, 0.7]);
        let equal = [Reward::trained(0.7), failed, Reward::trained(0.7)];
        assert_eq!(floored(&equal), [0.7, 0.0, 0.7]);
        // Never below its reward.
        let wide = [Reward::trained(0.1), failed, Reward::trained(0.9)];
        assert_eq!(floored(&wide)[1], 0.0);
    }

    #[test]
    fn a_saved_value_that_is_not_finite_is_refused() {
        let mut baseline = average(0.9);
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

//! How much better the policy's children are than children drawn uniformly at the same depth (the
//! control arm): the one comparison in a single run that the growing depth cannot move.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::statistics::mean;

/// The first episode that counts: the children of episode 1 come from an untrained policy.
const FIRST_EPISODE: usize = 2;
/// Draws of the permutation test; its smallest p-value is one part in this many and one.
const PERMUTATIONS: usize = 9_999;

/// Rewards of one episode, by arm.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Arms {
    /// Number of the episode, from 1.
    pub episode: usize,
    /// Of the children that the policy sampled.
    pub policy: Vec<f64>,
    /// Of the children drawn uniformly at the same depth.
    pub controls: Vec<f64>,
}

/// Reward of the policy minus reward of the controls, averaged over the episodes from the second
/// on that have both.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PolicyLift {
    /// Mean over the episodes of the policy's mean reward minus the controls'.
    pub difference: f64,
    /// 95 % confidence interval, `[low, high]`, from the variance within episodes and arms, pooled
    /// (Student's t, as many degrees of freedom as that variance has).
    pub ci95: [f64; 2],
    /// Two-sided p-value: how often a random relabelling of children within their episodes gives a
    /// difference at least as large. Exact whatever the distribution of the rewards is.
    pub p_value: f64,
    /// Controls that were compared.
    pub controls: usize,
    /// Episodes that were compared.
    pub episodes: usize,
}

impl PolicyLift {
    /// `None` until an episode from the second on has both arms and one of the arms more than one
    /// child: until then nothing is known of the noise.
    pub fn of(episodes: &[Arms]) -> Option<PolicyLift> {
        let episodes: Vec<&Arms> = episodes.iter().filter(|arms| arms.counts()).collect();
        let degrees: usize = episodes.iter().map(|arms| arms.degrees()).sum();
        let count = episodes.len() as f64;
        let student = StudentsT::new(0.0, 1.0, degrees as f64).ok()?;
        let difference = episodes.iter().map(|arms| arms.difference()).sum::<f64>() / count;
        let squares: f64 = episodes.iter().map(|arms| arms.squares()).sum();
        let per_child: f64 = episodes.iter().map(|arms| arms.inverse_counts()).sum();
        let error = (squares / degrees as f64 * per_child).sqrt() / count;
        let half = error * student.inverse_cdf(0.975);
        Some(PolicyLift {
            difference,
            ci95: [difference - half, difference + half],
            p_value: permuted(&episodes, difference),
            controls: episodes.iter().map(|arms| arms.controls.len()).sum(),
            episodes: episodes.len(),
        })
    }
}

impl Arms {
    fn counts(&self) -> bool {
        self.episode >= FIRST_EPISODE && !self.policy.is_empty() && !self.controls.is_empty()
    }

    fn difference(&self) -> f64 {
        mean(&self.policy) - mean(&self.controls)
    }

    fn degrees(&self) -> usize {
        self.policy.len() + self.controls.len() - 2
    }

    /// Squared deviations from the means of the arms.
    fn squares(&self) -> f64 {
        let arms = [&self.policy, &self.controls];
        let deviations = arms.iter().map(|arm| {
            let mean = mean(arm);
            arm.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
        });
        deviations.sum()
    }

    fn inverse_counts(&self) -> f64 {
        1.0 / self.policy.len() as f64 + 1.0 / self.controls.len() as f64
    }
}

/// Share of relabellings whose difference is at least as far from zero as `observed`, itself
/// counted. The draws are the same each time, so that a p-value on the screen does not flicker.
fn permuted(episodes: &[&Arms], observed: f64) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut pools: Vec<(Vec<f64>, usize, f64)> = episodes
        .iter()
        .map(|arms| {
            let pool = [&arms.controls[..], &arms.policy[..]].concat();
            let total = pool.iter().sum();
            (pool, arms.controls.len(), total)
        })
        .collect();
    // Sums of the same numbers in another order differ in their last bits.
    let at_least = observed.abs() * (1.0 - 1e-12);
    let mut extreme = 1;
    for _ in 0..PERMUTATIONS {
        let differences = pools.iter_mut().map(|(pool, controls, total)| {
            for place in 0..*controls {
                let other = random.random_range(place..pool.len());
                pool.swap(place, other);
            }
            let drawn: f64 = pool[..*controls].iter().sum();
            (*total - drawn) / (pool.len() - *controls) as f64 - drawn / *controls as f64
        });
        let difference = differences.sum::<f64>() / episodes.len() as f64;
        extreme += usize::from(difference.abs() >= at_least);
    }
    extreme as f64 / (PERMUTATIONS + 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        name: String,
        policy: Vec<Vec<f64>>,
        controls: Vec<Vec<f64>>,
        difference: f64,
        ci95: [f64; 2],
        p_value: f64,
    }

    fn arms(policy: &[Vec<f64>], controls: &[Vec<f64>]) -> Vec<Arms> {
        let pairs = policy.iter().zip(controls).zip(1..);
        pairs
            .map(|((policy, controls), episode)| Arms {
                episode,
                policy: policy.clone(),
                controls: controls.clone(),
            })
            .collect()
    }

    #[test]
    fn lift_and_interval_agree_with_scipy_and_the_p_value_with_every_relabelling() {
        let text = include_str!("../../tests/fixtures/policy_lift.json");
        let cases: Vec<Case> = serde_json::from_str(text).unwrap();
        assert!(cases.len() >= 3);
        for case in cases {
            let lift = PolicyLift::of(&arms(&case.policy, &case.controls)).unwrap();
            let pairs = [
                (lift.difference, case.difference),
                (lift.ci95[0], case.ci95[0]),
                (lift.ci95[1], case.ci95[1]),
            ];
            for (ours, theirs) in pairs {
                assert!((ours - theirs).abs() < 1e-9, "{}: {pairs:?}", case.name);
            }
            let sampling_error = 4.0 * (case.p_value / PERMUTATIONS as f64).sqrt() + 1e-4;
            let apart = (lift.p_value - case.p_value).abs();
            assert!(apart < sampling_error, "{}: {}", case.name, lift.p_value);
        }
    }

    #[test]
    fn the_first_episode_does_not_count() {
        let (policy, controls) = (
            vec![vec![0.9, 0.8], vec![0.5, 0.6]],
            vec![vec![0.1], vec![0.5]],
        );
        let lift = PolicyLift::of(&arms(&policy, &controls)).unwrap();
        assert!((lift.difference - 0.05).abs() < 1e-12);
        assert_eq!((lift.controls, lift.episodes), (1, 1));
        assert_eq!(PolicyLift::of(&arms(&policy[..1], &controls[..1])), None);
    }

    #[test]
    fn an_episode_without_controls_or_without_a_policys_child_does_not_count() {
        let policy = [vec![], vec![0.5, 0.6], vec![], vec![0.5, 0.7]];
        let controls = [vec![], vec![], vec![0.4], vec![0.2]];
        let lift = PolicyLift::of(&arms(&policy, &controls)).unwrap();
        assert_eq!((lift.controls, lift.episodes), (1, 1));
        assert!((lift.difference - 0.4).abs() < 1e-12);
    }

    #[test]
    fn one_child_in_each_arm_says_nothing_of_the_noise() {
        let one = vec![vec![0.5]; 3];
        assert_eq!(PolicyLift::of(&arms(&one, &one)), None);
    }

    #[test]
    fn equal_rewards_are_no_difference() {
        let lift = PolicyLift::of(&arms(&vec![vec![0.5; 4]; 3], &vec![vec![0.5]; 3])).unwrap();
        assert_eq!((lift.difference, lift.p_value), (0.0, 1.0));
    }
}

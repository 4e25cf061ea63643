//! How much better the policy's children are than children drawn uniformly at the same depth (the
//! control arm): the one comparison within a run that the growing depth cannot move.
//!
//! The two arms have different variances: a policy that concentrates, well or badly, has a
//! smaller one, and an interval from a common variance would then miss the truth far too often.
//! How often each statement is false has been simulated (docs/STATISTICS.md).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::permutation::{p_value, relabel, statistic};
use super::statistics::{p_text, student_interval};
use crate::foundation::numbers::signed;
use crate::state::Arms;

/// The first episode that counts: the children of episode 1 come from an untrained policy.
const FIRST_EPISODE: usize = 2;
/// A difference that is shown as zero.
const SMALLEST: f64 = 0.000_5;
/// Number of draws of the permutation test; its smallest p-value is 1 / (draws + 1).
const PERMUTATIONS: usize = 9_999;
/// Maximum number of episodes relabelled in total, which limits the time for long runs.
const MOST_DRAWS: usize = 2_000_000;

/// Reward of the policy minus reward of the controls, averaged over the episodes from the second
/// on that have both.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PolicyLift {
    /// Mean over the episodes of the policy's mean reward minus the controls'.
    pub difference: f64,
    /// 95 % confidence interval, `[low, high]`: Welch's t. The policy's variance is the one within
    /// episodes, the controls' that about a straight line over the episodes (an episode may have a
    /// single control).
    pub ci95: [f64; 2],
    /// Two-sided p-value: how often a random relabelling of children within their episodes gives a
    /// difference at least as many standard errors from zero. Exact if the policy draws uniformly,
    /// and close to exact if it is merely no better than that (Janssen 1997).
    pub p_value: f64,
    /// Controls that were compared.
    pub controls: usize,
    /// Episodes that were compared.
    pub episodes: usize,
}

impl PolicyLift {
    /// `None` until the episodes that count tell how noisy each arm is: the policy needs two
    /// children in one episode, the controls three in two episodes or more.
    pub fn of(episodes: &[Arms]) -> Option<PolicyLift> {
        let episodes: Vec<EpisodeRewards> =
            episodes.iter().filter_map(EpisodeRewards::of).collect();
        let mut sums = EpisodeSums::default();
        episodes.iter().for_each(|episode| sums.add(episode));
        let (error, degrees) = sums.standard_error()?;
        let difference = sums.difference();
        Some(PolicyLift {
            difference,
            ci95: student_interval(difference, error, degrees)?,
            p_value: permuted(episodes, statistic(difference, error)),
            controls: sums.controls as usize,
            episodes: sums.episodes as usize,
        })
    }

    /// Whether interval and p-value agree that the difference is not zero. (They are different
    /// tests, so one may see a difference where the other does not.)
    pub fn is_clear(&self) -> bool {
        let [low, high] = self.ci95;
        self.p_value < 0.05 && (low > 0.0 || high < 0.0)
    }

    /// The policy's side of the controls, in words that follow the number.
    pub fn side(&self) -> &'static str {
        match self.difference {
            lift if lift.abs() < SMALLEST => " level with",
            _ if !self.is_clear() => ", not told apart from",
            lift if lift < 0.0 => " below",
            _ => " above",
        }
    }

    /// In a few characters, for lists of runs: `+0.21 p <0.001`, and `so far` until the run is
    /// completed.
    pub fn brief(&self, is_final: bool) -> String {
        let so_far = if is_final { "" } else { " so far" };
        // A small one would be nothing in two decimals.
        let decimals = if self.difference.abs() < 0.095 { 3 } else { 2 };
        let difference = signed(self.difference, decimals);
        format!("{difference} {}{so_far}", p_text(self.p_value))
    }
}

impl fmt::Display for PolicyLift {
    /// `policy +0.213 above random at equal depth (95 % +0.150 to +0.276, p <0.001, 9 controls)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PolicyLift {
            difference,
            ci95: [low, high],
            controls,
            ..
        } = self;
        let side = self.side();
        let p = p_text(self.p_value);
        write!(
            f,
            "policy {difference:+.3}{side} random at equal depth (95 % {low:+.3} to {high:+.3}, {p}, {controls} controls)"
        )
    }
}

/// The rewards of an episode, the controls' first.
struct EpisodeRewards {
    episode: f64,
    rewards: Vec<f64>,
    controls: usize,
    total: f64,
    squares: f64,
}

impl EpisodeRewards {
    fn of(arms: &Arms) -> Option<EpisodeRewards> {
        let empty = arms.policy.is_empty() || arms.controls.is_empty();
        (arms.episode >= FIRST_EPISODE && !empty).then(|| {
            let rewards = [&arms.controls[..], &arms.policy[..]].concat();
            EpisodeRewards {
                episode: arms.episode as f64,
                controls: arms.controls.len(),
                total: rewards.iter().sum(),
                squares: rewards.iter().map(|reward| reward * reward).sum(),
                rewards,
            }
        })
    }
}

/// What difference and standard error need of the episodes.
#[derive(Default)]
struct EpisodeSums {
    episodes: f64,
    differences: f64,
    /// Sums over the episodes of one part in the number of children, by arm.
    policy_parts: f64,
    control_parts: f64,
    policy_degrees: f64,
    policy_squares: f64,
    controls: f64,
    // Sums for the controls' straight line; x is the episode, y the reward.
    x: f64,
    xx: f64,
    y: f64,
    xy: f64,
    yy: f64,
}

impl EpisodeSums {
    fn add(&mut self, episode: &EpisodeRewards) {
        let controls = &episode.rewards[..episode.controls];
        let (n, count) = (
            (episode.rewards.len() - episode.controls) as f64,
            episode.controls as f64,
        );
        let y: f64 = controls.iter().sum();
        let yy: f64 = controls.iter().map(|reward| reward * reward).sum();
        let policy = episode.total - y;
        self.episodes += 1.0;
        self.differences += policy / n - y / count;
        self.policy_parts += 1.0 / n;
        self.control_parts += 1.0 / count;
        self.policy_degrees += n - 1.0;
        self.policy_squares += (episode.squares - yy - policy * policy / n).max(0.0);
        self.controls += count;
        self.x += count * episode.episode;
        self.xx += count * episode.episode.powi(2);
        self.y += y;
        self.xy += episode.episode * y;
        self.yy += yy;
    }

    fn difference(&self) -> f64 {
        let difference = self.differences / self.episodes;
        // What is left of equal rewards, which sums of them differ by.
        if difference.abs() < 1e-12 {
            0.0
        } else {
            difference
        }
    }

    /// Standard error of the difference, and its degrees of freedom (Satterthwaite).
    fn standard_error(&self) -> Option<(f64, f64)> {
        let spread = self.xx - self.x.powi(2) / self.controls;
        let degrees = self.controls - 2.0;
        if self.policy_degrees < 1.0 || degrees < 1.0 || spread <= 0.0 {
            return None;
        }
        let slope = self.xy - self.x * self.y / self.controls;
        let residual = self.yy - self.y.powi(2) / self.controls - slope.powi(2) / spread;
        let of_arm = |squares: f64, degrees: f64, parts: f64| {
            squares.max(0.0) / degrees * parts / self.episodes.powi(2)
        };
        let policy = of_arm(self.policy_squares, self.policy_degrees, self.policy_parts);
        let control = of_arm(residual, degrees, self.control_parts);
        let variance = policy + control;
        let pooled = policy.powi(2) / self.policy_degrees + control.powi(2) / degrees;
        let degrees = match pooled > 0.0 {
            true => variance.powi(2) / pooled,
            false => self.policy_degrees + degrees,
        };
        Some((variance.sqrt(), degrees))
    }
}

fn permuted(mut episodes: Vec<EpisodeRewards>, observed: f64) -> f64 {
    let draws = PERMUTATIONS.min(MOST_DRAWS / episodes.len().max(1)).max(99);
    p_value(observed, draws, |random| {
        let mut sums = EpisodeSums::default();
        for episode in &mut episodes {
            relabel(&mut episode.rewards, episode.controls, random);
            sums.add(episode);
        }
        let error = sums.standard_error().map_or(0.0, |(error, _)| error);
        statistic(sums.difference(), error)
    })
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
                depths: (6, 6),
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
        let policy = [
            vec![9.0, 8.0],
            vec![0.5, 0.6],
            vec![0.4, 0.3],
            vec![0.6, 0.4],
        ];
        let controls = [vec![0.1], vec![0.5], vec![0.25], vec![0.5]];
        let lift = PolicyLift::of(&arms(&policy, &controls)).unwrap();
        assert!((lift.difference - 0.05).abs() < 1e-12);
        assert_eq!((lift.controls, lift.episodes), (3, 3));
    }

    #[test]
    fn an_episode_without_controls_or_without_a_policys_child_does_not_count() {
        let counting = (vec![0.5, 0.6], vec![0.15]);
        let (mut policy, mut controls) = (vec![vec![]; 2], vec![vec![]; 2]);
        for _ in 0..3 {
            policy.extend([counting.0.clone(), vec![], vec![0.9, 0.8]]);
            controls.extend([counting.1.clone(), vec![0.4], vec![]]);
        }
        let lift = PolicyLift::of(&arms(&policy, &controls)).unwrap();
        assert_eq!((lift.controls, lift.episodes), (3, 3));
        assert!((lift.difference - 0.4).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_said_before_the_noise_of_both_arms_is_known() {
        let one = vec![vec![0.5]; 5];
        let two = vec![vec![0.5, 0.6]; 5];
        assert_eq!(PolicyLift::of(&arms(&one, &two)), None);
        assert_eq!(PolicyLift::of(&arms(&two[..3], &one[..3])), None);
        assert!(PolicyLift::of(&arms(&two[..4], &one[..4])).is_some());
        assert!(PolicyLift::of(&arms(&two[..3], &two[..3])).is_some());
    }

    #[test]
    fn the_text_names_both_sides_with_interval_p_value_and_controls() {
        let lift = PolicyLift {
            difference: -0.05,
            ci95: [-0.1, 0.0004],
            p_value: 0.052,
            controls: 9,
            episodes: 9,
        };
        assert_eq!(
            lift.to_string(),
            "policy -0.050, not told apart from random at equal depth (95 % -0.100 to +0.000, p 0.052, 9 controls)"
        );
        let clear = PolicyLift {
            ci95: [-0.1, -0.001],
            p_value: 0.042,
            ..lift
        };
        assert!(
            clear
                .to_string()
                .starts_with("policy -0.050 below random at equal depth (95 % ")
        );
        let contradicted = PolicyLift {
            p_value: 0.06,
            ..clear
        };
        assert_eq!(contradicted.side(), ", not told apart from");
    }

    #[test]
    fn equal_rewards_are_no_difference() {
        let lift = PolicyLift::of(&arms(&vec![vec![0.5; 4]; 4], &vec![vec![0.5]; 4])).unwrap();
        assert_eq!((lift.difference, lift.p_value), (0.0, 1.0));
        assert_eq!(lift.side(), " level with");
        let lift = PolicyLift::of(&arms(&vec![vec![0.1; 3]; 5], &vec![vec![0.1]; 5])).unwrap();
        assert_eq!(lift.brief(true), "0.000 p 1.00", "rounding errors are none");
        assert_eq!(lift.brief(false), "0.000 p 1.00 so far");
        let brief = |difference| PolicyLift { difference, ..lift }.brief(true);
        assert_eq!(
            [0.213, -0.0038].map(brief),
            ["+0.21 p 1.00", "-0.004 p 1.00"]
        );
    }
}

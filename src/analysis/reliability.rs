//! How much of the reward's variance is due to the network and how much is training noise, from
//! networks that were each trained several times.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, FisherSnedecor, Normal, StudentsT};

use super::statistics::mean;

/// One-way random-effects analysis of variance of rewards, grouped by network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Number of networks trained.
    pub networks: usize,
    /// Number of trainings per network.
    pub trainings: usize,
    /// Intraclass correlation, ICC(1): the share of a single training's variance that the network
    /// explains; 0 if chance alone would give as much or more.
    pub intraclass_correlation: f64,
    /// 95 % interval of it (Shrout & Fleiss 1979), limited to 0..=1.
    pub ci95: [f64; 2],
    /// Standard deviation of the rewards of a single network.
    pub noise: f64,
    /// Standard deviation of the networks' true rewards.
    pub spread: f64,
    /// p-value of the F test of the hypothesis that the networks do not differ.
    pub p_value: f64,
}

impl Reliability {
    /// Reliability from `groups`, the rewards of each network. `None` for fewer than two networks
    /// or trainings, unequal numbers of trainings, and rewards that do not vary at all.
    pub fn of(groups: &[Vec<f64>]) -> Option<Reliability> {
        let (k, n) = (groups.first()?.len(), groups.len());
        if n < 2 || k < 2 || groups.iter().any(|group| group.len() != k) {
            return None;
        }
        let first = groups[0][0];
        if groups.iter().flatten().all(|reward| *reward == first) {
            return None;
        }
        let means: Vec<f64> = groups.iter().map(|group| mean(group)).collect();
        let grand = mean(&means);
        let (trainings, networks) = (k as f64, n as f64);
        let (between_degrees, within_degrees) = (networks - 1.0, networks * (trainings - 1.0));
        let between = trainings * means.iter().map(|mean| (mean - grand).powi(2)).sum::<f64>()
            / between_degrees;
        let squares = groups
            .iter()
            .zip(&means)
            .flat_map(|(group, mean)| group.iter().map(move |reward| (reward - mean).powi(2)));
        let within = squares.sum::<f64>() / within_degrees;
        let (f, table) = (
            between / within,
            FisherSnedecor::new(between_degrees, within_degrees).ok()?,
        );
        let mirrored = FisherSnedecor::new(within_degrees, between_degrees).ok()?;
        let correlation = |f: f64| match f.is_finite() {
            true => ((f - 1.0) / (f + trainings - 1.0)).clamp(0.0, 1.0),
            false => 1.0,
        };
        Some(Reliability {
            networks: n,
            trainings: k,
            intraclass_correlation: correlation(f),
            ci95: [
                correlation(f / table.inverse_cdf(0.975)),
                correlation(f * mirrored.inverse_cdf(0.975)),
            ],
            noise: within.sqrt(),
            spread: ((between - within) / trainings).max(0.0).sqrt(),
            p_value: if f.is_finite() { table.sf(f) } else { 0.0 },
        })
    }

    /// Number of children that each of two arms needs to detect a difference of `difference` in the
    /// mean reward with the given power, at a two-sided level of 5 %, if each child is a new
    /// network trained once: the least n with difference ≥ (t(0.975) + t(power)) √(2 variance / n),
    /// for Student's t with 2n - 2 degrees of freedom. `None` if no number is enough.
    pub fn children_for(&self, difference: f64, power: f64) -> Option<u64> {
        let normal = Normal::standard();
        let quantiles = normal.inverse_cdf(0.975) + normal.inverse_cdf(power);
        let variance = self.noise.powi(2) + self.spread.powi(2);
        let needed = |quantiles: f64| 2.0 * variance * (quantiles / difference).powi(2);
        let least = needed(quantiles);
        if !least.is_finite() || least >= 1e15 {
            return None;
        }
        // Student's t has fatter tails, which matters for few children only.
        let few = (least.ceil() as u64).max(2)..=1_000;
        let by_student = few.into_iter().find(|children| {
            StudentsT::new(0.0, 1.0, (2 * children - 2) as f64).is_ok_and(|student| {
                let quantiles = student.inverse_cdf(0.975) + student.inverse_cdf(power);
                needed(quantiles) <= *children as f64
            })
        });
        by_student.or(Some(least.ceil() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        groups: Vec<Vec<f64>>,
        intraclass_correlation: f64,
        ci95: [f64; 2],
        p_value: f64,
    }

    #[test]
    fn correlation_interval_and_p_value_agree_with_scipy() {
        let text = include_str!("../../tests/fixtures/reliability.json");
        let cases: Vec<Case> = serde_json::from_str(text).unwrap();
        assert!(cases.len() >= 4);
        for case in cases {
            let ours = Reliability::of(&case.groups).unwrap();
            let pairs = [
                (ours.intraclass_correlation, case.intraclass_correlation),
                (ours.ci95[0], case.ci95[0]),
                (ours.ci95[1], case.ci95[1]),
                (ours.p_value, case.p_value),
            ];
            for (ours, theirs) in pairs {
                assert!((ours - theirs).abs() < 1e-6, "{pairs:?}");
            }
        }
    }

    #[test]
    fn networks_that_always_give_the_same_reward_are_distinguished_with_certainty() {
        let reliability = Reliability::of(&[vec![0.5; 2], vec![0.75; 2]]).unwrap();
        assert_eq!(reliability.intraclass_correlation, 1.0);
        assert_eq!((reliability.noise, reliability.p_value), (0.0, 0.0));
    }

    #[test]
    fn one_network_or_one_training_says_nothing() {
        assert_eq!(Reliability::of(&[vec![0.5, 0.6]]), None);
        assert_eq!(Reliability::of(&[vec![0.5], vec![0.6]]), None);
        assert_eq!(Reliability::of(&[vec![0.5, 0.6], vec![0.6]]), None);
        // Their mean differs from 0.1 in the last bit.
        assert_eq!(Reliability::of(&[vec![0.1; 3], vec![0.1; 3]]), None);
    }

    #[test]
    fn a_difference_of_half_a_standard_deviation_needs_64_children_for_80_percent_power() {
        let reliability = Reliability {
            networks: 2,
            trainings: 2,
            intraclass_correlation: 0.36,
            ci95: [0.0, 1.0],
            noise: 0.8,
            spread: 0.6,
            p_value: 0.5,
        };
        // As exact calculations have it (Cohen 1988, table 2.4.1): 64, 26 and 17 for d = 0.5, 0.8 and 1.
        let needed = [0.5, 0.8, 1.0].map(|lift| reliability.children_for(lift, 0.8));
        assert_eq!(needed, [Some(64), Some(26), Some(17)]);
        // Without at least two in each arm there is no variance.
        assert_eq!(reliability.children_for(1e3, 0.8), Some(2));
        assert_eq!(reliability.children_for(0.0, 0.8), None);
    }
}

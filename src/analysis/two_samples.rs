//! The difference between the means of two independent samples: an interval and a p-value.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::statistics::mean;

/// Number of draws of the permutation test; its smallest p-value is 1 / (draws + 1).
const PERMUTATIONS: usize = 99_999;
/// Maximum number of values relabelled in total, which limits the time for large samples.
const MOST_DRAWN: usize = 20_000_000;

/// The mean of one sample minus the mean of another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Difference of the means.
    pub difference: f64,
    /// 95 % interval `[low, high]`: Welch's t, which allows for different variances.
    pub ci95: [f64; 2],
    /// Two-sided p-value: how often a random relabelling gives a difference that is at least as
    /// many standard errors from zero (Janssen 1997).
    pub p_value: f64,
}

impl Difference {
    /// From two samples of at least two values each; `None` if one is smaller.
    pub fn of(ours: &[f64], theirs: &[f64]) -> Option<Difference> {
        let welch = Welch::of(ours, theirs)?;
        let half = match welch.degrees {
            Some(degrees) => {
                let student = StudentsT::new(0.0, 1.0, degrees).ok()?;
                welch.error * student.inverse_cdf(0.975)
            }
            None => 0.0,
        };
        Some(Difference {
            difference: welch.difference,
            ci95: [welch.difference - half, welch.difference + half],
            p_value: permuted(ours, theirs, welch.statistic()),
        })
    }
}

/// Welch's t.
struct Welch {
    difference: f64,
    error: f64,
    /// `None` if neither sample varies.
    degrees: Option<f64>,
}

impl Welch {
    fn of(ours: &[f64], theirs: &[f64]) -> Option<Welch> {
        if ours.len() < 2 || theirs.len() < 2 {
            return None;
        }
        let part = |values: &[f64]| {
            let (mean, n) = (mean(values), values.len() as f64);
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            squares / (n - 1.0) / n
        };
        let (one, two) = (part(ours), part(theirs));
        let degrees = (one + two).powi(2)
            / (one.powi(2) / (ours.len() - 1) as f64 + two.powi(2) / (theirs.len() - 1) as f64);
        Some(Welch {
            difference: mean(ours) - mean(theirs),
            error: (one + two).sqrt(),
            degrees: degrees.is_finite().then_some(degrees),
        })
    }

    /// The difference in standard errors.
    fn statistic(&self) -> f64 {
        match self.difference == 0.0 {
            true => 0.0,
            false => (self.difference / self.error).abs(),
        }
    }
}

/// Share of relabellings whose statistic is at least `observed`, including the observed one. The
/// draws are always the same, so that equal samples have equal p-values.
fn permuted(ours: &[f64], theirs: &[f64], observed: f64) -> f64 {
    let mut pool = [ours, theirs].concat();
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let draws = PERMUTATIONS.min(MOST_DRAWN / pool.len()).max(99);
    // Sums of the same numbers in another order differ in their last bits.
    let at_least = observed * (1.0 - 1e-9);
    let mut extreme = 1_u32;
    for _ in 0..draws {
        for place in 0..ours.len() {
            let other = random.random_range(place..pool.len());
            pool.swap(place, other);
        }
        let (one, two) = pool.split_at(ours.len());
        let statistic = Welch::of(one, two).map_or(0.0, |welch| welch.statistic());
        extreme += u32::from(statistic >= at_least);
    }
    f64::from(extreme) / (draws + 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        name: String,
        ours: Vec<f64>,
        theirs: Vec<f64>,
        difference: f64,
        ci95: [f64; 2],
        p_value: f64,
    }

    #[test]
    fn difference_and_interval_agree_with_scipy_and_the_p_value_with_every_relabelling() {
        let text = include_str!("../../tests/fixtures/two_samples.json");
        let cases: Vec<Case> = serde_json::from_str(text).unwrap();
        assert!(cases.len() >= 3);
        for case in cases {
            let found = Difference::of(&case.ours, &case.theirs).unwrap();
            let pairs = [
                (found.difference, case.difference),
                (found.ci95[0], case.ci95[0]),
                (found.ci95[1], case.ci95[1]),
            ];
            for (ours, theirs) in pairs {
                assert!((ours - theirs).abs() < 1e-9, "{}: {pairs:?}", case.name);
            }
            let sampling_error = 4.0 * (case.p_value / PERMUTATIONS as f64).sqrt() + 1e-4;
            let apart = (found.p_value - case.p_value).abs();
            assert!(apart < sampling_error, "{}: {}", case.name, found.p_value);
        }
    }

    #[test]
    fn samples_that_do_not_vary_have_an_exact_difference() {
        let found = Difference::of(&[0.5; 8], &[0.25; 8]).unwrap();
        assert_eq!((found.difference, found.ci95), (0.25, [0.25; 2]));
        assert!(found.p_value < 0.001);
        assert_eq!(Difference::of(&[0.5; 4], &[0.5; 4]).unwrap().p_value, 1.0);
    }

    #[test]
    fn one_value_says_nothing_of_a_variance() {
        assert_eq!(Difference::of(&[0.5], &[0.4, 0.6]), None);
    }
}

//! The difference between the means of two independent samples: an interval and a p-value.

use serde::{Deserialize, Serialize};

use super::permutation::{p_value, relabel, statistic};
use super::statistics::{mean, squares, student_interval};

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
        let ci95 = match welch.degrees {
            Some(degrees) => student_interval(welch.difference, welch.error, degrees)?,
            None => [welch.difference; 2],
        };
        Some(Difference {
            difference: welch.difference,
            ci95,
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
            let n = values.len() as f64;
            squares(values) / (n - 1.0) / n
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

    fn statistic(&self) -> f64 {
        statistic(self.difference, self.error)
    }
}

fn permuted(ours: &[f64], theirs: &[f64], observed: f64) -> f64 {
    let mut pool = [ours, theirs].concat();
    let draws = PERMUTATIONS.min(MOST_DRAWN / pool.len()).max(99);
    p_value(observed, draws, |random| {
        relabel(&mut pool, ours.len(), random);
        let (one, two) = pool.split_at(ours.len());
        Welch::of(one, two).map_or(0.0, |welch| welch.statistic())
    })
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

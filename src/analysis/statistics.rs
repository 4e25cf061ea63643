//! Ordinary least squares over a run's episodes (does the controller learn?), means and quartiles.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Slope of a straight line through one value per episode, by ordinary least squares, with its
/// uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// Change per episode.
    pub per_episode: f64,
    /// 95 % confidence interval of the slope, `[low, high]`: the slope plus and minus its standard
    /// error times the 0.975 quantile of Student's t with n - 2 degrees of freedom.
    pub ci95: [f64; 2],
    /// Two-sided p-value: the probability of a slope at least as steep, up or down, if the true
    /// slope were zero.
    pub p_value: f64,
}

/// A straight line fitted to points, as far as its slope is concerned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineFit {
    /// Slope: change per episode.
    pub per_episode: f64,
    /// Standard error of the slope.
    pub standard_error: f64,
    /// Degrees of freedom: the number of points minus those of intercepts and of the slope.
    pub degrees: f64,
}

impl LineFit {
    /// Fit a line through `values` at `positions` by ordinary least squares. `None` for fewer than
    /// 3 points (which leave no degree of freedom), for points at a single position, and for
    /// numbers that are not finite.
    pub fn of(positions: &[f64], values: &[f64]) -> Option<LineFit> {
        LineFit::within(&vec![(); positions.len()], positions, values)
    }

    /// Fit lines with a common slope and an intercept for each stratum (analysis of covariance):
    /// the slope is that of positions and values minus their means within the stratum. `None` under
    /// the same conditions as [`LineFit::of`], and if no stratum has two positions.
    pub fn within<S: Ord>(strata: &[S], positions: &[f64], values: &[f64]) -> Option<LineFit> {
        let n = positions.len();
        let mut numbers = positions.iter().chain(values);
        if n != values.len() || n != strata.len() || !numbers.all(|number| number.is_finite()) {
            return None;
        }
        let mut groups: BTreeMap<&S, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
        for ((stratum, x), y) in strata.iter().zip(positions).zip(values) {
            let (xs, ys) = groups.entry(stratum).or_default();
            xs.push(*x);
            ys.push(*y);
        }
        let degrees = n.checked_sub(groups.len() + 1).filter(|left| *left > 0)? as f64;
        let largest = values.iter().fold(0.0, |most: f64, y| most.max(y.abs()));
        // What rounding the mean leaves of equal values is no difference.
        let apart = |y: f64, mean: f64| match (y - mean).abs() <= 1e-12 * largest {
            true => 0.0,
            false => y - mean,
        };
        let centred: Vec<(f64, f64)> = groups
            .values()
            .flat_map(|(xs, ys)| {
                let (mean_x, mean_y) = (mean(xs), mean(ys));
                let pairs = xs.iter().zip(ys);
                pairs.map(move |(x, y)| (x - mean_x, apart(*y, mean_y)))
            })
            .collect();
        let spread: f64 = centred.iter().map(|(x, _)| x.powi(2)).sum();
        if spread == 0.0 {
            return None;
        }
        let per_episode = centred.iter().map(|(x, y)| x * y).sum::<f64>() / spread;
        let residuals = centred.iter().map(|(x, y)| (y - per_episode * x).powi(2));
        let residual: f64 = residuals.sum();
        Some(LineFit {
            per_episode,
            standard_error: (residual / degrees / spread).sqrt(),
            degrees,
        })
    }

    /// The slope with its interval and p-value.
    pub fn slope(&self) -> Option<Slope> {
        judge(self.per_episode, self.standard_error, self.degrees)
    }

    /// The difference between two independent slopes: its squared standard error is the sum of
    /// theirs, because the runs are independent, and their variances are not assumed to be equal
    /// (Welch's t; degrees of freedom by Satterthwaite).
    pub fn minus(&self, other: &LineFit) -> Option<Slope> {
        let (one, two) = (self.standard_error.powi(2), other.standard_error.powi(2));
        let variance = one + two;
        let pooled = one.powi(2) / self.degrees + two.powi(2) / other.degrees;
        let degrees = if pooled > 0.0 {
            variance.powi(2) / pooled
        } else {
            self.degrees + other.degrees
        };
        judge(
            self.per_episode - other.per_episode,
            variance.sqrt(),
            degrees,
        )
    }
}

/// The slope of a line through `values` at `positions`; `None` if there is no [`LineFit`].
pub fn slope(positions: &[f64], values: &[f64]) -> Option<Slope> {
    LineFit::of(positions, values)?.slope()
}

fn judge(per_episode: f64, standard_error: f64, degrees: f64) -> Option<Slope> {
    let student = StudentsT::new(0.0, 1.0, degrees).ok()?;
    let p_value = match (standard_error, per_episode) {
        (0.0, 0.0) => 1.0,
        (0.0, _) => 0.0,
        _ => 2.0 * student.cdf(-(per_episode / standard_error).abs()),
    };
    Some(Slope {
        per_episode,
        ci95: student_interval(per_episode, standard_error, degrees)?,
        p_value,
    })
}

/// Mean of independent values with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeanInterval {
    /// Arithmetic mean.
    pub mean: f64,
    /// 95 % interval of the mean, `[low, high]`: Student's t.
    pub ci95: [f64; 2],
    /// Standard deviation of the values.
    pub deviation: f64,
    /// Number of values.
    pub count: usize,
}

impl MeanInterval {
    /// From at least two values; `None` if there are fewer.
    pub fn of(values: &[f64]) -> Option<MeanInterval> {
        let (count, n) = (values.len(), values.len() as f64);
        if count < 2 {
            return None;
        }
        let mean = mean(values);
        let deviation = (squares(values) / (n - 1.0)).sqrt();
        Some(MeanInterval {
            mean,
            ci95: student_interval(mean, deviation / n.sqrt(), n - 1.0)?,
            deviation,
            count,
        })
    }
}

/// A p-value rounded for display: `p <0.001`, `p 0.047` (three decimals near 0.05), `p 0.31`.
pub fn p_text(p_value: f64) -> String {
    match p_value {
        p if p < 0.001 => "p <0.001".to_owned(),
        p if p < 0.1 => format!("p {p:.3}"),
        p => format!("p {p:.2}"),
    }
}

/// The 95 % interval around `estimate`, `[low, high]`: the estimate plus and minus its standard
/// error times the 0.975 quantile of Student's t. `None` without a degree of freedom.
pub fn student_interval(estimate: f64, standard_error: f64, degrees: f64) -> Option<[f64; 2]> {
    let student = StudentsT::new(0.0, 1.0, degrees).ok()?;
    let half = standard_error * student.inverse_cdf(0.975);
    Some([estimate - half, estimate + half])
}

/// Sum of the squared distances from the mean.
pub fn squares(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

/// Arithmetic mean; 0 if there are no values.
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        0.0
    } else {
        values.iter().sum::<f64>() / values.len() as f64
    }
}

/// First quartile, median and third quartile, interpolated linearly between two values (type 7 of
/// Hyndman & Fan, 1996, as in NumPy).
pub fn quartiles(values: &mut [f64]) -> Option<[f64; 3]> {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some([0.25, 0.5, 0.75].map(|share| {
        let position = share * last as f64;
        let (below, above) = (position.floor() as usize, position.ceil() as usize);
        values[below] + (values[above] - values[below]) * position.fract()
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        name: String,
        positions: Vec<f64>,
        values: Vec<f64>,
        per_episode: f64,
        ci95: [f64; 2],
        p_value: f64,
    }

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() <= 1e-9 * other.abs().max(1e-3)
    }

    #[test]
    fn slope_interval_and_p_value_agree_with_scipy() {
        let text = include_str!("../../tests/fixtures/regression.json");
        let cases: Vec<Case> = serde_json::from_str(text).unwrap();
        assert!(cases.len() >= 5);
        for case in cases {
            let slope = slope(&case.positions, &case.values).unwrap();
            let pairs = [
                (slope.per_episode, case.per_episode),
                (slope.ci95[0], case.ci95[0]),
                (slope.ci95[1], case.ci95[1]),
                (slope.p_value, case.p_value),
            ];
            assert!(
                pairs.iter().all(|(ours, theirs)| close(*ours, *theirs)),
                "{}: {pairs:?}",
                case.name
            );
        }
    }

    #[derive(Deserialize)]
    struct Grown {
        name: String,
        depths: Vec<usize>,
        positions: Vec<f64>,
        values: Vec<f64>,
        slope: f64,
        ci95: [f64; 2],
        p_value: f64,
        degrees: f64,
    }

    #[test]
    fn the_slope_at_equal_depth_agrees_with_least_squares_over_indicators_of_depth() {
        let text = include_str!("../../tests/fixtures/slope_at_equal_depth.json");
        let cases: Vec<Grown> = serde_json::from_str(text).unwrap();
        assert!(cases.len() >= 4);
        for case in cases {
            let fit = LineFit::within(&case.depths, &case.positions, &case.values).unwrap();
            let slope = fit.slope().unwrap();
            let pairs = [
                (slope.per_episode, case.slope),
                (slope.ci95[0], case.ci95[0]),
                (slope.ci95[1], case.ci95[1]),
                (slope.p_value, case.p_value),
                (fit.degrees, case.degrees),
            ];
            assert!(
                pairs.iter().all(|(ours, theirs)| close(*ours, *theirs)),
                "{}: {pairs:?}",
                case.name
            );
        }
    }

    #[derive(Deserialize)]
    struct Pair {
        name: String,
        positions: Vec<f64>,
        ours: Vec<f64>,
        theirs: Vec<f64>,
        difference: f64,
        ci95: [f64; 2],
        p_value: f64,
    }

    #[test]
    fn the_difference_of_two_slopes_agrees_with_welchs_test_of_scipy() {
        let pairs: Vec<Pair> =
            serde_json::from_str(include_str!("../../tests/fixtures/slope_difference.json"))
                .unwrap();
        assert!(pairs.len() >= 4);
        for pair in pairs {
            let fit = |values: &[f64]| LineFit::of(&pair.positions, values).unwrap();
            let difference = fit(&pair.ours).minus(&fit(&pair.theirs)).unwrap();
            let numbers = [
                (difference.per_episode, pair.difference),
                (difference.ci95[0], pair.ci95[0]),
                (difference.ci95[1], pair.ci95[1]),
                (difference.p_value, pair.p_value),
            ];
            assert!(
                numbers.iter().all(|(ours, theirs)| close(*ours, *theirs)),
                "{}: {numbers:?}",
                pair.name
            );
        }
    }

    #[test]
    fn the_interval_of_a_mean_agrees_with_scipy() {
        // stats.t.interval(0.95, 4, numpy.mean(x), stats.sem(x))
        let found = MeanInterval::of(&[0.91, 0.905, 0.914, 0.9, 0.911]).unwrap();
        let pairs = [
            (found.mean, 0.908),
            (found.ci95[0], 0.9011426864388976),
            (found.ci95[1], 0.9148573135611024),
        ];
        assert!(
            pairs.iter().all(|(ours, theirs)| close(*ours, *theirs)),
            "{pairs:?}"
        );
        assert_eq!(MeanInterval::of(&[0.9]), None);
    }

    #[test]
    fn quartiles_are_numpys() {
        assert_eq!(
            quartiles(&mut [4.0, 1.0, 3.0, 2.0]),
            Some([1.75, 2.5, 3.25])
        );
        assert_eq!(quartiles(&mut [7.0]), Some([7.0; 3]));
        assert_eq!(quartiles(&mut []), None);
    }

    #[test]
    fn two_episodes_say_nothing_about_a_slope() {
        assert_eq!(slope(&[1.0, 2.0], &[0.1, 0.9]), None);
        assert_eq!(slope(&[2.0, 2.0, 2.0], &[0.1, 0.2, 0.3]), None);
    }

    #[test]
    fn a_perfect_line_is_certain_and_a_flat_one_has_no_slope() {
        let line = slope(&[1.0, 2.0, 3.0, 4.0], &[0.25, 0.5, 0.75, 1.0]).unwrap();
        assert_eq!(
            line,
            Slope {
                per_episode: 0.25,
                ci95: [0.25, 0.25],
                p_value: 0.0
            }
        );
        assert_eq!(slope(&[1.0, 2.0, 3.0], &[0.5; 3]).unwrap().p_value, 1.0);
    }

    proptest! {
        #[test]
        fn every_number_is_finite_and_the_interval_contains_the_slope(values in prop::collection::vec(0.0f64..1.0, 3..40)) {
            let positions: Vec<f64> = (1..=values.len()).map(|episode| episode as f64).collect();
            let slope = slope(&positions, &values).unwrap();
            prop_assert!(slope.ci95[0] <= slope.per_episode && slope.per_episode <= slope.ci95[1]);
            prop_assert!((0.0..=1.0).contains(&slope.p_value));
            prop_assert!(slope.ci95.iter().all(|bound| bound.is_finite()));
        }
    }
}

//! Strategies compared over many searches of a table: what each had found after a number of
//! evaluations, and whether the differences are statistically significant.

use std::collections::BTreeSet;

use serde::Serialize;

use super::ranks::{SignedRank, holm};
use super::statistics::{MeanInterval, mean};

/// The best child of a search so far: the one with the highest reward. Accuracies in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Number of the child that was evaluated last; earlier children that were not evaluated
    /// repeated an earlier one.
    pub child: u64,
    /// Validation accuracy of the best child.
    pub validation: f64,
    /// Its test accuracy, which the search does not see.
    pub test: f64,
}

/// One search of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory {
    /// Its seed.
    pub seed: u64,
    /// Entry `n - 1` is what was found after `n` evaluations; there is at least one. There are
    /// fewer than requested if the search had nothing new to propose.
    pub found: Vec<Found>,
}

impl Trajectory {
    /// What the search had found after `evaluations` (at least 1), or at its end if that came
    /// earlier.
    pub fn after(&self, evaluations: usize) -> Found {
        self.found[evaluations.min(self.found.len()) - 1]
    }
}

/// All searches of one strategy.
#[derive(Debug, Clone, PartialEq)]
pub struct Searches {
    /// Name of the strategy, as in `search.strategy`.
    pub strategy: String,
    /// One per seed, in the order of the seeds; at least one.
    pub trajectories: Vec<Trajectory>,
}

impl Searches {
    /// Test accuracy of each search after `evaluations`, in the order of the seeds.
    pub fn tests(&self, evaluations: usize) -> Vec<f64> {
        let searches = self.trajectories.iter();
        searches
            .map(|search| search.after(evaluations).test)
            .collect()
    }

    /// Mean test accuracy after `evaluations` with its 95 % interval over the seeds (Student's t),
    /// `[low, mean, high]`; for a single seed the interval is empty.
    pub fn mean_test(&self, evaluations: usize) -> [f64; 3] {
        let tests = self.tests(evaluations);
        match MeanInterval::of(&tests) {
            Some(interval) => [interval.ci95[0], interval.mean, interval.ci95[1]],
            None => [mean(&tests); 3],
        }
    }
}

/// What one strategy has found after a number of evaluations. Accuracies are in percent, as in
/// tables.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchmarkRow {
    /// Name of the strategy, as in `search.strategy`.
    pub strategy: String,
    /// Number of distinct children evaluated.
    pub evaluations: usize,
    /// Number of searches.
    pub seeds: usize,
    /// Mean over the searches of the best child's test accuracy, percent.
    pub mean_test: f64,
    /// Standard deviation of the same (n - 1).
    pub std_test: f64,
    /// Mean distance from the table's best test accuracy, percentage points.
    pub mean_regret: f64,
    /// Mean validation accuracy of the best child, percent.
    pub mean_validation: f64,
    /// Mean number of children proposed, including repeats.
    pub mean_children: f64,
    /// Number of searches that ended early because they had nothing new to propose.
    pub ended_early: usize,
}

/// Two strategies after the same number of evaluations, with the same seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StrategyComparison {
    /// Number of distinct children that each search had evaluated.
    pub evaluations: usize,
    /// A strategy.
    pub a: String,
    /// Another one.
    pub b: String,
    /// Mean test accuracy of `a` minus that of `b`, percentage points.
    pub difference: f64,
    /// Number of seeds with which `a` found the better child.
    pub a_better: usize,
    /// Number of seeds with which `b` found the better child.
    pub b_better: usize,
    /// Two-sided p-value of Wilcoxon's signed-rank test over the seeds.
    pub p_value: f64,
    /// The same after Holm's correction for all comparisons.
    pub p_holm: f64,
}

/// A row for each number of evaluations and each strategy. `best_test` is the highest test accuracy
/// in the table, in 0..=1.
pub fn rows(strategies: &[Searches], evaluations: &[usize], best_test: f64) -> Vec<BenchmarkRow> {
    let pairs = evaluations
        .iter()
        .flat_map(|count| strategies.iter().map(move |searches| (searches, *count)));
    pairs
        .map(|(searches, count)| {
            let tests = searches.tests(count);
            let found = || {
                searches
                    .trajectories
                    .iter()
                    .map(|search| search.after(count))
            };
            let mean_of = |value: fn(Found) -> f64| mean(&found().map(value).collect::<Vec<_>>());
            let ended_early = searches
                .trajectories
                .iter()
                .filter(|search| search.found.len() < count);
            BenchmarkRow {
                strategy: searches.strategy.clone(),
                evaluations: count,
                seeds: tests.len(),
                mean_test: 100.0 * mean(&tests),
                std_test: MeanInterval::of(&tests).map_or(0.0, |of| 100.0 * of.deviation),
                mean_regret: 100.0 * (best_test - mean(&tests)),
                mean_validation: 100.0 * mean_of(|found| found.validation),
                mean_children: mean_of(|found| found.child as f64),
                ended_early: ended_early.count(),
            }
        })
        .collect()
}

/// Every pair of strategies after each number of evaluations. All strategies must have searched
/// with the same seeds.
pub fn comparisons(strategies: &[Searches], evaluations: &[usize]) -> Vec<StrategyComparison> {
    let mut all = Vec::new();
    for count in evaluations {
        for (place, a) in strategies.iter().enumerate() {
            let others = &strategies[place + 1..];
            all.extend(others.iter().map(|b| compare(a, b, *count)));
        }
    }
    let p_values: Vec<f64> = all.iter().map(|pair| pair.p_value).collect();
    for (pair, corrected) in all.iter_mut().zip(holm(&p_values)) {
        pair.p_holm = corrected;
    }
    all
}

fn compare(a: &Searches, b: &Searches, evaluations: usize) -> StrategyComparison {
    let tests = a.tests(evaluations).into_iter().zip(b.tests(evaluations));
    let differences: Vec<f64> = tests.map(|(a, b)| a - b).collect();
    let p_value = SignedRank::of(&differences).p_value;
    let count = |is: fn(&&f64) -> bool| differences.iter().filter(is).count();
    StrategyComparison {
        evaluations,
        a: a.strategy.clone(),
        b: b.strategy.clone(),
        difference: 100.0 * mean(&differences),
        a_better: count(|difference| **difference > 0.0),
        b_better: count(|difference| **difference < 0.0),
        p_value,
        p_holm: p_value,
    }
}

/// Numbers of evaluations up to `most` at which a curve over a logarithmic axis is drawn: each that
/// makes a visible difference.
pub fn drawn_at(most: usize) -> Vec<usize> {
    const PER_DECADE: f64 = 60.0;
    let steps = ((most.max(1) as f64).log10() * PER_DECADE).ceil() as i32;
    let at = (0..=steps).map(|step| 10f64.powf(f64::from(step) / PER_DECADE).round() as usize);
    let points: BTreeSet<usize> = at.filter(|count| *count < most).chain([most]).collect();
    points.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches that found these test accuracies, one list per seed.
    fn searches(strategy: &str, tests: &[&[f64]]) -> Searches {
        let trajectory = |(seed, tests): (u64, &&[f64])| Trajectory {
            seed,
            found: tests
                .iter()
                .zip(1..)
                .map(|(&test, number)| Found {
                    child: 2 * number,
                    validation: test / 2.0,
                    test,
                })
                .collect(),
        };
        Searches {
            strategy: strategy.to_owned(),
            trajectories: (1..).zip(tests).map(trajectory).collect(),
        }
    }

    #[test]
    fn a_search_that_ended_early_counts_with_what_it_had_found() {
        let all = [searches("one", &[&[0.5, 0.6], &[0.7, 0.7, 0.9]])];
        let rows = rows(&all, &[1, 3], 0.95);
        let row = &rows[1];
        assert!((row.mean_test - 75.0).abs() < 1e-9 && (row.mean_regret - 20.0).abs() < 1e-9);
        assert!((row.std_test - 100.0 * (0.15f64.powi(2) * 2.0).sqrt()).abs() < 1e-9);
        assert_eq!((row.seeds, row.ended_early), (2, 1));
        assert_eq!(row.mean_children, 5.0);
        assert_eq!((rows[0].ended_early, rows[0].evaluations), (0, 1));
        assert!((rows[0].mean_validation - 30.0).abs() < 1e-9);
    }

    #[test]
    fn every_pair_is_compared_seed_by_seed_and_corrected_for_all() {
        let low: Vec<Vec<f64>> = (0..8)
            .map(|seed| vec![0.1 + f64::from(seed) / 100.0])
            .collect();
        let high: Vec<Vec<f64>> = low.iter().map(|tests| vec![tests[0] + 0.2]).collect();
        let of = |name, tests: &[Vec<f64>]| {
            searches(name, &tests.iter().map(Vec::as_slice).collect::<Vec<_>>())
        };
        let all = [of("low", &low), of("high", &high), of("same", &low)];
        let pairs = comparisons(&all, &[1]);
        assert_eq!(pairs.len(), 3);
        assert_eq!((pairs[0].a.as_str(), pairs[0].b.as_str()), ("low", "high"));
        assert_eq!((pairs[0].a_better, pairs[0].b_better), (0, 8));
        assert!((pairs[0].difference + 20.0).abs() < 1e-9);
        // Eight differences of one sign: 2 of 256 assignments.
        assert_eq!(
            (pairs[0].p_value, pairs[0].p_holm),
            (2.0 / 256.0, 6.0 / 256.0)
        );
        assert_eq!((pairs[1].p_value, pairs[1].difference), (1.0, 0.0));
    }

    #[test]
    fn the_interval_of_the_mean_uses_students_t() {
        let all = searches("one", &[&[0.1], &[0.2], &[0.3]]);
        let [low, mean, high] = all.mean_test(1);
        // The 0.975 quantile of Student's t with 2 degrees of freedom is 4.3027.
        let half = 4.302_652_7 * 0.1 / 3f64.sqrt();
        assert!((mean - 0.2).abs() < 1e-12);
        assert!((high - mean - half).abs() < 1e-6 && (mean - low - half).abs() < 1e-6);
        let single = searches("one", &[&[0.4]]);
        assert_eq!(single.mean_test(1), [0.4; 3]);
    }

    #[test]
    fn a_curve_is_drawn_from_the_first_evaluation_to_the_last() {
        let points = drawn_at(1_000);
        assert_eq!((points[0], points[points.len() - 1]), (1, 1_000));
        assert!(points.len() < 200 && points.is_sorted_by(|one, other| one < other));
        assert_eq!(drawn_at(1), [1]);
    }
}

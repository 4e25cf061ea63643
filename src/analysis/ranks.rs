//! Rank tests: whether one of two paired series is higher (Wilcoxon's signed-rank test), and
//! Holm's correction for testing several pairs.

use statrs::distribution::{ContinuousCDF, Normal};

/// Maximum number of differences for which the p-value is exact; beyond it, the normal
/// approximation is used.
const MOST_EXACT: usize = 50;

/// Wilcoxon's signed-rank test (Wilcoxon 1945) of paired differences.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRank {
    /// Number of differences that are not 0; the others say nothing about the sign and are left
    /// out.
    pub pairs: usize,
    /// Sum of the ranks of the positive differences, ranked by size; equal sizes share their mean
    /// rank.
    pub rank_sum: f64,
    /// Two-sided p-value. Up to 50 differences it is exact (of all assignments of signs to these
    /// ranks, the share at least as far from the middle), beyond that from the normal
    /// approximation with the variance corrected for equal ranks.
    pub p_value: f64,
}

impl SignedRank {
    /// The test of `differences`, which must be finite. Without any difference other than 0 the
    /// p-value is 1.
    pub fn of(differences: &[f64]) -> SignedRank {
        let mut sizes: Vec<(f64, bool)> = differences
            .iter()
            .filter(|difference| **difference != 0.0)
            .map(|difference| (difference.abs(), *difference > 0.0))
            .collect();
        sizes.sort_by(|one, other| one.0.total_cmp(&other.0));
        let ranks = doubled_ranks(&sizes);
        let positive = ranks
            .iter()
            .zip(&sizes)
            .filter(|(_, (_, positive))| *positive);
        let doubled_sum: usize = positive.map(|(rank, _)| rank).sum();
        let p_value = match ranks.len() {
            0 => 1.0,
            1..=MOST_EXACT => exact(&ranks, doubled_sum),
            _ => approximate(&ranks, doubled_sum),
        };
        SignedRank {
            pairs: ranks.len(),
            rank_sum: doubled_sum as f64 / 2.0,
            p_value,
        }
    }
}

/// Twice the rank of each size (a shared rank may end in a half), for sizes in ascending order.
fn doubled_ranks(sizes: &[(f64, bool)]) -> Vec<usize> {
    let mut ranks = Vec::with_capacity(sizes.len());
    for group in sizes.chunk_by(|one, other| one.0 == other.0) {
        let first = ranks.len() + 1;
        ranks.extend(std::iter::repeat_n(
            2 * first + group.len() - 1,
            group.len(),
        ));
    }
    ranks
}

/// Share of all assignments of signs whose rank sum is at least as far from the middle.
fn exact(ranks: &[usize], sum: usize) -> f64 {
    let total: usize = ranks.iter().sum();
    // Probability of each sum when every sign is a coin toss.
    let mut probabilities = vec![0.0; total + 1];
    probabilities[0] = 1.0;
    let mut reached = 0;
    for &rank in ranks {
        for sum in (0..=reached).rev() {
            let half = probabilities[sum] / 2.0;
            probabilities[sum] = half;
            probabilities[sum + rank] += half;
        }
        reached += rank;
    }
    let tail = sum.min(total - sum);
    // The distribution is symmetric, so both tails are equal.
    (2.0 * probabilities[..=tail].iter().sum::<f64>()).min(1.0)
}

/// The same from the normal distribution with the mean and the variance of the rank sum.
fn approximate(ranks: &[usize], sum: usize) -> f64 {
    let mean = ranks.iter().sum::<usize>() as f64 / 4.0;
    // The ranks are doubled: a variance of r^2 / 4 each is (2 r)^2 / 16.
    let variance = ranks.iter().map(|rank| rank.pow(2)).sum::<usize>() as f64 / 16.0;
    let distance = (sum as f64 / 2.0 - mean).abs() / variance.sqrt();
    2.0 * Normal::standard().cdf(-distance)
}

/// P-values corrected for testing all of them (Holm 1979): if those of at most 0.05 are rejected,
/// the probability of rejecting any of them wrongly is at most 0.05.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|one, other| p_values[*one].total_cmp(&p_values[*other]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (place, index) in order.into_iter().enumerate() {
        let tests_left = (p_values.len() - place) as f64;
        largest = largest.max((tests_left * p_values[index]).min(1.0));
        adjusted[index] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Fixture {
        cases: Vec<Case>,
        p_values: Vec<f64>,
        holm: Vec<f64>,
    }

    #[derive(Deserialize)]
    struct Case {
        name: String,
        differences: Vec<f64>,
        pairs: usize,
        rank_sum: f64,
        p_value: f64,
    }

    fn fixture() -> Fixture {
        serde_json::from_str(include_str!("../../tests/fixtures/signed_rank.json")).unwrap()
    }

    #[test]
    fn the_signed_rank_test_agrees_with_scipy() {
        let cases = fixture().cases;
        assert!(cases.len() >= 8);
        for case in cases {
            let found = SignedRank::of(&case.differences);
            assert_eq!(
                (found.pairs, found.rank_sum),
                (case.pairs, case.rank_sum),
                "{}",
                case.name
            );
            assert!(
                (found.p_value - case.p_value).abs() <= 1e-9 * case.p_value.max(1e-6),
                "{}: {} is not {}",
                case.name,
                found.p_value,
                case.p_value
            );
        }
    }

    #[test]
    fn holms_correction_agrees_with_the_fixture() {
        let fixture = fixture();
        let found = holm(&fixture.p_values);
        let pairs = found.iter().zip(&fixture.holm);
        assert!(
            pairs
                .clone()
                .all(|(ours, theirs)| (ours - theirs).abs() < 1e-12),
            "{found:?}"
        );
    }

    #[test]
    fn equal_series_are_no_evidence() {
        assert_eq!(SignedRank::of(&[0.0; 7]).p_value, 1.0);
        assert_eq!(SignedRank::of(&[]).p_value, 1.0);
        assert!(holm(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn exchanging_the_two_series_changes_no_p_value(differences in prop::collection::vec(-5i32..5, 0..80)) {
            let one: Vec<f64> = differences.iter().map(|difference| f64::from(*difference)).collect();
            let other: Vec<f64> = one.iter().map(|difference| -difference).collect();
            let (one, other) = (SignedRank::of(&one), SignedRank::of(&other));
            prop_assert!((one.p_value - other.p_value).abs() < 1e-12);
            prop_assert!((0.0..=1.0).contains(&one.p_value));
        }
    }
}

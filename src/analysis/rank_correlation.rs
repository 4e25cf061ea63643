//! Kendall's tau-b: the agreement between two orders.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// Minimum number of pairs of values for an interval.
const LEAST: usize = 5;
/// Maximum number of values for which the p-value is computed from the exact distribution.
const MOST_EXACT: usize = 60;

/// Kendall's tau-b.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RankCorrelation {
    /// 1 for the same order, -1 for the opposite one. Ties are accounted for (tau-b).
    pub tau: f64,
    /// 95 % interval by Fisher's transformation, whose variance is 0.437 / (n - 4) (Fieller,
    /// Hartley & Pearson 1957); null for fewer than 5 pairs.
    pub ci95: Option<[f64; 2]>,
    /// Two-sided p-value of the hypothesis that there is no agreement: exact without ties,
    /// otherwise by the normal approximation.
    pub p_value: f64,
    /// Number of pairs in the same order.
    pub concordant: u64,
    /// Number of pairs in opposite orders.
    pub discordant: u64,
}

impl RankCorrelation {
    /// The correlation of values in pairs. `None` for fewer than two pairs, and if all values on
    /// one side are equal.
    pub fn of(pairs: &[(f64, f64)]) -> Option<RankCorrelation> {
        let n = pairs.len();
        let (mut concordant, mut discordant) = (0_u64, 0_u64);
        for (place, one) in pairs.iter().enumerate() {
            for other in &pairs[place + 1..] {
                let product = order(one.0, other.0) * order(one.1, other.1);
                concordant += u64::from(product > 0);
                discordant += u64::from(product < 0);
            }
        }
        let ties = |values: Vec<f64>| Ties::of(values);
        let x = ties(pairs.iter().map(|pair| pair.0).collect());
        let y = ties(pairs.iter().map(|pair| pair.1).collect());
        let all = (n * n.saturating_sub(1) / 2) as f64;
        let scale = ((all - x.pairs) * (all - y.pairs)).sqrt();
        if scale <= 0.0 {
            return None;
        }
        let score = concordant as f64 - discordant as f64;
        let tau = (score / scale).clamp(-1.0, 1.0);
        let is_tied = x.pairs + y.pairs > 0.0;
        let p_value = match is_tied || n > MOST_EXACT {
            true => approximate(score, n as f64, &x, &y)?,
            false => exact(n, discordant.min(concordant)),
        };
        Some(RankCorrelation {
            tau,
            ci95: (n >= LEAST).then(|| interval(tau, n as f64)),
            p_value,
            concordant,
            discordant,
        })
    }
}

fn order(one: f64, other: f64) -> i32 {
    i32::from(one > other) - i32::from(one < other)
}

fn interval(tau: f64, n: f64) -> [f64; 2] {
    let half = 1.959_963_984_540_054 * (0.437 / (n - 4.0)).sqrt();
    [-half, half].map(|step| (tau.atanh() + step).tanh())
}

/// Equal values on one side.
struct Ties {
    /// Sum of t (t - 1) / 2 over groups of t equal values.
    pairs: f64,
    /// Sum of t (t - 1) (t - 2).
    triples: f64,
    /// Sum of t (t - 1) (2 t + 5).
    spread: f64,
}

impl Ties {
    fn of(mut values: Vec<f64>) -> Ties {
        values.sort_unstable_by(f64::total_cmp);
        let mut ties = Ties {
            pairs: 0.0,
            triples: 0.0,
            spread: 0.0,
        };
        for group in values.chunk_by(|one, other| one == other) {
            let t = group.len() as f64;
            ties.pairs += t * (t - 1.0) / 2.0;
            ties.triples += t * (t - 1.0) * (t - 2.0);
            ties.spread += t * (t - 1.0) * (2.0 * t + 5.0);
        }
        ties
    }
}

/// The normal approximation with ties (Kendall 1970).
fn approximate(score: f64, n: f64, x: &Ties, y: &Ties) -> Option<f64> {
    let m = n * (n - 1.0);
    let variance = (m * (2.0 * n + 5.0) - x.spread - y.spread) / 18.0
        + 2.0 * x.pairs * y.pairs / m
        + x.triples * y.triples / (9.0 * m * (n - 2.0));
    let z = score.abs() / variance.sqrt();
    let normal = Normal::standard();
    z.is_finite().then(|| 2.0 * normal.sf(z))
}

/// Share of all orders that deviate at least as much from no agreement as one with `fewer` pairs of
/// the rarer kind.
fn exact(n: usize, fewer: u64) -> f64 {
    // Shares of the orders of n things by their number of discordant pairs.
    let mut shares = vec![1.0];
    for size in 2..=n {
        let mut next = vec![0.0; shares.len() + size - 1];
        for (pairs, share) in shares.iter().enumerate() {
            for more in 0..size {
                next[pairs + more] += share / size as f64;
            }
        }
        shares = next;
    }
    let tail: f64 = shares.iter().take(fewer as usize + 1).sum();
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        name: String,
        pairs: Vec<(f64, f64)>,
        tau: f64,
        ci95: [f64; 2],
        p_value: f64,
    }

    #[test]
    fn tau_interval_and_p_value_agree_with_scipy() {
        let text = include_str!("../../tests/fixtures/rank_correlation.json");
        let cases: Vec<Case> = serde_json::from_str(text).unwrap();
        assert!(cases.len() >= 4);
        for case in cases {
            let found = RankCorrelation::of(&case.pairs).unwrap();
            let [low, high] = found.ci95.unwrap();
            let pairs = [
                (found.tau, case.tau),
                (low, case.ci95[0]),
                (high, case.ci95[1]),
                (found.p_value, case.p_value),
            ];
            for (ours, theirs) in pairs {
                assert!((ours - theirs).abs() < 1e-7, "{}: {pairs:?}", case.name);
            }
        }
    }

    #[test]
    fn the_same_order_is_one_and_the_opposite_minus_one() {
        let same: Vec<(f64, f64)> = (0..6).map(|n| (f64::from(n), f64::from(n * n))).collect();
        let opposite: Vec<(f64, f64)> = same.iter().map(|(x, y)| (*x, -y)).collect();
        let [same, opposite] = [same, opposite].map(|pairs| RankCorrelation::of(&pairs).unwrap());
        assert_eq!((same.tau, opposite.tau), (1.0, -1.0));
        assert_eq!(same.ci95, Some([1.0, 1.0]));
        assert!((same.p_value - 2.0 / 720.0).abs() < 1e-12);
    }

    #[test]
    fn equal_values_have_no_order_and_few_have_no_interval() {
        assert_eq!(RankCorrelation::of(&[(1.0, 2.0), (1.0, 3.0)]), None);
        assert_eq!(RankCorrelation::of(&[(1.0, 2.0)]), None);
        let few = RankCorrelation::of(&[(1.0, 2.0), (2.0, 3.0)]).unwrap();
        assert_eq!((few.tau, few.ci95, few.p_value), (1.0, None, 1.0));
    }
}

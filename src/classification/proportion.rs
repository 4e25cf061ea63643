//! Proportions with confidence intervals: Wilson's, and Newcombe's for a difference.

/// The 0.975 quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The 95 % score interval (Wilson 1927) for `hits` successes in `of` trials; `[0, 1]` without
/// trials.
pub fn wilson(hits: usize, of: usize) -> [f64; 2] {
    if of == 0 {
        return [0.0, 1.0];
    }
    let (n, p) = (of as f64, hits as f64 / of as f64);
    let scale = 1.0 + Z * Z / n;
    let middle = (p + Z * Z / (2.0 * n)) / scale;
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    // Exact at the ends, where rounding would leave a small error.
    let low = if hits == 0 { 0.0 } else { middle - half };
    let high = if hits == of { 1.0 } else { middle + half };
    [low, high]
}

/// The difference between two proportions of independent trials, the first minus the second, with
/// its 95 % interval: Newcombe's hybrid of the two score intervals (1998, method 10). Each is given
/// as `(hits, of)`; `None` if either has no trials.
pub fn difference(one: (usize, usize), other: (usize, usize)) -> Option<(f64, [f64; 2])> {
    if one.1 == 0 || other.1 == 0 {
        return None;
    }
    let share = |(hits, of): (usize, usize)| hits as f64 / of as f64;
    let (p, q) = (share(one), share(other));
    let ([p_low, p_high], [q_low, q_high]) = (wilson(one.0, one.1), wilson(other.0, other.1));
    let difference = p - q;
    let below = (p - p_low).hypot(q_high - q);
    let above = (p_high - p).hypot(q - q_low);
    Some((difference, [difference - below, difference + above]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Fixture {
        wilson: Vec<(usize, usize, [f64; 2])>,
        newcombe: Vec<Difference>,
    }

    #[derive(Deserialize)]
    struct Difference((usize, usize), (usize, usize), f64, [f64; 2]);

    fn fixture() -> Fixture {
        serde_json::from_str(include_str!("../../tests/fixtures/classification.json")).unwrap()
    }

    fn close(ours: [f64; 2], theirs: [f64; 2]) -> bool {
        ours.iter()
            .zip(theirs)
            .all(|(ours, theirs)| (ours - theirs).abs() < 1e-12)
    }

    #[test]
    fn wilsons_interval_agrees_with_statsmodels() {
        for (hits, of, expected) in fixture().wilson {
            assert!(
                close(wilson(hits, of), expected),
                "{hits} of {of}: {:?} {expected:?}",
                wilson(hits, of)
            );
        }
    }

    #[test]
    fn newcombes_interval_of_a_difference_agrees_with_statsmodels() {
        for Difference(one, other, expected, interval) in fixture().newcombe {
            let (ours, ci95) = difference(one, other).unwrap();
            assert!(
                (ours - expected).abs() < 1e-12 && close(ci95, interval),
                "{one:?} {other:?}: {ci95:?} {interval:?}"
            );
        }
    }

    #[test]
    fn without_trials_nothing_is_known() {
        assert_eq!(
            (wilson(0, 0), difference((1, 2), (0, 0))),
            ([0.0, 1.0], None)
        );
    }

    proptest! {
        #[test]
        fn an_interval_contains_its_proportion_and_stays_within_0_and_1(of in 1usize..5_000, share in 0.0f64..=1.0) {
            let hits = (of as f64 * share) as usize;
            let [low, high] = wilson(hits, of);
            let value = hits as f64 / of as f64;
            prop_assert!(0.0 <= low && low <= value && value <= high && high <= 1.0);
        }
    }
}

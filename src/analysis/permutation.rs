//! Permutation tests: how often a random relabelling gives a difference as large as the observed
//! one.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The absolute difference in standard errors.
pub(super) fn statistic(difference: f64, standard_error: f64) -> f64 {
    if difference == 0.0 {
        0.0
    } else {
        (difference / standard_error).abs()
    }
}

/// Exchange values at random such that the first `count` are a random sample of all of them.
pub(super) fn relabel(values: &mut [f64], count: usize, random: &mut ChaCha8Rng) {
    for place in 0..count {
        let other = random.random_range(place..values.len());
        values.swap(place, other);
    }
}

/// Share of relabellings whose statistic is at least `observed`, including the observed one.
/// `draw` relabels and returns the statistic. The draws are always the same, so that equal samples
/// have equal p-values, and a p-value on the screen does not flicker.
pub(super) fn p_value(
    observed: f64,
    draws: usize,
    mut draw: impl FnMut(&mut ChaCha8Rng) -> f64,
) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    // Sums of the same numbers in another order differ in their last bits.
    let at_least = observed * (1.0 - 1e-9);
    let extreme = (0..draws).filter(|_| draw(&mut random) >= at_least).count();
    (extreme + 1) as f64 / (draws + 1) as f64
}

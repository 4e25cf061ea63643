//! Derives one seed for each purpose and child from the seed of the run, so that the state of every
//! generator follows from the run's seed and a number.

use super::hash::fnv;

/// The seed for one use of randomness: 64-bit FNV-1a over the run's seed (8 bytes, little-endian),
/// the purpose (UTF-8), a zero byte and the number (8 bytes, little-endian), mixed by SplitMix64's
/// finaliser. Stable across versions and machines.
///
/// Purposes in use: `controller` (initial weights, number 0), `sample` and `train` (number of the
/// child), `predictor` (number 0; from that seed `predictor I` for network I, with the number of
/// children that it is fitted to), `control` and `control-train` (number of the control, from 1), `outlook` (number of layers), and
/// those of studies, which begin with their command's name (`verify policy sample`).
pub fn derive(seed: u64, purpose: &str, number: u64) -> u64 {
    let bytes = seed
        .to_le_bytes()
        .into_iter()
        .chain(purpose.bytes())
        .chain([0])
        .chain(number.to_le_bytes());
    mix(fnv(bytes))
}

/// SplitMix64's finaliser (Steele, Lea & Flood 2014): every input bit affects every output bit.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn seeds_are_the_same_on_every_machine_and_in_every_version() {
        // Computed independently in Python from the definition above.
        assert_eq!(derive(1, "sample", 1), 0xc217_6dba_3224_da51);
        assert_eq!(derive(42, "train", 160), 0xdab8_cd37_d3f9_b801);
    }

    #[test]
    fn seeds_differ_between_runs_purposes_and_children() {
        let mut seen = HashSet::new();
        for seed in 0..20 {
            for purpose in ["sample", "train"] {
                assert!(
                    (1..=200).all(|child| seen.insert(derive(seed, purpose, child))),
                    "{seed} {purpose}"
                );
            }
        }
    }
}

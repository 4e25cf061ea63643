//! Limits on the cost of a child, as masks: every sampled child is within them.
//!
//! An option is feasible if the cheapest known completion is within all limits: every later choice
//! is the cheapest feasible option (smallest sizes, largest strides, no connections). Choosing the
//! first of these options leaves the same completion, so there is always an option, and no child
//! has to be sampled again. In a chain of layers that keep or divide the size of the map this mask
//! is exact. With skip connections it may also exclude a child that is within the limits only
//! because a later layer has connections.

use super::head::{Head, Values};
use super::memory::most_training_memory;
use super::prefix::Prefix;
use super::{Design, Dna, Space};
use crate::config::ConstraintsConfig;

/// Limits on the cost of a child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limits {
    constraints: ConstraintsConfig,
    /// Number of images in a training batch, which determines the memory.
    batch_size: usize,
}

impl Limits {
    /// `None` if nothing is limited.
    pub fn new(constraints: &ConstraintsConfig, batch_size: usize) -> Option<Limits> {
        (*constraints != ConstraintsConfig::default()).then(|| Limits {
            constraints: constraints.clone(),
            batch_size,
        })
    }

    /// The first limit that a child exceeds: its key, its value and the child's value.
    fn exceeded(&self, space: &Space, dna: &Dna) -> Option<(&'static str, u64, u64)> {
        let ConstraintsConfig {
            max_params,
            max_macs,
            max_memory,
        } = self.constraints;
        // A child that cannot be built or counted is never within the limits.
        let design = space.decode(dna, "").ok();
        let size = |design: &Design| space.size(dna, design).ok();
        let (params, macs) = design
            .as_ref()
            .and_then(size)
            .unwrap_or((u64::MAX, u64::MAX));
        let memory = || match &design {
            Some(Design::Network(network)) => {
                most_training_memory(network, self.batch_size).unwrap_or(u64::MAX)
            }
            Some(Design::Key(_)) => 0,
            None => u64::MAX,
        };
        let over = |key, limit: Option<u64>, found: u64| {
            limit
                .filter(|limit| found > *limit)
                .map(|limit| (key, limit, found))
        };
        over("constraints.max_params", max_params, params)
            .or_else(|| over("constraints.max_macs", max_macs, macs))
            .or_else(|| {
                let mebibytes = max_memory.map(|_| memory().div_ceil(1 << 20));
                over("constraints.max_memory", max_memory, mebibytes?)
            })
    }

    /// The first limit that the cheapest completion of `prefix` exceeds.
    pub fn exceeded_by_cheapest(&self, mut prefix: Prefix<'_>) -> Option<(&'static str, u64, u64)> {
        while let Some(head) = prefix.next_head() {
            let mut options = cheapest_first(head).into_iter();
            let cheapest = options.find(|option| prefix.is_buildable(*option));
            prefix.take(cheapest.expect("at least one option can be built"));
        }
        self.exceeded(prefix.space(), &prefix.dna())
    }
}

/// A head's options, the cheapest first: small sizes, but large strides.
fn cheapest_first(head: &Head) -> Vec<u32> {
    let mut options = head.options.clone();
    options.sort_unstable();
    if head.kind.values == Values::Listed("space.strides") {
        options.reverse();
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Decode, SpaceConfig};
    use crate::space::SpaceError;

    fn space(layer: &str, strides: &[u32], constraints: &ConstraintsConfig) -> Space {
        let config = SpaceConfig {
            layer: layer.to_owned(),
            kernels: vec![1, 3, 5],
            filters: vec![4, 8, 16],
            strides: strides.to_vec(),
            paddings: if layer == "chain" { vec![0, 2] } else { vec![] },
            decode: Decode::Literal,
        };
        Space::new(&config, [1, 12, 12], 10)
            .unwrap()
            .within(constraints, 100)
    }

    /// The DNA of `depth` layers that takes the feasible options in turn, starting with number
    /// `salt`.
    fn sampled(space: &Space, depth: usize, salt: usize) -> Dna {
        let mut prefix = space.prefix(depth);
        let mut state = salt;
        while let Some(next) = prefix.next() {
            let open: Vec<usize> = (0..next.feasible.len())
                .filter(|i| next.feasible[*i])
                .collect();
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            prefix.choose(open[(state >> 33) % open.len()]);
        }
        prefix.dna()
    }

    fn at_most(max_params: Option<u64>, max_macs: Option<u64>) -> ConstraintsConfig {
        ConstraintsConfig {
            max_params,
            max_macs,
            max_memory: None,
        }
    }

    #[test]
    fn every_sampled_child_is_within_the_limits_and_large_ones_are_possible() {
        for (layer, strides) in [
            ("chain", &[1, 2][..]),
            ("rectangular", &[1, 2]),
            ("paper", &[]),
            ("paper_pooling", &[]),
        ] {
            let limited = space(layer, strides, &at_most(Some(3_000), Some(150_000)));
            let sizes: Vec<(u64, u64)> = (0..60)
                .map(|salt| {
                    let dna = sampled(&limited, 4, salt);
                    let design = limited.decode(&dna, "x").unwrap();
                    limited.size(&dna, &design).unwrap()
                })
                .collect();
            assert!(
                sizes
                    .iter()
                    .all(|(params, macs)| *params <= 3_000 && *macs <= 150_000),
                "{layer}: {sizes:?}"
            );
            assert!(
                sizes.iter().any(|(_, macs)| *macs > 75_000),
                "{layer}: {sizes:?}"
            );
        }
    }

    #[test]
    fn in_a_space_of_chains_with_same_padding_the_mask_is_exact() {
        let free = space("rectangular", &[1], &ConstraintsConfig::default());
        let limited = space("rectangular", &[1], &at_most(Some(900), None));
        let gene = |number: usize| {
            let options = &free.heads();
            let pick = |head: usize, place: usize| options[head].options[number / place % 3];
            vec![pick(0, 1), pick(1, 3), pick(2, 9), 1, 1]
        };
        let reachable = |dna: &Dna| {
            let mut prefix = limited.prefix(2);
            dna.0.iter().flatten().all(|value| {
                let next = prefix.next().unwrap();
                let options = &limited.heads()[next.head].options;
                let index = options.iter().position(|option| option == value).unwrap();
                next.feasible[index] && {
                    prefix.choose(index);
                    true
                }
            })
        };
        let mut kept = 0;
        for (first, second) in (0..27).flat_map(|first| (0..27).map(move |second| (first, second)))
        {
            let dna = Dna(vec![gene(first), gene(second)]);
            let design = free.decode(&dna, "x").unwrap();
            let keeps = free.size(&dna, &design).unwrap().0 <= 900;
            assert_eq!(reachable(&dna), keeps, "{dna}");
            kept += usize::from(keeps);
        }
        assert!(kept > 50 && kept < 27 * 27 - 50, "{kept}");
    }

    #[test]
    fn memory_is_a_limit_too() {
        let limited = ConstraintsConfig {
            max_memory: Some(1),
            ..ConstraintsConfig::default()
        };
        let error = space("rectangular", &[1], &limited)
            .check_depth(2)
            .unwrap_err();
        assert!(
            error.to_string().contains("constraints.max_memory = 1"),
            "{error}"
        );
    }

    #[test]
    fn limits_that_no_child_satisfies_are_an_error_that_gives_the_cheapest() {
        let limited = space("rectangular", &[1], &at_most(Some(50), None));
        let error = limited.check_depth(3).unwrap_err();
        assert!(
            matches!(error, SpaceError::NothingWithinLimits { limit: 50, found, .. } if found > 50),
            "{error}"
        );
    }
}

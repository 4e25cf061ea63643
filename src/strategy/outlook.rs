//! What children of a search will cost before any is trained: uniform children of every depth to
//! come, and the costliest that can be found.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::path::Path;
use crate::config::Config;
use crate::event::{CostOutlook, DepthCost};
use crate::foundation::seeds::derive;
use crate::space::{Dna, Space};

/// Uniform children drawn at each depth, if their choices are few. Their costs differ by a standard
/// deviation of about 1.6 times the mean (preset `demo`), so the mean of so many is off by a tenth.
const MOST_SAMPLES: usize = 256;
const FEWEST_SAMPLES: usize = 24;

/// Choices drawn at each depth, as far as these limits allow: a search should begin within a second or two.
const CHOICES: usize = 60 * MOST_SAMPLES;

/// Maximum number of depths at which children are drawn.
const DEPTHS: usize = 16;

/// What the children of a search with these settings will cost; `None` for a tabular space, whose
/// children are not trained.
pub fn outlook(config: &Config, space: &Space) -> Option<CostOutlook> {
    if space.keys().is_some() {
        return None;
    }
    let mut deepest: Option<(u64, Dna)> = None;
    let mut depths = Vec::new();
    for (depth, first_child) in spread(depths_of(config)) {
        let seed = derive(config.search.seed, "outlook", depth as u64);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = || Path::uniform(space, depth, &mut random).dna;
        let first = draw();
        let choices = first.0.iter().map(Vec::len).sum::<usize>().max(1);
        let samples = (CHOICES / choices).clamp(FEWEST_SAMPLES, MOST_SAMPLES);
        let rest = (1..samples).map(|_| draw());
        let children: Vec<(u64, Dna)> = std::iter::once(first)
            .chain(rest)
            .filter_map(|dna| Some((macs(space, &dna)?, dna)))
            .collect();
        let total: f64 = children.iter().map(|(macs, _)| *macs as f64).sum();
        if !children.is_empty() {
            depths.push(DepthCost {
                depth,
                first_child,
                macs: (total / children.len() as f64).round() as u64,
            });
        }
        deepest = children.into_iter().max_by_key(|(macs, _)| *macs);
    }
    let (costliest, dna) = deepest?;
    let largest_macs = match config.constraints.max_macs {
        Some(limit) => limit,
        None => climb(space, costliest, dna),
    };
    Some(CostOutlook {
        depths,
        largest_macs,
    })
}

/// Every depth of the search, with the first child that has it.
fn depths_of(config: &Config) -> Vec<(usize, u64)> {
    let search = &config.search;
    let last = search.depth(search.children().max(1));
    let step = search.depth_step.max(1);
    (search.initial_depth..=last)
        .step_by(step)
        .enumerate()
        .map(|(index, depth)| (depth, 1 + (index * search.depth_every) as u64))
        .collect()
}

/// At most [`DEPTHS`] of them at equal distances, the first and the last among them.
fn spread(depths: Vec<(usize, u64)>) -> Vec<(usize, u64)> {
    let count = depths.len();
    if count <= DEPTHS {
        return depths;
    }
    (0..DEPTHS)
        .map(|index| depths[index * (count - 1) / (DEPTHS - 1)])
        .collect()
}

/// The multiply-accumulates of the costliest child that is reached from this one by changing one
/// choice after the other, each for the better.
fn climb(space: &Space, mut most: u64, mut dna: Dna) -> u64 {
    for layer in 0..dna.0.len() {
        let heads = space.layer_heads(layer + 1);
        for value in 0..dna.0[layer].len() {
            let Some(head) = heads.get(value) else {
                continue;
            };
            for option in &space.heads()[*head].options {
                let mut changed = dna.clone();
                changed.0[layer][value] = *option;
                if let Some(macs) = macs(space, &changed).filter(|macs| *macs > most) {
                    (most, dna) = (macs, changed);
                }
            }
        }
    }
    most
}

fn macs(space: &Space, dna: &Dna) -> Option<u64> {
    let design = space.decode(dna, "outlook").ok()?;
    Some(space.size(dna, &design).ok()?.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, resolve};

    fn outlook_with(changes: &[&str]) -> (Space, CostOutlook) {
        let set = changes.iter().map(|text| (*text).to_owned()).collect();
        let options = Options {
            set,
            ..Options::default()
        };
        let config = resolve(&options).expect("valid settings");
        let space = Space::new(&config.space, [1, 28, 28], 10)
            .expect("a space")
            .within(&config.constraints, config.child.batch_size);
        let found = outlook(&config, &space).expect("networks");
        (space, found)
    }

    #[test]
    fn every_depth_is_named_with_the_first_child_that_has_it() {
        let (_, found) = outlook_with(&[
            "search.initial_depth=6",
            "search.depth_step=1",
            "search.depth_every=16",
            "search.episodes=10",
            "search.children_per_episode=16",
        ]);
        let ends = (found.depths.first(), found.depths.last());
        let (Some(first), Some(last)) = ends else {
            panic!("no depths")
        };
        assert_eq!((first.depth, first.first_child), (6, 1));
        assert_eq!((last.depth, last.first_child), (15, 145));
        assert_eq!(found.depths.len(), 10);
    }

    #[test]
    fn the_costliest_child_found_is_nearly_the_costliest_of_all() {
        let (space, found) = outlook_with(&[
            "search.initial_depth=2",
            "search.depth_step=1",
            "search.depth_every=1000",
        ]);
        let options = |head: usize| space.heads()[head].options.clone();
        let gene = |index: usize| {
            let mut rest = index;
            let value = |head| {
                let options = options(head);
                let value = options[rest % options.len()];
                rest /= options.len();
                value
            };
            (0..4).map(value).collect::<Vec<u32>>()
        };
        let count: usize = (0..4).map(|head| options(head).len()).product();
        let costs = (0..count * count).filter_map(|index| {
            let dna = Dna(vec![gene(index % count), gene(index / count)]);
            macs(&space, &dna)
        });
        let most = costs.max().expect("children");
        assert!(
            (most * 9 / 10..=most).contains(&found.largest_macs),
            "{} of {most}",
            found.largest_macs
        );
    }

    #[test]
    fn a_limit_of_the_settings_is_the_largest_cost() {
        let (_, found) = outlook_with(&["constraints.max_macs=300000"]);
        assert_eq!(found.largest_macs, 300_000);
        assert!(found.depths.iter().all(|depth| depth.macs <= 300_000));
    }
}

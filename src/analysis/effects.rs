//! The main effect of each option of the space on the reward, estimated from the children of one
//! run.
//!
//! A child's reward is regressed on the number of its layers with each option, for all heads
//! together, with an intercept for each episode: so neither the growing depth nor the policy's
//! progress between episodes is mistaken for an effect of the options. An effect is the change in
//! reward for one more layer with the option, compared with the average over the head's options.

mod regression;

use std::collections::BTreeMap;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use self::regression::{Regression, fit};
use crate::space::{Dna, Genes};
use crate::state::SearchRun;

/// Maximum number of bands into which depths are divided.
const MOST_BANDS: usize = 3;
/// Minimum degrees of freedom for a meaningful interval.
const LEAST_DEGREES: f64 = 3.0;
/// Significance level for clear effects, for all effects together.
const LEVEL: f64 = 0.05;

/// One child that was trained itself.
#[derive(Debug, Clone)]
pub struct Trained {
    /// Number of its episode.
    pub episode: usize,
    /// Its choices, layer by layer, in the order of the heads.
    pub genes: Genes,
    /// Its reward, 0 if it failed.
    pub reward: f64,
}

/// The effects of all options.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Effects {
    /// Number of children that they are computed from, without repeats, which have no independent
    /// reward.
    pub children: usize,
    /// How many of them failed: their reward is 0.
    pub failed: usize,
    /// Ranges of depths, in order; only one if all children have the same depth.
    pub bands: Vec<Band>,
    /// Effects of the heads, in order.
    pub heads: Vec<HeadEffects>,
    /// Number of effects tested over all depths: on average one in twenty 95 % intervals misses.
    pub tested: usize,
}

/// A range of depths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Band {
    /// Number of layers of the shallowest children.
    pub from: usize,
    /// Number of layers of the deepest children.
    pub to: usize,
    /// Number of children in it.
    pub children: usize,
}

/// The options of one head.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeadEffects {
    /// Its index in a gene.
    pub head: usize,
    /// Its options, in the order of their values.
    pub options: Vec<OptionEffects>,
}

/// One option.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OptionEffects {
    /// The value in genes.
    pub value: u32,
    /// Number of layers that have it.
    pub layers: usize,
    /// Effect over all depths; null if the children do not distinguish it from other options.
    pub all: Option<EffectEstimate>,
    /// Effect in each band of depths.
    pub bands: Vec<Option<EffectEstimate>>,
}

/// The effect of one more layer with an option.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EffectEstimate {
    /// Reward minus that of a layer with the average of the head's options.
    pub per_layer: f64,
    /// 95 % interval of it, by itself.
    pub ci95: [f64; 2],
    /// Two-sided p-value of the hypothesis that there is no effect.
    pub p_value: f64,
    /// Whether it is significant after correction for the number of tests (Holm 1979, at 5 %).
    pub is_clear: bool,
}

impl Effects {
    /// The effects in a search, from its children that were trained themselves.
    pub fn of_search(search: &SearchRun) -> Effects {
        let heads = search.started.as_ref().map_or(0, |run| run.heads.len());
        let trained = search.evaluated().filter(|row| row.repeat_of.is_none());
        let mut failed = 0;
        let children: Vec<Trained> = trained
            .filter_map(|row| {
                let reward = row.own_reward()?;
                failed += usize::from(row.accuracy.is_none());
                Some(Trained {
                    episode: row.episode,
                    genes: cut(&row.genes, heads),
                    reward,
                })
            })
            .collect();
        Effects {
            failed,
            ..Effects::of(&children)
        }
    }

    /// The effects estimated from all `children`.
    pub fn of(children: &[Trained]) -> Effects {
        let bands = bands(children);
        let all = effects_of(&children.iter().collect::<Vec<_>>());
        let of_band = |band: &Band| {
            let within: Vec<&Trained> = children.iter().filter(|child| band.holds(child)).collect();
            effects_of(&within)
        };
        let by_band: Vec<_> = match bands.len() {
            1 => vec![all.clone()],
            _ => bands.iter().map(of_band).collect(),
        };
        let heads = options(children.iter()).into_iter().enumerate();
        let heads = heads.map(|(head, options)| HeadEffects {
            head,
            options: options
                .into_iter()
                .map(|(value, layers)| OptionEffects {
                    value,
                    layers,
                    all: all.get(&(head, value)).copied(),
                    bands: by_band
                        .iter()
                        .map(|band| band.get(&(head, value)).copied())
                        .collect(),
                })
                .collect(),
        });
        Effects {
            children: children.len(),
            failed: 0,
            heads: heads.collect(),
            tested: all.len(),
            bands,
        }
    }
}

/// The first `heads` values of each gene: anything else in it (connections to earlier layers) is
/// not an option that every layer has.
fn cut(genes: &Genes, heads: usize) -> Genes {
    if genes.width() <= heads {
        return genes.clone();
    }
    let cut = genes
        .iter()
        .map(|gene| gene[..gene.len().min(heads)].to_vec());
    Genes::from(&Dna(cut.collect()))
}

impl Band {
    fn holds(&self, child: &Trained) -> bool {
        (self.from..=self.to).contains(&child.genes.depth())
    }
}

/// Depths in bands of about equally many children.
fn bands(children: &[Trained]) -> Vec<Band> {
    let mut depths: BTreeMap<usize, usize> = BTreeMap::new();
    for child in children {
        *depths.entry(child.genes.depth()).or_default() += 1;
    }
    let count = MOST_BANDS.min(depths.len());
    let mut bands: Vec<Band> = Vec::new();
    let mut before = 0;
    for (depth, here) in depths {
        // The position of the middle of this depth's children, in bands.
        let place = (2 * before + here) * count / (2 * children.len());
        match bands.get_mut(place) {
            Some(band) => (band.to, band.children) = (depth, band.children + here),
            None => bands.push(Band {
                from: depth,
                to: depth,
                children: here,
            }),
        }
        before += here;
    }
    bands
}

/// A head and the value of one of its options.
type HeadOption = (usize, u32);

/// Values of one head with the number of layers that have each, in order of value.
type OptionCounts = Vec<(u32, usize)>;

/// The options that occur in `children`, by head.
fn options<'a>(children: impl Iterator<Item = &'a Trained>) -> Vec<OptionCounts> {
    let mut heads: Vec<OptionCounts> = Vec::new();
    for gene in children.flat_map(|child| child.genes.iter()) {
        if heads.len() < gene.len() {
            heads.resize(gene.len(), OptionCounts::new());
        }
        // Only a few values each, so this is faster than any map for millions of genes.
        for (options, value) in heads.iter_mut().zip(gene) {
            match options.iter_mut().find(|(known, _)| known == value) {
                Some((_, layers)) => *layers += 1,
                None => options.push((*value, 1)),
            }
        }
    }
    heads.iter_mut().for_each(|options| options.sort_unstable());
    heads
}

/// The effects estimated from `children`.
fn effects_of(children: &[&Trained]) -> BTreeMap<HeadOption, EffectEstimate> {
    let mut used = options(children.iter().copied());
    // A head that does not vary has no column.
    used.iter_mut()
        .filter(|options| options.len() < 2)
        .for_each(Vec::clear);
    let width: usize = used.iter().map(free).sum();
    let strata: Vec<(usize, usize)> = children
        .iter()
        .map(|child| (child.episode, child.genes.depth()))
        .collect();
    let rows: Vec<Vec<f64>> = children
        .iter()
        .map(|child| row(child, &used, width))
        .collect();
    let rewards: Vec<f64> = children.iter().map(|child| child.reward).collect();
    let Some(regression) = fit(&strata, &rows, &rewards, width)
        .filter(|regression| regression.degrees >= LEAST_DEGREES)
    else {
        return BTreeMap::new();
    };
    let mut effects = BTreeMap::new();
    let mut first = 0;
    for (head, options) in used.iter().enumerate() {
        let columns = first..first + free(options);
        for (place, (value, _)) in options.iter().enumerate() {
            let weights = weights(&columns, place, width);
            if let Some(effect) = effect(&regression, &weights) {
                effects.insert((head, *value), effect);
            }
        }
        first = columns.end;
    }
    mark_clear(&mut effects);
    effects
}

/// Columns of a head: the last option follows from the others.
fn free(options: &OptionCounts) -> usize {
    options.len().saturating_sub(1)
}

/// For each head, the number of layers with each option except the last, minus the number with the
/// last, so that the effects of a head sum to 0.
fn row(child: &Trained, used: &[OptionCounts], width: usize) -> Vec<f64> {
    let mut row = vec![0.0; width];
    for gene in child.genes.iter() {
        let mut first = 0;
        for (options, value) in used.iter().zip(gene) {
            let columns = &mut row[first..first + free(options)];
            match options.iter().position(|(known, _)| known == value) {
                Some(place) if place < columns.len() => columns[place] += 1.0,
                Some(_) => columns.iter_mut().for_each(|column| *column -= 1.0),
                None => {}
            }
            first += free(options);
        }
    }
    row
}

/// The option at `place` of a head as a weighted sum of the regression's coefficients, of which
/// `columns` belong to the head.
fn weights(columns: &std::ops::Range<usize>, place: usize, width: usize) -> Vec<f64> {
    let mut weights = vec![0.0; width];
    match columns.clone().nth(place) {
        Some(column) => weights[column] = 1.0,
        None => weights[columns.clone()].fill(-1.0),
    }
    weights
}

fn effect(regression: &Regression, weights: &[f64]) -> Option<EffectEstimate> {
    let (per_layer, error) = regression.combination(weights)?;
    let student = StudentsT::new(0.0, 1.0, regression.degrees).ok()?;
    let half = error * student.inverse_cdf(0.975);
    let p_value = match (error > 0.0, per_layer == 0.0) {
        (true, _) => 2.0 * student.cdf(-(per_layer / error).abs()),
        (false, true) => 1.0,
        (false, false) => 0.0,
    };
    Some(EffectEstimate {
        per_layer,
        ci95: [per_layer - half, per_layer + half],
        p_value,
        is_clear: false,
    })
}

/// Holm's procedure: starting from the smallest, each p-value must be below the level divided by
/// the number of those that remain.
fn mark_clear(effects: &mut BTreeMap<HeadOption, EffectEstimate>) {
    let mut ordered: Vec<&mut EffectEstimate> = effects.values_mut().collect();
    ordered.sort_by(|one, other| one.p_value.total_cmp(&other.p_value));
    let count = ordered.len();
    for (place, effect) in ordered.into_iter().enumerate() {
        if effect.p_value * (count - place) as f64 > LEVEL {
            break;
        }
        effect.is_clear = true;
    }
}

#[cfg(test)]
mod tests;

//! What each option of the space is worth: its main effect on the reward, from the children of one
//! run.
//!
//! A child's reward is regressed on how many of its layers have each option, all heads together,
//! with an intercept for each episode: so neither the growing depth nor what the policy learns from
//! one episode to the next is taken for an effect of the options. An effect is what one more layer
//! with the option is worth compared with the average over the head's options.

mod regression;

use std::collections::BTreeMap;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use self::regression::{Regression, fit};
use crate::space::{Dna, Genes};
use crate::state::SearchRun;

/// Depths are divided into at most this many bands.
const MOST_BANDS: usize = 3;
/// Degrees of freedom below which an interval says nothing.
const LEAST_DEGREES: f64 = 3.0;
/// Level at which an effect is told apart from none, all effects together.
const LEVEL: f64 = 0.05;

/// One child, trained for itself.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The episode that it is of.
    pub episode: usize,
    /// Its decisions, layer by layer, in the order of the heads.
    pub genes: Genes,
    /// Its reward, 0 if it failed.
    pub reward: f64,
}

/// The effects of all options.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Effects {
    /// Children that they are computed from: repeats of an earlier network have no reward of their
    /// own.
    pub children: usize,
    /// Ranges of depths, in order; one where all children are of one depth.
    pub bands: Vec<Band>,
    /// In the order of the heads.
    pub heads: Vec<HeadEffects>,
    /// Effects over all depths that were tested: of intervals of 95 %, one in twenty misses.
    pub tested: usize,
}

/// A range of depths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Band {
    /// Layers of the shallowest children.
    pub from: usize,
    /// Layers of the deepest.
    pub to: usize,
    /// Children in it.
    pub children: usize,
}

/// The options of one head.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeadEffects {
    /// Its place in a gene.
    pub head: usize,
    /// In the order of their values.
    pub options: Vec<OptionEffects>,
}

/// One option.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OptionEffects {
    /// As genes hold it.
    pub value: u32,
    /// Layers that have it.
    pub layers: usize,
    /// Over all depths; null where the children do not tell it from other options.
    pub all: Option<Effect>,
    /// In each band of depths.
    pub bands: Vec<Option<Effect>>,
}

/// What one more layer with an option is worth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Effect {
    /// Difference of the reward from that of a layer with the average of the head's options.
    pub per_layer: f64,
    /// 95 % interval of it, for it alone.
    pub ci95: [f64; 2],
    /// Two-sided p-value of no effect.
    pub p_value: f64,
    /// It is told apart from none even though so many are tested (Holm 1979, at 5 %).
    pub is_clear: bool,
}

impl Effects {
    /// Of the children of a search that were trained for themselves.
    pub fn of_search(search: &SearchRun) -> Effects {
        let heads = search.started.as_ref().map_or(0, |run| run.heads.len());
        let trained = search.evaluated().filter(|row| row.repeat_of.is_none());
        let children: Vec<Trained> = trained
            .filter_map(|row| {
                Some(Trained {
                    episode: row.episode,
                    genes: cut(&row.genes, heads),
                    reward: row.reward?,
                })
            })
            .collect();
        Effects::of(&children)
    }

    /// Of all `children`.
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
            heads: heads.collect(),
            tested: all.len(),
            bands,
        }
    }
}

/// The first `heads` values of each gene: what else it may hold (connections to earlier layers) is no
/// option that every layer has.
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

/// Depths in bands of about as many children each.
fn bands(children: &[Trained]) -> Vec<Band> {
    let mut depths: BTreeMap<usize, usize> = BTreeMap::new();
    for child in children {
        *depths.entry(child.genes.depth()).or_default() += 1;
    }
    let count = MOST_BANDS.min(depths.len());
    let mut bands: Vec<Band> = Vec::new();
    let mut before = 0;
    for (depth, here) in depths {
        // Where the middle of this depth's children lies, in bands.
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
type Key = (usize, u32);

/// Values of one head and how many layers have each, by value.
type Options = Vec<(u32, usize)>;

/// The options that `children` have, by head.
fn options<'a>(children: impl Iterator<Item = &'a Trained>) -> Vec<Options> {
    let mut heads: Vec<Options> = Vec::new();
    for gene in children.flat_map(|child| child.genes.iter()) {
        if heads.len() < gene.len() {
            heads.resize(gene.len(), Options::new());
        }
        // A few values each: faster than any map, among millions of genes.
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

/// The effects that `children` tell of.
fn effects_of(children: &[&Trained]) -> BTreeMap<Key, Effect> {
    let mut used = options(children.iter().copied());
    // What does not vary has no column.
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
fn free(options: &Options) -> usize {
    options.len().saturating_sub(1)
}

/// For each head, the layers with each option but the last, less those with the last: then effects
/// of a head sum to 0.
fn row(child: &Trained, used: &[Options], width: usize) -> Vec<f64> {
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

/// The option at `place` of a head as a sum of the regression's coefficients, of which `columns` are
/// the head's.
fn weights(columns: &std::ops::Range<usize>, place: usize, width: usize) -> Vec<f64> {
    let mut weights = vec![0.0; width];
    match columns.clone().nth(place) {
        Some(column) => weights[column] = 1.0,
        None => weights[columns.clone()].fill(-1.0),
    }
    weights
}

fn effect(regression: &Regression, weights: &[f64]) -> Option<Effect> {
    let (per_layer, error) = regression.combination(weights)?;
    let student = StudentsT::new(0.0, 1.0, regression.degrees).ok()?;
    let half = error * student.inverse_cdf(0.975);
    let p_value = match (error > 0.0, per_layer == 0.0) {
        (true, _) => 2.0 * student.cdf(-(per_layer / error).abs()),
        (false, true) => 1.0,
        (false, false) => 0.0,
    };
    Some(Effect {
        per_layer,
        ci95: [per_layer - half, per_layer + half],
        p_value,
        is_clear: false,
    })
}

/// Holm's procedure: from the smallest p-value on, each must be below the level divided by those
/// that are left.
fn mark_clear(effects: &mut BTreeMap<Key, Effect>) {
    let mut ordered: Vec<&mut Effect> = effects.values_mut().collect();
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

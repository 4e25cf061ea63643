//! What each option of the space is worth: its main effect on the reward, from the children of one
//! run.
//!
//! A child's reward is regressed on how many of its layers have each option, all heads together,
//! with an intercept for each episode: so neither the growing depth nor what the policy learns from
//! one episode to the next is taken for an effect of the options. An effect is what one more layer
//! with the option is worth compared with the average over the head's options.

mod regression;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use self::regression::{Regression, fit};

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
    pub genes: Vec<Vec<u32>>,
    /// Its reward, 0 where it failed.
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
    /// Of all `children`.
    pub fn of(children: &[Trained]) -> Effects {
        let bands = bands(children);
        let columns = Columns::of(children);
        let all = columns.effects(children.iter());
        let by_band: Vec<_> = bands
            .iter()
            .map(|band| {
                let within = children.iter().filter(|child| band.holds(child));
                columns.effects(within)
            })
            .collect();
        let heads = columns.options.iter().map(|(head, options)| HeadEffects {
            head: *head,
            options: options
                .iter()
                .map(|(value, layers)| {
                    let key = (*head, *value);
                    OptionEffects {
                        value: *value,
                        layers: *layers,
                        all: all.get(&key).copied(),
                        bands: by_band.iter().map(|band| band.get(&key).copied()).collect(),
                    }
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

impl Band {
    fn holds(&self, child: &Trained) -> bool {
        (self.from..=self.to).contains(&child.genes.len())
    }
}

/// Depths in bands of about as many children each.
fn bands(children: &[Trained]) -> Vec<Band> {
    let mut depths: BTreeMap<usize, usize> = BTreeMap::new();
    for child in children {
        *depths.entry(child.genes.len()).or_default() += 1;
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

/// The options that the children have, by head: what the regression is on.
struct Columns {
    /// Values and how many layers have them.
    options: BTreeMap<usize, BTreeMap<u32, usize>>,
}

impl Columns {
    fn of(children: &[Trained]) -> Columns {
        let mut options: BTreeMap<usize, BTreeMap<u32, usize>> = BTreeMap::new();
        for gene in children.iter().flat_map(|child| &child.genes) {
            for (head, value) in gene.iter().enumerate() {
                let layers = options.entry(head).or_default().entry(*value).or_default();
                *layers += 1;
            }
        }
        Columns { options }
    }

    /// The effects that `children` tell of.
    fn effects<'a>(&self, children: impl Iterator<Item = &'a Trained>) -> BTreeMap<Key, Effect> {
        let children: Vec<&Trained> = children.collect();
        let used = self.used(&children);
        let width: usize = used.iter().map(|(_, values)| values.len() - 1).sum();
        let strata: Vec<(usize, usize)> = children
            .iter()
            .map(|child| (child.episode, child.genes.len()))
            .collect();
        let rows: Vec<Vec<f64>> = children.iter().map(|child| row(child, &used)).collect();
        let rewards: Vec<f64> = children.iter().map(|child| child.reward).collect();
        let Some(regression) = fit(&strata, &rows, &rewards, width)
            .filter(|regression| regression.degrees >= LEAST_DEGREES)
        else {
            return BTreeMap::new();
        };
        let mut effects = BTreeMap::new();
        let mut first = 0;
        for (head, values) in &used {
            let columns = first..first + values.len() - 1;
            for (place, value) in values.iter().enumerate() {
                let weights = weights(&columns, place, width);
                if let Some(effect) = effect(&regression, &weights) {
                    effects.insert((*head, *value), effect);
                }
            }
            first = columns.end;
        }
        mark_clear(&mut effects);
        effects
    }

    /// Heads with the options that vary among `children`.
    fn used(&self, children: &[&Trained]) -> Vec<(usize, Vec<u32>)> {
        let mut seen: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
        for gene in children.iter().flat_map(|child| &child.genes) {
            for (head, value) in gene.iter().enumerate() {
                seen.entry(head).or_default().insert(*value);
            }
        }
        let vary = seen.into_iter().filter(|(_, values)| values.len() > 1);
        vary.map(|(head, values)| (head, values.into_iter().collect()))
            .collect()
    }
}

/// For each head, the layers with each option but the last, less those with the last: then effects
/// of a head sum to 0.
fn row(child: &Trained, used: &[(usize, Vec<u32>)]) -> Vec<f64> {
    let mut row = Vec::new();
    for (head, values) in used {
        let layers = |value: u32| {
            let having = child
                .genes
                .iter()
                .filter(|gene| gene.get(*head) == Some(&value));
            having.count() as f64
        };
        let last = values.last().map_or(0.0, |value| layers(*value));
        let others = &values[..values.len() - 1];
        row.extend(others.iter().map(|value| layers(*value) - last));
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

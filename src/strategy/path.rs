//! A child as the sequence of choices that leads to it, for strategies without a policy: sampling,
//! extending and mutating children.

use rand::Rng;

use super::sample;
use crate::space::{Dna, Space};

/// A whole number from 0 to `count - 1`, uniform within the resolution of 53 bits.
pub(super) fn below(random: &mut impl Rng, count: usize) -> usize {
    ((random.random::<f64>() * count as f64) as usize).min(count - 1)
}

/// A child as the sequence of choices that leads to it.
#[derive(Debug)]
pub(super) struct Path {
    /// For each choice, the index that was picked and the mask of feasible options.
    steps: Vec<(usize, Vec<bool>)>,
    pub(super) dna: Dna,
}

impl Path {
    /// The child of `depth` layers that follows `dna` wherever feasible and is uniform over the
    /// feasible options elsewhere.
    pub(super) fn along(space: &Space, depth: usize, dna: &Dna, random: &mut impl Rng) -> Path {
        let mut prefix = space.prefix(depth);
        let mut steps = Vec::new();
        let (mut layer, mut value) = (0, 0);
        while let Some(next) = prefix.next() {
            if next.layer != layer {
                (layer, value) = (next.layer, 0);
            }
            let gene = dna.0.get(layer - 1).and_then(|gene| gene.get(value));
            let options = &space.heads()[next.head].options;
            let inherited = gene
                .and_then(|gene| options.iter().position(|option| option == gene))
                .filter(|index| next.feasible[*index]);
            let index = inherited.unwrap_or_else(|| uniform(&next.feasible, random));
            prefix.choose(index);
            steps.push((index, next.feasible));
            value += 1;
        }
        Path {
            steps,
            dna: prefix.dna(),
        }
    }

    /// A child of `depth` layers that is uniform over the feasible options.
    pub(super) fn uniform(space: &Space, depth: usize, random: &mut impl Rng) -> Path {
        Path::along(space, depth, &Dna::default(), random)
    }

    /// The child with one choice changed: the first result that is `wanted` of all feasible changes
    /// in random order. `None` if there is no such change.
    pub(super) fn mutated(
        &self,
        space: &Space,
        depth: usize,
        random: &mut impl Rng,
        wanted: impl Fn(&Dna) -> bool,
    ) -> Option<Dna> {
        let changes = |(step, (taken, feasible)): (usize, &(usize, Vec<bool>))| {
            let indices = feasible.iter().enumerate();
            let others: Vec<usize> = indices
                .filter_map(|(index, feasible)| (*feasible && index != *taken).then_some(index))
                .collect();
            others.into_iter().map(move |index| (step, index))
        };
        let mut changes: Vec<(usize, usize)> =
            self.steps.iter().enumerate().flat_map(changes).collect();
        while !changes.is_empty() {
            let (step, index) = changes.swap_remove(below(random, changes.len()));
            let changed = self.with(space, depth, step, index);
            if let Some(dna) = changed.filter(|dna| wanted(dna)) {
                return Some(dna);
            }
        }
        None
    }

    /// The child with `index` picked at `step`; `None` if that makes a later choice infeasible.
    fn with(&self, space: &Space, depth: usize, step: usize, index: usize) -> Option<Dna> {
        let mut prefix = space.prefix(depth);
        for (number, (taken, _)) in self.steps.iter().enumerate() {
            let index = if number == step { index } else { *taken };
            if !prefix.allows(index) {
                return None;
            }
            prefix.choose(index);
        }
        Some(prefix.dna())
    }
}

/// The index of a feasible option, chosen uniformly.
fn uniform(feasible: &[bool], random: &mut impl Rng) -> usize {
    let pick = below(random, sample::count(feasible));
    let mut indices = (0..feasible.len()).filter(|index| feasible[*index]);
    indices.nth(pick).expect("at least one option is feasible")
}

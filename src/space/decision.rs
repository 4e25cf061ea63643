//! The decisions of a space and the masks that keep every sampled child buildable.

use serde::{Deserialize, Serialize};

use super::{Architecture, Dna};
use crate::config::SpaceConfig;

/// What one decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    Kernel,
    KernelHeight,
    KernelWidth,
    Filters,
    Stride,
    StrideHeight,
    StrideWidth,
    Padding,
}

/// A kind of decision and the values it picks from: one softmax head of the controller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub kind: DecisionKind,
    pub choices: Vec<u32>,
}

/// The set of networks that a controller can propose for images of one shape.
#[derive(Debug, Clone)]
pub struct Space {
    /// Heads in the order in which a layer's values are decided.
    decisions: Vec<Decision>,
    config: SpaceConfig,
    input: [usize; 3],
    classes: usize,
}

/// The next decision to take: which head, for which layer, and which of its choices can still be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextDecision {
    /// Layer number, counted from 1.
    pub layer: usize,
    /// Index into [`Space::decisions`].
    pub head: usize,
    /// One flag per choice; at least one is true.
    pub feasible: Vec<bool>,
}

/// The decisions taken so far for one child of a fixed depth.
#[derive(Debug, Clone)]
pub struct Prefix<'space> {
    space: &'space Space,
    depth: usize,
    chosen: Vec<usize>,
}

/// Why a space or a DNA cannot be used. The text names layer, sizes and reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpaceError {}

impl Space {
    /// The space of `config` over images `[C, H, W]`; an error where not even one child could be built.
    pub fn new(config: &SpaceConfig, input: [usize; 3], classes: usize) -> Result<Space, SpaceError> {
        let _ = (config, input, classes);
        todo!()
    }

    /// The decisions of one layer, in order: one softmax head each.
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// Start a child of `depth` layers.
    pub fn prefix(&self, depth: usize) -> Prefix<'_> {
        Prefix { space: self, depth, chosen: Vec::new() }
    }

    /// The network that `dna` describes, named `name`.
    pub fn decode(&self, dna: &Dna, name: &str) -> Result<Architecture, SpaceError> {
        let _ = (dna, name);
        todo!()
    }
}

impl Prefix<'_> {
    /// The next decision, or none when the child is complete.
    pub fn next(&self) -> Option<NextDecision> {
        todo!()
    }

    /// Take the choice at `index` of the next decision. Only feasible choices may be taken.
    pub fn choose(&mut self, index: usize) {
        let _ = index;
        todo!()
    }

    /// The genes chosen so far.
    pub fn dna(&self) -> Dna {
        todo!()
    }
}

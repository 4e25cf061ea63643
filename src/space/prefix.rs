//! A partly decided child: the next decision, and the masks that keep every sampled child
//! buildable.

use super::feasibility::Shapes;
use super::{Dna, Head, Space};

/// The next decision: which head, for which layer, and which of its options are feasible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Number of the layer, from 1.
    pub layer: usize,
    /// Index into [`Space::heads`].
    pub head: usize,
    /// One flag per option; at least one is true.
    pub feasible: Vec<bool>,
}

/// The choices made so far for one child of a fixed depth.
#[derive(Debug, Clone)]
pub struct Prefix<'space> {
    space: &'space Space,
    depth: usize,
    shapes: Shapes,
    /// Genes of the complete layers.
    genes: Vec<Vec<u32>>,
    /// Values chosen so far for the current layer.
    gene: Vec<u32>,
    /// Heads of the current layer.
    heads: Vec<usize>,
}

impl<'space> Prefix<'space> {
    /// A child without any choices yet.
    pub(super) fn new(space: &'space Space, depth: usize) -> Prefix<'space> {
        Prefix {
            space,
            depth,
            shapes: Shapes::new(space, depth),
            genes: Vec::with_capacity(depth),
            gene: Vec::new(),
            heads: space.layer_heads(1),
        }
    }

    /// The next decision, or `None` if the child is complete.
    pub fn next(&self) -> Option<Decision> {
        if self.is_complete() {
            return None;
        }
        let head = self.heads[self.gene.len()];
        let feasible = self.space.heads[head]
            .options
            .iter()
            .map(|&option| self.is_buildable(option) && self.keeps_limits(option))
            .collect();
        Some(Decision {
            layer: self.genes.len() + 1,
            head,
            feasible,
        })
    }

    /// Whether the option at `index` of the next decision is feasible; false if the child is
    /// complete. Cheaper than the whole mask of [`Prefix::next`].
    pub fn allows(&self, index: usize) -> bool {
        self.next_head().is_some_and(|head| {
            let option = head.options[index];
            self.is_buildable(option) && self.keeps_limits(option)
        })
    }

    /// Take the option at `index` for the next decision. It must be feasible.
    ///
    /// # Panics
    /// If the child is complete, or the option does not exist or is infeasible.
    pub fn choose(&mut self, index: usize) {
        assert!(
            !self.is_complete(),
            "the child is complete: there is nothing left to choose"
        );
        let head = self.heads[self.gene.len()];
        let option = self.space.heads[head].options[index];
        assert!(
            self.is_buildable(option),
            "option {option} of head {head} is infeasible"
        );
        self.take(option);
    }

    /// Choose this option for the next decision.
    pub(super) fn take(&mut self, option: u32) {
        self.gene.push(option);
        if self.gene.len() == self.heads.len() {
            self.shapes.push(self.space, &self.gene);
            self.genes.push(std::mem::take(&mut self.gene));
            self.heads = self.space.layer_heads(self.genes.len() + 1);
        }
    }

    /// The genes chosen so far. The last one is shorter while its layer is incomplete.
    pub fn dna(&self) -> Dna {
        let mut genes = self.genes.clone();
        if !self.gene.is_empty() {
            genes.push(self.gene.clone());
        }
        Dna(genes)
    }

    fn is_complete(&self) -> bool {
        self.genes.len() == self.depth
    }

    /// The space of the child.
    pub(super) fn space(&self) -> &'space Space {
        self.space
    }

    /// The head of the next decision; `None` if the child is complete.
    pub(super) fn next_head(&self) -> Option<&'space Head> {
        let space = self.space;
        (!self.is_complete()).then(|| &space.heads[self.heads[self.gene.len()]])
    }

    /// Whether the limits of the space can be satisfied if `option` is chosen for the next
    /// decision.
    fn keeps_limits(&self, option: u32) -> bool {
        self.space.limits.as_ref().is_none_or(|limits| {
            let mut taken = self.clone();
            taken.take(option);
            limits.exceeded_by_cheapest(taken).is_none()
        })
    }

    /// Whether the child can be built to its full depth if `option` is chosen for the next
    /// decision.
    pub(super) fn is_buildable(&self, option: u32) -> bool {
        let mut decided = self.gene.clone();
        decided.push(option);
        let family = self.space.family();
        family.allows(self.space.heads(), &decided) && self.shapes.fits(self.space, &decided)
    }
}

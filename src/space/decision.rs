//! The decisions of a space and the masks that keep every sampled child buildable.

use serde::{Deserialize, Serialize};

use super::family::{self, FAMILIES, Family};
use super::feasibility::Shapes;
use super::kind::DecisionKind;
use super::nasbench201::OPERATIONS;
use super::{Architecture, ArchitectureError, Design, Dna};
use crate::config::{Decode, LARGEST_SETTING, SpaceConfig, Violation, check_choices};

/// A kind of decision and the values it picks from: one softmax head of the controller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What the head decides.
    pub kind: DecisionKind,
    /// The values that it picks from, in the order of its outputs; `choices` in the journal.
    #[serde(rename = "choices")]
    pub options: Vec<u32>,
}

/// The set of networks that a controller can propose for images of one shape.
#[derive(Debug, Clone)]
pub struct Space {
    /// Heads in the order in which a layer's values are decided.
    decisions: Vec<Decision>,
    family: &'static dyn Family,
    decode: Decode,
    input: [usize; 3],
    classes: usize,
}

/// The next decision to take: which head, for which layer, and which of its options can still be
/// built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextDecision {
    /// Layer number, counted from 1.
    pub layer: usize,
    /// Index into [`Space::decisions`].
    pub head: usize,
    /// One flag per option; at least one is true.
    pub feasible: Vec<bool>,
}

/// The decisions taken so far for one child of a fixed depth.
#[derive(Debug, Clone)]
pub struct Prefix<'space> {
    space: &'space Space,
    depth: usize,
    shapes: Shapes,
    /// Complete layers.
    genes: Vec<Vec<u32>>,
    /// Values decided so far for the layer under way.
    gene: Vec<u32>,
    /// Heads of the layer under way.
    heads: Vec<usize>,
}

/// Why a space or a DNA cannot be used. The text names layer, sizes and reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpaceError {
    /// A list of options that breaks a rule of the settings.
    #[error(transparent)]
    Setting(Box<Violation>),
    /// Images without pixels or channels, or without classes.
    #[error("images of {}x{}x{} in {classes} classes: channels, height, width and classes must be at least 1", input[0], input[1], input[2])]
    EmptyInput {
        /// `[C, H, W]`.
        input: [usize; 3],
        /// Number of classes.
        classes: usize,
    },
    /// Not even the roomiest layers give a child of this depth.
    #[error(
        "no child of {depth} layers can be built on {}x{} images: even if every layer has the space's {roomiest}, the image would have \
         to be at least {}x{}; list smaller kernels or strides, list larger paddings, or use fewer layers",
        input[0], input[1], needed[0], needed[1]
    )]
    NothingBuildable {
        /// Layers of the child.
        depth: usize,
        /// Height and width.
        input: [usize; 2],
        /// Smallest image that would do, `[height, width]`.
        needed: [usize; 2],
        /// The layer that shrinks its input least, in words.
        roomiest: String,
    },
    /// The decisions of a journal fit no family of spaces.
    #[error(
        "the decisions of the run ({kinds}) are those of no space that this program knows: use the program that ran it"
    )]
    UnknownDecisions {
        /// What they decide, as one text.
        kinds: String,
    },
    /// The space has children of one depth only.
    #[error(
        "a child of the space {space} has exactly {only} layer, not {depth}: set search.initial_depth = {only} and search.depth_step = 0"
    )]
    FixedDepth {
        /// Its name in `space.layer`.
        space: &'static str,
        /// The depth that it has.
        only: usize,
        /// The depth asked for.
        depth: usize,
    },
    /// A number beyond the operations of NAS-Bench-201.
    #[error("there is no operation {value}: they are numbered from 0 to {}", OPERATIONS.len() - 1)]
    UnknownOperation {
        /// As given.
        value: u32,
    },
    /// A network is wanted, but the child stands for a row of a table.
    #[error("{key} is a row of a table, not a network that can be built")]
    NoNetwork {
        /// Key of the row.
        key: String,
    },
    /// The DNA is empty.
    #[error("the DNA has no layers")]
    EmptyDna,
    /// A gene has too many or too few values.
    #[error("layer {layer}: the gene has {found} values, but must have {}: {expected}", expected.split(", ").count())]
    GeneLength {
        /// Counted from 1.
        layer: usize,
        /// Number of values that the gene has.
        found: usize,
        /// The values that it must have, in words, separated by commas.
        expected: &'static str,
    },
    /// A value that must be positive is 0.
    #[error("layer {layer}: {value} is 0, but must be at least 1")]
    ZeroValue {
        /// Counted from 1.
        layer: usize,
        /// The value, in words: `stride`.
        value: &'static str,
    },
    /// A value is beyond what settings allow.
    #[error("layer {layer}: {value} is {found}, but must be at most {LARGEST_SETTING}")]
    ValueTooLarge {
        /// Counted from 1.
        layer: usize,
        /// The value, in words: `stride`.
        value: &'static str,
        /// As given.
        found: u32,
    },
    /// The genes are sound, but the network cannot be built.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
}

impl From<Violation> for SpaceError {
    fn from(violation: Violation) -> SpaceError {
        SpaceError::Setting(Box::new(violation))
    }
}

impl Space {
    /// The space of `config` over images `[C, H, W]`; an error where not even one child could be
    /// built.
    ///
    /// Deeper children may still be impossible: see [`Space::check_depth`].
    pub fn new(
        config: &SpaceConfig,
        input: [usize; 3],
        classes: usize,
    ) -> Result<Space, SpaceError> {
        config.check()?;
        let family = family::of(config.layer);
        check_input(family, input, classes)?;
        let decision = |kind: &DecisionKind| Decision {
            kind: *kind,
            options: family.options(*kind, config),
        };
        let space = Space {
            decisions: family.kinds().iter().map(decision).collect(),
            family,
            decode: config.decode,
            input,
            classes,
        };
        space.check_depth(1)?;
        Ok(space)
    }

    /// The space that had these decisions: that of a run, from its journal.
    pub fn restore(
        decisions: Vec<Decision>,
        decode: Decode,
        input: [usize; 3],
        classes: usize,
    ) -> Result<Space, SpaceError> {
        let kinds: Vec<DecisionKind> = decisions.iter().map(|decision| decision.kind).collect();
        let family = FAMILIES.into_iter().find(|family| family.kinds() == kinds);
        let family = family.ok_or_else(|| SpaceError::UnknownDecisions {
            kinds: format!("{kinds:?}"),
        })?;
        check_input(family, input, classes)?;
        for Decision { kind, options } in &decisions {
            if let Some(setting) = kind.setting() {
                check_choices(setting, options)?;
            }
        }
        Ok(Space {
            decisions,
            family,
            decode,
            input,
            classes,
        })
    }

    /// The heads of layer `layer` (from 1), in the order of its gene: indices into
    /// [`Space::decisions`].
    pub fn heads(&self, layer: usize) -> Vec<usize> {
        self.family.heads(layer)
    }

    /// Keys of all children of a tabular space; none of a space of networks.
    pub fn keys(&self) -> Option<Vec<String>> {
        self.family.keys()
    }

    pub(super) fn family(&self) -> &'static dyn Family {
        self.family
    }

    pub(super) fn decoding(&self) -> Decode {
        self.decode
    }

    /// The decisions of a layer, in order: one softmax head each.
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// Shape of one image, `[C, H, W]`.
    pub fn input(&self) -> [usize; 3] {
        self.input
    }

    /// Number of classes that a child tells apart.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// An error where no child of `depth` layers can be built. A search checks its greatest depth
    /// before it starts.
    pub fn check_depth(&self, depth: usize) -> Result<(), SpaceError> {
        self.family.check_depth(depth)?;
        if Shapes::new(self, depth).fits(self, &[]) {
            return Ok(());
        }
        let image = [self.input[1], self.input[2]];
        let (decode, decisions) = (self.decode, &self.decisions);
        Err(self
            .family
            .nothing_buildable(decode, decisions, depth, image))
    }

    /// Start a child of `depth` layers.
    ///
    /// # Panics
    /// If no child of that depth can be built: ask [`Space::check_depth`] first.
    pub fn prefix(&self, depth: usize) -> Prefix<'_> {
        assert!(
            self.check_depth(depth).is_ok(),
            "no child of {depth} layers can be built in this space; see Space::check_depth"
        );
        Prefix {
            space: self,
            depth,
            shapes: Shapes::new(self, depth),
            genes: Vec::with_capacity(depth),
            gene: Vec::new(),
            heads: self.heads(1),
        }
    }

    /// What `dna` stands for, named `name`. Its values need not be options of this space, but a
    /// network must be buildable: the error names the layer, the sizes and the reason.
    pub fn decode(&self, dna: &Dna, name: &str) -> Result<Design, SpaceError> {
        let (input, classes) = (self.input, self.classes);
        self.family.decode(self.decode, dna, name, input, classes)
    }

    /// [`Space::decode`] for a space of networks.
    pub fn network(&self, dna: &Dna, name: &str) -> Result<Architecture, SpaceError> {
        match self.decode(dna, name)? {
            Design::Network(architecture) => Ok(architecture),
            Design::Key(key) => Err(SpaceError::NoNetwork { key }),
        }
    }

    /// Parameters, and multiply-accumulates for one image, of what `dna` was decoded to.
    pub fn size(&self, dna: &Dna, design: &Design) -> Result<(u64, u64), SpaceError> {
        self.family.size(dna, design)
    }
}

impl Prefix<'_> {
    /// The next decision, or none when the child is complete.
    pub fn next(&self) -> Option<NextDecision> {
        if self.is_complete() {
            return None;
        }
        let head = self.heads[self.gene.len()];
        let feasible = self.space.decisions[head]
            .options
            .iter()
            .map(|&option| self.is_feasible(option))
            .collect();
        Some(NextDecision {
            layer: self.genes.len() + 1,
            head,
            feasible,
        })
    }

    /// Take the option at `index` of the next decision. Only feasible ones may be taken.
    ///
    /// # Panics
    /// If the child is complete, or the option does not exist or cannot be built.
    pub fn choose(&mut self, index: usize) {
        assert!(
            !self.is_complete(),
            "the child is complete: there is nothing left to choose"
        );
        let head = self.heads[self.gene.len()];
        let option = self.space.decisions[head].options[index];
        assert!(
            self.is_feasible(option),
            "choice {option} of decision {head} cannot be built"
        );
        self.gene.push(option);
        if self.gene.len() == self.heads.len() {
            self.shapes.push(self.space, &self.gene);
            self.genes.push(std::mem::take(&mut self.gene));
            self.heads = self.space.heads(self.genes.len() + 1);
        }
    }

    /// The genes chosen so far. The last one is shorter while its layer is under way.
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

    /// Whether the child can be completed to its full depth once `option` is taken for the next
    /// decision.
    fn is_feasible(&self, option: u32) -> bool {
        let mut decided = self.gene.clone();
        decided.push(option);
        self.shapes.fits(self.space, &decided)
    }
}

fn check_input(family: &dyn Family, input: [usize; 3], classes: usize) -> Result<(), SpaceError> {
    if family.has_images() && (input.contains(&0) || classes == 0) {
        return Err(SpaceError::EmptyInput { input, classes });
    }
    Ok(())
}

#[cfg(test)]
mod tests;

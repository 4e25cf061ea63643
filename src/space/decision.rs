//! The decisions of a space and the masks that keep every sampled child buildable.

use serde::{Deserialize, Serialize};

use super::decode::Genome;
use super::feasibility::{Requirements, output_size};
use super::{Architecture, ArchitectureError, Dna};
use crate::config::{Decode, LARGEST_SETTING, LayerKind, SpaceConfig, Violation, check_choices};

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

impl DecisionKind {
    /// Key of the setting that lists its choices.
    fn setting(self) -> &'static str {
        match self {
            DecisionKind::Kernel | DecisionKind::KernelHeight | DecisionKind::KernelWidth => {
                "space.kernels"
            }
            DecisionKind::Filters => "space.filters",
            DecisionKind::Stride | DecisionKind::StrideHeight | DecisionKind::StrideWidth => {
                "space.strides"
            }
            DecisionKind::Padding => "space.paddings",
        }
    }
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
    genome: Genome,
    input: [usize; 3],
    classes: usize,
}

/// The next decision to take: which head, for which layer, and which of its choices can still be
/// built.
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
    /// What the layers still to come need of their input.
    requirements: Requirements,
    /// Complete layers.
    genes: Vec<Vec<u32>>,
    /// Values decided so far for the layer under way.
    gene: Vec<u32>,
    /// Height and width that the layer under way reads.
    size: [usize; 2],
}

/// Why a space or a DNA cannot be used. The text names layer, sizes and reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpaceError {
    /// A list of choices that breaks a rule of the settings.
    #[error(transparent)]
    Setting(Box<Violation>),
    #[error("images of {}x{}x{} in {classes} classes: channels, height, width and classes must be at least 1", input[0], input[1], input[2])]
    EmptyInput { input: [usize; 3], classes: usize },
    #[error(
        "no child of {depth} layers can be built on {}x{} images: even if every layer has the space's {roomiest}, the image would have \
         to be at least {}x{}; list smaller kernels or strides, list larger paddings, or use fewer layers",
        input[0], input[1], needed[0], needed[1]
    )]
    NothingBuildable {
        depth: usize,
        /// Height and width.
        input: [usize; 2],
        needed: [usize; 2],
        /// The layer that shrinks its input least, in words.
        roomiest: String,
    },
    #[error(
        "the decisions of the run ({kinds}) are those of no space that this program knows: use the program that ran it"
    )]
    UnknownDecisions { kinds: String },
    #[error("the DNA has no layers")]
    EmptyDna,
    #[error("layer {layer}: the gene has {found} values, but must have {}: {expected}", expected.split(", ").count())]
    GeneLength {
        layer: usize,
        found: usize,
        expected: &'static str,
    },
    #[error("layer {layer}: {value} is 0, but must be at least 1")]
    ZeroValue { layer: usize, value: &'static str },
    #[error("layer {layer}: {value} is {found}, but must be at most {LARGEST_SETTING}")]
    ValueTooLarge {
        layer: usize,
        value: &'static str,
        found: u32,
    },
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
        if input.contains(&0) || classes == 0 {
            return Err(SpaceError::EmptyInput { input, classes });
        }
        config.check()?;
        let space = Space {
            decisions: heads(config),
            genome: Genome {
                layer: config.layer,
                decode: config.decode,
            },
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
        if input.contains(&0) || classes == 0 {
            return Err(SpaceError::EmptyInput { input, classes });
        }
        let kinds: Vec<DecisionKind> = decisions.iter().map(|decision| decision.kind).collect();
        let layer = [LayerKind::Chain, LayerKind::Rectangular]
            .into_iter()
            .find(|layer| head_kinds(*layer) == kinds);
        let layer = layer.ok_or_else(|| SpaceError::UnknownDecisions {
            kinds: format!("{kinds:?}"),
        })?;
        decisions
            .iter()
            .try_for_each(|decision| check_choices(decision.kind.setting(), &decision.choices))?;
        Ok(Space {
            decisions,
            genome: Genome { layer, decode },
            input,
            classes,
        })
    }

    /// The decisions of one layer, in order: one softmax head each.
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
        let needed = Requirements::new(self.genome, &self.decisions, depth).of_network();
        let input = [self.input[1], self.input[2]];
        if needed[0] <= input[0] && needed[1] <= input[1] {
            return Ok(());
        }
        let layer = Requirements::roomiest_layer(self.genome, &self.decisions);
        let by = |sizes: [usize; 2]| format!("{}x{}", sizes[0], sizes[1]);
        let (kernel, stride, padding) = (by(layer.kernel), by(layer.stride), by(layer.padding));
        let roomiest = format!(
            "smallest kernel ({kernel}), smallest stride ({stride}) and largest padding ({padding})"
        );
        Err(SpaceError::NothingBuildable {
            depth,
            input,
            needed,
            roomiest,
        })
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
            requirements: Requirements::new(self.genome, &self.decisions, depth),
            genes: Vec::with_capacity(depth),
            gene: Vec::new(),
            size: [self.input[1], self.input[2]],
        }
    }

    /// The network that `dna` describes, named `name`. Its values need not be choices of this
    /// space, but the network must be buildable: the error names the layer, the sizes and the
    /// reason.
    pub fn decode(&self, dna: &Dna, name: &str) -> Result<Architecture, SpaceError> {
        self.genome.decode(dna, name, self.input, self.classes)
    }
}

impl Prefix<'_> {
    /// The next decision, or none when the child is complete.
    pub fn next(&self) -> Option<NextDecision> {
        if self.is_complete() {
            return None;
        }
        let head = self.gene.len();
        let feasible = self.space.decisions[head]
            .choices
            .iter()
            .map(|&choice| self.is_feasible(choice))
            .collect();
        Some(NextDecision {
            layer: self.genes.len() + 1,
            head,
            feasible,
        })
    }

    /// Take the choice at `index` of the next decision. Only feasible choices may be taken.
    ///
    /// # Panics
    /// If the child is complete, or the choice does not exist or cannot be built.
    pub fn choose(&mut self, index: usize) {
        assert!(
            !self.is_complete(),
            "the child is complete: there is nothing left to choose"
        );
        let choice = self.space.decisions[self.gene.len()].choices[index];
        assert!(
            self.is_feasible(choice),
            "choice {choice} of decision {} cannot be built",
            self.gene.len()
        );
        self.gene.push(choice);
        if self.gene.len() == self.space.decisions.len() {
            let layer = self.space.genome.express(&self.gene);
            let size = |axis: usize| {
                output_size(
                    self.size[axis],
                    layer.kernel[axis],
                    layer.stride[axis],
                    layer.padding[axis],
                )
            };
            self.size = [0, 1].map(|axis| size(axis).expect("a feasible choice has an output"));
            self.genes.push(std::mem::take(&mut self.gene));
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
        self.genes.len() == self.requirements.depth()
    }

    /// Whether the child can be completed to its full depth once `choice` is taken for the next
    /// decision.
    fn is_feasible(&self, choice: u32) -> bool {
        let mut decided = self.gene.clone();
        decided.push(choice);
        let needed = self.requirements.of_layer(self.genes.len() + 1, &decided);
        needed[0] <= self.size[0] && needed[1] <= self.size[1]
    }
}

/// What the heads of one layer decide, in the order of its gene.
fn head_kinds(layer: LayerKind) -> &'static [DecisionKind] {
    use DecisionKind::*;
    match layer {
        LayerKind::Chain => &[Kernel, Filters, Stride, Padding],
        LayerKind::Rectangular => &[
            KernelHeight,
            KernelWidth,
            Filters,
            StrideHeight,
            StrideWidth,
        ],
    }
}

/// The heads of one layer, in the order of its gene.
fn heads(config: &SpaceConfig) -> Vec<Decision> {
    use DecisionKind::*;
    let choices = |kind: DecisionKind| match kind {
        Kernel | KernelHeight | KernelWidth => &config.kernels,
        Filters => &config.filters,
        Stride | StrideHeight | StrideWidth => &config.strides,
        Padding => &config.paddings,
    };
    head_kinds(config.layer)
        .iter()
        .map(|&kind| Decision {
            kind,
            choices: choices(kind).clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests;

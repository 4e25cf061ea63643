//! Why a space, or a DNA in it, cannot be used.

use super::ArchitectureError;
use super::nasbench201::OPERATIONS;
use crate::config::{LARGEST_SETTING, Violation};

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
    /// Not even the cheapest child of this depth keeps the limits.
    #[error(
        "no child of {depth} layers keeps {key} = {limit}: the cheapest has {found}; raise the limit, list smaller kernels or filters, or \
         use fewer layers"
    )]
    NothingWithinLimits {
        /// Layers of the child.
        depth: usize,
        /// Key of the limit.
        key: &'static str,
        /// Its value.
        limit: u64,
        /// What the cheapest child has.
        found: u64,
    },
    /// The heads of a journal are those of no family of spaces.
    #[error(
        "the decisions of the run ({kinds}) are those of no space that this program knows: use the program that ran it"
    )]
    UnknownHeads {
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
    #[error("layer {layer}: the gene has {found} values, but must have {needed}: {expected}")]
    GeneLength {
        /// Counted from 1.
        layer: usize,
        /// Number of values that the gene has.
        found: usize,
        /// Number of values that it must have.
        needed: usize,
        /// These, in words.
        expected: String,
    },
    /// A value that stands for one of a few things is beyond them.
    #[error("layer {layer}: {value} is {found}, but must be from 0 to {most}")]
    NoSuchOption {
        /// Counted from 1.
        layer: usize,
        /// The value, in words: `layer type`.
        value: &'static str,
        /// As given.
        found: u32,
        /// Largest value allowed.
        most: u32,
    },
    /// A skip bit is neither 0 nor 1.
    #[error("layer {layer}: the bit of layer {earlier} is {found}, but must be 0 or 1")]
    NotABit {
        /// Counted from 1.
        layer: usize,
        /// The earlier layer that it is about.
        earlier: usize,
        /// As given.
        found: u32,
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

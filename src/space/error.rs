//! Why a space, or a DNA in it, cannot be used.

use super::ArchitectureError;
use crate::config::{LARGEST_SETTING, Violation};

/// Why a space or a DNA cannot be used. The message names the layer, the sizes and the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpaceError {
    /// A list of options that breaks a rule of the settings.
    #[error(transparent)]
    Setting(Box<Violation>),
    /// Images without pixels, channels or classes.
    #[error("images of {}x{}x{} in {classes} classes: channels, height, width and classes must be at least 1", input[0], input[1], input[2])]
    EmptyInput {
        /// `[C, H, W]`.
        input: [usize; 3],
        /// Number of classes.
        classes: usize,
    },
    /// Even the largest layers do not make a child of this depth possible.
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
        /// Smallest image that would be enough, `[height, width]`.
        needed: [usize; 2],
        /// The options that shrink the input least, as text.
        roomiest: String,
    },
    /// Not even the cheapest child of this depth is within the limits.
    #[error(
        "no child of {depth} layers is within {key} = {limit}: the cheapest has {found}; raise the limit, list smaller kernels or filters, or \
         use fewer layers"
    )]
    NothingWithinLimits {
        /// Layers of the child.
        depth: usize,
        /// Key of the limit.
        key: &'static str,
        /// Its value.
        limit: u64,
        /// Value of the cheapest child.
        found: u64,
    },
    /// The heads in a journal belong to no known family of spaces.
    #[error(
        "the decisions of the run ({kinds}) are those of no space that this program knows: use the program that ran it"
    )]
    UnknownHeads {
        /// What the heads decide, as one text.
        kinds: String,
    },
    /// The space has children of only one depth.
    #[error(
        "a child of the space {space} has exactly {only} layer, not {depth}: set search.initial_depth = {only} and search.depth_step = 0"
    )]
    FixedDepth {
        /// Its name in `space.layer`.
        space: &'static str,
        /// The depth of its children.
        only: usize,
        /// The depth that was requested.
        depth: usize,
    },
    /// A network is needed, but the child is a row of a table.
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
        /// Number of the layer, from 1.
        layer: usize,
        /// Number of values that the gene has.
        found: usize,
        /// Number of values that it must have.
        needed: usize,
        /// What the values are, as text.
        expected: String,
    },
    /// A value is not an index into the options of its head.
    #[error("layer {layer}: {value} is {found}, but must be from 0 to {most}")]
    NoSuchOption {
        /// Number of the layer, from 1.
        layer: usize,
        /// Name of the value, such as `layer type`.
        value: &'static str,
        /// As given.
        found: u32,
        /// Largest value allowed.
        most: u32,
    },
    /// A skip bit is neither 0 nor 1.
    #[error("layer {layer}: the bit of layer {earlier} is {found}, but must be 0 or 1")]
    NotABit {
        /// Number of the layer, from 1.
        layer: usize,
        /// The earlier layer that the bit is for.
        earlier: usize,
        /// The value of the bit.
        found: u32,
    },
    /// A value that must be positive is 0.
    #[error("layer {layer}: {value} is 0, but must be at least 1")]
    ZeroValue {
        /// Number of the layer, from 1.
        layer: usize,
        /// Name of the value, such as `stride`.
        value: &'static str,
    },
    /// A value exceeds the limit of the settings.
    #[error("layer {layer}: {value} is {found}, but must be at most {LARGEST_SETTING}")]
    ValueTooLarge {
        /// Number of the layer, from 1.
        layer: usize,
        /// Name of the value, such as `stride`.
        value: &'static str,
        /// The value.
        found: u32,
    },
    /// The genes are valid, but the network cannot be built.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
}

impl From<Violation> for SpaceError {
    fn from(violation: Violation) -> SpaceError {
        SpaceError::Setting(Box::new(violation))
    }
}

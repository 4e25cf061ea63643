//! Why a network cannot be built, and which layer or classifier is affected.

use super::{LARGEST_SIZE, MOST_LAYERS};
use crate::config::LARGEST_SETTING;

/// Why a network cannot be built. The message names the layer, the sizes and the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchitectureError {
    /// The image shape is out of range.
    #[error("input {input:?}: channels, height and width must be from 1 to {LARGEST_SIZE}")]
    Input {
        /// `[C, H, W]`.
        input: [usize; 3],
    },
    /// The number of classes is out of range.
    #[error("classes is {classes}, but must be from 1 to {LARGEST_SIZE}")]
    Classes {
        /// Number of classes given.
        classes: usize,
    },
    /// Too few or too many layers.
    #[error("the network has {layers} layers, but must have from 1 to {MOST_LAYERS}")]
    Layers {
        /// Number of layers.
        layers: usize,
    },
    /// A size of a layer is out of range.
    #[error("layer {layer}: {setting} is {value}, but must be from {least} to {LARGEST_SETTING}")]
    Setting {
        /// Number of the layer, from 1.
        layer: usize,
        /// The size, in words: `kernel height`.
        setting: &'static str,
        /// The value given.
        value: usize,
        /// Smallest value allowed.
        least: usize,
    },
    /// A layer or the classifier reads nothing.
    #[error("{reader}: the list of inputs is empty: name at least one layer (0 is the image)")]
    NoInputs {
        /// The layer or the classifier.
        reader: OutputReader,
    },
    /// A layer reads itself or one after it, or the classifier one that does not exist.
    #[error("{reader} reads layer {input}, which is not an earlier layer (0 is the image)")]
    LaterInput {
        /// The layer or the classifier.
        reader: OutputReader,
        /// Number of the layer that it reads.
        input: usize,
    },
    /// A layer is listed twice among the inputs of one reader.
    #[error("{reader} reads layer {input} twice")]
    RepeatedInput {
        /// Whose inputs.
        reader: OutputReader,
        /// Number of the layer that is listed twice.
        input: usize,
    },
    /// The kernel does not fit into its padded input.
    #[error(
        "layer {layer} cannot be built: a {}x{} kernel meets an input of {}x{} padded to {}x{}; it needs a smaller kernel, more padding, \
         or smaller strides in the layers before it",
        kernel[0], kernel[1], input[0], input[1], padded[0], padded[1]
    )]
    KernelTooLarge {
        /// Number of the layer, from 1.
        layer: usize,
        /// `[height, width]`, as are the other two.
        kernel: [usize; 2],
        /// Size without padding.
        input: [usize; 2],
        /// Size with padding on both sides.
        padded: [usize; 2],
    },
    /// The number of channels given for a pooling layer differs from the number that it reads.
    #[error(
        "layer {layer}: filters is {filters}, but a pooling layer has as many channels as it reads: {channels}"
    )]
    PooledChannels {
        /// Number of the layer, from 1.
        layer: usize,
        /// As given.
        filters: usize,
        /// Total channels of its inputs.
        channels: usize,
    },
    /// The padding of a pooling layer is more than half of its kernel.
    #[error(
        "layer {layer}: the padding of a pooling layer can be at most half of its kernel, but {}x{} is more than half of {}x{}",
        padding[0], padding[1], kernel[0], kernel[1]
    )]
    PooledPadding {
        /// Number of the layer, from 1.
        layer: usize,
        /// `[height, width]`.
        padding: [usize; 2],
        /// `[height, width]`.
        kernel: [usize; 2],
    },
    /// A figure of the cost does not fit 64 bits.
    #[error(
        "{reader}: the {figure} of the network up to here are too many to count (more than 2^64)"
    )]
    Overflow {
        /// Where the sum grew too large.
        reader: OutputReader,
        /// The quantity, in words: `parameters`.
        figure: &'static str,
    },
}

/// A reader of the outputs of earlier layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputReader {
    /// A layer, by number from 1.
    Layer(usize),
    /// The Linear at the end.
    Classifier,
}

impl std::fmt::Display for OutputReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OutputReader::Layer(layer) => write!(f, "layer {layer}"),
            OutputReader::Classifier => f.write_str("the classifier (output)"),
        }
    }
}

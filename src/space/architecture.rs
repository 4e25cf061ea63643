//! A network as data: the layers of a child and how they are joined. No libtorch here.

use serde::{Deserialize, Serialize};

/// A convolutional network: the JSON architecture file (README, "Files").
///
/// Layer `i` (counted from 1) is Conv2d without bias, BatchNorm2d (eps 1e-5, momentum 0.1), ReLU. Its inputs
/// are concatenated over channels; smaller ones are zero-padded, centred, to the largest. The classifier
/// concatenates `output` the same way, pools globally by the mean, and applies one Linear.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    pub name: String,
    /// Shape of one image, `[C, H, W]`.
    pub input: [usize; 3],
    pub classes: usize,
    pub layers: Vec<Layer>,
    /// Layers (0 = image) that the classifier reads.
    pub output: Vec<usize>,
}

/// One Conv-BN-ReLU layer of an [`Architecture`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Kernel `[height, width]`.
    pub kernel: [usize; 2],
    /// Output channels.
    pub filters: usize,
    /// Stride `[height, width]`.
    pub stride: [usize; 2],
    /// Zero padding on both sides, `[height, width]`.
    pub padding: [usize; 2],
    /// Numbers of the layers whose outputs are read; 0 is the image.
    pub inputs: Vec<usize>,
}

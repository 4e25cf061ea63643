//! The paper's spaces (Zoph & Le, section 3.3 and appendix A): convolutions with skip connections.
//!
//! A gene contains the sizes of a layer and then one bit for each earlier layer, from the first:
//! whether that layer's output is an input. A layer without inputs reads the image, several inputs
//! are concatenated, and the classifier reads every layer that no other layer reads. The controller
//! decides the bits at an *anchor point* (`Policy`).
//!
//! With pooling, the first value is the layer type. A pooling layer has a kernel, stride 2 and as
//! many channels as it reads; its filters have no meaning, so only the smallest option is feasible.

use super::decode::{
    FILTERS, KERNEL_HEIGHT, KERNEL_WIDTH, LayerFamily, STRIDE_HEIGHT, STRIDE_WIDTH,
};
use super::family::{FAMILIES, Family};
use super::head::{HeadKind, Values};

/// Whether the output of one earlier layer is an input.
pub const SKIP: HeadKind = HeadKind {
    key: "skip",
    name: "skip connection",
    short_name: "skip",
    values: Values::Connection,
};

/// The type of a layer.
pub const LAYER_TYPE: HeadKind = HeadKind {
    key: "layer_type",
    name: "layer type",
    short_name: "type",
    values: Values::Named(&["conv", "pool"]),
};

/// Height, width and filters; stride 1.
#[linkme::distributed_slice(FAMILIES)]
pub static PAPER: &dyn Family = &LayerFamily {
    name: "paper",
    kinds: &[KERNEL_HEIGHT, KERNEL_WIDTH, FILTERS, SKIP],
    kernel: [0, 1],
    filters: 2,
    stride: None,
    padding: None,
    layer_type: None,
};

/// Strides are decided too.
#[linkme::distributed_slice(FAMILIES)]
pub static PAPER_STRIDES: &dyn Family = &LayerFamily {
    name: "paper_strides",
    kinds: &[
        KERNEL_HEIGHT,
        KERNEL_WIDTH,
        FILTERS,
        STRIDE_HEIGHT,
        STRIDE_WIDTH,
        SKIP,
    ],
    kernel: [0, 1],
    filters: 2,
    stride: Some([3, 4]),
    padding: None,
    layer_type: None,
};

/// The layer type is decided too; stride 1 except for pooling.
#[linkme::distributed_slice(FAMILIES)]
pub static PAPER_POOLING: &dyn Family = &LayerFamily {
    name: "paper_pooling",
    kinds: &[LAYER_TYPE, KERNEL_HEIGHT, KERNEL_WIDTH, FILTERS, SKIP],
    kernel: [1, 2],
    filters: 3,
    stride: None,
    padding: None,
    layer_type: Some(0),
};

#[cfg(test)]
mod tests;

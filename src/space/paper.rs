//! The paper's spaces (Zoph & Le, section 3.3 and appendix A): convolutions with skip connections.
//!
//! A gene contains the sizes of a layer and then one bit for each earlier layer, from the first:
//! whether that layer's output is an input. A layer without inputs reads the image, several inputs
//! are concatenated, and the classifier reads every layer that no other layer reads. The controller
//! decides the bits at an *anchor point* (`Policy`).
//!
//! With pooling, the first value is the layer type. A pooling layer has a kernel, stride 2 and as
//! many channels as it reads; its filters have no meaning, so only the smallest option is feasible.

use super::decode::{FILTERS, KERNEL_HEIGHT, KERNEL_WIDTH, STRIDE_HEIGHT, STRIDE_WIDTH};
use super::error::SpaceError;
use super::family::{Family, check_lists};
use super::feasibility::output_size;
use super::head::{Head, HeadKind, Values};
use super::rules::{check_same_padding, check_value, names};
use super::{Architecture, Design, Dna, Layer, Operation};
use crate::config::{Decode, LARGEST_SETTING, SpaceConfig, Violation};

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

/// Value of [`LAYER_TYPE`] for a pooling layer.
const POOL: u32 = 1;

/// Stride of a pooling layer, along both axes.
const POOL_STRIDE: usize = 2;

/// A space of convolutions with "same" padding and skip connections.
#[derive(Debug)]
pub struct Paper {
    name: &'static str,
    /// Sizes first, [`SKIP`] last.
    kinds: &'static [HeadKind],
}

/// Height, width and filters; stride 1.
pub static PAPER: Paper = Paper {
    name: "paper",
    kinds: &[KERNEL_HEIGHT, KERNEL_WIDTH, FILTERS, SKIP],
};

/// Strides are decided too.
pub static PAPER_STRIDES: Paper = Paper {
    name: "paper_strides",
    kinds: &[
        KERNEL_HEIGHT,
        KERNEL_WIDTH,
        FILTERS,
        STRIDE_HEIGHT,
        STRIDE_WIDTH,
        SKIP,
    ],
};

/// The layer type is decided too; stride 1 except for pooling.
pub static PAPER_POOLING: Paper = Paper {
    name: "paper_pooling",
    kinds: &[LAYER_TYPE, KERNEL_HEIGHT, KERNEL_WIDTH, FILTERS, SKIP],
};

impl Paper {
    /// Number of values in a gene before its bits.
    fn sizes(&self) -> usize {
        self.kinds.len() - 1
    }

    /// The value of a kind in a gene; `None` if the space does not decide it.
    fn value(&self, kind: HeadKind, gene: &[u32]) -> Option<u32> {
        let place = self.kinds.iter().position(|known| *known == kind)?;
        gene.get(place).copied()
    }

    /// Whether a gene describes a pooling layer.
    fn pools(&self, gene: &[u32]) -> bool {
        self.value(LAYER_TYPE, gene) == Some(POOL)
    }

    /// The layer described by a complete gene; `channels` are those of the image and of the layers
    /// before it.
    fn layer(&self, gene: &[u32], channels: &[usize]) -> Layer {
        let size = |kind: HeadKind| self.value(kind, gene).map_or(1, |value| value as usize);
        let kernel = [size(KERNEL_HEIGHT), size(KERNEL_WIDTH)];
        let bits = gene[self.sizes()..].iter().enumerate();
        let chosen: Vec<usize> = bits
            .filter_map(|(index, &bit)| (bit == 1).then_some(index + 1))
            .collect();
        let inputs = if chosen.is_empty() { vec![0] } else { chosen };
        let (kind, filters, stride) = match self.pools(gene) {
            true => {
                let read = inputs.iter().map(|&input| channels[input]);
                (Operation::MaxPooling, read.sum(), [POOL_STRIDE; 2])
            }
            false => {
                let stride = [size(STRIDE_HEIGHT), size(STRIDE_WIDTH)];
                (Operation::Convolution, size(FILTERS), stride)
            }
        };
        Layer {
            kind,
            kernel,
            filters,
            stride,
            padding: kernel.map(|kernel| kernel / 2),
            inputs,
        }
    }

    fn check_gene(&self, layer: usize, gene: &[u32]) -> Result<(), SpaceError> {
        let (sizes, bits) = (self.sizes(), layer - 1);
        if gene.len() != sizes + bits {
            return Err(SpaceError::GeneLength {
                layer,
                found: gene.len(),
                needed: sizes + bits,
                expected: format!(
                    "{}, and a skip bit for each of the {bits} earlier layers",
                    names(&self.kinds[..sizes])
                ),
            });
        }
        for (kind, &value) in self.kinds.iter().zip(&gene[..sizes]) {
            check_value(layer, *kind, value)?;
        }
        match gene[sizes..].iter().position(|bit| *bit > 1) {
            Some(earlier) => Err(SpaceError::NotABit {
                layer,
                earlier: earlier + 1,
                found: gene[sizes + earlier],
            }),
            None => Ok(()),
        }
    }

    /// The network that `dna` describes for images `input` `[C, H, W]`.
    fn network(
        &self,
        dna: &Dna,
        name: &str,
        input: [usize; 3],
        classes: usize,
    ) -> Result<Architecture, SpaceError> {
        if dna.0.is_empty() {
            return Err(SpaceError::EmptyDna);
        }
        let mut layers: Vec<Layer> = Vec::with_capacity(dna.depth());
        let mut channels = vec![input[0]];
        for (index, gene) in dna.0.iter().enumerate() {
            self.check_gene(index + 1, gene)?;
            let layer = self.layer(gene, &channels);
            channels.push(layer.filters);
            layers.push(layer);
        }
        let output = unread(&layers);
        let architecture = Architecture {
            name: name.to_owned(),
            input,
            classes,
            layers,
            output,
        };
        architecture.check()?;
        Ok(architecture)
    }
}

/// Numbers of the layers that no other layer reads; the classifier reads these.
fn unread(layers: &[Layer]) -> Vec<usize> {
    let is_read = |number: &usize| layers.iter().any(|layer| layer.inputs.contains(number));
    (1..=layers.len()).filter(|n| !is_read(n)).collect()
}

impl Family for Paper {
    fn name(&self) -> &'static str {
        self.name
    }

    fn kinds(&self) -> &'static [HeadKind] {
        self.kinds
    }

    fn check(&self, config: &SpaceConfig) -> Result<(), Violation> {
        check_lists(self.name, self.kinds, self.clips(), config)?;
        check_same_padding(self.name, config)
    }

    /// (With "same" padding every kernel fits every map.)
    fn roomiest(&self, head: &Head) -> u32 {
        head.options.iter().copied().min().unwrap_or(0)
    }

    fn allows(&self, heads: &[Head], decided: &[u32]) -> bool {
        let filters = self.kinds.iter().zip(heads).zip(decided);
        let mut filters = filters.filter(|((kind, _), _)| **kind == FILTERS);
        !self.pools(decided) || filters.all(|((_, head), &value)| value == self.roomiest(head))
    }

    /// (Repeated pooling of many channels can exceed the limit of channels per layer.)
    fn output(&self, _decode: Decode, shapes: &[[usize; 3]], gene: &[u32]) -> Option<[usize; 3]> {
        let channels: Vec<usize> = shapes.iter().map(|shape| shape[0]).collect();
        let layer = self.layer(gene, &channels);
        let size = |axis: usize| {
            let sizes = layer.inputs.iter().map(|&input| shapes[input][axis + 1]);
            let (kernel, stride) = (layer.kernel[axis], layer.stride[axis]);
            output_size(sizes.max()?, kernel, stride, layer.padding[axis])
        };
        let shape = [layer.filters, size(0)?, size(1)?];
        (layer.filters <= LARGEST_SETTING).then_some(shape)
    }

    fn decode(
        &self,
        _decode: Decode,
        dna: &Dna,
        name: &str,
        input: [usize; 3],
        classes: usize,
    ) -> Result<Design, SpaceError> {
        self.network(dna, name, input, classes).map(Design::Network)
    }

    fn describe(&self, architecture: &Architecture) -> Option<Dna> {
        let gene = |(index, layer): (usize, &Layer)| {
            let value = |kind: &HeadKind| match kind.key {
                "layer_type" => usize::from(layer.kind == Operation::MaxPooling),
                // The filters of a pooling layer have no meaning.
                "filters" if layer.kind == Operation::MaxPooling => 1,
                "kernel_height" => layer.kernel[0],
                "kernel_width" => layer.kernel[1],
                "stride_height" => layer.stride[0],
                "stride_width" => layer.stride[1],
                _ => layer.filters,
            };
            let sizes = self.kinds[..self.sizes()].iter().map(value);
            let bits = (1..=index).map(|earlier| usize::from(layer.inputs.contains(&earlier)));
            // A setting beyond 32 bits is refused with the network.
            let values = sizes.chain(bits);
            values
                .map(|value| u32::try_from(value).unwrap_or(u32::MAX))
                .collect()
        };
        let dna = Dna(architecture.layers.iter().enumerate().map(gene).collect());
        let Architecture {
            name,
            input,
            classes,
            ..
        } = architecture;
        let again = self.network(&dna, name, *input, *classes).ok()?;
        again.same_network(architecture).then_some(dna)
    }
}

#[cfg(test)]
mod tests;

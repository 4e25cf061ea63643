//! Spaces of chains of convolutions: what each value of a gene means, read literally or clipped as
//! in the monograph's program.

use super::error::SpaceError;
use super::family::{FAMILIES, Family, check_lists};
use super::feasibility::{input_size, output_size};
use super::head::{Head, HeadKind, Values};
use super::rules::{check_same_padding, check_value, names};
use super::{Architecture, Design, Dna, Layer};
use crate::config::{Decode, SpaceConfig, Violation};

/// A size whose options are listed in the settings.
const fn size(
    key: &'static str,
    name: &'static str,
    short_name: &'static str,
    setting: &'static str,
) -> HeadKind {
    HeadKind {
        key,
        name,
        short_name,
        values: Values::Listed(setting),
    }
}

/// Side of a square kernel, pixels.
pub const KERNEL: HeadKind = size("kernel", "kernel", "kernel", "space.kernels");
/// Height of a kernel, pixels.
pub const KERNEL_HEIGHT: HeadKind =
    size("kernel_height", "kernel height", "k.high", "space.kernels");
/// Width of a kernel, pixels.
pub const KERNEL_WIDTH: HeadKind = size("kernel_width", "kernel width", "k.wide", "space.kernels");
/// Output channels of a layer.
pub const FILTERS: HeadKind = size("filters", "filters", "filters", "space.filters");
/// Stride along both axes.
pub const STRIDE: HeadKind = size("stride", "stride", "stride", "space.strides");
/// Stride along the height.
pub const STRIDE_HEIGHT: HeadKind =
    size("stride_height", "stride height", "s.high", "space.strides");
/// Stride along the width.
pub const STRIDE_WIDTH: HeadKind = size("stride_width", "stride width", "s.wide", "space.strides");
/// Zeros on each side, along both axes.
pub const PADDING: HeadKind = size("padding", "padding", "pad", "space.paddings");

/// How the genes of a chain of convolutions are laid out.
#[derive(Debug)]
pub struct Convolutions {
    /// Value of `space.layer`.
    name: &'static str,
    /// Whether padding keeps the size of the map.
    is_same: bool,
    kinds: &'static [HeadKind],
    express: fn(&[usize]) -> Expressed,
    /// The gene of a layer, as far as a gene can express the layer.
    gene: fn(&Layer) -> Vec<usize>,
}

/// `[k, f, s, p]`, square.
pub static CHAIN: Convolutions = Convolutions {
    name: "chain",
    is_same: false,
    kinds: &[KERNEL, FILTERS, STRIDE, PADDING],
    express: |gene| Expressed {
        kernel: [gene[0]; 2],
        filters: gene[1],
        stride: [gene[2]; 2],
        padding: [gene[3]; 2],
    },
    gene: |layer| {
        vec![
            layer.kernel[0],
            layer.filters,
            layer.stride[0],
            layer.padding[0],
        ]
    },
};

/// `[kh, kw, f, sh, sw]` with "same" padding.
pub static RECTANGULAR: Convolutions = Convolutions {
    name: "rectangular",
    is_same: true,
    kinds: &[
        KERNEL_HEIGHT,
        KERNEL_WIDTH,
        FILTERS,
        STRIDE_HEIGHT,
        STRIDE_WIDTH,
    ],
    express: |gene| Expressed {
        kernel: [gene[0], gene[1]],
        filters: gene[2],
        stride: [gene[3], gene[4]],
        padding: [gene[0] / 2, gene[1] / 2],
    },
    gene: |layer| {
        let ([height, width], [down, across]) = (layer.kernel, layer.stride);
        vec![height, width, layer.filters, down, across]
    },
};

/// One expressed gene: a layer without its position in the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expressed {
    /// `[height, width]`, as are stride and padding.
    pub kernel: [usize; 2],
    /// Output channels.
    pub filters: usize,
    /// At least 1.
    pub stride: [usize; 2],
    /// Zeros on both sides.
    pub padding: [usize; 2],
}

impl Convolutions {
    /// The layer that a gene of the right length describes.
    fn express(&self, decode: Decode, gene: &[u32]) -> Expressed {
        let gene: Vec<usize> = gene.iter().map(|value| *value as usize).collect();
        let layer = (self.express)(&gene);
        match decode {
            Decode::Literal => layer,
            Decode::Clipped => clip(layer),
        }
    }

    /// The chain of layers that `dna` describes for images `input` `[C, H, W]`.
    ///
    /// # Errors
    ///
    /// If it cannot be built.
    pub fn network(
        &self,
        decode: Decode,
        dna: &Dna,
        name: &str,
        input: [usize; 3],
        classes: usize,
    ) -> Result<Architecture, SpaceError> {
        if dna.0.is_empty() {
            return Err(SpaceError::EmptyDna);
        }
        let mut layers = Vec::with_capacity(dna.depth());
        for (index, gene) in dna.0.iter().enumerate() {
            self.check_gene(index + 1, gene)?;
            let Expressed {
                kernel,
                filters,
                stride,
                padding,
            } = self.express(decode, gene);
            layers.push(Layer {
                kind: Default::default(),
                kernel,
                filters,
                stride,
                padding,
                inputs: vec![index],
            });
        }
        let output = vec![layers.len()];
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

    fn check_gene(&self, layer: usize, gene: &[u32]) -> Result<(), SpaceError> {
        if gene.len() != self.kinds.len() {
            return Err(SpaceError::GeneLength {
                layer,
                found: gene.len(),
                needed: self.kinds.len(),
                expected: names(self.kinds),
            });
        }
        for (kind, &found) in self.kinds.iter().zip(gene) {
            check_value(layer, *kind, found)?;
        }
        Ok(())
    }
}

/// The DNA that, read literally, describes `architecture`, in the first family that can express it:
/// for a chain of layers, `[k, f, s, p]` each if all are square, or `[kh, kw, f, sh, sw]` each if
/// all have "same" padding; with skip connections, the DNA of the paper's spaces.
pub fn describe(architecture: &Architecture) -> Option<Dna> {
    let mut families = FAMILIES.into_iter();
    families.find_map(|family| family.describe(architecture))
}

impl Family for Convolutions {
    fn name(&self) -> &'static str {
        self.name
    }

    fn kinds(&self) -> &'static [HeadKind] {
        self.kinds
    }

    /// (Clipping applies to square kernels and their padding.)
    fn clips(&self) -> bool {
        !self.is_same
    }

    fn check(&self, config: &SpaceConfig) -> Result<(), Violation> {
        check_lists(self.name, self.kinds, self.clips(), config)?;
        if self.is_same {
            check_same_padding(self.name, config)?;
        }
        Ok(())
    }

    fn roomiest(&self, head: &Head) -> u32 {
        let options = head.options.iter().copied();
        let roomiest = if head.kind == PADDING {
            options.max()
        } else {
            options.min()
        };
        roomiest.expect("Space::new refuses empty lists")
    }

    fn output(&self, decode: Decode, shapes: &[[usize; 3]], gene: &[u32]) -> Option<[usize; 3]> {
        let (layer, input) = (self.express(decode, gene), shapes.last()?);
        let size = |axis: usize| {
            let (kernel, stride) = (layer.kernel[axis], layer.stride[axis]);
            output_size(input[axis + 1], kernel, stride, layer.padding[axis])
        };
        Some([layer.filters, size(0)?, size(1)?])
    }

    fn smallest_image(
        &self,
        decode: Decode,
        heads: &[Head],
        depth: usize,
    ) -> Option<([usize; 2], String)> {
        let gene: Vec<u32> = heads.iter().map(|head| self.roomiest(head)).collect();
        let layer = self.express(decode, &gene);
        let needed = (0..depth).fold([1, 1], |output: [usize; 2], _| {
            [0, 1].map(|axis| {
                let (kernel, stride) = (layer.kernel[axis], layer.stride[axis]);
                input_size(output[axis], kernel, stride, layer.padding[axis])
            })
        });
        let by = |sizes: [usize; 2]| format!("{}x{}", sizes[0], sizes[1]);
        let (kernel, stride, padding) = (by(layer.kernel), by(layer.stride), by(layer.padding));
        let roomiest = format!(
            "smallest kernel ({kernel}), smallest stride ({stride}) and largest padding ({padding})"
        );
        Some((needed, roomiest))
    }

    fn decode(
        &self,
        decode: Decode,
        dna: &Dna,
        name: &str,
        input: [usize; 3],
        classes: usize,
    ) -> Result<Design, SpaceError> {
        self.network(decode, dna, name, input, classes)
            .map(Design::Network)
    }

    fn describe(&self, architecture: &Architecture) -> Option<Dna> {
        let Architecture {
            name,
            input,
            classes,
            layers,
            ..
        } = architecture;
        // A setting beyond 32 bits is rejected together with the network.
        let value = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let gene = |layer: &Layer| (self.gene)(layer).into_iter().map(value).collect();
        let dna = Dna(layers.iter().map(gene).collect());
        let again = self
            .network(Decode::Literal, &dna, name, *input, *classes)
            .ok()?;
        again.same_network(architecture).then_some(dna)
    }
}

/// What the monograph's program built instead of what its DNA said: the kernel limited to 1..=7 and
/// then, if even, made odd by adding 1; the filters limited to 24..=64; stride 1 and "same"
/// padding. (Rounding down instead would give its published DNA 261,298 parameters; the network it
/// reports has 275,122.)
fn clip(layer: Expressed) -> Expressed {
    let kernel = layer.kernel.map(|kernel| kernel.clamp(1, 7) | 1);
    Expressed {
        kernel,
        filters: layer.filters.clamp(24, 64),
        stride: [1; 2],
        padding: kernel.map(|kernel| kernel / 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(layout: &Convolutions, genes: &[&[u32]]) -> (Dna, Architecture) {
        let dna = Dna(genes.iter().map(|gene| gene.to_vec()).collect());
        let network = layout
            .network(Decode::Literal, &dna, "x", [3, 32, 32], 10)
            .unwrap();
        (dna, network)
    }

    #[test]
    fn a_chain_of_layers_is_described_by_the_dna_that_it_was_decoded_from() {
        let (chain, network) = decoded(&CHAIN, &[&[3, 8, 2, 1], &[4, 12, 1, 0]]);
        assert_eq!(describe(&network), Some(chain));
        let (rectangular, network) = decoded(&RECTANGULAR, &[&[3, 5, 8, 1, 2], &[7, 1, 12, 1, 1]]);
        assert_eq!(describe(&network), Some(rectangular));
    }
}

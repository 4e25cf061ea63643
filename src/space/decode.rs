//! Spaces of networks whose genes describe one layer each: what each value of a gene means, read
//! literally or clipped as in the monograph's program. The chains of convolutions are here, the
//! spaces with skip connections in [`super::paper`].

use super::error::SpaceError;
use super::family::{FAMILIES, Family, check_lists, families};
use super::feasibility::{input_size, output_size};
use super::head::{Head, HeadKind, Values};
use super::rules::{check_gene, check_same_padding};
use super::{Architecture, Design, Dna, Layer, Operation};
use crate::config::{Decode, LARGEST_SETTING, SpaceConfig, Violation};

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

/// Stride of a pooling layer, along both axes.
const POOL_STRIDE: usize = 2;

/// A family of networks: what the values of a gene mean, by their places in it. Values that it does
/// not decide are a stride of 1, "same" padding and a convolution.
#[derive(Debug)]
pub struct LayerFamily {
    /// Value of `space.layer`.
    pub name: &'static str,
    /// What is decided about a layer. A head of connections is the last one; without it each layer
    /// reads the one before it.
    pub kinds: &'static [HeadKind],
    /// Places of the kernel's height and width.
    pub kernel: [usize; 2],
    /// Place of the number of filters.
    pub filters: usize,
    /// Places of the stride along the height and the width.
    pub stride: Option<[usize; 2]>,
    /// Place of the padding along both axes.
    pub padding: Option<usize>,
    /// Place of the layer type: 0 for a convolution, 1 for max pooling.
    pub layer_type: Option<usize>,
}

/// `[k, f, s, p]`, square.
pub static CHAIN: LayerFamily = LayerFamily {
    name: "chain",
    kinds: &[KERNEL, FILTERS, STRIDE, PADDING],
    kernel: [0; 2],
    filters: 1,
    stride: Some([2; 2]),
    padding: Some(3),
    layer_type: None,
};

#[linkme::distributed_slice(FAMILIES)]
static ENTRY: &dyn Family = &CHAIN;

/// `[kh, kw, f, sh, sw]` with "same" padding.
#[linkme::distributed_slice(FAMILIES)]
pub static RECTANGULAR: &dyn Family = &LayerFamily {
    name: "rectangular",
    kinds: &[
        KERNEL_HEIGHT,
        KERNEL_WIDTH,
        FILTERS,
        STRIDE_HEIGHT,
        STRIDE_WIDTH,
    ],
    kernel: [0, 1],
    filters: 2,
    stride: Some([3, 4]),
    padding: None,
    layer_type: None,
};

/// What one gene expresses without its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Expressed {
    /// `[height, width]`, as are stride and padding.
    kernel: [usize; 2],
    /// Output channels; without meaning for pooling, which has as many as it reads.
    filters: usize,
    /// At least 1.
    stride: [usize; 2],
    /// Zeros on both sides.
    padding: [usize; 2],
}

impl LayerFamily {
    /// Number of values in a gene before its connections.
    fn sizes(&self) -> usize {
        let connections = self.kinds.iter().filter(|kind| kind.is_connection());
        self.kinds.len() - connections.count()
    }

    /// Whether a gene describes a pooling layer.
    fn pools(&self, gene: &[u32]) -> bool {
        let layer_type = self.layer_type.and_then(|place| gene.get(place));
        layer_type == Some(&1)
    }

    /// What a gene of the right length expresses.
    fn express(&self, decode: Decode, gene: &[u32]) -> Expressed {
        let value = |place: usize| gene[place] as usize;
        let kernel = self.kernel.map(value);
        let layer = Expressed {
            kernel,
            filters: value(self.filters),
            stride: match self.pools(gene) {
                true => [POOL_STRIDE; 2],
                false => self.stride.map_or([1; 2], |places| places.map(value)),
            },
            padding: match self.padding {
                Some(place) => [value(place); 2],
                None => kernel.map(|kernel| kernel / 2),
            },
        };
        match decode {
            Decode::Literal => layer,
            Decode::Clipped => clip(layer),
        }
    }

    /// Numbers of the layers that the layer with a complete gene reads, if `earlier` layers come
    /// before it (0 is the image).
    fn inputs(&self, earlier: usize, gene: &[u32]) -> Vec<usize> {
        if self.sizes() == self.kinds.len() {
            return vec![earlier];
        }
        let bits = (1..).zip(&gene[self.sizes()..]);
        let chosen: Vec<usize> = bits.filter(|(_, bit)| **bit == 1).map(|(n, _)| n).collect();
        if chosen.is_empty() { vec![0] } else { chosen }
    }

    /// The gene of a layer after `earlier` others, as far as a gene can express it.
    fn gene(&self, earlier: usize, layer: &Layer) -> Vec<u32> {
        let is_pooling = layer.kind == Operation::MaxPooling;
        let mut values = vec![0; self.sizes()];
        for axis in [0, 1] {
            values[self.kernel[axis]] = layer.kernel[axis];
            if let Some(places) = self.stride {
                values[places[axis]] = layer.stride[axis];
            }
        }
        // The filters of a pooling layer have no meaning.
        values[self.filters] = if is_pooling { 1 } else { layer.filters };
        if let Some(place) = self.padding {
            values[place] = layer.padding[0];
        }
        if let Some(place) = self.layer_type {
            values[place] = usize::from(is_pooling);
        }
        if self.sizes() < self.kinds.len() {
            values.extend((1..=earlier).map(|number| usize::from(layer.inputs.contains(&number))));
        }
        // A setting beyond 32 bits is refused with the network.
        let value = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        values.into_iter().map(value).collect()
    }

    /// The network that `dna` describes for images `input` `[C, H, W]`. Its classifier reads every
    /// layer that no other layer reads.
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
        let mut layers: Vec<Layer> = Vec::with_capacity(dna.depth());
        for (index, gene) in dna.0.iter().enumerate() {
            check_gene(self.kinds, index + 1, gene)?;
            let inputs = self.inputs(index, gene);
            let Expressed {
                kernel,
                filters,
                stride,
                padding,
            } = self.express(decode, gene);
            let channels = |number: &usize| match number.checked_sub(1) {
                None => input[0],
                Some(index) => layers[index].filters,
            };
            let (kind, filters) = match self.pools(gene) {
                true => (Operation::MaxPooling, inputs.iter().map(channels).sum()),
                false => (Operation::Convolution, filters),
            };
            layers.push(Layer {
                kind,
                kernel,
                filters,
                stride,
                padding,
                inputs,
            });
        }
        let mut is_read = vec![false; layers.len() + 1];
        for number in layers.iter().flat_map(|layer| &layer.inputs) {
            is_read[*number] = true;
        }
        let output = (1..=layers.len()).filter(|number| !is_read[*number]);
        let architecture = Architecture {
            name: name.to_owned(),
            input,
            classes,
            output: output.collect(),
            layers,
        };
        architecture.check()?;
        Ok(architecture)
    }
}

/// The DNA that, read literally, describes `architecture`, in the first family that can express it:
/// for a chain of layers, `[k, f, s, p]` each if all are square, or `[kh, kw, f, sh, sw]` each if
/// all have "same" padding; with skip connections, the DNA of the paper's spaces.
pub fn describe(architecture: &Architecture) -> Option<Dna> {
    let mut families = families().into_iter();
    families.find_map(|family| family.describe(architecture))
}

impl Family for LayerFamily {
    fn name(&self) -> &'static str {
        self.name
    }

    fn kinds(&self) -> &'static [HeadKind] {
        self.kinds
    }

    /// (Clipping applies to square kernels and their padding.)
    fn clips(&self) -> bool {
        self.padding.is_some()
    }

    fn check(&self, config: &SpaceConfig) -> Result<(), Violation> {
        check_lists(self.name, self.kinds, self.clips(), config)?;
        match self.padding {
            Some(_) => Ok(()),
            None => check_same_padding(self.name, config),
        }
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

    fn allows(&self, heads: &[Head], decided: &[u32]) -> bool {
        let filters = decided.get(self.filters);
        !self.pools(decided) || filters.is_none_or(|f| *f == self.roomiest(&heads[self.filters]))
    }

    /// (Repeated pooling of many channels can exceed the limit of channels per layer.)
    fn output(&self, decode: Decode, shapes: &[[usize; 3]], gene: &[u32]) -> Option<[usize; 3]> {
        let layer = self.express(decode, gene);
        let inputs = self.inputs(shapes.len() - 1, gene);
        let read = || inputs.iter().map(|&input| shapes[input]);
        let size = |axis: usize| {
            let largest = read().map(|shape| shape[axis + 1]).max()?;
            let (kernel, stride) = (layer.kernel[axis], layer.stride[axis]);
            output_size(largest, kernel, stride, layer.padding[axis])
        };
        let channels = match self.pools(gene) {
            true => read().map(|shape| shape[0]).sum(),
            false => layer.filters,
        };
        (channels <= LARGEST_SETTING).then_some([channels, size(0)?, size(1)?])
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
        let layers = architecture.layers.iter().enumerate();
        let dna = Dna(layers
            .map(|(index, layer)| self.gene(index, layer))
            .collect());
        let Architecture {
            name,
            input,
            classes,
            ..
        } = architecture;
        let again = self.network(Decode::Literal, &dna, name, *input, *classes);
        again.ok()?.same_network(architecture).then_some(dna)
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

    fn decoded(family: &dyn Family, genes: &[&[u32]]) -> (Dna, Architecture) {
        let dna = Dna(genes.iter().map(|gene| gene.to_vec()).collect());
        let design = family.decode(Decode::Literal, &dna, "x", [3, 32, 32], 10);
        let Ok(Design::Network(network)) = design else {
            panic!("{design:?}");
        };
        (dna, network)
    }

    #[test]
    fn a_chain_of_layers_is_described_by_the_dna_that_it_was_decoded_from() {
        let (chain, network) = decoded(&CHAIN, &[&[3, 8, 2, 1], &[4, 12, 1, 0]]);
        assert_eq!(describe(&network), Some(chain));
        let (rectangular, network) = decoded(RECTANGULAR, &[&[3, 5, 8, 1, 2], &[7, 1, 12, 1, 1]]);
        assert_eq!(describe(&network), Some(rectangular));
    }
}

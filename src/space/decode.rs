//! Spaces of chains of convolutions: what each value of a gene means, literally or clipped as in
//! the monograph's program.

use super::error::SpaceError;
use super::family::Family;
use super::feasibility::{input_size, output_size};
use super::head::{Head, HeadKind};
use super::{Architecture, Design, Dna, Layer};
use crate::config::{Decode, LARGEST_SETTING, SpaceConfig};

/// How the genes of a chain of convolutions are laid out.
#[derive(Debug)]
pub struct Convolutions {
    kinds: &'static [HeadKind],
    /// Names of a gene's values, as errors tell them.
    values: &'static str,
    express: fn(&[usize]) -> Expressed,
    /// The gene of a layer as far as a gene can say it.
    gene: fn(&Layer) -> Vec<usize>,
}

/// `[k, f, s, p]`, square.
pub static CHAIN: Convolutions = Convolutions {
    kinds: &[
        HeadKind::Kernel,
        HeadKind::Filters,
        HeadKind::Stride,
        HeadKind::Padding,
    ],
    values: "kernel, filters, stride, padding",
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
    kinds: &[
        HeadKind::KernelHeight,
        HeadKind::KernelWidth,
        HeadKind::Filters,
        HeadKind::StrideHeight,
        HeadKind::StrideWidth,
    ],
    values: "kernel height, kernel width, filters, stride height, stride width",
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

/// One gene, expressed: a layer without its place in the network.
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
    /// Where it cannot be built.
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

    /// The DNA that, read literally, describes `architecture`; none where none does.
    fn describe(&self, architecture: &Architecture) -> Option<Dna> {
        let Architecture {
            name,
            input,
            classes,
            layers,
            ..
        } = architecture;
        // A setting beyond 32 bits is refused with the network.
        let value = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let gene = |layer: &Layer| (self.gene)(layer).into_iter().map(value).collect();
        let dna = Dna(layers.iter().map(gene).collect());
        let again = self
            .network(Decode::Literal, &dna, name, *input, *classes)
            .ok()?;
        again.same_network(architecture).then_some(dna)
    }

    fn check_gene(&self, layer: usize, gene: &[u32]) -> Result<(), SpaceError> {
        if gene.len() != self.kinds.len() {
            return Err(SpaceError::GeneLength {
                layer,
                found: gene.len(),
                expected: self.values,
            });
        }
        for (kind, &found) in self.kinds.iter().zip(gene) {
            let value = kind.name();
            if found == 0 && *kind != HeadKind::Padding {
                return Err(SpaceError::ZeroValue { layer, value });
            }
            if found as usize > LARGEST_SETTING {
                return Err(SpaceError::ValueTooLarge {
                    layer,
                    value,
                    found,
                });
            }
        }
        Ok(())
    }
}

/// The DNA that, read literally, describes `architecture`: of a chain of layers, `[k, f, s, p]`
/// each where all are square, `[kh, kw, f, sh, sw]` each where all have "same" padding. None
/// where a network is neither.
pub fn describe(architecture: &Architecture) -> Option<Dna> {
    [&CHAIN, &RECTANGULAR]
        .into_iter()
        .find_map(|layout| layout.describe(architecture))
}

impl Family for Convolutions {
    fn kinds(&self) -> &'static [HeadKind] {
        self.kinds
    }

    fn options(&self, kind: HeadKind, config: &SpaceConfig) -> Vec<u32> {
        use HeadKind::*;
        match kind {
            Kernel | KernelHeight | KernelWidth => config.kernels.clone(),
            Filters => config.filters.clone(),
            Stride | StrideHeight | StrideWidth => config.strides.clone(),
            Padding => config.paddings.clone(),
            // Those of no convolution.
            Edge01 | Edge02 | Edge12 | Edge03 | Edge13 | Edge23 => Vec::new(),
        }
    }

    fn roomiest(&self, head: &Head) -> u32 {
        let options = head.options.iter().copied();
        let roomiest = if head.kind == HeadKind::Padding {
            options.max()
        } else {
            options.min()
        };
        roomiest.expect("Space::new refuses empty lists")
    }

    fn output(&self, decode: Decode, shapes: &[[usize; 2]], gene: &[u32]) -> Option<[usize; 2]> {
        let (layer, input) = (self.express(decode, gene), shapes.last()?);
        let size = |axis: usize| {
            let (kernel, stride) = (layer.kernel[axis], layer.stride[axis]);
            output_size(input[axis], kernel, stride, layer.padding[axis])
        };
        Some([size(0)?, size(1)?])
    }

    fn nothing_buildable(
        &self,
        decode: Decode,
        heads: &[Head],
        depth: usize,
        image: [usize; 2],
    ) -> SpaceError {
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
        SpaceError::NothingBuildable {
            depth,
            input: image,
            needed,
            roomiest: format!(
                "smallest kernel ({kernel}), smallest stride ({stride}) and largest padding ({padding})"
            ),
        }
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
}

/// What the monograph's program built instead of what its DNA said: the kernel limited to 1..=7,
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
    use crate::space::builtin::builtin;

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

    #[test]
    fn a_network_with_skip_connections_has_no_dna() {
        let network = builtin("nascnn15", Decode::Literal, [3, 32, 32], 10)
            .unwrap()
            .unwrap();
        assert_eq!(describe(&network), None);
    }
}

//! DNA to network: what each value of a gene means, literally or clipped as in the monograph's
//! program.

use super::{Architecture, Dna, Layer, SpaceError};
use crate::config::{Decode, LARGEST_SETTING, LayerKind};

/// How genes are read: the kind of layer and the decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Genome {
    pub layer: LayerKind,
    pub decode: Decode,
}

/// One gene, expressed: a layer without its place in the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expressed {
    /// `[height, width]`, as are stride and padding.
    pub kernel: [usize; 2],
    pub filters: usize,
    pub stride: [usize; 2],
    pub padding: [usize; 2],
}

impl Genome {
    /// Names of a gene's values, in order.
    fn values(self) -> (&'static str, &'static [&'static str]) {
        match self.layer {
            LayerKind::Chain => (
                "kernel, filters, stride, padding",
                &["kernel", "filters", "stride", "padding"],
            ),
            LayerKind::Rectangular => (
                "kernel height, kernel width, filters, stride height, stride width",
                &[
                    "kernel height",
                    "kernel width",
                    "filters",
                    "stride height",
                    "stride width",
                ],
            ),
        }
    }

    /// The layer that a gene of the right length describes.
    pub fn express(self, gene: &[u32]) -> Expressed {
        let value = |index: usize| gene[index] as usize;
        let layer = match self.layer {
            LayerKind::Chain => Expressed {
                kernel: [value(0); 2],
                filters: value(1),
                stride: [value(2); 2],
                padding: [value(3); 2],
            },
            LayerKind::Rectangular => Expressed {
                kernel: [value(0), value(1)],
                filters: value(2),
                stride: [value(3), value(4)],
                padding: [value(0) / 2, value(1) / 2],
            },
        };
        match self.decode {
            Decode::Literal => layer,
            Decode::Clipped => clip(layer),
        }
    }

    /// The chain of layers that `dna` describes for images `input` `[C, H, W]`; an error where it
    /// cannot be built.
    pub fn decode(
        self,
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
            } = self.express(gene);
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

    /// The DNA that, read literally, describes `architecture`: of a chain of layers, `[k, f, s, p]`
    /// each where all are square, `[kh, kw, f, sh, sw]` each where all have "same" padding. None
    /// where a network is neither.
    pub fn describe(architecture: &Architecture) -> Option<Dna> {
        [LayerKind::Chain, LayerKind::Rectangular]
            .into_iter()
            .find_map(|layer| {
                let genome = Genome {
                    layer,
                    decode: Decode::Literal,
                };
                let dna = Dna(architecture
                    .layers
                    .iter()
                    .map(|layer| genome.gene(layer))
                    .collect());
                let again = genome
                    .decode(
                        &dna,
                        &architecture.name,
                        architecture.input,
                        architecture.classes,
                    )
                    .ok()?;
                again.same_network(architecture).then_some(dna)
            })
    }

    /// The gene of `layer` as far as a gene can say it.
    fn gene(self, layer: &Layer) -> Vec<u32> {
        let ([height, width], [down, across]) = (layer.kernel, layer.stride);
        let values = match self.layer {
            LayerKind::Chain => vec![height, layer.filters, down, layer.padding[0]],
            LayerKind::Rectangular => vec![height, width, layer.filters, down, across],
        };
        // A setting beyond 32 bits is refused with the network.
        values
            .into_iter()
            .map(|value| u32::try_from(value).unwrap_or(u32::MAX))
            .collect()
    }

    fn check_gene(self, layer: usize, gene: &[u32]) -> Result<(), SpaceError> {
        let (expected, names) = self.values();
        if gene.len() != names.len() {
            return Err(SpaceError::GeneLength {
                layer,
                found: gene.len(),
                expected,
            });
        }
        for (&value, &found) in names.iter().zip(gene) {
            if found == 0 && value != "padding" {
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

    fn decoded(layer: LayerKind, genes: &[&[u32]]) -> (Dna, Architecture) {
        let dna = Dna(genes.iter().map(|gene| gene.to_vec()).collect());
        let network = Genome {
            layer,
            decode: Decode::Literal,
        }
        .decode(&dna, "x", [3, 32, 32], 10)
        .unwrap();
        (dna, network)
    }

    #[test]
    fn a_chain_of_layers_is_described_by_the_dna_that_it_was_decoded_from() {
        let (chain, network) = decoded(LayerKind::Chain, &[&[3, 8, 2, 1], &[4, 12, 1, 0]]);
        assert_eq!(Genome::describe(&network), Some(chain));
        let (rectangular, network) = decoded(
            LayerKind::Rectangular,
            &[&[3, 5, 8, 1, 2], &[7, 1, 12, 1, 1]],
        );
        assert_eq!(Genome::describe(&network), Some(rectangular));
    }

    #[test]
    fn a_network_with_skip_connections_has_no_dna() {
        let network = builtin("nascnn15", Decode::Literal, [3, 32, 32], 10)
            .unwrap()
            .unwrap();
        assert_eq!(Genome::describe(&network), None);
    }
}

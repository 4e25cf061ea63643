//! The costs of a network: parameters, multiply-accumulates, receptive field and memory, computed
//! without libtorch.

use serde::{Deserialize, Serialize};

use super::architecture::{ArchitectureError, OutputReader, joined_shape};
use super::{Architecture, Layer, Operation};

/// Cost of a network and of each of its layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// Costs of the layers, in the order of [`Architecture::layers`].
    pub layers: Vec<LayerCost>,
    /// Cost of the linear classifier.
    pub classifier: ClassifierCost,
    /// Trainable parameters: convolution weights, batch norm weights and biases, and the
    /// classifier's weight and bias. (Running means and variances are buffers, not parameters.)
    pub params: u64,
    /// Multiply-accumulates for one image: convolutions and classifier. Batch norm, ReLU and
    /// pooling are not counted.
    pub macs: u64,
}

/// Cost of one Conv-BN-ReLU layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerCost {
    /// `[C, H, W]`.
    pub output_shape: [usize; 3],
    /// Convolution weights and batch norm weight and bias.
    pub params: u64,
    /// Multiply-accumulates of the convolution for one image.
    pub macs: u64,
    /// Height and width of the image region that one output value can depend on, as if the image
    /// had no border.
    ///
    /// A kernel `k` reached with jump `j` (image pixels from one value to the next) adds `(k - 1)
    /// j`; a stride multiplies the jump. A layer with several inputs takes the largest receptive
    /// field among them and its jump (the largest jump if fields are equal).
    pub receptive_field: [u64; 2],
}

/// Cost of the classifier: one Linear on the pooled, joined outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassifierCost {
    /// Number of features it reads: the channels of the joined outputs.
    pub channels: usize,
    /// Weights and biases: `(channels + 1) · classes`.
    pub params: u64,
    /// Multiply-accumulates for one image: `channels · classes`.
    pub macs: u64,
}

/// Receptive field and jump along height or width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct ReceptiveField {
    field: u64,
    jump: u64,
}

impl Cost {
    /// Cost of `architecture`.
    ///
    /// # Errors
    /// If the network cannot be built, or its figures do not fit 64 bits.
    pub fn of(architecture: &Architecture) -> Result<Cost, ArchitectureError> {
        let shapes = architecture.shapes()?;
        let mut views = vec![[ReceptiveField { field: 1, jump: 1 }; 2]];
        let mut layers = Vec::with_capacity(architecture.layers.len());
        let mut total = Total::default();
        for (index, layer) in architecture.layers.iter().enumerate() {
            let reader = OutputReader::Layer(index + 1);
            let [channels, ..] = joined_shape(&layer.inputs, &shapes);
            let output_shape = shapes[index + 1];
            let view = layer_view(layer, &views);
            let (params, macs) = match layer.kind {
                Operation::Convolution => convolution(layer, channels, output_shape, reader)?,
                Operation::MaxPooling => (0, 0),
            };
            total.add(reader, params, macs)?;
            layers.push(LayerCost {
                output_shape,
                params,
                macs,
                receptive_field: view.map(|view| view.field),
            });
            views.push(view);
        }
        let [channels, ..] = joined_shape(&architecture.output, &shapes);
        // At most 2^12 layers of 2^12 channels and 2^16 classes: no overflow.
        let macs = channels as u64 * architecture.classes as u64;
        let classifier = ClassifierCost {
            channels,
            params: macs + architecture.classes as u64,
            macs,
        };
        total.add(OutputReader::Classifier, classifier.params, classifier.macs)?;
        Ok(Cost {
            layers,
            classifier,
            params: total.params,
            macs: total.macs,
        })
    }
}

/// Parameters and multiply-accumulates of a convolution with its batch norm that reads this number
/// of channels.
fn convolution(
    layer: &Layer,
    channels: usize,
    output: [usize; 3],
    reader: OutputReader,
) -> Result<(u64, u64), ArchitectureError> {
    let overflow = |figure| ArchitectureError::Overflow { reader, figure };
    let weights = product(&[channels, layer.filters, layer.kernel[0], layer.kernel[1]]);
    let params = weights.and_then(|weights| weights.checked_add(2 * layer.filters as u64));
    let macs = weights
        .zip(product(&[output[1], output[2]]))
        .and_then(|(weights, positions)| weights.checked_mul(positions));
    Ok((
        params.ok_or(overflow("parameters"))?,
        macs.ok_or(overflow("multiply-accumulates"))?,
    ))
}

#[derive(Default)]
struct Total {
    params: u64,
    macs: u64,
}

impl Total {
    fn add(
        &mut self,
        reader: OutputReader,
        params: u64,
        macs: u64,
    ) -> Result<(), ArchitectureError> {
        let sum = |total: u64, more: u64, figure| {
            total
                .checked_add(more)
                .ok_or(ArchitectureError::Overflow { reader, figure })
        };
        self.params = sum(self.params, params, "parameters")?;
        self.macs = sum(self.macs, macs, "multiply-accumulates")?;
        Ok(())
    }
}

fn product(factors: &[usize]) -> Option<u64> {
    factors
        .iter()
        .try_fold(1u64, |product, &factor| product.checked_mul(factor as u64))
}

fn layer_view(layer: &Layer, views: &[[ReceptiveField; 2]]) -> [ReceptiveField; 2] {
    [0, 1].map(|axis| {
        let widest = layer
            .inputs
            .iter()
            .map(|&input| views[input][axis])
            .max()
            .unwrap_or(ReceptiveField { field: 1, jump: 1 });
        let reach = (layer.kernel[axis] as u64 - 1).saturating_mul(widest.jump);
        ReceptiveField {
            field: widest.field.saturating_add(reach),
            jump: widest.jump.saturating_mul(layer.stride[axis] as u64),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::memory::direct_memory;

    fn layer(
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
        inputs: &[usize],
    ) -> Layer {
        Layer {
            kind: Default::default(),
            kernel,
            filters: 4,
            stride,
            padding,
            inputs: inputs.to_vec(),
        }
    }

    fn network(layers: Vec<Layer>) -> Architecture {
        let output = vec![layers.len()];
        Architecture {
            name: "x".into(),
            input: [3, 32, 32],
            classes: 10,
            layers,
            output,
        }
    }

    #[test]
    fn a_stride_widens_the_field_of_later_kernels_along_its_own_axis() {
        let network = network(vec![
            layer([3, 3], [2, 1], [1, 1], &[0]),
            layer([3, 3], [1, 1], [1, 1], &[1]),
        ]);
        let fields: Vec<[u64; 2]> = Cost::of(&network)
            .unwrap()
            .layers
            .iter()
            .map(|layer| layer.receptive_field)
            .collect();
        assert_eq!(fields, [[3, 3], [7, 5]]);
    }

    #[test]
    fn a_joined_input_has_the_largest_field_and_its_jump() {
        // Layer 1 sees 5 pixels at jump 1; layer 2 sees 3 at jump 2. Layer 3 continues from layer
        // 1.
        let network = network(vec![
            layer([5, 5], [1, 1], [2, 2], &[0]),
            layer([3, 3], [2, 2], [1, 1], &[0]),
            layer([3, 3], [1, 1], [1, 1], &[1, 2]),
        ]);
        assert_eq!(
            Cost::of(&network).unwrap().layers[2].receptive_field,
            [7, 7]
        );
    }

    #[test]
    fn figures_beyond_64_bits_are_an_error_that_names_the_layer() {
        let huge = |inputs: &[usize]| Layer {
            kernel: [4096; 2],
            filters: 4096,
            ..layer([1; 2], [1; 2], [4096; 2], inputs)
        };
        let network = Architecture {
            input: [65_536; 3],
            ..network(vec![huge(&[0])])
        };
        assert!(
            Cost::of(&network)
                .unwrap_err()
                .to_string()
                .starts_with("layer 1: the multiply-accumulates")
        );
        assert_eq!(direct_memory(&network, usize::MAX), Ok(u64::MAX));
    }

    #[test]
    fn layers_that_fit_individually_can_be_too_many_together() {
        // Layer 1 alone has 4096 * 4096 * 2^28 MACs; the sum exceeds 2^64 later.
        let wide = |inputs: &[usize]| Layer {
            filters: 4096,
            ..layer([1; 2], [1; 2], [0; 2], inputs)
        };
        let layers: Vec<Layer> = (0..4096).map(|number| wide(&[number])).collect();
        let network = Architecture {
            input: [4096, 16_384, 16_384],
            ..network(layers)
        };
        assert_eq!(
            Cost::of(&network)
                .unwrap_err()
                .to_string()
                .split(':')
                .next(),
            Some("layer 4096")
        );
    }
}

//! What a network costs: parameters, multiply-accumulates, receptive field and memory, computed without libtorch.

use serde::{Deserialize, Serialize};

use super::architecture::{ArchitectureError, Reader, joined_shape};
use super::{Architecture, Layer};

/// Cost of a network and of each of its layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// In the order of [`Architecture::layers`].
    pub layers: Vec<LayerCost>,
    pub classifier: ClassifierCost,
    /// Parameters that training adjusts: convolution weights, batch normalisation weights and biases, and the
    /// classifier's weight and bias. (Running means and variances are buffers, not parameters.)
    pub params: u64,
    /// Multiply-accumulates for one image: convolutions and classifier. Batch normalisation, ReLU and pooling are not
    /// counted.
    pub macs: u64,
}

/// Cost of one Conv-BN-ReLU layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerCost {
    /// `[C, H, W]`.
    pub output_shape: [usize; 3],
    /// Convolution weights and batch normalisation weight and bias.
    pub params: u64,
    /// Multiply-accumulates of the convolution for one image.
    pub macs: u64,
    /// Height and width of the image region that one output value can depend on, as if the image had no border.
    ///
    /// A kernel `k` reached with jump `j` (image pixels from one value to the next) adds `(k - 1) j`; a stride multiplies
    /// the jump. A layer that reads several takes the largest receptive field among them, and the jump that belongs to
    /// it (of equal fields, the largest jump).
    pub receptive_field: [u64; 2],
}

/// Cost of the classifier: one Linear on the pooled, joined outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassifierCost {
    /// Features it reads: the channels of the joined outputs.
    pub channels: usize,
    pub params: u64,
    pub macs: u64,
}

/// Receptive field and jump along height or width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct View {
    field: u64,
    jump: u64,
}

impl Cost {
    /// Cost of `architecture`; an error where it cannot be built or its figures do not fit 64 bits.
    pub fn of(architecture: &Architecture) -> Result<Cost, ArchitectureError> {
        let shapes = architecture.shapes()?;
        let mut views = vec![[View { field: 1, jump: 1 }; 2]];
        let mut layers = Vec::with_capacity(architecture.layers.len());
        let mut total = Total::default();
        for (index, layer) in architecture.layers.iter().enumerate() {
            let reader = Reader::Layer(index + 1);
            let [channels, ..] = joined_shape(&layer.inputs, &shapes);
            let output_shape = shapes[index + 1];
            let view = layer_view(layer, &views);
            let weights = product(&[channels, layer.filters, layer.kernel[0], layer.kernel[1]]);
            let params = weights.and_then(|weights| weights.checked_add(2 * layer.filters as u64));
            let params = params.ok_or(ArchitectureError::Overflow { reader, figure: "parameters" })?;
            let positions = product(&[output_shape[1], output_shape[2]]);
            let macs = weights.zip(positions).and_then(|(weights, positions)| weights.checked_mul(positions));
            let macs = macs.ok_or(ArchitectureError::Overflow { reader, figure: "multiply-accumulates" })?;
            total.add(reader, params, macs)?;
            layers.push(LayerCost { output_shape, params, macs, receptive_field: view.map(|view| view.field) });
            views.push(view);
        }
        let [channels, ..] = joined_shape(&architecture.output, &shapes);
        // At most 2^12 layers of 2^12 channels and 2^16 classes: no overflow.
        let macs = channels as u64 * architecture.classes as u64;
        let classifier = ClassifierCost { channels, params: macs + architecture.classes as u64, macs };
        total.add(Reader::Classifier, classifier.params, classifier.macs)?;
        Ok(Cost { layers, classifier, params: total.params, macs: total.macs })
    }
}

#[derive(Default)]
struct Total {
    params: u64,
    macs: u64,
}

impl Total {
    fn add(&mut self, reader: Reader, params: u64, macs: u64) -> Result<(), ArchitectureError> {
        let sum = |total: u64, more: u64, figure| total.checked_add(more).ok_or(ArchitectureError::Overflow { reader, figure });
        self.params = sum(self.params, params, "parameters")?;
        self.macs = sum(self.macs, macs, "multiply-accumulates")?;
        Ok(())
    }
}

fn product(factors: &[usize]) -> Option<u64> {
    factors.iter().try_fold(1u64, |product, &factor| product.checked_mul(factor as u64))
}

fn layer_view(layer: &Layer, views: &[[View; 2]]) -> [View; 2] {
    [0, 1].map(|axis| {
        let widest = layer.inputs.iter().map(|&input| views[input][axis]).max().unwrap_or(View { field: 1, jump: 1 });
        let reach = (layer.kernel[axis] as u64 - 1).saturating_mul(widest.jump);
        View { field: widest.field.saturating_add(reach), jump: widest.jump.saturating_mul(layer.stride[axis] as u64) }
    })
}

/// Bytes that training `architecture` with SGD with momentum on batches of `batch_size` images takes at its peak, in
/// 32-bit floats: an estimate, at the top of what libtorch takes; an error where the network cannot be built.
///
/// - parameters: three copies (weights, gradients, momentum);
/// - kept for the backward pass, per image: the image; of each layer the output of its convolution and of its ReLU
///   (batch normalisation and ReLU keep one each); and, where inputs are joined or padded, the joined copy, for each
///   layer and the classifier;
/// - gradients, per image: of each layer's output that more than one reads (they are added up until the last reader is
///   done); and, for the layer where it is largest, of its output twice (ReLU, batch normalisation) and of its joined
///   input.
///
/// Not counted: libtorch itself, the data set, the convolution's scratch memory.
pub fn training_memory(architecture: &Architecture, batch_size: usize) -> Result<u64, ArchitectureError> {
    let shapes = architecture.shapes()?;
    let values = |shape: [usize; 3]| shape.iter().fold(1u64, |product, &size| product.saturating_mul(size as u64));
    let readers = |layer: usize| {
        architecture
            .layers
            .iter()
            .map(|reader| &reader.inputs)
            .chain([&architecture.output])
            .filter(|inputs| inputs.contains(&layer))
            .count()
    };
    let mut kept = values(shapes[0]);
    let mut transient = 0;
    for (index, layer) in architecture.layers.iter().enumerate() {
        let (output, joined) = (values(shapes[index + 1]), values(joined_shape(&layer.inputs, &shapes)));
        let copied = if layer.inputs.len() > 1 { joined } else { 0 };
        let added_up = if readers(index + 1) > 1 { output } else { 0 };
        kept = [output, output, copied, added_up].into_iter().fold(kept, u64::saturating_add);
        transient = transient.max(output.saturating_mul(2).saturating_add(joined));
    }
    if architecture.output.len() > 1 {
        kept = kept.saturating_add(values(joined_shape(&architecture.output, &shapes)));
    }
    let params = Cost::of(architecture).map_or(u64::MAX, |cost| cost.params).saturating_mul(3);
    let activations = kept.saturating_add(transient).saturating_mul(batch_size as u64);
    Ok(activations.saturating_add(params).saturating_mul(size_of::<f32>() as u64))
}

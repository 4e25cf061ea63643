//! How much memory the training of a network needs.

use super::architecture::joined_shape;
use super::{Architecture, ArchitectureError, Cost, Layer, Operation, spectra};
use crate::foundation::device::Device;

/// Estimated peak memory in bytes for training `architecture` on `device` on batches of `batch_size`
/// images, in the form that is the fastest there: on a CPU with spectra where
/// [they gain](spectra::are_faster), otherwise with direct convolutions.
///
/// # Errors
/// If the network cannot be built.
pub fn training_memory(
    architecture: &Architecture,
    batch_size: usize,
    device: Device,
) -> Result<u64, ArchitectureError> {
    if device == Device::Cpu && spectra::are_faster(architecture, batch_size)? {
        spectral_memory(architecture, batch_size)
    } else {
        direct_memory(architecture, batch_size)
    }
}

/// The most that [`training_memory`] is on any device.
///
/// # Errors
/// If the network cannot be built.
pub fn most_training_memory(
    architecture: &Architecture,
    batch_size: usize,
) -> Result<u64, ArchitectureError> {
    let [cpu, gpu] = [Device::Cpu, Device::Cuda(0)]
        .map(|device| training_memory(architecture, batch_size, device));
    Ok(cpu?.max(gpu?))
}

/// Estimated peak memory in bytes for training `architecture`, as [`direct_memory`], with spectra.
/// No inputs are joined. The backward pass frees memory layer by layer, so the peak is the largest of
/// these sums over the layers:
/// - kept up to that layer: the outputs of its convolution and of its ReLU, and the spectra of all
///   layers before it that are read;
/// - spectra of the gradients of later layers' results, until the first layer they read;
/// - temporary: gradients of the layer's output, and its spectrum.
///
/// Half is added to that for temporary memory and what lies unused between tensors of different
/// sizes. Real processes were measured to need 0.78 to 1.02 times as much (docs/PERFORMANCE.md,
/// "Memory").
///
/// # Errors
/// If the network cannot be built.
pub fn spectral_memory(
    architecture: &Architecture,
    batch_size: usize,
) -> Result<u64, ArchitectureError> {
    let params = Cost::of(architecture)?.params;
    let per_image = kept(architecture).max().unwrap_or(0) as u64;
    let images = (per_image + per_image / 2).saturating_mul(batch_size as u64);
    let (counts, channels) = (spectra::counts(architecture), architecture.channels());
    let half = |layer: &Layer| counts.half(layer.kernel[1]) * layer.weights_per_pixel(&channels);
    let kernels = architecture.layers.iter().map(half);
    // Weights, gradients, momentum; the half spectra of a layer's kernels and their gradients.
    let parameters = params.saturating_mul(3);
    let kernels = 2 * kernels.max().unwrap_or(0) as u64;
    Ok([images, parameters, kernels]
        .into_iter()
        .fold(0, u64::saturating_add)
        .saturating_mul(size_of::<f32>() as u64))
}

/// Numbers per image in memory during the backward pass of each layer with spectra. The sums are carried
/// on from layer to layer, so that a network with millions of connections takes one pass.
fn kept(architecture: &Architecture) -> impl Iterator<Item = usize> {
    let counts = spectra::counts(architecture);
    let channels = architecture.channels();
    let [_, height, width] = architecture.input;
    let mut is_read = vec![false; channels.len()];
    // By layer: channels of the results of which it is the first that their gradients are needed for.
    let mut first_used = vec![0; channels.len()];
    for (layer, result) in architecture.layers.iter().zip(1..) {
        layer.inputs.iter().for_each(|&input| is_read[input] = true);
        if let Some(first) = layer.inputs.iter().min() {
            first_used[(*first).max(1)] += channels[result];
        }
    }
    let (mut outputs, mut spectra, mut results) = (0, 0, 0);
    (1..channels.len()).map(move |number| {
        outputs += channels[number];
        if is_read[number - 1] {
            spectra += channels[number - 1];
        }
        // Of later layers that read one up to this one: this one is no longer later.
        results = results + first_used[number] - channels[number];
        (2 * outputs + 3 * channels[number]) * height * width
            + counts.whole() * (spectra + results + channels[number])
    })
}

/// Estimated peak memory in bytes for training `architecture` using SGD with momentum in 32-bit
/// floats on batches of `batch_size` images, with direct convolutions: 1.0 to 1.5 times what PyTorch
/// needs on a CPU (measured by tests/fixtures/make_costs.py).
///
/// - parameters: three copies (weights, gradients, momentum);
/// - per image, the largest of these sums over the layers, because the backward pass frees memory
///   layer by layer:
///   - kept for the backward pass up to that layer: the image; for each layer the outputs of its
///     convolution and of its ReLU, and the joined copy of its inputs if it reads several;
///   - temporary in that layer: the gradients of its output and of its joined input, once each and
///     once more in the layout of the convolution, whose channels come in blocks of 16; and the
///     padded copies of inputs of unequal size;
/// - per image: the gradient of each output that more than one layer reads, which is accumulated
///   until the last reader is done.
///
/// Not included: libtorch itself, the data set, further temporary memory of the convolution.
///
/// # Errors
/// If the network cannot be built.
pub fn direct_memory(
    architecture: &Architecture,
    batch_size: usize,
) -> Result<u64, ArchitectureError> {
    let shapes = architecture.shapes()?;
    let mut kept = values(shapes[0]);
    let mut peak = 0;
    for (index, layer) in architecture.layers.iter().enumerate() {
        let (output, joined) = (shapes[index + 1], joined_shape(&layer.inputs, &shapes));
        // For a convolution, its output and that of batch norm; for pooling, its output and the
        // positions of the largest values, which take 64 bits each.
        let beside = match layer.kind {
            Operation::Convolution => values(output),
            Operation::MaxPooling => values(output).saturating_mul(2),
        };
        kept = sum([
            kept,
            values(output),
            beside,
            copied_values(&layer.inputs, &shapes),
        ]);
        let work = sum([
            values(output),
            values(blocked(output)),
            values(joined),
            values(blocked(joined)),
        ]);
        peak = peak.max(sum([kept, work, padded_values(&layer.inputs, &shapes)]));
    }
    // The classifier keeps only the joined copy, whose gradient is equally large.
    let joined = copied_values(&architecture.output, &shapes);
    peak = peak.max(sum([
        kept,
        joined,
        joined,
        padded_values(&architecture.output, &shapes),
    ]));
    let mut readers = vec![0; shapes.len()];
    let lists = architecture.layers.iter().map(|layer| &layer.inputs);
    lists
        .chain([&architecture.output])
        .flatten()
        .for_each(|&input| readers[input] += 1);
    let shared = (1..shapes.len())
        .filter(|&number| readers[number] > 1)
        .map(|number| values(shapes[number]));
    let activations = shared
        .fold(peak, u64::saturating_add)
        .saturating_mul(batch_size as u64);
    let params = Cost::of(architecture)
        .map_or(u64::MAX, |cost| cost.params)
        .saturating_mul(3);
    Ok(activations
        .saturating_add(params)
        .saturating_mul(size_of::<f32>() as u64))
}

fn sum<const N: usize>(terms: [u64; N]) -> u64 {
    terms.into_iter().fold(0, u64::saturating_add)
}

fn values(shape: [usize; 3]) -> u64 {
    shape
        .iter()
        .fold(1, |product: u64, &size| product.saturating_mul(size as u64))
}

fn blocked([channels, height, width]: [usize; 3]) -> [usize; 3] {
    [channels.next_multiple_of(16), height, width]
}

/// Number of values in the concatenated copy of `inputs`; 0 for a single one, which is read in
/// place.
fn copied_values(inputs: &[usize], shapes: &[[usize; 3]]) -> u64 {
    if inputs.len() > 1 {
        values(joined_shape(inputs, shapes))
    } else {
        0
    }
}

/// Number of values in the padded copies of `inputs` made before their concatenation; 0 if all have
/// the same size.
fn padded_values(inputs: &[usize], shapes: &[[usize; 3]]) -> u64 {
    let joined = joined_shape(inputs, shapes);
    if inputs
        .iter()
        .any(|&input| shapes[input][1..] != joined[1..])
    {
        values(joined)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::space::lanes::tests::any_network;

    /// What [`kept`] says of one layer, counted anew from its definition.
    fn counted(architecture: &Architecture, number: usize) -> usize {
        let channels = architecture.channels();
        let [_, height, width] = architecture.input;
        let layers = &architecture.layers;
        let is_read = |source: &usize| layers.iter().any(|layer| layer.inputs.contains(source));
        let reads_up_to_here = |result: &usize| {
            let inputs = &layers[result - 1].inputs;
            inputs.iter().any(|&input| input <= number)
        };
        let results = (number + 1..channels.len()).filter(reads_up_to_here);
        let spectra = (0..number).filter(is_read).chain(results).chain([number]);
        let spectra: usize = spectra.map(|layer| channels[layer]).sum();
        let outputs: usize = channels[1..=number].iter().sum();
        (2 * outputs + 3 * channels[number]) * height * width
            + spectra::counts(architecture).whole() * spectra
    }

    proptest! {
        #[test]
        fn one_pass_over_the_layers_keeps_what_each_of_them_alone_does(
            mut network in any_network(), filters in prop::collection::vec(1usize..9, 14),
        ) {
            for (layer, filters) in network.layers.iter_mut().zip(filters) {
                layer.filters = filters;
            }
            let each = (1..=network.layers.len()).map(|number| counted(&network, number));
            prop_assert_eq!(kept(&network).collect::<Vec<_>>(), each.collect::<Vec<_>>());
        }
    }
}

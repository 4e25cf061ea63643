//! The memory form of a network: the order of its tensors, and channels added so that kernels run
//! at full width.

use tch::{Device, TchError, Tensor};

use super::spectral;
use crate::data::Layout;
use crate::space::{Architecture, ArchitectureError, Cost, Layer, training_memory};

/// Floats in one vector register (AVX): a layer with fewer than [`NARROW`] filters is padded with
/// zero filters to a multiple of it.
const VECTOR: usize = 8;
const NARROW: usize = 24;
/// A convolution that reads more channels than this runs faster in `[N, C, H, W]` order (measured:
/// docs/PERFORMANCE.md).
const WIDE: usize = 96;

/// The Fourier transform is worth its passes over memory if it saves this factor of multiplications
/// (measured: docs/PERFORMANCE.md).
const SPECTRAL_GAIN: f64 = 1.5;

/// A multiplication of the images' transforms takes about as long as so many of a convolution: they
/// do little with much memory (measured: docs/PERFORMANCE.md).
const TRANSFORM: f64 = 3.0;

/// The memory form of a network. It does not affect what the network computes, except for rounding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Memory order of activations and kernels.
    pub layout: Layout,
    /// Number of stored channels by layer number (0 is the image): at least those of the
    /// architecture. Added channels stay zero: their weights start at zero, and so do all their
    /// gradients.
    pub(super) stored: Vec<usize>,
    /// Whether convolutions are computed by Fourier transform (see [`spectral`]).
    pub(super) spectral: bool,
}

impl Plan {
    /// In `layout`, without added channels.
    pub fn plain(architecture: &Architecture, layout: Layout) -> Plan {
        Plan {
            layout,
            stored: channels(architecture),
            spectral: false,
        }
    }

    /// In `layout`, with narrow layers padded to whole vectors.
    pub fn filled(architecture: &Architecture, layout: Layout) -> Plan {
        // (Pooling would pass on the channels that were added to its inputs.)
        let fills = architecture.layers.iter().all(|l| l.kind.is_convolution());
        let fill = |layer: &Layer| match layer.filters {
            filters if fills && filters < NARROW => filters.next_multiple_of(VECTOR),
            filters => filters,
        };
        let stored = std::iter::once(architecture.input[0])
            .chain(architecture.layers.iter().map(fill))
            .collect();
        Plan {
            layout,
            stored,
            spectral: false,
        }
    }

    /// Convolutions by Fourier transform; `None` if a layer changes the size of its input.
    pub fn spectral(architecture: &Architecture) -> Option<Plan> {
        let plain = Plan::plain(architecture, Layout::Contiguous);
        spectral::is_applicable(architecture).then_some(Plan {
            spectral: true,
            ..plain
        })
    }

    /// The fastest form on `device` with direct convolutions: rounds like PyTorch.
    ///
    /// # Errors
    /// If the network cannot be built.
    pub fn direct(architecture: &Architecture, device: Device) -> Result<Plan, ArchitectureError> {
        Ok(match device {
            Device::Cpu if is_wide(architecture)? => Plan::plain(architecture, Layout::Contiguous),
            Device::Cpu => Plan::filled(architecture, Layout::ChannelsLast),
            _ => Plan::plain(architecture, Layout::ChannelsLast),
        })
    }

    /// The fastest form on `device` for training batches of `batch_size` images.
    ///
    /// # Errors
    /// If the network cannot be built.
    pub fn fastest(
        architecture: &Architecture,
        device: Device,
        batch_size: usize,
    ) -> Result<Plan, ArchitectureError> {
        let saving = Plan::spectral_saving(architecture, batch_size)?;
        match Plan::spectral(architecture) {
            Some(plan) if device == Device::Cpu && saving > SPECTRAL_GAIN => Ok(plan),
            _ => Plan::direct(architecture, device),
        }
    }

    /// How many times fewer multiplications spectra take than direct convolutions, those of the
    /// transforms counted three times.
    ///
    /// # Errors
    /// If the network cannot be built.
    pub fn spectral_saving(
        architecture: &Architecture,
        batch_size: usize,
    ) -> Result<f64, ArchitectureError> {
        let direct = Cost::of(architecture)?.macs as f64;
        Ok(direct / spectral_work(architecture, batch_size))
    }

    /// [`Plan::fastest`] if training with it needs at most `memory` bytes, otherwise
    /// [`Plan::direct`].
    ///
    /// # Errors
    /// If the network cannot be built.
    pub fn fastest_within(
        architecture: &Architecture,
        device: Device,
        batch_size: usize,
        memory: u64,
    ) -> Result<Plan, ArchitectureError> {
        let plan = Plan::fastest(architecture, device, batch_size)?;
        if plan.training_memory(architecture, batch_size)? > memory {
            Plan::direct(architecture, device)
        } else {
            Ok(plan)
        }
    }

    /// Estimated peak memory in bytes of training in this form on batches of `batch_size` images;
    /// without spectra that is [`training_memory`](crate::space::training_memory).
    ///
    /// With them, no inputs are joined. The backward pass frees memory layer by layer, so the peak is
    /// the largest of these sums over the layers:
    /// - kept up to that layer: the outputs of its convolution and of its ReLU, and the spectra of
    ///   all layers before it that are read;
    /// - spectra of the gradients of later layers' results, until the first layer they read;
    /// - temporary: gradients of the layer's output, and its spectrum.
    ///
    /// # Errors
    /// If the network cannot be built.
    pub fn training_memory(
        &self,
        architecture: &Architecture,
        batch_size: usize,
    ) -> Result<u64, ArchitectureError> {
        if !self.spectral {
            return training_memory(architecture, batch_size);
        }
        let per_image = (1..=architecture.layers.len()).map(|number| kept(architecture, number));
        let images = (per_image.max().unwrap_or(0) as u64).saturating_mul(batch_size as u64);
        let counts = spectral::counts(architecture);
        let half = |layer: &Layer| counts.half(layer.kernel[1]) * weights(architecture, layer);
        let kernels = architecture.layers.iter().map(half);
        // Weights, gradients, momentum; the half spectra of a layer's kernels and their gradients.
        let parameters = Cost::of(architecture)?.params.saturating_mul(3);
        let kernels = 2 * kernels.max().unwrap_or(0) as u64;
        Ok([images, parameters, kernels]
            .into_iter()
            .fold(0, u64::saturating_add)
            .saturating_mul(size_of::<f32>() as u64))
    }
}

/// Numbers per image in memory during the backward pass of layer `number` with spectra.
fn kept(architecture: &Architecture, number: usize) -> usize {
    let counts = spectral::counts(architecture);
    let channels = channels(architecture);
    let [_, height, width] = architecture.input;
    let is_read = |source: usize| {
        let mut layers = architecture.layers.iter();
        layers.any(|layer| layer.inputs.contains(&source))
    };
    let reads_up_to_here = |result: usize| {
        let inputs = &architecture.layers[result - 1].inputs;
        inputs.iter().any(|&input| input <= number)
    };
    let spectra = (0..number).filter(|&source| is_read(source));
    let results = (number + 1..channels.len()).filter(|&result| reads_up_to_here(result));
    let outputs: usize = channels[1..=number].iter().sum();
    let spectra: usize = spectra
        .chain(results)
        .chain([number])
        .map(|layer| channels[layer])
        .sum();
    (2 * outputs + 3 * channels[number]) * height * width + counts.whole() * spectra
}

/// Weights of `layer` per pixel of its kernel: channels read times filters.
fn weights(architecture: &Architecture, layer: &Layer) -> usize {
    let channels = channels(architecture);
    let read: usize = layer.inputs.iter().map(|&input| channels[input]).sum();
    read * layer.filters
}

/// Forward multiply-accumulates per image of the convolutions by Fourier transform, with the
/// kernels' transforms shared by a batch.
fn spectral_work(architecture: &Architecture, batch_size: usize) -> f64 {
    let counts = spectral::counts(architecture);
    let [rows, columns] = counts.frequencies;
    let [height, width] = [architecture.input[1], architecture.input[2]];
    // (Positions in pairs along the height; along the width, frequencies in pairs too.)
    let transform = rows * height * width + rows * columns * width;
    let places = 3 * rows * columns;
    let layer = |layer: &Layer| {
        let [height, width] = layer.kernel;
        let kernel = 2 * rows * height * width + 2 * places * width;
        TRANSFORM * (2 * transform * layer.filters) as f64
            + weights(architecture, layer) as f64
                * (places as f64 + kernel as f64 / batch_size.max(1) as f64)
    };
    architecture.layers.iter().map(layer).sum()
}

/// Whether most of the work is in convolutions that read many channels.
fn is_wide(architecture: &Architecture) -> Result<bool, ArchitectureError> {
    let (cost, channels) = (Cost::of(architecture)?, channels(architecture));
    let reads_many =
        |inputs: &[usize]| inputs.iter().map(|&input| channels[input]).sum::<usize>() > WIDE;
    let wide = architecture
        .layers
        .iter()
        .zip(&cost.layers)
        .filter(|(layer, _)| reads_many(&layer.inputs));
    Ok(2 * wide.map(|(_, cost)| u128::from(cost.macs)).sum::<u128>() > u128::from(cost.macs))
}

/// Channels by layer number; 0 is the image.
pub(super) fn channels(architecture: &Architecture) -> Vec<usize> {
    std::iter::once(architecture.input[0])
        .chain(architecture.layers.iter().map(|layer| layer.filters))
        .collect()
}

/// Where the values of a parameter are in its stored tensor: in its first rows and (for a matrix or
/// a convolution weight) in blocks of columns, one per joined input.
#[derive(Debug, Clone)]
pub(super) struct Storage {
    /// Shape of the stored tensor.
    pub stored: Vec<i64>,
    rows: i64,
    /// `(first stored column, columns)`; `None` for a vector.
    blocks: Vec<(i64, i64)>,
}

impl Storage {
    /// A vector of `rows` values stored as `stored` values.
    pub fn vector(rows: usize, stored: usize) -> Storage {
        Storage {
            stored: vec![stored as i64],
            rows: rows as i64,
            blocks: Vec::new(),
        }
    }

    /// A weight of `rows` filters or classes stored as `stored`, which reads the layers `inputs`
    /// with kernels of shape `kernel` (empty for a matrix).
    pub fn weight(
        [rows, stored]: [usize; 2],
        inputs: &[usize],
        channels: &[usize],
        plan: &Plan,
        kernel: &[usize],
    ) -> Storage {
        let mut start = 0;
        let mut block = |&input: &usize| {
            start += plan.stored[input] as i64;
            (start - plan.stored[input] as i64, channels[input] as i64)
        };
        let blocks = inputs.iter().map(&mut block).collect();
        let shape = [stored as i64, start]
            .into_iter()
            .chain(kernel.iter().map(|&size| size as i64))
            .collect();
        Storage {
            stored: shape,
            rows: rows as i64,
            blocks,
        }
    }

    /// Shape without the padding.
    pub fn shape(&self) -> Vec<i64> {
        let mut shape = self.stored.clone();
        shape[0] = self.rows;
        if !self.blocks.is_empty() {
            shape[1] = self.blocks.iter().map(|block| block.1).sum();
        }
        shape
    }

    /// The values in a stored tensor.
    pub fn read(&self, stored: &Tensor) -> Result<Tensor, TchError> {
        let rows = stored.f_narrow(0, 0, self.rows)?;
        match self.blocks[..] {
            [] => Ok(rows),
            [(start, length)] => rows.f_narrow(1, start, length),
            _ => {
                let blocks = self
                    .blocks
                    .iter()
                    .map(|&(start, length)| rows.f_narrow(1, start, length));
                Tensor::f_cat(&blocks.collect::<Result<Vec<_>, _>>()?, 1)
            }
        }
    }

    /// Write values into a stored tensor; the padding is left unchanged.
    pub fn write(&self, stored: &Tensor, values: &Tensor) -> Result<(), TchError> {
        let mut rows = stored.f_narrow(0, 0, self.rows)?;
        if self.blocks.is_empty() {
            return rows.f_copy_(values);
        }
        let mut from = 0;
        for &(start, length) in &self.blocks {
            rows.f_narrow(1, start, length)?
                .f_copy_(&values.f_narrow(1, from, length)?)?;
            from += length;
        }
        Ok(())
    }
}

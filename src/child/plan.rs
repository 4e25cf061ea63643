//! The memory form of a network: the order of its tensors, and channels added so that kernels run
//! at full width.

use tch::{Device, TchError, Tensor};

use crate::data::Layout;
use crate::space::memory::{direct_memory, spectral_memory};
use crate::space::{Architecture, ArchitectureError, Cost, Layer, spectra};

/// Floats in one vector register (AVX): a layer with fewer than [`NARROW`] filters is padded with
/// zero filters to a multiple of it.
const VECTOR: usize = 8;
const NARROW: usize = 24;
/// A convolution that reads more channels than this runs faster in `[N, C, H, W]` order (measured:
/// docs/PERFORMANCE.md).
const WIDE: usize = 96;

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
            stored: architecture.channels(),
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
        spectra::are_applicable(architecture).then_some(Plan {
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
        let gains = device == Device::Cpu && spectra::are_faster(architecture, batch_size)?;
        match Plan::spectral(architecture).filter(|_| gains) {
            Some(plan) => Ok(plan),
            None => Plan::direct(architecture, device),
        }
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

    /// Estimated peak memory in bytes of training in this form on batches of `batch_size` images.
    ///
    /// # Errors
    /// If the network cannot be built.
    pub fn training_memory(
        &self,
        architecture: &Architecture,
        batch_size: usize,
    ) -> Result<u64, ArchitectureError> {
        if self.spectral {
            spectral_memory(architecture, batch_size)
        } else {
            direct_memory(architecture, batch_size)
        }
    }
}

/// Whether most of the work is in convolutions that read many channels.
fn is_wide(architecture: &Architecture) -> Result<bool, ArchitectureError> {
    let (cost, channels) = (Cost::of(architecture)?, architecture.channels());
    let reads_many =
        |inputs: &[usize]| inputs.iter().map(|&input| channels[input]).sum::<usize>() > WIDE;
    let wide = architecture
        .layers
        .iter()
        .zip(&cost.layers)
        .filter(|(layer, _)| reads_many(&layer.inputs));
    Ok(2 * wide.map(|(_, cost)| u128::from(cost.macs)).sum::<u128>() > u128::from(cost.macs))
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

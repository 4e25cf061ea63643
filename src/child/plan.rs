//! How a network lies in memory: the order of its tensors and the channels that are added so that kernels run at full width.

use tch::{Device, TchError, Tensor};

use crate::data::Layout;
use crate::space::{Architecture, ArchitectureError, Cost};

/// Floats of one vector register (AVX): a layer of fewer than [`NARROW`] filters gets zero filters up to a multiple of it.
const VECTOR: usize = 8;
const NARROW: usize = 24;
/// A convolution that reads more channels than this runs faster in planes (measured: docs/PERFORMANCE.md).
const WIDE: usize = 96;

/// The memory form of a network. Which one does not change what the network computes, except for rounding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub layout: Layout,
    /// Channels by layer number (0 is the image) as they are stored: at least those of the architecture. The added ones
    /// hold zero for ever: their weights start as zero, and so do all their gradients.
    pub(super) stored: Vec<usize>,
}

impl Plan {
    /// In `layout`, nothing added.
    pub fn plain(architecture: &Architecture, layout: Layout) -> Plan {
        Plan { layout, stored: channels(architecture) }
    }

    /// In `layout`, narrow layers filled up to whole vectors.
    pub fn filled(architecture: &Architecture, layout: Layout) -> Plan {
        let fill = |layer: &crate::space::Layer| match layer.filters {
            filters if filters < NARROW => filters.next_multiple_of(VECTOR),
            filters => filters,
        };
        Plan { layout, stored: std::iter::once(architecture.input[0]).chain(architecture.layers.iter().map(fill)).collect() }
    }

    /// The fastest form on `device`.
    ///
    /// # Errors
    /// When the network cannot be built.
    pub fn fastest(architecture: &Architecture, device: Device) -> Result<Plan, ArchitectureError> {
        Ok(match device {
            Device::Cpu if is_wide(architecture)? => Plan::plain(architecture, Layout::Contiguous),
            Device::Cpu => Plan::filled(architecture, Layout::ChannelsLast),
            _ => Plan::plain(architecture, Layout::ChannelsLast),
        })
    }
}

/// Whether most of the work is done by convolutions that read many channels.
fn is_wide(architecture: &Architecture) -> Result<bool, ArchitectureError> {
    let (cost, channels) = (Cost::of(architecture)?, channels(architecture));
    let reads_many = |inputs: &[usize]| inputs.iter().map(|&input| channels[input]).sum::<usize>() > WIDE;
    let wide = architecture.layers.iter().zip(&cost.layers).filter(|(layer, _)| reads_many(&layer.inputs));
    Ok(2 * wide.map(|(_, cost)| u128::from(cost.macs)).sum::<u128>() > u128::from(cost.macs))
}

/// Channels by layer number; 0 is the image.
pub(super) fn channels(architecture: &Architecture) -> Vec<usize> {
    std::iter::once(architecture.input[0]).chain(architecture.layers.iter().map(|layer| layer.filters)).collect()
}

/// Where the values of a parameter lie in its stored tensor: in its first rows, and (of a matrix or a convolution weight)
/// in blocks of columns, one per joined input.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Shape of the stored tensor.
    pub stored: Vec<i64>,
    rows: i64,
    /// `(first stored column, columns)`; none for a vector.
    blocks: Vec<(i64, i64)>,
}

impl Place {
    /// A vector of `rows` values stored as `stored` values.
    pub fn vector(rows: usize, stored: usize) -> Place {
        Place { stored: vec![stored as i64], rows: rows as i64, blocks: Vec::new() }
    }

    /// A weight of `rows` filters or classes stored as `stored`, which reads the layers `inputs` with kernels of shape `kernel`
    /// (empty for a matrix).
    pub fn weight([rows, stored]: [usize; 2], inputs: &[usize], channels: &[usize], plan: &Plan, kernel: &[usize]) -> Place {
        let mut start = 0;
        let mut block = |&input: &usize| {
            start += plan.stored[input] as i64;
            (start - plan.stored[input] as i64, channels[input] as i64)
        };
        let blocks = inputs.iter().map(&mut block).collect();
        let shape = [stored as i64, start].into_iter().chain(kernel.iter().map(|&size| size as i64)).collect();
        Place { stored: shape, rows: rows as i64, blocks }
    }

    /// Shape without what was added.
    pub fn shape(&self) -> Vec<i64> {
        let mut shape = self.stored.clone();
        shape[0] = self.rows;
        if !self.blocks.is_empty() {
            shape[1] = self.blocks.iter().map(|block| block.1).sum();
        }
        shape
    }

    /// The values of a stored tensor.
    pub fn read(&self, stored: &Tensor) -> Result<Tensor, TchError> {
        let rows = stored.f_narrow(0, 0, self.rows)?;
        match self.blocks[..] {
            [] => Ok(rows),
            [(start, length)] => rows.f_narrow(1, start, length),
            _ => {
                let blocks = self.blocks.iter().map(|&(start, length)| rows.f_narrow(1, start, length));
                Tensor::f_cat(&blocks.collect::<Result<Vec<_>, _>>()?, 1)
            }
        }
    }

    /// Put values into a stored tensor; what was added is left as it is.
    pub fn write(&self, stored: &Tensor, values: &Tensor) -> Result<(), TchError> {
        let mut rows = stored.f_narrow(0, 0, self.rows)?;
        if self.blocks.is_empty() {
            return Ok(rows.f_copy_(values)?);
        }
        let mut from = 0;
        for &(start, length) in &self.blocks {
            rows.f_narrow(1, start, length)?.f_copy_(&values.f_narrow(1, from, length)?)?;
            from += length;
        }
        Ok(())
    }
}

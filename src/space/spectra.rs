//! What convolution by Fourier transform ([`child`](crate::child)) costs, and where it gains.

use super::{Architecture, ArchitectureError, Cost, Layer};

/// The Fourier transform is worth its passes over memory if it saves this factor of multiplications
/// (measured: docs/PERFORMANCE.md).
const GAIN: f64 = 1.5;

/// A multiplication of the images' transforms takes about as long as so many of a convolution: they
/// do little with much memory (measured: docs/PERFORMANCE.md).
const TRANSFORM: f64 = 3.0;

/// Whether training on batches of `batch_size` images is faster with spectra on a CPU.
///
/// # Errors
/// If the network cannot be built.
pub fn are_faster(
    architecture: &Architecture,
    batch_size: usize,
) -> Result<bool, ArchitectureError> {
    Ok(are_applicable(architecture) && saving(architecture, batch_size)? > GAIN)
}

/// How many times fewer multiplications spectra take than direct convolutions, those of the
/// transforms counted three times.
///
/// # Errors
/// If the network cannot be built.
pub fn saving(architecture: &Architecture, batch_size: usize) -> Result<f64, ArchitectureError> {
    let direct = Cost::of(architecture)?.macs as f64;
    Ok(direct / work(architecture, batch_size))
}

/// Forward multiply-accumulates per image of the convolutions by Fourier transform, with the
/// kernels' transforms shared by a batch.
fn work(architecture: &Architecture, batch_size: usize) -> f64 {
    let (counts, channels) = (counts(architecture), architecture.channels());
    let [rows, columns] = counts.frequencies;
    let [height, width] = [architecture.input[1], architecture.input[2]];
    // (Positions in pairs along the height; along the width, frequencies in pairs too.)
    let transform = rows * height * width + rows * columns * width;
    let places = 3 * rows * columns;
    let layer = |layer: &Layer| {
        let [height, width] = layer.kernel;
        let kernel = 2 * rows * height * width + 2 * places * width;
        TRANSFORM * (2 * transform * layer.filters) as f64
            + layer.weights_per_pixel(&channels) as f64
                * (places as f64 + kernel as f64 / batch_size.max(1) as f64)
    };
    architecture.layers.iter().map(layer).sum()
}

/// Whether spectra can be used: every layer keeps the size of the image, so that all spectra have the same frequencies.
pub fn are_applicable(architecture: &Architecture) -> bool {
    let [_, height, width] = architecture.input;
    let keeps = |layer: &Layer| {
        let axis = |axis: usize, size: usize| {
            layer.stride[axis] == 1
                && layer.kernel[axis] == 2 * layer.padding[axis] + 1
                && layer.padding[axis] < size
        };
        layer.kind.is_convolution() && axis(0, height) && axis(1, width)
    };
    architecture.layers.iter().all(keeps)
}

/// Points of the transform along height and width.
pub fn points(architecture: &Architecture) -> [usize; 2] {
    [0, 1].map(|axis| {
        let padding = architecture
            .layers
            .iter()
            .map(|layer| layer.padding[axis])
            .max()
            .unwrap_or(0);
        architecture.input[1 + axis] + padding
    })
}

/// How many numbers the transforms of a network take: for estimates of time and memory.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// Frequencies along height and width, K and T: half of the former, all of the latter.
    pub frequencies: [usize; 2],
}

impl Counts {
    /// Numbers in a spectrum.
    pub fn whole(&self) -> usize {
        2 * self.frequencies[0] * self.frequencies[1]
    }

    /// Numbers in the half spectrum of a kernel of this width, which is transformed along height only.
    pub fn half(&self, width: usize) -> usize {
        2 * self.frequencies[0] * width
    }
}

/// The [`Counts`] of `architecture`.
pub fn counts(architecture: &Architecture) -> Counts {
    let [rows, columns] = points(architecture);
    Counts {
        frequencies: [half(rows), columns],
    }
}

/// Frequencies of the transform of a real sequence: the others are conjugates of these.
pub fn half(points: usize) -> usize {
    points / 2 + 1
}

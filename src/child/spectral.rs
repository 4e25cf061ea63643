//! Convolution by discrete Fourier transform, for networks whose layers all keep the image's size
//! and read many channels with large kernels.
//!
//! A convolution of `[B, C, H, W]` becomes one small matrix product per frequency: about `4 F C O`
//! multiplications per image (F: frequencies, about half of H·W) instead of `k² H W C O`. The
//! transforms themselves are matrix products with constant matrices, which libtorch runs at the
//! machine's full speed, and each layer's output is transformed once, however many layers read it.
//! Autograd differentiates all of it.
//!
//! Activations are `[H, W, B, C]`; spectra are `[F, 2B, C]`: for each frequency the real parts of
//! all images, then the imaginary parts. The transform has `S = [H + p, W + q]` points, where `[p,
//! q]` is the largest padding, so that only zeros wrap around. The image is real, so half of the
//! frequencies along H suffice.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::f64::consts::TAU;

use tch::{Device, Kind, TchError, Tensor};

use crate::space::{Architecture, Layer};

/// Constant matrices of the transforms for images of one size.
#[derive(Debug)]
pub(super) struct Spectral {
    size: [usize; 2],
    /// Points of the transform along height and width.
    points: [usize; 2],
    /// Image to half spectrum along H: `[2K, H]`, K = points/2 + 1; rows are (frequency, real or
    /// imaginary).
    forward_rows: Tensor,
    /// Then to the full spectrum along W: `[2T, 2W]`, T points; columns are (real or imaginary,
    /// position).
    forward_columns: Tensor,
    /// Back along W: `[2W, 2T]`.
    inverse_columns: Tensor,
    /// Back along H: `[H, 2K]`.
    inverse_rows: Tensor,
    /// Kernel to spectrum, by kernel and padding: `[2F, kh·kw]`, the real parts of all frequencies,
    /// then the imaginary ones.
    kernels: HashMap<[[usize; 2]; 2], Tensor>,
}

/// Whether every layer keeps the size of the image, so that all spectra have the same frequencies.
pub(super) fn is_applicable(architecture: &Architecture) -> bool {
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
pub(super) fn points(architecture: &Architecture) -> [usize; 2] {
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

/// Number of frequencies F.
pub(super) fn frequencies(points: [usize; 2]) -> usize {
    (points[0] / 2 + 1) * points[1]
}

impl Spectral {
    /// The transforms for `architecture`, which must be [applicable](is_applicable), on `device`.
    pub fn new(architecture: &Architecture, device: Device) -> Result<Spectral, TchError> {
        let [_, height, width] = architecture.input;
        let points = points(architecture);
        let mut kernels = HashMap::new();
        for layer in &architecture.layers {
            if let Entry::Vacant(entry) = kernels.entry([layer.kernel, layer.padding]) {
                entry.insert(kernel_matrix(layer, points, device)?);
            }
        }
        let (rows, columns) = (half_angles(points[0], height), angles(points[1], width));
        Ok(Spectral {
            size: [height, width],
            points,
            forward_rows: matrix(&forward_rows(&rows), device)?,
            forward_columns: matrix(&forward_columns(&columns), device)?,
            inverse_columns: matrix(&inverse_columns(&columns, points[1], width), device)?,
            inverse_rows: matrix(&inverse_rows(&rows, points[0], height), device)?,
            kernels,
        })
    }

    /// Spectrum `[F, 2B, C]` of `images` (`[H, W, B, C]`, contiguous).
    pub fn transform(&self, images: &Tensor) -> Result<Tensor, TchError> {
        let [height, width, batch, channels] = four(images);
        let half = self.forward_rows.f_mm(&images.f_view([height, -1])?)?;
        let whole =
            self.forward_columns
                .f_matmul(&half.f_view([-1, 2 * width, batch * channels])?)?;
        whole.f_view([self.frequencies(), 2 * batch, channels])
    }

    /// Convolution of `spectrum` (`[F, 2B, C]`) with `weight` (`[O, C, kh, kw]`): `[H, W, B, O]`.
    pub fn convolve(
        &self,
        spectrum: &Tensor,
        weight: &Tensor,
        layer: &Layer,
    ) -> Result<Tensor, TchError> {
        let [filters, channels, ..] = four(weight);
        let batch = spectrum.size()[1] / 2;
        let flat = weight
            .f_permute([2, 3, 1, 0])?
            .f_reshape([-1, channels * filters])?;
        let matrix = &self.kernels[&[layer.kernel, layer.padding]];
        let kernel = matrix
            .f_mm(&flat)?
            .f_view([2, self.frequencies(), channels, filters])?;
        let (by_real, by_imaginary) = (
            spectrum.f_bmm(&kernel.f_select(0, 0)?)?,
            spectrum.f_bmm(&kernel.f_select(0, 1)?)?,
        );
        let part = |product: &Tensor, imaginary: i64| product.f_narrow(1, imaginary * batch, batch);
        let real = part(&by_real, 0)?.f_sub(&part(&by_imaginary, 1)?)?;
        let imaginary = part(&by_real, 1)?.f_add(&part(&by_imaginary, 0)?)?;
        self.transform_back(&Tensor::f_cat(&[real, imaginary], 1)?)
    }

    /// Images `[H, W, B, C]` of `spectrum` (`[F, 2B, C]`).
    fn transform_back(&self, spectrum: &Tensor) -> Result<Tensor, TchError> {
        let [height, width] = self.size.map(|size| size as i64);
        let (rows, columns) = (self.points[0] as i64 / 2 + 1, self.points[1] as i64);
        let [_, double_batch, channels] = three(spectrum);
        let half = self
            .inverse_columns
            .f_matmul(&spectrum.f_view([rows, 2 * columns, -1])?)?;
        let images = self.inverse_rows.f_mm(&half.f_view([2 * rows, -1])?)?;
        images.f_view([height, width, double_batch / 2, channels])
    }

    fn frequencies(&self) -> i64 {
        frequencies(self.points) as i64
    }
}

fn three(tensor: &Tensor) -> [i64; 3] {
    let size = tensor.size();
    [size[0], size[1], size[2]]
}

fn four(tensor: &Tensor) -> [i64; 4] {
    let size = tensor.size();
    [size[0], size[1], size[2], size[3]]
}

/// Angle of each frequency (outer) at each position (inner).
type Angles = Vec<Vec<f64>>;

fn angles(points: usize, size: usize) -> Angles {
    let angle = |frequency: usize, position: usize| {
        TAU * (frequency * position % points) as f64 / points as f64
    };
    (0..points)
        .map(|frequency| {
            (0..size)
                .map(|position| angle(frequency, position))
                .collect()
        })
        .collect()
}

fn half_angles(points: usize, size: usize) -> Angles {
    let mut angles = angles(points, size);
    angles.truncate(points / 2 + 1);
    angles
}

/// `e^(-iθ) x` of a real x.
fn forward_rows(angles: &Angles) -> Vec<Vec<f64>> {
    let rows = |row: &Vec<f64>| {
        [
            row.iter().map(|a| a.cos()).collect(),
            row.iter().map(|a| -a.sin()).collect(),
        ]
    };
    angles.iter().flat_map(rows).collect()
}

/// `e^(-iθ) (a + ib)`: real part `a cos + b sin`, imaginary part `b cos - a sin`.
fn forward_columns(angles: &Angles) -> Vec<Vec<f64>> {
    let joined = |row: &[f64], left: fn(f64) -> f64, right: fn(f64) -> f64| {
        row.iter()
            .map(|&a| left(a))
            .chain(row.iter().map(|&a| right(a)))
            .collect::<Vec<f64>>()
    };
    angles
        .iter()
        .flat_map(|row| {
            [
                joined(row, f64::cos, f64::sin),
                joined(row, |a| -a.sin(), f64::cos),
            ]
        })
        .collect()
}

/// `e^(iθ) (a + ib) / T`, summed over frequencies: rows (real or imaginary, position), columns
/// (frequency, a or b).
fn inverse_columns(angles: &Angles, points: usize, size: usize) -> Vec<Vec<f64>> {
    let scale = 1.0 / points as f64;
    let row = |position: usize, a: fn(f64) -> f64, b: fn(f64) -> f64| {
        angles
            .iter()
            .flat_map(|row| [a(row[position]) * scale, b(row[position]) * scale])
            .collect::<Vec<f64>>()
    };
    let real = (0..size).map(|position| row(position, f64::cos, |a| -a.sin()));
    real.chain((0..size).map(|position| row(position, f64::sin, f64::cos)))
        .collect()
}

/// Real part of `e^(iθ) (a + ib) / S`; a frequency whose mirror image is omitted counts twice.
fn inverse_rows(angles: &Angles, points: usize, size: usize) -> Vec<Vec<f64>> {
    let weight = |frequency: usize| if frequency == 0 || 2 * frequency == points { 1.0 } else { 2.0 } / points as f64;
    let row = |position: usize| {
        let term = |(frequency, row): (usize, &Vec<f64>)| {
            let (sin, cos) = row[position].sin_cos();
            [cos * weight(frequency), -sin * weight(frequency)]
        };
        angles.iter().enumerate().flat_map(term).collect()
    };
    (0..size).map(row).collect()
}

/// Spectrum of a kernel whose centre is at position 0, conjugated (networks correlate): `[2F,
/// kh·kw]`.
fn kernel_matrix(layer: &Layer, points: [usize; 2], device: Device) -> Result<Tensor, TchError> {
    let angle = |axis: usize, frequency: usize, position: usize| {
        TAU * frequency as f64 * (position as f64 - layer.padding[axis] as f64)
            / points[axis] as f64
    };
    let mut parts = [Vec::new(), Vec::new()];
    for row in 0..points[0] / 2 + 1 {
        for column in 0..points[1] {
            let positions =
                (0..layer.kernel[0]).flat_map(|y| (0..layer.kernel[1]).map(move |x| (y, x)));
            let (sin, cos) = positions
                .map(|(y, x)| (angle(0, row, y) + angle(1, column, x)).sin_cos())
                .unzip();
            parts[0].push(cos);
            parts[1].push(sin);
        }
    }
    matrix(&parts.concat(), device)
}

fn matrix(rows: &[Vec<f64>], device: Device) -> Result<Tensor, TchError> {
    let flat: Vec<f64> = rows.concat();
    Tensor::f_from_slice(&flat)?
        .f_view([rows.len() as i64, -1])?
        .f_to_kind(Kind::Float)?
        .f_to_device(device)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn architecture(input: [usize; 3], layer: Layer) -> Architecture {
        Architecture {
            name: "test".to_owned(),
            input,
            classes: 2,
            layers: vec![layer],
            output: vec![1],
        }
    }

    fn same(kernel: [usize; 2]) -> Layer {
        Layer {
            kind: Default::default(),
            kernel,
            filters: 5,
            stride: [1, 1],
            padding: kernel.map(|size| size / 2),
            inputs: vec![0],
        }
    }

    #[test]
    fn a_spectral_convolution_is_the_convolution_for_even_and_odd_sizes_and_uneven_kernels() {
        tch::manual_seed(0);
        let options = (Kind::Float, Device::Cpu);
        for (height, width) in [(8, 8), (7, 9), (9, 6), (1, 5)] {
            for kernel in [[1, 1], [3, 3], [7, 1], [1, 7], [5, 3]] {
                let layer = same(kernel);
                let network = architecture([3, height, width], layer.clone());
                if !is_applicable(&network) {
                    continue;
                }
                let images = Tensor::randn([4, 3, height as i64, width as i64], options);
                let weight = Tensor::randn([5, 3, kernel[0] as i64, kernel[1] as i64], options);
                let padding = layer.padding.map(|size| size as i64);
                let expected = images.conv2d(&weight, None::<&Tensor>, [1, 1], padding, [1, 1], 1);
                let spectral = Spectral::new(&network, Device::Cpu).unwrap();
                let spectrum = spectral
                    .transform(&images.permute([2, 3, 0, 1]).contiguous())
                    .unwrap();
                let actual = spectral
                    .convolve(&spectrum, &weight, &layer)
                    .unwrap()
                    .permute([2, 3, 0, 1]);
                let error = (&actual - &expected).abs().max().double_value(&[])
                    / expected.abs().max().double_value(&[]);
                assert!(error < 2e-6, "{height}x{width} {kernel:?}: {error:e}");
            }
        }
    }

    #[test]
    fn it_applies_only_where_every_layer_keeps_the_size() {
        assert!(is_applicable(&architecture([3, 8, 8], same([3, 5]))));
        assert!(!is_applicable(&architecture(
            [3, 8, 8],
            Layer {
                stride: [2, 1],
                ..same([3, 3])
            }
        )));
        assert!(!is_applicable(&architecture(
            [3, 8, 8],
            Layer {
                padding: [0, 1],
                ..same([3, 3])
            }
        )));
        assert!(!is_applicable(&architecture([3, 2, 8], same([5, 3]))));
    }
}

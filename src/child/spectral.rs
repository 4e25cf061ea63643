//! Convolution by discrete Fourier transform, for networks whose layers all keep the image's size
//! and read many channels with large kernels.
//!
//! A convolution of `[B, C, H, W]` becomes small matrix products at each frequency: about `3 F C O`
//! multiplications per image (F: frequencies, about half of H·W) instead of `k² H W C O`. The
//! transforms themselves are matrix products with constant matrices, which libtorch runs at the
//! machine's full speed, and each layer's output is transformed once, however many layers read it.
//!
//! Activations are `[H, W, B, C]`; spectra are `[K, 3T, B, C]`: K frequencies along height (the
//! image is real, so half of them suffice), T along width, and three real numbers that stand for
//! each complex one (see [`matrices`]), so that a product of spectra is 3T real matrix products.
//! The transform has `[H + p, W + q]` points, where `[p, q]` is the largest padding, so that only
//! zeros wrap around.
//!
//! Autograd does not record any of this: it would keep a spectrum for each pair of layers. The
//! gradients ([`Spectral::transform_gradient`], [`products`]) are computed from the layers' spectra
//! alone. Call everything here without recording gradients.

mod matrices;
mod products;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use tch::{Device, Kind, TchError, Tensor};

use self::matrices::{PLACES, half};
use crate::space::{Architecture, Layer};

/// Constant matrices of the transforms for images of one size.
#[derive(Debug)]
pub(super) struct Spectral {
    size: [i64; 2],
    /// Points of the transform along height and width.
    points: [usize; 2],
    forward_rows: Tensor,
    forward_columns: Tensor,
    inverse_columns: Tensor,
    inverse_columns_of_real: Tensor,
    inverse_rows: Tensor,
    /// By size of the kernel.
    kernels: HashMap<[usize; 2], KernelTransform>,
}

/// The matrices that transform a kernel, first along its height, then along its width.
#[derive(Debug)]
struct KernelTransform {
    rows: Tensor,
    columns: Tensor,
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
fn points(architecture: &Architecture) -> [usize; 2] {
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
pub(super) struct Counts {
    /// Numbers in a half spectrum, which is transformed along height only, per column of the image.
    pub half: usize,
    /// Numbers in a spectrum.
    pub whole: usize,
}

/// The [`Counts`] of `architecture`.
pub(super) fn counts(architecture: &Architecture) -> Counts {
    let [rows, columns] = points(architecture);
    Counts {
        half: 2 * half(rows),
        whole: half(rows) * PLACES * columns,
    }
}

impl Spectral {
    /// The transforms for `architecture`, which must be [applicable](is_applicable).
    pub fn new(architecture: &Architecture, options: (Kind, Device)) -> Result<Spectral, TchError> {
        let [_, height, width] = architecture.input;
        let points = points(architecture);
        let [rows, columns] = points;
        let tensor = |rows| matrices::tensor(&rows, options);
        let mut kernels = HashMap::new();
        for layer in &architecture.layers {
            if let Entry::Vacant(entry) = kernels.entry(layer.kernel) {
                entry.insert(KernelTransform {
                    rows: tensor(matrices::kernel_rows(rows, layer.kernel[0]))?,
                    columns: tensor(matrices::kernel_columns(columns, layer.kernel[1]))?,
                });
            }
        }
        Ok(Spectral {
            size: [height as i64, width as i64],
            points,
            forward_rows: tensor(matrices::forward_rows(rows, height))?,
            forward_columns: tensor(matrices::forward_columns(columns, width))?,
            inverse_columns: tensor(matrices::inverse_columns(columns, width))?,
            inverse_columns_of_real: tensor(matrices::inverse_columns_of_real(columns, width))?,
            inverse_rows: tensor(matrices::inverse_rows(rows, height))?,
            kernels,
        })
    }

    /// Spectrum `[K, 3T, B, C]` of `images` (`[H, W, B, C]`, contiguous).
    pub fn transform(&self, images: &Tensor) -> Result<Tensor, TchError> {
        let [height, width, batch, channels] = four(images);
        let half = self
            .forward_rows
            .f_mm(&images.f_view([height, -1])?)?
            .f_view([self.rows(), 2 * width, -1])?;
        let spectrum = self.empty_spectrum(images, [batch, channels])?;
        for row in 0..self.rows() {
            let terms = self.terms(row);
            let block = part(&spectrum, row, 0..terms)?.f_view([terms, -1])?;
            let columns = self.forward_columns.f_narrow(0, 0, terms)?;
            multiply(&block, Store::Set, &columns, &half.f_get(row)?)?;
        }
        Ok(spectrum)
    }

    /// Gradient of the images, given that of their spectrum.
    pub fn transform_gradient(&self, spectrum: &Tensor) -> Result<Tensor, TchError> {
        let ([height, width], [_, _, batch, channels]) = (self.size, four(spectrum));
        let half = self.empty_half(spectrum, batch * channels)?;
        for row in 0..self.rows() {
            let terms = self.terms(row);
            let block = part(spectrum, row, 0..terms)?.f_view([terms, -1])?;
            let columns = self.forward_columns.f_narrow(0, 0, terms)?.f_tr()?;
            multiply(&half.f_get(row)?, Store::Set, &columns, &block)?;
        }
        let half = half.f_view([2 * self.rows(), -1])?;
        self.forward_rows
            .f_tr()?
            .f_mm(&half)?
            .f_view([height, width, batch, channels])
    }

    /// A spectrum `[K, 3T, B, C]` of the kind of `like`, to be filled.
    fn empty_spectrum(
        &self,
        like: &Tensor,
        [batch, channels]: [i64; 2],
    ) -> Result<Tensor, TchError> {
        let terms = (PLACES * self.points[1]) as i64;
        let size = [self.rows(), terms, batch, channels];
        Tensor::f_empty(size, (like.kind(), like.device()))
    }

    /// A half spectrum `[K, 2W, columns]` of the kind of `like`, to be filled.
    fn empty_half(&self, like: &Tensor, columns: i64) -> Result<Tensor, TchError> {
        let size = [self.rows(), 2 * self.size[1], columns];
        Tensor::f_empty(size, (like.kind(), like.device()))
    }

    /// Number of frequencies along height, K.
    fn rows(&self) -> i64 {
        half(self.points[0]) as i64
    }

    /// Whether the half spectrum is real at this frequency along height: then half of the
    /// frequencies along width suffice.
    fn is_real(&self, row: i64) -> bool {
        row == 0 || 2 * row == self.points[0] as i64
    }

    /// How many of the 3T products are used at this frequency along height.
    fn terms(&self, row: i64) -> i64 {
        let columns = self.points[1];
        let used = if self.is_real(row) {
            half(columns)
        } else {
            columns
        };
        (PLACES * used) as i64
    }

    /// Products back along width at this frequency along height: `[2W, terms]`.
    fn inverse(&self, row: i64) -> &Tensor {
        if self.is_real(row) {
            &self.inverse_columns_of_real
        } else {
            &self.inverse_columns
        }
    }
}

/// What to do with a product.
#[derive(Debug, Clone, Copy)]
enum Store {
    Set,
    Add,
}

impl Store {
    fn set_if(is_first: bool) -> Store {
        if is_first { Store::Set } else { Store::Add }
    }
}

/// Store in `target` the product of two matrices, or the products of two batches of matrices.
fn multiply(target: &Tensor, store: Store, left: &Tensor, right: &Tensor) -> Result<(), TchError> {
    let mut target = target.shallow_clone();
    let _ = match (target.dim(), store) {
        (2, Store::Set) => left.f_mm_out(&target, right)?,
        (2, Store::Add) => target.f_addmm_(left, right)?,
        (_, Store::Set) => left.f_bmm_out(&target, right)?,
        (_, Store::Add) => target.f_baddbmm_(left, right)?,
    };
    Ok(())
}

/// `terms` of a spectrum at one frequency along height: `[terms, B, C]`.
fn part(spectrum: &Tensor, row: i64, terms: Range<i64>) -> Result<Tensor, TchError> {
    spectrum
        .f_select(0, row)?
        .f_narrow(0, terms.start, terms.end - terms.start)
}

fn four(tensor: &Tensor) -> [i64; 4] {
    let size = tensor.size();
    [size[0], size[1], size[2], size[3]]
}

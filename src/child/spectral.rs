//! Convolution by discrete Fourier transform, for networks whose layers all keep the image's size
//! and read many channels with large kernels.
//!
//! A convolution of `[B, C, H, W]` becomes small matrix products at each frequency: about `3 F C O`
//! multiplications per image (F: frequencies, about half of H·W) instead of `k² H W C O`, and each
//! layer's output is transformed once, however many layers read it.
//!
//! Activations are `[H, W, B, C]`; spectra are `[K, T, 2, B, C]`: K frequencies along height (the
//! image is real, so half of them suffice), T along width, real and imaginary parts. The transform has
//! `[H + p, W + q]` points, where `[p, q]` is the largest padding, so that only zeros wrap around.
//!
//! Autograd does not record any of this: it would keep a spectrum for each pair of layers. The
//! gradients are computed from the layers' spectra alone ([`gradients`]). Both transforms are symmetric
//! enough to serve the backward pass too: the gradient of a convolution's input is the convolution of
//! its result's gradient with the conjugated kernels. Call everything here without recording gradients.
//!
//! libtorch's matrix products pack and scale matrices of this size at some expense and keep their
//! operands in main memory, so the work is done in plain Rust ([`dense`]).

mod dense;
mod gradients;
mod joining;
mod matrices;
mod products;
mod tensors;
#[cfg(test)]
mod tests;
mod transform;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use tch::kind::Element;
use tch::{Kind, TchError, Tensor};

use self::dense::{Scalar, Shared};
use self::products::{Batch, KernelColumns, Kernels};
use self::tensors::{empty, parts, scratch, values, values_mut};
use self::transform::Transform;
use crate::space::Architecture;
use crate::space::spectra::{half, points};

/// The transforms for images of one size, in single or double precision.
#[derive(Debug)]
pub(super) enum Spectral {
    Single(Transforms<f32>),
    Double(Transforms<f64>),
}

/// A layer that reads the one whose gradient is computed.
pub(super) struct Reader<'network> {
    /// Spectrum of the gradient of its convolution's result, `[K, T, 2, B, O]`.
    pub gradient: &'network Tensor,
    /// `[O, all channels, kh, kw]`.
    pub weight: &'network Tensor,
    /// The channels that are differentiated.
    pub channels: Range<i64>,
}

/// [`Spectral`] in one precision.
#[derive(Debug)]
pub(super) struct Transforms<T> {
    /// Height and width of the images.
    size: [i64; 2],
    /// Points along width, T.
    columns: usize,
    transform: Transform<T>,
    /// By size of the kernel.
    kernels: HashMap<[usize; 2], KernelTransform<T>>,
}

/// The matrices that transform kernels of one size, and their gradients back.
#[derive(Debug)]
struct KernelTransform<T> {
    /// Along height: `[2K, kh]` and `[kh, 2K]`.
    rows: Tensor,
    gradient_rows: Tensor,
    columns: KernelColumns<T>,
}

impl Spectral {
    /// The transforms for `architecture`, which must be [applicable](crate::space::spectra::are_applicable), on the CPU.
    pub fn new(architecture: &Architecture, kind: Kind) -> Result<Spectral, TchError> {
        Ok(match kind {
            Kind::Double => Spectral::Double(Transforms::new(architecture)?),
            _ => Spectral::Single(Transforms::new(architecture)?),
        })
    }

    /// Spectra `[K, T, 2, B, C]` of `images` (`[H, W, B, C]`, contiguous).
    pub fn transform(&self, images: &Tensor) -> Result<Tensor, TchError> {
        match self {
            Spectral::Single(transforms) => transforms.forward(images),
            Spectral::Double(transforms) => transforms.forward(images),
        }
    }

    /// Images `[H, W, B, C]` with these spectra.
    pub fn transform_back(&self, spectra: &Tensor) -> Result<Tensor, TchError> {
        match self {
            Spectral::Single(transforms) => transforms.back(spectra),
            Spectral::Double(transforms) => transforms.back(spectra),
        }
    }

    /// Convolution of the images with the spectra `inputs`, joined over channels, with `weight`
    /// (`[O, C, kh, kw]`): `[H, W, B, O]`.
    pub fn convolve(&self, inputs: &[&Tensor], weight: &Tensor) -> Result<Tensor, TchError> {
        let products = match self {
            Spectral::Single(transforms) => transforms.convolve(inputs, weight),
            Spectral::Double(transforms) => transforms.convolve(inputs, weight),
        }?;
        self.transform_back(&products)
    }

    /// The gradient of the weight of each of `readers` for the channels of the layer with this
    /// `spectrum`: `[O, C, kh, kw]`. If `wants_spectrum`, `spectrum` becomes that of the gradient of
    /// the layer's output.
    pub fn gradients(
        &self,
        spectrum: &mut Tensor,
        readers: &[Reader],
        wants_spectrum: bool,
    ) -> Result<Vec<Tensor>, TchError> {
        match self {
            Spectral::Single(transforms) => transforms.gradients(spectrum, readers, wants_spectrum),
            Spectral::Double(transforms) => transforms.gradients(spectrum, readers, wants_spectrum),
        }
    }
}

impl<T: Scalar + Element> Transforms<T> {
    fn new(architecture: &Architecture) -> Result<Transforms<T>, TchError> {
        let [_, height, width] = architecture.input;
        let points = points(architecture);
        let mut kernels = HashMap::new();
        for layer in &architecture.layers {
            if let Entry::Vacant(entry) = kernels.entry(layer.kernel) {
                entry.insert(KernelTransform::new(points, layer.kernel)?);
            }
        }
        Ok(Transforms {
            size: [height as i64, width as i64],
            columns: points[1],
            transform: Transform::new([height, width], points),
            kernels,
        })
    }

    /// See [`Spectral::transform`].
    fn forward(&self, images: &Tensor) -> Result<Tensor, TchError> {
        let [_, _, batch, channels] = *images.size() else {
            unreachable!("images have four dimensions")
        };
        let mut spectra = self.empty_spectra(batch, channels)?;
        let mut scratch = self.scratch(batch * channels)?;
        self.transform.forward(
            values(images),
            values_mut(&mut spectra),
            &mut parts(&mut scratch),
        );
        Ok(spectra)
    }

    /// See [`Spectral::transform_back`].
    fn back(&self, spectra: &Tensor) -> Result<Tensor, TchError> {
        let ([height, width], [batch, channels]) = (self.size, batch_and_channels(spectra));
        let mut images = empty::<T>(&[height, width, batch, channels])?;
        let mut scratch = self.scratch(batch * channels)?;
        self.transform.back(
            values(spectra),
            values_mut(&mut images),
            &mut parts(&mut scratch),
        );
        Ok(images)
    }

    /// Spectra of the convolution's result: see [`Spectral::convolve`].
    fn convolve(&self, inputs: &[&Tensor], weight: &Tensor) -> Result<Tensor, TchError> {
        let filters = weight.size()[0];
        let batch = inputs
            .first()
            .map_or(0, |input| batch_and_channels(input)[0]);
        let (kernels, half) = self.kernels_of(weight)?;
        let kernels = Kernels {
            half: values(&half),
            columns: &kernels.columns,
            filters: filters as usize,
        };
        let mut result = self.empty_spectra(batch, filters)?;
        let inputs: Vec<(&[T], usize)> = inputs
            .iter()
            .map(|input| (values(input), batch_and_channels(input)[1] as usize))
            .collect();
        let batch = self.batch(batch);
        let size = batch.scratch_of_convolve(&inputs, filters as usize);
        let mut scratch = scratch::<T>(self.transform.rows(), size)?;
        batch.convolve(
            &inputs,
            &kernels,
            values_mut(&mut result),
            &mut parts(&mut scratch),
        );
        Ok(result)
    }

    /// See [`Spectral::gradients`].
    fn gradients(
        &self,
        spectrum: &mut Tensor,
        readers: &[Reader],
        wants_spectrum: bool,
    ) -> Result<Vec<Tensor>, TchError> {
        let [images, channels] = batch_and_channels(spectrum);
        let mut halves = Vec::with_capacity(readers.len());
        for Reader {
            weight,
            channels: Range { start, end },
            ..
        } in readers
        {
            let (kernels, half) = self.kernels_of(&weight.f_narrow(1, *start, end - start)?)?;
            halves.push((kernels, half.f_empty_like()?, half));
        }
        let halves_and_readers = halves.iter_mut().zip(readers);
        let of_slices: Vec<_> = halves_and_readers
            .map(|((kernels, gradient, half), reader)| gradients::Reader {
                kernels: Kernels {
                    half: values(half),
                    columns: &kernels.columns,
                    filters: reader.weight.size()[0] as usize,
                },
                gradient: values(reader.gradient),
                of_half: Shared::new(values_mut(gradient)),
            })
            .collect();
        let (batch, channels) = (self.batch(images), channels as usize);
        let size = batch.scratch_of_gradients(channels, &of_slices);
        let mut scratch = scratch::<T>(self.transform.rows(), size)?;
        batch.gradients(
            (values_mut(spectrum), channels),
            &of_slices,
            wants_spectrum,
            &mut parts(&mut scratch),
        );
        let weight_gradient =
            |((kernels, gradient, _), reader): (&(&KernelTransform<T>, _, _), &Reader)| {
                let [filters, _, height, width] = *reader.weight.size() else {
                    unreachable!("weights have four dimensions")
                };
                let gradient: &Tensor = gradient;
                kernels
                    .gradient_rows
                    .f_mm(&gradient.f_view([2 * self.transform.rows() as i64, -1])?)?
                    .f_view([height, width, channels as i64, filters])?
                    .f_permute([3, 2, 0, 1])
            };
        halves.iter().zip(readers).map(weight_gradient).collect()
    }

    /// Half spectra of `weight` (`[O, C, kh, kw]`), `[K, 2·kw, C, O]`, with what transforms them
    /// further.
    fn kernels_of(&self, weight: &Tensor) -> Result<(&KernelTransform<T>, Tensor), TchError> {
        let [_, _, height, width] = *weight.size() else {
            unreachable!("weights have four dimensions")
        };
        let kernels = &self.kernels[&[height as usize, width as usize]];
        let half = kernels
            .rows
            .f_mm(&weight.f_permute([2, 3, 1, 0])?.f_reshape([height, -1])?)?;
        Ok((kernels, half))
    }

    /// Scratch memory for the transform of so many image planes.
    fn scratch(&self, planes: i64) -> Result<Tensor, TchError> {
        let tasks = (planes as usize).div_ceil(transform::LANES);
        scratch::<T>(tasks, self.transform.scratch().iter().sum())
    }

    fn batch(&self, images: i64) -> Batch<'_, T> {
        Batch {
            transform: &self.transform,
            points: self.columns,
            images: images as usize,
        }
    }

    /// Spectra `[K, T, 2, B, C]`, to be filled.
    fn empty_spectra(&self, batch: i64, channels: i64) -> Result<Tensor, TchError> {
        let [rows, columns] = [self.transform.rows(), self.columns].map(|number| number as i64);
        empty::<T>(&[rows, columns, 2, batch, channels])
    }
}

impl<T: Scalar + Element> KernelTransform<T> {
    fn new(points: [usize; 2], [height, width]: [usize; 2]) -> Result<Self, TchError> {
        let tensor = |values: Vec<f64>, rows: usize| {
            Tensor::f_from_slice(&values)?
                .f_view([rows as i64, -1])?
                .f_to_kind(T::KIND)
        };
        let rows = matrices::kernel_rows(points[0], height);
        Ok(KernelTransform {
            rows: tensor(rows, 2 * half(points[0]))?,
            gradient_rows: tensor(matrices::kernel_gradient_rows(points, height), height)?,
            columns: KernelColumns::new(points[1], width),
        })
    }
}

/// The last two dimensions of a spectrum.
fn batch_and_channels(spectrum: &Tensor) -> [i64; 2] {
    let size = spectrum.size();
    [size[3], size[4]]
}

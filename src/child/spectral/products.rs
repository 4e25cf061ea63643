//! Products of spectra: a layer's convolution.
//!
//! A thread works on all frequencies along width of one frequency along height, a few at a time: the
//! kernels' spectra at these frequencies are computed, used for all images while they are in the
//! cache, and forgotten. The spectra that a product reads are joined at one frequency at a time.

use std::ops::Range;

use super::dense::{Matrix, Scalar, Shared, Store, in_parallel, multiply};
use super::joining::{complex, join, nth, nth_mut, split, starts, total};
use super::matrices::{self, PLACES};
use super::transform::Transform;

/// Frequencies along width that are worked on at a time.
pub(super) const BLOCK: usize = 5;

/// The matrices that transform a kernel of one size along its width, and its gradient back.
#[derive(Debug)]
pub(super) struct KernelColumns<T> {
    /// `[3T, 2·kw]`.
    factors: Vec<T>,
    /// The same for the conjugate.
    conjugates: Vec<T>,
    /// `[2T, 2·kw]`, and `[2·half(T), 2·kw]` where the half spectrum is real.
    pub gradient: Vec<T>,
    pub gradient_of_real: Vec<T>,
    /// Numbers in the half spectrum of a kernel: 2·kw.
    pub parts: usize,
}

impl<T: Scalar> KernelColumns<T> {
    /// For kernels of this width and a transform with so many points.
    pub fn new(points: usize, width: usize) -> KernelColumns<T> {
        let of = |values: Vec<f64>| values.into_iter().map(T::of).collect();
        KernelColumns {
            factors: of(matrices::kernel_columns(points, width, false)),
            conjugates: of(matrices::kernel_columns(points, width, true)),
            gradient: of(matrices::kernel_gradient_columns(points, width, false)),
            gradient_of_real: of(matrices::kernel_gradient_columns(points, width, true)),
            parts: 2 * width,
        }
    }
}

/// A layer's kernels, of all or some of the channels that it reads.
pub(super) struct Kernels<'values, T> {
    /// Half spectra `[K, 2·kw, C, O]`.
    pub half: &'values [T],
    pub columns: &'values KernelColumns<T>,
    pub filters: usize,
}

impl<T: Scalar> Kernels<'_, T> {
    /// The kernels' spectra, or their conjugates, at the frequencies `block` along width and `row`
    /// along height, `[block, 3, C, O]`, in memory for a whole block.
    pub fn transform(
        &self,
        row: usize,
        block: &Range<usize>,
        is_conjugate: bool,
        spectra: &mut [T],
    ) {
        let KernelColumns { parts, .. } = *self.columns;
        let columns = if is_conjugate {
            &self.columns.conjugates
        } else {
            &self.columns.factors
        };
        let columns = &columns[block.start * PLACES * parts..];
        let kernels = spectra.len() / (BLOCK * PLACES);
        multiply(
            spectra,
            Store::Set,
            Matrix::new(columns, [block.len() * PLACES, parts]),
            Matrix::new(nth(self.half, row, parts * kernels), [parts, kernels]),
        );
    }
}

/// A batch of images in spectra.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch<'transform, T> {
    pub transform: &'transform Transform<T>,
    /// Points along width, T.
    pub points: usize,
    /// B.
    pub images: usize,
}

impl<T: Scalar> Batch<'_, T> {
    /// Where the real and imaginary parts of spectra with so many channels are at a frequency.
    pub fn place(&self, row: usize, column: usize, channels: usize) -> Range<usize> {
        let numbers = 2 * self.images * channels;
        let at = row * self.points + column;
        at * numbers..(at + 1) * numbers
    }

    /// Blocks of the frequencies along width at frequency `row` along height.
    pub fn blocks(&self, row: usize) -> impl Iterator<Item = Range<usize>> + use<T> {
        let columns = self.transform.columns(row);
        let starts = (0..columns).step_by(BLOCK);
        starts.map(move |start| start..(start + BLOCK).min(columns))
    }

    /// Numbers that each thread of [`convolve`](Batch::convolve) needs as scratch memory.
    pub fn scratch_of_convolve(&self, inputs: &[(&[T], usize)], filters: usize) -> usize {
        self.convolve_scratch(total(inputs), filters).iter().sum()
    }

    /// For joined spectra, for kernels and for products.
    fn convolve_scratch(&self, channels: usize, filters: usize) -> [usize; 3] {
        [
            PLACES * self.images * channels,
            BLOCK * PLACES * channels * filters,
            PLACES * self.images * filters,
        ]
    }

    /// The product of `inputs` (spectra and their channels), joined over channels, with `kernels`:
    /// `[K, T, 2, B, O]`.
    pub fn convolve(
        &self,
        inputs: &[(&[T], usize)],
        kernels: &Kernels<'_, T>,
        result: &mut [T],
        scratches: &mut [&mut [T]],
    ) {
        let (images, filters, channels) = (self.images, kernels.filters, total(inputs));
        let result = Shared::new(result);
        in_parallel(scratches, self.transform.rows(), |scratch, row| {
            let sizes = self.convolve_scratch(channels, filters);
            let [joined, spectra, products] = split(scratch, sizes);
            for block in self.blocks(row) {
                kernels.transform(row, &block, false, spectra);
                for (number, column) in block.enumerate() {
                    for (start, &(spectrum, width)) in starts(inputs) {
                        let values = &spectrum[self.place(row, column, width)];
                        join(values, joined, [images, width], [start, channels], false);
                    }
                    for place in 0..PLACES {
                        let spectrum = nth(joined, place, images * channels);
                        let kernel = nth(spectra, number * PLACES + place, channels * filters);
                        multiply(
                            nth_mut(products, place, images * filters),
                            Store::Set,
                            Matrix::new(spectrum, [images, channels]),
                            Matrix::new(kernel, [channels, filters]),
                        );
                    }
                    // SAFETY: each task has a frequency along height of its own.
                    let target = unsafe { result.part(self.place(row, column, filters)) };
                    complex(products, target, [images, filters], [0, filters]);
                }
            }
        });
    }
}

//! The gradients of the layers that read one layer: of their kernels, and of its output.
//!
//! The backward pass visits what is read, not what reads: with the spectra of the gradients of all
//! readers' results, the gradient of a layer's spectrum is one product with the joined kernels, and
//! that of the kernels is another one. Each spectrum is then read once per pair of layers, and
//! written once.

use std::ops::Range;

use super::dense::{Matrix, Scalar, Shared, Store, in_parallel, multiply};
use super::joining::{complex, copy, join, nth, nth_mut, split, starts, total};
use super::matrices::PLACES;
use super::products::{BLOCK, Batch, Kernels};

/// A layer that reads the one whose gradient is computed.
pub(super) struct Reader<'values, T> {
    /// Of the channels that are differentiated.
    pub kernels: Kernels<'values, T>,
    /// Spectrum of the gradient of its convolution's result, `[K, T, 2, B, O]`.
    pub gradient: &'values [T],
    /// Takes the gradient of the kernels' half spectra, `[K, 2·kw, C, O]`.
    pub of_half: Shared<'values, T>,
}

impl<T: Scalar> Batch<'_, T> {
    /// Numbers that each thread of [`gradients`](Batch::gradients) needs as scratch memory.
    pub fn scratch_of_gradients(&self, channels: usize, readers: &[Reader<'_, T>]) -> usize {
        let filters = readers.iter().map(|reader| reader.kernels.filters).sum();
        self.gradients_scratch(channels, filters).iter().sum()
    }

    /// By the fields of [`Memory`].
    fn gradients_scratch(&self, channels: usize, filters: usize) -> [usize; 6] {
        let kernels = channels * filters;
        [
            PLACES * self.images * filters,
            PLACES * self.images * channels,
            BLOCK * PLACES * kernels,
            PLACES * kernels,
            PLACES * self.images * channels,
            BLOCK * 2 * kernels,
        ]
    }

    /// The gradients of what `readers` make of a layer with this `spectrum` and so many channels:
    /// that of each reader's kernels, and, if asked for, that of the layer's output, whose spectrum
    /// replaces the layer's.
    pub fn gradients(
        &self,
        (spectrum, channels): (&mut [T], usize),
        readers: &[Reader<'_, T>],
        wants_spectrum: bool,
        scratches: &mut [&mut [T]],
    ) {
        let readers: Vec<_> = readers.iter().map(|r| (r, r.kernels.filters)).collect();
        let gradients = Gradients {
            batch: self,
            spectrum: Shared::new(spectrum),
            channels,
            filters: total(&readers),
            readers,
            wants_spectrum,
        };
        in_parallel(scratches, self.transform.rows(), |scratch, row| {
            let mut memory = gradients.memory(scratch);
            for block in self.blocks(row) {
                gradients.of_block(row, block, &mut memory);
            }
        });
    }
}

/// A call of [`Batch::gradients`].
struct Gradients<'call, 'values, T> {
    batch: &'call Batch<'call, T>,
    /// Of the layer that is read, which has so many channels.
    spectrum: Shared<'call, T>,
    channels: usize,
    /// With the filters of each.
    readers: Vec<(&'call Reader<'values, T>, usize)>,
    /// Of all readers.
    filters: usize,
    wants_spectrum: bool,
}

/// Scratch memory of a thread that computes gradients. O are the filters of all readers.
struct Memory<'scratch, T> {
    /// Gradients of the readers' results, joined: `[3, B, O]`.
    results: &'scratch mut [T],
    /// The layer's spectrum, conjugated: `[3, B, C]`.
    source: &'scratch mut [T],
    /// Of each reader: conjugated spectra of its kernels at the frequencies of a block.
    kernels: &'scratch mut [T],
    /// The same of all readers at one frequency, `[3, C, O]`; then the products for their gradient.
    joined: &'scratch mut [T],
    /// For the layer's gradient: `[3, B, C]`.
    products: &'scratch mut [T],
    /// Of each reader: the gradient of its kernels' spectra at the frequencies of a block.
    of_kernels: &'scratch mut [T],
}

impl<T: Scalar> Gradients<'_, '_, T> {
    fn memory<'scratch>(&self, scratch: &'scratch mut [T]) -> Memory<'scratch, T> {
        let sizes = self.batch.gradients_scratch(self.channels, self.filters);
        let [results, source, kernels, joined, products, of_kernels] = split(scratch, sizes);
        Memory {
            results,
            source,
            kernels,
            joined,
            products,
            of_kernels,
        }
    }

    /// The gradients at the frequencies `block` along width.
    fn of_block(&self, row: usize, block: Range<usize>, memory: &mut Memory<'_, T>) {
        if self.wants_spectrum {
            for (start, &(reader, filters)) in starts(&self.readers) {
                let place = self.of_reader(BLOCK * PLACES, start, filters);
                let kernels = &mut memory.kernels[place];
                reader.kernels.transform(row, &block, true, kernels);
            }
        }
        for (number, column) in block.clone().enumerate() {
            for (start, &(reader, filters)) in starts(&self.readers) {
                let values = &reader.gradient[self.batch.place(row, column, filters)];
                let size = [self.batch.images, filters];
                join(values, memory.results, size, [start, self.filters], false);
            }
            let place = self.batch.place(row, column, self.channels);
            // SAFETY: each task has a frequency along height of its own.
            let spectrum = unsafe { self.spectrum.part(place) };
            let size = [self.batch.images, self.channels];
            join(spectrum, memory.source, size, [0, self.channels], true);
            if self.wants_spectrum {
                self.of_spectrum(number, memory, spectrum);
            }
            self.of_kernels(number, memory);
        }
        for (start, &(reader, filters)) in starts(&self.readers) {
            let place = self.of_reader(BLOCK * 2, start, filters);
            self.of_half(row, &block, reader, &memory.of_kernels[place]);
        }
    }

    /// The layer's gradient at frequency `number` of a block: that of the results times the
    /// conjugated kernels.
    fn of_spectrum(&self, number: usize, memory: &mut Memory<'_, T>, spectrum: &mut [T]) {
        let (images, channels, all) = (self.batch.images, self.channels, self.filters);
        for (start, &(_, filters)) in starts(&self.readers) {
            let kernels = &memory.kernels[self.of_reader(BLOCK * PLACES, start, filters)];
            let kernels = nth(kernels, number, PLACES * channels * filters);
            let size = [PLACES * channels, filters];
            copy(kernels, memory.joined, size, [start, all]);
        }
        for place in 0..PLACES {
            let results = nth(memory.results, place, images * all);
            let kernels = nth(memory.joined, place, channels * all);
            multiply(
                nth_mut(memory.products, place, images * channels),
                Store::Set,
                Matrix::new(results, [images, all]),
                Matrix::new(kernels, [channels, all]).transposed(),
            );
        }
        complex(memory.products, spectrum, [images, channels], [0, channels]);
    }

    /// The gradient of all readers' kernels at frequency `number` of a block: the conjugated
    /// spectrum times the gradient of the results.
    fn of_kernels(&self, number: usize, memory: &mut Memory<'_, T>) {
        let (images, channels, all) = (self.batch.images, self.channels, self.filters);
        for place in 0..PLACES {
            let source = nth(memory.source, place, images * channels);
            let results = nth(memory.results, place, images * all);
            multiply(
                nth_mut(memory.joined, place, channels * all),
                Store::Set,
                Matrix::new(source, [images, channels]).transposed(),
                Matrix::new(results, [images, all]),
            );
        }
        for (start, &(_, filters)) in starts(&self.readers) {
            let place = self.of_reader(BLOCK * 2, start, filters);
            let size = 2 * channels * filters;
            let target = nth_mut(&mut memory.of_kernels[place], number, size);
            complex(memory.joined, target, [channels, filters], [start, all]);
        }
    }

    /// The gradient of a reader's half spectra, of which the first block sets the values.
    fn of_half(&self, row: usize, block: &Range<usize>, reader: &Reader<'_, T>, of_kernels: &[T]) {
        let columns = reader.kernels.columns;
        let matrix = if self.batch.transform.is_real(row) {
            &columns.gradient_of_real
        } else {
            &columns.gradient
        };
        let matrix = &matrix[2 * block.start * columns.parts..];
        let kernels = self.channels * reader.kernels.filters;
        let size = columns.parts * kernels;
        let store = match block.start {
            0 => Store::Set,
            _ => Store::Add,
        };
        multiply(
            // SAFETY: each task has a frequency along height of its own.
            unsafe { reader.of_half.part(row * size..(row + 1) * size) },
            store,
            Matrix::new(matrix, [2 * block.len(), columns.parts]).transposed(),
            Matrix::new(of_kernels, [2 * block.len(), kernels]),
        );
    }

    /// A reader's part of memory with so many numbers per channel and filter; `start` filters of
    /// others come before.
    fn of_reader(&self, numbers: usize, start: usize, filters: usize) -> Range<usize> {
        let size = numbers * self.channels;
        size * start..size * (start + filters)
    }
}

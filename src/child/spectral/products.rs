//! The convolution of one layer as matrix products of spectra, and its gradients.
//!
//! Frequencies are worked on in blocks: the kernel's spectrum at a few frequencies is computed, used
//! for all images while it is in the processor's cache, and forgotten. It would be larger than
//! everything else.

use std::ops::Range;

use tch::{TchError, Tensor};

use super::matrices::PLACES;
use super::{KernelTransform, Spectral, Store, four, multiply, part};

/// Numbers of a kernel's spectrum that are computed at a time: about what the second-level cache
/// holds beside as much of the images' (measured: docs/PERFORMANCE.md).
const BLOCK: i64 = 150_000;

impl Spectral {
    /// Convolution of the layers with the spectra `inputs` (`[K, 3T, B, C]` each, concatenated over
    /// channels) with `weight` (`[O, C, kh, kw]`): `[H, W, B, O]`.
    pub fn convolve(&self, inputs: &[&Tensor], weight: &Tensor) -> Result<Tensor, TchError> {
        let layer = Convolution::new(self, inputs, weight)?;
        let half = self.empty_half(weight, layer.batch * layer.filters)?;
        let (products, scratch) = (layer.products()?, layer.scratch()?);
        for row in 0..self.rows() {
            for block in layer.blocks(row) {
                let sum = narrow(&products, &block)?;
                for (number, spectrum) in inputs.iter().enumerate() {
                    let kernel = layer.kernel(number, row, &block, &scratch)?;
                    let spectrum = part(spectrum, row, block.clone())?;
                    multiply(&sum, Store::set_if(number == 0), &spectrum, &kernel)?;
                }
            }
            let sums = layer.flat(&products, row)?;
            multiply(&half.f_get(row)?, Store::Set, self.inverse(row), &sums)?;
        }
        let [height, width] = self.size;
        self.inverse_rows
            .f_mm(&half.f_view([2 * self.rows(), -1])?)?
            .f_view([height, width, layer.batch, layer.filters])
    }

    /// The gradient of [`convolve`](Spectral::convolve)'s weight, given that of its result
    /// (`[H, W, B, O]`, contiguous). The gradient of each input's spectrum is added to the one in
    /// `gradients` (by layer number, like `numbers`, which are the inputs' numbers), which is
    /// created if there is none; number 0, the image, needs none.
    pub fn convolve_gradient(
        &self,
        (numbers, inputs): (&[usize], &[&Tensor]),
        weight: &Tensor,
        result: &Tensor,
        gradients: &mut [Option<Tensor>],
    ) -> Result<Tensor, TchError> {
        let layer = Convolution::new(self, inputs, weight)?;
        let targets = self.targets((numbers, inputs), gradients)?;
        let half = self
            .inverse_rows
            .f_tr()?
            .f_mm(&result.f_view([self.size[0], -1])?)?
            .f_view([self.rows(), 2 * self.size[1], -1])?;
        let (products, scratch) = (layer.products()?, layer.scratch()?);
        let of_kernels = layer.kernels.iter().map(Tensor::f_empty_like);
        let of_kernels = of_kernels.collect::<Result<Vec<_>, _>>()?;
        for row in 0..self.rows() {
            let sums = layer.flat(&products, row)?;
            let inverse = self.inverse(row).f_tr()?;
            multiply(&sums, Store::Set, &inverse, &half.f_get(row)?)?;
            for block in layer.blocks(row) {
                let sum = narrow(&products, &block)?;
                for (number, target) in targets.iter().enumerate() {
                    if let Some(target) = target {
                        let kernel = layer.kernel(number, row, &block, &scratch)?;
                        let gradient = part(&target.gradient, row, block.clone())?;
                        multiply(&gradient, target.store, &sum, &kernel.f_transpose(1, 2)?)?;
                    }
                    let spectrum = part(inputs[number], row, block.clone())?;
                    let kernel = layer.block(number, &block, &scratch)?;
                    multiply(&kernel, Store::Set, &spectrum.f_transpose(1, 2)?, &sum)?;
                    layer.kernel_gradient(&of_kernels[number], row, &block, &kernel)?;
                }
            }
        }
        layer.weight_gradient(&of_kernels)
    }

    /// Where the gradient of each input goes; `None` for the image.
    fn targets(
        &self,
        (numbers, inputs): (&[usize], &[&Tensor]),
        gradients: &mut [Option<Tensor>],
    ) -> Result<Vec<Option<Target>>, TchError> {
        let target = |(&number, input): (&usize, &&Tensor)| {
            if number == 0 {
                return Ok(None);
            }
            let store = Store::set_if(gradients[number].is_none());
            let gradient = match gradients[number].take() {
                Some(gradient) => gradient,
                None => input.f_empty_like()?,
            };
            gradients[number] = Some(gradient.shallow_clone());
            Ok(Some(Target { gradient, store }))
        };
        numbers.iter().zip(inputs).map(target).collect()
    }
}

/// The gradient of a spectrum, which several layers add to.
struct Target {
    gradient: Tensor,
    /// Set if it has no values yet.
    store: Store,
}

/// One layer's convolution.
struct Convolution<'spectral> {
    spectral: &'spectral Spectral,
    transform: &'spectral KernelTransform,
    /// Height and width of the kernel.
    size: [i64; 2],
    /// Channels of each input.
    channels: Vec<i64>,
    /// Half spectrum of the kernel of each input: `[K, 2·kw, C·O]`.
    kernels: Vec<Tensor>,
    filters: i64,
    batch: i64,
}

impl<'spectral> Convolution<'spectral> {
    fn new(
        spectral: &'spectral Spectral,
        inputs: &[&Tensor],
        weight: &Tensor,
    ) -> Result<Self, TchError> {
        let [filters, _, height, width] = four(weight);
        let transform = &spectral.kernels[&[height as usize, width as usize]];
        let channels: Vec<i64> = inputs.iter().map(|input| four(input)[3]).collect();
        let weight = weight.f_permute([2, 3, 1, 0])?;
        let mut start = 0;
        let mut half = |&channels: &i64| {
            let of_input = weight
                .f_narrow(2, start, channels)?
                .f_reshape([height, -1])?;
            start += channels;
            transform
                .rows
                .f_mm(&of_input)?
                .f_view([spectral.rows(), 2 * width, -1])
        };
        Ok(Convolution {
            spectral,
            transform,
            size: [height, width],
            kernels: channels.iter().map(&mut half).collect::<Result<_, _>>()?,
            channels,
            filters,
            batch: inputs.first().map_or(0, |input| four(input)[2]),
        })
    }

    /// Products of all terms, `[3T, B, O]`, to be filled.
    fn products(&self) -> Result<Tensor, TchError> {
        let terms = (PLACES * self.spectral.points[1]) as i64;
        self.empty(&[terms, self.batch, self.filters])
    }

    /// The part of [`products`](Convolution::products) used at a frequency along height, `[terms,
    /// B·O]`.
    fn flat(&self, products: &Tensor, row: i64) -> Result<Tensor, TchError> {
        let terms = self.spectral.terms(row);
        products.f_narrow(0, 0, terms)?.f_view([terms, -1])
    }

    /// Memory for a block of a kernel's spectrum.
    fn scratch(&self) -> Result<Tensor, TchError> {
        self.empty(&[self.block_terms() * self.largest()])
    }

    fn empty(&self, size: &[i64]) -> Result<Tensor, TchError> {
        let like = &self.transform.rows;
        Tensor::f_empty(size, (like.kind(), like.device()))
    }

    /// Weights per term of the input with the most channels.
    fn largest(&self) -> i64 {
        self.channels.iter().max().unwrap_or(&0) * self.filters
    }

    /// Terms in a block: blocks are equally large.
    fn block_terms(&self) -> i64 {
        let (places, columns) = (PLACES as i64, self.spectral.points[1] as i64);
        let at_once = (BLOCK / (places * self.largest()).max(1)).clamp(1, columns);
        let blocks = (columns + at_once - 1) / at_once;
        places * ((columns + blocks - 1) / blocks)
    }

    /// The terms used at a frequency along height, in blocks.
    fn blocks(&self, row: i64) -> impl Iterator<Item = Range<i64>> + use<> {
        let (step, terms) = (self.block_terms(), self.spectral.terms(row));
        (0..terms)
            .step_by(step as usize)
            .map(move |start| start..terms.min(start + step))
    }

    /// The part of `scratch` for a block of the kernel of input `number`: `[terms, C, O]`.
    fn block(
        &self,
        number: usize,
        block: &Range<i64>,
        scratch: &Tensor,
    ) -> Result<Tensor, TchError> {
        let (terms, channels) = (block.end - block.start, self.channels[number]);
        scratch
            .f_narrow(0, 0, terms * channels * self.filters)?
            .f_view([terms, channels, self.filters])
    }

    /// A block of the spectrum of the kernel of input `number`, in `scratch`.
    fn kernel(
        &self,
        number: usize,
        row: i64,
        block: &Range<i64>,
        scratch: &Tensor,
    ) -> Result<Tensor, TchError> {
        let kernel = self.block(number, block, scratch)?;
        let flat = kernel.f_view([block.end - block.start, -1])?;
        let columns = narrow(&self.transform.columns, block)?;
        multiply(
            &flat,
            Store::Set,
            &columns,
            &self.kernels[number].f_get(row)?,
        )?;
        Ok(kernel)
    }

    /// Add the gradient of a block of a kernel's spectrum to that of its half spectrum, of which the
    /// first block sets the values.
    fn kernel_gradient(
        &self,
        half: &Tensor,
        row: i64,
        block: &Range<i64>,
        kernel: &Tensor,
    ) -> Result<(), TchError> {
        let columns = narrow(&self.transform.columns, block)?.f_tr()?;
        let kernel = kernel.f_view([block.end - block.start, -1])?;
        let store = Store::set_if(block.start == 0);
        multiply(&half.f_get(row)?, store, &columns, &kernel)
    }

    /// Gradient of the weight, `[O, C, kh, kw]`, from those of the kernels' half spectra.
    fn weight_gradient(&self, of_kernels: &[Tensor]) -> Result<Tensor, TchError> {
        let ([height, width], rows) = (self.size, self.transform.rows.f_tr()?);
        let of_input = |(half, channels): (&Tensor, &i64)| {
            rows.f_mm(&half.f_view([2 * self.spectral.rows(), -1])?)?
                .f_view([height, width, *channels, self.filters])
        };
        let inputs = of_kernels.iter().zip(&self.channels).map(of_input);
        Tensor::f_cat(&inputs.collect::<Result<Vec<_>, _>>()?, 2)?
            .f_permute([3, 2, 0, 1])?
            .f_contiguous()
    }
}

/// Rows `range` of `tensor`.
fn narrow(tensor: &Tensor, range: &Range<i64>) -> Result<Tensor, TchError> {
    tensor.f_narrow(0, range.start, range.end - range.start)
}

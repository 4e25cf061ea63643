//! One pass over raw pixels that converts, crops and mirrors them: the CPU's cost of a training
//! batch.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::config::{Crop, Flip};

/// Selects a batch's random numbers: the same draw gives the same crops and flips on every device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    pub(super) seed: u64,
    pub(super) epoch: u64,
    pub(super) batch: u64,
}

/// The purpose of a stream of random numbers, which separates the streams of one seed.
#[derive(Debug, Clone, Copy)]
pub(super) enum RandomStream {
    Order = 1,
    Augmentation = 2,
    FirstFlip = 3,
    Cutout = 4,
    CutMix = 5,
}

impl Draw {
    pub(super) fn rng(self, purpose: RandomStream) -> ChaCha8Rng {
        let mut key = [0; 32];
        for (place, word) in
            key.chunks_exact_mut(8)
                .zip([self.seed, self.epoch, self.batch, purpose as u64])
        {
            place.copy_from_slice(&word.to_le_bytes());
        }
        ChaCha8Rng::from_seed(key)
    }
}

/// Where the crop of one image starts in the padded or enlarged image, and whether it is mirrored
/// left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CropPlace {
    pub(super) top: usize,
    pub(super) left: usize,
    pub(super) flip: bool,
}

/// Largest `top` and `left` of a crop from images of `[_, height, width]`.
pub(super) fn room(crop: Crop, [_, height, width]: [usize; 3]) -> (usize, usize) {
    match crop {
        Crop::None => (0, 0),
        Crop::Pad(margin) => (2 * margin, 2 * margin),
        Crop::Upsample(side) => (side.saturating_sub(height), side.saturating_sub(width)),
    }
}

/// Placements of the images with these numbers, each of `[_, height, width]`.
pub(super) fn placements(
    crop: Crop,
    flip: Flip,
    input: [usize; 3],
    draw: Draw,
    images: &[u32],
) -> Vec<CropPlace> {
    let mut rng = draw.rng(RandomStream::Augmentation);
    let (down, right) = room(crop, input);
    let place = |&image: &u32| CropPlace {
        top: rng.random_range(0..=down),
        left: rng.random_range(0..=right),
        flip: match flip {
            Flip::None => false,
            Flip::Random => rng.random::<bool>(),
            Flip::Alternating => is_flipped(draw.seed, draw.epoch, image),
        },
    };
    images.iter().map(place).collect()
}

/// Whether image number `image` is mirrored in `epoch` if flips alternate: in every second epoch,
/// the first of which is random.
fn is_flipped(seed: u64, epoch: u64, image: u32) -> bool {
    let of_image = Draw {
        seed,
        epoch: 0,
        batch: u64::from(image),
    };
    let first: bool = of_image.rng(RandomStream::FirstFlip).random();
    first != epoch.is_multiple_of(2)
}

/// The part of an image on which accuracy is measured: the middle of an enlarged image, as in
/// torchvision's CenterCrop, so that objects are as large as in training. `None` for the whole
/// image.
pub(super) fn centre(crop: Crop, input: [usize; 3]) -> Option<CropPlace> {
    let middle = |room: usize| (room as f64 / 2.0).round_ties_even() as usize;
    let (down, right) = room(crop, input);
    matches!(crop, Crop::Upsample(_)).then(|| CropPlace {
        top: middle(down),
        left: middle(right),
        flip: false,
    })
}

/// How a stored pixel becomes a network's input.
pub(super) trait Conversion {
    type Pixel: Copy;
    fn value(&self, channel: usize, pixel: Self::Pixel) -> f32;
    /// Value of pixels outside the image.
    fn padding(&self, channel: usize) -> f32;
}

/// uint8 -> `(pixel / 255 - mean) / std` through a table: bit-identical to torchvision's ToTensor
/// and Normalize.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Normalized(Vec<[f32; 256]>);

impl Normalized {
    pub(super) fn new(mean: &[f32], std: &[f32]) -> Self {
        let value = |pixel: usize, mean: f32, std: f32| (pixel as f32 / 255.0 - mean) / std;
        Normalized(
            mean.iter()
                .zip(std)
                .map(|(&mean, &std)| std::array::from_fn(|pixel| value(pixel, mean, std)))
                .collect(),
        )
    }
}

impl Conversion for Normalized {
    type Pixel = u8;

    #[inline]
    fn value(&self, channel: usize, pixel: u8) -> f32 {
        self.0[channel][usize::from(pixel)]
    }

    /// torchvision pads before it normalises: outside is black, not the mean.
    fn padding(&self, channel: usize) -> f32 {
        self.0[channel][0]
    }
}

/// Pixels that are already the network's input (whitened images); outside is 0, the mean image.
pub(super) struct Whitened;

impl Conversion for Whitened {
    type Pixel = f32;

    #[inline]
    fn value(&self, _channel: usize, pixel: f32) -> f32 {
        pixel
    }

    fn padding(&self, _channel: usize) -> f32 {
        0.0
    }
}

/// Memory order of the values written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `[N, C, H, W]` in memory.
    Contiguous,
    /// `[N, H, W, C]` in memory; the tensor is still indexed `[N, C, H, W]`.
    ChannelsLast,
}

/// Writes images of one shape one after another.
pub(super) struct Writer<'a, C> {
    pub(super) conversion: &'a C,
    /// `[C, H, W]`.
    pub shape: [usize; 3],
    pub(super) layout: Layout,
    pub(super) crop: Crop,
}

impl<C: Conversion> Writer<'_, C> {
    /// Write one planar image `source` into `out`, both of C·H·W values. Without a placement the
    /// image is written whole.
    pub fn write(
        &self,
        source: &[C::Pixel],
        placement: Option<CropPlace>,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        match (placement, self.crop) {
            (Some(placement), Crop::Upsample(side)) => {
                self.write_enlarged(source, side, placement, scratch, out)
            }
            (Some(placement), Crop::Pad(margin)) => {
                self.write_padded(source, margin, placement, out)
            }
            (Some(placement), Crop::None) => self.write_padded(source, 0, placement, out),
            (None, _) => self.write_padded(
                source,
                0,
                CropPlace {
                    top: 0,
                    left: 0,
                    flip: false,
                },
                out,
            ),
        }
    }

    fn write_padded(
        &self,
        source: &[C::Pixel],
        margin: usize,
        placement: CropPlace,
        out: &mut [f32],
    ) {
        let [channels, height, width] = self.shape;
        // Columns of the crop that lie inside the image: `inside` in the crop, starting at `first`
        // in the image.
        let before = margin.saturating_sub(placement.left).min(width);
        let after = placement.left.saturating_sub(margin).min(width);
        let (first, inside) = (after, width - before - after);
        for channel in 0..channels {
            let padding = self.conversion.padding(channel);
            for y in 0..height {
                let row = (y + placement.top)
                    .checked_sub(margin)
                    .filter(|&row| row < height);
                let mut target = self.row(out, channel, y);
                let Some(row) = row else {
                    target.for_each(|value| *value = padding);
                    continue;
                };
                let start = (channel * height + row) * width + first;
                let pixels = source[start..start + inside].iter();
                if placement.flip {
                    target
                        .by_ref()
                        .take(after)
                        .for_each(|value| *value = padding);
                    self.convert(channel, pixels.rev(), &mut target);
                } else {
                    target
                        .by_ref()
                        .take(before)
                        .for_each(|value| *value = padding);
                    self.convert(channel, pixels, &mut target);
                }
                target.for_each(|value| *value = padding);
            }
        }
    }

    #[inline]
    fn convert<'p, 't>(
        &self,
        channel: usize,
        pixels: impl Iterator<Item = &'p C::Pixel>,
        target: &mut impl Iterator<Item = &'t mut f32>,
    ) where
        C::Pixel: 'p,
    {
        // `pixels` comes first: zip polls it first, and so takes nothing from `target` once it has
        // ended.
        pixels
            .zip(target)
            .for_each(|(&pixel, value)| *value = self.conversion.value(channel, pixel));
    }

    /// The values of one channel of one row of `out`, left to right.
    #[inline]
    fn row<'o>(
        &self,
        out: &'o mut [f32],
        channel: usize,
        y: usize,
    ) -> std::iter::StepBy<std::slice::IterMut<'o, f32>> {
        let [channels, height, width] = self.shape;
        match self.layout {
            Layout::Contiguous => out[(channel * height + y) * width..][..width]
                .iter_mut()
                .step_by(1),
            Layout::ChannelsLast => out[y * width * channels + channel..(y + 1) * width * channels]
                .iter_mut()
                .step_by(channels),
        }
    }

    /// Crop from the image enlarged to `side` by `side`, computing only the visible part.
    fn write_enlarged(
        &self,
        source: &[C::Pixel],
        side: usize,
        placement: CropPlace,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        let [channels, height, width] = self.shape;
        scratch.prepare(self.shape, side);
        for channel in 0..channels {
            let plane = &source[channel * height * width..(channel + 1) * height * width];
            for (value, &pixel) in scratch.plane.iter_mut().zip(plane) {
                *value = self.conversion.value(channel, pixel);
            }
            for y in 0..height {
                scratch.blend_rows(y + placement.top, width);
                let columns = &scratch.columns[placement.left..placement.left + width];
                let blended = &scratch.row;
                let pick = |tap: &Tap| {
                    blended[tap.first] + (blended[tap.second] - blended[tap.first]) * tap.weight
                };
                let target = self.row(out, channel, y);
                if placement.flip {
                    target
                        .zip(columns.iter().rev())
                        .for_each(|(value, tap)| *value = pick(tap));
                } else {
                    target
                        .zip(columns)
                        .for_each(|(value, tap)| *value = pick(tap));
                }
            }
        }
    }
}

/// A coordinate in the enlarged image: the two source coordinates around it, and the weight of the
/// second.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tap {
    first: usize,
    second: usize,
    weight: f32,
}

/// Coordinates of a side enlarged from `from` to `to`, as in PyTorch's bilinear interpolation
/// without aligned corners.
fn taps(from: usize, to: usize) -> Vec<Tap> {
    let scale = from as f32 / to as f32;
    let tap = |index: usize| {
        let position = ((index as f32 + 0.5) * scale - 0.5).max(0.0);
        let first = (position as usize).min(from - 1);
        Tap {
            first,
            second: (first + 1).min(from - 1),
            weight: position - first as f32,
        }
    };
    (0..to).map(tap).collect()
}

/// Memory that [`Writer::write`] reuses from image to image.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    rows: Vec<Tap>,
    columns: Vec<Tap>,
    /// One converted channel, `[H, W]`.
    plane: Vec<f32>,
    /// One enlarged row before its columns are enlarged, `[W]`.
    row: Vec<f32>,
}

impl Scratch {
    fn prepare(&mut self, [_, height, width]: [usize; 3], side: usize) {
        if self.rows.len() != side || self.plane.len() != height * width || self.row.len() != width
        {
            (self.rows, self.columns) = (taps(height, side), taps(width, side));
            (self.plane, self.row) = (vec![0.0; height * width], vec![0.0; width]);
        }
    }

    fn blend_rows(&mut self, y: usize, width: usize) {
        let tap = self.rows[y];
        let upper = &self.plane[tap.first * width..][..width];
        let lower = &self.plane[tap.second * width..][..width];
        for ((value, &upper), &lower) in self.row.iter_mut().zip(upper).zip(lower) {
            *value = upper + (lower - upper) * tap.weight;
        }
    }
}

#[cfg(test)]
mod tests;

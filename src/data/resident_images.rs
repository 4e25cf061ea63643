//! Images on a device, and batches made from them there: the random numbers are sent once per
//! epoch, and no step copies anything between host and device.

use tch::{Device, Kind, TchError, Tensor};

use super::Images;
use super::augment::{CropPlace, Layout, centre, room};
use super::error::DataError;
use super::preparation::{Normalizer, Preparation};
use super::whiten::Whitening;
use crate::config::Crop;

/// Pixels and labels on one device, with the conversion to a network's input.
#[derive(Debug)]
pub(super) struct ResidentImages {
    /// `[N, H, W, C]`, uint8; with a black row below and a black column to the right of each image
    /// if crops read pixels outside the image from there.
    pixels: Tensor,
    /// `[N]`, int64.
    labels: Tensor,
    normalizer: DeviceNormalizer,
    crops: Crops,
    layout: Layout,
}

#[derive(Debug)]
enum DeviceNormalizer {
    /// Both `[C, 1, 1]`, f32.
    Standard {
        mean: Tensor,
        std: Tensor,
    },
    Whitening(Whitening),
}

/// The rows and columns visible in a crop: positions among all pixels of an image, which is
/// bordered or enlarged.
#[derive(Debug)]
struct Crops {
    crop: Crop,
    /// `[C, H, W]`.
    input: [usize; 3],
    /// Number of pixels of an image.
    size: i64,
    /// `[tops, H]`, int64: where each row of a crop starts.
    rows: Tensor,
    /// `[2 * lefts, W]`, int64: the offset of each column for a crop that starts at `left`, plain
    /// (even indices) or mirrored (odd indices).
    columns: Tensor,
}

/// The images of an epoch in order, entirely on the device.
#[derive(Debug)]
pub(super) struct Sequence {
    /// `[N]`, int64: index and label of each image.
    order: Tensor,
    labels: Tensor,
    crops: Option<SequenceCrops>,
}

#[derive(Debug)]
struct SequenceCrops {
    /// `[N, H, 1]` and `[N, 1, W]`, int64: positions in the image or, if crops are cut out of the
    /// whole set, in the set.
    rows: Tensor,
    columns: Tensor,
    /// `[batch, 1, 1]`: where each image of a batch starts, or zero if crops are cut out of the
    /// whole set.
    starts: Option<Tensor>,
}

impl ResidentImages {
    pub(super) fn new(
        images: &Images,
        preparation: &Preparation,
        device: Device,
        layout: Layout,
    ) -> Result<Self, DataError> {
        let [channels, height, width] = preparation.input.map(|size| size as i64);
        let normalizer = match &preparation.normalizer {
            Normalizer::Standard { mean, std } => {
                let column = |values: &[f32]| {
                    Tensor::f_from_slice(values)?
                        .f_view([channels, 1, 1])?
                        .f_to_device(device)
                };
                DeviceNormalizer::Standard {
                    mean: column(mean)?,
                    std: column(std)?,
                }
            }
            Normalizer::Whitening(whitening) => {
                DeviceNormalizer::Whitening(whitening.to_device(device)?)
            }
        };
        let labels: Vec<i64> = images
            .labels
            .iter()
            .map(|&label| i64::from(label))
            .collect();
        let mut pixels =
            Tensor::f_from_slice(&images.pixels)?.f_view([-1, channels, height, width])?;
        // Outside the image is black before normalisation; for whitened images it is the mean
        // image.
        if let (Crop::Pad(_), DeviceNormalizer::Standard { .. }) = (preparation.crop, &normalizer) {
            pixels = bordered(&pixels)?;
        }
        Ok(ResidentImages {
            pixels: last(&pixels)?.f_to_device(device)?,
            labels: Tensor::f_from_slice(&labels)?.f_to_device(device)?,
            normalizer,
            crops: Crops::new(preparation, device)?,
            layout,
        })
    }

    /// The device.
    pub(super) fn device(&self) -> Device {
        self.pixels.device()
    }

    /// Send an epoch to the device: the images `order`, each cropped and mirrored according to
    /// `placements` (equally many), in batches of at most `batch_size`.
    pub fn sequence(
        &self,
        order: &[u32],
        placements: Option<&[CropPlace]>,
        batch_size: usize,
    ) -> Result<Sequence, TchError> {
        let count = order.len();
        let mut numbers: Vec<i64> = order.iter().map(|&index| i64::from(index)).collect();
        if let Some(placements) = placements {
            numbers.extend(placements.iter().map(|place| place.top as i64));
            numbers.extend(
                placements
                    .iter()
                    .map(|place| 2 * place.left as i64 + i64::from(place.flip)),
            );
        }
        let numbers = Tensor::f_from_slice(&numbers)?
            .f_view([-1, count as i64])?
            .f_to_device(self.pixels.device())?;
        let order = numbers.f_get(0)?;
        let crops = match placements {
            Some(_) => Some(self.crops.of(
                &numbers,
                batch_size.min(count),
                self.is_cut_out_of_the_set(),
            )?),
            None => None,
        };
        Ok(Sequence {
            labels: self.labels.f_index_select(0, &order)?,
            order,
            crops,
        })
    }

    /// Images (f32 `[B, C, H, W]`, in the layout) and labels (int64 `[B]`) number `start` to `start
    /// + length` of an epoch.
    pub fn training_batch(
        &self,
        sequence: &Sequence,
        start: i64,
        length: i64,
    ) -> Result<(Tensor, Tensor), TchError> {
        let whole = || {
            self.pixels
                .f_index_select(0, &sequence.order.f_narrow(0, start, length)?)?
                .f_permute([0, 3, 1, 2])
        };
        let images = match &sequence.crops {
            None => self.normalize(&whole()?)?,
            Some(crops) => {
                let crops = crops.narrow(start, length)?;
                match (self.crops.crop, &self.normalizer) {
                    _ if self.is_cut_out_of_the_set() => {
                        self.normalize(&crops.cut(&self.pixels)?)?
                    }
                    (Crop::Pad(_), _) => {
                        crops.cut(&last(&bordered(&self.normalize(&whole()?)?)?)?)?
                    }
                    _ => crops.cut(&last(&self.enlarge(&self.normalize(&whole()?)?)?)?)?,
                }
            }
        };
        Ok((
            self.in_layout(images)?,
            sequence.labels.f_narrow(0, start, length)?,
        ))
    }

    /// Images and labels number `start` to `start + length` of the set: whole, or the middle of
    /// enlarged ones.
    pub fn evaluation_batch(&self, start: i64, length: i64) -> Result<(Tensor, Tensor), TchError> {
        let [_, height, width] = self.crops.input.map(|size| size as i64);
        let raw = self
            .pixels
            .f_narrow(0, start, length)?
            .f_narrow(1, 0, height)?
            .f_narrow(2, 0, width)?;
        let mut images = self.normalize(&raw.f_permute([0, 3, 1, 2])?)?;
        if let Some(CropPlace { top, left, .. }) = centre(self.crops.crop, self.crops.input) {
            images = self
                .enlarge(&images)?
                .f_narrow(2, top as i64, height)?
                .f_narrow(3, left as i64, width)?;
        }
        Ok((
            self.in_layout(images)?,
            self.labels.f_narrow(0, start, length)?,
        ))
    }

    /// Whether crops are cut before images are normalised, so that one operation extracts them from
    /// the whole set.
    fn is_cut_out_of_the_set(&self) -> bool {
        match (self.crops.crop, &self.normalizer) {
            (Crop::None | Crop::Pad(_), DeviceNormalizer::Standard { .. }) => true,
            (Crop::Upsample(_), _) | (_, DeviceNormalizer::Whitening(_)) => false,
        }
    }

    fn enlarge(&self, images: &Tensor) -> Result<Tensor, TchError> {
        match self.crops.crop {
            Crop::Upsample(side) => {
                images.f_upsample_bilinear2d([side as i64; 2], false, None, None)
            }
            Crop::None | Crop::Pad(_) => Ok(images.shallow_clone()),
        }
    }

    fn normalize(&self, raw: &Tensor) -> Result<Tensor, TchError> {
        let mut scaled = raw.f_div_scalar(255.0)?;
        match &self.normalizer {
            DeviceNormalizer::Standard { mean, std } => scaled.f_sub_(mean)?.f_div_(std),
            DeviceNormalizer::Whitening(whitening) => whitening
                .apply(&scaled.f_flatten(1, -1)?)?
                .f_view_as(&scaled),
        }
    }

    fn in_layout(&self, images: Tensor) -> Result<Tensor, TchError> {
        match self.layout {
            Layout::Contiguous => images.f_contiguous(),
            Layout::ChannelsLast => last(&images)?.f_permute([0, 3, 1, 2]),
        }
    }
}

impl Crops {
    fn new(preparation: &Preparation, device: Device) -> Result<Crops, TchError> {
        let &Preparation { crop, input, .. } = preparation;
        let [_, height, width] = input;
        let (down, right) = room(crop, input);
        let [stored_height, stored_width] = match crop {
            Crop::None => [height, width],
            Crop::Pad(_) => [height + 1, width + 1],
            Crop::Upsample(side) => [side, side],
        };
        let row = |position| (shown(crop, height, position) * stored_width) as i64;
        let rows: Vec<i64> = (0..=down)
            .flat_map(|top| (0..height).map(move |y| row(top + y)))
            .collect();
        let column =
            |left, flip, x| shown(crop, width, left + if flip { width - 1 - x } else { x }) as i64;
        let columns: Vec<i64> = (0..=right)
            .flat_map(|left| [false, true].map(|flip| (left, flip)))
            .flat_map(|(left, flip)| (0..width).map(move |x| column(left, flip, x)))
            .collect();
        let table = |values: &[i64], width: usize| {
            Tensor::f_from_slice(values)?
                .f_view([-1, width as i64])?
                .f_to_device(device)
        };
        let size = (stored_height * stored_width) as i64;
        Ok(Crops {
            crop,
            input,
            size,
            rows: table(&rows, height)?,
            columns: table(&columns, width)?,
        })
    }

    /// Rows and columns of the placements in `numbers` (`[3, N]`: image, top, column).
    fn of(
        &self,
        numbers: &Tensor,
        batch_size: usize,
        is_of_set: bool,
    ) -> Result<SequenceCrops, TchError> {
        let [_, height, width] = self.input.map(|size| size as i64);
        let mut rows = self
            .rows
            .f_index_select(0, &numbers.f_get(1)?)?
            .f_view([-1, height, 1])?;
        let starts = |images: &Tensor| images.f_mul_scalar(self.size)?.f_view([-1, 1, 1]);
        let starts = if is_of_set {
            let _ = rows.f_add_(&starts(&numbers.f_get(0)?)?)?;
            None
        } else {
            Some(starts(&Tensor::f_arange(
                batch_size as i64,
                (Kind::Int64, numbers.device()),
            )?)?)
        };
        Ok(SequenceCrops {
            rows,
            columns: self
                .columns
                .f_index_select(0, &numbers.f_get(2)?)?
                .f_view([-1, 1, width])?,
            starts,
        })
    }
}

impl SequenceCrops {
    fn narrow(&self, start: i64, length: i64) -> Result<SequenceCrops, TchError> {
        let (rows, columns) = (
            self.rows.f_narrow(0, start, length)?,
            self.columns.f_narrow(0, start, length)?,
        );
        let starts = self
            .starts
            .as_ref()
            .map(|starts| starts.f_narrow(0, 0, length))
            .transpose()?;
        Ok(SequenceCrops {
            rows,
            columns,
            starts,
        })
    }

    /// Crop and mirror `images` (`[M, height, width, C]`, contiguous) to `[B, C, H, W]`,
    /// channels-last in memory.
    fn cut(&self, images: &Tensor) -> Result<Tensor, TchError> {
        let mut places = self.rows.f_add(&self.columns)?;
        if let Some(starts) = &self.starts {
            let _ = places.f_add_(starts)?;
        }
        let channels = images.size()[3];
        let size = [&places.size()[..], &[channels]].concat();
        let pixels = images
            .f_view([-1, channels])?
            .f_index_select(0, &places.f_view([-1])?)?;
        pixels.f_view(&size[..])?.f_permute([0, 3, 1, 2])
    }
}

/// `[N, C, H, W]` as `[N, H, W, C]`, contiguous.
fn last(images: &Tensor) -> Result<Tensor, TchError> {
    images.f_permute([0, 2, 3, 1])?.f_contiguous()
}

/// The image's row or column visible at `position` of the padded or enlarged image; `size` if it
/// lies outside the image.
fn shown(crop: Crop, size: usize, position: usize) -> usize {
    match crop {
        Crop::Pad(margin) => position
            .checked_sub(margin)
            .filter(|&inside| inside < size)
            .unwrap_or(size),
        Crop::None | Crop::Upsample(_) => position,
    }
}

/// `[N, C, H, W]` with an extra row of zeros below and column of zeros to the right.
fn bordered(images: &Tensor) -> Result<Tensor, TchError> {
    images.f_constant_pad_nd([0, 1, 0, 1])
}

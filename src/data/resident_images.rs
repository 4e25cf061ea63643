//! Images that lie on a device, and batches made of them there: what is random goes up once an epoch, and no step copies anything
//! between host and device.

use tch::{Device, Kind, TchError, Tensor};

use super::Images;
use super::augment::{Layout, Placement, centre, room};
use super::error::DataError;
use super::preparation::{Normalizer, Preparation};
use super::whiten::Whitening;
use crate::config::Crop;

/// Pixels and labels on one device, with what turns them into a network's input.
#[derive(Debug)]
pub(super) struct ResidentImages {
    /// `[N, C, H, W]`, uint8; with a black row below and a black column to the right of each image where crops read from them what
    /// lies outside.
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

/// Which rows and columns a crop shows.
#[derive(Debug)]
struct Crops {
    crop: Crop,
    /// `[C, H, W]`.
    input: [usize; 3],
    /// `[tops, H]`, int64: row of the (bordered or enlarged) image at each row of a crop.
    rows: Tensor,
    /// `[2 * lefts, W]`, int64: columns for a crop that begins at `left` (even numbers), and mirrored (odd ones).
    columns: Tensor,
}

/// The images of an epoch, in their order: all on the device.
#[derive(Debug)]
pub(super) struct Sequence {
    /// `[N]`, int64: number and label of each image.
    order: Tensor,
    labels: Tensor,
    crops: Option<SequenceCrops>,
}

#[derive(Debug)]
struct SequenceCrops {
    /// `[N, H, 1]` and `[N, 1, W]`, int64.
    rows: Tensor,
    columns: Tensor,
    /// `0..batch`, `[batch, 1, 1]`: the place of each image in its batch.
    places: Tensor,
}

impl ResidentImages {
    pub fn new(images: &Images, preparation: &Preparation, device: Device, layout: Layout) -> Result<Self, DataError> {
        let [channels, height, width] = preparation.input.map(|size| size as i64);
        let normalizer = match &preparation.normalizer {
            Normalizer::Standard { mean, std } => {
                let column = |values: &[f32]| Tensor::f_from_slice(values)?.f_view([channels, 1, 1])?.f_to_device(device);
                DeviceNormalizer::Standard { mean: column(mean)?, std: column(std)? }
            }
            Normalizer::Whitening(whitening) => DeviceNormalizer::Whitening(whitening.to_device(device)?),
        };
        let labels: Vec<i64> = images.labels.iter().map(|&label| i64::from(label)).collect();
        let mut pixels = Tensor::f_from_slice(&images.pixels)?.f_view([-1, channels, height, width])?;
        // What lies outside is black before it is normalised; of whitened images it is the mean image.
        if let (Crop::Pad(_), DeviceNormalizer::Standard { .. }) = (preparation.crop, &normalizer) {
            pixels = bordered(&pixels)?;
        }
        Ok(ResidentImages {
            pixels: pixels.f_to_device(device)?,
            labels: Tensor::f_from_slice(&labels)?.f_to_device(device)?,
            normalizer,
            crops: Crops::new(preparation.crop, preparation.input, device)?,
            layout,
        })
    }

    /// Send an epoch up: images `order`, each cropped and mirrored as `placements` (as many) say, in batches of at most
    /// `batch_size`.
    pub fn sequence(&self, order: &[u32], placements: Option<&[Placement]>, batch_size: usize) -> Result<Sequence, TchError> {
        let count = order.len();
        let mut numbers: Vec<i64> = order.iter().map(|&index| i64::from(index)).collect();
        if let Some(placements) = placements {
            numbers.extend(placements.iter().map(|place| place.top as i64));
            numbers.extend(placements.iter().map(|place| 2 * place.left as i64 + i64::from(place.flip)));
        }
        let numbers = Tensor::f_from_slice(&numbers)?.f_view([-1, count as i64])?.f_to_device(self.pixels.device())?;
        let order = numbers.f_get(0)?;
        let crops = match placements {
            Some(_) => Some(self.crops.of(&numbers, batch_size.min(count))?),
            None => None,
        };
        Ok(Sequence { labels: self.labels.f_index_select(0, &order)?, order, crops })
    }

    /// Images (f32 `[B, C, H, W]`, in the layout) and labels (int64 `[B]`) number `start` to `start + length` of an epoch.
    pub fn training_batch(&self, sequence: &Sequence, start: i64, length: i64) -> Result<(Tensor, Tensor), TchError> {
        let chosen = sequence.order.f_narrow(0, start, length)?;
        let images = match &sequence.crops {
            None => self.normalize(&self.pixels.f_index_select(0, &chosen)?)?,
            Some(crops) => self.cropped(&chosen, &crops.narrow(start, length)?)?,
        };
        Ok((self.in_layout(images)?, sequence.labels.f_narrow(0, start, length)?))
    }

    /// Images and labels number `start` to `start + length` of the set: whole, or what a crop in the middle shows of enlarged ones.
    pub fn evaluation_batch(&self, start: i64, length: i64) -> Result<(Tensor, Tensor), TchError> {
        let [_, height, width] = self.crops.input.map(|size| size as i64);
        let whole = |images: Tensor| images.f_narrow(2, 0, height)?.f_narrow(3, 0, width);
        let mut images = self.normalize(&whole(self.pixels.f_narrow(0, start, length)?)?)?;
        if let Some(Placement { top, left, .. }) = centre(self.crops.crop, self.crops.input) {
            images = self.enlarge(&images)?.f_narrow(2, top as i64, height)?.f_narrow(3, left as i64, width)?;
        }
        Ok((self.in_layout(images)?, self.labels.f_narrow(0, start, length)?))
    }

    fn cropped(&self, chosen: &Tensor, crops: &SequenceCrops) -> Result<Tensor, TchError> {
        match (self.crops.crop, &self.normalizer) {
            (Crop::None | Crop::Pad(_), DeviceNormalizer::Standard { .. }) => {
                self.normalize(&crops.gather(&self.pixels, &chosen.f_view([-1, 1, 1])?)?)
            }
            (Crop::None, DeviceNormalizer::Whitening(_)) => {
                crops.gather(&self.normalize(&self.pixels.f_index_select(0, chosen)?)?, &crops.places)
            }
            (Crop::Pad(_), DeviceNormalizer::Whitening(_)) => {
                crops.gather(&bordered(&self.normalize(&self.pixels.f_index_select(0, chosen)?)?)?, &crops.places)
            }
            (Crop::Upsample(_), _) => {
                let images = self.normalize(&self.pixels.f_index_select(0, chosen)?)?;
                crops.gather(&self.enlarge(&images)?, &crops.places)
            }
        }
    }

    fn enlarge(&self, images: &Tensor) -> Result<Tensor, TchError> {
        match self.crops.crop {
            Crop::Upsample(side) => images.f_upsample_bilinear2d([side as i64; 2], false, None, None),
            Crop::None | Crop::Pad(_) => Ok(images.shallow_clone()),
        }
    }

    fn normalize(&self, raw: &Tensor) -> Result<Tensor, TchError> {
        let mut scaled = raw.f_div_scalar(255.0)?;
        match &self.normalizer {
            DeviceNormalizer::Standard { mean, std } => scaled.f_sub_(mean)?.f_div_(std),
            DeviceNormalizer::Whitening(whitening) => whitening.apply(&scaled.f_flatten(1, -1)?)?.f_view_as(&scaled),
        }
    }

    fn in_layout(&self, images: Tensor) -> Result<Tensor, TchError> {
        match self.layout {
            Layout::Contiguous => images.f_contiguous(),
            Layout::ChannelsLast => images.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2]),
        }
    }
}

impl Crops {
    fn new(crop: Crop, input: [usize; 3], device: Device) -> Result<Crops, TchError> {
        let [_, height, width] = input;
        let (down, right) = room(crop, input);
        let rows: Vec<i64> = (0..=down).flat_map(|top| (0..height).map(move |y| shown(crop, height, top + y))).collect();
        let column = |left: usize, flip: bool, x: usize| shown(crop, width, left + if flip { width - 1 - x } else { x });
        let columns: Vec<i64> = (0..=right)
            .flat_map(|left| [false, true].map(|flip| (left, flip)))
            .flat_map(|(left, flip)| (0..width).map(move |x| column(left, flip, x)))
            .collect();
        let table = |values: &[i64], width: usize| Tensor::f_from_slice(values)?.f_view([-1, width as i64])?.f_to_device(device);
        Ok(Crops { crop, input, rows: table(&rows, height)?, columns: table(&columns, width)? })
    }

    /// Rows and columns of the placements in `numbers` (`[3, N]`: image, top, column).
    fn of(&self, numbers: &Tensor, batch_size: usize) -> Result<SequenceCrops, TchError> {
        let [_, height, width] = self.input.map(|size| size as i64);
        Ok(SequenceCrops {
            rows: self.rows.f_index_select(0, &numbers.f_get(1)?)?.f_view([-1, height, 1])?,
            columns: self.columns.f_index_select(0, &numbers.f_get(2)?)?.f_view([-1, 1, width])?,
            places: Tensor::f_arange(batch_size as i64, (Kind::Int64, numbers.device()))?.f_view([-1, 1, 1])?,
        })
    }
}

impl SequenceCrops {
    fn narrow(&self, start: i64, length: i64) -> Result<SequenceCrops, TchError> {
        let (rows, columns) = (self.rows.f_narrow(0, start, length)?, self.columns.f_narrow(0, start, length)?);
        Ok(SequenceCrops { rows, columns, places: self.places.f_narrow(0, 0, length)? })
    }

    /// Crop and mirror `images` (by number: `chosen`, `[B, 1, 1]`) in one pass. The result is channels-last in memory.
    fn gather(&self, images: &Tensor, chosen: &Tensor) -> Result<Tensor, TchError> {
        images.f_index(&[Some(chosen), None, Some(&self.rows), Some(&self.columns)])?.f_permute([0, 3, 1, 2])
    }
}

/// Row or column of the image that a crop shows at `position` of the padded or enlarged one: of what lies outside the border, at
/// `size`.
fn shown(crop: Crop, size: usize, position: usize) -> i64 {
    match crop {
        Crop::Pad(margin) => position.checked_sub(margin).filter(|&inside| inside < size).unwrap_or(size) as i64,
        Crop::None | Crop::Upsample(_) => position as i64,
    }
}

/// `[N, C, H, W]` with a row of zeros below and a column of zeros to the right.
fn bordered(images: &Tensor) -> Result<Tensor, TchError> {
    images.f_constant_pad_nd([0, 1, 0, 1])
}

//! Batches of images as tensors: normalised or whitened, cropped, mirrored and shuffled, all from a
//! seed.

use std::ops::Range;

use rand::seq::SliceRandom;
use tch::{Device, Tensor};

use super::Images;
use super::augment::{CropPlace, Draw, Layout, RandomStream, centre, placements};
use super::cutout::Squares;
use super::error::DataError;
use super::host_images::HostImages;
use super::preparation::Preparation;
use super::resident_images::{ResidentImages, Sequence};
use crate::config::{Crop, Flip};
use crate::foundation::fault::Fault;

/// Images and labels for a device. Pixels stay uint8 and are converted when a batch is requested.
#[derive(Debug)]
pub struct DeviceDataset {
    store: Store,
    /// Number of images.
    len: usize,
    input: [usize; 3],
    crop: Crop,
    flip: Flip,
    /// Side of the square that is cut out of each training image; 0: none.
    cutout: usize,
}

#[derive(Debug)]
enum Store {
    /// One pass in Rust per batch: on the CPU several times as fast as tensor operations.
    Host(HostImages),
    /// Tensor operations on the device.
    Resident(ResidentImages),
}

/// The training images of one epoch: every image once, in an order given by seed and epoch, with
/// its crop, flip and cutout.
#[derive(Debug)]
pub struct ShuffledImages<'data> {
    data: &'data DeviceDataset,
    shuffle: Shuffle,
    source: BatchSource<'data>,
    cutout: Option<Squares>,
}

/// Where the batches of an epoch come from.
#[derive(Debug)]
enum BatchSource<'data> {
    Host(&'data HostImages),
    /// The epoch's order, crops and flips are also on the device.
    Resident(&'data ResidentImages, Sequence),
}

/// The assignment of images to the batches of an epoch.
#[derive(Debug)]
struct Shuffle {
    seed: u64,
    epoch: u64,
    order: Vec<u32>,
    batch_size: usize,
}

impl Shuffle {
    fn batches(&self) -> usize {
        self.order.len().div_ceil(self.batch_size)
    }

    /// The positions in the order that make up batch number `batch` (from 0).
    fn places(&self, batch: usize) -> Range<usize> {
        let start = (batch * self.batch_size).min(self.order.len());
        start..self.order.len().min(start + self.batch_size)
    }

    fn draw(&self, batch: usize) -> Draw {
        Draw {
            seed: self.seed,
            epoch: self.epoch,
            batch: batch as u64,
        }
    }
}

impl ShuffledImages<'_> {
    /// Number of batches.
    pub fn batches(&self) -> usize {
        self.shuffle.batches()
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.shuffle.order.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The positions in the epoch that make up batch number `batch` (from 0); the last batch may be
    /// smaller.
    pub fn places(&self, batch: usize) -> Range<usize> {
        self.shuffle.places(batch)
    }

    /// Batch number `batch` (from 0), cropped, mirrored and cut out at random: f32 `[B, C, H, W]` (in the
    /// data set's layout) and int64 `[B]`.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn batch(&self, batch: usize) -> Result<(Tensor, Tensor), DataError> {
        let places = self.places(batch);
        let start = places.start;
        let (images, labels) = match &self.source {
            BatchSource::Host(images) => {
                let placements = self.data.placements(&self.shuffle, batch);
                images.batch(&self.shuffle.order[places], placements.as_deref())?
            }
            BatchSource::Resident(images, sequence) => {
                images.training_batch(sequence, start as i64, places.len() as i64)?
            }
        };
        Ok(match &self.cutout {
            Some(squares) => (squares.cut_out_of(images, start)?, labels),
            None => (images, labels),
        })
    }
}

impl DeviceDataset {
    /// Put images on a device. If its memory is too small they stay in host memory and each batch
    /// is copied. Batches come in `layout`.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn new(
        images: Images,
        preparation: &Preparation,
        device: Device,
        layout: Layout,
    ) -> Result<Self, DataError> {
        if device == Device::Cpu {
            return Self::on_host(images, preparation, device, layout);
        }
        match Self::on_device(&images, preparation, device, layout) {
            Err(DataError::Torch(text)) if Fault::of(&text) == Fault::Memory => {
                Self::on_host(images, preparation, device, layout)
            }
            done => done,
        }
    }

    /// Whether the images are in host memory and batches are copied.
    pub fn is_on_host(&self) -> bool {
        matches!(self.store, Store::Host(_))
    }

    /// Keep images in host memory and copy each batch to `device`, for devices whose memory is too
    /// small.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn on_host(
        images: Images,
        preparation: &Preparation,
        device: Device,
        layout: Layout,
    ) -> Result<Self, DataError> {
        let len = images.len();
        Ok(Self::from_store(
            Store::Host(HostImages::new(images, preparation, device, layout)?),
            len,
            preparation,
        ))
    }

    fn on_device(
        images: &Images,
        preparation: &Preparation,
        device: Device,
        layout: Layout,
    ) -> Result<Self, DataError> {
        let store = Store::Resident(ResidentImages::new(images, preparation, device, layout)?);
        Ok(Self::from_store(store, images.len(), preparation))
    }

    fn from_store(store: Store, len: usize, preparation: &Preparation) -> Self {
        let &Preparation {
            input,
            crop,
            flip,
            cutout,
            ..
        } = preparation;
        DeviceDataset {
            store,
            len,
            input,
            crop,
            flip,
            cutout,
        }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Shuffle the images for `epoch`. If they are on the device, order, crops and flips are sent
    /// there in one copy, and squares to cut out in another, so that no batch needs one.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn training_epoch(
        &self,
        batch_size: usize,
        seed: u64,
        epoch: u64,
    ) -> Result<ShuffledImages<'_>, DataError> {
        self.epoch_of(Shuffle {
            seed,
            epoch,
            order: epoch_order(seed, epoch, self.len()),
            batch_size: batch_size.max(1),
        })
    }

    fn epoch_of(&self, shuffle: Shuffle) -> Result<ShuffledImages<'_>, DataError> {
        let source = match &self.store {
            Store::Host(images) => BatchSource::Host(images),
            Store::Resident(images) => {
                let of_batches =
                    (0..shuffle.batches()).map(|batch| self.placements(&shuffle, batch));
                let placements = of_batches
                    .collect::<Option<Vec<_>>>()
                    .map(|batches| batches.concat());
                BatchSource::Resident(
                    images,
                    images.sequence(&shuffle.order, placements.as_deref(), shuffle.batch_size)?,
                )
            }
        };
        let cutout = match self.cutout {
            0 => None,
            side => Some(Squares::draw(
                side,
                self.input,
                shuffle.draw(0),
                shuffle.order.len(),
                self.device(),
            )?),
        };
        Ok(ShuffledImages {
            data: self,
            shuffle,
            source,
            cutout,
        })
    }

    /// The device that batches are on.
    fn device(&self) -> Device {
        match &self.store {
            Store::Host(images) => images.device(),
            Store::Resident(images) => images.device(),
        }
    }

    /// Crops and flips of a batch; `None` if images are left as they are.
    fn placements(&self, shuffle: &Shuffle, batch: usize) -> Option<Vec<CropPlace>> {
        if self.flip == Flip::None && self.crop == Crop::None {
            return None;
        }
        let images = &shuffle.order[shuffle.places(batch)];
        Some(placements(
            self.crop,
            self.flip,
            self.input,
            shuffle.draw(batch),
            images,
        ))
    }

    /// Every image once, in order: whole, or the middle of enlarged ones.
    pub fn evaluation_batches(
        &self,
        batch_size: usize,
    ) -> impl ExactSizeIterator<Item = Result<(Tensor, Tensor), DataError>> + '_ {
        let size = batch_size.max(1);
        (0..self.len().div_ceil(size)).map(move |batch| {
            self.evaluation_batch(batch * size..self.len().min((batch + 1) * size))
        })
    }

    fn evaluation_batch(&self, places: Range<usize>) -> Result<(Tensor, Tensor), DataError> {
        match &self.store {
            Store::Resident(images) => {
                Ok(images.evaluation_batch(places.start as i64, places.len() as i64)?)
            }
            Store::Host(images) => {
                let indices: Vec<u32> = places.map(|index| index as u32).collect();
                let placements =
                    centre(self.crop, self.input).map(|centre| vec![centre; indices.len()]);
                images.batch(&indices, placements.as_deref())
            }
        }
    }
}

/// The order of the training images in an epoch: a permutation of `0..len` determined by `seed` and
/// `epoch`.
fn epoch_order(seed: u64, epoch: u64, len: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..len as u32).collect();
    order.shuffle(
        &mut Draw {
            seed,
            epoch,
            batch: 0,
        }
        .rng(RandomStream::Order),
    );
    order
}

#[cfg(test)]
mod tests;

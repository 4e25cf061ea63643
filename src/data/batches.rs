//! Batches of images as tensors: normalised or whitened, cropped, mirrored and shuffled, by seed.

use rand::seq::SliceRandom;
use tch::{Device, Kind, Tensor};

use super::Images;
use super::augment::{Conversion, Draw, Layout, Placement, Purpose, Ready, Scratch, Table, Writer, placements};
use super::error::DataError;
use super::preparation::{Normalizer, Preparation};
use super::whiten::Whitening;
use crate::config::Crop;

/// Images and labels for a device. Pixels stay uint8; a batch is converted when it is asked for.
#[derive(Debug)]
pub struct DeviceDataset {
    store: Store,
    /// Where batches come out.
    device: Device,
    labels: Vec<i64>,
    layout: Layout,
    input: [usize; 3],
    crop: Crop,
    flip: bool,
}

#[derive(Debug)]
enum Store {
    /// One pass in Rust per batch: on the CPU several times as fast as the same in tensor operations.
    Host { pixels: Vec<u8>, normalizer: HostNormalizer },
    /// Batched tensor operations on the device: pixels `[N, C, H, W]` uint8, labels `[N]` int64.
    Device { pixels: Tensor, labels: Tensor, normalizer: DeviceNormalizer },
}

#[derive(Debug)]
enum HostNormalizer {
    Table(Table),
    Whitening(Whitening),
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

impl DeviceDataset {
    /// Put images on a device. Batches come in `layout`.
    ///
    /// # Errors
    /// What libtorch says, for instance when the device's memory does not suffice.
    pub fn new(images: Images, preparation: &Preparation, device: Device, layout: Layout) -> Result<Self, DataError> {
        match device {
            Device::Cpu => Self::on_host(images, preparation, device, layout),
            device => Self::on_device(images, preparation, device, layout),
        }
    }

    /// Keep images in the host's memory and move each batch to `device`: for those that its memory does not hold.
    ///
    /// # Errors
    /// What libtorch says.
    pub fn on_host(images: Images, preparation: &Preparation, device: Device, layout: Layout) -> Result<Self, DataError> {
        let normalizer = match &preparation.normalizer {
            Normalizer::Standard { mean, std } => HostNormalizer::Table(Table::new(mean, std)),
            Normalizer::Whitening(whitening) => HostNormalizer::Whitening(whitening.to_device(Device::Cpu)?),
        };
        let labels = images.labels.iter().map(|&label| i64::from(label)).collect();
        Ok(Self::from_store(Store::Host { pixels: images.pixels, normalizer }, device, labels, preparation, layout))
    }

    fn on_device(images: Images, preparation: &Preparation, device: Device, layout: Layout) -> Result<Self, DataError> {
        let [channels, height, width] = preparation.input.map(|size| size as i64);
        let normalizer = match &preparation.normalizer {
            Normalizer::Standard { mean, std } => {
                let column = |values: &[f32]| Tensor::f_from_slice(values)?.f_view([channels, 1, 1])?.f_to_device(device);
                DeviceNormalizer::Standard { mean: column(mean)?, std: column(std)? }
            }
            Normalizer::Whitening(whitening) => DeviceNormalizer::Whitening(whitening.to_device(device)?),
        };
        let host_labels: Vec<i64> = images.labels.iter().map(|&label| i64::from(label)).collect();
        let pixels = Tensor::f_from_slice(&images.pixels)?.f_view([-1, channels, height, width])?.f_to_device(device)?;
        let labels = Tensor::f_from_slice(&host_labels)?.f_to_device(device)?;
        Ok(Self::from_store(Store::Device { pixels, labels, normalizer }, device, host_labels, preparation, layout))
    }

    fn from_store(store: Store, device: Device, labels: Vec<i64>, preparation: &Preparation, layout: Layout) -> Self {
        let &Preparation { input, crop, flip, .. } = preparation;
        DeviceDataset { store, device, labels, layout, input, crop, flip }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Labels in the order of the images, on the host.
    pub fn labels(&self) -> &[i64] {
        &self.labels
    }

    /// The images at `indices`: f32 `[B, C, H, W]` (in the data set's layout) and int64 `[B]`. With a draw they are cropped
    /// and mirrored at random (training), without one they are left whole (evaluation).
    ///
    /// # Errors
    /// What libtorch says. Indices must be below [`DeviceDataset::len`].
    pub fn batch(&self, indices: &[u32], draw: Option<Draw>) -> Result<(Tensor, Tensor), DataError> {
        let augmented = draw.filter(|_| self.flip || self.crop != Crop::None);
        let placements = augmented.map(|draw| placements(self.crop, self.flip, self.input, draw, indices.len()));
        match &self.store {
            Store::Host { pixels, normalizer } => {
                let (images, labels) = self.host_batch(pixels, normalizer, indices, placements.as_deref())?;
                Ok((images.f_to_device(self.device)?, labels.f_to_device(self.device)?))
            }
            Store::Device { pixels, labels, normalizer } => {
                let chosen: Vec<i64> = indices.iter().map(|&index| i64::from(index)).collect();
                let chosen = Tensor::f_from_slice(&chosen)?.f_to_device(pixels.device())?;
                let raw = pixels.f_index_select(0, &chosen)?;
                let images = self.prepare_on_device(raw, normalizer, placements.as_deref())?;
                Ok((images, labels.f_index_select(0, &chosen)?))
            }
        }
    }

    /// Batches of one epoch of training: every image once, in the order that (`seed`, `epoch`) give. The last batch may be
    /// smaller.
    pub fn training_batches(
        &self,
        batch_size: usize,
        seed: u64,
        epoch: u64,
    ) -> impl ExactSizeIterator<Item = Result<(Tensor, Tensor), DataError>> + '_ {
        let order = epoch_order(seed, epoch, self.len());
        (0..self.len().div_ceil(batch_size.max(1))).map(move |batch| self.training_batch(&order, batch_size, seed, epoch, batch))
    }

    /// One of the [`DeviceDataset::training_batches`], from 0: `order` is the epoch's [`epoch_order`].
    ///
    /// # Errors
    /// What libtorch says.
    pub fn training_batch(
        &self,
        order: &[u32],
        batch_size: usize,
        seed: u64,
        epoch: u64,
        batch: usize,
    ) -> Result<(Tensor, Tensor), DataError> {
        let start = (batch * batch_size.max(1)).min(order.len());
        let indices = &order[start..order.len().min(start + batch_size.max(1))];
        self.batch(indices, Some(Draw { seed, epoch, batch: batch as u64 }))
    }

    /// Every image once, whole and in order.
    pub fn evaluation_batches(&self, batch_size: usize) -> impl ExactSizeIterator<Item = Result<(Tensor, Tensor), DataError>> + '_ {
        let size = batch_size.max(1);
        (0..self.len().div_ceil(size)).map(move |batch| {
            let indices: Vec<u32> = (batch * size..self.len().min((batch + 1) * size)).map(|index| index as u32).collect();
            self.batch(&indices, None)
        })
    }

    fn host_batch(
        &self,
        pixels: &[u8],
        normalizer: &HostNormalizer,
        indices: &[u32],
        placements: Option<&[Placement]>,
    ) -> Result<(Tensor, Tensor), DataError> {
        let size: usize = self.input.iter().product();
        let labels: Vec<i64> = indices.iter().map(|&index| self.labels[index as usize]).collect();
        let image = |index: u32| &pixels[index as usize * size..][..size];
        let images = match normalizer {
            HostNormalizer::Table(table) => self.write(table, indices.iter().map(|&index| image(index)), placements)?,
            HostNormalizer::Whitening(whitening) => {
                let raw: Vec<u8> = indices.iter().flat_map(|&index| image(index)).copied().collect();
                let rows = Tensor::f_from_slice(&raw)?.f_view([-1, size as i64])?.f_to_kind(Kind::Float)?.f_div_scalar(255.0)?;
                let whitened = whitening.apply(&rows)?.f_contiguous()?;
                self.write(&Ready, floats(&whitened).chunks_exact(size), placements)?
            }
        };
        Ok((images, Tensor::f_from_slice(&labels)?))
    }

    /// Convert, crop and mirror images straight into the memory of a new tensor.
    fn write<'p, C: Conversion>(
        &self,
        conversion: &C,
        images: impl ExactSizeIterator<Item = &'p [C::Pixel]>,
        placements: Option<&[Placement]>,
    ) -> Result<Tensor, DataError>
    where
        C::Pixel: 'p,
    {
        let [channels, height, width] = self.input;
        let [c, h, w] = self.input.map(|size| size as i64);
        let shape = match self.layout {
            Layout::Contiguous => [images.len() as i64, c, h, w],
            Layout::ChannelsLast => [images.len() as i64, h, w, c],
        };
        let mut batch = Tensor::f_zeros(shape, (Kind::Float, Device::Cpu))?;
        let writer = Writer { conversion, shape: self.input, layout: self.layout, crop: self.crop };
        let mut scratch = Scratch::default();
        let targets = floats_mut(&mut batch).chunks_exact_mut(channels * height * width);
        for (index, (image, target)) in images.zip(targets).enumerate() {
            writer.write(image, placements.map(|placements| placements[index]), &mut scratch, target);
        }
        match self.layout {
            Layout::Contiguous => Ok(batch),
            Layout::ChannelsLast => Ok(batch.f_permute([0, 3, 1, 2])?),
        }
    }

    /// The same as [`DeviceDataset::write`] in tensor operations, from raw pixels `[B, C, H, W]` uint8.
    fn prepare_on_device(
        &self,
        raw: Tensor,
        normalizer: &DeviceNormalizer,
        placements: Option<&[Placement]>,
    ) -> Result<Tensor, tch::TchError> {
        let Some(placements) = placements else {
            return self.in_layout(normalize(&raw, normalizer)?);
        };
        let images = match (self.crop, normalizer) {
            (Crop::None, _) => self.crop_on_device(&normalize(&raw, normalizer)?, placements)?,
            (Crop::Upsample(side), _) => {
                let side = side as i64;
                let enlarged = normalize(&raw, normalizer)?.f_upsample_bilinear2d([side, side], false, None, None)?;
                self.crop_on_device(&enlarged, placements)?
            }
            // Padded before it is normalised, with black; whitened images after, with the mean image.
            (Crop::Pad(margin), DeviceNormalizer::Standard { .. }) => {
                normalize(&self.crop_on_device(&padded(&raw, margin)?, placements)?, normalizer)?
            }
            (Crop::Pad(margin), DeviceNormalizer::Whitening(_)) => {
                self.crop_on_device(&padded(&normalize(&raw, normalizer)?, margin)?, placements)?
            }
        };
        self.in_layout(images)
    }

    /// Crop and mirror each image by its placement with one gather. The result is channels-last in memory.
    fn crop_on_device(&self, images: &Tensor, placements: &[Placement]) -> Result<Tensor, tch::TchError> {
        let [_, height, width] = self.input;
        let count = placements.len() as i64;
        let rows: Vec<i64> = placements.iter().flat_map(|place| (0..height).map(|y| (place.top + y) as i64)).collect();
        let column = |place: &Placement, x: usize| (place.left + if place.flip { width - 1 - x } else { x }) as i64;
        let columns: Vec<i64> = placements.iter().flat_map(|place| (0..width).map(move |x| column(place, x))).collect();
        let device = images.device();
        let rows = Tensor::f_from_slice(&rows)?.f_view([count, height as i64, 1])?.f_to_device(device)?;
        let columns = Tensor::f_from_slice(&columns)?.f_view([count, 1, width as i64])?.f_to_device(device)?;
        let image = Tensor::f_arange(count, (Kind::Int64, device))?.f_view([count, 1, 1])?;
        images.f_index(&[Some(image), None, Some(rows), Some(columns)])?.f_permute([0, 3, 1, 2])
    }

    fn in_layout(&self, images: Tensor) -> Result<Tensor, tch::TchError> {
        match self.layout {
            Layout::Contiguous => images.f_contiguous(),
            Layout::ChannelsLast => images.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2]),
        }
    }
}

fn normalize(raw: &Tensor, normalizer: &DeviceNormalizer) -> Result<Tensor, tch::TchError> {
    let scaled = raw.f_to_kind(Kind::Float)?.f_div_scalar(255.0)?;
    match normalizer {
        DeviceNormalizer::Standard { mean, std } => scaled.f_sub(mean)?.f_div(std),
        DeviceNormalizer::Whitening(whitening) => whitening.apply(&scaled.f_flatten(1, -1)?)?.f_view_as(&scaled),
    }
}

fn padded(images: &Tensor, margin: usize) -> Result<Tensor, tch::TchError> {
    images.f_constant_pad_nd([margin as i64; 4])
}

/// The order of the training images in an epoch: a permutation of `0..len` that (`seed`, `epoch`) give.
pub fn epoch_order(seed: u64, epoch: u64, len: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..len as u32).collect();
    order.shuffle(&mut Draw { seed, epoch, batch: 0 }.rng(Purpose::Order));
    order
}

fn floats(tensor: &Tensor) -> &[f32] {
    assert!(tensor.kind() == Kind::Float && tensor.device() == Device::Cpu && tensor.is_contiguous());
    // SAFETY: a contiguous f32 tensor on the CPU is `numel` initialised f32 in a row, alive as long as `tensor`.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast::<f32>(), tensor.numel()) }
}

fn floats_mut(tensor: &mut Tensor) -> &mut [f32] {
    assert!(tensor.kind() == Kind::Float && tensor.device() == Device::Cpu && tensor.is_contiguous());
    // SAFETY: as in `floats`; the tensor is new and nothing else views its memory while it is borrowed mutably.
    unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast::<f32>(), tensor.numel()) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::data::preparation::cifar10;

    /// What torchvision makes of five images (tests/fixtures/make_batches.py).
    fn fixture() -> HashMap<String, Tensor> {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/batches.safetensors");
        Tensor::read_safetensors(file).unwrap().into_iter().collect()
    }

    fn images(tensor: &Tensor) -> Images {
        let pixels = Vec::<u8>::try_from(tensor.flatten(0, -1)).unwrap();
        Images { pixels, labels: (0..tensor.size()[0] as u16).collect() }
    }

    fn fixture_placements(fixture: &HashMap<String, Tensor>) -> Vec<Placement> {
        let rows = Vec::<Vec<i64>>::try_from(&fixture["placements"]).unwrap();
        rows.iter().map(|row| Placement { top: row[0] as usize, left: row[1] as usize, flip: row[2] == 1 }).collect()
    }

    fn cifar_preparation(input: [usize; 3], crop: Crop) -> Preparation {
        Preparation { normalizer: cifar10(), input, crop, flip: true }
    }

    /// Both ways to make a batch, in both layouts, on the CPU.
    fn ways(images: &Images, preparation: &Preparation) -> Vec<DeviceDataset> {
        let mut ways = Vec::new();
        for layout in [Layout::Contiguous, Layout::ChannelsLast] {
            ways.push(DeviceDataset::on_host(images.clone(), preparation, Device::Cpu, layout).unwrap());
            ways.push(DeviceDataset::on_device(images.clone(), preparation, Device::Cpu, layout).unwrap());
        }
        ways
    }

    fn placed(data: &DeviceDataset, placements: &[Placement]) -> Tensor {
        let all: Vec<u32> = (0..data.len() as u32).collect();
        match &data.store {
            Store::Host { pixels, normalizer } => data.host_batch(pixels, normalizer, &all, Some(placements)).unwrap().0,
            Store::Device { pixels, normalizer, .. } => {
                data.prepare_on_device(pixels.shallow_clone(), normalizer, Some(placements)).unwrap()
            }
        }
    }

    fn difference(one: &Tensor, other: &Tensor) -> f64 {
        assert_eq!(one.size(), other.size());
        (one - other).abs().max().double_value(&[])
    }

    #[test]
    fn whole_images_are_bit_for_bit_what_torchvision_makes() {
        let fixture = fixture();
        for data in ways(&images(&fixture["raw"]), &cifar_preparation([3, 8, 8], Crop::Pad(2))) {
            let (batch, labels) = data.batch(&[0, 1, 2, 3, 4], None).unwrap();
            assert_eq!(batch, fixture["whole"], "{:?}", data.layout);
            assert_eq!(Vec::<i64>::try_from(labels).unwrap(), [0, 1, 2, 3, 4]);
        }
    }

    #[test]
    fn padded_crops_and_flips_are_bit_for_bit_those_of_torchvision() {
        let fixture = fixture();
        for data in ways(&images(&fixture["raw"]), &cifar_preparation([3, 8, 8], Crop::Pad(2))) {
            assert_eq!(placed(&data, &fixture_placements(&fixture)), fixture["padded"], "{:?}", data.layout);
        }
    }

    #[test]
    fn enlarged_crops_agree_with_pytorchs_interpolation() {
        let fixture = fixture();
        for data in ways(&images(&fixture["raw"]), &cifar_preparation([3, 8, 8], Crop::Upsample(12))) {
            let difference = difference(&placed(&data, &fixture_placements(&fixture)), &fixture["upsampled"]);
            assert!(difference < 1e-6, "{difference}");
        }
    }

    #[test]
    fn whitening_agrees_with_double_precision() {
        let fixture = fixture();
        let train = images(&fixture["zca_train"]);
        let normalizer = Normalizer::Whitening(Whitening::fit(&train).unwrap());
        let preparation = Preparation { normalizer, input: [1, 4, 4], crop: Crop::None, flip: false };
        let all: Vec<u32> = (0..300).collect();
        for data in ways(&train, &preparation) {
            let difference = difference(&data.batch(&all, None).unwrap().0, &fixture["zca_whitened"]);
            assert!(difference < 2e-5, "{difference}");
        }
    }

    #[test]
    fn both_ways_draw_the_same_batches_for_every_setting() {
        let fixture = fixture();
        let raw = images(&fixture["raw"]);
        let whitening = || Normalizer::Whitening(Whitening::fit(&raw).unwrap());
        for crop in [Crop::None, Crop::Pad(3), Crop::Upsample(11)] {
            for preparation in
                [cifar_preparation([3, 8, 8], crop), Preparation { normalizer: whitening(), ..cifar_preparation([3, 8, 8], crop) }]
            {
                let draw = Draw { seed: 3, epoch: 1, batch: 0 };
                let batches: Vec<Tensor> =
                    ways(&raw, &preparation).iter().map(|data| data.batch(&[4, 0, 2, 2], Some(draw)).unwrap().0).collect();
                for other in &batches[1..] {
                    assert!(difference(&batches[0], other) < 2e-5, "{preparation:?}");
                }
            }
        }
    }

    #[test]
    fn channels_last_is_the_order_in_memory() {
        let fixture = fixture();
        for data in ways(&images(&fixture["raw"]), &cifar_preparation([3, 8, 8], Crop::Pad(2))) {
            for draw in [None, Some(Draw { seed: 0, epoch: 0, batch: 0 })] {
                let stride = data.batch(&[0, 1], draw).unwrap().0.stride();
                let expected = if data.layout == Layout::ChannelsLast { [192, 1, 24, 3] } else { [192, 64, 8, 1] };
                assert_eq!(stride, expected);
            }
        }
    }

    #[test]
    fn an_epoch_shows_every_image_once_in_an_order_of_its_own() {
        let first = epoch_order(1, 1, 1_000);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1_000).collect::<Vec<u32>>());
        assert_eq!(first, epoch_order(1, 1, 1_000));
        assert_ne!(first, epoch_order(1, 2, 1_000));
        assert_ne!(first, epoch_order(2, 1, 1_000));
    }

    #[test]
    fn batches_of_an_epoch_cover_the_set_and_the_last_may_be_smaller() {
        let fixture = fixture();
        let data = &ways(&images(&fixture["raw"]), &cifar_preparation([3, 8, 8], Crop::Pad(2)))[0];
        let labels = |batches: Vec<Result<(Tensor, Tensor), DataError>>| -> Vec<Vec<i64>> {
            batches.into_iter().map(|batch| Vec::try_from(batch.unwrap().1).unwrap()).collect()
        };
        assert_eq!(labels(data.evaluation_batches(2).collect()), [vec![0, 1], vec![2, 3], vec![4]]);
        let mut all = labels(data.training_batches(2, 9, 1).collect()).concat();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4]);
    }

    /// `cargo test --release -- --ignored --nocapture cost_of` prints what docs/PERFORMANCE.md quotes.
    #[test]
    #[ignore = "a measurement, not a check"]
    fn cost_of_a_batch_of_128_images_of_3x32x32() {
        let pixels: Vec<u8> = (0..2_000 * 3_072).map(|index| (index * 31 % 251) as u8).collect();
        let raw = Images { pixels, labels: vec![0; 2_000] };
        for crop in [Crop::None, Crop::Pad(4), Crop::Upsample(40)] {
            for data in ways(&raw, &cifar_preparation([3, 32, 32], crop)) {
                let batches = || data.training_batches(125, 1, 1).for_each(|batch| drop(batch.unwrap()));
                batches();
                let start = std::time::Instant::now();
                (0..10).for_each(|_| batches());
                let way = if matches!(data.store, Store::Host { .. }) { "one pass" } else { "tensor operations" };
                println!("{crop:?} {:?} {way}: {:.3} ms", data.layout, start.elapsed().as_secs_f64() * 1e3 / 160.0 * 128.0 / 125.0);
            }
        }
    }
}

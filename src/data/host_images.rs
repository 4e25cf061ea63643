//! Images in host memory, and batches made from them in one pass.

use tch::{Device, Kind, Tensor};

use super::Images;
use super::augment::{Conversion, CropPlace, Layout, Normalized, Scratch, Whitened, Writer};
use super::error::DataError;
use super::preparation::{Normalizer, Preparation};
use super::whiten::Whitening;
use crate::config::Crop;

/// Raw pixels and labels, with the conversion to a network's input.
#[derive(Debug)]
pub(super) struct HostImages {
    images: Images,
    normalizer: HostNormalizer,
    /// The device that batches are delivered on.
    device: Device,
    layout: Layout,
    input: [usize; 3],
    crop: Crop,
}

#[derive(Debug)]
enum HostNormalizer {
    Table(Normalized),
    Whitening(Whitening),
}

impl HostImages {
    pub(super) fn new(
        images: Images,
        preparation: &Preparation,
        device: Device,
        layout: Layout,
    ) -> Result<Self, DataError> {
        let normalizer = match &preparation.normalizer {
            Normalizer::Standard { mean, std } => HostNormalizer::Table(Normalized::new(mean, std)),
            Normalizer::Whitening(whitening) => {
                HostNormalizer::Whitening(whitening.to_device(Device::Cpu)?)
            }
        };
        let &Preparation { input, crop, .. } = preparation;
        Ok(HostImages {
            images,
            normalizer,
            device,
            layout,
            input,
            crop,
        })
    }

    /// The device that batches are delivered on.
    pub(super) fn device(&self) -> Device {
        self.device
    }

    /// The images at `indices`, f32 `[B, C, H, W]`, and their labels, int64 `[B]`; without
    /// placements the images are left whole.
    pub fn batch(
        &self,
        indices: &[u32],
        placements: Option<&[CropPlace]>,
    ) -> Result<(Tensor, Tensor), DataError> {
        let size: usize = self.input.iter().product();
        let image = |index: u32| &self.images.pixels[index as usize * size..][..size];
        let images = match &self.normalizer {
            HostNormalizer::Table(table) => {
                self.write(table, indices.iter().map(|&index| image(index)), placements)?
            }
            HostNormalizer::Whitening(whitening) => {
                let raw: Vec<u8> = indices
                    .iter()
                    .flat_map(|&index| image(index))
                    .copied()
                    .collect();
                let rows = Tensor::f_from_slice(&raw)?
                    .f_view([-1, size as i64])?
                    .f_to_kind(Kind::Float)?
                    .f_div_scalar(255.0)?;
                let whitened = whitening.apply(&rows)?.f_contiguous()?;
                self.write(&Whitened, floats(&whitened).chunks_exact(size), placements)?
            }
        };
        let labels: Vec<i64> = indices
            .iter()
            .map(|&index| i64::from(self.images.labels[index as usize]))
            .collect();
        Ok((
            images.f_to_device(self.device)?,
            Tensor::f_from_slice(&labels)?.f_to_device(self.device)?,
        ))
    }

    /// Convert, crop and mirror images directly into the memory of a new tensor.
    fn write<'p, C: Conversion>(
        &self,
        conversion: &C,
        images: impl ExactSizeIterator<Item = &'p [C::Pixel]>,
        placements: Option<&[CropPlace]>,
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
        let writer = Writer {
            conversion,
            shape: self.input,
            layout: self.layout,
            crop: self.crop,
        };
        let mut scratch = Scratch::default();
        let targets = floats_mut(&mut batch).chunks_exact_mut(channels * height * width);
        for (index, (image, target)) in images.zip(targets).enumerate() {
            writer.write(
                image,
                placements.map(|placements| placements[index]),
                &mut scratch,
                target,
            );
        }
        match self.layout {
            Layout::Contiguous => Ok(batch),
            Layout::ChannelsLast => Ok(batch.f_permute([0, 3, 1, 2])?),
        }
    }
}

fn floats(tensor: &Tensor) -> &[f32] {
    assert!(
        tensor.kind() == Kind::Float && tensor.device() == Device::Cpu && tensor.is_contiguous()
    );
    // SAFETY: a contiguous f32 tensor on the CPU is `numel` initialised consecutive f32, which live
    // as long as `tensor`.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast::<f32>(), tensor.numel()) }
}

fn floats_mut(tensor: &mut Tensor) -> &mut [f32] {
    assert!(
        tensor.kind() == Kind::Float && tensor.device() == Device::Cpu && tensor.is_contiguous()
    );
    // SAFETY: as in `floats`; the tensor is new and nothing else views its memory while it is
    // mutably borrowed.
    unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast::<f32>(), tensor.numel()) }
}

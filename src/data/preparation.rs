//! How raw pixels become a network's input: normalised or whitened, cropped, mirrored and cut out.

use tch::Device;

use super::whiten::Whitening;
use super::{DataError, Dataset, Images};
use crate::config::{Crop, DataConfig, DataSource, Flip, Normalization};

/// Published mean and standard deviation of each channel of CIFAR-10's training images, with pixels
/// in 0..=1.
const CIFAR10_MEAN: [f32; 3] = [0.4914, 0.4822, 0.4465];
const CIFAR10_STD: [f32; 3] = [0.2470, 0.2435, 0.2616];

/// The conversion of raw images to a network's input. Fitted once to the training images, applied
/// to all parts.
#[derive(Debug)]
pub struct Preparation {
    pub(super) normalizer: Normalizer,
    /// `[C, H, W]`.
    pub(super) input: [usize; 3],
    pub(super) crop: Crop,
    pub(super) flip: Flip,
    /// Side of the square that is cut out of each training image; 0: none.
    pub(super) cutout: usize,
}

#[derive(Debug)]
pub(super) enum Normalizer {
    /// `(pixel / 255 - mean) / std`, per channel.
    Standard {
        mean: Vec<f32>,
        std: Vec<f32>,
    },
    Whitening(Whitening),
}

impl Preparation {
    /// Fit to the training split of `dataset`: CIFAR-10 has fixed published values, other data
    /// their own mean and standard deviation per channel; whitening is fitted (seconds for 3x32x32)
    /// or taken from the user's cache.
    ///
    /// # Errors
    /// [`DataError::Unusable`] if `data.crop` does not fit the images; errors of libtorch while
    /// fitting.
    pub fn fit(config: &DataConfig, dataset: &Dataset) -> Result<Self, DataError> {
        let [_, height, width] = dataset.input;
        match config.crop {
            Crop::Upsample(side) if side < height.max(width) => {
                return Err(DataError::Unusable(format!(
                    "data.crop: upsample = {side} is smaller than the images ({height}x{width}); use at least {}",
                    height.max(width)
                )));
            }
            Crop::None | Crop::Pad(_) | Crop::Upsample(_) => {}
        }
        if config.cutout > height.min(width) {
            return Err(DataError::Unusable(format!(
                "data.cutout_pixels: {} is more than the images have ({height}x{width})",
                config.cutout
            )));
        }
        let normalizer = match (config.normalization, config.source) {
            (Normalization::Whitening, _) => {
                Normalizer::Whitening(Whitening::fit_cached(&dataset.train, &dataset.fingerprint)?)
            }
            (Normalization::Standard, DataSource::Cifar10 | DataSource::Cifar10_1) => cifar10(),
            (Normalization::Standard, _) => {
                let (mean, std) = channel_statistics(&dataset.train, dataset.input[0]);
                Normalizer::Standard { mean, std }
            }
        };
        Ok(Preparation {
            normalizer,
            input: dataset.input,
            crop: config.crop,
            flip: config.flip,
            cutout: config.cutout,
        })
    }
}

impl Preparation {
    /// The same conversion for images of the shape `input` (`[C, H, W]`), padded and cropped as
    /// `crop` says, from which squares of `cutout` pixels a side are cut out. Whitening stays tied to the
    /// images' own shape.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn for_images(
        &self,
        input: [usize; 3],
        crop: Crop,
        cutout: usize,
    ) -> Result<Preparation, DataError> {
        let normalizer = match &self.normalizer {
            Normalizer::Standard { mean, std } => Normalizer::Standard {
                mean: mean.clone(),
                std: std.clone(),
            },
            Normalizer::Whitening(whitening) => {
                Normalizer::Whitening(whitening.to_device(Device::Cpu)?)
            }
        };
        Ok(Preparation {
            normalizer,
            input,
            crop,
            flip: self.flip,
            cutout,
        })
    }

    /// Side of the square that is cut out of each training image; 0: none.
    pub fn cutout(&self) -> usize {
        self.cutout
    }

    /// Shape `[C, H, W]` of the images, and how they are padded and cropped.
    pub fn shape(&self) -> ([usize; 3], Crop) {
        (self.input, self.crop)
    }
}

/// The published values of CIFAR-10.
pub(super) fn cifar10() -> Normalizer {
    Normalizer::Standard {
        mean: CIFAR10_MEAN.to_vec(),
        std: CIFAR10_STD.to_vec(),
    }
}

/// Mean and (population) standard deviation of each channel, with pixels in 0..=1. A constant
/// channel gets a deviation of 1.
fn channel_statistics(images: &Images, channels: usize) -> (Vec<f32>, Vec<f32>) {
    let plane = images.image_bytes() / channels.max(1);
    let mut histograms = vec![[0u64; 256]; channels];
    for (index, pixels) in images.pixels.chunks_exact(plane.max(1)).enumerate() {
        let histogram = &mut histograms[index % channels];
        pixels
            .iter()
            .for_each(|&pixel| histogram[usize::from(pixel)] += 1);
    }
    let statistics = |histogram: &[u64; 256]| {
        let count = histogram.iter().sum::<u64>().max(1) as f64;
        let moment = |power: i32| -> f64 {
            let terms = histogram
                .iter()
                .enumerate()
                .map(|(value, &times)| (value as f64 / 255.0).powi(power) * times as f64);
            terms.sum::<f64>() / count
        };
        let mean = moment(1);
        let std = (moment(2) - mean * mean).max(0.0).sqrt();
        (mean as f32, if std > 0.0 { std as f32 } else { 1.0 })
    };
    histograms.iter().map(statistics).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_statistics_are_those_of_the_pixels() {
        let images = Images {
            pixels: vec![0, 255, 10, 10, 0, 255, 10, 10],
            labels: vec![0, 0],
        };
        let (mean, std) = channel_statistics(&images, 2);
        assert_eq!(mean, [0.5, 10.0 / 255.0]);
        assert_eq!(std, [0.5, 1.0], "a constant channel is not divided by zero");
    }
}

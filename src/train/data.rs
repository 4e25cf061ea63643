//! The images that a worker trains on, ready on its device.

use tch::Device;

use crate::config::{Crop, DataConfig, Stage};
use crate::data::{DataError, Dataset, DeviceDataset, Images, Layout, Preparation};
use crate::event::DataDescription;
use crate::space::Architecture;
use crate::train::TrainError;

/// Training and validation images for one device, prepared once for all children.
#[derive(Debug)]
pub struct TrainingData {
    /// Images to train on.
    pub train: DeviceDataset,
    /// Images to validate on.
    pub validation: DeviceDataset,
    /// The description of the data set for the journal.
    pub description: DataDescription,
    /// The preparation fitted to the training images, which also applies to test images.
    pub preparation: Preparation,
    /// The device that networks are trained on.
    pub device: Device,
}

/// Images as they were read, from which the training data of each size are made.
#[derive(Debug)]
pub struct TrainingImages {
    train: Images,
    validation: Images,
    description: DataDescription,
    preparation: Preparation,
    device: Device,
    resident: bool,
}

impl TrainingImages {
    /// Fit the preparation to the training images, for data on `device` or, if they are not
    /// `resident`, copied there batch by batch.
    ///
    /// # Errors
    /// Those of [`Preparation::fit`].
    pub fn new(
        dataset: Dataset,
        config: &DataConfig,
        device: Device,
        resident: bool,
    ) -> Result<TrainingImages, DataError> {
        let preparation = Preparation::fit(config, &dataset)?;
        Ok(TrainingImages {
            description: dataset.description(),
            train: dataset.train,
            validation: dataset.validation,
            preparation,
            device,
            resident,
        })
    }

    /// The device that networks are trained on.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The data of a stage, or of a training without stages. Whole images are handed over, not
    /// copied: no smaller ones can be made after them.
    ///
    /// # Errors
    /// Those of [`DeviceDataset::new`].
    pub fn data(&mut self, stage: Option<&Stage>) -> Result<TrainingData, DataError> {
        let (whole, mut crop) = self.preparation.shape();
        let (mut input, mut cutout) = (whole, self.preparation.cutout());
        if let Some(stage) = stage {
            input = [whole[0], stage.size, stage.size];
            crop = match stage.crop_pixels {
                0 => Crop::None,
                pixels => Crop::Pad(pixels),
            };
            cutout = stage.cutout_pixels;
        }
        let of_size = |images: &mut Images| match stage {
            Some(stage) if input != whole => images.resized(whole, stage.size),
            _ => std::mem::take(images),
        };
        let preparation = self.preparation.for_images(input, crop, cutout)?;
        // The best order for most networks; the few others rearrange each batch, which is small.
        let layout = Layout::ChannelsLast;
        let put = if self.resident {
            DeviceDataset::new
        } else {
            DeviceDataset::on_host
        };
        let train = of_size(&mut self.train);
        let train = put(train, &preparation, self.device, layout)?;
        let validation = of_size(&mut self.validation);
        let validation = put(validation, &preparation, self.device, layout)?;
        Ok(TrainingData {
            train,
            validation,
            description: self.description.clone(),
            preparation,
            device: self.device,
        })
    }

    /// Reject a network that cannot be built or does not fit these images.
    ///
    /// # Errors
    ///
    /// [`TrainError::Unbuildable`], [`TrainError::Mismatch`].
    pub fn check(&self, architecture: &Architecture) -> Result<(), TrainError> {
        check(&self.description, architecture)
    }
}

impl TrainingData {
    /// Fit the preparation to the training images and put both parts on `device` or, if they are
    /// not `resident`, copy them there batch by batch. The latter also happens if the device's
    /// memory is too small, see [`TrainingData::kept_on_host`].
    ///
    /// # Errors
    /// Those of [`Preparation::fit`] and [`DeviceDataset::new`].
    pub fn new(
        dataset: Dataset,
        config: &DataConfig,
        device: Device,
        resident: bool,
    ) -> Result<TrainingData, DataError> {
        TrainingImages::new(dataset, config, device, resident)?.data(None)
    }

    /// Reject a network that cannot be built or does not fit these images.
    ///
    /// # Errors
    ///
    /// [`TrainError::Unbuildable`], [`TrainError::Mismatch`].
    pub fn check(&self, architecture: &Architecture) -> Result<(), TrainError> {
        check(&self.description, architecture)
    }

    /// Bytes of the images of both parts.
    pub fn bytes(&self) -> u64 {
        let pixels: usize = self.preparation.shape().0.iter().product();
        ((self.train.len() + self.validation.len()) * pixels) as u64
    }

    /// A warning if images that were meant for the device have stayed on the host.
    pub fn kept_on_host(&self) -> Option<String> {
        let kept = self.train.is_on_host() || self.validation.is_on_host();
        (self.device.is_cuda() && kept).then(|| {
            "the device's memory is too small for the images: they stay in host memory and each batch is copied, which is slower"
                .to_owned()
        })
    }
}

fn check(data: &DataDescription, architecture: &Architecture) -> Result<(), TrainError> {
    architecture.check()?;
    let (data, data_classes) = data.shape();
    let (network, network_classes) = (architecture.input, architecture.classes);
    if (network, network_classes) == (data, data_classes) {
        Ok(())
    } else {
        Err(TrainError::Mismatch {
            network,
            network_classes,
            data,
            data_classes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, resolve};
    use crate::data;

    #[test]
    fn the_data_of_a_stage_have_its_size_in_training_and_validation_and_whole_images_stay_whole() {
        let config = resolve(&Options::default()).unwrap().data;
        let noise = data::noise([3, 8, 8], 4, 6, 2);
        let mut images = TrainingImages::new(noise, &config, Device::Cpu, true).unwrap();
        for size in [4, 6, 8] {
            let stage = Stage {
                epochs: 1,
                size,
                crop_pixels: 1,
                cutout_pixels: size / 2,
            };
            let data = images.data(Some(&stage)).unwrap();
            let shape = |count: i64| [count, 3, size as i64, size as i64];
            let (batch, _) = data
                .train
                .training_epoch(6, 1, 1)
                .unwrap()
                .batch(0)
                .unwrap();
            assert_eq!(batch.size(), shape(6));
            // Noise has no value that is exactly the mean; a quarter of the square at least is inside.
            let covered = f64::try_from(batch.eq(0.0).sum(tch::Kind::Double)).unwrap();
            let quarter = (size / 4 * (size / 4) * 3 * 6) as f64;
            assert!(covered >= quarter, "{covered} of at least {quarter}");
            let mut validation = data.validation.evaluation_batches(2);
            let (validation, _) = validation.next().unwrap().unwrap();
            assert_eq!(validation.size(), shape(2));
            assert_eq!(i64::try_from(validation.eq(0.0).sum(None)).unwrap(), 0);
            assert_eq!(
                data.preparation.shape(),
                ([3, size, size], Crop::Pad(1)),
                "augmentation is the stage's"
            );
        }
    }

    #[test]
    fn images_are_resized_before_they_are_normalised() {
        let config = resolve(&Options::default()).unwrap().data;
        let noise = data::noise([3, 8, 8], 4, 6, 2);
        let mut images = TrainingImages::new(noise, &config, Device::Cpu, true).unwrap();
        let stage = Stage {
            epochs: 1,
            size: 4,
            crop_pixels: 0,
            cutout_pixels: 0,
        };
        let batch = |data: &TrainingData| {
            let mut batches = data.validation.evaluation_batches(2);
            batches.next().unwrap().unwrap().0
        };
        let small = batch(&images.data(Some(&stage)).unwrap());
        let whole = batch(&images.data(None).unwrap());
        // The mean of normalised pixels, up to the rounding of raw ones (half of 1/255, divided by a
        // standard deviation of about 0.29).
        let mean = whole.avg_pool2d([2, 2], [2, 2], [0, 0], false, true, None::<i64>);
        let off = (small - mean).abs().max().double_value(&[]);
        assert!(off < 0.5 / 255.0 / 0.25, "{off}");
    }
}

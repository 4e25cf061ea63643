//! The images that a worker trains on, ready on its device.

use tch::Device;

use crate::config::DataConfig;
use crate::data::{DataError, Dataset, DeviceDataset, Layout, Preparation};
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
        let preparation = Preparation::fit(config, &dataset)?;
        let description = dataset.description();
        // The best order for most networks; the few others rearrange each batch, which is small.
        let layout = Layout::ChannelsLast;
        let put = if resident {
            DeviceDataset::new
        } else {
            DeviceDataset::on_host
        };
        let train = put(dataset.train, &preparation, device, layout)?;
        let validation = put(dataset.validation, &preparation, device, layout)?;
        Ok(TrainingData {
            train,
            validation,
            description,
            preparation,
            device,
        })
    }

    /// Reject a network that cannot be built or does not fit these images.
    ///
    /// # Errors
    ///
    /// [`TrainError::Unbuildable`], [`TrainError::Mismatch`].
    pub fn check(&self, architecture: &Architecture) -> Result<(), TrainError> {
        architecture.check()?;
        let (data, data_classes) = self.description.shape();
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

    /// A warning if images that were meant for the device have stayed on the host.
    pub fn kept_on_host(&self) -> Option<String> {
        let kept = self.train.is_on_host() || self.validation.is_on_host();
        (self.device.is_cuda() && kept).then(|| {
            "the device's memory is too small for the images: they stay in host memory and each batch is copied, which is slower"
                .to_owned()
        })
    }
}

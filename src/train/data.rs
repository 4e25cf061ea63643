//! The images that a worker trains on, ready on its device.

use tch::Device;

use crate::config::DataConfig;
use crate::data::{DataError, Dataset, DeviceDataset, Layout, Preparation};
use crate::event::DataDescription;

/// Training and validation images on one device, prepared once for all children.
#[derive(Debug)]
pub struct TrainingData {
    /// Images to train on.
    pub train: DeviceDataset,
    /// Images to validate on.
    pub validation: DeviceDataset,
    /// What the journal tells of the data set.
    pub description: DataDescription,
    /// As it was fitted to the training images: for test images too.
    pub preparation: Preparation,
    /// Where networks are trained on them.
    pub device: Device,
}

impl TrainingData {
    /// Fit the preparation to the training images and put both parts on `device`, or, where they
    /// are not `resident`, move batch by batch there. The same happens if the device's memory is
    /// too small, see [`TrainingData::kept_on_host`].
    ///
    /// # Errors
    /// As [`Preparation::fit`] and [`DeviceDataset::new`].
    pub fn new(
        dataset: Dataset,
        config: &DataConfig,
        device: Device,
        resident: bool,
    ) -> Result<TrainingData, DataError> {
        let preparation = Preparation::fit(config, &dataset)?;
        let description = dataset.description();
        // What most networks want; the few others rearrange a batch, which is small.
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

    /// What a user should know where images that were to be on the device have stayed on the host.
    pub fn kept_on_host(&self) -> Option<String> {
        let kept = self.train.is_on_host() || self.validation.is_on_host();
        (self.device.is_cuda() && kept).then(|| {
            "the device's memory did not suffice for the images: they stay in the host's, and each batch is moved, which takes longer"
                .to_owned()
        })
    }
}

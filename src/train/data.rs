//! The images that a worker trains on, ready on its device.

use tch::Device;

use crate::config::DataConfig;
use crate::data::{DataError, Dataset, DeviceDataset, Layout, Preparation};
use crate::event::DataDescription;

/// Training and validation images on one device, prepared once for all children.
#[derive(Debug)]
pub struct TrainingData {
    pub train: DeviceDataset,
    pub validation: DeviceDataset,
    pub description: DataDescription,
    /// As it was fitted to the training images: for test images too.
    pub preparation: Preparation,
    pub device: Device,
}

impl TrainingData {
    /// Fit the preparation to the training images and put both parts on `device`, or, where they are not `resident`, move
    /// batch by batch there.
    ///
    /// # Errors
    /// As [`Preparation::fit`] and [`DeviceDataset::new`].
    pub fn new(dataset: Dataset, config: &DataConfig, device: Device, resident: bool) -> Result<TrainingData, DataError> {
        let preparation = Preparation::fit(config, &dataset)?;
        let description = dataset.description();
        // What most networks want; the few others rearrange a batch, which is small.
        let layout = Layout::ChannelsLast;
        let put = if resident { DeviceDataset::new } else { DeviceDataset::on_host };
        let train = put(dataset.train, &preparation, device, layout)?;
        let validation = put(dataset.validation, &preparation, device, layout)?;
        Ok(TrainingData { train, validation, description, preparation, device })
    }
}

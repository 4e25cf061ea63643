//! Why a training did not yield an accuracy.

use tch::TchError;

use crate::child::weights::WeightsError;
use crate::data::DataError;
use crate::foundation::fault::{self, Fault};
use crate::foundation::numbers;
use crate::reward::SKIPPED;
use crate::space;

/// Why a child has no accuracy. The text is the reason recorded in the journal.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The architecture cannot be built.
    #[error("the network cannot be built: {0}")]
    Unbuildable(space::ArchitectureError),
    /// The network does not fit the images or classes of the data.
    #[error(
        "the network takes images {network:?} of {network_classes} classes, but the data have {data:?} of {data_classes}"
    )]
    Mismatch {
        /// Image shape that the network expects, `[C, H, W]`.
        network: [usize; 3],
        /// Number of classes of the network.
        network_classes: usize,
        /// Image shape of the data, `[C, H, W]`.
        data: [usize; 3],
        /// Number of classes of the data.
        data_classes: usize,
    },
    /// There is too little memory, according to a calculation before the training.
    #[error(
        "training needs about {} of memory, but {} are available; nothing was allocated",
        numbers::bytes(*needed),
        numbers::bytes(*available)
    )]
    Memory {
        /// Bytes needed for training.
        needed: u64,
        /// Bytes available.
        available: u64,
    },
    /// The loss is infinite or NaN.
    #[error("diverged: the loss is {loss} at epoch {epoch}, batch {batch}")]
    Diverged {
        /// Number of the epoch, from 1.
        epoch: usize,
        /// Number of the batch, from 1.
        batch: usize,
        /// The loss.
        loss: f64,
    },
    /// Memory ran out. The same may succeed with fewer images at a time, or when other processes
    /// have freed their memory.
    #[error("memory did not suffice: {0}")]
    OutOfMemory(String),
    /// This process can no longer use its device.
    #[error("the device failed: {0}")]
    DeviceLost(String),
    /// Another error of libtorch.
    #[error("libtorch failed: {0}")]
    Torch(String),
    /// An image could not be read or prepared.
    #[error("a batch could not be prepared: {0}")]
    Data(DataError),
    /// A user ended it before the end of its first epoch.
    #[error("{SKIPPED}")]
    Skipped,
    /// The control ended the training, which is not an outcome of the child.
    #[error("{0:#}")]
    Stopped(anyhow::Error),
}

impl From<space::ArchitectureError> for TrainError {
    fn from(error: space::ArchitectureError) -> TrainError {
        TrainError::Unbuildable(error)
    }
}

impl From<TchError> for TrainError {
    fn from(error: TchError) -> TrainError {
        TrainError::of_libtorch(&error.to_string(), TrainError::Torch)
    }
}

impl From<WeightsError> for TrainError {
    fn from(error: WeightsError) -> TrainError {
        match error {
            WeightsError::Torch(text) => TrainError::of_libtorch(&text, TrainError::Torch),
            file => TrainError::Torch(file.to_string()),
        }
    }
}

impl From<DataError> for TrainError {
    fn from(error: DataError) -> TrainError {
        match error {
            DataError::Torch(text) => {
                TrainError::of_libtorch(&text, |text| TrainError::Data(DataError::Torch(text)))
            }
            error => TrainError::Data(error),
        }
    }
}

impl TrainError {
    /// The error for a control that failed: the training error it wraps, or else that it ended the
    /// training.
    pub(super) fn of_control(error: anyhow::Error) -> TrainError {
        error.downcast().unwrap_or_else(TrainError::Stopped)
    }

    /// Run `work`, which calls libtorch. A panic of tch because of memory or a lost device becomes
    /// an error: see [`fault::caught`].
    ///
    /// # Errors
    /// The error of `work`, or the one that its panic means.
    pub fn caught<T>(work: impl FnOnce() -> Result<T, TrainError>) -> Result<T, TrainError> {
        fault::caught(work)
            .unwrap_or_else(|text| Err(TrainError::of_libtorch(&text, TrainError::Torch)))
    }

    /// The meaning of a libtorch error with this text; one that concerns neither memory nor the
    /// device becomes `other`.
    pub fn of_libtorch(text: &str, other: impl FnOnce(String) -> TrainError) -> TrainError {
        match Fault::of(text) {
            Fault::Memory => TrainError::OutOfMemory(fault::memory_sentence(text)),
            Fault::Device => TrainError::DeviceLost(fault::in_words(text)),
            Fault::Other => other(fault::in_words(text)),
        }
    }
}

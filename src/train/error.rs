//! Why a training came to no accuracy.

use tch::TchError;

use super::memory;
use crate::data::DataError;
use crate::foundation::fault::{self, Fault};
use crate::reward::SKIPPED;
use crate::space;

/// Why a child has no accuracy. The text is the reason in the journal.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The architecture is none that can be built.
    #[error("the network cannot be built: {0}")]
    Unbuildable(space::ArchitectureError),
    /// The network is for other images or classes than there are.
    #[error(
        "the network takes images {network:?} of {network_classes} classes, but the data have {data:?} of {data_classes}"
    )]
    Mismatch {
        /// Images that the network takes, `[C, H, W]`.
        network: [usize; 3],
        /// Classes that it tells apart.
        network_classes: usize,
        /// Images of the data, `[C, H, W]`.
        data: [usize; 3],
        /// Classes of the data.
        data_classes: usize,
    },
    /// There is too little memory, as was computed beforehand.
    #[error(
        "training needs about {} of memory, but {} are available; nothing was allocated",
        memory::in_words(*needed),
        memory::in_words(*available)
    )]
    Memory {
        /// Bytes that training needs.
        needed: u64,
        /// Bytes that there are.
        available: u64,
    },
    /// The loss is infinite or no number.
    #[error("diverged: the loss is {loss} at epoch {epoch}, batch {batch}")]
    Diverged {
        /// From 1.
        epoch: usize,
        /// From 1.
        batch: usize,
        /// The loss.
        loss: f64,
    },
    /// The same may succeed with fewer images at a time, or when others have freed their memory.
    #[error("memory did not suffice: {0}")]
    OutOfMemory(String),
    /// This process cannot use its device any more.
    #[error("the device failed: {0}")]
    DeviceLost(String),
    /// What libtorch said.
    #[error("libtorch failed: {0}")]
    Torch(String),
    /// An image could not be read or prepared.
    #[error("a batch could not be prepared: {0}")]
    Data(DataError),
    /// A user ended it before its first epoch had.
    #[error("{SKIPPED}")]
    Skipped,
    /// The control ended the training: not an outcome of the child.
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
    /// An error of a control: what it says of the training, or else that it ended it.
    pub(super) fn of_control(error: anyhow::Error) -> TrainError {
        error.downcast().unwrap_or_else(TrainError::Stopped)
    }

    /// Do something with libtorch. A panic of tch, out of memory or on a lost device, becomes an
    /// error too: see [`fault::caught`].
    pub fn caught<T>(work: impl FnOnce() -> Result<T, TrainError>) -> Result<T, TrainError> {
        fault::caught(work)
            .unwrap_or_else(|text| Err(TrainError::of_libtorch(&text, TrainError::Torch)))
    }

    /// What an error of libtorch with this text means; one that concerns neither memory nor the
    /// device is `other`.
    pub fn of_libtorch(text: &str, other: impl FnOnce(String) -> TrainError) -> TrainError {
        match Fault::of(text) {
            Fault::Memory => TrainError::OutOfMemory(fault::memory_sentence(text)),
            Fault::Device => TrainError::DeviceLost(fault::in_words(text)),
            Fault::Other => other(fault::in_words(text)),
        }
    }
}

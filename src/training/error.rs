//! Why a training cannot begin or continue, besides the errors that any run can have.

use super::initial::InitialError;
use super::stages::StageError;
use crate::child::device::Unusable;
use crate::child::weights::WeightsError;
use crate::classification::ReportError;
use crate::data::DataError;
use crate::session::{SessionError, WorkError};
use crate::space::file::FileError;
use crate::train::TrainError;

/// The message says what, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// The file of the network cannot be read, or does not contain one.
    #[error("the network of the run")]
    Architecture(#[from] FileError),
    /// The data cannot be read, or do not fit.
    #[error(transparent)]
    Data(DataError),
    /// The training cannot begin with the weights that it was given.
    #[error(transparent)]
    Initial(#[from] InitialError),
    /// The recipe's stages do not fit the data or the network.
    #[error(transparent)]
    Stages(#[from] StageError),
    /// The device cannot be used.
    #[error(transparent)]
    Device(#[from] Unusable),
    /// The loss is no longer finite.
    #[error("{0}. A lower learning rate of the recipe may help (recipes.NAME.learning_rate)")]
    Diverged(TrainError),
    /// An illegal access, a memory error of the device, or a failed launch.
    #[error(
        "the device failed: {0}. What was trained up to the last checkpoint is kept: continue with --resume, after a look at the device \
         (`nvidia-smi`, the system's log) if this happens again"
    )]
    DeviceLost(String),
    /// A range test over so few batches would show nothing.
    #[error(
        "a range test needs an epoch of at least {least} batches, but the training images make only {batches}: use more images (data.limit) or \
         a smaller recipes.NAME.batch_size"
    )]
    TooFewBatches {
        /// Batches in the epoch.
        batches: usize,
        /// The least number.
        least: usize,
    },
    /// Any other error of the training loop.
    #[error(transparent)]
    Train(TrainError),
    /// The weights of the best epoch cannot be saved or read.
    #[error("the weights cannot be copied")]
    Weights(#[source] WeightsError),
    /// The network's output for the test images cannot be reported on.
    #[error("the test images cannot be reported on")]
    Report(#[from] ReportError),
}

impl From<TrainError> for TrainingError {
    fn from(error: TrainError) -> TrainingError {
        match error {
            TrainError::Diverged { .. } => TrainingError::Diverged(error),
            TrainError::DeviceLost(reason) => TrainingError::DeviceLost(reason),
            other => TrainingError::Train(other),
        }
    }
}

impl From<tch::TchError> for TrainingError {
    fn from(error: tch::TchError) -> TrainingError {
        TrainError::from(error).into()
    }
}

impl From<DataError> for TrainingError {
    fn from(error: DataError) -> TrainingError {
        match error {
            DataError::Torch(_) => TrainError::from(error).into(),
            error => TrainingError::Data(error),
        }
    }
}

impl From<WeightsError> for TrainingError {
    fn from(error: WeightsError) -> TrainingError {
        match error {
            WeightsError::Torch(text) => TrainError::of_libtorch(&text, TrainError::Torch).into(),
            error => TrainingError::Weights(error),
        }
    }
}

impl From<TrainError> for SessionError {
    fn from(error: TrainError) -> SessionError {
        TrainingError::from(error).into()
    }
}

impl WorkError for TrainingError {
    fn is_bad_input(&self) -> bool {
        match self {
            TrainingError::Train(error) => matches!(
                error,
                TrainError::Unbuildable(_) | TrainError::Mismatch { .. }
            ),
            TrainingError::Architecture(_)
            | TrainingError::Data(_)
            | TrainingError::Stages(_)
            | TrainingError::Initial(_)
            | TrainingError::TooFewBatches { .. }
            | TrainingError::Device(_) => true,
            TrainingError::DeviceLost(_)
            | TrainingError::Diverged(_)
            | TrainingError::Weights(_)
            | TrainingError::Report(_) => false,
        }
    }
}

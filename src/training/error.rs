//! Why a training cannot begin or go on.

use std::io;

use crate::child::device::Unusable;
use crate::child::weights::WeightsError;
use crate::classification::ReportError;
use crate::config::ConfigError;
use crate::data::DataError;
use crate::foundation::sealed::CheckpointError;
use crate::journal::JournalError;
use crate::runs::directory::DirectoryError;
use crate::space::file::FileError;
use crate::train::TrainError;

/// The text says what, where, and what to do. Whatever had been reached is in the run directory.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error("the network of the run")]
    Architecture(#[from] FileError),
    #[error(transparent)]
    Data(DataError),
    /// The device cannot be used.
    #[error(transparent)]
    Device(#[from] Unusable),
    /// Writing to the run directory failed; the text names the file.
    #[error(transparent)]
    Write(#[from] io::Error),
    #[error(
        "the run's settings are not those it was begun with: {}. Undo the change, or begin a new run with it",
        changes.join("; ")
    )]
    OtherSettings { changes: Vec<String> },
    #[error(
        "the data is not what this run was begun with ({now} where it was {then}): restore it (data.dir names its folder), or \
         begin a new run"
    )]
    OtherData { then: String, now: String },
    #[error("{0}. A lower learning rate of the recipe may help (recipes.NAME.learning_rate)")]
    Diverged(TrainError),
    /// An illegal access, a memory error of the device, a launch that failed.
    #[error(
        "the device failed: {0}. What was trained up to the last checkpoint is kept: continue with --resume, after a look at the device \
         (`nvidia-smi`, the system's log) if this happens again"
    )]
    DeviceLost(String),
    #[error(transparent)]
    Train(TrainError),
    #[error("the weights cannot be copied")]
    Weights(#[source] WeightsError),
    #[error("the test images cannot be reported on")]
    Report(#[from] ReportError),
    #[error(
        "the training ended by a fault of its own: {0}. The run can be resumed; please report this"
    )]
    Panicked(String),
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

impl TrainingError {
    /// Whether the user's input (settings, data, network, run directory) is at fault: exit status
    /// 2.
    pub fn is_bad_input(&self) -> bool {
        match self {
            TrainingError::Directory(error) => !matches!(error, DirectoryError::Io { .. }),
            TrainingError::Journal(error) => !matches!(error, JournalError::Io { .. }),
            TrainingError::Train(error) => matches!(
                error,
                TrainError::Unbuildable(_) | TrainError::Mismatch { .. }
            ),
            TrainingError::Config(_)
            | TrainingError::Checkpoint(_)
            | TrainingError::Architecture(_)
            | TrainingError::Data(_)
            | TrainingError::Device(_)
            | TrainingError::OtherSettings { .. }
            | TrainingError::OtherData { .. } => true,
            TrainingError::Write(_)
            | TrainingError::DeviceLost(_)
            | TrainingError::Diverged(_)
            | TrainingError::Weights(_)
            | TrainingError::Report(_)
            | TrainingError::Panicked(_) => false,
        }
    }
}

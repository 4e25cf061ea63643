//! Training: batches, loss, optimiser, validation accuracy after each epoch. `trainer` trains a
//! search's children; `fit` is the step-by-step form that it shares with the training of one
//! network.

mod average;
mod data;
mod device;
mod error;
mod fit;
pub mod memory;
mod metrics;
mod muon;
mod optimizer;
mod schedule;
mod settings;
mod state;
pub(crate) mod tick;
mod trainer;

pub use data::{TrainingData, TrainingImages};
pub use device::synchronize;
pub use error::TrainError;
pub use fit::{Epoch, Fit, Place};
pub use metrics::Metrics;
pub use optimizer::{Sgd, SgdSettings};
pub use schedule::learning_rate;
pub use settings::FitSettings;
pub use state::{ChildPlace, ChildState, FitState};
pub use trainer::{
    Control, Next, StateOf, cross_entropy, evaluate, evaluation_batch, in_smaller_batches,
    smoothed_cross_entropy, train_child,
};

//! Training: batches, loss, optimiser, validation accuracy after each epoch; of a search's children (`trainer`), and of one
//! network to the end (`full`).

mod data;
mod fit;
pub mod full;
pub mod memory;
mod metrics;
mod optimizer;
mod schedule;
mod trainer;

pub use data::TrainingData;
pub use fit::{Epoch, Fit};
pub use metrics::Metrics;
pub use optimizer::{Sgd, SgdSettings};
pub use schedule::learning_rate;
pub use trainer::{Control, EVALUATION_BATCH, Next, TrainError, cross_entropy, evaluate, train_child};

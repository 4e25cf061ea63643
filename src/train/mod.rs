//! Training of one child: batches, loss, optimiser, validation accuracy after each epoch.

pub mod memory;
mod metrics;
mod optimizer;
mod schedule;
mod trainer;

pub use optimizer::Sgd;
pub use schedule::learning_rate;
pub use trainer::{Control, TrainError, count_correct, train_child};

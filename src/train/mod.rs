//! Training of one child: batches, loss, optimiser, validation accuracy after each epoch.

mod data;
pub mod memory;
mod metrics;
mod optimizer;
mod schedule;
mod trainer;

pub use data::TrainingData;
pub use metrics::Metrics;
pub use optimizer::Sgd;
pub use schedule::learning_rate;
pub use trainer::{Control, Next, TrainError, cross_entropy, evaluate, train_child};

//! The training loop of one child.

use std::time::Instant;

use tch::{Device, TchError, Tensor};

use super::metrics::{Metrics, batch_figures, read_figures};
use super::optimizer::Sgd;
use super::{learning_rate, memory};
use crate::child::{Layout, Mode, Network};
use crate::config::ChildConfig;
use crate::data::batches::PreparedData;
use crate::evaluate::ChildJob;
use crate::event::{ChildEpoch, ChildProgress};
use crate::space;

/// Whoever watches and steers a training. An error ends it.
pub trait Control {
    /// Called before each batch; returns when the next one may start.
    fn between_batches(&mut self) -> anyhow::Result<()>;
    /// Called after each batch; `progress` is made only if it is wanted.
    fn progress(&mut self, progress: impl FnOnce() -> ChildProgress) -> anyhow::Result<()>;
    /// Called after each epoch.
    fn epoch(&mut self, epoch: ChildEpoch) -> anyhow::Result<()>;
}

/// Why a child has no accuracy. The text is the reason in the journal.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error("the network cannot be built: {0}")]
    Unbuildable(#[from] space::ArchitectureError),
    #[error("the network takes images {network:?} of {network_classes} classes, but the data have {data:?} of {data_classes}")]
    Mismatch { network: [usize; 3], network_classes: usize, data: [usize; 3], data_classes: usize },
    #[error("training needs about {} of memory, but {} are available; nothing was allocated", memory::in_words(*needed), memory::in_words(*available))]
    Memory { needed: u64, available: u64 },
    #[error("diverged: the loss is {loss} at epoch {epoch}, batch {batch}")]
    Diverged { epoch: usize, batch: usize, loss: f64 },
    #[error("libtorch failed: {0}")]
    Torch(#[from] TchError),
    /// The control ended the training: not an outcome of the child.
    #[error("{0:#}")]
    Stopped(anyhow::Error),
}

/// Train the child of `job` from scratch and return its validation accuracy after each epoch, each in 0..=1.
///
/// Everything random (weights, order of images, augmentation) follows from `job.seed`.
///
/// # Errors
/// [`TrainError`]: one reason each; [`TrainError::Stopped`] exactly when `control` returned an error.
pub fn train_child(
    worker: usize,
    job: &ChildJob,
    data: &PreparedData,
    config: &ChildConfig,
    control: &mut impl Control,
) -> Result<Vec<f64>, TrainError> {
    check(job, data, config)?;
    tch::manual_seed(job.seed as i64);
    let network = Network::new(&job.architecture, layout_for(data.device()), data.device())?;
    let optimizer = Sgd::new(network.parameters().values(), config)?;
    let batches = data.batches(config.batch_size);
    let mut training = Training { worker, job, data, config, network, optimizer, batches };
    (1..=config.epochs).map(|epoch| training.epoch(epoch, control)).collect()
}

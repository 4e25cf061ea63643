//! The training loop of one child.

use std::time::{Duration, Instant};

use tch::{TchError, Tensor};

use super::data::TrainingData;
use super::metrics::{Metrics, batch_figures, read_figures};
use super::optimizer::Sgd;
use super::{learning_rate, memory};
use crate::child::{Mode, Network, Plan};
use crate::config::ChildConfig;
use crate::data::{DataError, DeviceDataset};
use crate::evaluate::{ChildJob, SKIPPED};
use crate::event::{ChildEpoch, ChildProgress};
use crate::space;

/// Images at a time when accuracy is measured.
const EVALUATION_BATCH: usize = 125;

/// Whoever watches and steers a training. An error ends it.
pub trait Control {
    /// Called before each batch; returns when the next one may start, or the training is to end.
    fn between_batches(&mut self) -> anyhow::Result<Next>;
    /// Called after each training batch; `progress` is made only if it is wanted.
    fn progress(&mut self, progress: impl FnOnce() -> ChildProgress) -> anyhow::Result<()>;
    /// Called after each epoch.
    fn epoch(&mut self, epoch: ChildEpoch) -> anyhow::Result<()>;
}

/// What comes after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    GoOn,
    /// A user has seen enough of this child: what its epochs have brought so far counts.
    Enough,
}

/// Why a child has no accuracy. The text is the reason in the journal.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error("the network cannot be built: {0}")]
    Unbuildable(#[from] space::ArchitectureError),
    #[error("the network takes images {network:?} of {network_classes} classes, but the data have {data:?} of {data_classes}")]
    Mismatch { network: [usize; 3], network_classes: usize, data: [usize; 3], data_classes: usize },
    #[error(
        "training needs about {} of memory, but {} are available; nothing was allocated",
        memory::in_words(*needed),
        memory::in_words(*available)
    )]
    Memory { needed: u64, available: u64 },
    #[error("diverged: the loss is {loss} at epoch {epoch}, batch {batch}")]
    Diverged { epoch: usize, batch: usize, loss: f64 },
    #[error("libtorch failed: {0}")]
    Torch(#[from] TchError),
    #[error("a batch could not be prepared: {0}")]
    Data(#[from] DataError),
    #[error("{SKIPPED}")]
    Skipped,
    /// The control ended the training: not an outcome of the child.
    #[error("{0:#}")]
    Stopped(anyhow::Error),
}

/// Train the child of `job` from scratch and return its validation accuracy after each epoch, each in 0..=1. They are fewer
/// than `config.epochs` where `control` said [`Next::Enough`].
///
/// Everything random (weights, order of images, augmentation) follows from `job.seed`. `held` is the memory that the
/// process keeps from earlier children, bytes.
///
/// # Errors
/// [`TrainError`]: one reason each; [`TrainError::Stopped`] exactly when `control` returned an error.
pub fn train_child(
    worker: usize,
    job: &ChildJob,
    data: &TrainingData,
    config: &ChildConfig,
    held: u64,
    control: &mut impl Control,
) -> Result<Vec<f64>, TrainError> {
    let plan = check(job, data, config, held)?;
    tch::manual_seed(job.seed as i64);
    let network = Network::new(&job.architecture, plan, data.device)?;
    let optimizer = Sgd::new(network.parameters().values(), config)?;
    let batches = data.train.len().div_ceil(config.batch_size);
    let mut training = Training { worker, job, data, config, network, optimizer, batches };
    let mut accuracies = Vec::with_capacity(config.epochs);
    for epoch in 1..=config.epochs {
        match training.epoch(epoch, control) {
            Ok(accuracy) => accuracies.push(accuracy),
            Err(TrainError::Skipped) if !accuracies.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(accuracies)
}

/// Refuse what cannot be trained, before anything is allocated; otherwise choose the network's form.
///
/// The form rounds in its own way, so it may depend on the machine's size and the worker's threads, but not on what happens
/// to be free: the same seed must give the same accuracies.
fn check(job: &ChildJob, data: &TrainingData, config: &ChildConfig, held: u64) -> Result<Plan, TrainError> {
    let (architecture, description) = (&job.architecture, &data.description);
    architecture.check()?;
    if architecture.input != description.input || architecture.classes != description.classes.len() {
        return Err(TrainError::Mismatch {
            network: architecture.input,
            network_classes: architecture.classes,
            data: description.input,
            data_classes: description.classes.len(),
        });
    }
    let batch_size = config.batch_size.min(data.train.len());
    let direct = space::training_memory(architecture, batch_size)?;
    let with_extra = |plan: &Plan| direct.saturating_add(plan.extra_memory(architecture, batch_size));
    let mut plan = Plan::fastest(architecture, data.device, batch_size)?;
    if with_extra(&plan) > memory::fair_share(tch::get_num_threads().max(1) as u64) {
        plan = Plan::direct(architecture, data.device)?;
    }
    let (needed, available) = (with_extra(&plan), memory::available(data.device, held).unwrap_or(u64::MAX));
    if needed > available {
        return Err(TrainError::Memory { needed, available });
    }
    Ok(plan)
}

/// One child in training.
struct Training<'work> {
    worker: usize,
    job: &'work ChildJob,
    data: &'work TrainingData,
    config: &'work ChildConfig,
    network: Network,
    optimizer: Sgd,
    /// Batches of an epoch.
    batches: usize,
}

/// A batch that has been given to the device, whose figures have not been read.
struct Pending {
    /// From 1.
    batch: usize,
    images: usize,
    figures: Tensor,
}

/// Time that went into an epoch, without pauses.
struct Stopwatch {
    started: Instant,
    paused: Duration,
}

impl Stopwatch {
    fn seconds(&self) -> f64 {
        (self.started.elapsed().saturating_sub(self.paused)).as_secs_f64()
    }

    /// Stand still if `control` says so, with the watch stopped.
    fn wait_for(&mut self, control: &mut impl Control) -> Result<(), TrainError> {
        let before = Instant::now();
        let next = control.between_batches().map_err(TrainError::Stopped)?;
        self.paused += before.elapsed();
        if next == Next::Enough { Err(TrainError::Skipped) } else { Ok(()) }
    }
}

impl Training<'_> {
    /// Train through all images once (`epoch` from 1), then measure and return the validation accuracy.
    fn epoch(&mut self, epoch: usize, control: &mut impl Control) -> Result<f64, TrainError> {
        let mut watch = Stopwatch { started: Instant::now(), paused: Duration::ZERO };
        let (mut metrics, mut pending) = (Metrics::default(), None);
        let data = self.data;
        let batches = data.train.training_batches(self.config.batch_size, self.job.seed, epoch as u64);
        for (index, batch) in batches.enumerate() {
            watch.wait_for(control)?;
            let (images, labels) = batch?;
            let next = self.step(epoch, index, &images, &labels)?;
            // The figures of a batch are read after the next one is under way, so that a GPU never waits for us.
            if let Some(done) = pending.replace(next) {
                settle(epoch, &mut metrics, &done)?;
            }
            if index > 0 {
                // Before that there are no figures to tell.
                control.progress(|| self.progress(epoch, index + 1, &metrics, &watch)).map_err(TrainError::Stopped)?;
            }
        }
        if let Some(done) = pending {
            settle(epoch, &mut metrics, &done)?;
        }
        let training_seconds = watch.seconds();
        let valid = evaluate(&self.network, &data.validation, || watch.wait_for(control))?;
        if !valid.loss().is_finite() {
            return Err(TrainError::Diverged { epoch, batch: self.batches, loss: valid.loss() });
        }
        let report = ChildEpoch {
            child: self.job.child,
            worker: self.worker,
            epoch,
            epochs: self.config.epochs,
            train_loss: metrics.loss(),
            train_accuracy: metrics.accuracy(),
            valid_loss: valid.loss(),
            valid_accuracy: valid.accuracy(),
            learning_rate: self.learning_rate(epoch, self.batches.saturating_sub(1)),
            images_per_second: metrics.images as f64 / training_seconds.max(1e-9),
            seconds: watch.seconds(),
        };
        control.epoch(report).map_err(TrainError::Stopped)?;
        Ok(valid.accuracy())
    }

    /// Forward, backward, one step of the optimiser.
    fn step(&mut self, epoch: usize, index: usize, images: &Tensor, labels: &Tensor) -> Result<Pending, TrainError> {
        let logits = self.network.forward(images, Mode::Train)?;
        let loss = cross_entropy(&logits, labels)?;
        let figures = tch::no_grad(|| batch_figures(&loss, &logits, labels))?;
        let parameters = self.network.parameters();
        let gradient = parameters.gradient(&loss)?;
        self.optimizer.step(parameters.values(), gradient, self.learning_rate(epoch, index))?;
        Ok(Pending { batch: index + 1, images: labels.size()[0] as usize, figures })
    }

    fn learning_rate(&self, epoch: usize, index: usize) -> f64 {
        learning_rate(self.config, (epoch - 1) * self.batches + index, self.config.epochs * self.batches)
    }

    fn progress(&self, epoch: usize, batch: usize, metrics: &Metrics, watch: &Stopwatch) -> ChildProgress {
        ChildProgress {
            child: self.job.child,
            worker: self.worker,
            epoch,
            epochs: self.config.epochs,
            batch,
            batches: self.batches,
            loss: metrics.loss(),
            images_per_second: metrics.images as f64 / watch.seconds().max(1e-9),
        }
    }
}

/// Mean cross-entropy of `logits` (`[N, classes]`) for `labels` (`[N]`).
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor, TchError> {
    logits.f_cross_entropy_loss(labels, None::<&Tensor>, tch::Reduction::Mean, -100, 0.0)
}

/// Take a batch's figures into the epoch's; an error if the loss is not finite.
fn settle(epoch: usize, metrics: &mut Metrics, done: &Pending) -> Result<(), TrainError> {
    let (loss, correct) = read_figures(&done.figures)?;
    if !loss.is_finite() {
        return Err(TrainError::Diverged { epoch, batch: done.batch, loss });
    }
    metrics.add(done.images, loss, correct);
    Ok(())
}

/// Loss and accuracy of `network` on `images`, batch norm in evaluation mode; `between` is called before each batch.
pub fn evaluate(
    network: &Network,
    images: &DeviceDataset,
    mut between: impl FnMut() -> Result<(), TrainError>,
) -> Result<Metrics, TrainError> {
    let _guard = tch::no_grad_guard();
    let mut metrics = Metrics::default();
    for batch in images.evaluation_batches(EVALUATION_BATCH) {
        between()?;
        let (images, labels) = batch?;
        let logits = network.forward(&images, Mode::Evaluate)?;
        let figures = batch_figures(&cross_entropy(&logits, &labels)?, &logits, &labels)?;
        let (loss, correct) = read_figures(&figures)?;
        metrics.add(labels.size()[0] as usize, loss, correct);
    }
    Ok(metrics)
}

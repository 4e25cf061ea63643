//! The training loop of one child.

use std::time::Duration;

use tch::{Device, TchError, Tensor};

use super::data::TrainingData;
use super::error::TrainError;
use super::fit::{Epoch, Fit};
use super::metrics::{Figures, Metrics};
use super::state::{ChildPlace, ChildState, FitState};
use super::tick::Ticks;
use super::{learning_rate, memory};
use crate::child::{Mode, Network, Plan};
use crate::config::ChildConfig;
use crate::data::DeviceDataset;
use crate::event::{TrainingEpoch, TrainingProgress};
use crate::space::Architecture;

/// Maximum number of images computed at a time when measuring accuracy: on the CPU what fits its
/// caches, on a GPU what keeps it busy.
pub fn evaluation_batch(device: Device) -> usize {
    if device == Device::Cpu { 125 } else { 1_000 }
}

/// Copies the state of a training from its device.
pub type StateOf<'a> = &'a mut dyn FnMut() -> Result<ChildState, TrainError>;

/// Watches and controls a training. An error ends the training.
pub trait Control {
    /// Called before each batch; returns when the next one may start or the training is to end,
    /// with the time spent waiting. `state` gives all that is needed to go on from here later.
    ///
    /// # Errors
    /// If the training must end without a result.
    fn between_batches(&mut self, state: StateOf<'_>) -> anyhow::Result<(Next, Duration)>;
    /// Called from time to time between two batches.
    ///
    /// # Errors
    /// If the training must end without a result.
    fn progress(&mut self, progress: TrainingProgress) -> anyhow::Result<()>;
    /// Called after each epoch; first, in a training that goes on, for each epoch of the earlier one.
    ///
    /// # Errors
    /// If the training must end without a result.
    fn epoch(&mut self, epoch: TrainingEpoch) -> anyhow::Result<()>;
}

/// How to proceed after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Continue with the next batch.
    GoOn,
    /// End the training at the user's request; the results of the completed epochs count.
    Enough,
}

/// Train `architecture` from scratch, or from where an earlier training with the same arguments was
/// `saved`, and return its validation accuracy after each epoch, each
/// in 0..=1. There are fewer than `config.epochs` if `control` returned [`Next::Enough`].
///
/// Everything random (weights, order of images, augmentation) is derived from `seed`. A child that
/// will need more memory than the `available` bytes, if known, is refused.
///
/// # Errors
/// [`TrainError`], with one variant per reason; [`TrainError::Stopped`] exactly when `control`
/// returned an error.
pub fn train_child(
    architecture: &Architecture,
    seed: u64,
    data: &TrainingData,
    config: &ChildConfig,
    available: Option<u64>,
    saved: Option<ChildState>,
    control: &mut impl Control,
) -> Result<Vec<f64>, TrainError> {
    let plan = check(architecture, data, config, available)?;
    TrainError::caught(|| {
        tch::manual_seed(seed as i64);
        let network = Network::new(architecture, plan, data.device)?;
        let fit = Fit::new(network, config, data, config.batch_size, seed)?;
        ChildTraining::of(fit, config).run(saved, control)
    })
}

/// Refuse networks that cannot be trained before anything is allocated; otherwise choose the
/// network's memory form.
///
/// Forms differ in rounding, so the choice may depend on the machine's size and the worker's
/// threads, but not on the memory free at the moment: the same seed must give the same accuracies.
fn check(
    architecture: &Architecture,
    data: &TrainingData,
    config: &ChildConfig,
    available: Option<u64>,
) -> Result<Plan, TrainError> {
    data.check(architecture)?;
    let batch_size = config.batch_size.min(data.train.len());
    let share = memory::fair_share(tch::get_num_threads().max(1) as u64);
    let plan = Plan::fastest_within(architecture, data.device, batch_size, share)?;
    let needed = plan.training_memory(architecture, batch_size)?;
    match available.filter(|available| needed > *available) {
        Some(available) => Err(TrainError::Memory { needed, available }),
        None => Ok(plan),
    }
}

/// One child in training.
struct ChildTraining<'work> {
    config: &'work ChildConfig,
    fit: Fit<'work>,
    ticks: Ticks,
    /// The completed epochs.
    epochs: Vec<TrainingEpoch>,
    /// Seconds that an earlier training has spent on the epoch in progress.
    earlier: f64,
}

impl<'work> ChildTraining<'work> {
    fn of(fit: Fit<'work>, config: &'work ChildConfig) -> ChildTraining<'work> {
        ChildTraining {
            config,
            fit,
            ticks: Ticks::default(),
            epochs: Vec::with_capacity(config.epochs),
            earlier: 0.0,
        }
    }

    /// Train to the end; returns the validation accuracy after each epoch.
    fn run(
        mut self,
        saved: Option<ChildState>,
        control: &mut impl Control,
    ) -> Result<Vec<f64>, TrainError> {
        let mut epoch = match saved {
            Some(saved) => self.restore(saved, control)?,
            None => self.fit.epoch(1, 0, Metrics::default())?,
        };
        loop {
            match self.epoch(&mut epoch, control) {
                Ok(()) => {}
                Err(TrainError::Skipped) if !self.epochs.is_empty() => break,
                Err(error) => return Err(error),
            }
            if epoch.number() >= self.config.epochs {
                break;
            }
            epoch = self.fit.epoch(epoch.number() + 1, 0, Metrics::default())?;
        }
        Ok(self.epochs.iter().map(|done| done.valid_accuracy).collect())
    }

    /// Train on all images that `epoch` has left, then measure the validation accuracy.
    fn epoch(&mut self, epoch: &mut Epoch, control: &mut impl Control) -> Result<(), TrainError> {
        let number = epoch.number();
        while !epoch.is_done() {
            self.wait_for(epoch, control)?;
            let learning_rate = self.learning_rate(number, epoch.done());
            self.fit.step(epoch, learning_rate)?;
            if self.ticks.is_due() {
                epoch.settle()?;
                control
                    .progress(epoch.progress(learning_rate))
                    .map_err(TrainError::Stopped)?;
                self.ticks.told();
            }
        }
        epoch.settle()?;
        let batch_size = evaluation_batch(self.fit.device());
        let between = |_| self.wait_for(epoch, control);
        let valid = evaluate(
            self.fit.network(),
            self.fit.validation(),
            batch_size,
            between,
        )?;
        let rate = self.learning_rate(number, epoch.batches().saturating_sub(1));
        let mut figures = epoch.figures(&valid, rate)?;
        figures.seconds += std::mem::take(&mut self.earlier);
        self.completed(figures, control)
    }

    fn completed(
        &mut self,
        epoch: TrainingEpoch,
        control: &mut impl Control,
    ) -> Result<(), TrainError> {
        self.epochs.push(epoch.clone());
        control.epoch(epoch).map_err(TrainError::Stopped)
    }

    fn learning_rate(&self, epoch: usize, batch: usize) -> f64 {
        let batches = self.fit.batches();
        learning_rate(
            self.config,
            (epoch - 1) * batches + batch,
            self.config.epochs * batches,
        )
    }

    /// Wait if `control` says so; an error if it ends the training.
    fn wait_for(&self, epoch: &mut Epoch, control: &mut impl Control) -> Result<(), TrainError> {
        let mut state = || self.state(epoch);
        let (next, stood_still) = control
            .between_batches(&mut state)
            .map_err(TrainError::of_control)?;
        epoch.stood_still(stood_still);
        match next {
            Next::GoOn => Ok(()),
            Next::Enough => Err(TrainError::Skipped),
        }
    }

    /// All that is needed to go on from here. (During validation: to validate once more.)
    fn state(&self, epoch: &mut Epoch) -> Result<ChildState, TrainError> {
        epoch.settle()?;
        Ok(ChildState {
            place: ChildPlace {
                epoch: epoch.number(),
                batch: epoch.done(),
                metrics: *epoch.metrics(),
                seconds: self.earlier + epoch.seconds(),
                images_per_second: epoch.images_per_second(),
                epochs: self.epochs.clone(),
            },
            fit: FitState::of(&self.fit)?,
        })
    }

    /// Go on from a state; returns the epoch that was in progress.
    fn restore(
        &mut self,
        saved: ChildState,
        control: &mut impl Control,
    ) -> Result<Epoch<'work>, TrainError> {
        let ChildState { place, fit } = saved;
        fit.restore(&self.fit)?;
        for epoch in place.epochs {
            self.completed(epoch, control)?;
        }
        self.earlier = place.seconds;
        let mut epoch = self.fit.epoch(place.epoch, place.batch, place.metrics)?;
        epoch.continue_at(place.images_per_second);
        Ok(epoch)
    }
}

/// Mean cross-entropy of `logits` (`[N, classes]`) for `labels` (`[N]`).
///
/// # Errors
/// Errors of libtorch.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor, TchError> {
    smoothed_cross_entropy(logits, labels, 0.0)
}

/// Mean cross-entropy of `logits` (`[N, classes]`) for targets in which the part `smoothing` of the
/// probability is spread evenly over all classes, and the rest is on `labels` (`[N]`); as in
/// `torch.nn.functional.cross_entropy` (Szegedy et al. 2016, section 7).
///
/// # Errors
/// Errors of libtorch.
pub fn smoothed_cross_entropy(
    logits: &Tensor,
    labels: &Tensor,
    smoothing: f64,
) -> Result<Tensor, TchError> {
    let mean = tch::Reduction::Mean;
    logits.f_cross_entropy_loss(labels, None::<&Tensor>, mean, -100, smoothing)
}

/// Loss and accuracy of `network` on `images`, `batch_size` at a time or fewer if memory is short,
/// with batch norm in evaluation mode; `between` is called before each batch, with the number of
/// images before it. The device is waited for once, at the end.
///
/// # Errors
/// Errors of libtorch, of the images, and of `between`.
pub fn evaluate(
    network: &Network,
    images: &DeviceDataset,
    batch_size: usize,
    mut between: impl FnMut(usize) -> Result<(), TrainError>,
) -> Result<Metrics, TrainError> {
    in_smaller_batches(batch_size, |batch_size| {
        evaluate_in_batches(network, images, batch_size, &mut between)
    })
}

/// Do something that needs memory with `batch_size` images at a time, and again with half as many
/// if memory runs out.
///
/// # Errors
/// The error of `evaluate`; lack of memory only with a single image at a time.
pub fn in_smaller_batches<T>(
    mut batch_size: usize,
    mut evaluate: impl FnMut(usize) -> Result<T, TrainError>,
) -> Result<T, TrainError> {
    loop {
        match TrainError::caught(|| evaluate(batch_size)) {
            Err(TrainError::OutOfMemory(_)) if batch_size > 1 => {
                batch_size = batch_size.div_ceil(2)
            }
            done => return done,
        }
    }
}

fn evaluate_in_batches(
    network: &Network,
    images: &DeviceDataset,
    batch_size: usize,
    between: &mut impl FnMut(usize) -> Result<(), TrainError>,
) -> Result<Metrics, TrainError> {
    let _guard = tch::no_grad_guard();
    let mut figures = Figures::new(images.len(), batch_size, 0, network.device())?;
    let batches = images.evaluation_batches(batch_size);
    let count = batches.len();
    for (number, batch) in batches.enumerate() {
        between(number * batch_size)?;
        let (images, labels) = batch?;
        let logits = network.forward(&images, Mode::Evaluate)?;
        figures.take(
            number,
            0,
            &cross_entropy(&logits, &labels)?,
            &logits,
            &labels,
        )?;
    }
    let mut metrics = Metrics::default();
    metrics.add(&figures.read(count)?);
    Ok(metrics)
}

#[cfg(test)]
mod tests;

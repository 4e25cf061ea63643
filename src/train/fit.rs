//! A network in training, one step at a time: the caller can look, wait or stop between any two
//! batches.

mod epoch;
mod targets;

use std::ops::Range;
use std::time::{Duration, Instant};

use tch::{Device, TchError, Tensor};

pub use self::epoch::Epoch;
use self::targets::Targets;
use super::average::{Average, Taken};
use super::data::TrainingData;
use super::error::TrainError;
use super::metrics::{Figures, Metrics};
use super::muon::Muon;
use super::optimizer::Sgd;
use super::settings::FitSettings;
use super::trainer::evaluation_batch;
use crate::child::{Mode, Network};
use crate::config::DecayOn;
use crate::data::{DeviceDataset, Mixture};

/// A network, its optimiser and its images.
#[derive(Debug)]
pub struct Fit<'data> {
    data: &'data TrainingData,
    network: Network,
    optimizer: Sgd,
    /// What moves the kernels of convolutions in place of the optimiser, if anything does.
    muon: Option<Muon>,
    batch_size: usize,
    /// Images computed at a time: the gradients of a batch are accumulated over parts of this size.
    micro_batch: usize,
    /// Seed of the order of images and their augmentation.
    seed: u64,
    /// Label smoothing of the training loss, in 0..1.
    label_smoothing: f64,
    /// The part of the batches whose images are mixed, in 0..=1.
    cutmix: f64,
    /// The mean of the weights, if one is kept.
    average: Option<Average>,
}

/// Where the mean of the weights is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the network, so that it is measured.
    InUse,
    /// Beside the network, so that the weights themselves can be trained.
    Beside,
}

impl<'data> Fit<'data> {
    /// Train `network` on `data` with batches of `batch_size` images, in an order that `seed`
    /// determines.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn new(
        network: Network,
        settings: impl Into<FitSettings>,
        data: &'data TrainingData,
        batch_size: usize,
        seed: u64,
    ) -> Result<Fit<'data>, TchError> {
        let settings: FitSettings = settings.into();
        let values = network.parameters().values();
        let mut optimizer = Sgd::new(values, settings.sgd)?;
        if settings.weight_decay_on == DecayOn::Weights {
            optimizer.decay_only(&network.parameters().weights_mask()?)?;
        }
        Ok(Fit {
            label_smoothing: settings.label_smoothing,
            cutmix: settings.cutmix,
            average: Average::new(settings.weight_average, values)?,
            muon: Muon::new(
                settings.optimizer,
                settings.peak,
                settings.sgd.nesterov,
                &network,
            ),
            data,
            network,
            optimizer,
            batch_size,
            micro_batch: batch_size,
            seed,
        })
    }

    /// The network in its current state.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The device it is trained on.
    pub fn device(&self) -> Device {
        self.data.device
    }

    /// The validation images.
    pub fn validation(&self) -> &'data DeviceDataset {
        &self.data.validation
    }

    /// The optimizer with its velocity.
    pub fn optimizer(&self) -> &Sgd {
        &self.optimizer
    }

    /// The mean of the weights (`[S]`, as [`Parameters::values`](crate::child::Parameters::values)),
    /// if one is kept: state that can be saved, or written to in order to restore it.
    pub fn average(&self) -> Option<&Tensor> {
        self.average.as_ref().map(Average::mean)
    }

    /// Put the mean of the weights in the network's place of the weights, or them back. The batch
    /// norm statistics are those of the weights until they are
    /// [estimated](Fit::estimate_statistics), and are restored with them. Nothing happens if there is
    /// no mean.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn exchange_average(&mut self, place: Place) -> Result<(), TrainError> {
        let Some(average) = &mut self.average else {
            return Ok(());
        };
        match place {
            Place::InUse => self.network.keep_statistics()?,
            Place::Beside => self.network.restore_statistics()?,
        }
        Ok(average.exchange(self.network.parameters().values())?)
    }

    /// Images computed at a time.
    pub fn micro_batch(&self) -> usize {
        self.micro_batch
    }

    /// Compute at most this many images at a time (at least one). The images of a step stay the
    /// same; batch norm sees one part at a time.
    pub fn set_micro_batch(&mut self, images: usize) {
        self.micro_batch = images.clamp(1, self.batch_size);
    }

    /// Images computed at a time when measuring accuracy. If memory is short, twice as many as in
    /// training: without a backward pass they need less.
    pub fn evaluation_batch(&self) -> usize {
        let most = evaluation_batch(self.data.device);
        let is_short = self.micro_batch < self.batch_size || self.data.device == Device::Cpu;
        if is_short {
            most.min(2 * self.micro_batch)
        } else {
            most
        }
    }

    /// Number of steps in an epoch.
    pub fn batches(&self) -> usize {
        self.data.train.len().div_ceil(self.batch_size)
    }

    /// Epoch `number` (from 1), of which `done` steps were taken before, with their `metrics`. All
    /// its random choices are sent to the device here.
    ///
    /// # Errors
    /// Errors of libtorch.
    pub fn epoch(
        &self,
        number: usize,
        done: usize,
        metrics: Metrics,
    ) -> Result<Epoch<'data>, TrainError> {
        let train = &self.data.train;
        Ok(Epoch {
            number,
            images: train.training_epoch(self.batch_size, self.seed, number as u64)?,
            done,
            figures: Figures::new(train.len(), self.batch_size, done, self.data.device)?,
            metrics,
            diverged: None,
            started: Instant::now(),
            stood_still: Duration::ZERO,
            trained: 0,
            images_per_second: 0.0,
        })
    }

    /// Forward, backward and one optimiser step for the next batch of `epoch`. Nothing waits for
    /// the device: a loss that is not finite is noticed when the epoch is [settled](Epoch::settle).
    ///
    /// # Errors
    /// [`TrainError::OutOfMemory`]: in this case no step was taken, everything is as before, and
    /// the step can be retried with a smaller micro-batch. Other errors of libtorch or of the data.
    pub fn step(&mut self, epoch: &mut Epoch, learning_rate: f64) -> Result<(), TrainError> {
        self.network.keep_statistics()?;
        let taken = TrainError::caught(|| {
            let gradient = self.gradient(epoch)?;
            let values = self.network.parameters().values();
            let muon = self.muon.as_ref();
            let update = muon
                .map(|muon| {
                    muon.update(
                        [values, self.optimizer.velocity(), &gradient],
                        learning_rate,
                    )
                })
                .transpose()?;
            self.optimizer.step(values, gradient, learning_rate)?;
            if let Some(update) = update {
                update.apply(values, self.optimizer.velocity())?;
            }
            Ok(())
        });
        if let Err(TrainError::OutOfMemory(_)) = taken {
            // Layers before the one that failed have seen the batch.
            self.network.restore_statistics()?;
        }
        taken?;
        epoch.done += 1;
        if let Some(average) = &mut self.average {
            let taken = Taken {
                epoch: epoch.number,
                done: epoch.done,
                batches: epoch.batches(),
            };
            average.include(self.network.parameters().values(), taken)?;
        }
        Ok(())
    }

    /// Include batch number `batch` of `epoch` in an estimate of the batch norm statistics: a forward
    /// pass makes them the means over its images and the `before` ones seen before, and no weight
    /// changes. Returns the number of images seen; the first batch (`before` = 0) starts afresh.
    ///
    /// # Errors
    /// Errors of libtorch or of the data. The estimate must then be started afresh.
    pub fn estimate_statistics(
        &self,
        epoch: &Epoch,
        batch: usize,
        before: usize,
    ) -> Result<usize, TrainError> {
        let _guard = tch::no_grad_guard();
        let (images, _) = epoch.images.batch(batch)?;
        let all = images.size()[0];
        let mut seen = before;
        for start in (0..all).step_by(self.micro_batch) {
            let length = (all - start).min(self.micro_batch as i64);
            seen += length as usize;
            let mode = Mode::Estimate {
                images: length as usize,
                seen,
            };
            let part = images.f_narrow(0, start, length)?;
            let _ = TrainError::caught(|| Ok(self.network.forward(&part, mode)?))?;
        }
        Ok(seen)
    }

    /// Gradient of the mean loss of the next batch (`[S]`); the batch's figures are added to the
    /// epoch's.
    fn gradient(&self, epoch: &Epoch) -> Result<Tensor, TrainError> {
        let (images, labels) = epoch.images.batch(epoch.done)?;
        let (_, channels, height, width) = images.size4()?;
        let place = (epoch.number, epoch.done);
        let mixture = Mixture::draw(self.cutmix, self.seed, place, [channels, height, width]);
        let (images, targets) = Targets::mixed(images, labels, mixture.as_ref())?;
        Ok(self.gradient_in_parts(&images, &targets, (&epoch.figures, epoch.done))?)
    }

    /// Gradient of the mean loss of a batch, computed `micro_batch` images at a time. The figures
    /// are recorded under that batch number.
    fn gradient_in_parts(
        &self,
        images: &Tensor,
        targets: &Targets,
        figures: (&Figures, usize),
    ) -> Result<Tensor, TchError> {
        let (all, part) = (images.size()[0], self.micro_batch as i64);
        let mut gradient = self.gradient_of_part(images, targets, figures, 0..all.min(part))?;
        for start in (part..all).step_by(self.micro_batch) {
            let more =
                self.gradient_of_part(images, targets, figures, start..all.min(start + part))?;
            gradient = gradient.f_add_(&more)?;
        }
        Ok(gradient)
    }

    /// The contribution of some images of a batch to the gradient of its mean loss and to its
    /// figures (that loss, and which answers are right).
    fn gradient_of_part(
        &self,
        images: &Tensor,
        targets: &Targets,
        (figures, batch): (&Figures, usize),
        part: Range<i64>,
    ) -> Result<Tensor, TchError> {
        let (all, length) = (images.size()[0], part.end - part.start);
        let images = images.f_narrow(0, part.start, length)?;
        let targets = targets.part(part.start, length)?;
        let logits = self.network.forward(&images, Mode::Train)?;
        let mut loss = targets.loss(&logits, self.label_smoothing)?;
        if length < all {
            loss = loss.f_mul_scalar(length as f64 / all as f64)?;
        }
        figures.take(batch, part.start, &loss, &logits, targets.main())?;
        self.network.gradient(&loss)
    }
}

#[cfg(test)]
mod recipe_tests;
#[cfg(test)]
pub(super) mod tests;

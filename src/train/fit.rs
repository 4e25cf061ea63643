//! A network in training, one step at a time: whoever drives it can look, wait or stop between any two batches.

use std::time::{Duration, Instant};

use tch::{TchError, Tensor};

use super::data::TrainingData;
use super::metrics::{Metrics, batch_figures, read_figures};
use super::optimizer::{Sgd, SgdSettings};
use super::trainer::{TrainError, cross_entropy};
use crate::child::{Mode, Network};
use crate::data::{DataError, DeviceDataset, epoch_order};

/// A network, its optimiser and its images.
#[derive(Debug)]
pub struct Fit<'data> {
    data: &'data TrainingData,
    network: Network,
    optimizer: Sgd,
    batch_size: usize,
    /// Images computed at a time: the gradients of a batch are added up over parts of this size.
    micro_batch: usize,
    /// Of the order of images and of their augmentation.
    seed: u64,
}

/// An epoch under way.
#[derive(Debug)]
pub struct Epoch {
    /// From 1.
    number: usize,
    order: Vec<u32>,
    /// Steps taken, and all that the epoch has.
    done: usize,
    batches: usize,
    metrics: Metrics,
    pending: Option<Pending>,
    started: Instant,
    /// Time that does not count: pauses.
    stood_still: Duration,
    /// Images of this session's steps that are in `metrics`.
    images: usize,
}

/// A step that has been given to the device, whose figures have not been read.
#[derive(Debug)]
struct Pending {
    /// From 1.
    batch: usize,
    images: usize,
    figures: Tensor,
}

impl<'data> Fit<'data> {
    pub fn new(
        network: Network,
        settings: SgdSettings,
        data: &'data TrainingData,
        batch_size: usize,
        seed: u64,
    ) -> Result<Fit<'data>, TchError> {
        let optimizer = Sgd::new(network.parameters().values(), settings)?;
        Ok(Fit { data, network, optimizer, batch_size, micro_batch: batch_size, seed })
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    pub fn validation(&self) -> &'data DeviceDataset {
        &self.data.validation
    }

    pub fn optimizer(&self) -> &Sgd {
        &self.optimizer
    }

    pub fn micro_batch(&self) -> usize {
        self.micro_batch
    }

    /// Compute so many images at a time, at least one. The images of a step stay the same; batch norm sees one part at a time.
    pub fn set_micro_batch(&mut self, images: usize) {
        self.micro_batch = images.clamp(1, self.batch_size);
    }

    /// Steps of an epoch.
    pub fn batches(&self) -> usize {
        self.data.train.len().div_ceil(self.batch_size)
    }

    /// Epoch `number` (from 1), of which `done` steps have been taken before, with their `metrics`.
    pub fn epoch(&self, number: usize, done: usize, metrics: Metrics) -> Epoch {
        Epoch {
            number,
            order: epoch_order(self.seed, number as u64, self.data.train.len()),
            done,
            batches: self.batches(),
            metrics,
            pending: None,
            started: Instant::now(),
            stood_still: Duration::ZERO,
            images: 0,
        }
    }

    /// Forward, backward, one step of the optimiser, for the next batch of `epoch`.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] for a loss that is not finite, of this batch or the one before it;
    /// [`TrainError::OutOfMemory`]: then no step was taken, and another one with a smaller micro-batch may be tried.
    pub fn step(&mut self, epoch: &mut Epoch, learning_rate: f64) -> Result<(), TrainError> {
        let (gradient, next) = self.gradient(epoch).map_err(|error| self.explained(error))?;
        self.optimizer.step(self.network.parameters().values(), gradient, learning_rate)?;
        epoch.done += 1;
        // The figures of a batch are read after the next one is under way, so that a GPU never waits for us.
        match epoch.pending.replace(next) {
            Some(before) => epoch.take(&before),
            None => Ok(()),
        }
    }

    /// Gradient of the mean loss of the next batch (`[S]`), and the batch's figures.
    fn gradient(&self, epoch: &Epoch) -> Result<(Tensor, Pending), TrainError> {
        let (seed, number) = (self.seed, epoch.number as u64);
        let (images, labels) = self.data.train.training_batch(&epoch.order, self.batch_size, seed, number, epoch.done)?;
        let all = labels.size()[0];
        let part = self.micro_batch as i64;
        if all <= part {
            let (gradient, figures) = self.gradient_of(&images, &labels, 1.0)?;
            return Ok((gradient, Pending { batch: epoch.done + 1, images: all as usize, figures }));
        }
        let mut sum: Option<(Tensor, Tensor)> = None;
        for start in (0..all).step_by(self.micro_batch) {
            let length = part.min(all - start);
            let (images, labels) = (images.f_narrow(0, start, length)?, labels.f_narrow(0, start, length)?);
            let (gradient, figures) = self.gradient_of(&images, &labels, length as f64 / all as f64)?;
            sum = Some(match sum {
                Some((mut gradients, mut all_figures)) => (gradients.f_add_(&gradient)?, all_figures.f_add_(&figures)?),
                None => (gradient, figures),
            });
        }
        let (gradient, figures) = sum.ok_or_else(|| DataError::Unusable("a batch without images".to_owned()))?;
        Ok((gradient, Pending { batch: epoch.done + 1, images: all as usize, figures }))
    }

    /// Gradient of `weight` times the mean loss of some images, and their figures: that loss, and the number of right answers.
    fn gradient_of(&self, images: &Tensor, labels: &Tensor, weight: f64) -> Result<(Tensor, Tensor), TchError> {
        let logits = self.network.forward(images, Mode::Train)?;
        let loss = cross_entropy(&logits, labels)?;
        let loss = if weight == 1.0 { loss } else { loss.f_mul_scalar(weight)? };
        let figures = tch::no_grad(|| batch_figures(&loss, &logits, labels))?;
        Ok((self.network.parameters().gradient(&loss)?, figures))
    }

    fn explained(&self, error: TrainError) -> TrainError {
        let text = match &error {
            TrainError::Torch(error) => error.to_string(),
            TrainError::Data(error) => error.to_string(),
            _ => return error,
        };
        let signs = ["out of memory", "can't allocate memory", "not enough memory"];
        if !signs.iter().any(|sign| text.contains(sign)) {
            return error;
        }
        let reason = text.lines().find(|line| signs.iter().any(|sign| line.contains(sign))).unwrap_or(&text);
        TrainError::OutOfMemory { micro_batch: self.micro_batch, reason: reason.trim().to_owned() }
    }
}

impl Epoch {
    pub fn number(&self) -> usize {
        self.number
    }

    /// Steps taken.
    pub fn done(&self) -> usize {
        self.done
    }

    pub fn batches(&self) -> usize {
        self.batches
    }

    pub fn is_done(&self) -> bool {
        self.done >= self.batches
    }

    /// Of the batches whose figures have been read.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Wait for the device, so that the metrics are those of all steps taken.
    pub fn settle(&mut self) -> Result<(), TrainError> {
        match self.pending.take() {
            Some(last) => self.take(&last),
            None => Ok(()),
        }
    }

    /// Do something that is no part of the training: its time does not count.
    pub fn stand_still<T>(&mut self, during: impl FnOnce() -> T) -> T {
        let before = Instant::now();
        let done = during();
        self.stood_still += before.elapsed();
        done
    }

    /// Time that went into this epoch in this session, without pauses.
    pub fn seconds(&self) -> f64 {
        self.started.elapsed().saturating_sub(self.stood_still).as_secs_f64()
    }

    /// Of this session.
    pub fn images_per_second(&self) -> f64 {
        self.images as f64 / self.seconds().max(1e-9)
    }

    /// Take a batch's figures into the epoch's; an error if the loss is not finite.
    fn take(&mut self, done: &Pending) -> Result<(), TrainError> {
        let (loss, correct) = read_figures(&done.figures)?;
        if !loss.is_finite() {
            return Err(TrainError::Diverged { epoch: self.number, batch: done.batch, loss });
        }
        self.metrics.add(done.images, loss, correct);
        self.images += done.images;
        Ok(())
    }
}

//! A network in training, one step at a time: whoever drives it can look, wait or stop between any two batches.

use std::ops::Range;
use std::time::{Duration, Instant};

use tch::{TchError, Tensor};

use super::data::TrainingData;
use super::metrics::{Metrics, batch_figures, read_figures};
use super::optimizer::{Sgd, SgdSettings};
use super::trainer::{TrainError, cross_entropy};
use crate::child::{Mode, Network};
use crate::data::{DeviceDataset, epoch_order};

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
    /// [`TrainError::OutOfMemory`]: then no step was taken, everything is as before, and another one with a smaller
    /// micro-batch may be tried.
    pub fn step(&mut self, epoch: &mut Epoch, learning_rate: f64) -> Result<(), TrainError> {
        self.network.keep_statistics()?;
        let taken = self.gradient(epoch).and_then(|(gradient, next)| {
            self.optimizer.step(self.network.parameters().values(), gradient, learning_rate)?;
            Ok(next)
        });
        let next = match taken {
            Err(error @ TrainError::OutOfMemory(_)) => {
                // Layers before the one that failed have seen the batch.
                self.network.restore_statistics()?;
                return Err(error);
            }
            taken => taken?,
        };
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
        let (gradient, figures) = self.gradient_in_parts(&images, &labels)?;
        Ok((gradient, Pending { batch: epoch.done + 1, images: labels.size()[0] as usize, figures }))
    }

    /// Gradient of the mean loss of a batch and its figures, computed `micro_batch` images at a time.
    fn gradient_in_parts(&self, images: &Tensor, labels: &Tensor) -> Result<(Tensor, Tensor), TchError> {
        let (all, part) = (labels.size()[0], self.micro_batch as i64);
        let (mut gradient, mut figures) = self.gradient_of_part(images, labels, 0..all.min(part))?;
        for start in (part..all).step_by(self.micro_batch) {
            let (more, more_figures) = self.gradient_of_part(images, labels, start..all.min(start + part))?;
            (gradient, figures) = (gradient.f_add_(&more)?, figures.f_add_(&more_figures)?);
        }
        Ok((gradient, figures))
    }

    /// What some images of a batch add to the gradient of its mean loss, and to its figures: that loss, and the number of right
    /// answers.
    fn gradient_of_part(&self, images: &Tensor, labels: &Tensor, part: Range<i64>) -> Result<(Tensor, Tensor), TchError> {
        let (all, length) = (labels.size()[0], part.end - part.start);
        let take =
            |tensor: &Tensor| if length == all { Ok(tensor.shallow_clone()) } else { tensor.f_narrow(0, part.start, length) };
        let (images, labels) = (take(images)?, take(labels)?);
        let logits = self.network.forward(&images, Mode::Train)?;
        let mut loss = cross_entropy(&logits, &labels)?;
        if length < all {
            loss = loss.f_mul_scalar(length as f64 / all as f64)?;
        }
        let figures = tch::no_grad(|| batch_figures(&loss, &logits, &labels))?;
        Ok((self.network.parameters().gradient(&loss)?, figures))
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

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::child::Plan;
    use crate::config::{Options, resolve};
    use crate::data::{self, Layout};
    use crate::space::{Architecture, Layer};

    fn data() -> TrainingData {
        let config = resolve(&Options::default()).unwrap().data;
        TrainingData::new(data::noise([1, 8, 8], 4, 32, 8), &config, Device::Cpu, true).unwrap()
    }

    fn fit(data: &TrainingData) -> Fit<'_> {
        let layer = |inputs| Layer { kernel: [3, 3], filters: 6, stride: [1, 1], padding: [1, 1], inputs };
        let layers = vec![layer(vec![0]), layer(vec![0, 1])];
        let architecture = Architecture { name: "two".to_owned(), input: [1, 8, 8], classes: 4, layers, output: vec![2] };
        let network = Network::new(&architecture, Plan::plain(&architecture, Layout::Contiguous), Device::Cpu).unwrap();
        let settings = SgdSettings { momentum: 0.9, nesterov: true, weight_decay: 1e-4 };
        Fit::new(network, settings, data, 16, 1).unwrap()
    }

    #[test]
    fn gradients_of_parts_add_up_to_that_of_the_batch() {
        let data = data();
        let mut fit = fit(&data);
        // Twice the same images, so that batch norm sees the same statistics in each half as in the whole.
        let (images, labels) = data.train.batch(&[0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7], None).unwrap();
        let (whole, figures) = fit.gradient_in_parts(&images, &labels).unwrap();
        fit.set_micro_batch(8);
        let (parts, figures_of_parts) = fit.gradient_in_parts(&images, &labels).unwrap();
        let off = (&whole - &parts).abs().max().double_value(&[]) / whole.abs().max().double_value(&[]);
        assert!(off < 1e-4, "{off}");
        let ((loss, right), (loss_of_parts, right_of_parts)) =
            (read_figures(&figures).unwrap(), read_figures(&figures_of_parts).unwrap());
        assert!((loss - loss_of_parts).abs() < 1e-6 && right == right_of_parts);
        assert!(whole.abs().sum(Kind::Double).double_value(&[]) > 0.0);
    }

    #[test]
    fn memory_that_runs_out_in_the_middle_of_a_step_changes_nothing() {
        let data = data();
        let layer = |padding: usize, inputs| Layer { kernel: [1, 1], filters: 6, stride: [1, 1], padding: [padding; 2], inputs };
        // The second layer's output would take a petabyte; the first one's batch norm has seen the batch by then.
        let layers = vec![layer(0, vec![0]), layer(1 << 20, vec![1])];
        let architecture = Architecture { name: "vast".to_owned(), input: [1, 8, 8], classes: 4, layers, output: vec![2] };
        let network = Network::new(&architecture, Plan::plain(&architecture, Layout::Contiguous), Device::Cpu).unwrap();
        let settings = SgdSettings { momentum: 0.9, nesterov: true, weight_decay: 1e-4 };
        let mut fit = Fit::new(network, settings, &data, 16, 1).unwrap();
        let state = |fit: &Fit| -> Vec<Tensor> {
            let parameters = fit.network().parameters().values().shallow_clone();
            let buffers = fit.network().buffers().map(|(_, tensor)| tensor);
            buffers.chain([parameters, fit.optimizer().velocity().shallow_clone()]).map(|tensor| tensor.copy()).collect()
        };
        let before = state(&fit);
        let mut epoch = fit.epoch(1, 0, Metrics::default());
        let error = fit.step(&mut epoch, 0.1).unwrap_err();
        assert!(matches!(error, TrainError::OutOfMemory(_)), "{error}");
        assert!(!error.to_string().contains("frame #") && epoch.done() == 0, "{error}");
        assert_eq!(state(&fit), before);
    }

    #[test]
    fn a_step_takes_one_batch_whatever_its_parts() {
        let data = data();
        let mut fit = fit(&data);
        fit.set_micro_batch(5);
        let mut epoch = fit.epoch(1, 0, Metrics::default());
        while !epoch.is_done() {
            fit.step(&mut epoch, 0.01).unwrap();
        }
        epoch.settle().unwrap();
        assert_eq!((epoch.done(), epoch.metrics().images), (2, 32));
    }
}

//! A network in training, one step at a time: whoever drives it can look, wait or stop between any
//! two batches.

use std::ops::Range;
use std::time::{Duration, Instant};

use tch::{Device, TchError, Tensor};

use super::data::TrainingData;
use super::metrics::{Figures, Metrics};
use super::optimizer::{Sgd, SgdSettings};
use super::trainer::{TrainError, cross_entropy, evaluation_batch};
use crate::child::{Mode, Network};
use crate::data::{DeviceDataset, TrainingEpoch};

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

/// An epoch under way. Its steps run on the device on their own; what they come to is known of
/// those that have been [settled](Epoch::settle).
#[derive(Debug)]
pub struct Epoch<'data> {
    /// From 1.
    number: usize,
    images: TrainingEpoch<'data>,
    /// Steps taken.
    done: usize,
    figures: Figures,
    metrics: Metrics,
    /// The first batch (from 1) whose loss was not finite, and that loss.
    diverged: Option<(usize, f64)>,
    started: Instant,
    /// Time that does not count: pauses.
    stood_still: Duration,
    /// Images of this session's steps that are in `metrics`.
    trained: usize,
}

impl<'data> Fit<'data> {
    /// Train `network` on `data` with batches of `batch_size` images, in an order that `seed`
    /// decides.
    ///
    /// # Errors
    /// What libtorch says.
    pub fn new(
        network: Network,
        settings: SgdSettings,
        data: &'data TrainingData,
        batch_size: usize,
        seed: u64,
    ) -> Result<Fit<'data>, TchError> {
        let optimizer = Sgd::new(network.parameters().values(), settings)?;
        Ok(Fit {
            data,
            network,
            optimizer,
            batch_size,
            micro_batch: batch_size,
            seed,
        })
    }

    /// The network in its present state.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Where it is trained.
    pub fn device(&self) -> Device {
        self.data.device
    }

    /// The images to validate on.
    pub fn validation(&self) -> &'data DeviceDataset {
        &self.data.validation
    }

    /// The optimizer with its velocity.
    pub fn optimizer(&self) -> &Sgd {
        &self.optimizer
    }

    /// Images computed at a time.
    pub fn micro_batch(&self) -> usize {
        self.micro_batch
    }

    /// Compute so many images at a time, at least one. The images of a step stay the same; batch
    /// norm sees one part at a time.
    pub fn set_micro_batch(&mut self, images: usize) {
        self.micro_batch = images.clamp(1, self.batch_size);
    }

    /// Images at a time when accuracy is measured: no more than in training where memory is short.
    pub fn evaluation_batch(&self) -> usize {
        let most = evaluation_batch(self.data.device);
        let is_short = self.micro_batch < self.batch_size || self.data.device == Device::Cpu;
        if is_short {
            most.min(self.micro_batch)
        } else {
            most
        }
    }

    /// Steps of an epoch.
    pub fn batches(&self) -> usize {
        self.data.train.len().div_ceil(self.batch_size)
    }

    /// Epoch `number` (from 1), of which `done` steps have been taken before, with their `metrics`.
    /// All that is random in it goes to the device here.
    ///
    /// # Errors
    /// What libtorch says.
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
        })
    }

    /// Forward, backward, one step of the optimiser, for the next batch of `epoch`. Nothing waits
    /// for the device: a loss that is not finite is found when the epoch is
    /// [settled](Epoch::settle).
    ///
    /// # Errors
    /// [`TrainError::OutOfMemory`]: then no step was taken, everything is as before, and another
    /// one with a smaller micro-batch may be tried.
    pub fn step(&mut self, epoch: &mut Epoch, learning_rate: f64) -> Result<(), TrainError> {
        self.network.keep_statistics()?;
        let taken = TrainError::caught(|| {
            let gradient = self.gradient(epoch)?;
            Ok(self
                .optimizer
                .step(self.network.parameters().values(), gradient, learning_rate)?)
        });
        if let Err(TrainError::OutOfMemory(_)) = taken {
            // Layers before the one that failed have seen the batch.
            self.network.restore_statistics()?;
        }
        taken?;
        epoch.done += 1;
        Ok(())
    }

    /// Gradient of the mean loss of the next batch (`[S]`); the batch's figures go to the epoch's.
    fn gradient(&self, epoch: &Epoch) -> Result<Tensor, TrainError> {
        let (images, labels) = epoch.images.batch(epoch.done)?;
        Ok(self.gradient_in_parts(&images, &labels, (&epoch.figures, epoch.done))?)
    }

    /// Gradient of the mean loss of a batch, computed `micro_batch` images at a time. Figures are
    /// taken as those of the batch of that number.
    fn gradient_in_parts(
        &self,
        images: &Tensor,
        labels: &Tensor,
        figures: (&Figures, usize),
    ) -> Result<Tensor, TchError> {
        let (all, part) = (labels.size()[0], self.micro_batch as i64);
        let mut gradient = self.gradient_of_part(images, labels, figures, 0..all.min(part))?;
        for start in (part..all).step_by(self.micro_batch) {
            let more =
                self.gradient_of_part(images, labels, figures, start..all.min(start + part))?;
            gradient = gradient.f_add_(&more)?;
        }
        Ok(gradient)
    }

    /// What some images of a batch add to the gradient of its mean loss; and to its figures: that
    /// loss, and which answers are right.
    fn gradient_of_part(
        &self,
        images: &Tensor,
        labels: &Tensor,
        (figures, batch): (&Figures, usize),
        part: Range<i64>,
    ) -> Result<Tensor, TchError> {
        let (all, length) = (labels.size()[0], part.end - part.start);
        let take = |tensor: &Tensor| {
            if length == all {
                Ok(tensor.shallow_clone())
            } else {
                tensor.f_narrow(0, part.start, length)
            }
        };
        let (images, labels) = (take(images)?, take(labels)?);
        let logits = self.network.forward(&images, Mode::Train)?;
        let mut loss = cross_entropy(&logits, &labels)?;
        if length < all {
            loss = loss.f_mul_scalar(length as f64 / all as f64)?;
        }
        figures.take(batch, part.start, &loss, &logits, &labels)?;
        self.network.parameters().gradient(&loss)
    }
}

impl Epoch<'_> {
    /// Its number, from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Steps taken.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Batches of the whole epoch.
    pub fn batches(&self) -> usize {
        self.images.batches()
    }

    /// Whether every batch has been trained on.
    pub fn is_done(&self) -> bool {
        self.done >= self.batches()
    }

    /// Of the steps that had been taken when the epoch was last settled.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Wait for the device, so that the metrics are those of all steps taken.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] if the loss of any of them was not finite; what libtorch says.
    pub fn settle(&mut self) -> Result<(), TrainError> {
        if self.diverged.is_none() && self.figures.is_behind(self.done) {
            let read = self.figures.read(self.done)?;
            let numbered = (read.first + 1..).zip(&read.losses);
            self.diverged = numbered
                .map(|(number, &(_, loss))| (number, loss))
                .find(|(_, loss)| !loss.is_finite());
            self.metrics.add(&read);
            self.trained += read.losses.iter().map(|(images, _)| images).sum::<usize>();
        }
        match self.diverged {
            Some((batch, loss)) => Err(TrainError::Diverged {
                epoch: self.number,
                batch,
                loss,
            }),
            None => Ok(()),
        }
    }

    /// Do something that is no part of the training: its time does not count.
    pub fn stand_still<T>(&mut self, during: impl FnOnce() -> T) -> T {
        let before = Instant::now();
        let done = during();
        self.stood_still(before.elapsed());
        done
    }

    /// So much time went by that does not count.
    pub fn stood_still(&mut self, time: Duration) {
        self.stood_still += time;
    }

    /// Time that went into this epoch in this session, without pauses.
    pub fn seconds(&self) -> f64 {
        self.started
            .elapsed()
            .saturating_sub(self.stood_still)
            .as_secs_f64()
    }

    /// Of this session, at the moment that the epoch was settled: images that the device is done
    /// with, by the time it took.
    pub fn images_per_second(&self) -> f64 {
        self.trained as f64 / self.seconds().max(1e-9)
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;

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
        let layer = |inputs| Layer {
            kernel: [3, 3],
            filters: 6,
            stride: [1, 1],
            padding: [1, 1],
            inputs,
        };
        let layers = vec![layer(vec![0]), layer(vec![0, 1])];
        let architecture = Architecture {
            name: "two".to_owned(),
            input: [1, 8, 8],
            classes: 4,
            layers,
            output: vec![2],
        };
        let network = Network::new(
            &architecture,
            Plan::plain(&architecture, Layout::Contiguous),
            Device::Cpu,
        )
        .unwrap();
        let settings = SgdSettings {
            momentum: 0.9,
            nesterov: true,
            weight_decay: 1e-4,
        };
        Fit::new(network, settings, data, 16, 1).unwrap()
    }

    #[test]
    fn gradients_of_parts_add_up_to_that_of_the_batch() {
        let data = data();
        let mut fit = fit(&data);
        let (images, labels) = data
            .validation
            .evaluation_batches(8)
            .next()
            .unwrap()
            .unwrap();
        // Twice the same images, so that batch norm sees the same statistics in each half as in the
        // whole.
        let [images, labels] = [images, labels].map(|tensor| Tensor::cat(&[&tensor, &tensor], 0));
        let mut figures = Figures::new(32, 16, 0, Device::Cpu).unwrap();
        let whole = fit
            .gradient_in_parts(&images, &labels, (&figures, 0))
            .unwrap();
        fit.set_micro_batch(8);
        let parts = fit
            .gradient_in_parts(&images, &labels, (&figures, 1))
            .unwrap();
        let off =
            (&whole - &parts).abs().max().double_value(&[]) / whole.abs().max().double_value(&[]);
        assert!(off < 1e-4, "{off}");
        let (of_whole, of_parts) = (figures.read(1).unwrap(), figures.read(2).unwrap());
        assert!(
            (of_whole.losses[0].1 - of_parts.losses[0].1).abs() < 1e-6
                && of_whole.correct == of_parts.correct
        );
        assert!(whole.abs().sum(Kind::Double).double_value(&[]) > 0.0);
    }

    #[test]
    fn memory_that_runs_out_in_the_middle_of_a_step_changes_nothing() {
        let data = data();
        let layer = |padding: usize, inputs| Layer {
            kernel: [1, 1],
            filters: 6,
            stride: [1, 1],
            padding: [padding; 2],
            inputs,
        };
        // The second layer's output would take a petabyte; the first one's batch norm has seen the
        // batch by then.
        let layers = vec![layer(0, vec![0]), layer(1 << 20, vec![1])];
        let architecture = Architecture {
            name: "vast".to_owned(),
            input: [1, 8, 8],
            classes: 4,
            layers,
            output: vec![2],
        };
        let network = Network::new(
            &architecture,
            Plan::plain(&architecture, Layout::Contiguous),
            Device::Cpu,
        )
        .unwrap();
        let settings = SgdSettings {
            momentum: 0.9,
            nesterov: true,
            weight_decay: 1e-4,
        };
        let mut fit = Fit::new(network, settings, &data, 16, 1).unwrap();
        let state = |fit: &Fit| -> Vec<Tensor> {
            let parameters = fit.network().parameters().values().shallow_clone();
            let buffers = fit.network().buffers().map(|(_, tensor)| tensor);
            buffers
                .chain([parameters, fit.optimizer().velocity().shallow_clone()])
                .map(|tensor| tensor.copy())
                .collect()
        };
        let before = state(&fit);
        let mut epoch = fit.epoch(1, 0, Metrics::default()).unwrap();
        let error = fit.step(&mut epoch, 0.1).unwrap_err();
        assert!(matches!(error, TrainError::OutOfMemory(_)), "{error}");
        assert!(
            !error.to_string().contains("frame #") && epoch.done() == 0,
            "{error}"
        );
        assert_eq!(state(&fit), before);
    }

    #[test]
    fn a_step_takes_one_batch_whatever_its_parts() {
        let data = data();
        let mut fit = fit(&data);
        fit.set_micro_batch(5);
        let mut epoch = fit.epoch(1, 0, Metrics::default()).unwrap();
        while !epoch.is_done() {
            fit.step(&mut epoch, 0.01).unwrap();
        }
        epoch.settle().unwrap();
        assert_eq!((epoch.done(), epoch.metrics().images), (2, 32));
    }

    #[test]
    fn the_first_batch_whose_loss_is_not_finite_is_told_however_late_it_is_looked_for_and_every_time()
     {
        let data = data();
        let mut fit = fit(&data);
        let mut epoch = fit.epoch(3, 0, Metrics::default()).unwrap();
        fit.step(&mut epoch, 0.01).unwrap();
        let _ = tch::no_grad(|| {
            fit.network()
                .parameters()
                .values()
                .shallow_clone()
                .fill_(f64::NAN)
        });
        fit.step(&mut epoch, 0.01).unwrap();
        for _ in 0..2 {
            let error = epoch.settle().unwrap_err();
            assert!(
                matches!(error, TrainError::Diverged { epoch: 3, batch: 2, loss } if loss.is_nan()),
                "{error}"
            );
        }
    }

    #[test]
    fn only_images_that_the_device_is_known_to_be_done_with_count_in_images_per_second() {
        let data = data();
        let mut fit = fit(&data);
        let mut epoch = fit.epoch(1, 0, Metrics::default()).unwrap();
        fit.step(&mut epoch, 0.01).unwrap();
        assert_eq!(epoch.images_per_second(), 0.0);
        epoch.settle().unwrap();
        assert!(epoch.images_per_second() > 0.0);
    }

    #[test]
    fn an_epoch_that_goes_on_from_its_middle_ends_with_the_figures_of_a_whole_one() {
        let data = data();
        let run = |settle_between: bool| {
            tch::manual_seed(1);
            let mut fit = fit(&data);
            let mut epoch = fit.epoch(1, 0, Metrics::default()).unwrap();
            fit.step(&mut epoch, 0.01).unwrap();
            if settle_between {
                epoch.settle().unwrap();
                epoch = fit.epoch(1, epoch.done(), *epoch.metrics()).unwrap();
            }
            fit.step(&mut epoch, 0.01).unwrap();
            epoch.settle().unwrap();
            *epoch.metrics()
        };
        assert_eq!(run(false), run(true));
        assert_eq!(run(false).images, 32);
    }
}

//! An epoch of a network in training: its steps, its figures, and the time it takes.

use std::time::{Duration, Instant};

use crate::data::ShuffledImages;
use crate::event::{TrainingEpoch, TrainingProgress};
use crate::train::error::TrainError;
use crate::train::metrics::{Figures, Metrics};

/// An epoch in progress. Its steps run asynchronously on the device; their results are known once
/// they have been [settled](Epoch::settle).
#[derive(Debug)]
pub struct Epoch<'data> {
    /// Number of the epoch, from 1.
    pub(super) number: usize,
    pub(super) images: ShuffledImages<'data>,
    /// Number of steps taken.
    pub(super) done: usize,
    pub(super) figures: Figures,
    pub(super) metrics: Metrics,
    /// The first batch (from 1) whose loss was not finite, and that loss.
    pub(super) diverged: Option<(usize, f64)>,
    pub(super) started: Instant,
    /// Time that does not count: pauses.
    pub(super) stood_still: Duration,
    /// Images of this session's steps that are included in `metrics`.
    pub(super) trained: usize,
    /// Training images per second when the latest of these steps were settled.
    pub(super) images_per_second: f64,
}

impl Epoch<'_> {
    /// Number of the epoch, from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Number of steps taken.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Number of batches in the whole epoch.
    pub fn batches(&self) -> usize {
        self.images.batches()
    }

    /// Number of images in the whole epoch.
    pub fn images(&self) -> usize {
        self.images.len()
    }

    /// Whether every batch has been trained on.
    pub fn is_done(&self) -> bool {
        self.done >= self.batches()
    }

    /// Metrics of the steps taken when the epoch was last settled.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Wait for the device, so that the metrics cover all steps taken.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] if the loss of any of them was not finite; errors of libtorch.
    pub fn settle(&mut self) -> Result<(), TrainError> {
        if self.diverged.is_none() && self.figures.is_behind(self.done) {
            let read = self.figures.read(self.done)?;
            let numbered = (read.first + 1..).zip(&read.losses);
            self.diverged = numbered
                .map(|(number, &(_, loss))| (number, loss))
                .find(|(_, loss)| !loss.is_finite());
            self.metrics.add(&read);
            self.trained += read.losses.iter().map(|(images, _)| images).sum::<usize>();
            self.images_per_second = self.trained as f64 / self.seconds().max(1e-9);
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

    /// Exclude this much time.
    pub fn stood_still(&mut self, time: Duration) {
        self.stood_still += time;
    }

    /// Time spent on this epoch in this session, in seconds and without pauses.
    pub fn seconds(&self) -> f64 {
        self.started
            .elapsed()
            .saturating_sub(self.stood_still)
            .as_secs_f64()
    }

    /// The progress for a tick; `learning_rate` is that of the latest step.
    pub fn progress(&self, learning_rate: f64) -> TrainingProgress {
        TrainingProgress {
            epoch: self.number,
            batch: self.done,
            batches: self.batches(),
            loss: self.metrics.loss(),
            accuracy: self.metrics.accuracy(),
            learning_rate,
            images_per_second: self.images_per_second,
        }
    }

    /// The figures of the epoch, now that `valid` has been measured; `learning_rate` is that of the
    /// latest step.
    ///
    /// # Errors
    ///
    /// [`TrainError::Diverged`] if the validation loss is not finite.
    pub fn figures(
        &self,
        valid: &Metrics,
        learning_rate: f64,
    ) -> Result<TrainingEpoch, TrainError> {
        if !valid.loss().is_finite() {
            return Err(TrainError::Diverged {
                epoch: self.number,
                batch: self.batches(),
                loss: valid.loss(),
            });
        }
        Ok(TrainingEpoch {
            epoch: self.number,
            train_loss: self.metrics.loss(),
            train_accuracy: self.metrics.accuracy(),
            valid_loss: valid.loss(),
            valid_accuracy: valid.accuracy(),
            learning_rate,
            images_per_second: self.images_per_second,
            seconds: self.seconds(),
            ..TrainingEpoch::default()
        })
    }

    /// Throughput of this session when its latest steps were settled: images that the device has
    /// finished, divided by the time taken. What comes after the last step does not change it.
    pub fn images_per_second(&self) -> f64 {
        self.images_per_second
    }

    /// The throughput of an earlier session, which counts until this one has taken a step.
    pub fn continue_at(&mut self, images_per_second: f64) {
        self.images_per_second = images_per_second;
    }
}

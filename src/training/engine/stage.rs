//! The beginning of a stage: its announcement, and batch norm statistics of its images.

use std::time::Duration;

use super::{EngineState, TrainingEngine};
use crate::config::StageSpan;
use crate::event::{Event, Measured, Measuring, StageEntered};
use crate::session::Halt;
use crate::space::Cost;
use crate::train::{Fit, TrainError};

/// Number of batches on which batch norm statistics are estimated when the size of the images
/// changes, and for averaged weights: their means over so many batches vary less than those that
/// training keeps, which mostly reflect the last ten.
const STATISTICS_BATCHES: usize = 32;

impl TrainingEngine<'_> {
    /// Announce the stage of the epochs to come. If it begins here and is not the first of a training that
    /// began with random weights, the statistics are those of images of another size, so they are estimated anew. That depends only on the
    /// weights and the seed: a resumed training that begins the stage once more comes to the same.
    pub(super) fn enter(
        &mut self,
        fit: &mut Fit,
        progress: &mut EngineState,
        stage: Option<StageSpan>,
    ) -> Result<(), Halt> {
        for (level, message) in std::mem::take(&mut self.run.notices) {
            self.run.notice(level, message)?;
        }
        let (number, done) = (progress.epoch.number(), progress.epoch.done());
        let Some(span) = stage.filter(|span| number <= span.last) else {
            return Ok(());
        };
        let is_random = span.number == 1 && self.training.initial.is_none();
        let is_switch = !is_random && number == span.first && done == 0;
        let batches = is_switch.then(|| STATISTICS_BATCHES.min(progress.epoch.batches()));
        let architecture = self.training.architecture.for_size(span.stage.size);
        let cost = Cost::of(&architecture).map_err(TrainError::from)?;
        self.run.tell(Event::StageEntered(StageEntered {
            stage: span.number,
            stages: self.recipe().stages.len(),
            size: span.stage.size,
            crop_pixels: span.stage.crop_pixels,
            cutout_pixels: span.stage.cutout_pixels,
            first_epoch: span.first,
            last_epoch: span.last,
            macs: cost.macs,
            statistics_batches: batches,
        }))?;
        match batches {
            Some(_) => self.estimate_statistics(fit, progress),
            None => Ok(()),
        }
    }

    /// Estimate the batch norm statistics of the weights as they are, on the first batches of the
    /// epoch.
    pub(super) fn estimate_statistics(
        &mut self,
        fit: &mut Fit,
        progress: &mut EngineState,
    ) -> Result<(), Halt> {
        let batches = STATISTICS_BATCHES.min(progress.epoch.batches());
        let before = progress.epoch.seconds();
        let (mut batch, mut images) = (0, 0);
        let size = self.recipe().batch_size;
        while batch < batches {
            self.obey(fit, progress)?;
            let measuring = Measuring {
                what: Measured::Statistics,
                images,
                of: progress.epoch.images().min(batches * size),
            };
            self.measuring(measuring, fit.device(), &mut progress.ticks)?;
            match fit.estimate_statistics(&progress.epoch, batch, images) {
                Err(TrainError::OutOfMemory(reason)) if fit.micro_batch() > 1 => {
                    self.reduce_micro_batch(fit, fit.micro_batch().div_ceil(2), reason)?;
                    (batch, images) = (0, 0);
                }
                outcome => (batch, images) = (batch + 1, outcome?),
            }
        }
        // This belongs to the epoch, but does not make its steps slower.
        let spent = progress.epoch.seconds() - before;
        progress
            .epoch
            .stood_still(Duration::from_secs_f64(spent.max(0.0)));
        progress.seconds += spent;
        Ok(())
    }

    /// Compute `images` images at a time from here on, because memory is short.
    pub(super) fn reduce_micro_batch(
        &mut self,
        fit: &mut Fit,
        images: usize,
        reason: String,
    ) -> Result<(), Halt> {
        fit.set_micro_batch(images);
        Ok(self.run.tell(Event::MicroBatchReduced {
            micro_batch: fit.micro_batch(),
            reason,
        })?)
    }
}

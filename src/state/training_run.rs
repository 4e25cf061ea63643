//! A run that trains one network, according to its events.

use serde::{Deserialize, Serialize};

use super::{RunStatus, best_first};
use crate::config::Schedule;
use crate::event::{
    Event, Measured, Measuring, TestFinished, TrainingEpoch, TrainingProgress, TrainingStarted,
};

/// What is known about a training after the events so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingRun {
    /// The conditions it was begun with.
    pub started: TrainingStarted,
    /// Progress of the current epoch, once its first batches are done.
    pub progress: Option<TrainingProgress>,
    /// What is being measured; `None` while steps are taken.
    pub measuring: Option<Measuring>,
    /// Completed epochs, in order.
    pub epochs: Vec<TrainingEpoch>,
    /// Numbers of the records that end each of `epochs`.
    pub epoch_seqs: Vec<u64>,
    /// Number of images currently computed at a time.
    pub micro_batch: usize,
    /// The results on the test images, after the last epoch; `None` before.
    pub test: Option<Box<TestFinished>>,
}

impl TrainingRun {
    /// A training before its first epoch.
    pub fn new(started: &TrainingStarted) -> TrainingRun {
        let micro_batch = started.micro_batch;
        TrainingRun {
            started: started.clone(),
            progress: None,
            measuring: None,
            epochs: Vec::new(),
            epoch_seqs: Vec::new(),
            micro_batch,
            test: None,
        }
    }

    /// Process the next event of the run, which is record `seq` of the journal.
    pub fn apply(&mut self, event: &Event, seq: u64) {
        match event {
            Event::Measuring(measuring) => self.measuring = Some(*measuring),
            // Others (a pause, a notice) can come in the middle of a measurement.
            Event::TrainingProgress(_)
            | Event::TrainingEpoch(_)
            | Event::StageEntered(_)
            | Event::TestFinished(_)
            | Event::RunResumed { .. }
            | Event::RunFinished { .. } => self.measuring = None,
            _ => {}
        }
        match event {
            // A client that connects late can hear a tick of an epoch that has ended since.
            Event::TrainingProgress(progress) if progress.epoch > self.epochs.len() => {
                self.progress = Some(progress.clone());
            }
            Event::TrainingEpoch(epoch) => {
                self.progress = None;
                self.epochs.push(epoch.clone());
                self.epoch_seqs.push(seq);
            }
            Event::MicroBatchReduced { micro_batch, .. } => self.micro_batch = *micro_batch,
            Event::TestFinished(test) => self.test = Some(test.clone()),
            Event::RunResumed {
                epoch: Some(epoch),
                micro_batch,
                ..
            } => {
                // What came after the checkpoint is repeated.
                self.micro_batch = micro_batch.unwrap_or(self.micro_batch);
                self.epochs.retain(|done| done.epoch < *epoch);
                self.epoch_seqs.truncate(self.epochs.len());
                self.progress = None;
            }
            Event::RunFinished { .. } => self.progress = None,
            _ => {}
        }
    }

    /// The epoch with the highest validation accuracy, whose weights are saved; the earliest one
    /// wins ties. Accuracies on images that were made smaller are not comparable and do not count.
    pub fn best(&self) -> Option<&TrainingEpoch> {
        let rank = |epoch: &TrainingEpoch| (epoch.valid_accuracy, epoch.epoch as u64);
        let order = |one: &&_, other: &&_| best_first(rank(one), rank(other));
        self.whole_epochs().min_by(order)
    }

    /// Number of the current epoch, from 1; the last one when all are done.
    pub fn epoch(&self) -> usize {
        (self.epochs.len() + 1).min(self.started.settings.epochs.max(1))
    }

    /// Number of the current epoch, or of the last one of a training that has ended; from 1, or 0
    /// if it ended without one.
    pub fn latest_epoch(&self, is_over: bool) -> usize {
        if is_over {
            self.epochs.len()
        } else {
            self.epoch()
        }
    }

    /// Whether a training with this status was completed before all of its epochs, that is, by
    /// early stopping.
    pub fn stopped_early(&self, status: RunStatus) -> bool {
        status == RunStatus::Completed && self.epochs.len() < self.started.settings.epochs
    }

    /// Fraction of the current epoch's batches that are done, 0..=1.
    pub fn epoch_fraction(&self) -> f64 {
        let measured = self.measuring.map(|measuring| measuring.what);
        match (measured, &self.progress) {
            // After the last batch (the statistics of a new stage are estimated before the first).
            (Some(Measured::Validation), _) | (Some(Measured::Statistics), Some(_)) => 1.0,
            (_, Some(progress)) => progress.batch as f64 / progress.batches.max(1) as f64,
            (_, None) => 0.0,
        }
    }

    /// Number of validation images of the current epoch that are done.
    pub fn validated(&self) -> usize {
        let measuring = self.measuring;
        let of_validation = measuring.filter(|measuring| measuring.what == Measured::Validation);
        of_validation.map_or(0, |measuring| measuring.images)
    }

    /// Number of consecutive epochs without a better validation accuracy.
    pub fn epochs_without_gain(&self) -> usize {
        self.best().map_or(0, |best| {
            self.epochs.len() - best.epoch.min(self.epochs.len())
        })
    }

    /// Number of further epochs without a better validation accuracy after which the training will
    /// stop; `None` without early stopping, and before there is an epoch on whole images.
    pub fn epochs_until_stop(&self) -> Option<usize> {
        let patience = self.started.settings.early_stopping;
        (patience > 0 && self.whole_images_from().is_none())
            .then(|| patience.saturating_sub(self.epochs_without_gain()))
    }

    /// Whether early stopping ends the training before its next epoch.
    pub fn is_out_of_patience(&self) -> bool {
        self.epochs_until_stop() == Some(0)
    }

    /// Number of further consecutive epochs without a better validation accuracy until the plateau
    /// schedule reduces the learning rate; `None` for other schedules.
    pub fn epochs_until_rate_falls(&self) -> Option<usize> {
        Some(self.patience()? + 1 - self.plateau()?.waited)
    }

    /// How often the plateau schedule has reduced the learning rate; 0 for other schedules.
    pub fn rate_reductions(&self) -> u32 {
        self.plateau().map_or(0, |plateau| plateau.reductions)
    }

    fn plateau(&self) -> Option<Plateau> {
        let patience = self.patience()?;
        let accuracies = |epochs: &[TrainingEpoch]| {
            let accuracies = epochs.iter().map(|epoch| epoch.valid_accuracy);
            accuracies.collect::<Vec<_>>()
        };
        let by_size = self.by_size(&self.epochs).into_iter().map(accuracies);
        Some(Plateau::after(by_size, patience))
    }

    /// Number of epochs without a better validation accuracy that a plateau schedule tolerates;
    /// `None` for other schedules.
    pub fn patience(&self) -> Option<usize> {
        match self.started.settings.schedule {
            Schedule::Plateau { patience, .. } => Some(patience),
            _ => None,
        }
    }
}

/// State of a schedule that waits for a plateau. In PyTorch's terms: ReduceLROnPlateau, mode max,
/// threshold 0.
struct Plateau {
    /// Consecutive epochs without a better validation accuracy, since the last reduction.
    waited: usize,
    reductions: u32,
}

impl Plateau {
    /// After epochs with these accuracies on images of one size after the other: those of different
    /// sizes are not compared.
    fn after(by_size: impl Iterator<Item = Vec<f64>>, patience: usize) -> Plateau {
        let (mut waited, mut reductions) = (0, 0);
        for accuracies in by_size {
            let mut best = f64::NEG_INFINITY;
            for accuracy in accuracies {
                waited = if accuracy > best { 0 } else { waited + 1 };
                best = best.max(accuracy);
                if waited > patience {
                    (waited, reductions) = (0, reductions + 1);
                }
            }
        }
        Plateau { waited, reductions }
    }
}

#[cfg(test)]
mod tests;

//! A run that trains one network, according to its events.

use super::{RunStatus, best_first};
use crate::config::Schedule;
use crate::event::{Event, TestFinished, TrainingEpoch, TrainingProgress, TrainingStarted};

/// What is known about a training after the events so far.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingRun {
    /// The conditions it was begun with.
    pub started: TrainingStarted,
    /// Progress of the current epoch, once its first batches are done.
    pub progress: Option<TrainingProgress>,
    /// Completed epochs, in order.
    pub epochs: Vec<TrainingEpoch>,
    /// Numbers of the records that end each of `epochs`.
    pub epoch_seqs: Vec<u64>,
    /// Number of images currently computed at a time.
    pub micro_batch: usize,
    /// The results on the test images, after the last epoch; `None` before.
    pub test: Option<TestFinished>,
}

impl TrainingRun {
    /// A training before its first epoch.
    pub fn new(started: &TrainingStarted) -> TrainingRun {
        let micro_batch = started.micro_batch;
        TrainingRun {
            started: started.clone(),
            progress: None,
            epochs: Vec::new(),
            epoch_seqs: Vec::new(),
            micro_batch,
            test: None,
        }
    }

    /// Process the next event of the run, which is record `seq` of the journal.
    pub fn apply(&mut self, event: &Event, seq: u64) {
        match event {
            Event::TrainingProgress(progress) => self.progress = Some(progress.clone()),
            Event::TrainingEpoch(epoch) => {
                self.progress = None;
                self.epochs.push(epoch.clone());
                self.epoch_seqs.push(seq);
            }
            Event::MicroBatchReduced { micro_batch, .. } => self.micro_batch = *micro_batch,
            Event::TestFinished(test) => self.test = Some(TestFinished::clone(test)),
            Event::RunResumed {
                epoch: Some(epoch), ..
            } => {
                // What came after the checkpoint is repeated.
                self.epochs.retain(|done| done.epoch < *epoch);
                self.epoch_seqs.truncate(self.epochs.len());
                self.progress = None;
            }
            Event::RunFinished { .. } => self.progress = None,
            _ => {}
        }
    }

    /// The epoch with the highest validation accuracy, whose weights are saved; the earliest one
    /// wins ties.
    pub fn best(&self) -> Option<&TrainingEpoch> {
        let rank = |epoch: &TrainingEpoch| (epoch.valid_accuracy, epoch.epoch as u64);
        let order = |one: &&_, other: &&_| best_first(rank(one), rank(other));
        self.epochs.iter().min_by(order)
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

    /// Fraction of all epochs completed, 0..=1. (Early stopping may end the training sooner.)
    pub fn fraction(&self) -> f64 {
        let under_way = self.progress.as_ref().map_or(0.0, |progress| {
            progress.batch as f64 / progress.batches.max(1) as f64
        });
        ((self.epochs.len() as f64 + under_way) / self.started.settings.epochs.max(1) as f64)
            .min(1.0)
    }

    /// Seconds until the last epoch is done, estimated from the epochs so far or the speed of the
    /// first one; `None` if neither is known.
    pub fn seconds_left(&self) -> Option<f64> {
        let per_epoch = match (self.epochs.last(), &self.progress) {
            (Some(last), _) => last.seconds,
            (None, Some(progress)) => {
                self.started.data.train_images() as f64 / progress.images_per_second
            }
            (None, None) => return None,
        };
        let seconds = per_epoch * self.started.settings.epochs as f64 * (1.0 - self.fraction());
        (seconds.is_finite() && seconds > 0.0).then_some(seconds)
    }

    /// Number of consecutive epochs without a better validation accuracy.
    pub fn epochs_without_gain(&self) -> usize {
        self.best().map_or(0, |best| {
            self.epochs.len() - best.epoch.min(self.epochs.len())
        })
    }

    /// Number of further epochs without a better validation accuracy after which the training will
    /// stop; `None` without early stopping.
    pub fn epochs_until_stop(&self) -> Option<usize> {
        let patience = self.started.settings.early_stopping;
        (patience > 0).then(|| patience.saturating_sub(self.epochs_without_gain()))
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
        let accuracies = self.epochs.iter().map(|epoch| epoch.valid_accuracy);
        Some(Plateau::after(accuracies, patience))
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
    fn after(accuracies: impl Iterator<Item = f64>, patience: usize) -> Plateau {
        let (mut best, mut waited, mut reductions) = (f64::NEG_INFINITY, 0, 0);
        for accuracy in accuracies {
            waited = if accuracy > best { 0 } else { waited + 1 };
            best = best.max(accuracy);
            if waited > patience {
                (waited, reductions) = (0, reductions + 1);
            }
        }
        Plateau { waited, reductions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Recipe;
    use crate::event::{DataDescription, ImageSet};
    use crate::space::{Architecture, Layer};

    fn run(early_stopping: usize) -> TrainingRun {
        let layer = Layer {
            kind: Default::default(),
            kernel: [3, 3],
            filters: 8,
            stride: [1, 1],
            padding: [1, 1],
            inputs: vec![0],
        };
        let settings = Recipe {
            epochs: 10,
            batch_size: 2,
            learning_rate: 0.1,
            momentum: 0.9,
            nesterov: true,
            weight_decay: 0.0,
            schedule: Schedule::Constant,
            early_stopping,
            ..Recipe::default()
        };
        let data = DataDescription {
            spec: String::new(),
            images: Some(ImageSet {
                train: 100,
                ..ImageSet::default()
            }),
            fingerprint: String::new(),
        };
        TrainingRun::new(&TrainingStarted {
            run: String::new(),
            origin: String::new(),
            architecture: Architecture {
                name: String::new(),
                input: [1, 8, 8],
                classes: 2,
                layers: vec![layer],
                output: vec![1],
            },
            params: 1,
            macs: 1,
            recipe: String::new(),
            settings,
            precision: crate::config::Precision::Float32,
            micro_batch: 2,
            seed: 1,
            version: String::new(),
            host: String::new(),
            pid: 1,
            libtorch: String::new(),
            threads: 1,
            device: String::new(),
            data,
        })
    }

    fn epoch(epoch: usize, valid_accuracy: f64) -> Event {
        Event::TrainingEpoch(TrainingEpoch {
            epoch,
            train_loss: 1.0,
            train_accuracy: 0.5,
            valid_loss: 1.0,
            valid_accuracy,
            learning_rate: 0.1,
            images_per_second: 10.0,
            seconds: 2.0,
        })
    }

    fn after(events: &[Event]) -> TrainingRun {
        let mut run = run(3);
        (1..)
            .zip(events)
            .for_each(|(seq, event)| run.apply(event, seq));
        run
    }

    #[test]
    fn the_best_epoch_is_the_earliest_of_those_with_the_highest_validation_accuracy() {
        let run = after(&[epoch(1, 0.3), epoch(2, 0.6), epoch(3, 0.6), epoch(4, 0.5)]);
        assert_eq!(run.best().map(|best| best.epoch), Some(2));
    }

    #[test]
    fn early_stopping_counts_down_from_the_best_epoch() {
        assert_eq!(after(&[]).epochs_until_stop(), Some(3));
        assert_eq!(
            after(&[epoch(1, 0.5), epoch(2, 0.4), epoch(3, 0.5)]).epochs_until_stop(),
            Some(1)
        );
        assert_eq!(run(0).epochs_until_stop(), None);
    }

    #[test]
    fn a_plateaus_rate_falls_once_its_patience_is_exceeded_and_the_count_restarts() {
        let until = |accuracies: &[f64]| {
            let mut run = run(0);
            run.started.settings.schedule = Schedule::Plateau {
                patience: 1,
                factor: 0.1,
            };
            let epochs = (1..)
                .zip(accuracies)
                .map(|(number, accuracy)| epoch(number, *accuracy));
            epochs.for_each(|event| run.apply(&event, 0));
            run.epochs_until_rate_falls()
        };
        assert_eq!(
            [
                &[0.5][..],
                &[0.5, 0.5],
                &[0.5, 0.5, 0.4],
                &[0.5, 0.5, 0.4, 0.4]
            ]
            .map(until),
            [2, 1, 2, 1].map(Some)
        );
        assert_eq!(run(0).epochs_until_rate_falls(), None);
    }

    #[test]
    fn a_plateau_reduces_the_rate_once_its_patience_is_exceeded_and_then_counts_afresh() {
        // The behaviour of torch.optim.lr_scheduler.ReduceLROnPlateau(mode="max", patience=2,
        // threshold=0) on this series: reductions after the 5th and the 10th epoch.
        let series = [0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.7, 0.6, 0.5, 0.4, 0.8];
        let mut run = run(0);
        run.started.settings.schedule = Schedule::Plateau {
            patience: 2,
            factor: 0.1,
        };
        let reductions: Vec<u32> = (1..)
            .zip(series)
            .map(|(number, accuracy)| {
                run.apply(&epoch(number, accuracy), 0);
                run.rate_reductions()
            })
            .collect();
        assert_eq!(reductions, [0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2]);
    }

    #[test]
    fn a_resume_voids_what_came_after_its_checkpoint() {
        let resumed = Event::RunResumed {
            host: String::new(),
            pid: 1,
            version: String::new(),
            next_child: None,
            epoch: Some(2),
        };
        let run = after(&[epoch(1, 0.3), epoch(2, 0.9), resumed, epoch(2, 0.4)]);
        let accuracies: Vec<f64> = run
            .epochs
            .iter()
            .map(|epoch| epoch.valid_accuracy)
            .collect();
        assert_eq!(accuracies, [0.3, 0.4]);
        assert_eq!(run.epoch_seqs, [1, 4]);
    }

    #[test]
    fn the_time_left_is_that_of_the_epochs_to_come() {
        assert_eq!(
            after(&[epoch(1, 0.3), epoch(2, 0.6)]).seconds_left(),
            Some(16.0)
        );
        assert_eq!(after(&[]).seconds_left(), None);
    }
}

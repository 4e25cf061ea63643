//! The training itself: epochs, what users ask for in between, checkpoints, the end.
//!
//! One thread. State is at all times the last checkpoint: what the journal tells of later batches
//! and epochs is void after a kill, and happens again, bit for bit the same on a CPU (same seeds,
//! same order of images, same number of threads).

mod opening;
mod steering;

use std::borrow::Cow;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;

use super::checkpoint::{self, Best, Checkpoint, Header};
use super::rate::{Seen, learning_rate};
use super::work::Training;
use super::{TrainingError, test_images};
use crate::child::weights;
use crate::config::Recipe;
use crate::event::{Event, Level, TrainingEpoch, TrainingProgress};
use crate::foundation::durable::write_atomically;
use crate::foundation::sealed::Blocks;
use crate::link::Command;
use crate::session::{Halt, Run};
use crate::train::tick::Ticks;
use crate::train::{Epoch, Fit, Metrics, TrainError, TrainingData, evaluate};

/// A training in the hands of this process.
pub(super) struct Engine<'a> {
    run: &'a mut Run<Training>,
    training: Training,
    commands: UnboundedReceiver<Command>,
    checkpoint: Option<Checkpoint>,
}

/// Where the training stands between two epochs.
#[derive(Default)]
struct Progress {
    seen: Seen,
    best: Option<Best>,
    /// The weights of that epoch.
    best_weights: Blocks,
    ticks: Ticks,
    last_save: Option<Instant>,
}

impl<'a> Engine<'a> {
    pub(super) fn new(
        training: Training,
        run: &'a mut Run<Training>,
        checkpoint: Option<Checkpoint>,
        commands: UnboundedReceiver<Command>,
    ) -> Engine<'a> {
        Engine {
            run,
            training,
            commands,
            checkpoint,
        }
    }

    /// Train until the recipe's end, a client says stop, or an error makes it impossible to go on.
    pub(super) fn run(mut self) -> Result<(), Halt> {
        let data = self.data()?;
        let mut fit = self.fit(&data)?;
        let mut progress = Progress {
            last_save: Some(Instant::now()),
            ..Progress::default()
        };
        let mut first = fit
            .epoch(1, 0, Metrics::default())
            .map_err(TrainingError::from)?;
        let mut seconds = 0.0;
        if let Some(Checkpoint { header, best, .. }) = self.checkpoint.take() {
            progress = Progress {
                seen: header.seen,
                best: header.best,
                best_weights: best,
                ..progress
            };
            first = fit
                .epoch(header.epoch, header.batch, header.metrics)
                .map_err(TrainingError::from)?;
            seconds = header.seconds;
            // The one file that may be behind: it is made from the checkpoint.
            self.write_best(&progress)?;
        }
        if first.number() > self.recipe().epochs {
            self.run.notice(
                Level::Info,
                "every epoch is done: only the test is left".to_owned(),
            )?;
        }
        self.epochs(&mut fit, &mut progress, first, seconds)?;
        self.test(&progress, &data)
    }

    fn recipe(&self) -> &Recipe {
        &self.run.config.train.recipe
    }

    /// Every epoch from `epoch`, which is under way since `seconds`, to the recipe's last one, or
    /// to an early end.
    fn epochs<'data>(
        &mut self,
        fit: &mut Fit<'data>,
        progress: &mut Progress,
        mut epoch: Epoch<'data>,
        mut seconds: f64,
    ) -> Result<(), Halt> {
        while epoch.number() <= self.recipe().epochs {
            if self.is_enough(epoch.number() - 1, progress) {
                let patience = self.recipe().early_stopping;
                let text = format!(
                    "no better validation accuracy for {patience} epochs: the training ends here"
                );
                return Ok(self.run.notice(Level::Info, text)?);
            }
            self.batches(fit, progress, &mut epoch, seconds)?;
            self.end_epoch(fit, progress, &mut epoch, seconds)?;
            epoch = fit
                .epoch(epoch.number() + 1, 0, Metrics::default())
                .map_err(TrainingError::from)?;
            seconds = 0.0;
            self.save(fit, progress, &mut epoch, seconds)?;
        }
        Ok(())
    }

    /// Whether after `done` epochs the recipe's patience is at its end.
    fn is_enough(&self, done: usize, progress: &Progress) -> bool {
        let patience = self.recipe().early_stopping;
        patience > 0
            && progress
                .best
                .is_some_and(|best| done >= best.epoch + patience)
    }

    fn batches(
        &mut self,
        fit: &mut Fit,
        progress: &mut Progress,
        epoch: &mut Epoch,
        seconds: f64,
    ) -> Result<(), Halt> {
        while !epoch.is_done() {
            self.obey(fit, progress, epoch, seconds)?;
            let rate = learning_rate(
                self.recipe(),
                &progress.seen,
                epoch.number(),
                epoch.done(),
                epoch.batches(),
            );
            match fit.step(epoch, rate) {
                Err(TrainError::OutOfMemory(reason)) if fit.micro_batch() > 1 => {
                    // The batch was not learned from: it comes again, in smaller parts.
                    fit.set_micro_batch(fit.micro_batch().div_ceil(2));
                    self.run.tell(Event::MicroBatchReduced {
                        micro_batch: fit.micro_batch(),
                        reason,
                    })?;
                    continue;
                }
                outcome => outcome.map_err(TrainingError::from)?,
            }
            if progress.ticks.is_due() {
                epoch.settle().map_err(TrainingError::from)?;
                self.run.tell(Event::TrainingProgress(tick(epoch, rate)))?;
                progress.ticks.told();
            }
            let minutes = Duration::from_secs_f64(60.0 * self.run.config.train.checkpoint_minutes);
            if progress
                .last_save
                .is_some_and(|last| last.elapsed() >= minutes)
            {
                self.save_within(fit, progress, epoch, seconds)?;
            }
        }
        Ok(epoch.settle().map_err(TrainingError::from)?)
    }

    /// Measure the validation accuracy after the last batch, and what follows from it.
    fn end_epoch(
        &mut self,
        fit: &Fit,
        progress: &mut Progress,
        epoch: &mut Epoch,
        seconds: f64,
    ) -> Result<(), Halt> {
        let images_per_second = epoch.images_per_second();
        let valid = self.validate(fit, progress, epoch, seconds)?;
        let number = epoch.number();
        let done = TrainingEpoch {
            epoch: number,
            train_loss: epoch.metrics().loss(),
            train_accuracy: epoch.metrics().accuracy(),
            valid_loss: valid.loss(),
            valid_accuracy: valid.accuracy(),
            learning_rate: learning_rate(
                self.recipe(),
                &progress.seen,
                number,
                epoch.batches() - 1,
                epoch.batches(),
            ),
            images_per_second,
            seconds: seconds + epoch.seconds(),
        };
        progress.seen.epoch(self.recipe(), valid.accuracy());
        let is_best = progress
            .best
            .is_none_or(|best| valid.accuracy() > best.valid_accuracy);
        if is_best {
            progress.best = Some(Best {
                epoch: number,
                valid_accuracy: valid.accuracy(),
            });
            progress.best_weights = weights::blocks(fit.network()).map_err(TrainingError::from)?;
        }
        self.run.tell(Event::TrainingEpoch(done))?;
        if is_best {
            self.write_best(progress)
        } else {
            Ok(())
        }
    }

    fn validate(
        &mut self,
        fit: &Fit,
        progress: &mut Progress,
        epoch: &mut Epoch,
        seconds: f64,
    ) -> Result<Metrics, Halt> {
        let mut halt = None;
        let batch_size = fit.evaluation_batch();
        let valid = evaluate(fit.network(), fit.validation(), batch_size, || {
            self.obey(fit, progress, epoch, seconds).map_err(|reason| {
                halt = Some(reason);
                TrainError::Skipped
            })
        });
        match (valid, halt) {
            (_, Some(halt)) => Err(halt),
            (Ok(valid), None) if valid.loss().is_finite() => Ok(valid),
            (Ok(valid), None) => {
                let (epoch, batch) = (epoch.number(), epoch.batches());
                Err(TrainingError::from(TrainError::Diverged {
                    epoch,
                    batch,
                    loss: valid.loss(),
                })
                .into())
            }
            (Err(error), None) => Err(TrainingError::from(error).into()),
        }
    }

    /// Save a checkpoint: `epoch` and all before it.
    fn save(
        &mut self,
        fit: &Fit,
        progress: &mut Progress,
        epoch: &mut Epoch,
        seconds: f64,
    ) -> Result<(), Halt> {
        epoch.settle().map_err(TrainingError::from)?;
        let header = Header {
            seed: self.run.config.search.seed,
            epoch: epoch.number(),
            batch: epoch.done(),
            metrics: *epoch.metrics(),
            seconds: if epoch.done() == 0 {
                0.0
            } else {
                seconds + epoch.seconds()
            },
            seen: progress.seen,
            best: progress.best,
            micro_batch: fit.micro_batch(),
            journal_seq: self.run.recorder.synced_seq()?,
            config: Cow::Owned(self.run.config.to_toml()),
        };
        checkpoint::save(
            &self.run.directory.training_path(),
            &header,
            fit,
            &progress.best_weights,
        )?;
        progress.last_save = Some(Instant::now());
        Ok(())
    }

    /// A checkpoint within an epoch, which is worth telling.
    fn save_within(
        &mut self,
        fit: &Fit,
        progress: &mut Progress,
        epoch: &mut Epoch,
        seconds: f64,
    ) -> Result<(), Halt> {
        self.save(fit, progress, epoch, seconds)?;
        Ok(self.run.tell(Event::TrainingSaved {
            epoch: epoch.number(),
            batch: epoch.done(),
        })?)
    }

    /// `weights.safetensors` and `best.json`: what the training has come to so far.
    fn write_best(&self, progress: &Progress) -> Result<(), Halt> {
        let Some(best) = progress.best else {
            return Ok(());
        };
        let path = self.run.directory.weights_path();
        let weights = weights::serialized(&progress.best_weights, &path);
        write_atomically(&path, &weights.map_err(TrainingError::from)?)?;
        Ok(self
            .run
            .directory
            .write_best(&opening::BestFile::new(best, &self.training.architecture))?)
    }

    /// Classify the test images by the best weights, if that has not been done.
    fn test(&mut self, progress: &Progress, data: &TrainingData) -> Result<(), Halt> {
        let Some(best) = progress.best.filter(|_| !self.run.ledger().is_tested()) else {
            return Ok(());
        };
        let weights = (&progress.best_weights, best.epoch, best.valid_accuracy);
        match test_images::classify(
            &self.training.architecture,
            weights,
            &self.run.config.data,
            data,
        )? {
            Ok(test) => Ok(self.run.tell(Event::TestFinished(Box::new(test)))?),
            Err(missing) => Ok(self
                .run
                .notice(Level::Warning, format!("no test accuracy: {missing}"))?),
        }
    }
}

fn tick(epoch: &Epoch, learning_rate: f64) -> TrainingProgress {
    TrainingProgress {
        epoch: epoch.number(),
        batch: epoch.done(),
        batches: epoch.batches(),
        loss: epoch.metrics().loss(),
        accuracy: epoch.metrics().accuracy(),
        learning_rate,
        images_per_second: epoch.images_per_second(),
    }
}

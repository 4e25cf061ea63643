//! The training itself: epochs, commands in between, checkpoints, the end.
//!
//! It has one thread. Its state is always the last checkpoint: if it is killed, the records of
//! later batches and epochs are void and that work is repeated, bit-identically on a CPU (same
//! seeds, same order of images, same number of threads).

mod opening;
mod stage;
mod steering;

use std::borrow::Cow;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use super::TrainingError;
use super::checkpoint::{self, TrainingCheckpoint, TrainingHeader};
use super::rate::{BatchPlace, learning_rate};
use super::test_images::{self, BestWeights};
use super::work::Training;
use crate::child::weights;
use crate::config::{Recipe, StageSpan};
use crate::event::{Event, Level, Measured, Measuring};
use crate::foundation::sealed::Blocks;
use crate::link::Orders;
use crate::runs::directory::{BEST, TRAINING_CHECKPOINT, WEIGHTS};
use crate::session::{Halt, Run};
use crate::train::memory::Holding;
use crate::train::tick::Ticks;
use crate::train::{Epoch, Fit, Metrics, Place, TrainError, TrainingData, evaluate};

/// A training in progress in this process.
pub(super) struct TrainingEngine<'a> {
    pub(super) run: &'a mut Run<Training>,
    pub(super) training: Training,
    pub(super) orders: Orders,
    /// Waits for orders during a pause.
    pub(super) runtime: Runtime,
    pub(super) checkpoint: Option<TrainingCheckpoint>,
    /// The memory of the device, once there are images.
    pub(super) holding: Option<Holding>,
}

/// How far the training has progressed.
struct EngineState<'data> {
    /// The epoch in progress, and the seconds that earlier sessions spent on it.
    epoch: Epoch<'data>,
    seconds: f64,
    /// The weights of the best epoch.
    best_weights: Blocks,
    ticks: Ticks,
    last_save: Instant,
}

impl TrainingEngine<'_> {
    /// Train until the end of the recipe, a client asks for a stop, or an error makes it impossible
    /// to continue.
    pub(super) fn run(mut self) -> Result<(), Halt> {
        let mut images = self.images()?;
        let mut stage = self.stage();
        let mut data = self.data(&mut images, stage)?;
        self.open(&data)?;
        loop {
            let best_weights = self.train(&data, stage)?;
            // The last checkpoint of the stage is on disk from here on.
            let mut stood_still = Duration::ZERO;
            self.obey_between(data.device, &mut stood_still, || Ok(()))?;
            if stage.is_none_or(|stage| stage.last >= self.recipe().epochs) {
                return self.test(&best_weights, &data);
            }
            // The next stage continues from the checkpoint, as it would after a kill.
            self.checkpoint = TrainingCheckpoint::load(&self.run.directory().training_path())?;
            stage = self.stage();
            // One copy of the images at a time.
            drop(data);
            data = self.data(&mut images, stage)?;
        }
    }

    /// The stage of the epoch in progress; `None` if the recipe has no stages.
    fn stage(&self) -> Option<StageSpan> {
        let checkpoint = self.checkpoint.as_ref();
        let epoch = checkpoint.map_or(1, |checkpoint| checkpoint.header.epoch);
        self.recipe().stage_at(epoch)
    }

    /// Train until the end of the stage, or of all epochs if there are no stages. Returns the
    /// weights of the best epoch.
    fn train(&mut self, data: &TrainingData, stage: Option<StageSpan>) -> Result<Blocks, Halt> {
        let mut fit = self.fit(data, stage)?;
        let mut progress = EngineState {
            epoch: fit.epoch(1, 0, Metrics::default())?,
            seconds: 0.0,
            best_weights: Blocks::new(),
            ticks: Ticks::default(),
            last_save: Instant::now(),
        };
        if let Some(TrainingCheckpoint { header, best, .. }) = self.checkpoint.take() {
            let mut epoch = fit.epoch(header.epoch, header.batch, header.metrics)?;
            epoch.continue_at(header.images_per_second);
            progress = EngineState {
                epoch,
                seconds: header.seconds,
                best_weights: best,
                ..progress
            };
        }
        // After a kill these files may be of an epoch that the checkpoint does not include.
        self.write_best(&progress)?;
        if progress.epoch.number() > self.recipe().epochs {
            let left = if self.run.config.train.test {
                "only the test is left"
            } else {
                "nothing is left"
            };
            let text = format!("every epoch is done: {left}");
            self.run.notice(Level::Info, text)?;
        }
        let last = stage.map_or(self.recipe().epochs, |stage| stage.last);
        let ending = self
            .enter(&mut fit, &mut progress, stage)
            .and_then(|()| self.epochs(&mut fit, &mut progress, last));
        if matches!(ending, Err(Halt::Stopped)) {
            self.save_within(&fit, &mut progress)?;
        }
        ending.map(|()| progress.best_weights)
    }

    fn recipe(&self) -> &Recipe {
        &self.run.config.train.recipe
    }

    /// Every epoch from the current one to number `last`, or until early stopping.
    fn epochs<'data>(
        &mut self,
        fit: &mut Fit<'data>,
        progress: &mut EngineState<'data>,
        last: usize,
    ) -> Result<(), Halt> {
        while progress.epoch.number() <= last {
            if self.run.ledger().is_out_of_patience() {
                let patience = self.recipe().early_stopping;
                let text = format!(
                    "no better validation accuracy for {patience} epochs: the training ends here"
                );
                return Ok(self.run.notice(Level::Info, text)?);
            }
            self.batches(fit, progress)?;
            self.end_epoch(fit, progress)?;
            progress.epoch = fit.epoch(progress.epoch.number() + 1, 0, Metrics::default())?;
            progress.seconds = 0.0;
            self.save(fit, progress)?;
        }
        Ok(())
    }

    /// The learning rate of a batch (from 0) of the current epoch.
    fn rate(&self, epoch: &Epoch, batch: usize) -> f64 {
        let reductions = self.run.ledger().rate_reductions();
        let place = BatchPlace {
            epoch: epoch.number(),
            batch,
            batches: epoch.batches(),
            images: epoch.images(),
        };
        learning_rate(self.recipe(), reductions, place)
    }

    fn batches(&mut self, fit: &mut Fit, progress: &mut EngineState) -> Result<(), Halt> {
        while !progress.epoch.is_done() {
            self.obey(fit, progress)?;
            let rate = self.rate(&progress.epoch, progress.epoch.done());
            match fit.step(&mut progress.epoch, rate) {
                Err(TrainError::OutOfMemory(reason)) if fit.micro_batch() > 1 => {
                    // Nothing was learned from the batch: it is repeated in smaller parts.
                    self.reduce_micro_batch(fit, fit.micro_batch().div_ceil(2), reason)?;
                    continue;
                }
                outcome => outcome?,
            }
            if progress.ticks.is_due() {
                progress.epoch.settle()?;
                let tick = progress.epoch.progress(rate);
                self.run.tell(Event::TrainingProgress(tick))?;
                progress.ticks.told();
            }
            let minutes = Duration::from_secs_f64(60.0 * self.run.config.train.checkpoint_minutes);
            if progress.last_save.elapsed() >= minutes {
                self.save_within(fit, progress)?;
            }
        }
        Ok(progress.epoch.settle()?)
    }

    /// Measure the validation accuracy after the last batch, and act on it. If an average of the
    /// weights is kept, it takes their place in the meantime.
    fn end_epoch(&mut self, fit: &mut Fit, progress: &mut EngineState) -> Result<(), Halt> {
        fit.exchange_average(Place::InUse)?;
        let measured = self.measure(fit, progress);
        // Also if it was stopped: what is saved are the weights that are trained.
        fit.exchange_average(Place::Beside)?;
        measured
    }

    fn measure(&mut self, fit: &mut Fit, progress: &mut EngineState) -> Result<(), Halt> {
        let rate = self.rate(&progress.epoch, progress.epoch.batches() - 1);
        // If it goes on from here, nobody has been told that the batches are done.
        let done = progress.epoch.progress(rate);
        self.run.tell(Event::TrainingProgress(done))?;
        if fit.average().is_some() {
            self.estimate_statistics(fit, progress)?;
        }
        let valid = self.validate(fit, progress)?;
        let number = progress.epoch.number();
        let mut done = progress.epoch.figures(&valid, rate)?;
        done.seconds += progress.seconds;
        done.label_smoothing = self.recipe().label_smoothing;
        done.cutmix = self.recipe().cutmix;
        done.averaged = self.recipe().averages();
        self.run.tell(Event::TrainingEpoch(done))?;
        if self
            .run
            .ledger()
            .best()
            .is_none_or(|best| best.epoch != number)
        {
            return Ok(());
        }
        progress.best_weights = weights::blocks(fit.network()).map_err(TrainingError::from)?;
        self.write_best(progress)
    }

    fn validate(&mut self, fit: &Fit, progress: &mut EngineState) -> Result<Metrics, Halt> {
        let mut halt = None;
        let (batch_size, of) = (fit.evaluation_batch(), fit.validation().len());
        let valid = evaluate(fit.network(), fit.validation(), batch_size, |images| {
            let measuring = Measuring {
                what: Measured::Validation,
                images,
                of,
            };
            let obeyed = self.obey(fit, progress);
            let told =
                obeyed.and_then(|()| self.measuring(measuring, fit.device(), &mut progress.ticks));
            told.map_err(|reason| {
                halt = Some(reason);
                TrainError::Skipped
            })
        });
        match halt {
            Some(halt) => Err(halt),
            None => Ok(valid?),
        }
    }

    /// Save a checkpoint of `epoch` and everything before it.
    fn save(&mut self, fit: &Fit, progress: &mut EngineState) -> Result<(), Halt> {
        progress.epoch.settle()?;
        let header = TrainingHeader {
            seed: self.run.config.search.seed,
            epoch: progress.epoch.number(),
            batch: progress.epoch.done(),
            metrics: *progress.epoch.metrics(),
            seconds: if progress.epoch.done() == 0 {
                0.0
            } else {
                progress.seconds + progress.epoch.seconds()
            },
            images_per_second: progress.epoch.images_per_second(),
            micro_batch: fit.micro_batch(),
            journal_seq: self.run.recorder.last_seq(),
            config: Cow::Owned(self.run.config.to_toml()),
        };
        let contents = checkpoint::encode(&header, fit, &progress.best_weights)?;
        self.run.recorder.replace(TRAINING_CHECKPOINT, contents)?;
        progress.last_save = Instant::now();
        Ok(())
    }

    /// Save a checkpoint within an epoch, which is announced.
    fn save_within(&mut self, fit: &Fit, progress: &mut EngineState) -> Result<(), Halt> {
        self.save(fit, progress)?;
        Ok(self.run.tell(Event::TrainingSaved {
            epoch: progress.epoch.number(),
            batch: progress.epoch.done(),
        })?)
    }

    /// Write `weights.safetensors` and `best.json`: the results of the training so far. As long as
    /// there are none, there are no such files.
    fn write_best(&mut self, progress: &EngineState) -> Result<(), Halt> {
        let Some(best) = self.run.ledger().best().cloned() else {
            return Ok(self.run.recorder.void_best()?);
        };
        let best = opening::BestFile::new(&best, &self.training.architecture);
        let path = self.run.directory().weights_path();
        let weights = weights::serialized(&progress.best_weights, &path);
        let recorder = &mut self.run.recorder;
        recorder.replace(WEIGHTS, weights.map_err(TrainingError::from)?)?;
        Ok(recorder.replace_json(BEST, &best)?)
    }

    /// Classify the test images with the best weights, unless that has been done or is not wanted.
    fn test(&mut self, best_weights: &Blocks, data: &TrainingData) -> Result<(), Halt> {
        if !self.run.config.train.test {
            let text = "test images not used: train.test is false";
            return Ok(self.run.notice(Level::Info, text)?);
        }
        let ledger = self.run.ledger();
        let Some(best) = ledger.best().filter(|_| !ledger.is_tested()).cloned() else {
            return Ok(());
        };
        let weights = BestWeights {
            values: best_weights,
            epoch: &best,
            mirrored: self.recipe().mirrored_test,
        };
        let (architecture, config) = (
            self.training.architecture.clone(),
            self.run.config.data.clone(),
        );
        let (mut stood_still, mut ticks) = (Duration::ZERO, Ticks::default());
        let mut halt = None;
        let tested = test_images::classify(&architecture, weights, &config, data, |measuring| {
            let obeyed = self.obey_between(data.device, &mut stood_still, || Ok(()));
            let told = obeyed.and_then(|()| self.measuring(measuring, data.device, &mut ticks));
            told.map_err(|reason| {
                halt = Some(reason);
                TrainError::Skipped
            })
        });
        if let Some(halt) = halt {
            return Err(halt);
        }
        match tested? {
            Ok(mut test) => {
                test.seconds -= stood_still.as_secs_f64();
                Ok(self.run.tell(Event::TestFinished(Box::new(test)))?)
            }
            Err(missing) => Ok(self
                .run
                .notice(Level::Warning, format!("no test accuracy: {missing}"))?),
        }
    }
}

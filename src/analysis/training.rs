//! The summary of a training: `summary.json` and the text at its end, computed from the events at
//! any time.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::RunSummary;
use super::selection::found_in_words;
use super::summary::{duration, reason_word};
use crate::classification::{ClassificationReport, MirroredAccuracy};
use crate::config::{Precision, Recipe};
use crate::event::{Event, FinishReason, Found, InitialWeights, Record, RunKind, TrainingEpoch};
use crate::foundation::numbers;
use crate::state::clock::Clock;
use crate::state::{RunState, RunStatus, TrainingRun};

/// The results of a training so far. The field names are those of `summary.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingSummary {
    /// Name of the run directory; empty, like other values from `training_started`, if the run
    /// never reached it.
    pub run: String,
    /// `training`, which distinguishes this summary from a search's, which has no such field.
    pub kind: RunKind,
    /// ARCH as given by the user.
    pub origin: String,
    /// Name of the network.
    pub architecture: String,
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulates for one image.
    pub macs: u64,
    /// Name of the recipe.
    pub recipe: String,
    /// The recipe itself; null if the training never began.
    pub settings: Option<Recipe>,
    /// Seed of the initial weights, the order of the images and their augmentation.
    pub seed: u64,
    /// SPEC with its folder.
    pub data: String,
    /// Why the last session ended; null while one is in progress and after a crash.
    pub reason: Option<FinishReason>,
    /// Number of epochs that have ended.
    pub epochs_done: usize,
    /// Maximum number of epochs; early stopping may have ended the training sooner.
    pub epochs: usize,
    /// The epoch with the highest validation accuracy, whose weights are saved; in stages, of those on
    /// whole images. Null before the end of the first such epoch.
    pub best: Option<BestEpoch>,
    /// The results on the test images, classified once with the best weights. Null before.
    pub test: Option<ClassificationReport>,
    /// Whether the test images are not used (`train.test = false`); absent if they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_test: bool,
    /// The results on the test images with their mirror images: a figure of its own, which decides
    /// nothing. Absent if it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirrored_test: Option<MirroredAccuracy>,
    /// Working time in seconds over all sessions; pauses and the time between sessions do not
    /// count.
    pub wall_seconds: f64,
    /// How often it was resumed.
    #[serde(default)]
    pub resumptions: usize,
    /// What a search said of the network, if it is a child of one; absent if not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
    /// What it began with; absent if the weights were random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial: Option<InitialWeights>,
    /// Training images per second: the median over the epochs (in stages, those on whole images). Null
    /// before the end of the first of them.
    pub images_per_second: Option<f64>,
    /// Images computed at a time, at the end.
    pub micro_batch: usize,
    /// Precision of the convolutions; null if the training never began.
    pub precision: Option<Precision>,
    /// `cpu`, or the GPU's name.
    pub device: String,
    /// CPU threads of the process.
    pub threads: usize,
    /// Name of the machine on which the training began.
    pub host: String,
    /// Version of nas-tui.
    pub version: String,
    /// Version of libtorch.
    pub libtorch: String,
}

/// The epoch with the highest validation accuracy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BestEpoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// Validation accuracy, 0..=1.
    pub valid_accuracy: f64,
    /// Mean cross-entropy per validation image, nats.
    pub valid_loss: f64,
}

impl RunSummary for TrainingSummary {
    type Tally = TrainingTally;

    fn count(tally: &mut TrainingTally, record: &Record) {
        tally.apply(record);
    }

    fn of(tally: &TrainingTally) -> TrainingSummary {
        tally.summary()
    }
}

/// A training's events, fed one at a time.
#[derive(Debug, Default)]
pub struct TrainingTally {
    training: Option<TrainingRun>,
    clock: Clock,
    status: RunStatus,
    resumptions: usize,
}

impl TrainingTally {
    /// What the records add up to that led to this state.
    pub fn of(state: &RunState, resumptions: usize) -> TrainingTally {
        TrainingTally {
            training: state.training_run().cloned(),
            clock: state.clock.clone(),
            status: state.status,
            resumptions,
        }
    }

    /// Process the next record of the run.
    pub fn apply(&mut self, record: &Record) {
        self.clock.apply(record);
        self.status.apply(&record.event);
        match &record.event {
            Event::TrainingStarted(started) => self.training = Some(TrainingRun::new(started)),
            Event::RunResumed { .. } => self.resumptions += 1,
            _ => {}
        }
        if let Some(training) = &mut self.training {
            training.apply(&record.event, record.seq.unwrap_or_default());
        }
    }

    /// The summary of the records so far.
    pub fn summary(&self) -> TrainingSummary {
        let (reason, wall_seconds) = (self.status.reason(), self.clock.seconds());
        let Some(training) = self.training.clone() else {
            return TrainingSummary {
                kind: RunKind::Training,
                reason,
                wall_seconds,
                ..TrainingSummary::default()
            };
        };
        let best = training.best().map(BestEpoch::from);
        let images_per_second = median(
            training
                .whole_epochs()
                .map(|epoch| epoch.images_per_second)
                // Not known: older versions wrote 0 after a stop during validation.
                .filter(|speed| *speed > 0.0)
                .collect(),
        );
        let started = training.started;
        TrainingSummary {
            run: started.run,
            kind: RunKind::Training,
            origin: started.origin,
            architecture: started.architecture.name,
            params: started.params,
            macs: started.macs,
            recipe: started.recipe,
            epochs: started.settings.epochs,
            settings: Some(started.settings),
            seed: started.seed,
            data: started.data.spec,
            reason,
            epochs_done: training.epochs.len(),
            best,
            mirrored_test: training
                .test
                .as_ref()
                .and_then(|test| test.mirrored.clone()),
            test: training.test.map(|test| test.report),
            without_test: started.without_test,
            wall_seconds,
            resumptions: self.resumptions,
            found: started.found,
            initial: started.initial,
            images_per_second,
            micro_batch: training.micro_batch,
            precision: Some(started.precision),
            device: started.device,
            threads: started.threads,
            host: started.host,
            version: started.version,
            libtorch: started.libtorch,
        }
    }
}

impl From<&TrainingEpoch> for BestEpoch {
    fn from(epoch: &TrainingEpoch) -> BestEpoch {
        BestEpoch {
            epoch: epoch.epoch,
            valid_accuracy: epoch.valid_accuracy,
            valid_loss: epoch.valid_loss,
        }
    }
}

/// The middle value, or the mean of the two in the middle; `None` if there are no values.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some((lower + upper) / 2.0)
}

impl fmt::Display for TrainingSummary {
    /// The text at the end of a training: the network, progress and speed, the best epoch, the
    /// test.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.run.is_empty() {
            return writeln!(
                f,
                "{}: the training had not begun",
                reason_word(self.reason)
            );
        }
        self.write_head(f)?;
        if let Some(initial) = &self.initial {
            writeln!(f, "began with {initial}")?;
        }
        self.write_progress(f)?;
        if let Some(found) = &self.found {
            let words = found_in_words(found);
            writeln!(
                f,
                "validation accuracy in the search: {} ({words})",
                numbers::accuracy(found.accuracy)
            )?;
        }
        self.write_test(f)
    }
}

impl TrainingSummary {
    /// The network, and how it was trained.
    fn write_head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TrainingSummary {
            run,
            architecture,
            recipe,
            seed,
            params,
            macs,
            device,
            threads,
            micro_batch,
            ..
        } = self;
        writeln!(
            f,
            "run {run}: {} (training of {architecture}, recipe {recipe}, seed {seed})",
            reason_word(self.reason)
        )?;
        let precision = match self.precision {
            Some(Precision::Bf16) => "bf16",
            Some(Precision::Float32) => "float32",
            Some(Precision::Auto) | None => "precision unknown",
        };
        let threads = numbers::counted(*threads as u64, "thread");
        writeln!(
            f,
            "{params} parameters, {macs} MACs; {precision} on {device} with {threads}, {micro_batch} images at a time"
        )
    }

    /// Progress and speed, and the best epoch.
    fn write_progress(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let speed = self.images_per_second.map_or_else(String::new, |speed| {
            let epochs = self.on_whole_images();
            format!("; {speed:.0} images/s (median of the epochs{epochs})")
        });
        writeln!(
            f,
            "{} of at most {} in {}{speed}",
            self.epochs_done,
            numbers::counted(self.epochs as u64, "epoch"),
            duration(self.wall_seconds)
        )?;
        match &self.best {
            Some(BestEpoch {
                epoch,
                valid_accuracy,
                valid_loss,
            }) => writeln!(
                f,
                "best validation accuracy: {} (epoch {epoch}, loss {}{})",
                numbers::accuracy(*valid_accuracy),
                numbers::loss(*valid_loss),
                self.of_which_weights()
            ),
            None => writeln!(
                f,
                "best validation accuracy: none, no epoch{} has ended yet",
                self.on_whole_images()
            ),
        }
    }

    /// Which epochs can be the best, where not all can.
    fn on_whole_images(&self) -> &'static str {
        match &self.settings {
            Some(recipe) if recipe.stages.len() > 1 => " on whole images",
            _ => "",
        }
    }

    /// Says that the figures are those of averaged weights.
    fn of_which_weights(&self) -> &'static str {
        match &self.settings {
            Some(recipe) if recipe.averages() => "; averaged weights",
            _ => "",
        }
    }

    fn write_test(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.test {
            Some(ClassificationReport {
                accuracy,
                accuracy_ci95,
                correct,
                images,
                ..
            }) => {
                writeln!(
                    f,
                    "test accuracy: {} (95 % interval {}; {correct} of {images} images)",
                    numbers::accuracy(*accuracy),
                    numbers::accuracies(*accuracy_ci95)
                )
            }
            None if self.without_test => {
                writeln!(
                    f,
                    "test accuracy: not measured; test images not used (train.test = false)"
                )
            }
            None => writeln!(
                f,
                "test accuracy: not measured yet; the test images are classified once, after the last epoch"
            ),
        }?;
        match &self.mirrored_test {
            Some(MirroredAccuracy {
                accuracy,
                accuracy_ci95,
                correct,
                images,
                ..
            }) => writeln!(
                f,
                "mirrored test accuracy: {} (95 % interval {}; {correct} of {images} images, each together with its mirror image)",
                numbers::accuracy(*accuracy),
                numbers::accuracies(*accuracy_ci95)
            ),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}

//! The summary of a training: `summary.json` and the text at its end, computed from the events at any time.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::classification::ClassificationReport;
use crate::clock::Clock;
use crate::config::Precision;
use crate::event::{Event, FinishReason, Record};
use crate::journal::{JournalError, Reader};
use crate::state::TrainingRun;

/// What came of a training so far. The field names are `summary.json`'s.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingSummary {
    /// Always `training`: what kind of run this is.
    pub kind: String,
    /// Name of the run directory; empty where the run never got as far as `training_started`.
    pub run: String,
    /// Name of the network, and the ARCH it was named by.
    pub network: String,
    pub origin: String,
    pub params: u64,
    pub macs: u64,
    pub recipe: String,
    pub seed: u64,
    pub device: String,
    pub precision: Option<Precision>,
    pub micro_batch: usize,
    /// Why the last session ended; null while one is at work and after a crash.
    pub reason: Option<FinishReason>,
    pub epochs_done: usize,
    /// At most.
    pub epochs: usize,
    /// The epoch with the highest validation accuracy; the earlier of equals. Null before the first.
    pub best: Option<BestEpoch>,
    /// What the test images say of that epoch's weights; null before the end, and where there are none.
    pub test: Option<ClassificationReport>,
    /// Seconds at work over all sessions; pauses and the time between sessions do not count.
    pub wall_seconds: f64,
    /// Median over the epochs.
    pub images_per_second: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BestEpoch {
    pub epoch: usize,
    pub valid_accuracy: f64,
    pub valid_loss: f64,
}

impl TrainingSummary {
    /// Summary of a run's records, in the order of its journal.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> TrainingSummary {
        let mut tally = Tally::default();
        records.into_iter().for_each(|record| tally.apply(record));
        tally.summary()
    }

    /// Summary of the journal at `path`, read line by line.
    pub fn of_journal(path: &Path) -> Result<TrainingSummary, JournalError> {
        let mut tally = Tally::default();
        for record in Reader::open(path)? {
            tally.apply(&record?);
        }
        Ok(tally.summary())
    }

    /// `summary.json`: indented, with a newline at the end.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

/// A training's events, fed one at a time.
#[derive(Debug, Default)]
pub struct Tally {
    run: Option<TrainingRun>,
    clock: Clock,
    reason: Option<FinishReason>,
}

impl Tally {
    pub fn apply(&mut self, record: &Record) {
        self.clock.apply(record);
        if let Some(run) = &mut self.run {
            run.apply(&record.event);
        }
        match &record.event {
            Event::TrainingStarted(started) => self.run = Some(TrainingRun::new(started)),
            Event::RunResumed { .. } => self.reason = None,
            Event::RunFinished { reason, .. } => self.reason = Some(*reason),
            _ => {}
        }
    }

    pub fn summary(&self) -> TrainingSummary {
        let started = self.run.as_ref().map(|run| &run.started);
        let text = |text: Option<&String>| text.cloned().unwrap_or_default();
        let best = self.run.as_ref().and_then(TrainingRun::best).map(|best| BestEpoch {
            epoch: best.epoch,
            valid_accuracy: best.valid_accuracy,
            valid_loss: best.valid_loss,
        });
        TrainingSummary {
            kind: "training".to_owned(),
            run: text(started.map(|started| &started.run)),
            network: text(started.map(|started| &started.architecture.name)),
            origin: text(started.map(|started| &started.origin)),
            params: started.map_or(0, |started| started.params),
            macs: started.map_or(0, |started| started.macs),
            recipe: text(started.map(|started| &started.recipe)),
            seed: started.map_or(0, |started| started.seed),
            device: text(started.map(|started| &started.device)),
            precision: started.map(|started| started.precision),
            micro_batch: self.run.as_ref().map_or(0, |run| run.micro_batch),
            reason: self.reason,
            epochs_done: self.run.as_ref().map_or(0, |run| run.epochs.len()),
            epochs: started.map_or(0, |started| started.settings.epochs),
            best,
            test: self.run.as_ref().and_then(|run| run.test.as_ref()).map(|test| test.report.clone()),
            wall_seconds: self.clock.seconds(),
            images_per_second: self.run.as_ref().and_then(median_speed),
        }
    }
}

fn median_speed(run: &TrainingRun) -> Option<f64> {
    let mut speeds: Vec<f64> = run.epochs.iter().map(|epoch| epoch.images_per_second).collect();
    speeds.sort_by(f64::total_cmp);
    speeds.get(speeds.len() / 2).copied()
}

impl fmt::Display for TrainingSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TrainingSummary { run, network, params, epochs_done, epochs, wall_seconds, .. } = self;
        writeln!(f, "{run}: {network} ({params} parameters), {epochs_done} of at most {epochs} epochs in {wall_seconds:.1} s")?;
        match &self.best {
            Some(best) => writeln!(f, "best validation accuracy {:.4} (epoch {})", best.valid_accuracy, best.epoch)?,
            None => writeln!(f, "no epoch is done yet")?,
        }
        match &self.test {
            Some(ClassificationReport { accuracy, accuracy_ci95: [low, high], images, .. }) => {
                writeln!(f, "test accuracy {accuracy:.4} (95 % {low:.4} to {high:.4}) on {images} images")
            }
            None => writeln!(f, "test accuracy: not measured"),
        }
    }
}

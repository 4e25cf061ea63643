//! What a training needs to know about its run's past.

use crate::event::{Event, Record, TrainingEpoch};
use crate::session::{Begun, Ledger};
use crate::state::TrainingRun;

/// The training so far. A resumed training fills it from the journal, then continues as if it had
/// never been interrupted.
#[derive(Debug, Default)]
pub struct TrainingLedger {
    pub(super) run: Option<TrainingRun>,
}

impl Ledger for TrainingLedger {
    fn apply(&mut self, record: &Record) {
        if let Some(run) = &mut self.run {
            run.apply(&record.event, record.seq.unwrap_or_default());
        }
        if let Event::TrainingStarted(started) = &record.event {
            self.run = Some(TrainingRun::new(started));
        }
    }

    fn begun(&self) -> Option<Begun<'_>> {
        let started = &self.run.as_ref()?.started;
        Some(Begun {
            data: &started.data,
            workers: None,
            threads: Some(started.threads),
            device: Some(&started.device),
            libtorch: Some(&started.libtorch),
        })
    }

    fn has_checkpoint(&self) -> bool {
        self.steps_done() > 0
    }

    fn steps_done(&self) -> u64 {
        self.run.as_ref().map_or(0, |run| run.epochs.len() as u64)
    }
}

impl TrainingLedger {
    /// The best epoch so far.
    pub fn best(&self) -> Option<&TrainingEpoch> {
        self.run.as_ref()?.best()
    }

    /// Whether early stopping ends the training before its next epoch.
    pub fn is_out_of_patience(&self) -> bool {
        self.run
            .as_ref()
            .is_some_and(TrainingRun::is_out_of_patience)
    }

    /// How often the plateau schedule has reduced the learning rate.
    pub fn rate_reductions(&self) -> u32 {
        self.run.as_ref().map_or(0, TrainingRun::rate_reductions)
    }

    /// Whether the test images have been classified, which happens only once.
    pub fn is_tested(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.test.is_some())
    }
}

//! What a training needs to know of its run's past.

use crate::event::{Event, FinishReason, Record};
use crate::state::TrainingRun;
use crate::state::clock::Clock;

/// The training so far. A resumed one fills it from the journal, then goes on as if it had seen it
/// all happen.
#[derive(Debug, Default)]
pub struct Ledger {
    pub run: Option<TrainingRun>,
    pub clock: Clock,
    /// How the last session ended; none while one is at work and after a crash.
    finished: Option<FinishReason>,
}

impl crate::session::Ledger for Ledger {
    fn apply(&mut self, record: &Record) {
        self.clock.apply(record);
        if let Some(run) = &mut self.run {
            run.apply(&record.event, record.seq.unwrap_or_default());
        }
        match &record.event {
            Event::TrainingStarted(started) => self.run = Some(TrainingRun::new(started)),
            Event::RunResumed { .. } => self.finished = None,
            Event::RunFinished { reason, .. } => self.finished = Some(*reason),
            _ => {}
        }
    }
}

impl Ledger {
    pub fn is_complete(&self) -> bool {
        self.finished == Some(FinishReason::Completed)
    }

    pub fn epochs_done(&self) -> usize {
        self.run.as_ref().map_or(0, |run| run.epochs.len())
    }

    /// The test images have been classified: never again.
    pub fn is_tested(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.test.is_some())
    }
}

//! What a training needs to know of its run's past.

use crate::event::{Event, Record};
use crate::state::clock::Clock;
use crate::state::{RunStatus, TrainingRun};

/// The training so far. A resumed one fills it from the journal, then goes on as if it had seen it
/// all happen.
#[derive(Debug, Default)]
pub struct Ledger {
    pub run: Option<TrainingRun>,
    pub clock: Clock,
    status: RunStatus,
}

impl crate::session::Ledger for Ledger {
    fn apply(&mut self, record: &Record) {
        self.clock.apply(record);
        self.status.apply(&record.event);
        if let Some(run) = &mut self.run {
            run.apply(&record.event, record.seq.unwrap_or_default());
        }
        if let Event::TrainingStarted(started) = &record.event {
            self.run = Some(TrainingRun::new(started));
        }
    }
}

impl Ledger {
    pub fn is_complete(&self) -> bool {
        self.status == RunStatus::Completed
    }

    pub fn epochs_done(&self) -> usize {
        self.run.as_ref().map_or(0, |run| run.epochs.len())
    }

    /// The test images have been classified: never again.
    pub fn is_tested(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.test.is_some())
    }
}

//! What a training needs to know of its run's past.

use crate::event::{Event, FinishReason, Record};
use crate::session::Begun;
use crate::state::TrainingRun;
use crate::state::clock::Clock;

/// The training so far. A resumed one fills it from the journal, then goes on as if it had seen it
/// all happen.
#[derive(Debug, Default)]
pub struct Ledger {
    pub run: Option<TrainingRun>,
    clock: Clock,
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

    fn finished(&self) -> Option<FinishReason> {
        self.finished
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn has_checkpoint(&self) -> bool {
        self.epochs() > 0
    }

    fn children_ended(&self) -> u64 {
        0
    }

    fn epochs_done(&self) -> Option<usize> {
        Some(self.epochs())
    }
}

impl Ledger {
    fn epochs(&self) -> usize {
        self.run.as_ref().map_or(0, |run| run.epochs.len())
    }

    /// The test images have been classified: never again.
    pub fn is_tested(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.test.is_some())
    }
}

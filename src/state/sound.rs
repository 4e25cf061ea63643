//! Whether a state that was read from a file can be that of a run. What a journal is checked for line by
//! line (`event/reading.rs`) holds for a snapshot of it too, whoever wrote it.

use super::{Outcomes, RunState, SearchRun, TrainingRun, WorkState};
use crate::event::{Event, is_consistent};
use crate::space::Design;

impl RunState {
    /// Whether every consumer can calculate with it.
    pub fn is_sound(&self) -> bool {
        match &self.work {
            WorkState::Search(search) => search.is_sound(),
            WorkState::Training(training) => training.is_sound(),
        }
    }
}

impl SearchRun {
    fn is_sound(&self) -> bool {
        let candidates = self
            .trainings()
            .filter_map(|training| training.candidate.as_ref());
        let mut candidates = self.waiting.values().chain(candidates);
        self.episodes.len() == self.episode_seqs.len()
            && candidates.all(|candidate| is_buildable(&candidate.design))
            && self.notes.is_sound()
            && self.outcomes.is_sound()
    }
}

impl Outcomes {
    fn is_sound(&self) -> bool {
        let counts = self.counts;
        let apart = counts.failures + counts.excluded + counts.repeats + counts.retrained;
        apart <= counts.sampled
            && counts.stopped <= counts.sampled
            && self.designs().all(is_buildable)
    }
}

impl TrainingRun {
    fn is_sound(&self) -> bool {
        let started = Event::TrainingStarted(Box::new(self.started.clone()));
        let test = self.test.clone().map(Event::TestFinished);
        self.epochs.len() == self.epoch_seqs.len()
            && is_consistent(&started)
            && test.as_ref().is_none_or(is_consistent)
    }
}

fn is_buildable(design: &Design) -> bool {
    design
        .network()
        .is_none_or(|network| network.check().is_ok())
}

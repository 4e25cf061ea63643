//! Pausing: requested of every worker that trains, and reported once all of them have confirmed.

use super::Actor;
use crate::evaluate::Report;
use crate::evaluate::protocol::ToWorker;
use crate::evaluate::slot::{Doing, Worker};

/// Whether children are trained at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pause {
    Running,
    /// A pause was requested, but `Paused` has not been reported.
    Pausing,
    Paused,
}

impl Actor {
    pub(super) fn ask_to_pause(&mut self, number: u64) {
        (self.pause, self.pause_number) = (Pause::Pausing, number);
        for slot in &mut self.workers {
            if let (Doing::Training { .. }, Some(process)) = (&slot.doing, &mut slot.process) {
                // If sending fails, the news of the process's end follows.
                let _ = process.send(&ToWorker::Pause { number });
            }
        }
    }

    pub(super) fn resume(&mut self) {
        self.pause = Pause::Running;
        self.grant();
        for process in self
            .workers
            .iter_mut()
            .filter_map(|slot| slot.process.as_mut())
        {
            let _ = process.send(&ToWorker::Resume);
        }
    }

    /// Report the pause once each worker that trains has confirmed this particular pause.
    pub(super) fn report_pause(&mut self) {
        let number = self.pause_number;
        let moving = |slot: &Worker| {
            matches!(slot.doing, Doing::Training { .. }) && slot.paused != Some(number)
        };
        if self.pause == Pause::Pausing && !self.workers.iter().any(moving) {
            self.pause = Pause::Paused;
            (self.report)(Report::Paused { number });
        }
    }
}

//! Earlier moments of the run: after each of its episodes, or of a training's epochs. Every panel
//! shows the chosen moment.

use super::{App, Wanted};
use crate::event::Level;
use crate::state::RunState;

/// The run as it was after some of its records.
#[derive(Debug)]
pub struct Past {
    /// Sequence number of the last record that is part of it.
    pub seq: u64,
    /// The state after that record.
    pub state: Box<RunState>,
}

impl App {
    /// The state at the chosen moment, once the journal has been read. Until then the moment shown
    /// before remains.
    pub(super) fn past_state(&self) -> Option<&RunState> {
        self.view.moment?;
        self.past.as_ref().map(|past| &*past.state)
    }

    /// Whether the moment shown is not the present.
    pub fn in_the_past(&self) -> bool {
        self.view.moment.is_some()
    }

    pub(super) fn wanted_state(&self) -> Option<Wanted> {
        let seq = self.wanted_seq()?;
        let known = self.past.as_ref().is_some_and(|past| past.seq == seq);
        (!known).then_some(Wanted::State { seq })
    }

    fn wanted_seq(&self) -> Option<u64> {
        let steps = self.view.moment?;
        self.live.step_seqs().get(steps.checked_sub(1)?).copied()
    }

    /// Process an earlier state; one that is no longer wanted is dropped.
    pub fn take_past(&mut self, past: Past) {
        if self.wanted_seq() == Some(past.seq) {
            self.past = Some(past);
            self.renew_notes();
        }
    }

    /// Go to an earlier or later episode or epoch; the present follows the last finished one.
    pub(super) fn step_moment(&mut self, forward: bool) {
        let finished = self.live.step_seqs().len();
        // A run that has ended is already at the end of its last episode.
        let present = if self.is_over() {
            finished
        } else {
            finished + 1
        };
        let shown = self.view.moment.unwrap_or(present);
        let wanted = if forward {
            shown + 1
        } else {
            shown.saturating_sub(1)
        };
        let step = self.scene().step_name();
        match wanted {
            0 if finished == 0 => self.tell(
                Level::Info,
                format!("no {step} has finished yet: there is no earlier moment"),
            ),
            0 => self.tell(
                Level::Info,
                format!("this is the end of the first {step}: there is no earlier moment"),
            ),
            _ if forward && self.view.moment.is_none() => {
                self.tell(Level::Info, "this is the present: there is no later moment")
            }
            wanted if wanted >= present => self.return_to_the_present(),
            wanted => self.view.moment = Some(wanted),
        }
    }

    pub(super) fn return_to_the_present(&mut self) {
        self.view.moment = None;
        self.past = None;
    }
}

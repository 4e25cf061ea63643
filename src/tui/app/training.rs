//! The kind of run, and which parts of the screen it has.

use super::{App, Effect};
use crate::event::RunKind;
use crate::event::{Event, Level, Record};
use crate::state::RunState;
use crate::tui::keymap::{Action, Key};
use crate::tui::layout::Stage;

impl App {
    /// The kind of the run; before its first event, judging by its folder.
    pub fn kind(&self) -> RunKind {
        if self.live.has_begun() {
            self.live.kind()
        } else {
            self.expected
        }
    }

    /// Show the panels of this kind of run until the run itself tells its kind.
    pub fn expect(&mut self, kind: RunKind) {
        self.expected = kind;
        self.show_layout(self.view.layout);
    }

    /// What the panels are arranged for.
    pub fn stage(&self) -> Stage {
        match self.live.training_run() {
            None if self.kind() == RunKind::Training => Stage::Training,
            None => Stage::Search,
            Some(run) if run.test.is_some() => Stage::Tested,
            Some(_) => Stage::Training,
        }
    }

    /// Begin with the state that the records to come continue, if they continue one.
    pub fn start_from(&mut self, state: Option<Box<RunState>>) {
        let Some(state) = state else { return };
        self.live = *state;
        self.show_layout(self.view.layout);
        if self.stage() == Stage::Tested {
            self.show_test();
        }
    }

    /// Show the panels for the kind of run that a record reveals; and the test once there is one,
    /// if the overview no longer has room for the focused panel.
    pub(super) fn fit_to(&mut self, record: &Record) {
        match &record.event {
            Event::TrainingStarted(_) => self.show_layout(self.view.layout),
            Event::TestFinished(_) => self.show_test(),
            _ => {}
        }
    }

    fn show_test(&mut self) {
        let focus = self.view.focus;
        self.view.focus = focus.about().after_test.unwrap_or(focus);
    }

    /// Say that a key means nothing in this kind of run.
    pub(super) fn refuse(&mut self, action: Action, key: Key) -> Effect {
        let (own, other) = match self.kind() {
            RunKind::Search => (RunKind::Search, RunKind::Training),
            RunKind::Training => (RunKind::Training, RunKind::Search),
        };
        let does = self.keymap.help_of(action, other).unwrap_or_default();
        self.tell(
            Level::Info,
            format!(
                "this is a {}; in a {} {} means: {does}",
                own.noun(),
                other.noun(),
                key.name()
            ),
        );
        Effect::Draw
    }
}

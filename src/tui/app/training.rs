//! The kind of run, and which parts of the screen it has.

use super::{App, Effect};
use crate::event::RunKind;
use crate::event::{Event, Level, Record};
use crate::state::RunState;
use crate::tui::keymap::{Action, Context, Key};
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

    /// Say that an action means nothing in this kind of run.
    pub(super) fn refuse_action(&mut self, action: Action, key: Key) -> Effect {
        let does = self.keymap.help_of(action, self.other_kind());
        self.refuse(key, does.unwrap_or_default())
    }

    /// Say of a key that means nothing in the focused panel where it means something, if it does anywhere.
    pub(super) fn refuse_key(&mut self, context: Context, key: Key) -> Effect {
        let Context::Panel(_) = context else {
            return Effect::Nothing;
        };
        match self.keymap.in_panels(key, self.kind()) {
            [Some((panel, _)), _] => {
                let (key, name) = (key.name(), panel.name());
                self.tell(Level::Info, format!("{key} is a key of the panel {name}"));
                Effect::Draw
            }
            [None, Some((_, binding))] => self.refuse(key, without_place(binding.help)),
            [None, None] => match self.keymap.in_inspector(key) {
                Some(_) if self.kind() == RunKind::Search => {
                    let text = self.scene().inspector_first();
                    self.tell(Level::Info, text);
                    Effect::Draw
                }
                Some(binding) => self.refuse(key, without_place(binding.help)),
                None => Effect::Nothing,
            },
        }
    }

    fn refuse(&mut self, key: Key, does: &str) -> Effect {
        let (other, key) = (self.other_kind().noun(), key.name());
        let does = does.trim_end_matches(" (asks)");
        let text = format!("this is no {other}, where {key} means: {does}");
        self.tell(Level::Info, text);
        Effect::Draw
    }

    fn other_kind(&self) -> RunKind {
        match self.kind() {
            RunKind::Search => RunKind::Training,
            RunKind::Training => RunKind::Search,
        }
    }
}

/// What a key does, without the panel or page that its help names first.
fn without_place(help: &str) -> &str {
    help.split_once(": ").map_or(help, |(_, does)| does)
}

//! Writing notes on children. They are about a child and not about a moment, so they are the same at
//! every moment shown.

use super::{App, Effect};
use crate::event::{Event, Level, Record, checked_note};
use crate::foundation::text;
use crate::link::Command;
use crate::tui::keymap::Action;
use crate::tui::text_line::{Purpose, TextLine};

impl App {
    /// Start typing the note on the child in the inspector, or else on the one at hand.
    pub(super) fn begin_note(&mut self) {
        let child = self.inspected_child().or_else(|| self.child_at_hand());
        match (self.scene().why_not(Action::Note), child) {
            (Some(reason), _) => self.tell(Level::Warning, reason),
            (None, None) => self.tell(Level::Info, self.no_child()),
            (None, Some(child)) => {
                let line = TextLine::new(Purpose::Note(child), self.note_on(child));
                self.view.text = Some(line);
            }
        }
    }

    fn note_on(&self, child: u64) -> &str {
        self.live.search().notes.of(child).unwrap_or_default()
    }

    /// Send the note on `child` as typed in `line`, which stays open if that is impossible.
    pub(super) fn accept_note(&mut self, child: u64, mut line: TextLine) -> Effect {
        let typed = line.text();
        let note = checked_note(&typed).map_err(|error| error.to_string());
        let note = note.and_then(|note| match self.scene().why_not(Action::Note) {
            Some(reason) => Err(reason),
            None => Ok(note),
        });
        match note {
            Err(problem) => {
                line.problem = Some(problem);
                self.view.text = Some(line);
                Effect::Draw
            }
            Ok(note) if note == self.note_on(child) => Effect::Draw,
            Ok(note) => {
                self.remember(line.purpose, note);
                let text = note.to_owned();
                Effect::Send(Command::Note { child, text })
            }
        }
    }

    /// Show the notes of the present at the earlier moment shown, if there is one.
    pub(super) fn renew_notes(&mut self) {
        let past = self.past.as_mut();
        if let Some(search) = past.and_then(|past| past.state.search_mut()) {
            search.notes.clone_from(&self.live.search().notes);
        }
    }

    /// Show notes at once, and tell the user a notice that is for this screen alone: the answer to a command
    /// that has no effect, or why nothing follows.
    pub(super) fn hear(&mut self, record: &Record) {
        match (record.seq, &record.event) {
            (_, Event::ChildNoted { .. }) => self.renew_notes(),
            (None, Event::Notice { level, message }) => self.tell(*level, text::line(message)),
            _ => {}
        }
    }
}

//! The notes that users have written on children.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::pairs;
use crate::event::{Event, checked_note, tags};

/// The notes of a run. No figure and no decision depends on them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    #[serde(with = "pairs")]
    by_child: BTreeMap<u64, String>,
    /// Number of times that one was written or removed.
    changes: u64,
}

impl Notes {
    /// Process the next event of the run.
    pub fn apply(&mut self, event: &Event) {
        let Event::ChildNoted { child, text } = event else {
            return;
        };
        self.changes += 1;
        if text.is_empty() {
            self.by_child.remove(child);
        } else {
            self.by_child.insert(*child, text.clone());
        }
    }

    /// The note on a child, if there is one.
    pub fn of(&self, child: u64) -> Option<&str> {
        self.by_child.get(&child).map(String::as_str)
    }

    /// Every child with a note, by number, and its note.
    pub fn all(&self) -> impl Iterator<Item = (u64, &str)> {
        let pairs = self.by_child.iter();
        pairs.map(|(child, text)| (*child, text.as_str()))
    }

    /// Whether no child has a note.
    pub fn is_empty(&self) -> bool {
        self.by_child.is_empty()
    }

    /// The different tags in all notes, in order.
    pub fn tags(&self) -> BTreeSet<&str> {
        let notes = self.by_child.values();
        notes.flat_map(|text| tags(text)).collect()
    }

    /// A number that differs whenever notes were written or removed in between.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Whether each is what a journal may contain.
    pub(super) fn is_sound(&self) -> bool {
        let mut notes = self.by_child.values();
        notes.all(|text| !text.is_empty() && checked_note(text).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(child: u64, text: &str) -> Event {
        let text = text.to_owned();
        Event::ChildNoted { child, text }
    }

    #[test]
    fn the_last_note_on_a_child_counts_and_an_empty_one_removes_it() {
        let mut notes = Notes::default();
        for (child, text) in [
            (3, "#keep"),
            (12, "odd #loss"),
            (3, "#keep #loss"),
            (12, ""),
        ] {
            notes.apply(&noted(child, text));
        }
        notes.apply(&Event::Heartbeat { load: None });
        assert_eq!(notes.all().collect::<Vec<_>>(), [(3, "#keep #loss")]);
        assert_eq!((notes.of(3), notes.of(12)), (Some("#keep #loss"), None));
        assert_eq!(notes.tags(), BTreeSet::from(["#keep", "#loss"]));
        assert_eq!(notes.changes(), 4);
        notes.apply(&noted(3, ""));
        assert!(notes.is_empty() && notes.is_sound());
    }
}

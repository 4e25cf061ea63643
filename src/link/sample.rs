//! A run for tests: a journal, and the hub that announces it.

use super::{Hub, Orders};
use crate::event::{Event, Level};
use crate::journal::Journal;

pub struct SampleRun {
    pub folder: tempfile::TempDir,
    pub journal: Journal,
    pub hub: Hub,
    pub inbox: Orders,
}

impl SampleRun {
    pub fn new() -> SampleRun {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let journal = Journal::create(&path).unwrap();
        let (hub, inbox) = Hub::new(path, 0);
        SampleRun {
            folder,
            journal,
            hub,
            inbox,
        }
    }

    /// Write and announce a notice.
    pub fn tell(&mut self, message: impl ToString) {
        let event = Event::Notice {
            level: Level::Info,
            message: message.to_string(),
        };
        self.hub.publish(&self.journal.append(event).unwrap());
    }
}

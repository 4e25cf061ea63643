//! A run for tests: a journal, and the hub that announces it.

use std::sync::Arc;

use super::{Hub, Orders};
use crate::event::{ChildProgress, Event, Level, Record, VERSION};
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

    /// A tick of the first child, in training on `worker`.
    pub fn progress(worker: usize, batch: usize) -> Arc<Record> {
        Arc::new(Record {
            v: VERSION,
            seq: None,
            time: jiff::Timestamp::now(),
            event: Event::ChildProgress(ChildProgress {
                child: 1,
                worker,
                epoch: 1,
                epochs: 2,
                batch,
                batches: 10,
                loss: 2.0,
                images_per_second: 100.0,
            }),
        })
    }
}

//! The search's pen: an event goes to the journal, then into the ledger, then to every client.

use std::io;

use super::ledger::Ledger;
use crate::event::{Event, Level};
use crate::journal::Journal;
use crate::link::Hub;

/// Journal, ledger and hub of one run, always in step.
#[derive(Debug)]
pub struct Recorder {
    journal: Journal,
    pub ledger: Ledger,
    pub hub: Hub,
}

impl Recorder {
    pub fn new(journal: Journal, ledger: Ledger, hub: Hub) -> Recorder {
        Recorder { journal, ledger, hub }
    }

    /// Record an event. On an error (a full disk) nobody has been told and the journal is as before.
    pub fn tell(&mut self, event: Event) -> io::Result<()> {
        let record = self.journal.append(event)?;
        self.ledger.apply(&record);
        self.hub.publish(&record);
        Ok(())
    }

    pub fn notice(&mut self, level: Level, message: impl Into<String>) -> io::Result<()> {
        self.tell(Event::Notice { level, message: message.into() })
    }

    /// Number of the last record.
    pub fn last_seq(&self) -> u64 {
        self.journal.last_seq()
    }

    /// Number of the last record, when it is on the disk with all before it: what is saved next may refer to it.
    pub fn synced_seq(&self) -> io::Result<u64> {
        self.journal.sync()?;
        Ok(self.last_seq())
    }
}

impl Drop for Recorder {
    /// However the search ended, a panic included, its clients must hear that it is over.
    fn drop(&mut self) {
        self.hub.close();
    }
}

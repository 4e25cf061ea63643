//! Records the events of a run: each goes to the journal, then into the ledger, then to every
//! client.

use std::fmt::Debug;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::event::{DataDescription, Event, Level, Record};
use crate::journal::{Journal, JournalError};
use crate::link::{Hub, Orders};
use crate::state::RunStatus;
use crate::state::clock::Clock;

/// By so much at most the working time of a session that is killed falls short.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// What the writer of a run needs to know about its past, from the events of all sessions.
pub trait Ledger: Debug + Default {
    /// Process the next record of the run.
    fn apply(&mut self, record: &Record);
    /// What the run was begun with; `None` if it has not begun.
    fn begun(&self) -> Option<Begun<'_>>;
    /// Whether a checkpoint has been saved.
    fn has_checkpoint(&self) -> bool;
    /// Number of steps done: children of a search that have ended, completed epochs of a training.
    fn steps_done(&self) -> u64;
}

/// The conditions a run was begun under that affect its results.
#[derive(Debug, Clone, Copy)]
pub struct Begun<'a> {
    /// The data it learns from, with their fingerprint.
    pub data: &'a DataDescription,
    /// Number of worker processes, if any.
    pub workers: Option<usize>,
    /// CPU threads of each process that trains. This, `device` and `libtorch` are absent if nothing
    /// is trained.
    pub threads: Option<usize>,
    /// `cpu`, or the GPU's name.
    pub device: Option<&'a str>,
    /// Version of libtorch.
    pub libtorch: Option<&'a str>,
}

/// Journal, ledger and hub of one run, always in step.
#[derive(Debug)]
pub struct Recorder<L> {
    journal: Journal,
    /// What the records so far add up to.
    pub ledger: L,
    /// Announces every record to the clients.
    pub hub: Hub,
    clock: Clock,
    status: RunStatus,
    /// When the last record was written.
    written: Instant,
}

/// A run's recorder, and the commands of its clients.
pub type Recording<L> = (Recorder<L>, Orders);

impl<L: Ledger> Recorder<L> {
    /// Create the journal at `path`, where no file may exist.
    ///
    /// # Errors
    /// I/O errors, also if a file exists.
    pub fn begin(path: PathBuf) -> Result<Recording<L>, JournalError> {
        let journal = Journal::create(&path).map_err(JournalError::at(&path))?;
        Ok(Recorder::assemble(journal, &[], path))
    }

    /// Continue the journal at `path`. A torn last line is cut off and described in the returned
    /// text.
    ///
    /// # Errors
    /// If the journal cannot be read, or is damaged anywhere else.
    pub fn resume(path: PathBuf) -> Result<(Recording<L>, Option<String>), JournalError> {
        if !path.exists() {
            // Killed between writing the settings and creating the journal.
            return Ok((Recorder::begin(path)?, None));
        }
        let opened = Journal::open(&path)?;
        let torn = opened.repaired.as_ref().map(|torn| {
            format!(
                "the journal ended in an unfinished line (line {}, {} bytes): cut off, and kept in journal.jsonl.torn",
                torn.line,
                torn.bytes.len()
            )
        });
        let opened = Recorder::assemble(opened.journal, &opened.records, path);
        Ok((opened, torn))
    }

    fn assemble(journal: Journal, records: &[Record], path: PathBuf) -> Recording<L> {
        let (hub, commands) = Hub::new(path, journal.last_seq());
        let mut recorder = Recorder {
            journal,
            ledger: L::default(),
            hub,
            clock: Clock::default(),
            status: RunStatus::default(),
            written: Instant::now(),
        };
        records.iter().for_each(|record| recorder.apply(record));
        (recorder, commands)
    }

    fn apply(&mut self, record: &Record) {
        self.clock.apply(record);
        self.status.apply(&record.event);
        self.ledger.apply(record);
    }

    /// The status of the run.
    pub fn status(&self) -> RunStatus {
        self.status
    }

    /// Working time of the run until now, in seconds and without pauses.
    pub fn seconds(&self) -> f64 {
        self.clock.seconds_until(jiff::Timestamp::now())
    }

    /// Record an event. If it is a tick and nothing has been written for a minute, a heartbeat is
    /// written first. On an error (for example a full disk) no client has been told and the
    /// journal is unchanged.
    ///
    /// # Errors
    /// Those of [`Journal::append`].
    pub fn tell(&mut self, event: Event) -> io::Result<()> {
        if event.is_tick() && self.written.elapsed() >= HEARTBEAT {
            self.record(Event::Heartbeat)?;
        }
        self.record(event)
    }

    fn record(&mut self, event: Event) -> io::Result<()> {
        let record = self.journal.append(event)?;
        if !record.event.is_tick() {
            self.written = Instant::now();
        }
        self.apply(&record);
        self.hub.publish(&record);
        Ok(())
    }

    /// Record a notice to the user.
    ///
    /// # Errors
    /// Those of [`Recorder::tell`].
    pub fn notice(&mut self, level: Level, message: impl Into<String>) -> io::Result<()> {
        self.tell(Event::Notice {
            level,
            message: message.into(),
        })
    }
}

impl<L> Recorder<L> {
    /// Number of the last record.
    pub fn last_seq(&self) -> u64 {
        self.journal.last_seq()
    }

    /// Number of the last record once it and all earlier ones are on disk, so that a checkpoint may
    /// refer to it.
    ///
    /// # Errors
    /// I/O errors.
    pub fn synced_seq(&self) -> io::Result<u64> {
        self.journal.sync()?;
        Ok(self.last_seq())
    }
}

impl<L> Drop for Recorder<L> {
    /// However the session ended, even with a panic, its clients must be told that it is over.
    fn drop(&mut self) {
        self.hub.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Measured, Measuring};
    use crate::journal;

    /// Nothing is remembered.
    #[derive(Debug, Default)]
    struct Nothing;

    impl Ledger for Nothing {
        fn apply(&mut self, _: &Record) {}
        fn begun(&self) -> Option<Begun<'_>> {
            None
        }
        fn has_checkpoint(&self) -> bool {
            false
        }
        fn steps_done(&self) -> u64 {
            0
        }
    }

    #[test]
    fn after_a_silent_minute_a_tick_leaves_a_heartbeat_in_the_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let (mut recorder, _commands) = Recorder::<Nothing>::begin(path.clone()).unwrap();
        let tick = Event::Measuring(Measuring {
            what: Measured::Validation,
            images: 1,
            of: 2,
        });
        recorder.tell(tick.clone()).unwrap();
        recorder.written = Instant::now().checked_sub(HEARTBEAT).unwrap();
        (0..3).for_each(|_| recorder.tell(tick.clone()).unwrap());
        let written = journal::read(&path).unwrap();
        let events: Vec<&Event> = written.iter().map(|record| &record.event).collect();
        assert_eq!(events, [&Event::Heartbeat]);
    }
}

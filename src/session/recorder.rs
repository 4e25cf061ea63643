//! Records the events of a run: each goes to the journal, then into the ledger, then to every
//! client.

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::error::SessionError;
use super::storage::Storage;
use crate::event::{DataDescription, Event, Level, Record};
use crate::foundation::durable::json;
use crate::journal::{Journal, JournalError};
use crate::link::{Hub, Orders};
use crate::runs::RunDirectory;
use crate::runs::directory::resume_command;
use crate::state::RunStatus;
use crate::state::clock::Clock;
use crate::telemetry::LoadMeter;

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

/// Run directory, ledger and hub of one run, always in step.
#[derive(Debug)]
pub struct Recorder<L> {
    pub(super) storage: Storage,
    /// What the records so far add up to.
    pub ledger: L,
    /// Announces every record to the clients.
    pub hub: Hub,
    clock: Clock,
    status: RunStatus,
    /// Measures the machine from the first tick on.
    meter: Option<LoadMeter>,
    /// When the last heartbeat was written, or the first tick came.
    beaten: Instant,
}

/// A run's recorder, and the commands of its clients.
pub type Recording<L> = (Recorder<L>, Orders);

impl<L: Ledger> Recorder<L> {
    /// Create the journal of a run; none may exist.
    ///
    /// # Errors
    /// I/O errors, also if a file exists.
    pub fn begin(directory: RunDirectory) -> Result<Recording<L>, JournalError> {
        let path = directory.journal_path();
        let journal = Journal::create(&path).map_err(JournalError::at(&path))?;
        Ok(Recorder::assemble(journal, &[], directory))
    }

    /// Continue the journal of a run. A torn last line is cut off and described in the returned
    /// text.
    ///
    /// # Errors
    /// If the journal cannot be read, or is damaged anywhere else.
    pub fn resume(directory: RunDirectory) -> Result<(Recording<L>, Option<String>), JournalError> {
        let path = directory.journal_path();
        if !path.exists() {
            // Killed between writing the settings and creating the journal.
            return Ok((Recorder::begin(directory)?, None));
        }
        let opened = Journal::open(&path)?;
        let torn = opened.repaired.as_ref().map(|torn| {
            format!(
                "the journal ended in an unfinished line (line {}, {} bytes): cut off, and kept in journal.jsonl.torn",
                torn.line,
                torn.bytes.len()
            )
        });
        let opened = Recorder::assemble(opened.journal, &opened.records, directory);
        Ok((opened, torn))
    }

    fn assemble(journal: Journal, records: &[Record], directory: RunDirectory) -> Recording<L> {
        let (hub, commands) = Hub::new(directory.journal_path(), journal.last_seq());
        let has_begun = records.iter().any(|record| record.event.begins_run());
        let mut recorder = Recorder {
            storage: Storage::new(directory, journal, has_begun),
            ledger: L::default(),
            hub,
            clock: Clock::default(),
            status: RunStatus::default(),
            meter: None,
            beaten: Instant::now(),
        };
        records.iter().for_each(|record| recorder.apply(record));
        (recorder, commands)
    }

    fn apply(&mut self, record: &Record) {
        self.clock.apply(record);
        self.status.apply(&record.event);
        self.ledger.apply(record);
    }

    /// Remove the run directory if nothing has begun and all that was told is written: if something
    /// could not be written, the journal does not tell what has begun.
    pub(super) fn discard_if_unstarted(&mut self) {
        if !self.storage.has_begun && self.storage.blocked().is_none() {
            // What cannot be removed stays; its files tell that it failed.
            let _ = self.storage.discard();
        }
    }

    /// The status of the run.
    pub fn status(&self) -> RunStatus {
        self.status
    }

    /// Working time of the run until now, in seconds and without pauses.
    pub fn seconds(&self) -> f64 {
        self.clock.seconds_until(jiff::Timestamp::now())
    }

    /// Record an event. If it is a tick and the last heartbeat was a minute ago, another one is written
    /// first. Clients are told of an event once it is in the journal; if the journal cannot be
    /// written (for example because the disk is full), it waits.
    ///
    /// # Errors
    /// If the event cannot be recorded at all, or if it cannot be written and the run has not begun.
    pub fn tell(&mut self, event: Event) -> io::Result<()> {
        if event.is_tick() && self.storage.blocked().is_none() {
            self.beat()?;
        }
        self.record(event)
    }

    /// Write a heartbeat if it is time.
    fn beat(&mut self) -> io::Result<()> {
        let Some(meter) = &mut self.meter else {
            let begun = self.ledger.begun();
            let device = begun.and_then(|begun| begun.device);
            // Of a cluster, other machines do the work.
            let is_on_gpu =
                |device: &str| !device.starts_with("cpu") && !device.ends_with("(slurm)");
            self.meter = Some(LoadMeter::start(device.is_some_and(is_on_gpu)));
            self.beaten = Instant::now();
            return Ok(());
        };
        if self.beaten.elapsed() < HEARTBEAT {
            return Ok(());
        }
        let load = meter.take();
        self.beaten = Instant::now();
        self.record(Event::Heartbeat { load })
    }

    fn record(&mut self, event: Event) -> io::Result<()> {
        let record = self.storage.add(event)?;
        self.apply(&record);
        if record.seq.is_none() {
            self.hub.publish(&record);
            return Ok(());
        }
        self.write()
    }

    /// Replace the file `name` of the run directory, as soon as it can be written and after all events
    /// recorded so far.
    ///
    /// # Errors
    /// If it cannot be written and the run has not begun.
    pub fn replace(&mut self, name: &'static str, contents: Vec<u8>) -> io::Result<()> {
        self.storage.replace(name, contents);
        self.write()
    }

    /// Replace the file `name` of the run directory by `value` as indented JSON, like
    /// [`Recorder::replace`].
    ///
    /// # Errors
    /// Those of [`Recorder::replace`], or a number that JSON cannot represent.
    pub fn replace_json(&mut self, name: &'static str, value: &impl Serialize) -> io::Result<()> {
        self.replace(name, json(value)?)
    }

    /// Move the files of a training's best epoch out of the way, see [`RunDirectory::void_best`].
    ///
    /// # Errors
    /// If that is impossible and the run has not begun.
    pub fn void_best(&mut self) -> io::Result<()> {
        self.storage.void_best();
        self.write()
    }

    /// Write what waits, or find out that the run directory is no longer in place.
    fn write(&mut self) -> io::Result<()> {
        let hub = &self.hub;
        let (begun, before) = (self.storage.has_begun, self.storage.blocked().is_some());
        match self.storage.write(|record| hub.publish(record)) {
            Err(reason) if !begun && !before => {
                let text = reason.to_owned();
                let place = self.directory().path().display();
                Err(io::Error::other(format!("{place}: {text}")))
            }
            _ => {
                self.announce();
                Ok(())
            }
        }
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
        self.storage.last_seq()
    }

    /// Whether all that was recorded is written.
    pub fn is_saved(&self) -> bool {
        self.storage.blocked().is_none()
    }

    /// The journal, wherever it is.
    pub(super) fn journal_path(&self) -> &Path {
        self.storage.journal_path()
    }

    /// The run directory, which is locked as long as this value exists.
    pub fn directory(&self) -> &RunDirectory {
        self.storage.directory()
    }
}

impl<L> Recorder<L> {
    /// Tell the clients why nothing is written, if so.
    fn announce(&self) {
        if let Some(reason) = self.storage.blocked() {
            self.hub.block(self.storage.written(), reason);
        }
    }

    /// Time until [`Recorder::look_after`] is due, if nothing is recorded before.
    pub(super) fn idle(&self) -> Duration {
        self.storage.idle()
    }

    /// If it is due, try to write what waits, or look whether the run directory is still in place.
    /// Returns why nothing can be written, if so.
    pub(super) fn look_after(&mut self) -> Option<&str> {
        if self.idle().is_zero() {
            let _ = self.write_now();
        }
        self.storage.blocked()
    }

    /// Try to write what waits; on failure, the time after which to try again.
    pub(super) fn write_now(&mut self) -> Result<(), Duration> {
        let hub = &self.hub;
        self.storage.write_now(|record| hub.publish(record));
        self.announce();
        match self.storage.blocked() {
            None => Ok(()),
            Some(_) => Err(self.idle()),
        }
    }

    /// At the end: see to it that the run can be resumed, and bring the snapshot of a long journal up to date.
    pub(super) fn close(&mut self) {
        self.storage.keep_essentials();
        self.storage.finish_snapshot();
    }

    /// At the end: save what can be saved of a run that cannot be written to, and say what was lost.
    pub(super) fn give_up(&mut self) -> SessionError {
        let reason = self.storage.blocked().unwrap_or_default().to_owned();
        let hub = &self.hub;
        if let Some(what) = self.storage.rescue(|record| hub.publish(record)) {
            let resume = resume_command(self.directory().path());
            return SessionError::Displaced { what, resume };
        }
        let kept = match self.storage.place() {
            None => "nothing is left of what it had saved before".to_owned(),
            Some(place) if self.storage.is_cut_off() => format!(
                "its journal lacks what was cut off, too. If there is a copy of the journal, put it into {} and continue with: {}; \
                 without one, begin a new run",
                place.display(),
                resume_command(&place)
            ),
            Some(place) => format!(
                "what it had saved before is kept in {}. Once the cause is gone, continue with: {}; what is lost is repeated",
                place.display(),
                resume_command(&place)
            ),
        };
        SessionError::Unsaved {
            reason,
            lost: self.storage.unwritten(),
            kept,
        }
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
    fn every_minute_a_tick_leaves_a_heartbeat_with_the_load_of_the_machine_in_the_journal() {
        let folder = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(folder.path()).unwrap();
        let path = directory.journal_path();
        let (mut recorder, _commands) = Recorder::<Nothing>::begin(directory).unwrap();
        let tick = Event::Measuring(Measuring {
            what: Measured::Validation,
            images: 1,
            of: 2,
        });
        recorder.tell(tick.clone()).unwrap();
        recorder.beaten = Instant::now().checked_sub(HEARTBEAT).unwrap();
        (0..3).for_each(|_| recorder.tell(tick.clone()).unwrap());
        let written = journal::read(&path).unwrap();
        let events: Vec<&Event> = written.iter().map(|record| &record.event).collect();
        let [Event::Heartbeat { load: Some(load) }] = events[..] else {
            panic!("{events:?}");
        };
        assert!(load.seconds > 0.0 && load.busy.is_some() && load.gpus.is_empty());
    }
}

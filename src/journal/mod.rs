//! The journal of a run: an append-only file of JSON lines, written before any client sees the
//! event (docs/JOURNAL.md).

mod ahead;
mod archive;
mod error;
mod in_place;
mod line_index;
mod reader;
pub mod snapshot;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use archive::Archive;
pub use error::JournalError;
pub use in_place::rescued;
pub use reader::{Place, Reader, Torn, read};
pub use snapshot::Snapshot;

use crate::event::{Event, Record, VERSION};
use crate::foundation::durable::{in_file, sync_folder_of};
use crate::foundation::input;

/// The only writer of a journal. Each record is one line, written by a single call. The file is locked
/// as long as this value exists; readers are not affected.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    next_seq: u64,
    /// Number of bytes in complete lines.
    length: u64,
    /// The lines since the last sync. If a sync fails, the system may have dropped them.
    unsynced: Vec<u8>,
    /// Whether the file may differ from what was written: it may end in part of a line, or lack
    /// unsynced ones.
    is_doubtful: bool,
}

/// A record with its line, not written yet.
#[derive(Debug)]
pub struct Line {
    /// The record as it will be read.
    pub record: Arc<Record>,
    /// Empty for a tick.
    bytes: Vec<u8>,
}

/// An existing journal with its contents.
#[derive(Debug)]
pub struct OpenedJournal {
    /// The journal, ready for appending.
    pub journal: Journal,
    /// Its records, in order.
    pub records: Vec<Record>,
    /// The torn last line that was cut off, if there was one.
    pub repaired: Option<Torn>,
}

impl Journal {
    /// Create a journal at `path`, where no file may exist.
    ///
    /// # Errors
    /// I/O errors, also if a file exists; the message names the path.
    pub fn create(path: &Path) -> io::Result<Journal> {
        let create = || {
            let mut options = OpenOptions::new();
            let file = options.read(true).write(true).create_new(true).open(path)?;
            sync_folder_of(path)?;
            Ok(file)
        };
        let file = create().map_err(|error| in_file(path, "cannot create", error))?;
        // Nobody else knows the file.
        let _ = file.try_lock();
        Ok(Journal::at(path, file, 0, 0))
    }

    /// A writer behind `length` bytes with `records` complete lines.
    fn at(path: &Path, file: File, records: u64, length: u64) -> Journal {
        Journal {
            file,
            path: path.to_owned(),
            next_seq: records + 1,
            length,
            unsynced: Vec::new(),
            is_doubtful: false,
        }
    }

    /// Open the journal at `path` to continue it. A torn last line is cut off and its bytes are
    /// saved in `PATH.torn`.
    ///
    /// # Errors
    /// [`JournalError::InUse`] if another process writes to it; those of [`Reader`], for any damage
    /// before the last line; I/O errors.
    pub fn open(path: &Path) -> Result<OpenedJournal, JournalError> {
        let mut reader = Reader::open(path)?;
        let at_path = JournalError::at(path);
        // Before it is read: what looks torn may be a line that is being written.
        let file = locked(path)?;
        let records = reader.by_ref().collect::<Result<Vec<_>, _>>()?;
        let repaired = reader.torn().cloned();
        if let Some(torn) = &repaired {
            keep_torn(path, torn).map_err(&at_path)?;
            file.set_len(torn.offset)
                .and_then(|()| file.sync_all())
                .map_err(at_path)?;
        }
        Ok(OpenedJournal {
            journal: Journal::at(path, file, records.len() as u64, reader.place().bytes),
            records,
            repaired,
        })
    }

    /// Open the journal at `path` to add to its end, without reading more than its last record: what
    /// comes before is for readers to check. A torn last line is cut off as by [`Journal::open`].
    ///
    /// # Errors
    /// Those of [`Journal::open`].
    pub fn open_at_end(path: &Path) -> Result<Journal, JournalError> {
        let file = locked(path)?;
        let bytes = file.metadata().map_err(JournalError::at(path))?.len();
        let end = Place { lines: 0, bytes };
        match Reader::after(path, end)?.last_record() {
            Some(Record {
                v: VERSION,
                seq: Some(records),
                ..
            }) => Ok(Journal::at(path, file, records, bytes)),
            _ => {
                drop(file);
                Ok(Journal::open(path)?.journal)
            }
        }
    }

    /// Write `event` as the next line and return its record.
    ///
    /// # Errors
    /// Those of [`Journal::line`] and [`Journal::write`].
    pub fn append(&mut self, event: Event) -> io::Result<Arc<Record>> {
        let line = self.line(event)?;
        self.write(&line)?;
        Ok(line.record)
    }

    /// The next record, with its number and the time. Ticks get a time but no number.
    ///
    /// # Errors
    /// If the event could not be read back.
    pub fn line(&mut self, event: Event) -> io::Result<Line> {
        let is_tick = event.is_tick();
        let record = Record {
            v: VERSION,
            seq: (!is_tick).then_some(self.next_seq),
            time: now(),
            event,
        };
        let (record, bytes) = if is_tick {
            (record, Vec::new())
        } else {
            encode(record)?
        };
        self.next_seq += u64::from(!is_tick);
        Ok(Line {
            record: Arc::new(record),
            bytes,
        })
    }

    /// Write a line; lines must be written in order. Ticks are not written.
    ///
    /// Events that a resume relies on are synced to disk before this returns; others are left to
    /// the operating system.
    ///
    /// # Errors
    /// Those of the file system (for example a full disk), with the path. The line is then not part of
    /// the journal, and can be written later.
    pub fn write(&mut self, line: &Line) -> io::Result<()> {
        let (added, before) = (line.bytes.len(), self.unsynced.len());
        if added == 0 {
            return Ok(());
        }
        self.repair()?;
        let written = self.file.write_all_at(&line.bytes, self.length);
        if written.is_ok() {
            self.length += added as u64;
            self.unsynced.extend(&line.bytes);
        }
        let outcome = written
            .map_err(|error| in_file(&self.path, "cannot append to", error))
            .and_then(|()| match must_survive_a_power_cut(&line.record.event) {
                true => self.sync(),
                false => Ok(()),
            });
        if outcome.is_err() {
            if self.unsynced.len() > before {
                self.unsynced.truncate(before);
                self.length -= added as u64;
            }
            self.is_doubtful = true;
            // If this fails too, it is tried again before the next line.
            let _ = self.repair();
        }
        outcome
    }

    /// Wait until everything written is on disk.
    ///
    /// # Errors
    /// I/O errors.
    pub fn sync(&mut self) -> io::Result<()> {
        self.repair()?;
        let synced = self.file.sync_data();
        if synced.is_ok() {
            self.unsynced.clear();
        }
        self.is_doubtful = synced.is_err();
        synced.map_err(|error| in_file(&self.path, "cannot sync", error))
    }

    /// After a failure: let the file end with the last complete line, and write those again that the
    /// system may have dropped.
    fn repair(&mut self) -> io::Result<()> {
        if self.is_doubtful {
            let synced = self.length - self.unsynced.len() as u64;
            self.file
                .set_len(self.length)
                .and_then(|()| self.file.write_all_at(&self.unsynced, synced))
                .map_err(|error| in_file(&self.path, "cannot append to", error))?;
            self.is_doubtful = false;
        }
        Ok(())
    }

    /// Sequence number of the last record; 0 before the first.
    pub fn last_seq(&self) -> u64 {
        self.next_seq - 1
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of bytes in complete lines.
    pub fn length(&self) -> u64 {
        self.length
    }
}

/// The file of a journal, for this writer alone.
fn locked(path: &Path) -> Result<File, JournalError> {
    let at_path = JournalError::at(path);
    // A pipe could be locked, but is no journal.
    input::open(path).map_err(&at_path)?;
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).open(path).map_err(at_path)?;
    // Some file systems have no locks, which is an error of another kind.
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(JournalError::in_use(path)),
        _ => Ok(file),
    }
}

/// The record as it will be read, and its line. A line that could not be read back (a number that is
/// not finite becomes `null`) is refused here, where the cause can still be found.
fn encode(record: Record) -> io::Result<(Record, Vec<u8>)> {
    let mut line = serde_json::to_vec(&record)?;
    let read = Record::parse(&line).map_err(|error| {
        let line = String::from_utf8_lossy(&line);
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("an event cannot be written to the journal ({error}): {line}"),
        )
    })?;
    if read != record {
        // Its texts were not printable.
        line = serde_json::to_vec(&read)?;
    }
    line.push(b'\n');
    Ok((read, line))
}

/// The current time in milliseconds, which is as precise as a reader of the journal needs.
fn now() -> jiff::Timestamp {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// Whether a resumed run takes its state from this event, or nothing could repeat it.
fn must_survive_a_power_cut(event: &Event) -> bool {
    matches!(
        event,
        Event::RunStarted(_)
            | Event::ChildFinished(_)
            | Event::ChildFailed { .. }
            | Event::ChildExcluded { .. }
            | Event::ChildQueued(_)
            | Event::ChildNoted { .. }
            | Event::EpisodeFinished(_)
            | Event::EpisodeExcluded { .. }
            | Event::CheckpointSaved { .. }
            | Event::TrainingStarted(_)
            | Event::TrainingEpoch(_)
            | Event::TrainingSaved { .. }
            | Event::TestFinished(_)
            | Event::RunFinished { .. }
    )
}

/// Append the bytes of a torn line to `PATH.torn`.
fn keep_torn(path: &Path, torn: &Torn) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".torn");
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(PathBuf::from(name))?;
    file.write_all(&torn.bytes)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests;

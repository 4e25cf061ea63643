//! The journal of a run: an append-only file of JSON lines, written before any client sees the
//! event (docs/JOURNAL.md).

mod ahead;
mod archive;
mod error;
mod line_index;
mod reader;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use archive::Archive;
pub use error::JournalError;
pub use reader::{Reader, Torn, read};

use crate::event::{Event, Record, VERSION};
use crate::foundation::durable::{in_file, sync_folder_of};

/// The only writer of a journal. Each record is one line, appended by a single write call.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    next_seq: u64,
    /// Number of bytes in complete lines.
    length: u64,
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
            let file = OpenOptions::new()
                .append(true)
                .create_new(true)
                .open(path)?;
            sync_folder_of(path)?;
            Ok(file)
        };
        let file = create().map_err(|error| in_file(path, "cannot create", error))?;
        Ok(Journal {
            file,
            path: path.to_owned(),
            next_seq: 1,
            length: 0,
        })
    }

    /// Open the journal at `path` to continue it. A torn last line is cut off and its bytes are
    /// saved in `PATH.torn`.
    ///
    /// # Errors
    /// Those of [`Reader`], for any damage before the last line; I/O errors.
    pub fn open(path: &Path) -> Result<OpenedJournal, JournalError> {
        let mut reader = Reader::open(path)?;
        let records = reader.by_ref().collect::<Result<Vec<_>, _>>()?;
        let repaired = reader.torn().cloned();
        let at_path = JournalError::at(path);
        let file = OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(&at_path)?;
        if let Some(torn) = &repaired {
            keep_torn(path, torn).map_err(&at_path)?;
            file.set_len(torn.offset)
                .and_then(|()| file.sync_all())
                .map_err(at_path)?;
        }
        let journal = Journal {
            file,
            path: path.to_owned(),
            next_seq: records.len() as u64 + 1,
            length: reader.offset(),
        };
        Ok(OpenedJournal {
            journal,
            records,
            repaired,
        })
    }

    /// Write `event` as the next line and return its record. Ticks get a time but no number, and
    /// are not written.
    ///
    /// Events that a resume relies on are synced to disk before this returns; others are left to
    /// the operating system.
    ///
    /// # Errors
    /// Those of the file system (for example a full disk), with the path; the file then still ends
    /// with the previous, complete line.
    pub fn append(&mut self, event: Event) -> io::Result<Arc<Record>> {
        let time = now();
        if event.is_tick() {
            return Ok(Arc::new(Record {
                v: VERSION,
                seq: None,
                time,
                event,
            }));
        }
        let record = Record {
            v: VERSION,
            seq: Some(self.next_seq),
            time,
            event,
        };
        let (record, line) = encode(record)?;
        self.write_line(&line)
            .map_err(|error| in_file(&self.path, "cannot append to", error))?;
        if must_survive_a_power_cut(&record.event) {
            self.sync()?;
        }
        self.next_seq += 1;
        self.length += line.len() as u64;
        Ok(Arc::new(record))
    }

    /// Wait until everything written is on disk.
    ///
    /// # Errors
    /// I/O errors.
    pub fn sync(&self) -> io::Result<()> {
        self.file
            .sync_data()
            .map_err(|error| in_file(&self.path, "cannot sync", error))
    }

    /// Sequence number of the last record; 0 before the first.
    pub fn last_seq(&self) -> u64 {
        self.next_seq - 1
    }

    fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(line);
        if written.is_err() {
            // Part of the line may have been written. If truncating fails too, the next opening
            // repairs it.
            let _ = self.file.set_len(self.length);
        }
        written
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

/// Whether a resumed run takes its state from this event.
fn must_survive_a_power_cut(event: &Event) -> bool {
    matches!(
        event,
        Event::RunStarted(_)
            | Event::ChildFinished(_)
            | Event::ChildFailed { .. }
            | Event::ChildExcluded { .. }
            | Event::ChildQueued(_)
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::Level;

    fn notice(message: &str) -> Event {
        Event::Notice {
            level: Level::Info,
            message: message.to_owned(),
        }
    }

    /// A journal of three notices in a new folder.
    fn three() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut journal = Journal::create(&path).unwrap();
        for message in ["one", "two", "three"] {
            journal.append(notice(message)).unwrap();
        }
        (folder, path)
    }

    fn messages(records: &[Record]) -> Vec<&str> {
        records.iter().filter_map(message_of).collect()
    }

    fn message_of(record: &Record) -> Option<&str> {
        if let Event::Notice { message, .. } = &record.event {
            Some(message)
        } else {
            None
        }
    }

    #[test]
    fn appended_records_are_read_back_with_consecutive_numbers() {
        let (_folder, path) = three();
        let records = read(&path).unwrap();
        assert_eq!(messages(&records), ["one", "two", "three"]);
        assert_eq!(
            records.iter().map(|record| record.seq).collect::<Vec<_>>(),
            [Some(1), Some(2), Some(3)]
        );
    }

    #[test]
    fn a_line_has_version_number_utc_time_and_event() {
        let (_folder, path) = three();
        let text = std::fs::read_to_string(path).unwrap();
        let line: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(
            (&line["v"], &line["seq"], &line["event"]),
            (&1.into(), &1.into(), &"notice".into())
        );
        assert!(line["time"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn a_tick_gets_a_time_but_no_number_and_is_not_written() {
        let (_folder, path) = three();
        let mut journal = Journal::open(&path).unwrap().journal;
        let progress = crate::event::ChildProgress {
            child: 1,
            worker: 0,
            epoch: 1,
            epochs: 2,
            batch: 3,
            batches: 4,
            loss: 0.5,
            images_per_second: 100.0,
        };
        assert_eq!(
            journal.append(Event::ChildProgress(progress)).unwrap().seq,
            None
        );
        assert_eq!(journal.append(notice("four")).unwrap().seq, Some(4));
        assert_eq!(read(&path).unwrap().len(), 4);
    }

    #[test]
    fn a_torn_last_line_is_cut_off_and_saved_and_numbering_continues() {
        let (_folder, path) = three();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], br#"{"v":1,"seq":4,"ti"#].concat()).unwrap();
        let mut opened = Journal::open(&path).unwrap();
        assert_eq!(opened.repaired.as_ref().unwrap().line, 4);
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        assert_eq!(
            std::fs::read(path.with_extension("jsonl.torn")).unwrap(),
            b"{\"v\":1,\"seq\":4,\"ti\n"
        );
        opened.journal.append(notice("four")).unwrap();
        assert_eq!(
            messages(&read(&path).unwrap()),
            ["one", "two", "three", "four"]
        );
    }

    #[test]
    fn zeros_in_place_of_the_last_line_are_a_torn_line_even_with_a_newline() {
        let (_folder, path) = three();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], &[0; 100], b"\n"].concat()).unwrap();
        assert_eq!(Journal::open(&path).unwrap().records.len(), 3);
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }

    #[test]
    fn a_complete_line_without_its_newline_was_never_announced_and_is_cut_off() {
        let (_folder, path) = three();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        let opened = Journal::open(&path).unwrap();
        assert_eq!(messages(&opened.records), ["one", "two"]);
        assert!(opened.repaired.is_some());
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused_and_the_journal_stays_whole() {
        let (_folder, path) = three();
        let mut journal = Journal::open(&path).unwrap().journal;
        let event = Event::ChildFailed {
            child: 1,
            episode: 1,
            reason: "x".into(),
            reward: f64::NAN,
            seconds: 1.0,
            control: false,
        };
        assert_eq!(
            journal.append(event).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        journal.append(notice("four")).unwrap();
        assert_eq!(read(&path).unwrap().len(), 4);
    }

    #[test]
    fn creating_a_journal_over_an_existing_one_is_refused() {
        let (_folder, path) = three();
        assert_eq!(
            Journal::create(&path).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
    }

    proptest! {
        #[test]
        fn a_journal_cut_anywhere_opens_with_its_complete_lines(cut in 0usize..1000) {
            let (_folder, path) = three();
            let whole = std::fs::read(&path).unwrap();
            let cut = cut % (whole.len() + 1);
            std::fs::write(&path, &whole[..cut]).unwrap();
            let opened = Journal::open(&path).unwrap();
            let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
            prop_assert_eq!(opened.records.len(), lines);
            prop_assert_eq!(opened.repaired.is_some(), cut > 0 && whole[cut - 1] != b'\n');
        }
    }
}

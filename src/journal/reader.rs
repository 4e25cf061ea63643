//! Reads a journal line by line and tells a torn end from damage.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ahead::{Ahead, Parsed};
use super::error::JournalError;
use crate::event::{Record, VERSION, unread};
use crate::foundation::{input, text};

/// An unfinished last line, as left behind by a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// Number of the line, from 1.
    pub line: u64,
    /// Position of its first byte in the file.
    pub offset: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The end of a line of a journal, or its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// Number of lines before it.
    pub lines: u64,
    /// Number of bytes before it.
    pub bytes: u64,
}

/// Maximum length of what is said to be wrong with a line.
const LONGEST_PROBLEM: usize = 300;
/// Bytes after which a journal counts as long: the rest is read ahead, on several cores.
const SHORT: u64 = 1 << 18;

/// What is read of a journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selection {
    /// The events whose records are left out.
    left_out: &'static [&'static str],
    /// Whether the choices of sampled children are read.
    choices: bool,
}

impl Selection {
    const EVERYTHING: Selection = Selection {
        left_out: &[],
        choices: true,
    };

    /// The number of the record in a line that is left out; `None` if the line must be parsed.
    pub fn leaves_out(self, line: &[u8]) -> Option<u64> {
        match self.left_out {
            [] => None,
            events => unread(line, events),
        }
    }

    /// The record in a line.
    pub fn parse(self, line: &[u8]) -> serde_json::Result<Record> {
        if self.choices {
            Record::parse(line)
        } else {
            Record::parse_without_choices(line)
        }
    }
}

/// The records of a journal in order. The iteration ends at the end of the file or at a torn last
/// line; calling it again continues with what has been appended since, so that a journal can be
/// followed while it is being written.
///
/// A last line is torn if its newline is missing or it is not JSON. Everything else is an error: a
/// line before the last that is not JSON, a record of another version, an unknown event, a missing
/// field, a gap in `seq`. Unknown fields are ignored.
#[derive(Debug)]
pub struct Reader {
    input: BufReader<File>,
    path: PathBuf,
    /// Number of complete lines read so far.
    lines: u64,
    offset: u64,
    torn: Option<Torn>,
    selection: Selection,
    /// Bytes that are read before the rest is read ahead.
    alone: u64,
    ahead: Option<Ahead>,
}

impl Reader {
    /// Read the journal at `path` from its beginning.
    ///
    /// # Errors
    /// [`JournalError::Io`] if the file cannot be opened.
    pub fn open(path: &Path) -> Result<Reader, JournalError> {
        let file = input::open(path).map_err(JournalError::at(path))?;
        Ok(Reader {
            input: BufReader::new(file),
            path: path.to_owned(),
            lines: 0,
            offset: 0,
            torn: None,
            selection: Selection::EVERYTHING,
            alone: SHORT,
            ahead: None,
        })
    }

    /// Where the journal is long, read sampled children without their choices, which are most of it.
    pub fn without_choices(mut self) -> Reader {
        self.selection.choices = false;
        self
    }

    /// Leave out the records with one of these events. Their lines must be JSON and have the right number
    /// and a time; other damage in them is not found.
    pub fn without(mut self, events: &'static [&'static str]) -> Reader {
        self.selection.left_out = events;
        self
    }

    /// Read the journal at `path` from this place on.
    ///
    /// # Errors
    /// [`JournalError::Io`] if the file cannot be opened.
    pub fn after(path: &Path, place: Place) -> Result<Reader, JournalError> {
        let mut reader = Reader {
            lines: place.lines,
            offset: place.bytes,
            alone: place.bytes.saturating_add(SHORT),
            ..Reader::open(path)?
        };
        reader
            .input
            .seek(SeekFrom::Start(place.bytes))
            .map_err(|source| reader.io(source))?;
        Ok(reader)
    }

    /// Read one record after the other instead of ahead on all cores, for work that can wait.
    pub(super) fn one_by_one(mut self) -> Reader {
        self.alone = u64::MAX;
        self
    }

    /// The last record before the place reached, whether it was read or skipped; `None` if it cannot be read
    /// or is very long.
    pub fn last_record(&self) -> Option<Record> {
        let length = self.offset.min(SHORT);
        let mut text = vec![0; usize::try_from(length).ok()?];
        let file = self.input.get_ref();
        file.read_exact_at(&mut text, self.offset - length).ok()?;
        let lines = text.strip_suffix(b"\n")?;
        let before = lines.iter().rposition(|byte| *byte == b'\n');
        let line = &lines[before.map_or(0, |newline| newline + 1)..];
        Record::parse_without_choices(line).ok()
    }

    /// The unfinished line at which the iteration ended.
    pub fn torn(&self) -> Option<&Torn> {
        self.torn.as_ref()
    }

    /// The end of the whole lines read so far.
    pub fn place(&self) -> Place {
        Place {
            lines: self.lines,
            bytes: self.offset,
        }
    }

    /// Length of the file in bytes.
    ///
    /// # Errors
    /// If the system cannot tell it.
    pub fn length(&self) -> Result<u64, JournalError> {
        let file = self.input.get_ref().metadata();
        Ok(file.map_err(|source| self.io(source))?.len())
    }

    fn read_record(&mut self) -> Result<Option<Record>, JournalError> {
        if self.offset >= self.alone && self.ahead.is_none() {
            self.start_ahead()?;
        }
        if let Some(record) = self.next_ahead()? {
            return Ok(Some(record));
        }
        let selection = self.selection;
        self.find_numbered(u64::MAX, |number, line| {
            selection.leaves_out(line) != Some(number)
        })
    }

    /// Read the rest of the file ahead if it is long. What is appended later is not.
    fn start_ahead(&mut self) -> Result<(), JournalError> {
        self.alone = u64::MAX;
        if self.length()?.saturating_sub(self.offset) > SHORT {
            let mut file = input::open(&self.path).map_err(|source| self.io(source))?;
            file.seek(SeekFrom::Start(self.offset))
                .map_err(|source| self.io(source))?;
            // Without threads it is read more slowly.
            self.ahead = Ahead::start(file, self.selection).ok();
        }
        Ok(())
    }

    /// The next record that was read ahead. `None` where that ends: at the end of the file, and before
    /// a line that is damaged; what follows is read line by line.
    fn next_ahead(&mut self) -> Result<Option<Record>, JournalError> {
        while let Some(ahead) = &mut self.ahead {
            let next = ahead.next().map_err(JournalError::at(&self.path))?;
            let lines = self.lines + next.as_ref().map_or(0, |next| next.lines);
            let is_current = |record: &Record| record.v == VERSION;
            let follows = |next: &Parsed| {
                next.last == Some(lines) && next.record.as_ref().is_none_or(is_current)
            };
            match next.filter(follows) {
                Some(next) => {
                    (self.lines, self.torn) = (lines, None);
                    self.offset += next.bytes;
                    if next.record.is_some() {
                        return Ok(next.record);
                    }
                }
                None => {
                    self.ahead = None;
                    self.input
                        .seek(SeekFrom::Start(self.offset))
                        .map_err(|source| self.io(source))?;
                }
            }
        }
        Ok(None)
    }

    /// The next record up to line `last` for whose line `wanted` returns true. Lines before it are
    /// skipped without parsing.
    pub(super) fn find(
        &mut self,
        last: u64,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<Record>, JournalError> {
        self.find_numbered(last, |_, line| wanted(line))
    }

    /// The same for a function of the number of a line, from 1, and of the line.
    fn find_numbered(
        &mut self,
        last: u64,
        wanted: impl Fn(u64, &[u8]) -> bool,
    ) -> Result<Option<Record>, JournalError> {
        let mut line = Vec::new();
        while self.lines < last {
            line.clear();
            self.input
                .read_until(b'\n', &mut line)
                .map_err(|source| self.io(source))?;
            if line.is_empty() {
                return Ok(None);
            }
            if line.last() != Some(&b'\n') {
                return self.stop_at_torn(line);
            }
            let record = if wanted(self.lines + 1, &line) {
                Some(self.parse(&line))
            } else {
                None
            };
            match record {
                Some(Err(_)) if !is_json(&line) && self.at_end()? => {
                    return self.stop_at_torn(line);
                }
                Some(Err(error)) => return Err(error),
                record => {
                    self.torn = None;
                    self.lines += 1;
                    self.offset += line.len() as u64;
                    if let Some(Ok(record)) = record {
                        return Ok(Some(record));
                    }
                }
            }
        }
        Ok(None)
    }

    fn parse(&self, line: &[u8]) -> Result<Record, JournalError> {
        let record = Record::parse(line).map_err(|error| self.diagnose(line, &error))?;
        if record.v != VERSION {
            return Err(self.wrong_version(record.v.into()));
        }
        let expected = self.lines + 1;
        if record.seq != Some(expected) {
            let found = record.seq.map_or("none".to_owned(), |seq| seq.to_string());
            return Err(self.corrupt(
                1,
                format!("its number (seq) is {found} where {expected} must come"),
            ));
        }
        Ok(record)
    }

    /// Why a line is not a record. Check for a newer version first: its events may well be unknown
    /// here.
    fn diagnose(&self, line: &[u8], error: &serde_json::Error) -> JournalError {
        let version = serde_json::from_slice::<serde_json::Value>(line)
            .ok()
            .and_then(|value| value["v"].as_u64());
        match version {
            Some(version) if version != u64::from(VERSION) => self.wrong_version(version),
            _ => {
                let text = error.to_string();
                let problem = text.split(" at line ").next().unwrap_or(&text).to_owned();
                self.corrupt(error.column().max(1), problem)
            }
        }
    }

    fn wrong_version(&self, found: u64) -> JournalError {
        if found > u64::from(VERSION) {
            JournalError::Newer {
                path: self.path.clone(),
                line: self.lines + 1,
                found,
            }
        } else {
            self.corrupt(1, format!("journal version {found} does not exist"))
        }
    }

    fn corrupt(&self, column: usize, problem: String) -> JournalError {
        JournalError::Corrupt {
            path: self.path.clone(),
            line: self.lines + 1,
            column,
            // It can contain a value of any length.
            problem: text::shortened(&problem, LONGEST_PROBLEM).into_owned(),
        }
    }

    fn stop_at_torn(&mut self, bytes: Vec<u8>) -> Result<Option<Record>, JournalError> {
        self.torn = Some(Torn {
            line: self.lines + 1,
            offset: self.offset,
            bytes,
        });
        // The next call reads the line from its beginning again: it may be complete by then.
        self.input
            .seek(SeekFrom::Start(self.offset))
            .map_err(|source| self.io(source))?;
        Ok(None)
    }

    fn at_end(&mut self) -> Result<bool, JournalError> {
        match self.input.fill_buf() {
            Ok(rest) => Ok(rest.is_empty()),
            Err(source) => Err(self.io(source)),
        }
    }

    fn io(&self, source: io::Error) -> JournalError {
        JournalError::at(&self.path)(source)
    }
}

impl Iterator for Reader {
    type Item = Result<Record, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_record().transpose()
    }
}

/// All records of the journal at `path`, without an unfinished last line. The file is not changed.
///
/// # Errors
/// If the file cannot be read or is damaged before its last line.
pub fn read(path: &Path) -> Result<Vec<Record>, JournalError> {
    Reader::open(path)?.collect()
}

fn is_json(line: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
}

#[cfg(test)]
mod tests;

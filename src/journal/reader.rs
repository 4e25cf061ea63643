//! Reads a journal line by line and tells a torn end from damage.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::JournalError;
use crate::event::{Record, VERSION};
use crate::foundation::input;

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
        })
    }

    /// A reader that starts after the first `lines` lines, which end at the byte `offset`.
    pub(super) fn after(path: &Path, lines: u64, offset: u64) -> Result<Reader, JournalError> {
        let mut reader = Reader {
            lines,
            offset,
            ..Reader::open(path)?
        };
        reader
            .input
            .seek(SeekFrom::Start(offset))
            .map_err(|source| reader.io(source))?;
        Ok(reader)
    }

    /// The unfinished line at which the iteration ended.
    pub fn torn(&self) -> Option<&Torn> {
        self.torn.as_ref()
    }

    /// Bytes of the whole lines read so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn read_record(&mut self) -> Result<Option<Record>, JournalError> {
        self.find(u64::MAX, |_| true)
    }

    /// The next record up to line `last` for whose line `wanted` returns true. Lines before it are
    /// skipped without parsing.
    pub(super) fn find(
        &mut self,
        last: u64,
        wanted: impl Fn(&[u8]) -> bool,
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
            let record = if wanted(&line) {
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
            problem,
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
mod tests {
    use super::*;

    fn line(seq: u64) -> String {
        format!(r#"{{"v":1,"seq":{seq},"time":"2026-11-24T10:15:00Z","event":"paused"}}"#) + "\n"
    }

    fn read_text(text: &str) -> Result<Vec<Record>, JournalError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    /// Line and column that the error names, and its text.
    fn position(text: &str) -> (u64, usize, String) {
        match read_text(text).unwrap_err() {
            JournalError::Corrupt {
                line,
                column,
                problem,
                ..
            } => (line, column, problem),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn damage_before_the_last_line_is_an_error_with_line_column_and_remedy() {
        let text = line(1) + &line(2).replace("\"time\"", "time") + &line(3);
        assert_eq!(position(&text), (2, 16, "key must be a string".to_owned()));
        let message = read_text(&text).unwrap_err().to_string();
        assert!(
            message.contains("journal.jsonl, line 2, column 16")
                && message.contains("keep its first 1 line(s)"),
            "{message}"
        );
    }

    #[test]
    fn a_missing_line_and_a_repeated_line_are_errors() {
        assert_eq!(position(&(line(1) + &line(3))).0, 2);
        assert_eq!(
            position(&(line(1) + &line(1))).2,
            "its number (seq) is 1 where 2 must come"
        );
    }

    #[test]
    fn an_unknown_event_and_a_missing_field_are_errors_even_in_the_last_line() {
        let unknown = line(1).replace("paused", "teleported");
        assert!(
            position(&unknown)
                .2
                .contains("unknown variant `teleported`")
        );
        let incomplete = line(1).replace("paused", "worker_died");
        assert!(position(&incomplete).2.contains("missing field"));
    }

    #[test]
    fn a_newer_version_is_refused_as_such_whatever_it_contains() {
        let newer = line(1)
            .replace("\"v\":1", "\"v\":2")
            .replace("paused", "teleported");
        let error = read_text(&newer).unwrap_err();
        assert!(
            matches!(
                error,
                JournalError::Newer {
                    line: 1,
                    found: 2,
                    ..
                }
            ),
            "{error}"
        );
        let known = line(1).replace("\"v\":1", "\"v\":2");
        assert!(matches!(
            read_text(&known).unwrap_err(),
            JournalError::Newer { .. }
        ));
    }

    #[test]
    fn fields_of_a_later_program_of_the_same_version_are_ignored() {
        let richer = line(1).replace("\"event\"", "\"colour\":\"blue\",\"event\"");
        assert_eq!(read_text(&richer).unwrap().len(), 1);
    }

    #[test]
    fn the_error_for_a_missing_file_names_it() {
        let error = read(Path::new("/nonexistent/journal.jsonl")).unwrap_err();
        assert!(
            error.to_string().contains("/nonexistent/journal.jsonl"),
            "{error}"
        );
    }

    #[test]
    fn a_journal_that_grows_can_be_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let (first, second) = (line(1), line(2));
        std::fs::write(&path, first.clone() + &second[..20]).unwrap();
        let mut reader = Reader::open(&path).unwrap();
        assert_eq!(reader.by_ref().count(), 1);
        assert!(reader.torn().is_some());
        std::fs::write(&path, first + &second).unwrap();
        assert_eq!(reader.next().unwrap().unwrap().seq, Some(2));
        assert!(reader.next().is_none() && reader.torn().is_none());
    }
}

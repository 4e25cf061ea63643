//! Random access to a journal that may still be growing: one record, one child, or the state of the
//! run at any moment.

use std::path::{Path, PathBuf};

use super::error::JournalError;
use super::line_index::LineIndex;
use super::reader::Reader;
use super::snapshot::Snapshot;
use crate::event::{Event, Record};
use crate::foundation::input;
use crate::state::{Candidate, ChildDetail, RunState};

/// Maximum number of states kept; a replay starts from the nearest earlier one.
const MOST_STATES: usize = 8;
/// Number of records between two states while the journal is short.
const FIRST_INTERVAL: u64 = 512;

/// Number of records from which on reading ahead is worth it.
const FAR: u64 = 10_000;

/// A journal opened for random access. Each method first reads what has been appended, if
/// necessary.
///
/// Errors are those of [`Reader`]. An unfinished last line is ignored.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    index: LineIndex,
    states: States,
}

impl Archive {
    /// Open the journal at `path` and locate its lines, as far as its snapshot does not tell where they
    /// are. Nothing is parsed: 500 MB take a fraction of a second.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn open(path: &Path) -> Result<Archive, JournalError> {
        let mut archive = Archive {
            path: path.to_owned(),
            index: Snapshot::of(path)
                .and_then(|snapshot| snapshot.index())
                .unwrap_or_default(),
            states: States::default(),
        };
        archive.refresh()?;
        Ok(archive)
    }

    /// Read what has been appended and return the number of complete lines.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn refresh(&mut self) -> Result<u64, JournalError> {
        let extend = |index: &mut LineIndex| index.extend(&mut input::open(&self.path)?);
        extend(&mut self.index).map_err(JournalError::at(&self.path))?;
        Ok(self.index.lines())
    }

    /// The record with this number; `None` if the journal is shorter.
    ///
    /// # Errors
    /// If the file cannot be read or the line is damaged.
    pub fn record(&mut self, seq: u64) -> Result<Option<Record>, JournalError> {
        match self.reader_from(seq)? {
            Some(mut reader) => reader.next().transpose(),
            None => Ok(None),
        }
    }

    /// Everything in the journal about `child`, which was sampled or queued in record `sampled_seq`
    /// and ended in `ended_seq`. Without an end the rest of the journal is searched. `None` if that
    /// record is not about the child.
    ///
    /// # Errors
    /// If the file cannot be read or one of the lines is damaged.
    pub fn child(
        &mut self,
        child: u64,
        sampled_seq: u64,
        ended_seq: Option<u64>,
    ) -> Result<Option<ChildDetail>, JournalError> {
        let Some(mut reader) = self.reader_from(sampled_seq)? else {
            return Ok(None);
        };
        let last = ended_seq.unwrap_or(u64::MAX);
        let Some(first) = reader.find(sampled_seq, |line| names_child(line, child))? else {
            return Ok(None);
        };
        let candidate = match &first.event {
            Event::ChildSampled(sampled) => Candidate::sampled(sampled, sampled_seq),
            Event::ChildQueued(queued) => Candidate::queued(queued, sampled_seq),
            _ => return Ok(None),
        };
        // The row is made by the same reducer that makes all rows.
        let mut state = RunState::default();
        state.apply(&first);
        let mut epochs = Vec::new();
        while state.search().children.is_empty()
            && let Some(record) = reader.find(last, |line| names_child(line, child))?
        {
            match &record.event {
                Event::ChildStarted { .. } => epochs.clear(),
                Event::ChildEpoch(epoch) => epochs.push(epoch.clone()),
                _ => {}
            }
            state.apply(&record);
        }
        Ok(Some(ChildDetail {
            candidate,
            epochs,
            row: state.search_mut().and_then(|search| search.children.pop()),
        }))
    }

    /// The state of the run after the first `seq` records, or after all of them if there are fewer.
    ///
    /// Stepping forward reads only the records in between; stepping back reads at most an eighth of
    /// the journal.
    ///
    /// # Errors
    /// If the file cannot be read or one of the lines is damaged.
    pub fn state_at(&mut self, seq: u64) -> Result<RunState, JournalError> {
        let mut state = self.states.nearest(seq).cloned().unwrap_or_default();
        if state.last_seq < seq
            && let Some(mut reader) = self.reader_from(state.last_seq + 1)?
        {
            // A long way is read ahead; a short one only as far as needed.
            let is_long = seq - state.last_seq > FAR;
            while state.last_seq < seq
                && let Some(record) = if is_long {
                    reader.next().transpose()?
                } else {
                    reader.find(seq, |_| true)?
                }
            {
                state.apply(&record);
                self.states.offer(&state);
            }
        }
        self.states.latest = Some(state.clone());
        Ok(state)
    }

    /// A reader whose next line is record `seq`.
    fn reader_from(&mut self, seq: u64) -> Result<Option<Reader>, JournalError> {
        if seq > self.index.lines() {
            self.refresh()?;
        }
        if seq == 0 || seq > self.index.lines() {
            return Ok(None);
        }
        let mut reader = Reader::after(&self.path, self.index.near(seq))?.without_choices();
        reader.find(seq - 1, |_| false)?;
        Ok(Some(reader))
    }
}

/// Whether a line of the journal is about this child. Much faster than parsing: most lines are
/// about others.
fn names_child(line: &[u8], child: u64) -> bool {
    const KEY: &str = "\"child\":";
    let Ok(text) = std::str::from_utf8(line) else {
        return false;
    };
    let Some(start) = text.find(KEY) else {
        return false;
    };
    let value = text[start + KEY.len()..].trim_start();
    let digits = value
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(value.len());
    value[..digits].parse() == Ok(child)
}

/// States at even intervals along the journal, and the one last requested.
#[derive(Debug)]
struct States {
    interval: u64,
    /// In the order of the journal.
    kept: Vec<RunState>,
    latest: Option<RunState>,
}

impl Default for States {
    fn default() -> States {
        States {
            interval: FIRST_INTERVAL,
            kept: Vec::new(),
            latest: None,
        }
    }
}

impl States {
    /// The latest state that is not after record `seq`.
    fn nearest(&self, seq: u64) -> Option<&RunState> {
        let states = self.kept.iter().chain(&self.latest);
        states
            .filter(|state| state.last_seq <= seq)
            .max_by_key(|state| state.last_seq)
    }

    /// Keep `state` if it is at one of the intervals. When there are too many, every
    /// other one is dropped.
    fn offer(&mut self, state: &RunState) {
        let known = self.kept.last().map_or(0, |last| last.last_seq);
        if !state.last_seq.is_multiple_of(self.interval) || state.last_seq <= known {
            return;
        }
        self.kept.push(state.clone());
        if self.kept.len() > MOST_STATES {
            self.interval *= 2;
            self.kept
                .retain(|state| state.last_seq.is_multiple_of(self.interval));
        }
    }
}

#[cfg(test)]
mod tests;

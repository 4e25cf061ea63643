//! Why a journal cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use super::reader::Reader;
use crate::event::{Event, Record, VERSION};

/// Why a journal cannot be used. The message names file, line, column and remedy.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be read.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// Another process has locked the file.
    #[error("{} is being written by another process{holder}: stop that one first", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
        /// The process that began or continued the run last, in brackets; empty if unknown.
        holder: String,
    },
    /// A line before the last is not a record, or not the one that must follow.
    #[error(
        "{}, line {line}, column {column}: the journal is damaged: {problem}. Restore the file from a copy{}",
        path.display(),
        without_copy(*line)
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: u64,
        /// Column of the line, from 1.
        column: usize,
        /// What is wrong.
        problem: String,
    },
    /// A record in a newer version of the format.
    #[error(
        "{}, line {line}: written by a newer nas-tui (journal version {found}; this program reads version {VERSION}): \
         use that newer program",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: u64,
        /// Version of the record.
        found: u64,
    },
}

/// What can be done without a copy of a journal that is damaged from this line on.
fn without_copy(line: u64) -> String {
    match line - 1 {
        0 => "; nothing of it can be kept".to_owned(),
        kept => format!(
            "; or keep its first {kept} line{} and remove the folder `checkpoint` beside it, and a resume trains again what the \
             lost lines held",
            if kept == 1 { "" } else { "s" }
        ),
    }
}

impl JournalError {
    /// The error for a journal that another process writes to.
    pub(super) fn in_use(path: &Path) -> JournalError {
        let records = Reader::open(path).into_iter().flatten();
        let process = |record: Record| match record.event {
            Event::RunStarted(run) => Some((run.pid, run.host)),
            Event::TrainingStarted(run) => Some((run.pid, run.host)),
            Event::RunResumed { pid, host, .. } => Some((pid, host)),
            _ => None,
        };
        let last = records.map_while(Result::ok).filter_map(process).last();
        JournalError::InUse {
            path: path.to_owned(),
            holder: last.map_or_else(String::new, |(pid, host)| format!(" (pid {pid} on {host})")),
        }
    }

    /// Where the journal cannot be read, in a few words: `journal.jsonl, line 414`.
    pub fn place(&self) -> String {
        let (path, line) = match self {
            JournalError::Io { path, .. } | JournalError::InUse { path, .. } => (path, None),
            JournalError::Corrupt { path, line, .. } | JournalError::Newer { path, line, .. } => {
                (path, Some(line))
            }
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        line.map_or_else(|| name.to_string(), |line| format!("{name}, line {line}"))
    }

    /// Turns a system error into an error about the journal at `path`.
    pub fn at(path: &Path) -> impl Fn(io::Error) -> JournalError {
        let path = path.to_owned();
        move |cause| JournalError::Io {
            path: path.clone(),
            cause,
        }
    }
}

//! Why a search cannot begin or go on.

use std::io;

use crate::config::ConfigError;
use crate::foundation::sealed::CheckpointError;
use crate::journal::JournalError;
use crate::runs::directory::DirectoryError;
use crate::space::{Dna, SpaceError};
use crate::strategy::StrategyError;

/// The text says what, where, and what to do. Whatever had been reached is in the run directory.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Space(#[from] SpaceError),
    #[error(transparent)]
    Strategy(#[from] StrategyError),
    /// Writing to the run directory failed; the text names the file.
    #[error(transparent)]
    Write(#[from] io::Error),
    #[error(
        "the run's settings are not those it was begun with: {}. Undo the change, or begin a new run with it",
        changes.join("; ")
    )]
    OtherSettings { changes: Vec<String> },
    #[error(
        "the checkpoint includes the first {checkpoint} records of the journal, which has only {journal}: the two are from \
         different times. Restore the journal, or move the folder `checkpoint` away: a resume then computes it again from the journal"
    )]
    JournalBehind { checkpoint: u64, journal: u64 },
    #[error(
        "child {child} was {journal} in the journal and would now be {sampled}: the program, its libtorch or the machine is not \
         the one this run was begun with. Resume it there, or begin a new run"
    )]
    OtherChild {
        child: u64,
        journal: Dna,
        sampled: Dna,
    },
    #[error(
        "the data is not what this run was begun with ({now} where it was {then}): restore it (data.dir names its folder), or \
         begin a new run"
    )]
    OtherData { then: String, now: String },
    /// The workers found their data or device unusable, before anything was trained.
    #[error("{0}")]
    Unusable(String),
    /// Nothing can be trained any more.
    #[error("{0}")]
    Evaluator(String),
    #[error(
        "the search ended by a fault of its own: {0}. The run can be resumed; please report this"
    )]
    Panicked(String),
}

impl SearchError {
    /// Whether the user's input (settings, data, run directory) is at fault: exit status 2.
    pub fn is_bad_input(&self) -> bool {
        match self {
            SearchError::Directory(DirectoryError::Io { .. })
            | SearchError::Journal(JournalError::Io { .. })
            | SearchError::Strategy(_) => false,
            SearchError::Directory(_)
            | SearchError::Config(_)
            | SearchError::Journal(_)
            | SearchError::Checkpoint(_)
            | SearchError::Space(_)
            | SearchError::OtherSettings { .. }
            | SearchError::JournalBehind { .. }
            | SearchError::OtherChild { .. }
            | SearchError::OtherData { .. }
            | SearchError::Unusable(_) => true,
            SearchError::Write(_) | SearchError::Evaluator(_) | SearchError::Panicked(_) => false,
        }
    }
}

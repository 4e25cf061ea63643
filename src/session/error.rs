//! Why a run cannot begin or go on.

use std::error::Error;
use std::io;

use crate::config::ConfigError;
use crate::foundation::sealed::CheckpointError;
use crate::journal::JournalError;
use crate::runs::directory::DirectoryError;

/// What can go wrong in any run; the text says what, where, and what to do. Whatever had been
/// reached is in the run directory.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The run directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The settings are not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The journal cannot be read, or is damaged.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The checkpoint cannot be read, or is damaged.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Writing to the run directory failed; the text names the file.
    #[error(transparent)]
    Write(#[from] io::Error),
    /// A setting that a resume may not change was changed.
    #[error(
        "the run's settings are not those it was begun with: {}. Undo the change, or begin a new run with it",
        changes.join("; ")
    )]
    OtherSettings {
        /// `SECTION.KEY was VALUE and is VALUE` for each.
        changes: Vec<String>,
    },
    /// The checkpoint is newer than the journal.
    #[error(
        "the checkpoint includes the first {checkpoint} records of the journal, which has only {journal}: the two are from \
         different times. Restore the journal, or move the folder `checkpoint` away: a resume then {without}"
    )]
    JournalBehind {
        /// Records that are part of the checkpoint.
        checkpoint: u64,
        /// Records that the journal has.
        journal: u64,
        /// What a resume does without a checkpoint.
        without: &'static str,
    },
    /// The data have another fingerprint than the run was begun with.
    #[error(
        "the data is not what this run was begun with ({now} where it was {then}): restore it (data.dir names its folder), or \
         begin a new run"
    )]
    OtherData {
        /// What the run was begun with, in words.
        then: String,
        /// What was found now, in words.
        now: String,
    },
    /// The thread of the work panicked.
    #[error(
        "the {work} ended by a fault of its own: {cause}. The run can be resumed; please report this"
    )]
    Panicked {
        /// What it is called: `search`, `training`.
        work: &'static str,
        /// What the panic said.
        cause: String,
    },
    /// An error of one kind of work alone that the user's input is the cause of.
    #[error(transparent)]
    Input(Box<dyn Error + Send + Sync>),
    /// Any other error of one kind of work alone.
    #[error(transparent)]
    Fault(Box<dyn Error + Send + Sync>),
}

/// An error that only one kind of work can end in.
pub trait WorkError: Error + Send + Sync + 'static {
    /// Whether the user's input (settings, data, network) is the cause.
    fn is_bad_input(&self) -> bool;
}

impl<E: WorkError> From<E> for SessionError {
    fn from(error: E) -> SessionError {
        if error.is_bad_input() {
            SessionError::Input(Box::new(error))
        } else {
            SessionError::Fault(Box::new(error))
        }
    }
}

impl SessionError {
    /// Whether the user's input (settings, data, network, run directory) is the cause: exit status
    /// 2.
    pub fn is_bad_input(&self) -> bool {
        match self {
            SessionError::Directory(error) => !matches!(error, DirectoryError::Io { .. }),
            SessionError::Journal(error) => !matches!(error, JournalError::Io { .. }),
            SessionError::Config(_)
            | SessionError::Checkpoint(_)
            | SessionError::OtherSettings { .. }
            | SessionError::JournalBehind { .. }
            | SessionError::OtherData { .. }
            | SessionError::Input(_) => true,
            SessionError::Write(_) | SessionError::Panicked { .. } | SessionError::Fault(_) => {
                false
            }
        }
    }

    /// The error as one of the work's own, where it is one.
    pub fn of_work<E: WorkError>(&self) -> Option<&E> {
        match self {
            SessionError::Input(error) | SessionError::Fault(error) => error.downcast_ref(),
            _ => None,
        }
    }
}

/// Why a run's work ends before it is complete.
#[derive(Debug)]
pub enum Halt {
    /// A client said stop.
    Stopped,
    /// It cannot go on.
    Failed(SessionError),
}

impl<E: Into<SessionError>> From<E> for Halt {
    fn from(error: E) -> Halt {
        Halt::Failed(error.into())
    }
}

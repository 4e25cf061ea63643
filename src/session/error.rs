//! Why a run cannot begin or continue.

use std::error::Error;
use std::io;

use crate::config::ConfigError;
use crate::foundation::sealed::CheckpointError;
use crate::journal::JournalError;
use crate::runs::DirectoryError;

/// The errors of any run. Each message says what, where, and what to do; what was reached is kept
/// in the run directory.
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
    /// Writing to the run directory failed; the message names the file.
    #[error(transparent)]
    Write(#[from] io::Error),
    /// A setting that must not change was changed before a resume.
    #[error(
        "the run's settings have changed since it began: {}. Undo the change, or begin a new run with it",
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
        /// Number of records that are part of the checkpoint.
        checkpoint: u64,
        /// Number of records in the journal.
        journal: u64,
        /// What a resume does without a checkpoint.
        without: &'static str,
    },
    /// The fingerprint of the data has changed since the run began.
    #[error(
        "the data is not what this run was begun with ({now} where it was {then}): restore it (data.dir names its folder), or \
         begin a new run"
    )]
    OtherData {
        /// The data that the run was begun with, in words.
        then: String,
        /// The data found now, in words.
        now: String,
    },
    /// The run ended while nothing could be written to its directory.
    #[error("{reason}. The run has ended without saving {lost}; {kept}")]
    Unsaved {
        /// Why nothing could be written.
        reason: String,
        /// What is lost.
        lost: String,
        /// What is kept, and how to continue with it.
        kept: String,
    },
    /// The run ended while its directory was not in place, but everything is saved.
    #[error("{what}. Everything is saved; continue with: {resume}")]
    Displaced {
        /// What was found.
        what: String,
        /// The command that continues the run.
        resume: String,
    },
    /// The thread of the work panicked.
    #[error("the {work} was stopped by a bug: {cause}. The run can be resumed; please report this")]
    Panicked {
        /// Name of the work: `search`, `training`.
        work: &'static str,
        /// The message of the panic.
        cause: String,
    },
    /// An error specific to this kind of work that is caused by the user's input.
    #[error(transparent)]
    Input(Box<dyn Error + Send + Sync>),
    /// Any other error specific to this kind of work.
    #[error(transparent)]
    Fault(Box<dyn Error + Send + Sync>),
}

/// An error specific to one kind of work.
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
    /// Whether the user's input (settings, data, network, run directory) is the cause, which means
    /// exit status 2.
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
            SessionError::Write(_)
            | SessionError::Unsaved { .. }
            | SessionError::Displaced { .. }
            | SessionError::Panicked { .. }
            | SessionError::Fault(_) => false,
        }
    }

    /// The error as one specific to the work, if it is one.
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
    /// A client asked for a stop.
    Stopped,
    /// The work cannot continue.
    Failed(SessionError),
}

impl<E: Into<SessionError>> From<E> for Halt {
    fn from(error: E) -> Halt {
        Halt::Failed(error.into())
    }
}

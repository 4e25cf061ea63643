//! Why a run cannot be watched.

use std::path::PathBuf;

use crate::foundation::near;
use crate::journal::JournalError;

/// Why a run cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The folder does not contain a run.
    #[error("{} is not a run directory: {why}{}", path.display(), near::question(similar))]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// What is found.
        why: String,
        /// Names of runs that may have been meant.
        similar: Vec<String>,
    },
    /// A process works on the run, but its journal is not there.
    #[error(
        "the run in {} is blocked: {reason}. Until that is mended there is nothing to show. Once stopped, its process ({holder}) \
         writes what it can save, and says how to continue",
        path.display()
    )]
    Blocked {
        /// The folder.
        path: PathBuf,
        /// The process.
        holder: String,
        /// Why it cannot save.
        reason: String,
    },
    /// There is nothing of that name.
    #[error("there is no run {}{}; `nas-tui list` has the names", path.display(), near::question(similar))]
    NoSuchRun {
        /// The name.
        path: PathBuf,
        /// Names of runs that may have been meant.
        similar: Vec<String>,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

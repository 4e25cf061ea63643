//! Why a run cannot be watched.

use std::path::PathBuf;

use crate::foundation::near;
use crate::journal::JournalError;

/// Why a run cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The folder does not contain a run.
    #[error("{} is not a run directory: there is no journal.jsonl in it{}", path.display(), near::question(similar))]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// Names of runs that may have been meant.
        similar: Vec<String>,
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

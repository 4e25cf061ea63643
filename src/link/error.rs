//! Why a run cannot be watched.

use std::path::PathBuf;

use crate::journal::JournalError;

/// Why a run cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The folder does not contain a run.
    #[error("{} is not a run directory: there is no journal.jsonl in it", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

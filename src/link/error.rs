//! Why a run cannot be watched.

use std::path::PathBuf;

use crate::journal::JournalError;
use crate::runs::NoRun;

/// Why a run cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// There is no run.
    #[error(transparent)]
    NoRun(#[from] NoRun),
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
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

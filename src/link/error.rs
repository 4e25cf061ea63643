//! Why a run cannot be watched.

use crate::journal::JournalError;
use crate::runs::NoRun;

/// Why a run cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// There is no run.
    #[error(transparent)]
    NoRun(#[from] NoRun),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

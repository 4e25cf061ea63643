//! Why a study cannot begin or go on.

use std::io;
use std::path::PathBuf;

use crate::journal::JournalError;
use crate::session::SessionError;
use crate::space::SpaceError;
use crate::strategy::StrategyError;

/// The text says what, where, and what to do. Every training that had ended is kept.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// Reading or writing in the folder failed; the text names the file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Another process works in the folder.
    #[error("{}: another process works on it; wait for its end, or name another folder with --out", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The file of trainings cannot be read.
    #[error("{}: {problem}; move the folder away to begin anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The folder holds trainings that were made for something else.
    #[error("{} holds other trainings: {difference}; name another folder with --out, or move that one away", folder.display())]
    OtherPlan {
        /// The folder.
        folder: PathBuf,
        /// What is different.
        difference: String,
    },
    /// The images, or the table, are not those that the first trainings were made with.
    #[error(
        "the data is not what these trainings were begun with (fingerprint {now} where it was {then}): restore it; data.dir names its folder"
    )]
    OtherData {
        /// CRC-32 then.
        then: String,
        /// CRC-32 now.
        now: String,
    },
    /// The run cannot be asked this.
    #[error("{}: {problem}", run.display())]
    Unsuitable {
        /// The run directory.
        run: PathBuf,
        /// Why, and what to do.
        problem: String,
    },
    /// The journal of the run cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A child cannot be built.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// A child cannot be sampled.
    #[error(transparent)]
    Strategy(#[from] StrategyError),
    /// The evaluator could not be started.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The data or the workers cannot be used.
    #[error("{0}")]
    Unusable(String),
}

impl StudyError {
    /// Whether the user's input is the cause: exit status 2.
    pub fn is_bad_input(&self) -> bool {
        match self {
            StudyError::Io(_) => false,
            StudyError::Session(error) => error.is_bad_input(),
            _ => true,
        }
    }
}

//! Why a study cannot begin or continue.

use std::io;
use std::path::PathBuf;

use crate::journal::JournalError;
use crate::session::SessionError;
use crate::space::SpaceError;
use crate::strategy::StrategyError;

/// The message says what, where, and what to do. Every completed training is saved.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// Reading or writing in the folder failed; the message names the file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Another process is working in the folder.
    #[error("{}: another process is working on it; wait until it ends, or choose another folder with --out", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The file of trainings cannot be read.
    #[error("{}: {problem}; move the folder away to start again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The folder contains trainings that were made for something else.
    #[error("{} contains other trainings: {difference}; choose another folder with --out, or move that one away", folder.display())]
    OtherPlan {
        /// The folder.
        folder: PathBuf,
        /// The difference.
        difference: String,
    },
    /// The images, or the table, have changed since the first trainings.
    #[error(
        "the data has changed since these trainings began (fingerprint {now}, was {then}): restore it; data.dir names its folder"
    )]
    OtherData {
        /// CRC-32 of the data then.
        then: String,
        /// CRC-32 of the data now.
        now: String,
    },
    /// The run is not suitable for this study.
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
    /// No training has succeeded, or none does any more.
    #[error(
        "the last {trainings} trainings have failed ({reasons}){}, which is hardly the fault of the networks: their failures are not \
         recorded. The same command tries them again once the cause is fixed (`nas-tui doctor` checks this machine)",
        if *is_repeated { ", and so has one that had succeeded before" } else { "" }
    )]
    WithoutSuccess {
        /// Number of trainings.
        trainings: usize,
        /// Their reasons, grouped and counted.
        reasons: String,
        /// Whether one that had succeeded was repeated, and failed.
        is_repeated: bool,
    },
}

impl StudyError {
    /// Whether the user's input is the cause, which means exit status 2.
    pub fn is_bad_input(&self) -> bool {
        match self {
            StudyError::Io(_) | StudyError::WithoutSuccess { .. } => false,
            StudyError::Session(error) => error.is_bad_input(),
            _ => true,
        }
    }
}

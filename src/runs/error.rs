//! Why a folder cannot be used for a run, or contains none.

use std::io;
use std::path::{Path, PathBuf};

use crate::foundation::near;

/// There is no run where a user looks for one.
#[derive(Debug, thiserror::Error)]
pub enum NoRun {
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
    /// The folder has runs in it, as that of a study.
    #[error("{} is not a run directory, but has {} in it: name {}", path.display(), runs.len(), one_of(runs))]
    FolderOfRuns {
        /// The folder.
        path: PathBuf,
        /// The runs in it, at least one.
        runs: Vec<String>,
    },
    /// The folder is a run's, but something else is in the place of its journal.
    #[error("the run in {} is unreadable: {reason}", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What is found, and what to do if that is known.
        reason: String,
    },
    /// Several runs have that name.
    #[error(
        "{} runs are called {}: name one of their folders, {}",
        folders.len(),
        name.display(),
        folders.join(" or ")
    )]
    SeveralOfThatName {
        /// The name.
        name: PathBuf,
        /// Their folders.
        folders: Vec<String>,
    },
    /// There is nothing of that name.
    #[error("there is no run {}{}", path.display(), near_or_list(similar))]
    NoSuchRun {
        /// The name.
        path: PathBuf,
        /// Names of runs that may have been meant.
        similar: Vec<String>,
    },
}

/// The names that may have been meant, or else where the names are.
fn one_of(runs: &[String]) -> String {
    match runs {
        [one] => one.clone(),
        [one, other] => format!("{one} or {other}"),
        [first, .., last] => format!("one of them, from {first} to {last}"),
        [] => "a run".to_owned(),
    }
}

fn near_or_list(similar: &[String]) -> String {
    match similar {
        [] => "; `nas-tui list` has the names".to_owned(),
        similar => near::question(similar),
    }
}

/// Why a folder cannot be used for a run.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Another process is working on the run.
    #[error(
        "{} is in use by another process ({holder}): stop that one first, or watch it with: nas-tui attach {}",
        path.display(),
        path.display()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process named in the lock.
        holder: String,
    },
    /// The lock that was handed over belongs to another file.
    #[error("{}: this is not the lock of that run: runs are started by `nas-tui search` and `nas-tui train`", path.display())]
    NotItsLock {
        /// The folder.
        path: PathBuf,
    },
    /// A new run cannot begin in a folder with files.
    #[error("{} is not empty: name a new folder, or continue the run in it with --resume", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A run was to begin in the folder, but was killed before its settings were written.
    #[error(
        "nothing had begun in {}, so there is nothing to resume: its process ended before it had written its settings. \
         Begin it with: nas-tui {subcommand} --run {} and the options of the first time",
        path.display(),
        path.display()
    )]
    NothingBegun {
        /// The folder.
        path: PathBuf,
        /// The subcommand for its kind of run.
        subcommand: &'static str,
    },
    /// The settings of the run have been emptied: this program writes them whole or not at all.
    #[error("{}/config.toml is empty: the settings of the run are lost. {remedy}", path.display())]
    NoSettings {
        /// The folder.
        path: PathBuf,
        /// What to do.
        remedy: String,
    },
    /// There is a journal, but not what else a run needs to go on.
    #[error(
        "{} has the journal of a run, but not its settings (config.toml): it can be read (replay, report, inspect, export), \
         but neither continued nor changed. For that, copy the whole folder of the run",
        path.display()
    )]
    JournalOnly {
        /// The folder.
        path: PathBuf,
    },
    /// A session has saved its journal beside a file that had taken its place.
    #[error("{reason}")]
    Rescued {
        /// What has happened, and how to put it back.
        reason: String,
    },
    /// There is nothing of that name.
    #[error("there is no run {}: no such folder; `nas-tui list` has the names", path.display())]
    NoSuchFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The folder does not contain a run.
    #[error("{} is not a run directory: {why}", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// What is found.
        why: String,
    },
    /// Reading or writing failed.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
}

impl DirectoryError {
    /// Turns a system error into an error about this file or folder.
    pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> DirectoryError {
        let path = path.to_owned();
        move |cause| DirectoryError::Io {
            path: path.clone(),
            cause,
        }
    }
}

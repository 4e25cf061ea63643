//! The folder of one run: where its files are, and the lock that keeps other processes from writing
//! to it.

mod essentials;
mod in_place;
mod unstarted;

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::fs::{Mode, mkdirat};
use rustix::io::Errno;
use serde::Serialize;

use super::error::DirectoryError;
use super::lock::{self, LockProblem, lock_file};
use super::place::rescued_in;
use crate::event::RunKind;
use crate::foundation::durable::{in_file, is_at, sync_folder_of, write_atomically, write_json};
use crate::foundation::input;
use crate::journal::{JournalError, Reader};
use unstarted::{has_other_files, remedy_for_lost_settings};

pub use super::lock::lock_state;
pub use essentials::Essentials;

/// A run directory that only this process writes to while this value exists.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    /// The open file holds the lock; the operating system releases it however the process ends.
    lock: File,
    /// The open folder, wherever it is.
    folder: File,
    /// When something of it was first found missing, as if all of it were being deleted.
    missing_since: Option<Instant>,
}

/// Name of the file that is locked.
const LOCK: &str = "lock";
/// The resolved settings.
const SETTINGS: &str = "config.toml";
/// The network of a training.
const NETWORK: &str = "architecture.json";
/// What a user called the network of a training.
const ORIGIN: &str = "origin.txt";
/// The weights that a training begins with if they are not random, and where they are from.
const INITIAL_WEIGHTS: &str = "initial.safetensors";
const INITIAL: &str = "initial.json";
/// The state of a search, in its run directory.
pub const SEARCH_CHECKPOINT: &str = "checkpoint/search.safetensors";
/// The state of a training, in its run directory.
pub const TRAINING_CHECKPOINT: &str = "checkpoint/training.safetensors";
/// The weights of a training's best epoch, in its run directory.
pub const WEIGHTS: &str = "weights.safetensors";
/// What a run has found so far, in its run directory.
pub const BEST: &str = "best.json";
/// The results of a run, in its run directory.
pub const SUMMARY: &str = "summary.json";

impl RunDirectory {
    /// Create a folder `<UTC time>-<preset>` in `root` (created if missing), with `-2`, `-3`, ...
    /// appended if the name is taken.
    ///
    /// # Errors
    /// [`DirectoryError::Io`] if the folder cannot be created or locked.
    pub fn create_in(root: &Path, preset: &str) -> Result<RunDirectory, DirectoryError> {
        let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H-%M-%SZ");
        fs::create_dir_all(root).map_err(DirectoryError::at(root))?;
        let mut number = 1;
        loop {
            let suffix = if number == 1 {
                String::new()
            } else {
                format!("-{number}")
            };
            let path = root.join(format!("{time}-{preset}{suffix}"));
            match fs::create_dir(&path) {
                Ok(()) => return RunDirectory::lock(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(cause) => return Err(DirectoryError::Io { path, cause }),
            }
        }
    }

    /// Create the folder `path` for a new run, with its parents; it may exist if it is empty.
    ///
    /// # Errors
    /// [`DirectoryError`]: the folder is not empty, is in use, or cannot be created or locked.
    pub fn create(path: &Path) -> Result<RunDirectory, DirectoryError> {
        let io = DirectoryError::at(path);
        fs::create_dir_all(path).map_err(&io)?;
        let was_locked = path.join(LOCK).is_file();
        let directory = RunDirectory::lock(path.to_owned())?;
        if has_other_files(path, was_locked).map_err(&io)? {
            return Err(DirectoryError::NotEmpty {
                path: path.to_owned(),
            });
        }
        Ok(directory)
    }

    /// Open the run in `path` to continue it.
    ///
    /// # Errors
    /// [`DirectoryError`]: the folder contains no run, or its lock is held or cannot be taken.
    pub fn open(path: &Path) -> Result<RunDirectory, DirectoryError> {
        settings_in(path)?;
        match rescued_in(path) {
            Some(reason) => Err(DirectoryError::Rescued { reason }),
            None => RunDirectory::lock(path.to_owned()),
        }
    }

    fn lock(path: PathBuf) -> Result<RunDirectory, DirectoryError> {
        let lock = path.join(LOCK);
        let file = lock::open(&lock).map_err(DirectoryError::at(&lock))?;
        RunDirectory::with_lock(path, file)
    }

    fn with_lock(path: PathBuf, file: File) -> Result<RunDirectory, DirectoryError> {
        let lock = lock_file(file).map_err(|problem| match problem {
            LockProblem::Held(holder) => DirectoryError::InUse {
                path: path.clone(),
                holder,
            },
            LockProblem::Io(source) => DirectoryError::at(&path.join(LOCK))(source),
        })?;
        let folder = File::open(&path).map_err(DirectoryError::at(&path))?;
        Ok(RunDirectory {
            path,
            lock,
            folder,
            missing_since: None,
        })
    }

    /// The locked file, to hand to another process: the lock is held while any process has it open.
    pub fn into_lock(self) -> File {
        self.lock
    }

    /// Take over the run in `path` from the process that handed its lock to this one.
    ///
    /// # Errors
    /// [`DirectoryError`]: the lock belongs to another file, or cannot be taken.
    pub fn adopt(path: &Path, lock: File) -> Result<RunDirectory, DirectoryError> {
        if !is_at(&path.join(LOCK), &lock).unwrap_or(false) {
            return Err(DirectoryError::NotItsLock {
                path: path.to_owned(),
            });
        }
        RunDirectory::with_lock(path.to_owned(), lock)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Name of the run, see [`name_of`].
    pub fn name(&self) -> String {
        name_of(&self.path)
    }

    /// `config.toml`: the resolved settings.
    pub fn config_path(&self) -> PathBuf {
        self.path.join(SETTINGS)
    }

    /// `journal.jsonl`: what happened, one record per line.
    pub fn journal_path(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// The state of a search.
    pub fn checkpoint_path(&self) -> PathBuf {
        self.path.join(SEARCH_CHECKPOINT)
    }

    /// The state of a training.
    pub fn training_path(&self) -> PathBuf {
        self.path.join(TRAINING_CHECKPOINT)
    }

    /// The network of a training: the directory of a training is recognised by this file.
    pub fn architecture_path(&self) -> PathBuf {
        self.path.join(NETWORK)
    }

    /// Write what a training is to train, before its settings: how the user named the network, and the network.
    ///
    /// # Errors
    /// I/O errors.
    pub fn write_network(&self, origin: &str, network: &str) -> io::Result<()> {
        write_atomically(&self.path.join(ORIGIN), origin.as_bytes())?;
        write_atomically(&self.architecture_path(), network.as_bytes())
    }

    /// ARCH of a training as given by the user; `None` if nobody has written it down.
    pub fn origin(&self) -> Option<String> {
        input::text(&self.path.join(ORIGIN), input::OWN).ok()
    }

    /// Write what a training begins with, before its network: the file of the weights, and what is known of them.
    ///
    /// # Errors
    /// I/O errors.
    pub fn write_initial(&self, weights: &[u8], facts: &impl Serialize) -> io::Result<()> {
        write_atomically(&self.initial_weights_path(), weights)?;
        write_json(&self.initial_path(), facts)
    }

    /// Remove what a training that was killed before it began may have left of that: its weights are random.
    ///
    /// # Errors
    /// I/O errors.
    pub fn without_initial(&self) -> io::Result<()> {
        for path in [self.initial_path(), self.initial_weights_path()] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// What is known of the weights that a training begins with.
    pub fn initial_path(&self) -> PathBuf {
        self.path.join(INITIAL)
    }

    /// The weights that a training begins with, unless they are random.
    pub fn initial_weights_path(&self) -> PathBuf {
        self.path.join(INITIAL_WEIGHTS)
    }

    /// What is known of them; `None` if they are random.
    ///
    /// # Errors
    /// I/O errors, also if the file is not text.
    pub fn initial(&self) -> io::Result<Option<String>> {
        match input::text(&self.initial_path(), input::OWN) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// The weights of a training's best epoch.
    pub fn weights_path(&self) -> PathBuf {
        self.path.join(WEIGHTS)
    }

    /// Write the resolved settings. They come first, because a folder without them is not a run.
    ///
    /// # Errors
    /// I/O errors; the message names the file.
    pub fn write_config(&self, toml: &str) -> io::Result<()> {
        write_atomically(&self.config_path(), toml.as_bytes())?;
        sync_folder_of(&self.path)
            .map_err(|error| in_file(&self.path, "cannot sync the folder of", error))
    }

    /// Make the folder for checkpoints in this folder, wherever it is: nothing is made in one that has taken its
    /// place.
    ///
    /// # Errors
    /// I/O errors; the message names the folder.
    pub fn make_checkpoint_folder(&self) -> io::Result<()> {
        let folder = self.path.join("checkpoint");
        match mkdirat(&self.folder, "checkpoint", Mode::from_raw_mode(0o777)) {
            Err(Errno::EXIST) => Ok(()),
            made => made
                .map_err(io::Error::from)
                .and_then(|()| self.folder.sync_all())
                .map_err(|error| in_file(&folder, "cannot create", error)),
        }
    }

    /// Move `best.json` and the weights of a training's best epoch out of the way (`.void`), if there
    /// are any: they are of an epoch that is repeated.
    ///
    /// # Errors
    /// I/O errors; the message names the file.
    pub fn void_best(&self) -> io::Result<()> {
        for path in [self.path.join(BEST), self.weights_path()] {
            let mut void = path.clone().into_os_string();
            void.push(".void");
            match std::fs::rename(&path, void) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(in_file(&path, "cannot rename", error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Name of the run in `path`: that of the folder itself, whatever link leads to it.
pub fn name_of(path: &Path) -> String {
    let folder = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    folder.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The file with the settings of the run in `path`.
///
/// # Errors
/// [`DirectoryError`]: the folder has none, or it is empty.
pub fn settings_in(path: &Path) -> Result<PathBuf, DirectoryError> {
    let file = path.join(SETTINGS);
    match fs::metadata(&file).ok().filter(fs::Metadata::is_file) {
        Some(found) if found.len() == 0 => Err(DirectoryError::NoSettings {
            path: path.to_owned(),
            remedy: remedy_for_lost_settings(path),
        }),
        Some(_) => Ok(file),
        None => Err(DirectoryError::without_settings(path)),
    }
}

/// Whether the run in `path` has started; if not, there is nothing to resume.
///
/// # Errors
///
/// If its journal cannot be read.
pub fn has_begun(path: &Path) -> Result<bool, JournalError> {
    for record in Reader::open(&path.join("journal.jsonl"))? {
        if record?.event.begins_run() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The kind of the run in `path`, judging by its folder: a training has its network there.
pub fn kind_of(path: &Path) -> RunKind {
    if path.join(NETWORK).is_file() {
        RunKind::Training
    } else {
        RunKind::Search
    }
}

/// The file for the output of a detached run's process.
const SEARCH_LOG: &str = "search.log";
const TRAINING_LOG: &str = "training.log";

/// The file in `path` that receives the output of the run's own process, which has no terminal.
pub fn log_of(path: &Path) -> PathBuf {
    path.join(match kind_of(path) {
        RunKind::Search => SEARCH_LOG,
        RunKind::Training => TRAINING_LOG,
    })
}

/// The subcommand that continues the run in `path`: `train` for a training, otherwise `search`.
pub fn subcommand_of(path: &Path) -> &'static str {
    match kind_of(path) {
        RunKind::Search => "search",
        RunKind::Training => "train",
    }
}

/// The command that continues the run in `path`.
pub fn resume_command(path: &Path) -> String {
    format!(
        "nas-tui {} --resume {}",
        subcommand_of(path),
        path.display()
    )
}

#[cfg(test)]
mod tests;

//! The folder of one run: where its files are, and the lock that keeps other processes from writing
//! to it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::error::DirectoryError;
use crate::event::RunKind;
use crate::foundation::durable::{in_file, sync_folder_of, write_atomically, write_json};
use crate::foundation::host::host_name;
use crate::foundation::{input, text};
use crate::journal::{JournalError, Reader};

/// Maximum time that a process which only checks the lock can delay a search.
const LOOKED_AT: Duration = Duration::from_millis(200);

/// Longest name of a process in a lock.
const LONGEST_HOLDER: u64 = 1 << 10;

/// A run directory that only this process writes to while this value exists.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    /// The open file holds the lock; the operating system releases it however the process ends.
    lock: File,
}

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
        let directory = RunDirectory::lock(path.to_owned())?;
        // These are left behind by a search that was killed before it began.
        let is_other = |entry: io::Result<fs::DirEntry>| {
            entry.map(|entry| {
                entry.file_name() != "lock"
                    && entry.file_name() != "config.toml.tmp"
                    && entry.file_name() != "architecture.json.tmp"
            })
        };
        let others = fs::read_dir(path)
            .map_err(&io)?
            .map(is_other)
            .collect::<io::Result<Vec<_>>>()
            .map_err(&io)?;
        if others.contains(&true) {
            return Err(DirectoryError::NotEmpty {
                path: path.to_owned(),
            });
        }
        Ok(directory)
    }

    /// Remove what a new search that failed before it began (no data, no workers) left in `path`:
    /// there is nothing to resume, and the same command must work again once the cause is fixed.
    ///
    /// # Errors
    /// I/O errors, also if the folder contains other files.
    pub fn discard_unstarted(path: &Path) -> io::Result<()> {
        if has_begun(path).unwrap_or(true) {
            return Ok(());
        }
        let files = [
            "journal.jsonl",
            "summary.json",
            "architecture.json",
            "config.toml",
            "control.sock",
            "lock",
        ];
        for name in files.into_iter().chain([SEARCH_LOG, TRAINING_LOG]) {
            match fs::remove_file(path.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::remove_dir(path)
    }

    /// Open the run in `path` to continue it.
    ///
    /// # Errors
    /// [`DirectoryError`]: the folder contains no run, or its lock is held or cannot be taken.
    pub fn open(path: &Path) -> Result<RunDirectory, DirectoryError> {
        if !path.join("config.toml").is_file() {
            return Err(DirectoryError::NotARun {
                path: path.to_owned(),
            });
        }
        RunDirectory::lock(path.to_owned())
    }

    fn lock(path: PathBuf) -> Result<RunDirectory, DirectoryError> {
        let lock = path.join("lock");
        let at_lock = DirectoryError::at(&lock);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock)
            .map_err(&at_lock)?;
        // A pipe could be locked, but not written to.
        input::open(&lock).map_err(at_lock)?;
        RunDirectory::with_lock(path, file)
    }

    fn with_lock(path: PathBuf, file: File) -> Result<RunDirectory, DirectoryError> {
        let lock = lock_file(file).map_err(|problem| match problem {
            LockProblem::Held(holder) => DirectoryError::InUse {
                path: path.clone(),
                holder,
            },
            LockProblem::Io(source) => DirectoryError::at(&path.join("lock"))(source),
        })?;
        Ok(RunDirectory { path, lock })
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
        let same = fs::metadata(path.join("lock")).and_then(|there| {
            lock.metadata()
                .map(|handed| (there.dev(), there.ino()) == (handed.dev(), handed.ino()))
        });
        if !same.unwrap_or(false) {
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
        self.path.join("config.toml")
    }

    /// `journal.jsonl`: what happened, one record per line.
    pub fn journal_path(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// The state of a search.
    pub fn checkpoint_path(&self) -> PathBuf {
        self.path.join("checkpoint").join("search.safetensors")
    }

    /// The state of a training.
    pub fn training_path(&self) -> PathBuf {
        self.path.join("checkpoint").join("training.safetensors")
    }

    /// The network of a training: the directory of a training is recognised by this file.
    pub fn architecture_path(&self) -> PathBuf {
        self.path.join("architecture.json")
    }

    /// The weights of a training's best epoch.
    pub fn weights_path(&self) -> PathBuf {
        self.path.join("weights.safetensors")
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

    /// Write `best.json`: what the run has found so far.
    ///
    /// # Errors
    /// I/O errors (the message names the file), or a number that JSON cannot represent.
    pub fn write_best(&self, best: &impl Serialize) -> io::Result<()> {
        write_json(&self.path.join("best.json"), best)
    }

    /// Move `best.json` and the weights of a training's best epoch out of the way (`.void`), if there
    /// are any: they are of an epoch that is repeated.
    ///
    /// # Errors
    /// I/O errors; the message names the file.
    pub fn void_best(&self) -> io::Result<()> {
        for path in [self.path.join("best.json"), self.weights_path()] {
            let mut void = path.clone().into_os_string();
            void.push(".void");
            match std::fs::rename(&path, void) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(in_file(&path, "cannot rename", error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Write `summary.json`: the results of the whole run.
    ///
    /// # Errors
    /// I/O errors; the message names the file.
    pub fn write_summary(&self, summary: &impl Serialize) -> io::Result<()> {
        write_json(&self.path.join("summary.json"), summary)
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
    if path.join("architecture.json").is_file() {
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

enum LockProblem {
    /// The holder, as far as it is known.
    Held(String),
    Io(io::Error),
}

/// Lock a file for as long as it stays open, and write the holder into it.
fn lock_file(mut file: File) -> Result<File, LockProblem> {
    let begin = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            // Another process may only be checking it (`lock_state`), which takes no time.
            Err(TryLockError::WouldBlock) if begin.elapsed() < LOOKED_AT => {
                std::thread::sleep(LOOKED_AT / 10)
            }
            Err(TryLockError::WouldBlock) => return Err(LockProblem::Held(holder_in(&mut file))),
            Err(TryLockError::Error(error)) => return Err(LockProblem::Io(error)),
        }
    }
    let holder = format!("pid {} on {}\n", std::process::id(), host_name());
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(holder.as_bytes()));
    written.map(|()| file).map_err(LockProblem::Io)
}

/// The process writing to the run in `path` now, as `pid P on HOST`; `None` if there is none.
pub fn lock_state(path: &Path) -> Option<String> {
    let mut file = input::open(&path.join("lock")).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(holder_in(&mut file)),
        // The lock is released as soon as the file is closed, here.
        _ => None,
    }
}

fn holder_in(file: &mut File) -> String {
    let mut holder = String::new();
    let _ = file.take(LONGEST_HOLDER).read_to_string(&mut holder);
    match text::line(holder.trim()) {
        holder if holder.is_empty() => "which has just begun".to_owned(),
        holder => holder.into_owned(),
    }
}

#[cfg(test)]
mod tests;

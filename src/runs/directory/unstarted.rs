//! What a run that has not begun leaves behind, and how its directory is removed.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::{
    DirectoryError, INITIAL, INITIAL_WEIGHTS, LOCK, ORIGIN, RunDirectory, SEARCH_LOG, TRAINING_LOG,
    has_begun, subcommand_of,
};
use crate::foundation::input;

/// All that the directory of a run that has not begun can contain.
const OF_UNSTARTED: [&str; 18] = [
    "journal.jsonl",
    "journal.snapshot",
    "summary.json",
    "architecture.json",
    "architecture.json.tmp",
    ORIGIN,
    "origin.txt.tmp",
    INITIAL,
    "initial.json.tmp",
    INITIAL_WEIGHTS,
    "initial.safetensors.tmp",
    "config.toml",
    "config.toml.tmp",
    "control.sock",
    "checkpoint",
    LOCK,
    SEARCH_LOG,
    TRAINING_LOG,
];

impl RunDirectory {
    /// As [`RunDirectory::discard_unstarted`], for the directory `path`, which no process uses any more.
    ///
    /// # Errors
    /// Those of [`RunDirectory::discard_unstarted`], and if it is in use.
    pub fn discard_unstarted_at(path: &Path) -> Result<(), DirectoryError> {
        let mut directory = RunDirectory::lock(path.to_owned())?;
        let discarded = directory.discard_unstarted();
        discarded.map_err(DirectoryError::at(path))
    }

    /// Remove the directory of a new run that failed before it began (no data, no workers): there is
    /// nothing to resume, and the same command must work again once the cause is fixed. Whether the run
    /// has begun is for the caller to know: its journal may have been damaged by others.
    ///
    /// # Errors
    /// I/O errors; also if another folder has taken its place, or if it contains the journal of a run
    /// that has begun, or anything that such a run does not leave: then nothing is removed.
    pub fn discard_unstarted(&mut self) -> io::Result<()> {
        self.check()?;
        let path = &self.path;
        let mut names = Vec::new();
        for entry in fs::read_dir(path)? {
            names.push(entry?.file_name());
        }
        let checkpoints = path.join("checkpoint");
        let are_known = (names.iter()).all(|name| OF_UNSTARTED.iter().any(|known| name == *known));
        let has_checkpoint = checkpoints.exists() && !is_empty(&checkpoints);
        let has_journal = path.join("journal.jsonl").exists();
        let has_begun = has_journal && has_begun(path).unwrap_or(true);
        if has_begun || has_checkpoint || !are_known {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        for name in names.iter().filter(|name| *name != "checkpoint") {
            fs::remove_file(path.join(name))?;
        }
        match fs::remove_dir(&checkpoints) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => fs::remove_dir(path),
        }
    }
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// Whether a folder contains more than a lock and, if it is of a run that was killed before its
/// settings were written, what such a run leaves behind.
pub(super) fn has_other_files(path: &Path, is_of_run: bool) -> io::Result<bool> {
    let left_over = [
        "config.toml.tmp",
        "architecture.json",
        "architecture.json.tmp",
        ORIGIN,
        "origin.txt.tmp",
        INITIAL,
        "initial.json.tmp",
        INITIAL_WEIGHTS,
        "initial.safetensors.tmp",
    ];
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        let is_empty_folder = name == "checkpoint" && is_empty(&path.join("checkpoint"));
        let is_left_over =
            is_of_run && (is_empty_folder || left_over.iter().any(|left| name == *left));
        if name != LOCK && !is_left_over {
            return Ok(true);
        }
    }
    Ok(false)
}

impl DirectoryError {
    /// Why there is no run to continue in `path`, which has no file `config.toml`.
    pub(super) fn without_settings(path: &Path) -> DirectoryError {
        let is_left_over = path.is_dir() && !has_other_files(path, true).unwrap_or(true);
        let subcommand = subcommand_of(path);
        let path = path.to_owned();
        if is_left_over {
            DirectoryError::NothingBegun { path, subcommand }
        } else if path.symlink_metadata().is_err() {
            DirectoryError::NoSuchFolder { path }
        } else if path.join("journal.jsonl").is_file() && !path.join("config.toml").exists() {
            DirectoryError::JournalOnly { path }
        } else {
            let why = input::why_not_in(&path, "config.toml");
            DirectoryError::NotARun { path, why }
        }
    }
}

/// What to do if the settings of the run in `path` have been emptied.
pub(super) fn remedy_for_lost_settings(path: &Path) -> String {
    let (place, subcommand) = (path.display(), subcommand_of(path));
    match path.join("journal.jsonl").exists() {
        true => "Restore it from a copy: the run goes on from its journal".to_owned(),
        false => format!(
            "Nothing had begun: remove it, and begin with: nas-tui {subcommand} --run {place} and the options of the first time"
        ),
    }
}

//! The user's runs wherever they are: one small file for each, written when a run begins.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::foundation::durable::write_atomically;
use crate::foundation::hash::fnv;
use crate::foundation::input;

#[derive(Debug, Serialize, Deserialize)]
struct RegisteredRun {
    /// The run directory, absolute.
    path: PathBuf,
}

/// Remember the run in the directory `run`.
///
/// # Errors
/// I/O errors, also if neither XDG_STATE_HOME nor HOME is set.
pub fn register(run: &Path) -> io::Result<()> {
    let folder = folder().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            "neither XDG_STATE_HOME nor HOME is set",
        )
    })?;
    register_in(&folder, run)
}

/// The registered runs that still exist, as absolute paths. Entries of others are removed.
pub fn runs() -> Vec<PathBuf> {
    folder().map_or_else(Vec::new, |folder| runs_in(&folder))
}

/// `$XDG_STATE_HOME/nas-tui/runs`.
fn folder() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("nas-tui/runs"))
}

fn register_in(folder: &Path, run: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let path = run.canonicalize()?;
    let name = format!(
        "{:016x}.json",
        fnv(path.as_os_str().as_encoded_bytes().iter().copied())
    );
    write_atomically(
        &folder.join(name),
        serde_json::to_string(&RegisteredRun { path })?.as_bytes(),
    )
}

fn runs_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    entries.filter_map(|entry| still_there(&entry)).collect()
}

fn still_there(entry: &Path) -> Option<PathBuf> {
    let text = input::text(entry, input::SETTINGS).ok()?;
    // Not written by us, or by a later version: leave it alone.
    let RegisteredRun { path } = serde_json::from_str(&text).ok()?;
    if super::is_run(&path) {
        return Some(path);
    }
    // Only if the file system that held it is present: an unmounted disk may come back.
    if path.parent().is_some_and(Path::is_dir) {
        let _ = fs::remove_file(entry);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_registered_once_until_it_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let (folder, run) = (root.path().join("state"), root.path().join("run"));
        fs::create_dir(&run).unwrap();
        fs::write(run.join("journal.jsonl"), "").unwrap();
        for _ in 0..2 {
            register_in(&folder, &run).unwrap();
        }
        fs::write(folder.join("notes.txt"), "not ours").unwrap();
        assert_eq!(runs_in(&folder), [run.canonicalize().unwrap()]);
        fs::remove_dir_all(&run).unwrap();
        assert!(runs_in(&folder).is_empty());
        let left: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["notes.txt"]);
    }

    #[test]
    fn a_run_with_something_else_in_the_place_of_its_journal_stays_registered() {
        let root = tempfile::tempdir().unwrap();
        let (folder, run) = (root.path().join("state"), root.path().join("run"));
        fs::create_dir_all(run.join("journal.jsonl")).unwrap();
        register_in(&folder, &run).unwrap();
        let expected = [run.canonicalize().unwrap()];
        assert_eq!(runs_in(&folder), expected);
        fs::remove_dir(run.join("journal.jsonl")).unwrap();
        fs::write(run.join("journal.jsonl.rescued"), "").unwrap();
        assert_eq!(runs_in(&folder), expected);
    }
}

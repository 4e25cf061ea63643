//! Runs on the disk: their directories, who writes them, and which there are on this machine (in
//! ./runs, or registered by the user's searches).

pub mod directory;
pub mod registry;
mod survey;

use std::path::{Path, PathBuf};

pub use directory::RunDirectory;
pub use survey::{RunInfo, WorkInfo, look_at};

/// Folder that runs are made in.
const USUAL: &str = "runs";

/// The run directory that a user means by `name`: a folder, or the name of one in ./runs.
pub fn named(name: &Path) -> PathBuf {
    let usual = Path::new(USUAL).join(name);
    if name.is_dir() {
        return name.to_owned();
    }
    if usual.is_dir() {
        return usual;
    }
    // The name of a run that was begun elsewhere, if there is but one.
    let elsewhere: Vec<PathBuf> = known()
        .into_iter()
        .filter(|run| run.file_name() == Some(name.as_os_str()))
        .collect();
    match <[PathBuf; 1]>::try_from(elsewhere) {
        Ok([run]) => run,
        Err(_) => name.to_owned(),
    }
}

/// Every run that is known, those at work first, then the latest first. Folders that are no run, or
/// whose journal cannot be read, are left out.
pub fn survey() -> Vec<RunInfo> {
    let mut runs: Vec<RunInfo> = known().iter().filter_map(|run| look_at(run)).collect();
    runs.sort_by_key(|run| (!run.status.is_live(), std::cmp::Reverse(run.started)));
    runs
}

/// The folders of runs: each once, by the shortest way to it.
fn known() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(USUAL)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = entries
        .filter(|folder| folder.join("journal.jsonl").is_file())
        .collect();
    let there: Vec<PathBuf> = folders
        .iter()
        .filter_map(|folder| folder.canonicalize().ok())
        .collect();
    folders.extend(
        registry::runs()
            .into_iter()
            .filter(|run| !there.contains(run)),
    );
    folders
}

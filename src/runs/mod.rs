//! Runs on disk: their directories, who is writing to them, and which exist on this machine (in
//! ./runs, or registered by the user's searches).

pub mod directory;
mod error;
mod lock;
mod place;
pub mod registry;
pub mod snapshots;
mod survey;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::foundation::{input, near};
pub use directory::RunDirectory;
pub use error::{DirectoryError, NoRun};
pub use place::remedy;
use place::{Found, JOURNAL, journal_in};
pub use survey::{RunInfo, WorkInfo, distinct_names, look_at};

/// Folder in which runs are created.
const USUAL: &str = "runs";

/// The run directory that a user means by `name`: a folder, or a name in ./runs.
pub fn named(name: &Path) -> PathBuf {
    let usual = Path::new(USUAL).join(name);
    if name.is_dir() {
        return name.to_owned();
    }
    if usual.is_dir() {
        return usual;
    }
    // The name of a run that was started elsewhere, if it is unique.
    let elsewhere: Vec<PathBuf> = known()
        .into_iter()
        .filter(|run| run.file_name() == Some(name.as_os_str()))
        .collect();
    match <[PathBuf; 1]>::try_from(elsewhere) {
        Ok([run]) => run,
        Err(_) => name.to_owned(),
    }
}

/// The directory of the run that a user means by `name`.
///
/// # Errors
/// [`NoRun`], with similar names.
pub fn find(name: &Path) -> Result<PathBuf, NoRun> {
    let run = named(name);
    match journal_of(&run) {
        Err(_) if is_at_work(&run) => Ok(run),
        found => found.map(|_| run),
    }
}

/// The journal of the run in the directory `run`.
///
/// # Errors
/// [`NoRun`], with similar names.
pub fn journal_of(run: &Path) -> Result<PathBuf, NoRun> {
    let path = run.to_owned();
    Err(match journal_in(run) {
        Found::Journal => return Ok(run.join(JOURNAL)),
        Found::Displaced(reason) => NoRun::Unreadable { path, reason },
        Found::Nothing if run.exists() => match runs_in(run) {
            runs if runs.is_empty() => NoRun::NotARun {
                why: input::why_not_in(run, JOURNAL),
                path,
                similar: similar(run),
            },
            runs => NoRun::FolderOfRuns { path, runs },
        },
        Found::Nothing => match namesakes(run, &known()) {
            folders if folders.len() > 1 && is_name(run) => NoRun::SeveralOfThatName {
                name: path,
                folders,
            },
            _ => NoRun::NoSuchRun {
                path,
                similar: similar(run),
            },
        },
    })
}

/// The runs in the folder of a study or of several trainings.
fn runs_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let runs = entries.map(|entry| entry.path());
    let runs = runs.filter(|run| matches!(journal_in(run), Found::Journal));
    let mut runs: Vec<String> = runs.map(|run| run.display().to_string()).collect();
    runs.sort_unstable();
    runs
}

/// Whether this is the name of a run, not a path.
fn is_name(name: &Path) -> bool {
    name.components().count() == 1
}

/// The folders of the known runs whose name is that of `name`.
fn namesakes(name: &Path, known: &[PathBuf]) -> Vec<String> {
    let alike = |run: &&PathBuf| run.file_name() == name.file_name();
    let folders = known.iter().filter(alike);
    folders.map(|run| run.display().to_string()).collect()
}

/// Names of known runs that a user may have meant by `name`; if a run has this name, its folder.
fn similar(name: &Path) -> Vec<String> {
    let known = known();
    let folders = namesakes(name, &known);
    if !folders.is_empty() {
        return folders;
    }
    let names = known.iter().filter_map(|run| run.file_name()?.to_str());
    let given = name.file_name().unwrap_or_default().to_string_lossy();
    near::names(&given, names)
        .into_iter()
        .map(str::to_owned)
        .collect()
}

/// Every known run: running ones first, the latest begun at the top, then the others, of which the last to change
/// comes first. Folders that are not runs are left out.
pub fn survey() -> Vec<RunInfo> {
    let mut runs: Vec<RunInfo> = known().iter().filter_map(|run| look_at(run)).collect();
    sort(&mut runs);
    runs
}

fn sort(runs: &mut [RunInfo]) {
    runs.sort_by_key(|run| match run.status.is_live() {
        // They change all the time, and must not change places for that.
        true => (false, std::cmp::Reverse(run.started)),
        false => (true, std::cmp::Reverse(run.changed)),
    });
}

/// Whether there is a run in `folder`: it has a journal or something in its place, or a process works on it,
/// which may have lost that.
fn is_run(folder: &Path) -> bool {
    journal_in(folder) != Found::Nothing || is_at_work(folder)
}

/// Whether a process works on a run in `folder`.
fn is_at_work(folder: &Path) -> bool {
    folder.join("config.toml").is_file() && directory::lock_state(folder).is_some()
}

/// The folders of all runs, each listed once by its shortest path, whatever links lead to it.
fn known() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(USUAL)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = entries.filter(|folder| is_run(folder)).collect();
    folders.sort_by_key(|folder| (folder.is_symlink(), folder.clone()));
    folders.extend(registry::runs());
    let mut seen = HashSet::new();
    folders.retain(|folder| seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.clone())));
    folders
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::state::RunStatus;

    #[test]
    fn runs_of_one_name_are_told_by_their_folders() {
        let known = ["runs/demo", "/data/demo", "/data/other"].map(PathBuf::from);
        let found = |name: &str| namesakes(Path::new(name), &known);
        assert_eq!(found("demo"), ["runs/demo", "/data/demo"]);
        assert_eq!(found("other"), ["/data/other"]);
        assert!(is_name(Path::new("demo")) && !is_name(Path::new("elsewhere/demo")));
        let error = NoRun::SeveralOfThatName {
            name: "demo".into(),
            folders: found("demo"),
        };
        assert_eq!(
            error.to_string(),
            "2 runs are called demo: name one of their folders, runs/demo or /data/demo"
        );
    }

    #[test]
    fn running_ones_come_first_then_the_last_to_change() {
        let run = |name: &str, status, started, changed| {
            let time = |second| Some(Timestamp::from_second(second).unwrap());
            RunInfo {
                name: name.to_owned(),
                path: name.into(),
                status,
                work: WorkInfo::Training {
                    network: "nascnn15".to_owned(),
                    recipe: "night".to_owned(),
                    epoch: 1,
                    epochs: 28,
                    test_accuracy: None,
                },
                best_accuracy: None,
                started: time(started),
                changed: time(changed),
                blocked: None,
                holder: None,
                unreadable: None,
            }
        };
        let mut runs = [
            run("finished lately", RunStatus::Completed, 30, 40),
            run("resumed and stopped", RunStatus::Stopped, 10, 70),
            run("first", RunStatus::Running, 20, 80),
            run("second", RunStatus::Paused, 50, 60),
        ];
        sort(&mut runs);
        assert_eq!(
            runs.map(|run| run.name),
            ["second", "first", "resumed and stopped", "finished lately"]
        );
    }

    #[test]
    fn a_name_of_no_run_is_an_error_with_what_may_have_been_meant() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("a-name-that-no-run-here-has");
        let error = find(&missing).unwrap_err().to_string();
        let expected = format!("there is no run {}; `nas-tui list`", missing.display());
        assert!(error.starts_with(&expected), "{error}");
        let error = find(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("is not a run directory: there is no journal.jsonl in it"),
            "{error}"
        );
    }

    #[test]
    fn of_a_folder_that_has_runs_in_it_they_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for run in ["seed-2", "seed-1", "seed-3", "seed-4"] {
            let run = folder.path().join(run);
            std::fs::create_dir(&run).unwrap();
            std::fs::write(run.join(JOURNAL), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("report")).unwrap();
        let error = find(folder.path()).unwrap_err().to_string();
        let [first, last] = ["seed-1", "seed-4"].map(|run| folder.path().join(run));
        assert_eq!(
            error,
            format!(
                "{} is not a run directory, but has 4 in it: name one of them, from {} to {}",
                folder.path().display(),
                first.display(),
                last.display()
            )
        );
    }
}

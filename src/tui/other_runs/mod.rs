//! Other runs beside the one shown: which ones exist, those that it is compared with, and the one that
//! is to take its place.
//!
//! ```text
//! App: Neighbours (what is wanted) -> Errands (threads: list, attach, read settings)
//!   -> Company (connections, in the event loop) -> Neighbours (what has become known)
//! ```

mod company;
pub mod differences;
mod errands;
mod other_run;

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

pub use company::{Company, Heard};
pub use errands::{Attached, Errand, News, Reason};
pub use other_run::{OtherRun, Standing};

use crate::config::{Config, by_key};
use crate::event::RunStarted;
use crate::foundation::input;
use crate::runs::RunInfo;

/// Maximum number of runs that one is compared with at a time: more curves cannot be told apart.
pub const MOST: usize = 4;
/// How long a list of runs is good enough to find one by its name.
const LASTS: SignedDuration = SignedDuration::from_secs(10);

/// Whether another run can take the place of the one shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switching {
    /// Yes, and the screen is then that of the other run.
    Free {
        /// Whether it only watches the other run too.
        watch: bool,
    },
    /// Yes, but this program began the run shown first: that one is kept, and closing another run leads
    /// back to it.
    FromHome,
    /// No, for this reason.
    No(&'static str),
}

impl Switching {
    /// Why no other run can be shown; `None` if one can.
    pub fn obstacle(self) -> Option<&'static str> {
        match self {
            Switching::No(reason) => Some(reason),
            Switching::Free { .. } | Switching::FromHome => None,
        }
    }

    /// Whether the screen of another run must not command it.
    pub fn only_watches(self) -> bool {
        matches!(self, Switching::Free { watch: true })
    }
}

/// The settings of a run, as far as they can be read.
#[derive(Debug, Clone, Default)]
pub struct RunSettings {
    /// The settings, if this version accepts them.
    pub config: Option<Config>,
    /// All of them by dotted key, including those that the file leaves out if `config` is known.
    pub by_key: Vec<(String, String)>,
    /// Why they cannot be read, or not completely.
    pub problem: Option<String>,
}

impl RunSettings {
    /// Those in the run directory `run`.
    pub fn of(run: &Path) -> RunSettings {
        let path = run.join("config.toml");
        match crate::config::read(&path) {
            Ok(config) => RunSettings {
                by_key: by_key(&config.to_toml()),
                config: Some(config),
                problem: None,
            },
            Err(error) => RunSettings {
                config: None,
                by_key: input::read(&path, input::OWN).map_or_else(
                    |_| Vec::new(),
                    |text| by_key(&String::from_utf8_lossy(&text)),
                ),
                problem: Some(error.to_string()),
            },
        }
    }
}

/// The runs that exist.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// When they were looked for.
    pub time: Timestamp,
    /// As `nas-tui list` lists them.
    pub runs: Vec<RunInfo>,
    /// Their folders in the same order, without links in their paths.
    pub folders: Vec<PathBuf>,
}

impl Listed {
    /// The folder of the run in this directory.
    pub fn folder_of(&self, run: &Path) -> Option<&Path> {
        let place = self.runs.iter().position(|known| known.path == run)?;
        self.folders.get(place).map(PathBuf::as_path)
    }

    /// The place of the run in this folder.
    pub fn place_of(&self, folder: &Path) -> Option<usize> {
        self.folders.iter().position(|known| known == folder)
    }
}

/// The runs that the one shown is compared with, by their places.
#[derive(Debug, Default)]
pub struct Others(Vec<OtherRun>);

impl Others {
    /// All of them, in order.
    pub fn runs(&self) -> &[OtherRun] {
        &self.0
    }

    /// The run in this folder.
    pub fn of(&self, folder: &Path) -> Option<&OtherRun> {
        self.0.iter().find(|run| run.folder == folder)
    }

    pub(super) fn of_mut(&mut self, folder: &Path) -> Option<&mut OtherRun> {
        self.0.iter_mut().find(|run| run.folder == folder)
    }

    /// Compare with the run in this folder too, at the first free place; false if there is none, or if it
    /// is compared with already.
    pub fn add(&mut self, folder: PathBuf, name: String) -> bool {
        let is_free = |place: &u8| self.0.iter().all(|run| run.place != *place);
        let Some(place) = (0..MOST as u8).find(is_free) else {
            return false;
        };
        if self.of(&folder).is_some() {
            return false;
        }
        self.0.push(OtherRun::new(place, folder, name));
        self.0.sort_by_key(|run| run.place);
        true
    }

    /// Compare no longer with the run in this folder; false if it was not.
    pub fn remove(&mut self, folder: &Path) -> bool {
        let before = self.0.len();
        self.0.retain(|run| run.folder != folder);
        self.0.len() < before
    }

    /// The run in this folder cannot be attached to, for this reason.
    pub(super) fn lose(&mut self, folder: &Path, problem: String) {
        if let Some(run) = self.of_mut(folder) {
            run.standing = Standing::Lost(problem);
        }
    }

    /// Compare with no run.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The same runs beside another one: what is known of them is read again, and if that one is among
    /// them, the one shown before takes its place.
    pub(super) fn beside(&self, shown: &Path, before: (PathBuf, String)) -> Others {
        let again = self.0.iter().map(|run| {
            let (folder, name) = match run.folder == shown {
                true => before.clone(),
                false => (run.folder.clone(), run.name.clone()),
            };
            OtherRun::new(run.place, folder, name)
        });
        Others(again.collect())
    }

    /// Those that are to be attached to, which is noted.
    fn take_wanted(&mut self) -> impl Iterator<Item = PathBuf> {
        let wanted = self.0.iter_mut();
        let wanted = wanted.filter(|run| run.standing == Standing::Wanted);
        wanted.map(|run| {
            run.standing = Standing::Opening;
            run.folder.clone()
        })
    }

    /// Compare each run with the one shown as soon as both have begun; returns the folders of those that
    /// have been compared now.
    fn compare(&mut self, now: Option<&RunStarted>, settings: &RunSettings) -> Vec<PathBuf> {
        let Some(now) = now else { return Vec::new() };
        let compared = self.0.iter_mut();
        let compared = compared.filter_map(|run| {
            let is_new = run.compare((now, settings.config.as_ref()));
            is_new.then(|| run.folder.clone())
        });
        compared.collect()
    }
}

/// What the screen of a run knows of other runs.
#[derive(Debug)]
pub struct Neighbours {
    /// The folder of the run shown, without links in its path; empty if it has none.
    pub folder: PathBuf,
    /// The settings of the run shown.
    pub settings: RunSettings,
    /// The runs that exist; `None` until they have been looked for.
    pub listed: Option<Listed>,
    /// Whether they are to be looked for.
    pub is_list_wanted: bool,
    /// The runs that the one shown is compared with.
    pub others: Others,
    /// Whether another run can be shown.
    pub switching: Switching,
    /// The folder of the run that closing this one leads back to.
    pub home: Option<PathBuf>,
}

impl Neighbours {
    /// Before anything is known.
    pub fn new(switching: Switching) -> Neighbours {
        Neighbours {
            folder: PathBuf::new(),
            settings: RunSettings::default(),
            listed: None,
            is_list_wanted: false,
            others: Others::default(),
            switching,
            home: None,
        }
    }

    /// Whether the list of runs is too old to find runs by their names.
    pub fn is_list_old(&self, now: Timestamp) -> bool {
        let listed = self.listed.as_ref();
        listed.is_none_or(|listed| now.duration_since(listed.time) > LASTS)
    }

    /// Compare what can be compared by now with the run shown, which began like this; returns the folders of
    /// the runs that have been compared now.
    pub fn compare(&mut self, now: Option<&RunStarted>) -> Vec<PathBuf> {
        self.others.compare(now, &self.settings)
    }
}

#[cfg(test)]
mod tests;

//! The material of a report: the journal of a run read once, its settings, and whether a process is
//! working on it.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use jiff::Timestamp;

use crate::analysis::summary::SearchTally;
use crate::analysis::training;
use crate::analysis::{Summary, TrainingSummary};
use crate::event::{ChildEpoch, Event, Level, Record};
use crate::foundation::{input, text};
use crate::journal::{JournalError, Reader};
use crate::runs::directory::{lock_state, name_of};
use crate::state::{Ending, RunState, RunStatus, describe};
use crate::study::results::Results;

/// Maximum number of warnings and errors kept; beyond that they are only counted.
const MOST_NOTICES: usize = 100;

/// A run that has been read.
#[derive(Debug, Clone, Default)]
pub struct Material {
    /// Name of the run directory.
    pub name: String,
    /// The state after the last record.
    pub state: RunState,
    /// Summary of a search; empty for a training.
    pub summary: Summary,
    /// Summary of a training.
    pub training: Option<TrainingSummary>,
    /// The process working on the run, as `pid P on HOST`; `None` if there is none.
    pub holder: Option<String>,
    /// Its sessions in order; the first one began the run.
    pub sessions: Vec<PastSession>,
    /// Devices that workers were started on.
    pub devices: BTreeSet<String>,
    /// Children without an accuracy in the order of their ends, including excluded ones.
    pub failures: Vec<Failure>,
    /// Epochs of the best child's last attempt.
    pub best_epochs: Vec<ChildEpoch>,
    /// The run's first warnings and errors, in order.
    pub notices: Vec<Notice>,
    /// Number of warnings and errors that are not in `notices`.
    pub more_notices: usize,
    /// Whether the journal ends in an unfinished line, because of a crash or because it is being
    /// written.
    pub torn: bool,
    /// The settings in `config.toml` of the run directory.
    pub settings: SavedSettings,
    /// Results about the run from separate trainings.
    pub results: Results,
}

/// One process that worked on the run.
#[derive(Debug, Clone, PartialEq)]
pub struct PastSession {
    /// When it began.
    pub began: Timestamp,
    /// Name of its machine.
    pub host: String,
    /// Its version of nas-tui.
    pub version: String,
    /// Whether it ended without saying so: killed, or its machine failed. (The last one may still be
    /// at work.)
    pub is_cut_off: bool,
}

/// A child that ended without an accuracy.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Its number, from 1.
    pub child: u64,
    /// Its episode, from 1.
    pub episode: usize,
    /// How often its training was tried; 0 if never.
    pub attempts: u32,
    /// Why it has no accuracy.
    pub reason: String,
    /// Whether it was excluded: it has no reward either and counts nowhere.
    pub is_excluded: bool,
}

/// A warning or an error of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// When it was recorded.
    pub time: Timestamp,
    /// A warning or an error.
    pub level: Level,
    /// The text, for the user.
    pub text: String,
}

/// The settings of a run, as far as available.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum SavedSettings {
    Known(toml::Table),
    /// They are not available, for this reason.
    Unknown(String),
    /// They have not been read yet.
    #[default]
    Unread,
}

/// What the status of a run means for the figures in its report.
pub fn meaning(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Completed => "The run is over as planned.",
        RunStatus::Stopped => "The run was stopped before its planned end; it can be resumed.",
        RunStatus::Failed => {
            "An error ended the run before its planned end; it can be resumed once the cause is fixed."
        }
        RunStatus::Dead => {
            "The run ended unexpectedly, and no process is working on it; it can be resumed."
        }
        RunStatus::Paused | RunStatus::Blocked => {
            "The run is paused, not over: every number here is as of the report."
        }
        RunStatus::Starting | RunStatus::Running | RunStatus::Pausing | RunStatus::Stopping => {
            "The run is not over: every number here is as of the report."
        }
    }
}

impl Material {
    /// Read the run in the folder `run`. A torn last line of its journal is not an error.
    ///
    /// # Errors
    /// If the journal cannot be read or is damaged.
    pub fn read(run: &Path) -> Result<Material, JournalError> {
        // Before the journal, so that a search that ends in between appears live, not dead.
        let holder = lock_state(run);
        let mut reader = Reader::open(&run.join("journal.jsonl"))?.without_choices();
        let mut gathered = Gathered::default();
        for record in reader.by_ref() {
            gathered.apply(&record?);
        }
        let Gathered {
            mut material,
            tally,
            training,
            mut finished,
            ..
        } = gathered;
        material.summary = tally.summary();
        let best = material.summary.best.as_ref().map(|best| best.child);
        let epochs = best.and_then(|best| finished.remove(&best));
        material.best_epochs = epochs.unwrap_or_default();
        material.training = material
            .state
            .training_run()
            .is_some()
            .then(|| training.summary());
        material.torn = reader.torn().is_some();
        Ok(Material {
            name: text::line(&name_of(run)).into_owned(),
            holder,
            settings: SavedSettings::read(&run.join("config.toml")),
            results: Results::of(run),
            ..material
        })
    }

    /// Number of images that a network of the run is trained on at a time, from the journal or, for
    /// runs of older versions, from the settings.
    pub fn batch_size(&self) -> Option<usize> {
        let SavedSettings::Known(settings) = &self.settings else {
            return self.state.batch_size();
        };
        let set = || usize::try_from(settings.get("child")?.get("batch_size")?.as_integer()?).ok();
        self.state.batch_size().or_else(set)
    }

    /// Number of sessions that ended without a record of their end.
    pub fn cut_off(&self) -> usize {
        let is_cut_off = |session: &&PastSession| session.is_cut_off;
        let cut_off = self.sessions.iter().filter(is_cut_off).count();
        let at_work = usize::from(self.holder.is_some());
        cut_off.saturating_sub(at_work)
    }

    /// The status of the run.
    pub fn status(&self) -> RunStatus {
        self.state.status.with_process(self.holder.is_some())
    }
}

/// What has been collected from the journal so far.
#[derive(Default)]
struct Gathered {
    material: Material,
    tally: SearchTally,
    training: training::TrainingTally,
    /// Epochs and attempts of the children in training.
    epochs: HashMap<u64, Vec<ChildEpoch>>,
    /// Epochs of finished children that may turn out to be the best.
    finished: HashMap<u64, Vec<ChildEpoch>>,
    attempts: HashMap<u64, u32>,
}

impl Gathered {
    fn apply(&mut self, record: &Record) {
        let ending = self.tally.apply(record);
        self.training.apply(record);
        self.material.state.apply(record);
        match &record.event {
            Event::RunStarted(run) => self.begin(record.time, &run.host, &run.version),
            Event::TrainingStarted(run) => self.begin(record.time, &run.host, &run.version),
            Event::RunResumed { host, version, .. } => self.begin(record.time, host, version),
            Event::WorkerStarted { device, .. } => {
                self.material.devices.insert(device.clone());
            }
            Event::RunFinished { .. } => {
                let last = self.material.sessions.last_mut();
                last.into_iter()
                    .for_each(|session| session.is_cut_off = false);
            }
            _ => {}
        }
        self.apply_child(&record.event, ending);
        if let Some((level, text)) = complaint(&record.event) {
            self.note(record.time, level, text);
        }
    }

    /// Process an event of a child; `ending` is set if it ends the child.
    fn apply_child(&mut self, event: &Event, ending: Option<Ending>) {
        match event {
            Event::ChildStarted { child, attempt, .. } => {
                self.epochs.remove(child);
                self.attempts.insert(*child, *attempt);
            }
            Event::ChildEpoch(epoch) => self
                .epochs
                .entry(epoch.child)
                .or_default()
                .push(epoch.clone()),
            Event::ChildFinished(finished) => {
                let epochs = self.epochs.remove(&finished.child).unwrap_or_default();
                let is_best = ending.is_some_and(|ending| ending.is_best);
                let run = self.material.state.search().started.as_ref();
                // Otherwise only the best child so far can be the best in the end.
                let averages = run.is_some_and(|run| run.reuse_limit.is_some());
                if is_best && !averages {
                    self.finished.clear();
                }
                if is_best || averages {
                    self.finished.insert(finished.child, epochs);
                }
            }
            Event::ChildFailed {
                child,
                episode,
                reason,
                ..
            }
            | Event::ChildExcluded {
                child,
                episode,
                reason,
                ..
            } => {
                self.epochs.remove(child);
                let attempts = self.attempts.remove(child).unwrap_or(0);
                self.material.failures.push(Failure {
                    child: *child,
                    episode: *episode,
                    attempts,
                    reason: reason.clone(),
                    is_excluded: matches!(event, Event::ChildExcluded { .. }),
                });
            }
            _ => {}
        }
    }

    fn begin(&mut self, began: Timestamp, host: &str, version: &str) {
        self.material.sessions.push(PastSession {
            began,
            host: host.to_owned(),
            version: version.to_owned(),
            is_cut_off: true,
        });
    }

    fn note(&mut self, time: Timestamp, level: Level, text: String) {
        if self.material.notices.len() < MOST_NOTICES {
            self.material.notices.push(Notice { time, level, text });
        } else {
            self.material.more_notices += 1;
        }
    }
}

/// The warning or error that an event reports, apart from ends of children.
fn complaint(event: &Event) -> Option<(Level, String)> {
    match event {
        Event::WorkerDied { .. } | Event::MicroBatchReduced { .. } => describe(event),
        Event::Notice { level, .. } if *level >= Level::Warning => describe(event),
        _ => None,
    }
}

impl SavedSettings {
    fn read(path: &Path) -> SavedSettings {
        let text = match input::text(path, input::SETTINGS) {
            Ok(text) => text,
            Err(error) => {
                return SavedSettings::Unknown(format!("config.toml cannot be read: {error}"));
            }
        };
        match text.parse() {
            Ok(table) => SavedSettings::Known(table),
            Err(error) => SavedSettings::Unknown(format!("config.toml is not valid TOML: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(change: impl FnOnce(String) -> String) -> (tempfile::TempDir, Material) {
        let folder = tempfile::tempdir().unwrap();
        let journal = change(include_str!("../../../tests/fixtures/journal-demo.jsonl").to_owned());
        std::fs::write(folder.path().join("journal.jsonl"), journal).unwrap();
        let material = Material::read(folder.path()).unwrap();
        (folder, material)
    }

    #[test]
    fn the_best_childs_epochs_and_the_failures_with_their_reasons_are_found() {
        let (_folder, material) = run(|journal| journal);
        let best = material.state.search().outcomes.best.as_ref().unwrap();
        let accuracies: Vec<f64> = material
            .best_epochs
            .iter()
            .map(|epoch| epoch.valid_accuracy)
            .collect();
        assert_eq!(accuracies, best.valid_accuracies);
        let [failure] = &material.failures[..] else {
            panic!("{:?}", material.failures)
        };
        assert_eq!((failure.child, failure.attempts), (20, 2));
        assert!(!failure.reason.is_empty());
        assert_eq!(material.status(), RunStatus::Completed);
    }

    #[test]
    fn a_journal_cut_in_the_middle_of_a_line_is_a_dead_run() {
        let (_folder, material) = run(|journal| journal[..journal.len() * 2 / 3].to_owned());
        assert!(material.torn);
        assert_eq!(material.status(), RunStatus::Dead);
        assert!(material.summary.children_evaluated > 0);
    }

    #[test]
    fn a_run_whose_lock_is_held_is_live() {
        let (folder, _) = run(|journal| journal);
        let journal = folder.path().join("journal.jsonl");
        let text = std::fs::read_to_string(&journal).unwrap();
        let begun: Vec<&str> = text.lines().take(50).collect();
        std::fs::write(&journal, begun.join("\n") + "\n").unwrap();
        let lock = std::fs::File::create(folder.path().join("lock")).unwrap();
        lock.lock().unwrap();
        let status = || Material::read(folder.path()).unwrap().status();
        assert_eq!(status(), RunStatus::Running);
        drop(lock);
        assert_eq!(status(), RunStatus::Dead);
    }

    #[test]
    fn the_batch_size_is_the_journals_or_for_an_older_run_that_of_its_settings() {
        let batch_size = |folder: &Path| Material::read(folder).unwrap().batch_size();
        let told = "\"child_batch_size\":48,\"child_epochs\"";
        for (journal_tells, expected) in [(false, 100), (true, 48)] {
            let (folder, _) = run(|journal| match journal_tells {
                true => journal.replacen("\"child_epochs\"", told, 1),
                false => journal,
            });
            let before = journal_tells.then_some(expected);
            assert_eq!(batch_size(folder.path()), before);
            let settings = "[child]\nbatch_size = 100\n";
            std::fs::write(folder.path().join("config.toml"), settings).unwrap();
            assert_eq!(batch_size(folder.path()), Some(expected));
        }
    }

    #[test]
    fn missing_settings_are_not_made_up() {
        let (_folder, material) = run(|journal| journal);
        assert!(
            matches!(&material.settings, SavedSettings::Unknown(reason) if reason.contains("config.toml"))
        );
    }
}

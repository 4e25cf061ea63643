//! The material of a report: what the journal of a run adds up to, its settings, and whether a process is
//! working on it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::analysis::history::{Failure, History, Notice, PastSession};
use crate::analysis::summary::SearchTally;
use crate::analysis::training::TrainingTally;
use crate::analysis::{Summary, TrainingSummary};
use crate::event::ChildEpoch;
use crate::foundation::{input, text};
use crate::journal::snapshot::Beside;
use crate::journal::{Archive, JournalError, Reader, Snapshot};
use crate::runs::directory::{lock_state, name_of};
use crate::state::{RunState, RunStatus};
use crate::study::results::Results;

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

/// What the status of a run with these settings means for the figures in its report.
pub fn meaning(status: RunStatus, settings: &SavedSettings) -> String {
    let ended = match status {
        RunStatus::Completed => return "The run is over as planned.".to_owned(),
        RunStatus::Unreadable => return "The journal of the run is damaged.".to_owned(),
        RunStatus::Paused | RunStatus::Blocked => {
            return "The run is paused, not over: every number here is as of the report."
                .to_owned();
        }
        RunStatus::Starting | RunStatus::Running | RunStatus::Pausing | RunStatus::Stopping => {
            return "The run is not over: every number here is as of the report.".to_owned();
        }
        RunStatus::Stopped => "The run was stopped before its planned end",
        RunStatus::Failed => "An error ended the run before its planned end",
        RunStatus::Dead => "The run ended unexpectedly, and no process is working on it",
    };
    let resume = match (settings, status) {
        (SavedSettings::Unknown(_), _) => {
            "its settings cannot be read, so it cannot be resumed as it is"
        }
        (_, RunStatus::Failed) => "it can be resumed once the cause is fixed",
        _ => "it can be resumed",
    };
    format!("{ended}; {resume}.")
}

impl Material {
    /// Read the run in the folder `run`. A torn last line of its journal is not an error.
    ///
    /// # Errors
    /// If the journal cannot be read or is damaged.
    pub fn read(run: &Path) -> Result<Material, JournalError> {
        // Before the journal, so that a search that ends in between appears live, not dead.
        let holder = lock_state(run);
        let journal = run.join("journal.jsonl");
        let known = Snapshot::of(&journal)
            .and_then(|kept| Some((kept.place(), kept.state()?, kept.beside::<History>()?)));
        let (place, mut state, mut history) = known.unwrap_or_default();
        let mut reader = Reader::after(&journal, place)?.without_choices();
        for record in reader.by_ref() {
            let record = record?;
            state.apply(&record);
            history.apply(&record);
        }
        let training = TrainingTally::of(&state, history.resumptions);
        let is_training = state.training_run().is_some();
        Ok(Material {
            name: text::line(&name_of(run)).into_owned(),
            holder,
            settings: SavedSettings::read(&run.join("config.toml")),
            results: Results::of(run),
            summary: SearchTally::of(&state, &history.networks).summary(),
            training: is_training.then(|| training.summary()),
            best_epochs: best_epochs(&journal, &state)?,
            torn: reader.torn().is_some(),
            sessions: history.sessions,
            devices: history.devices,
            failures: history.failures,
            notices: history.notices,
            more_notices: history.more_notices,
            state,
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

/// Epochs of the last attempt of the best child, which are read only here.
fn best_epochs(journal: &Path, state: &RunState) -> Result<Vec<ChildEpoch>, JournalError> {
    let search = state.search();
    let Some(row) = search.best_child().and_then(|best| search.ended(best)) else {
        return Ok(Vec::new());
    };
    let mut archive = Archive::open(journal)?;
    let detail = archive.child(row.child, row.sampled_seq, Some(row.ended_seq))?;
    Ok(detail.map_or_else(Vec::new, |detail| detail.epochs))
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
            // A run has settings, all of which are in this file.
            Ok(_) if text.trim().is_empty() => {
                SavedSettings::Unknown("config.toml is empty".to_owned())
            }
            Ok(table) => SavedSettings::Known(table),
            Err(error) => SavedSettings::Unknown(format!("config.toml is not valid TOML: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::snapshot::Draft;

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
    fn a_snapshot_changes_nothing_in_a_report() {
        let (folder, expected) = run(|journal| journal);
        for last in [200, u64::MAX] {
            let opened = std::fs::File::open(folder.path()).unwrap();
            let journal = folder.path().join("journal.jsonl");
            let draft = Draft::write::<History>(&journal, last, opened).unwrap();
            draft.put_in_place().unwrap();
            let material = Material::read(folder.path()).unwrap();
            assert!(
                format!("{material:?}") == format!("{expected:?}"),
                "{last} records"
            );
        }
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

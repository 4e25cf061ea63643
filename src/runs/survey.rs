//! A brief overview of one run, from its journal and its lock.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use crate::analysis::lift::PolicyLift;
use crate::event::{Event, Record, RunKind, RunStarted, VERSION};
use crate::journal::{JournalError, Reader, Snapshot};
use crate::runs::directory::{kind_of, lock_state, name_of};
use crate::runs::place::{Found, JOURNAL, journal_in};
use crate::state::{Outcomes, RunState, RunStatus, TrainingRun, WorkState};

/// What is known about a run without opening it. The field names are those of `nas-tui list
/// --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunInfo {
    /// Name of the folder.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
    /// The status of the run.
    pub status: RunStatus,
    /// Its kind and progress.
    #[serde(flatten)]
    pub work: WorkInfo,
    /// Validation accuracy of the best child, or of a training's best epoch.
    pub best_accuracy: Option<f64>,
    /// Time of its first record.
    pub started: Option<Timestamp>,
    /// Time of the last record.
    pub changed: Option<Timestamp>,
    /// Why it cannot save at the moment; `None` if it can, and if its process was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
    /// The process working on it, as `pid P on HOST`; `None` if there is none.
    pub holder: Option<String>,
    /// Where its journal is damaged, and how, or what is in its place; the rest is as of the record before.
    /// `None` if nothing is known to be wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

impl RunInfo {
    /// What must be said about it besides its status: what is wrong, or which process works on it.
    pub fn remark(&self) -> Option<&str> {
        let remark = self.unreadable.as_ref().or(self.blocked.as_ref());
        remark.or(self.holder.as_ref()).map(String::as_str)
    }

    /// Its best accuracy as `written`; `none` if it has none yet, and empty as long as nothing is known of its
    /// work.
    pub fn best_in_words(&self, written: impl Fn(f64) -> String) -> String {
        match self.best_accuracy {
            Some(best) => written(best),
            None if self.work.progress().is_empty() => String::new(),
            None => "none".to_owned(),
        }
    }

    /// The word for its status.
    pub fn word(&self) -> &'static str {
        match self.unreadable {
            Some(_) => RunStatus::Unreadable.word(),
            None => self.status.word(),
        }
    }
}

/// What kind of run it is (`kind`), and its progress. Names are empty as long as the journal does
/// not contain them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WorkInfo {
    /// A search for an architecture.
    Search {
        /// Name of the preset that its settings are based on.
        preset: String,
        /// The strategy that proposes the children.
        strategy: String,
        /// Number of the current or last episode.
        episode: usize,
        /// Number of episodes planned.
        episodes: usize,
        /// Number of children that have ended.
        children: u64,
        /// Number of children planned.
        planned_children: u64,
        /// How far the policy is above its controls; null while that is unknown.
        policy_lift: Option<PolicyLift>,
    },
    /// The training of one network to completion.
    Training {
        /// Name of the network.
        network: String,
        /// Name of the recipe.
        recipe: String,
        /// Number of the current or last epoch.
        epoch: usize,
        /// Maximum number of epochs.
        epochs: usize,
        /// Test accuracy, once the test images have been classified.
        test_accuracy: Option<f64>,
    },
}

impl WorkInfo {
    /// Search or training.
    pub fn kind(&self) -> RunKind {
        match self {
            WorkInfo::Search { .. } => RunKind::Search,
            WorkInfo::Training { .. } => RunKind::Training,
        }
    }

    /// The preset of a search, or the network of a training.
    pub fn subject(&self) -> &str {
        match self {
            WorkInfo::Search {
                preset: subject, ..
            }
            | WorkInfo::Training {
                network: subject, ..
            } => subject,
        }
    }

    /// Its progress: `episode 3/10`, `epoch 19/300`; empty as long as nothing is planned, as far as its
    /// journal can be read.
    pub fn progress(&self) -> String {
        match self {
            WorkInfo::Search { episodes: 0, .. } | WorkInfo::Training { epochs: 0, .. } => {
                String::new()
            }
            WorkInfo::Search {
                episode, episodes, ..
            } => format!("episode {episode}/{episodes}"),
            WorkInfo::Training { epoch, epochs, .. } => format!("epoch {epoch}/{epochs}"),
        }
    }

    /// How far the policy of a search is above its controls, in a few characters; empty while that is
    /// unknown.
    pub fn lift(&self, status: RunStatus) -> String {
        match self {
            WorkInfo::Search {
                policy_lift: Some(lift),
                ..
            } => lift.brief(status == RunStatus::Completed),
            _ => String::new(),
        }
    }

    /// Children that have ended out of those planned: `40/160`; empty for a training, and as long as none
    /// are planned.
    pub fn children(&self) -> String {
        match self {
            WorkInfo::Search {
                planned_children: 0,
                ..
            }
            | WorkInfo::Training { .. } => String::new(),
            WorkInfo::Search {
                children,
                planned_children,
                ..
            } => format!("{children}/{planned_children}"),
        }
    }
}

/// The names of these runs; those that several have, with as much of the path as tells them apart.
pub fn distinct_names(runs: &[RunInfo]) -> Vec<String> {
    let name = |run: &RunInfo| {
        let end = |path: &Path, count: usize| -> PathBuf {
            let parts: Vec<_> = path.components().collect();
            parts[parts.len().saturating_sub(count)..].iter().collect()
        };
        let others = runs.iter().filter(|other| other.path != run.path);
        let others: Vec<&RunInfo> = others.filter(|other| other.name == run.name).collect();
        let is_clear = |count: &usize| {
            let own = end(&run.path, *count);
            others.iter().all(|other| end(&other.path, *count) != own)
        };
        let most = run.path.components().count();
        match (1..=most).find(is_clear).unwrap_or(most) {
            ..=1 => run.name.clone(),
            count => end(&run.path, count).display().to_string(),
        }
    };
    runs.iter().map(name).collect()
}

/// Look at the run in `run`; `None` if it has no journal, nothing in its place, and no process.
pub fn look_at(run: &Path) -> Option<RunInfo> {
    // Before the journal, so that a search that ends in between appears live, not dead.
    let holder = lock_state(run);
    let glance = match (journal_in(run), &holder) {
        (Found::Journal, _) => Glance::of(&run.join(JOURNAL)),
        // It has lost its journal, and says itself why it cannot save.
        (_, Some(_)) => Glance::default(),
        (Found::Displaced(reason), None) => Glance::unreadable(reason),
        (Found::Nothing, None) => return None,
    };
    Some(RunInfo {
        name: name_of(run),
        path: run.to_owned(),
        status: match glance.unreadable {
            Some(_) => RunStatus::Unreadable,
            None => glance.status.with_process(holder.is_some()),
        },
        best_accuracy: glance.best(),
        started: glance.started,
        changed: glance.changed,
        unreadable: glance.unreadable.clone(),
        blocked: None,
        work: glance.work(kind_of(run)),
        holder,
    })
}

#[derive(Debug, Default)]
struct Glance {
    search: Option<RunStarted>,
    episode: usize,
    training: Option<TrainingRun>,
    started: Option<Timestamp>,
    changed: Option<Timestamp>,
    status: RunStatus,
    outcomes: Outcomes,
    unreadable: Option<String>,
}

/// The events that say nothing which is listed, and that most lines are about.
const LEFT_OUT: [&str; 1] = ["child_epoch"];

impl From<RunState> for Glance {
    fn from(state: RunState) -> Glance {
        let mut glance = Glance {
            started: state.started,
            changed: state.now,
            status: state.status,
            ..Glance::default()
        };
        match state.work {
            WorkState::Search(search) => {
                glance.search = search.started;
                glance.episode = search.episode;
                glance.outcomes = search.outcomes;
            }
            WorkState::Training(training) => glance.training = Some(training),
        }
        glance
    }
}

impl Glance {
    fn unreadable(reason: String) -> Glance {
        Glance {
            unreadable: Some(reason),
            ..Glance::default()
        }
    }

    fn of(journal: &Path) -> Glance {
        let snapshot = Snapshot::of(journal);
        let known = snapshot.and_then(|snapshot| Some((snapshot.place(), snapshot.overview()?)));
        let (place, mut glance) = known
            .map(|(place, state)| (place, Glance::from(state)))
            .unwrap_or_default();
        let mut reader = match Reader::after(journal, place) {
            Ok(reader) => reader.without(&LEFT_OUT).without_choices(),
            Err(error) => return Glance::unreadable(brief(&error)),
        };
        for record in reader.by_ref() {
            match record {
                Ok(record) => glance.apply(&record),
                Err(error) => glance.unreadable = Some(brief(&error)),
            }
            if glance.unreadable.is_some() {
                break;
            }
        }
        if glance.unreadable.is_none() {
            let last = reader.last_record();
            glance.changed = last.map(|record| record.time).or(glance.changed);
        }
        glance
    }

    fn apply(&mut self, record: &Record) {
        self.started.get_or_insert(record.time);
        self.changed = Some(record.time);
        self.status.apply(&record.event);
        self.outcomes.apply(&record.event);
        if let Some(training) = &mut self.training {
            training.apply(&record.event, 0);
        }
        match &record.event {
            Event::RunStarted(run) => self.search = Some(run.clone()),
            Event::TrainingStarted(started) => self.training = Some(TrainingRun::new(started)),
            Event::EpisodeStarted { episode, .. } => self.episode = *episode,
            _ => {}
        }
    }

    fn best(&self) -> Option<f64> {
        let best_epoch = self.training.as_ref().and_then(TrainingRun::best);
        let best_child = self.outcomes.best.as_ref().map(|best| best.accuracy);
        best_epoch.map(|best| best.valid_accuracy).or(best_child)
    }

    /// The kind and progress of the run; while the journal does not tell the kind, it is `kind`,
    /// judged from the folder.
    fn work(self, kind: RunKind) -> WorkInfo {
        let epoch = self
            .training
            .as_ref()
            .map_or(0, |training| training.latest_epoch(self.status.is_over()));
        match (self.training, kind) {
            (Some(training), _) => WorkInfo::Training {
                test_accuracy: training.test.as_ref().map(|test| test.report.accuracy),
                network: training.started.architecture.name,
                recipe: training.started.recipe,
                epoch,
                epochs: training.started.settings.epochs,
            },
            (None, RunKind::Training) => WorkInfo::Training {
                network: String::new(),
                recipe: String::new(),
                epoch,
                epochs: 0,
                test_accuracy: None,
            },
            (None, RunKind::Search) => {
                let run = self.search.as_ref();
                WorkInfo::Search {
                    preset: run.map_or_else(String::new, |run| run.preset.clone()),
                    strategy: run.map_or_else(String::new, |run| run.strategy.clone()),
                    episode: self.episode,
                    episodes: run.map_or(0, |run| run.episodes),
                    children: self.outcomes.counts.sampled as u64,
                    planned_children: run.map_or(0, RunStarted::children) as u64,
                    policy_lift: PolicyLift::of(&self.outcomes.arms),
                }
            }
        }
    }
}

/// Where a journal is damaged, and how.
fn brief(error: &JournalError) -> String {
    match error {
        JournalError::Corrupt { problem, .. } => format!("{}: {problem}", error.place()),
        JournalError::Newer { found, .. } => {
            format!("{}: its version is {found}, not {VERSION}", error.place())
        }
        JournalError::Io { cause, .. } => format!("{JOURNAL} cannot be read: {cause}"),
        JournalError::InUse { .. } => error.to_string(),
    }
}

#[cfg(test)]
mod tests;

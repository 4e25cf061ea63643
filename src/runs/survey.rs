//! One run at a glance, from its journal and its lock.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use crate::event::RunKind;
use crate::event::{Event, FinishReason, Record};
use crate::runs::directory::{kind_of, lock_state};
use crate::state::TrainingRun;

/// What there is to know of a run without opening it. The field names are those of `nas-tui list
/// --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunInfo {
    /// Name of the folder.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
    /// Where the run stands.
    pub status: RunStatus,
    /// What it does, and how far it is.
    #[serde(flatten)]
    pub work: Work,
    /// On the validation images: of the best child, or of a training's best epoch.
    pub best_accuracy: Option<f64>,
    /// Time of its first record.
    pub started: Option<Timestamp>,
    /// Time of the last record that was looked at.
    pub changed: Option<Timestamp>,
    /// Who works on it: `pid P on HOST`; none if nobody does.
    pub holder: Option<String>,
}

/// What a run does, as `kind`, and how far it is. Names are empty where it has not got as far as to
/// tell them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// A search for an architecture.
    Search {
        /// Name of the preset that its settings started from.
        preset: String,
        /// What proposes the children.
        strategy: String,
        /// Episode under way, or the last; of so many.
        episode: usize,
        /// Episodes planned.
        episodes: usize,
        /// Children that have come to an end, of so many planned.
        children: u64,
        /// Children planned.
        planned_children: u64,
    },
    /// The training of one network to the end.
    Training {
        /// Name of the network.
        network: String,
        /// Name of the recipe.
        recipe: String,
        /// Epoch under way, or the last; of so many at most.
        epoch: usize,
        /// Epochs at most.
        epochs: usize,
        /// Once the test images have been classified.
        test_accuracy: Option<f64>,
    },
}

impl Work {
    /// Search or training.
    pub fn kind(&self) -> RunKind {
        match self {
            Work::Search { .. } => RunKind::Search,
            Work::Training { .. } => RunKind::Training,
        }
    }

    /// The preset of a search, or the network of a training.
    pub fn subject(&self) -> &str {
        match self {
            Work::Search {
                preset: subject, ..
            }
            | Work::Training {
                network: subject, ..
            } => subject,
        }
    }

    /// How far it is: `episode 3/10`, `epoch 19/300`.
    pub fn progress(&self) -> String {
        match self {
            Work::Search {
                episode, episodes, ..
            } => format!("episode {episode}/{episodes}"),
            Work::Training { epoch, epochs, .. } => format!("epoch {epoch}/{epochs}"),
        }
    }

    /// Children that have come to an end, of so many: `40/160`; empty for a training.
    pub fn children(&self) -> String {
        match self {
            Work::Search {
                children,
                planned_children,
                ..
            } => format!("{children}/{planned_children}"),
            Work::Training { .. } => String::new(),
        }
    }
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// A process has it and has not begun.
    Starting,
    /// At work.
    Running,
    /// Asked to pause; a batch is not done yet.
    Pausing,
    /// Standing still.
    Paused,
    /// Asked to stop; the checkpoint is not written yet.
    Stopping,
    /// Completed as planned.
    Finished,
    /// Ended by a user before it was complete; it can be resumed.
    Stopped,
    /// Ended by an error.
    Failed,
    /// Not over, but nobody works on it.
    Dead,
}

impl RunStatus {
    /// As in `nas-tui list`.
    pub fn word(self) -> &'static str {
        match self {
            RunStatus::Starting => "starting",
            RunStatus::Running => "running",
            RunStatus::Pausing => "pausing",
            RunStatus::Paused => "paused",
            RunStatus::Stopping => "stopping",
            RunStatus::Finished => "finished",
            RunStatus::Stopped => "stopped",
            RunStatus::Failed => "failed",
            RunStatus::Dead => "dead",
        }
    }

    /// Whether somebody works on it.
    pub fn is_live(self) -> bool {
        matches!(
            self,
            RunStatus::Starting
                | RunStatus::Running
                | RunStatus::Pausing
                | RunStatus::Paused
                | RunStatus::Stopping
        )
    }
}

/// Look at the run in `run`; none if there is no journal that can be read.
pub fn look_at(run: &Path) -> Option<RunInfo> {
    // Before the journal: a search that ends meanwhile is then live, not dead.
    let holder = lock_state(run);
    let glance = Glance::of(&run.join("journal.jsonl"))?;
    let name = run.canonicalize().unwrap_or_else(|_| run.to_owned());
    let name = name.file_name().map_or_else(
        || run.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    );
    Some(RunInfo {
        name,
        path: run.to_owned(),
        status: glance.status(holder.is_some()),
        best_accuracy: glance.best(),
        started: glance.started,
        changed: glance.changed,
        work: glance.work(kind_of(run)),
        holder,
    })
}

#[derive(Debug, Default)]
struct Glance {
    preset: String,
    strategy: String,
    episodes: usize,
    planned: u64,
    episode: usize,
    children: u64,
    best: Option<f64>,
    training: Option<TrainingRun>,
    started: Option<Timestamp>,
    changed: Option<Timestamp>,
    pace: Option<RunStatus>,
    finished: Option<FinishReason>,
    /// Children that users edited, which count for nothing.
    edited: Vec<u64>,
}

/// Events whose lines are worth parsing; most of a journal is samples and epochs.
const WANTED: [&str; 18] = [
    "training_started",
    "training_epoch",
    "training_saved",
    "test_finished",
    "run_started",
    "run_resumed",
    "run_finished",
    "episode_started",
    "child_finished",
    "child_failed",
    "child_excluded",
    "child_queued",
    "checkpoint_saved",
    "pause_requested",
    "paused",
    "resumed",
    "stop_requested",
    "notice",
];

impl Glance {
    fn of(journal: &Path) -> Option<Glance> {
        let mut input = BufReader::with_capacity(1 << 18, File::open(journal).ok()?);
        let (mut glance, mut line) = (Glance::default(), Vec::new());
        while input.read_until(b'\n', &mut line).ok()? > 0 {
            if is_wanted(&line)
                && let Ok(record) = serde_json::from_slice::<Record>(&line)
            {
                glance.apply(&record);
            }
            line.clear();
        }
        Some(glance)
    }

    fn apply(&mut self, record: &Record) {
        self.started.get_or_insert(record.time);
        self.changed = Some(record.time);
        if let Some(training) = &mut self.training {
            training.apply(&record.event, 0);
        }
        match &record.event {
            Event::RunStarted(run) => {
                self.preset.clone_from(&run.preset);
                self.strategy.clone_from(&run.strategy);
                self.episodes = run.episodes;
                self.planned = (run.episodes * run.children_per_episode) as u64;
                self.begin_session();
            }
            Event::TrainingStarted(started) => {
                self.training = Some(TrainingRun::new(started));
                self.begin_session();
            }
            Event::RunResumed { .. } => self.begin_session(),
            Event::RunFinished { reason, .. } => self.finished = Some(*reason),
            Event::EpisodeStarted { episode, .. } => self.episode = *episode,
            Event::ChildQueued(queued) => self.edited.push(queued.child),
            Event::ChildFinished(child) if !self.edited.contains(&child.child) => {
                self.children += 1;
                self.best = Some(
                    self.best
                        .map_or(child.accuracy, |best| best.max(child.accuracy)),
                );
            }
            Event::ChildFailed { child, .. } | Event::ChildExcluded { child, .. }
                if !self.edited.contains(child) =>
            {
                self.children += 1;
            }
            Event::PauseRequested => self.pace = Some(RunStatus::Pausing),
            Event::Paused => self.pace = Some(RunStatus::Paused),
            Event::Resumed => self.pace = Some(RunStatus::Running),
            Event::StopRequested => self.pace = Some(RunStatus::Stopping),
            _ => {}
        }
    }

    fn best(&self) -> Option<f64> {
        let best_epoch = self.training.as_ref().and_then(TrainingRun::best);
        best_epoch.map(|best| best.valid_accuracy).or(self.best)
    }

    /// What the run does; of the kind that its folder tells where the journal does not tell yet.
    fn work(self, kind: RunKind) -> Work {
        if kind == RunKind::Search && self.training.is_none() {
            let Glance {
                preset,
                strategy,
                episode,
                episodes,
                children,
                planned: planned_children,
                ..
            } = self;
            return Work::Search {
                preset,
                strategy,
                episode,
                episodes,
                children,
                planned_children,
            };
        }
        let Some(training) = self.training else {
            return Work::Training {
                network: String::new(),
                recipe: String::new(),
                epoch: 0,
                epochs: 0,
                test_accuracy: None,
            };
        };
        let epoch = if self.finished.is_some() {
            training.epochs.len()
        } else {
            training.epoch()
        };
        let test_accuracy = training.test.as_ref().map(|test| test.report.accuracy);
        let started = training.started;
        let (network, recipe, epochs) = (
            started.architecture.name,
            started.recipe,
            started.settings.epochs,
        );
        Work::Training {
            network,
            recipe,
            epoch,
            epochs,
            test_accuracy,
        }
    }

    fn begin_session(&mut self) {
        self.pace = Some(RunStatus::Running);
        self.finished = None;
    }

    fn status(&self, held: bool) -> RunStatus {
        match (held, self.finished) {
            // A session that has just begun on a run that was over has written nothing yet.
            (true, Some(_)) => RunStatus::Starting,
            (true, None) => self.pace.unwrap_or(RunStatus::Starting),
            (false, Some(FinishReason::Completed)) => RunStatus::Finished,
            (false, Some(FinishReason::Stopped)) => RunStatus::Stopped,
            (false, Some(FinishReason::Failed)) => RunStatus::Failed,
            (false, None) => RunStatus::Dead,
        }
    }
}

/// Whether the event of a line, which is near its beginning, is one of those.
fn is_wanted(line: &[u8]) -> bool {
    const KEY: &[u8] = b"\"event\":\"";
    let head = &line[..line.len().min(120)];
    let Some(start) = head.windows(KEY.len()).position(|window| window == KEY) else {
        return false;
    };
    let name = head[start + KEY.len()..]
        .split(|byte| *byte == b'"')
        .next()
        .unwrap_or_default();
    WANTED.iter().any(|wanted| wanted.as_bytes() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Journal;
    use crate::runs::RunDirectory;

    /// The recorded run, up to the first record that `last` holds for.
    fn recorded(last: impl Fn(&Event) -> bool) -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let run = root.path().join("a-run");
        std::fs::create_dir(&run).unwrap();
        let text = std::fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl"),
        )
        .unwrap();
        let end = |line: &&str| last(&serde_json::from_str::<Record>(line).unwrap().event);
        let count = text
            .lines()
            .position(|line| end(&line))
            .map_or(usize::MAX, |index| index + 1);
        let lines: String = text
            .lines()
            .take(count)
            .map(|line| format!("{line}\n"))
            .collect();
        std::fs::write(run.join("journal.jsonl"), lines).unwrap();
        (root, run)
    }

    fn children(info: &RunInfo) -> u64 {
        match info.work {
            Work::Search { children, .. } => children,
            Work::Training { .. } => 0,
        }
    }

    #[test]
    fn a_recorded_run_is_told_as_its_summary_tells_it() {
        let (_root, run) = recorded(|_| false);
        let info = look_at(&run).unwrap();
        let summary = crate::analysis::Summary::of_journal(&run.join("journal.jsonl")).unwrap();
        assert_eq!(
            (info.name.as_str(), info.work.subject()),
            ("a-run", summary.preset.as_str())
        );
        assert_eq!(
            (children(&info), info.best_accuracy),
            (
                summary.children_evaluated,
                summary.best.map(|best| best.accuracy)
            )
        );
        assert_eq!((info.status, info.holder), (RunStatus::Finished, None));
    }

    #[test]
    fn a_run_without_an_end_is_dead_or_at_work() {
        let (_root, run) = recorded(|event| matches!(event, Event::ChildFinished(_)));
        assert_eq!(look_at(&run).unwrap().status, RunStatus::Dead);
        let mut journal = Journal::open(&run.join("journal.jsonl")).unwrap().journal;
        std::fs::write(run.join("config.toml"), "").unwrap();
        let _directory = RunDirectory::open(&run).unwrap();
        let info = look_at(&run).unwrap();
        assert_eq!((info.status, children(&info)), (RunStatus::Running, 1));
        assert!(info.holder.unwrap().starts_with("pid "));
        for (event, status) in [
            (Event::PauseRequested, RunStatus::Pausing),
            (Event::Paused, RunStatus::Paused),
        ] {
            journal.append(event).unwrap();
            assert_eq!(look_at(&run).unwrap().status, status);
        }
        let stopped = Event::RunFinished {
            reason: FinishReason::Stopped,
            children: 1,
            epochs: None,
            wall_seconds: 1.0,
        };
        journal.append(stopped).unwrap();
        drop(_directory);
        assert_eq!(look_at(&run).unwrap().status, RunStatus::Stopped);
    }

    #[test]
    fn a_folder_without_a_journal_is_no_run() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(look_at(root.path()), None);
    }
}

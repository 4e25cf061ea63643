//! The state of a run, rebuilt from its events: the one reducer that every consumer shares.

mod child;
pub mod clock;
mod describe;
mod outcomes;
pub mod processes;
mod search_run;
mod status;
mod training_run;

use std::sync::LazyLock;

pub use child::{Candidate, ChildDetail, ChildRow, Origin, Training};
pub use describe::describe;
pub use outcomes::{Counts, Ending, Outcomes, is_better};
pub use search_run::{Energy, SearchRun};
pub use status::RunStatus;
pub use training_run::TrainingRun;

use crate::event::{Event, Level, Record, RunKind};
use crate::state::clock::Clock;
use crate::state::processes::Processes;

/// Log lines kept; older ones are in the journal.
const LOG_LINES: usize = 2_000;

/// What is known of a run after the events so far.
#[derive(Debug, Clone, Default)]
pub struct RunState {
    /// Time of the first event.
    pub started: Option<jiff::Timestamp>,
    /// Time of the latest event.
    pub now: Option<jiff::Timestamp>,
    /// As the events tell: never dead.
    pub status: RunStatus,
    /// How long the run has worked.
    pub clock: Clock,
    /// The process of the run and its workers.
    pub processes: Processes,
    /// What the run does, and how far it is.
    pub work: WorkState,
    /// The latest lines, the oldest first.
    pub log: std::collections::VecDeque<LogLine>,
    /// Lines that `log` no longer holds, all older than its first.
    pub log_dropped: u64,
    /// Number of the last record taken in; 0 before the first.
    pub last_seq: u64,
}

/// What a run does, and how far it is.
#[derive(Debug, Clone)]
pub enum WorkState {
    /// For a network, over many children.
    Search(SearchRun),
    /// Of one network.
    Training(TrainingRun),
}

impl Default for WorkState {
    /// A search that has not begun: what a run is until an event tells.
    fn default() -> WorkState {
        WorkState::Search(SearchRun::default())
    }
}

/// A line of the log of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// Of the event.
    pub time: jiff::Timestamp,
    /// How much it matters.
    pub level: Level,
    /// Without the word for its level.
    pub text: String,
}

impl LogLine {
    /// What stands before the text, so that a level is told without colour.
    pub fn word(&self) -> &'static str {
        match self.level {
            Level::Info => "",
            Level::Warning => "WARNING ",
            Level::Error => "ERROR ",
        }
    }

    /// Whether the line as it is shown has `text`, in upper or lower case.
    pub fn contains(&self, text: &str) -> bool {
        format!("{}{}", self.word(), self.text)
            .to_lowercase()
            .contains(&text.to_lowercase())
    }
}

impl From<SearchRun> for RunState {
    fn from(search: SearchRun) -> RunState {
        RunState {
            work: WorkState::Search(search),
            ..RunState::default()
        }
    }
}

impl RunState {
    /// What the run does; a search before the first event.
    pub fn kind(&self) -> RunKind {
        match self.work {
            WorkState::Search(_) => RunKind::Search,
            WorkState::Training(_) => RunKind::Training,
        }
    }

    /// What is known of the search; of a training as much as of a search that has not begun.
    pub fn search(&self) -> &SearchRun {
        static NONE: LazyLock<SearchRun> = LazyLock::new(SearchRun::default);
        match &self.work {
            WorkState::Search(search) => search,
            WorkState::Training(_) => &NONE,
        }
    }

    /// The search, to be changed; none of a training.
    pub fn search_mut(&mut self) -> Option<&mut SearchRun> {
        match &mut self.work {
            WorkState::Search(search) => Some(search),
            WorkState::Training(_) => None,
        }
    }

    /// The training of one network; none of a search.
    pub fn training_run(&self) -> Option<&TrainingRun> {
        match &self.work {
            WorkState::Search(_) => None,
            WorkState::Training(training) => Some(training),
        }
    }

    /// Whether an event has told what the run does.
    pub fn has_begun(&self) -> bool {
        match &self.work {
            WorkState::Search(search) => search.started.is_some(),
            WorkState::Training(_) => true,
        }
    }

    /// Images that a network of the run is trained on at a time, where the journal tells.
    pub fn batch_size(&self) -> Option<usize> {
        match &self.work {
            WorkState::Search(search) => search.started.as_ref()?.child_batch_size,
            WorkState::Training(training) => Some(training.micro_batch),
        }
    }

    /// Where the run trains, in the words of `runtime.device`; none before it has begun.
    pub fn device(&self) -> Option<&str> {
        match &self.work {
            WorkState::Search(search) => search.started.as_ref()?.device.as_deref(),
            WorkState::Training(training) => Some(&training.started.device),
        }
    }

    /// Name of the run directory, once the run has begun.
    pub fn name(&self) -> Option<&str> {
        match &self.work {
            WorkState::Search(search) => search.started.as_ref().map(|run| run.run.as_str()),
            WorkState::Training(training) => Some(&training.started.run),
        }
    }

    /// Where the journal tells of the ends of the run's steps: of episodes, or of a training's
    /// epochs.
    pub fn step_seqs(&self) -> &[u64] {
        match &self.work {
            WorkState::Search(search) => &search.episode_seqs,
            WorkState::Training(training) => &training.epoch_seqs,
        }
    }

    /// Take in the next event of the run. Events must come in the order of the journal.
    pub fn apply(&mut self, record: &Record) {
        self.started.get_or_insert(record.time);
        self.clock.apply(record);
        self.processes.apply(record);
        self.now = Some(record.time);
        if let Some(seq) = record.seq {
            self.last_seq = seq;
        }
        self.status.apply(&record.event);
        self.apply_work(&record.event);
        if let Some((level, text)) = describe(&record.event) {
            self.push_log(LogLine {
                time: record.time,
                level,
                text,
            });
        }
    }

    fn apply_work(&mut self, event: &Event) {
        if let Event::TrainingStarted(started) = event {
            self.work = WorkState::Training(TrainingRun::new(started));
        }
        match &mut self.work {
            WorkState::Search(search) => search.apply(event, self.last_seq),
            WorkState::Training(training) => training.apply(event, self.last_seq),
        }
    }

    /// Put a line into the log that is no event of the run: its clock stands where it stood.
    pub fn note(&mut self, level: Level, text: String, time: jiff::Timestamp) {
        self.push_log(LogLine { time, level, text });
    }

    fn push_log(&mut self, line: LogLine) {
        if self.log.len() == LOG_LINES {
            self.log.pop_front();
            self.log_dropped += 1;
        }
        self.log.push_back(line);
    }
}

//! The state of a run, rebuilt from its events by the one reducer that every consumer uses.

mod child;
pub mod clock;
mod describe;
pub mod load;
mod log;
mod notes;
mod outcomes;
pub(crate) mod pairs;
pub mod processes;
mod search_run;
mod sound;
mod stages;
mod status;
mod training_run;

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

pub use child::{Candidate, CandidateOrigin, ChildDetail, ChildRow, ClusterPlace, TrainedChild};
pub use describe::describe;
pub use log::{LogLine, LogText};
pub use notes::Notes;
pub use outcomes::{Arms, Counts, Ending, Outcomes, best_first, is_better};
pub use search_run::{Energy, SearchRun};
pub use stages::TimeLeft;
pub use status::{RunStatus, paused_because};
pub use training_run::TrainingRun;

use crate::event::{Event, Level, Record, RunKind};
use crate::foundation::device::Device;
use crate::state::clock::Clock;
use crate::state::load::Load;
use crate::state::processes::Processes;

/// Number of log lines kept; older ones are in the journal.
const LOG_LINES: usize = 2_000;

/// What is known about a run after the events so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RunState {
    /// Time of the first event.
    pub started: Option<jiff::Timestamp>,
    /// Time of the latest event.
    pub now: Option<jiff::Timestamp>,
    /// Status according to the events, and therefore never dead.
    pub status: RunStatus,
    /// Why the run cannot save at present; it is paused until it can. `None` in the past.
    #[serde(skip)]
    pub blocked: Option<String>,
    /// The run's working time.
    pub clock: Clock,
    /// The process of the run and its workers.
    pub processes: Processes,
    /// How busy its machine has been.
    pub load: Load,
    /// The kind of work, and its progress.
    pub work: WorkState,
    /// The latest log lines, oldest first.
    pub log: std::collections::VecDeque<LogLine>,
    /// Number of lines that `log` no longer contains, all older than its first.
    pub log_dropped: u64,
    /// Number of the last record processed; 0 before the first.
    pub last_seq: u64,
}

/// The kind of work of a run, and its progress.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WorkState {
    /// The search for a network, over many children.
    Search(SearchRun),
    /// The training of one network.
    Training(TrainingRun),
}

impl Default for WorkState {
    /// A search that has not begun, as every run is until an event tells otherwise.
    fn default() -> WorkState {
        WorkState::Search(SearchRun::default())
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
    /// The kind of the run; a search before the first event.
    pub fn kind(&self) -> RunKind {
        match self.work {
            WorkState::Search(_) => RunKind::Search,
            WorkState::Training(_) => RunKind::Training,
        }
    }

    /// The state of the search; for a training, that of a search that has not begun.
    pub fn search(&self) -> &SearchRun {
        static NONE: LazyLock<SearchRun> = LazyLock::new(SearchRun::default);
        match &self.work {
            WorkState::Search(search) => search,
            WorkState::Training(_) => &NONE,
        }
    }

    /// The state of the search, mutable; `None` for a training.
    pub fn search_mut(&mut self) -> Option<&mut SearchRun> {
        match &mut self.work {
            WorkState::Search(search) => Some(search),
            WorkState::Training(_) => None,
        }
    }

    /// The state of the training of one network; `None` for a search.
    pub fn training_run(&self) -> Option<&TrainingRun> {
        match &self.work {
            WorkState::Search(_) => None,
            WorkState::Training(training) => Some(training),
        }
    }

    /// Whether an event has told the kind of the run.
    pub fn has_begun(&self) -> bool {
        match &self.work {
            WorkState::Search(search) => search.started.is_some(),
            WorkState::Training(_) => true,
        }
    }

    /// Number of images that a network of the run is trained on at a time, if the journal contains
    /// it.
    pub fn batch_size(&self) -> Option<usize> {
        match &self.work {
            WorkState::Search(search) => search.started.as_ref()?.child_batch_size,
            WorkState::Training(training) => Some(training.micro_batch),
        }
    }

    /// The device that the run trains on, as recorded at its start; `None` before.
    pub fn device(&self) -> Option<&str> {
        match &self.work {
            WorkState::Search(search) => search.started.as_ref()?.device.as_deref(),
            WorkState::Training(training) => Some(&training.started.device),
        }
    }

    /// That device as far as the memory of a training depends on it: the processor or a GPU.
    pub fn trains_on(&self) -> Device {
        match self.device() {
            Some("cpu") | None => Device::Cpu,
            Some(_) => Device::Cuda(0),
        }
    }

    /// Name of the run directory, once the run has begun.
    pub fn name(&self) -> Option<&str> {
        match &self.work {
            WorkState::Search(search) => search.started.as_ref().map(|run| run.run.as_str()),
            WorkState::Training(training) => Some(&training.started.run),
        }
    }

    /// Fraction of the children that have ended, or of a training's epochs; `None` before the run has
    /// begun. A training that ended early is complete.
    pub fn fraction_done(&self) -> Option<f64> {
        let done = match self.training_run() {
            Some(_) if self.status == RunStatus::Completed => 1.0,
            Some(training) => training.fraction(),
            None => {
                let run = self.search().started.as_ref()?;
                let total = Some(run.children()).filter(|total| *total > 0)?;
                self.search().outcomes.counts.sampled as f64 / total as f64
            }
        };
        // A training's test images are classified, a search's last controls trained and its last episode
        // learned from, after that.
        let most = if self.status.is_over() { 1.0 } else { 0.99 };
        Some(done.min(most))
    }

    /// Numbers of the records that end the run's steps: episodes, or a training's epochs.
    pub fn step_seqs(&self) -> &[u64] {
        match &self.work {
            WorkState::Search(search) => &search.episode_seqs,
            WorkState::Training(training) => &training.epoch_seqs,
        }
    }

    /// The status of the run at present, given that a process is working on it.
    pub fn status_now(&self) -> RunStatus {
        match self.blocked {
            Some(_) if !self.status.is_over() => RunStatus::Blocked,
            _ => self.status,
        }
    }

    /// Process the next event of the run. Events must come in the order of the journal.
    pub fn apply(&mut self, record: &Record) {
        if let Event::StorageBlocked { after, reason } = &record.event {
            if *after >= self.last_seq {
                self.block(reason, record.time);
            }
            return;
        }
        // What is in no journal comes from the reader of this one, at whatever time: the run did not work until then.
        if let (None, Event::Notice { level, message }) = (record.seq, &record.event) {
            self.note(*level, message.clone(), record.time);
            return;
        }
        self.started.get_or_insert(record.time);
        self.clock.apply(record);
        self.processes.apply(record);
        self.load.apply(record);
        self.now = Some(record.time);
        if let Some(seq) = record.seq {
            self.last_seq = seq;
            self.blocked = None;
        }
        self.status.apply(&record.event);
        self.apply_work(&record.event);
        let line = match &record.event {
            Event::ChildEpoch(epoch) => Some((Level::Info, LogText::Epoch(epoch.clone()))),
            event => describe(event).map(|(level, text)| (level, LogText::Written(text))),
        };
        if let Some((level, text)) = line {
            self.push_log(LogLine {
                time: record.time,
                level,
                text,
            });
        }
    }

    fn block(&mut self, reason: &str, time: jiff::Timestamp) {
        if self.blocked.as_deref() != Some(reason) {
            self.blocked = Some(reason.to_owned());
            self.note(Level::Error, paused_because(reason), time);
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

    /// Add a log line that is not an event of the run and does not affect its clock.
    pub fn note(&mut self, level: Level, text: String, time: jiff::Timestamp) {
        let text = LogText::Written(text);
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

//! The state of a run, rebuilt from its events: the one reducer that every consumer shares.

mod child;
pub mod clock;
mod describe;
pub mod processes;
mod training_run;

use std::collections::BTreeMap;

pub use child::{Candidate, ChildDetail, ChildRow, Origin, Training};
pub use describe::describe;
pub use training_run::TrainingRun;

use crate::event::{
    ChildFinished, EpisodeFinished, Event, FinishReason, Level, Record, RunKind, RunStarted,
};
use crate::space::{Architecture, Genes};
use crate::state::clock::Clock;
use crate::state::processes::Processes;

/// Log lines kept; older ones are in the journal.
const LOG_LINES: usize = 2_000;

/// What is known of a run after the events so far.
#[derive(Debug, Clone, Default)]
pub struct RunState {
    pub run: Option<RunStarted>,
    /// Of a run that trains one network to the end; such a run has nothing of a search.
    pub training_run: Option<TrainingRun>,
    /// Time of the first and of the latest event.
    pub started: Option<jiff::Timestamp>,
    pub now: Option<jiff::Timestamp>,
    pub phase: Phase,
    /// The run will stop after the episode under way.
    pub stops_after_episode: bool,
    /// How long the run has worked.
    pub clock: Clock,
    /// The search and its workers.
    pub processes: Processes,
    pub energy: Energy,
    /// Episode under way (from 1; 0 before the first) and its depth.
    pub episode: usize,
    pub depth: usize,
    pub baseline: Option<f64>,
    /// Every child that has come to an end, by child number order of ending.
    pub children: Vec<ChildRow>,
    /// How many of them there are of each kind.
    pub counts: Counts,
    pub episodes: Vec<EpisodeFinished>,
    /// Where the journal tells of the end of each of `episodes`.
    pub episode_seqs: Vec<u64>,
    /// Children sampled or queued but not ended, by number.
    pub waiting: BTreeMap<u64, Candidate>,
    /// Children in training, by worker.
    pub training: BTreeMap<usize, Training>,
    /// The best child so far: the highest accuracy, the earlier one of equals.
    pub best: Option<ChildFinished>,
    /// The best child's network, as it was sampled.
    pub best_architecture: Option<Architecture>,
    pub log: std::collections::VecDeque<LogLine>,
    /// Lines that `log` no longer holds, all older than its first.
    pub log_dropped: u64,
    pub last_seq: u64,
}

/// Energy that children took, as far as their GPUs told.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Energy {
    pub watt_hours: f64,
    /// Children whose energy is known.
    pub children: u64,
}

impl Energy {
    /// Watt-hours of a child; none before the first is known.
    pub fn mean(&self) -> Option<f64> {
        (self.children > 0).then(|| self.watt_hours / self.children as f64)
    }
}

/// Children that have come to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Those that the search sampled; the next three are among them.
    pub sampled: usize,
    pub repeats: usize,
    pub failures: usize,
    pub excluded: usize,
    /// Those that a user edited.
    pub edited: usize,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    #[default]
    Starting,
    Running,
    /// Asked to pause; not every worker has said that it stands still.
    Pausing,
    Paused,
    /// Asked to stop, at once.
    Stopping,
    Finished(FinishReason),
}

#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    pub time: jiff::Timestamp,
    pub level: Level,
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

impl RunState {
    /// What the run does; a search before the first event.
    pub fn kind(&self) -> RunKind {
        if self.training_run.is_some() {
            RunKind::Training
        } else {
            RunKind::Search
        }
    }

    /// Images that a network of the run is trained on at a time, where the journal tells.
    pub fn batch_size(&self) -> Option<usize> {
        let search = self.run.as_ref().and_then(|run| run.child_batch_size);
        self.training_run
            .as_ref()
            .map(|training| training.micro_batch)
            .or(search)
    }

    /// Name of the run directory, once the run has begun.
    pub fn name(&self) -> Option<&str> {
        let search = self.run.as_ref().map(|run| run.run.as_str());
        search.or(self
            .training_run
            .as_ref()
            .map(|training| training.started.run.as_str()))
    }

    /// Where the journal tells of the ends of the run's steps: of episodes, or of a training's
    /// epochs.
    pub fn step_seqs(&self) -> &[u64] {
        self.training_run
            .as_ref()
            .map_or(&self.episode_seqs, |run| &run.epoch_seqs)
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
        self.apply_event(&record.event);
        if let Some((level, text)) = describe(&record.event) {
            self.push_log(LogLine {
                time: record.time,
                level,
                text,
            });
        }
    }

    fn apply_event(&mut self, event: &Event) {
        if let Some(training_run) = &mut self.training_run {
            training_run.apply(event, self.last_seq);
        }
        match event {
            Event::TrainingStarted(started) => {
                self.training_run = Some(TrainingRun::new(started));
                self.phase = Phase::Running;
            }
            Event::RunStarted(run) => {
                self.run = Some(run.clone());
                self.phase = Phase::Running;
            }
            Event::RunResumed { .. } => {
                self.stops_after_episode = false;
                // What was sampled is not written again; what was in training starts again.
                self.training.clear();
                self.phase = Phase::Running;
            }
            Event::EpisodeStarted {
                episode,
                depth,
                baseline,
            } => {
                self.episode = *episode;
                self.depth = *depth;
                self.baseline = *baseline;
            }
            Event::ChildSampled(sampled) => {
                self.waiting
                    .insert(sampled.child, Candidate::sampled(sampled, self.last_seq));
            }
            Event::ChildQueued(queued) => {
                self.waiting
                    .insert(queued.child, Candidate::queued(queued, self.last_seq));
            }
            Event::ChildStarted {
                child,
                worker,
                device,
                ..
            } => self.start_child(*child, *worker, device),
            Event::ChildProgress(progress) => {
                if let Some(training) = self.training_of(progress.worker, progress.child) {
                    training.progress = Some(progress.clone());
                }
            }
            Event::ChildEpoch(epoch) => {
                if let Some(training) = self.training_of(epoch.worker, epoch.child) {
                    training.epochs.push(epoch.clone());
                }
            }
            Event::ChildFinished(finished) => self.finish_child(finished),
            Event::ChildFailed {
                child,
                episode,
                reward,
                seconds,
                ..
            } => {
                self.end_child(self.row(*child, *episode, Some(*reward), *seconds));
            }
            Event::ChildExcluded {
                child,
                episode,
                seconds,
                ..
            } => self.end_child(self.row(*child, *episode, None, *seconds)),
            Event::ChildRetried { child, .. } => {
                self.training.retain(|_, training| training.child != *child)
            }
            Event::EpisodeFinished(episode) => {
                self.baseline = episode.next_baseline;
                self.episodes.push(episode.clone());
                self.episode_seqs.push(self.last_seq);
            }
            Event::PauseRequested => self.phase = Phase::Pausing,
            Event::Paused => self.phase = Phase::Paused,
            Event::Resumed => self.phase = Phase::Running,
            Event::StopRequested => self.phase = Phase::Stopping,
            Event::EpisodeStopRequested => self.stops_after_episode = true,
            Event::EpisodeStopWithdrawn => self.stops_after_episode = false,
            Event::RunFinished { reason, .. } => {
                self.training.clear();
                self.phase = Phase::Finished(*reason);
            }
            Event::WorkerStarted { .. }
            | Event::WorkerDied { .. }
            | Event::EpisodeExcluded { .. }
            | Event::CheckpointSaved { .. }
            | Event::SkipRequested { .. }
            | Event::TrainingProgress(_)
            | Event::TrainingEpoch(_)
            | Event::TrainingSaved { .. }
            | Event::MicroBatchReduced { .. }
            | Event::TestFinished(_)
            | Event::Notice { .. } => {}
        }
    }

    fn training_of(&mut self, worker: usize, child: u64) -> Option<&mut Training> {
        self.training
            .get_mut(&worker)
            .filter(|training| training.child == child)
    }

    fn start_child(&mut self, child: u64, worker: usize, device: &str) {
        let candidate = self.waiting.get(&child).cloned();
        self.training.insert(
            worker,
            Training {
                child,
                device: device.to_owned(),
                candidate,
                progress: None,
                epochs: Vec::new(),
            },
        );
    }

    fn finish_child(&mut self, finished: &ChildFinished) {
        let candidate = self.waiting.get(&finished.child);
        let edited = candidate.is_some_and(|candidate| candidate.parent().is_some());
        if !edited
            && self.best.as_ref().is_none_or(|best| {
                is_better(
                    finished.accuracy,
                    finished.child,
                    (best.accuracy, best.child),
                )
            })
        {
            self.best = Some(finished.clone());
            self.best_architecture =
                candidate.and_then(|candidate| candidate.design.network().cloned());
        }
        let ChildFinished {
            child,
            episode,
            accuracy,
            reward,
            params,
            macs,
            seconds,
            repeat_of,
            skipped,
            energy_wh,
            ..
        } = *finished;
        let row = self.row(child, episode, Some(reward), seconds);
        self.end_child(ChildRow {
            accuracy: Some(accuracy),
            params,
            macs,
            repeat_of,
            skipped,
            energy_wh,
            ..row
        });
    }

    /// The row of a child that ends now, as far as it is known from its sampling.
    fn row(&self, child: u64, episode: usize, reward: Option<f64>, seconds: f64) -> ChildRow {
        let candidate = self.waiting.get(&child);
        let (log_prob, entropy) = match candidate.map(|candidate| &candidate.origin) {
            Some(Origin::Sampled {
                log_prob, entropy, ..
            }) => (Some(*log_prob), Some(*entropy)),
            _ => (None, None),
        };
        ChildRow {
            child,
            episode,
            accuracy: None,
            reward,
            params: candidate.map_or(0, |candidate| candidate.params),
            macs: candidate.map_or(0, |candidate| candidate.macs),
            seconds,
            repeat_of: None,
            parent: candidate.and_then(Candidate::parent),
            skipped: false,
            energy_wh: None,
            genes: candidate.map_or_else(Genes::default, |candidate| Genes::from(&candidate.dna)),
            log_prob,
            entropy,
            sampled_seq: candidate.map_or(0, |candidate| candidate.seq),
            ended_seq: self.last_seq,
        }
    }

    fn end_child(&mut self, row: ChildRow) {
        if let Some(watt_hours) = row.energy_wh.filter(|watt_hours| watt_hours.is_finite()) {
            self.energy.watt_hours += watt_hours;
            self.energy.children += 1;
        }
        self.waiting.remove(&row.child);
        self.training
            .retain(|_, training| training.child != row.child);
        let Counts {
            sampled,
            repeats,
            failures,
            excluded,
            edited,
        } = &mut self.counts;
        if row.parent.is_some() {
            *edited += 1;
        } else {
            *sampled += 1;
            *repeats += usize::from(row.repeat_of.is_some());
            *failures += usize::from(row.is_failed());
            *excluded += usize::from(row.is_excluded());
        }
        self.children.push(row);
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

/// A higher accuracy, or the same by an earlier child (workers finish in any order; the best must
/// not depend on it).
pub fn is_better(accuracy: f64, child: u64, than: (f64, u64)) -> bool {
    accuracy > than.0 || (accuracy == than.0 && child < than.1)
}

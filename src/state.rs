//! The state of a run, rebuilt from its events: the one reducer that every consumer shares.

mod training_run;

use std::collections::BTreeMap;

use crate::clock::Clock;
use crate::event::{
    ChildEpoch, ChildFinished, ChildProgress, ChildQueued, ChildSampled, Choice, EpisodeFinished, Event, FinishReason, Level,
    Record, RunStarted,
};
use crate::processes::Processes;
use crate::space::{Architecture, Dna, Genes};

pub use self::training_run::TrainingRun;

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
    /// Those that the search sampled; repeats and failures are among them.
    pub sampled: usize,
    pub repeats: usize,
    pub failures: usize,
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

/// A child that has come to an end, small enough to keep 100,000 of them.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildRow {
    pub child: u64,
    pub episode: usize,
    /// None for a failed child.
    pub accuracy: Option<f64>,
    pub reward: f64,
    pub params: u64,
    pub macs: u64,
    pub seconds: f64,
    pub repeat_of: Option<u64>,
    /// The child that a user edited it from; none for a child that the search sampled.
    pub parent: Option<u64>,
    pub skipped: bool,
    pub energy_wh: Option<f64>,
    pub genes: Genes,
    /// Log-probability and entropy of its decisions, nats; none for an edited child.
    pub log_prob: Option<f64>,
    pub entropy: Option<f64>,
    /// Where the journal tells of it: its sampling and its end.
    pub sampled_seq: u64,
    pub ended_seq: u64,
}

/// A network that is to be trained, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub child: u64,
    pub episode: usize,
    pub dna: Dna,
    pub architecture: Architecture,
    pub params: u64,
    pub macs: u64,
    pub origin: Origin,
    /// Where the journal tells of it; 0 where no journal does.
    pub seq: u64,
}

/// Where a candidate comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// The search's strategy sampled it. Nats; one choice per decision, in the order in which they were taken.
    Sampled { log_prob: f64, entropy: f64, max_entropy: f64, choices: Vec<Choice> },
    /// A user edited it from this child.
    Edited { parent: u64 },
}

impl Candidate {
    pub fn sampled(sampled: &ChildSampled, seq: u64) -> Candidate {
        let ChildSampled { child, episode, dna, architecture, params, macs, log_prob, entropy, max_entropy, choices } =
            sampled.clone();
        let origin = Origin::Sampled { log_prob, entropy, max_entropy, choices };
        Candidate { child, episode, dna, architecture, params, macs, origin, seq }
    }

    pub fn queued(queued: &ChildQueued, seq: u64) -> Candidate {
        let ChildQueued { child, episode, parent, dna, architecture, params, macs } = queued.clone();
        Candidate { child, episode, dna, architecture, params, macs, origin: Origin::Edited { parent }, seq }
    }

    /// Every decision as it was taken; none of an edited child.
    pub fn choices(&self) -> &[Choice] {
        match &self.origin {
            Origin::Sampled { choices, .. } => choices,
            Origin::Edited { .. } => &[],
        }
    }

    pub fn parent(&self) -> Option<u64> {
        match self.origin {
            Origin::Sampled { .. } => None,
            Origin::Edited { parent } => Some(parent),
        }
    }
}

/// Everything that the journal tells of one child.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildDetail {
    pub candidate: Candidate,
    /// Of its last attempt.
    pub epochs: Vec<ChildEpoch>,
    /// Its row, once it has come to an end.
    pub row: Option<ChildRow>,
}

/// A child in training on one worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    pub child: u64,
    pub device: String,
    pub candidate: Option<Candidate>,
    pub progress: Option<ChildProgress>,
    pub epochs: Vec<ChildEpoch>,
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
        format!("{}{}", self.word(), self.text).to_lowercase().contains(&text.to_lowercase())
    }
}

impl RunState {
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
            self.push_log(LogLine { time: record.time, level, text });
        }
    }

    fn apply_event(&mut self, event: &Event) {
        if let Some(training_run) = &mut self.training_run {
            training_run.apply(event);
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
            Event::EpisodeStarted { episode, depth, baseline } => {
                self.episode = *episode;
                self.depth = *depth;
                self.baseline = *baseline;
            }
            Event::ChildSampled(sampled) => {
                self.waiting.insert(sampled.child, Candidate::sampled(sampled, self.last_seq));
            }
            Event::ChildQueued(queued) => {
                self.waiting.insert(queued.child, Candidate::queued(queued, self.last_seq));
            }
            Event::ChildStarted { child, worker, device, .. } => self.start_child(*child, *worker, device),
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
            Event::ChildFailed { child, episode, reward, seconds, .. } => self.fail_child(*child, *episode, *reward, *seconds),
            Event::ChildRetried { child, .. } => self.training.retain(|_, training| training.child != *child),
            Event::EpisodeFinished(episode) => {
                self.baseline = Some(episode.next_baseline);
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
        self.training.get_mut(&worker).filter(|training| training.child == child)
    }

    fn start_child(&mut self, child: u64, worker: usize, device: &str) {
        let candidate = self.waiting.get(&child).cloned();
        self.training.insert(worker, Training { child, device: device.to_owned(), candidate, progress: None, epochs: Vec::new() });
    }

    fn finish_child(&mut self, finished: &ChildFinished) {
        let candidate = self.waiting.get(&finished.child);
        let edited = candidate.is_some_and(|candidate| candidate.parent().is_some());
        if !edited
            && self.best.as_ref().is_none_or(|best| is_better(finished.accuracy, finished.child, (best.accuracy, best.child)))
        {
            self.best = Some(finished.clone());
            self.best_architecture = candidate.map(|candidate| candidate.architecture.clone());
        }
        let ChildFinished { child, episode, accuracy, reward, params, macs, seconds, repeat_of, skipped, energy_wh, .. } =
            *finished;
        let row = self.row(child, episode, reward, seconds);
        self.end_child(ChildRow { accuracy: Some(accuracy), params, macs, repeat_of, skipped, energy_wh, ..row });
    }

    fn fail_child(&mut self, child: u64, episode: usize, reward: f64, seconds: f64) {
        let row = self.row(child, episode, reward, seconds);
        self.end_child(row);
    }

    /// The row of a child that ends now, as far as it is known from its sampling.
    fn row(&self, child: u64, episode: usize, reward: f64, seconds: f64) -> ChildRow {
        let candidate = self.waiting.get(&child);
        let (log_prob, entropy) = match candidate.map(|candidate| &candidate.origin) {
            Some(Origin::Sampled { log_prob, entropy, .. }) => (Some(*log_prob), Some(*entropy)),
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
        self.training.retain(|_, training| training.child != row.child);
        let Counts { sampled, repeats, failures, edited } = &mut self.counts;
        if row.parent.is_some() {
            *edited += 1;
        } else {
            *sampled += 1;
            *repeats += usize::from(row.repeat_of.is_some());
            *failures += usize::from(row.accuracy.is_none());
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

/// A higher accuracy, or the same by an earlier child (workers finish in any order; the best must not depend on it).
pub fn is_better(accuracy: f64, child: u64, than: (f64, u64)) -> bool {
    accuracy > than.0 || (accuracy == than.0 && child < than.1)
}

/// One plain line about an event, for logs and headless output; none for ticks and samples.
pub fn describe(event: &Event) -> Option<(Level, String)> {
    let info = |text: String| Some((Level::Info, text));
    let warning = |text: String| Some((Level::Warning, text));
    match event {
        Event::RunStarted(run) => info(format!(
            "run {}: preset {}, strategy {}, seed {}, {} episodes of {} children, {} on {} with {} worker(s) x {} thread(s)",
            run.run,
            run.preset,
            run.strategy,
            run.seed,
            run.episodes,
            run.children_per_episode,
            run.data.spec,
            run.device,
            run.workers,
            run.threads
        )),
        Event::RunResumed { host, pid, next_child, epoch, .. } => {
            let place = match (next_child, epoch) {
                (Some(child), _) => format!(" at child {child}"),
                (None, Some(epoch)) => format!(" in epoch {epoch}"),
                (None, None) => String::new(),
            };
            info(format!("resumed on {host} (pid {pid}){place}"))
        }
        Event::TrainingStarted(training) => info(format!(
            "training {} ({} parameters) in {}: recipe {}, at most {} epochs, seed {}, {} on {} with {} thread(s)",
            training.architecture.name,
            training.params,
            training.run,
            training.recipe,
            training.settings.epochs,
            training.seed,
            training.data.spec,
            training.device,
            training.threads
        )),
        Event::TrainingProgress(_) => None,
        Event::TrainingEpoch(e) => info(format!(
            "epoch {}: loss {:.4} train, {:.4} validation; accuracy {:.4} train, {:.4} validation; learning rate {:.5}, {:.0} images/s",
            e.epoch, e.train_loss, e.valid_loss, e.train_accuracy, e.valid_accuracy, e.learning_rate, e.images_per_second
        )),
        Event::TrainingSaved { epoch, batch } => info(format!("checkpoint after batch {batch} of epoch {epoch}")),
        Event::MicroBatchReduced { micro_batch, reason } => {
            warning(format!("batches are computed {micro_batch} images at a time from here on: {reason}"))
        }
        Event::TestFinished(test) => info(format!(
            "test: accuracy {:.4} (95 % {:.4} to {:.4}) on {} images, with the weights of epoch {} (validation {:.4})",
            test.report.accuracy,
            test.report.accuracy_ci95[0],
            test.report.accuracy_ci95[1],
            test.report.images,
            test.epoch,
            test.valid_accuracy
        )),
        Event::WorkerStarted { worker, pid, device } => info(format!("worker {worker} started on {device} (pid {pid})")),
        Event::WorkerDied { worker, reason } => warning(format!("worker {worker} died: {reason}")),
        Event::EpisodeStarted { episode, depth, baseline } => info(format!(
            "episode {episode}: children of {depth} layers, baseline {}",
            baseline.map_or("none yet".to_owned(), |baseline| format!("{baseline:.4}"))
        )),
        Event::ChildSampled(_) | Event::ChildProgress(_) => None,
        Event::ChildStarted { child, worker, device, attempt, .. } => {
            let again = if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
            info(format!("child {child}: training on worker {worker} ({device}{again})"))
        }
        Event::ChildEpoch(e) => info(format!(
            "child {}: epoch {}/{}: loss {:.4}, accuracy {:.4} train, {:.4} validation, {:.0} images/s",
            e.child, e.epoch, e.epochs, e.train_loss, e.train_accuracy, e.valid_accuracy, e.images_per_second
        )),
        Event::ChildFinished(child) => info(describe_finished(child)),
        Event::ChildFailed { child, reason, .. } => warning(format!("child {child}: failed, reward 0: {reason}")),
        Event::ChildRetried { child, reason } => warning(format!("child {child}: trying once more: {reason}")),
        Event::EpisodeFinished(e) => info(format!(
            "episode {}: mean reward {:.4}, mean accuracy {}, best {}, next baseline {:.4}, entropy {:.2}/{:.2}, {} repeat(s), {} failure(s), {:.1} s",
            e.episode,
            e.mean_reward,
            or_none(e.mean_accuracy),
            or_none(e.best_accuracy),
            e.next_baseline,
            e.entropy,
            e.max_entropy,
            e.repeats,
            e.failures,
            e.seconds
        )),
        Event::CheckpointSaved { episode, next_child } => {
            info(format!("checkpoint after episode {episode}; next child {next_child}"))
        }
        Event::PauseRequested => info("pausing at the next batch".to_owned()),
        Event::Paused => info("paused".to_owned()),
        Event::Resumed => info("resumed".to_owned()),
        Event::StopRequested => info("stopping: saving a checkpoint".to_owned()),
        Event::EpisodeStopRequested => info("the run will stop after this episode".to_owned()),
        Event::EpisodeStopWithdrawn => info("the run will go on after this episode".to_owned()),
        Event::SkipRequested { child } => info(format!("child {child}: its training is to end here")),
        Event::ChildQueued(queued) => {
            info(format!("child {}: queued, edited from child {}: {} parameters", queued.child, queued.parent, queued.params))
        }
        Event::Notice { level, message } => Some((*level, message.clone())),
        Event::RunFinished { reason, children, epochs, wall_seconds } => {
            let word = match reason {
                FinishReason::Completed => "completed",
                FinishReason::Stopped => "stopped (resume it with --resume)",
                FinishReason::Failed => "failed",
            };
            let work = epochs.map_or_else(|| format!("{children} children"), |epochs| format!("{epochs} epoch(s)"));
            info(format!("run {word}: {work} in {wall_seconds:.1} s"))
        }
    }
}

fn describe_finished(child: &ChildFinished) -> String {
    let repeat = child.repeat_of.map_or(String::new(), |earlier| format!(" (repeat of child {earlier})"));
    let skipped = if child.skipped { " (ended early by a user)" } else { "" };
    format!(
        "child {}: accuracy {:.4}, reward {:.4}, {} parameters, {:.1} s{repeat}{skipped}",
        child.child, child.accuracy, child.reward, child.params, child.seconds
    )
}

fn or_none(value: Option<f64>) -> String {
    value.map_or("none".to_owned(), |value| format!("{value:.4}"))
}

//! The owner of the worker processes: hands out children, watches for deaths, restarts, reports.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Instant;

use super::local::WorkerSettings;
use super::process::{FromProcess, Process};
use super::protocol::{FromWorker, ToWorker};
use super::rate_limit::RateLimit;
use super::{ChildJob, Ready, Report, SKIPPED};
use crate::device::Device;
use crate::event::{DataDescription, Level};
use crate::reward::Outcome;

/// A child is tried this many times before it fails because its workers died.
const ATTEMPTS: u32 = 2;
/// Deaths in a row before a worker was ready that end everything.
const FAILED_STARTS: u32 = 3;

/// What the actor reacts to.
#[derive(Debug)]
pub enum Message {
    Submit(Box<ChildJob>),
    Skip(u64),
    Pause,
    Resume,
    Shutdown,
    /// From process number `generation` of worker `worker`.
    Worker {
        worker: usize,
        generation: u64,
        what: FromProcess,
    },
}

pub struct Actor {
    settings: WorkerSettings,
    program: PathBuf,
    report: Box<dyn Fn(Report) + Send>,
    to_self: Sender<Message>,
    workers: Vec<Worker>,
    queue: VecDeque<Task>,
    pause: Pause,
    ready: bool,
    failed_starts: u32,
}

/// A child to train, for the how-manieth time (from 1).
struct Task {
    job: ChildJob,
    attempt: u32,
    /// A user has asked for its end.
    skipped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    Running,
    /// Asked to pause; `Paused` has not been reported.
    Pausing,
    Paused,
}

/// One worker and its present process.
struct Worker {
    process: Option<Process>,
    /// Number of its process, to tell late news of a dead one from news of its successor.
    generation: u64,
    doing: Doing,
    /// `pause` messages that the process has not answered.
    pauses_owed: usize,
    told_to_pause: bool,
    log_limit: RateLimit,
}

enum Doing {
    Starting,
    Waiting(Introduction),
    Training { introduction: Introduction, task: Task, since: Instant },
}

/// What a worker said of itself when it was ready.
#[derive(Clone)]
struct Introduction {
    data: DataDescription,
    device: Device,
    libtorch: String,
}

/// Whether the actor goes on.
#[derive(PartialEq)]
enum Flow {
    Continue,
    End,
}

impl Actor {
    pub fn new(settings: WorkerSettings, program: PathBuf, report: Box<dyn Fn(Report) + Send>, to_self: Sender<Message>) -> Actor {
        let worker = |_: &Device| Worker {
            process: None,
            generation: 0,
            doing: Doing::Starting,
            pauses_owed: 0,
            told_to_pause: false,
            log_limit: RateLimit::default(),
        };
        let workers = settings.placement.devices.iter().map(worker).collect();
        let (queue, pause) = (VecDeque::new(), Pause::Running);
        Actor { settings, program, report, to_self, workers, queue, pause, ready: false, failed_starts: 0 }
    }

    /// Work until the evaluator is shut down or nothing can be trained. Every process is dead afterwards.
    pub fn run(mut self, messages: &Receiver<Message>) {
        for worker in 0..self.workers.len() {
            if self.start(worker) == Flow::End {
                return;
            }
        }
        while let Ok(message) = messages.recv() {
            if self.take(message) == Flow::End {
                return;
            }
        }
    }

    fn take(&mut self, message: Message) -> Flow {
        match message {
            Message::Submit(job) => self.queue.push_back(Task { job: *job, attempt: 1, skipped: false }),
            Message::Skip(child) => self.skip(child),
            Message::Pause => self.ask_to_pause(),
            Message::Resume => self.resume(),
            Message::Shutdown => return Flow::End,
            Message::Worker { worker, generation, what } => {
                if self.workers[worker].generation == generation && self.hear(worker, what) == Flow::End {
                    return Flow::End;
                }
            }
        }
        self.hand_out();
        self.report_pause();
        Flow::Continue
    }

    fn start(&mut self, worker: usize) -> Flow {
        let generation = self.workers[worker].generation + 1;
        let to_self = self.to_self.clone();
        let tell = move |what| {
            // The actor is gone only when the process is being killed.
            let _ = to_self.send(Message::Worker { worker, generation, what });
        };
        let mut process = match Process::spawn(&self.program, self.settings.placement.threads, tell) {
            Ok(process) => process,
            Err(error) => return self.fatal(format!("cannot start a worker: {}: {error}", self.program.display())),
        };
        // A failed send is followed by the news of the process's end.
        let _ = process.send(&ToWorker::Start {
            worker,
            data: self.settings.data.clone(),
            child: self.settings.child.clone(),
            threads: self.settings.placement.threads,
            device: self.settings.placement.devices[worker],
            seed: self.settings.seed,
            sample: self.settings.sample.clone(),
        });
        let slot = &mut self.workers[worker];
        (slot.process, slot.generation, slot.doing) = (Some(process), generation, Doing::Starting);
        (slot.pauses_owed, slot.told_to_pause) = (0, false);
        Flow::Continue
    }

    fn hear(&mut self, worker: usize, what: FromProcess) -> Flow {
        match what {
            FromProcess::Said(message) => return self.hear_message(worker, message),
            FromProcess::Printed(line) => self.log_line(worker, &line),
            FromProcess::Nonsense(line) => {
                self.log(Level::Warning, format!("worker {worker} sent something unreadable and is ended: {line}"));
                if let Some(process) = &mut self.workers[worker].process {
                    process.kill();
                }
            }
            FromProcess::Ended => return self.worker_died(worker),
        }
        Flow::Continue
    }

    fn hear_message(&mut self, worker: usize, message: FromWorker) -> Flow {
        match message {
            FromWorker::Ready { pid, data, device, libtorch } => {
                self.worker_ready(worker, pid, Introduction { data, device, libtorch });
            }
            FromWorker::Unusable { message } => return self.fatal(message),
            FromWorker::Progress(progress) => (self.report)(Report::Progress(progress)),
            FromWorker::Epoch(epoch) => (self.report)(Report::Epoch(epoch)),
            FromWorker::Finished { child, outcome, seconds } => self.child_finished(worker, child, outcome, seconds),
            FromWorker::Paused => {
                let slot = &mut self.workers[worker];
                slot.pauses_owed = slot.pauses_owed.saturating_sub(1);
            }
            FromWorker::Log { level, message } => self.log(level, message),
        }
        Flow::Continue
    }

    fn worker_ready(&mut self, worker: usize, pid: u32, introduction: Introduction) {
        self.failed_starts = 0;
        (self.report)(Report::WorkerStarted { worker, pid, device: introduction.device.to_string() });
        self.workers[worker].doing = Doing::Waiting(introduction.clone());
        if !self.ready && self.workers.iter().all(|worker| matches!(worker.doing, Doing::Waiting(_))) {
            self.ready = true;
            (self.report)(Report::Ready(Ready {
                data: introduction.data,
                workers: self.workers.len(),
                threads: self.settings.placement.threads,
                device: introduction.device.to_string(),
                libtorch: introduction.libtorch,
            }));
        }
    }

    fn child_finished(&mut self, worker: usize, child: u64, outcome: Outcome, seconds: f64) {
        let slot = &mut self.workers[worker];
        if let Doing::Training { introduction, task, .. } = &slot.doing
            && task.job.child == child
        {
            slot.doing = Doing::Waiting(introduction.clone());
            (self.report)(Report::Finished { child, outcome, seconds });
        }
    }

    fn worker_died(&mut self, worker: usize) -> Flow {
        let slot = &mut self.workers[worker];
        let Some(process) = slot.process.take() else { return Flow::Continue };
        let reason = process.bury();
        let doing = std::mem::replace(&mut slot.doing, Doing::Starting);
        (self.report)(Report::WorkerDied { worker, reason: reason.clone() });
        match doing {
            Doing::Starting => {
                self.failed_starts += 1;
                if self.failed_starts >= FAILED_STARTS {
                    return self.fatal(format!("worker {worker} died {FAILED_STARTS} times before it was ready: {reason}"));
                }
            }
            Doing::Waiting(_) => {}
            Doing::Training { task, since, .. } => self.child_lost(task, since, reason),
        }
        self.start(worker)
    }

    /// Try the child of a dead worker once more, before all others; then give it up.
    fn child_lost(&mut self, task: Task, since: Instant, reason: String) {
        let child = task.job.child;
        if task.skipped {
            self.fail_skipped(child, since.elapsed().as_secs_f64());
        } else if task.attempt < ATTEMPTS {
            (self.report)(Report::Retried { child, reason });
            self.queue.push_front(Task { job: task.job, attempt: task.attempt + 1, skipped: false });
        } else {
            let reason = format!("its worker died {ATTEMPTS} times: {reason}");
            let seconds = since.elapsed().as_secs_f64();
            (self.report)(Report::Finished { child, outcome: Outcome::Failed { reason }, seconds });
        }
    }

    /// A child that waits is given up, one in training told to its worker.
    fn skip(&mut self, child: u64) {
        if let Some(place) = self.queue.iter().position(|task| task.job.child == child) {
            self.queue.remove(place);
            self.fail_skipped(child, 0.0);
        }
        for slot in &mut self.workers {
            if let (Doing::Training { task, .. }, Some(process)) = (&mut slot.doing, &mut slot.process)
                && task.job.child == child
            {
                task.skipped = true;
                // A failed send is followed by the news of the process's end, which ends the child too.
                let _ = process.send(&ToWorker::Skip { child });
            }
        }
    }

    fn fail_skipped(&self, child: u64, seconds: f64) {
        let outcome = Outcome::Failed { reason: SKIPPED.to_owned() };
        (self.report)(Report::Finished { child, outcome, seconds });
    }

    /// Give children to workers that have none.
    fn hand_out(&mut self) {
        if !self.ready || self.pause != Pause::Running {
            return;
        }
        for (worker, slot) in self.workers.iter_mut().enumerate() {
            let (Doing::Waiting(introduction), Some(process)) = (&slot.doing, &mut slot.process) else { continue };
            let Some(task) = self.queue.pop_front() else { return };
            // A failed send is followed by the news of the process's end, which takes care of the child.
            let _ = process.send(&ToWorker::Train { job: task.job.clone() });
            (self.report)(Report::ChildStarted {
                child: task.job.child,
                worker,
                device: introduction.device.to_string(),
                attempt: task.attempt,
            });
            slot.doing = Doing::Training { introduction: introduction.clone(), task, since: Instant::now() };
        }
    }

    fn ask_to_pause(&mut self) {
        if self.pause != Pause::Running {
            return;
        }
        self.pause = Pause::Pausing;
        for slot in &mut self.workers {
            if let (Doing::Training { .. }, Some(process)) = (&slot.doing, &mut slot.process) {
                slot.pauses_owed += 1;
                slot.told_to_pause = true;
                let _ = process.send(&ToWorker::Pause);
            }
        }
    }

    fn resume(&mut self) {
        self.pause = Pause::Running;
        for slot in &mut self.workers {
            if let (true, Some(process)) = (std::mem::take(&mut slot.told_to_pause), &mut slot.process) {
                let _ = process.send(&ToWorker::Resume);
            }
        }
    }

    /// Everything stands still once each worker that trains has answered its latest `pause`.
    fn report_pause(&mut self) {
        let moving = |slot: &Worker| matches!(slot.doing, Doing::Training { .. }) && slot.pauses_owed > 0;
        if self.pause == Pause::Pausing && !self.workers.iter().any(moving) {
            self.pause = Pause::Paused;
            (self.report)(Report::Paused);
        }
    }

    fn fatal(&mut self, message: String) -> Flow {
        self.workers.iter_mut().for_each(|worker| worker.process = None);
        (self.report)(Report::Fatal { message });
        Flow::End
    }

    fn log(&self, level: Level, message: String) {
        (self.report)(Report::Log { level, message });
    }

    fn log_line(&mut self, worker: usize, line: &str) {
        let limit = &mut self.workers[worker].log_limit;
        if limit.allow(Instant::now()) {
            let left_out = match limit.take_refused() {
                0 => String::new(),
                count => format!(" ({count} lines before it left out)"),
            };
            self.log(Level::Warning, format!("worker {worker}: {line}{left_out}"));
        }
    }
}

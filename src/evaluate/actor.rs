//! The owner of the worker processes: assigns children, notices deaths, restarts workers, reports.

mod losses;
mod pause;
mod watching;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Instant;

pub use self::losses::{Doubt, doubt};
use self::pause::Pause;
use super::local::WorkerSettings;
use super::placement::Placement;
use super::process::{FromProcess, Process};
use super::protocol::{FromWorker, Introduction, ToWorker};
use super::slot::{Doing, Task, Worker};
use super::watch::{Attention, BEAT, Vigil};
use super::{ChildJob, Ready, Report};
use crate::event::{Compute, Level};
use crate::foundation::device::Device;
use crate::reward::{Outcome, SKIPPED};

/// What the actor reacts to.
#[derive(Debug)]
pub enum ActorMessage {
    Submit(Box<ChildJob>),
    Skip(u64),
    Pause(u64),
    Resume,
    Shutdown,
    /// Look whether a worker is overdue, now that everything said before has been heard.
    Look,
    /// From process number `generation` of worker `worker`.
    Worker {
        worker: usize,
        generation: u64,
        what: FromProcess,
    },
}

/// The thread that assigns children to workers and looks after their processes.
pub struct Actor {
    settings: WorkerSettings,
    program: PathBuf,
    report: Box<dyn Fn(Report) + Send>,
    to_self: Sender<ActorMessage>,
    workers: Vec<Worker>,
    queue: VecDeque<Task>,
    pause: Pause,
    /// Number of the latest pause requested.
    pause_number: u64,
    ready: bool,
    /// Consecutive children that were given up.
    lost_children: u32,
    /// Whether any child has completed its training.
    has_trained: bool,
    attention: Attention,
    /// When workers were looked at last, or are about to be.
    looked: Instant,
}

/// Whether the actor continues.
#[derive(PartialEq)]
enum Flow {
    Continue,
    End,
}

impl Actor {
    /// An actor whose processes are not started yet; `report` receives what happens, and processes
    /// send their news `to_self`.
    pub fn new(
        settings: WorkerSettings,
        program: PathBuf,
        report: Box<dyn Fn(Report) + Send>,
        to_self: Sender<ActorMessage>,
    ) -> Actor {
        let workers = settings
            .placement
            .devices
            .iter()
            .map(|_| Worker::new())
            .collect();
        Actor {
            settings,
            program,
            report,
            to_self,
            workers,
            queue: VecDeque::new(),
            pause: Pause::Running,
            pause_number: 0,
            ready: false,
            lost_children: 0,
            has_trained: false,
            attention: Attention::since(Instant::now()),
            looked: Instant::now(),
        }
    }

    /// Work until the evaluator is shut down or nothing can be trained. All processes are dead
    /// afterwards.
    pub fn run(mut self, messages: &Receiver<ActorMessage>) {
        for worker in 0..self.workers.len() {
            if self.start(worker) == Flow::End {
                return;
            }
        }
        loop {
            let message = match messages.recv_timeout(BEAT) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => ActorMessage::Look,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            self.wake();
            if self.take(message) == Flow::End {
                return;
            }
        }
    }

    fn take(&mut self, message: ActorMessage) -> Flow {
        match message {
            ActorMessage::Submit(job) => self.queue.push_back(Task {
                job: *job,
                attempt: 1,
                skipped: false,
                lost_on: None,
            }),
            ActorMessage::Skip(child) => self.skip(child),
            ActorMessage::Pause(number) => self.ask_to_pause(number),
            ActorMessage::Resume => self.resume(),
            ActorMessage::Shutdown => return Flow::End,
            ActorMessage::Look => {
                if self.look() == Flow::End {
                    return Flow::End;
                }
            }
            ActorMessage::Worker {
                worker,
                generation,
                what,
            } => {
                if self.workers[worker].generation == generation
                    && self.hear(worker, what) == Flow::End
                {
                    return Flow::End;
                }
            }
        }
        self.report_ready();
        self.hand_out();
        self.report_pause();
        Flow::Continue
    }

    fn start(&mut self, worker: usize) -> Flow {
        let generation = self.workers[worker].generation + 1;
        let to_self = self.to_self.clone();
        let tell = move |what| {
            // The actor is gone only while the process is being killed.
            let _ = to_self.send(ActorMessage::Worker {
                worker,
                generation,
                what,
            });
        };
        let Placement { devices, threads } = &self.settings.placement;
        let device = devices[worker];
        let sharing = if device.is_cuda() {
            devices.iter().filter(|other| **other == device).count()
        } else {
            1
        };
        let mut process = match Process::spawn(&self.program, *threads, sharing, tell) {
            Ok(process) => process,
            Err(error) => {
                return self.give_up(worker, format!("{}: {error}", self.program.display()));
            }
        };
        // If sending fails, the news of the process's end follows.
        let _ = process.send(&ToWorker::Start {
            worker,
            data: self.settings.data.clone(),
            child: self.settings.child.clone(),
            threads: *threads,
            device,
            sample: self.settings.sample.clone(),
            checkpoints: self.settings.checkpoints.clone(),
        });
        let slot = &mut self.workers[worker];
        (slot.process, slot.generation, slot.doing) = (Some(process), generation, Doing::Starting);
        (slot.last_words, slot.paused) = (None, None);
        slot.vigil = Some(Vigil::begin(self.settings.deadlines, Instant::now()));
        Flow::Continue
    }

    fn hear(&mut self, worker: usize, what: FromProcess) -> Flow {
        match what {
            FromProcess::Said(message) => return self.hear_message(worker, message),
            FromProcess::Printed(line) => self.log_line(worker, &line),
            FromProcess::Nonsense(line) => {
                return self.stop(worker, &format!("sent an unreadable message: {line}"));
            }
            FromProcess::Ended => return self.worker_died(worker),
        }
        Flow::Continue
    }

    fn hear_message(&mut self, worker: usize, message: FromWorker) -> Flow {
        if let Err(nonsense) = self.check(worker, &message) {
            return self.stop(worker, &nonsense);
        }
        self.note(worker, &message);
        match message {
            FromWorker::Ready { pid, introduction } => self.worker_ready(worker, pid, introduction),
            FromWorker::Unusable { message } => return self.fatal(message),
            // The news of its end follows.
            FromWorker::Broken { cause, reason } => {
                self.workers[worker].last_words = Some((cause, reason))
            }
            FromWorker::Progress(progress) => (self.report)(Report::Progress(progress)),
            FromWorker::Epoch(epoch) => (self.report)(Report::Epoch(epoch)),
            FromWorker::Finished {
                child,
                outcome,
                seconds,
            } => self.child_finished(worker, child, outcome, seconds),
            FromWorker::Paused { number } => self.workers[worker].paused = Some(number),
            FromWorker::Beat { .. } => {}
            FromWorker::Log { level, message } => self.log(level, message),
        }
        Flow::Continue
    }

    fn worker_ready(&mut self, worker: usize, pid: u32, introduction: Introduction) {
        (self.report)(Report::WorkerStarted {
            worker,
            pid: Some(pid),
            device: introduction.device.to_string(),
            host: None,
        });
        let slot = &mut self.workers[worker];
        (slot.doing, slot.has_started) = (Doing::Waiting(introduction), true);
    }

    /// Report that work begins, once every worker that can start has done so.
    fn report_ready(&mut self) {
        let waiting = |worker: &Worker| match &worker.doing {
            Doing::Waiting(introduction) => Some(introduction.clone()),
            _ => None,
        };
        let ready: Vec<Introduction> = self.workers.iter().filter_map(waiting).collect();
        let given_up = self
            .workers
            .iter()
            .filter(|worker| worker.is_given_up())
            .count();
        let Some(first) = ready
            .first()
            .filter(|_| !self.ready && ready.len() + given_up == self.workers.len())
        else {
            return;
        };
        self.ready = true;
        (self.report)(Report::Ready(Ready {
            data: first.data.clone(),
            workers: ready.len(),
            compute: Some(Compute {
                threads: self.settings.placement.threads,
                device: first.device.to_string(),
                libtorch: first.libtorch.clone(),
            }),
        }));
    }

    fn child_finished(&mut self, worker: usize, child: u64, outcome: Outcome, seconds: f64) {
        let slot = &mut self.workers[worker];
        if let Doing::Training {
            introduction, task, ..
        } = &slot.doing
            && task.job.child == child
        {
            (slot.doing, slot.failures) = (Doing::Waiting(introduction.clone()), 0);
            (self.lost_children, self.has_trained) = (0, true);
            self.end(child, outcome, seconds);
        }
    }

    /// Report the end of a child. (The energy used is added on the way.)
    fn end(&self, child: u64, outcome: Outcome, seconds: f64) {
        (self.report)(Report::Finished {
            child,
            outcome,
            seconds,
            energy_wh: None,
            test_accuracy: None,
        });
    }

    /// Give a waiting child up, or tell the worker of one in training.
    fn skip(&mut self, child: u64) {
        if let Some(place) = self.queue.iter().position(|task| task.job.child == child) {
            self.queue.remove(place);
            self.exclude(child, SKIPPED.to_owned(), 0.0);
        }
        for slot in &mut self.workers {
            if let (Doing::Training { task, .. }, Some(process)) =
                (&mut slot.doing, &mut slot.process)
                && task.job.child == child
            {
                task.skipped = true;
                // If sending fails, the news of the process's end follows, which also ends the
                // child.
                let _ = process.send(&ToWorker::Skip { child });
            }
        }
    }

    /// Assign children to idle workers. A child that was lost on one device is tried on another, if
    /// there is one.
    fn hand_out(&mut self) {
        if !self.ready || self.pause != Pause::Running {
            return;
        }
        let devices = &self.settings.placement.devices;
        let at_work = self
            .workers
            .iter()
            .zip(devices)
            .filter(|(worker, _)| !worker.is_given_up());
        let at_work: Vec<Device> = at_work.map(|(_, device)| *device).collect();
        for (worker, slot) in self.workers.iter_mut().enumerate() {
            let (Doing::Waiting(introduction), Some(process)) = (&slot.doing, &mut slot.process)
            else {
                continue;
            };
            let device = devices[worker];
            let has_others = at_work.iter().any(|other| *other != device);
            let suits = |task: &Task| task.lost_on != Some(device) || !has_others;
            let Some(task) = self
                .queue
                .iter()
                .position(suits)
                .and_then(|place| self.queue.remove(place))
            else {
                continue;
            };
            // If sending fails, the news of the process's end follows, which takes care of the
            // child.
            let _ = process.send(&ToWorker::Train {
                job: task.job.clone(),
            });
            if let Some(vigil) = &mut slot.vigil {
                let allowed = watching::longest_step(&task.job, &self.settings.child);
                vigil.give(task.job.child, allowed, Instant::now());
            }
            (self.report)(Report::ChildStarted {
                child: task.job.child,
                worker,
                device: introduction.device.to_string(),
                attempt: task.attempt,
                host: None,
                task: None,
            });
            slot.doing = Doing::Training {
                introduction: introduction.clone(),
                task,
                since: Instant::now(),
            };
        }
    }

    fn fatal(&mut self, message: String) -> Flow {
        self.workers
            .iter_mut()
            .for_each(|worker| worker.process = None);
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
                count => format!(" ({count} earlier lines omitted)"),
            };
            self.log(Level::Warning, format!("worker {worker}: {line}{left_out}"));
        }
    }
}

//! The evaluator: a thread ("nas-slurm") that joins the scheduler, the files and Slurm's commands.

mod beginning;
mod inbox;
mod orders;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use self::beginning::{children_at_a_time, earlier, ready, rules, threads};
use self::inbox::Inbox;
use self::orders::Intended;
use super::commands::{self, Limits, Reply, Request};
use super::files::{Control, Folder, Known, Settings, VERSION, digest};
use super::scheduler::Scheduler;
use crate::config::{self, Config};
use crate::data;
use crate::evaluate::{ChildJob, Evaluator, Job, Report, Reports};
use crate::event::{DataDescription, Level};
use crate::foundation::thread::spawn;
use crate::space::Design;

/// How often the thread looks around when nothing happens.
const LOOK: Duration = Duration::from_millis(500);

/// Trains children as tasks of a Slurm cluster.
pub struct Cluster {
    messages: Sender<Message>,
    thread: Option<JoinHandle<()>>,
    /// See [`Bridge::at_a_time`].
    at_a_time: Arc<AtomicUsize>,
}

/// What the thread reacts to.
enum Message {
    Submit(Box<ChildJob>),
    Skip(u64),
    Pause(u64),
    Resume,
    /// The journal has the intent to submit this batch.
    Recorded(u64),
    Shutdown,
    Slurm(Reply),
}

impl Cluster {
    /// Start with the run in `folder`. Returns at once: [`Report::Ready`] or [`Report::Fatal`] follows.
    ///
    /// # Errors
    /// If the files cannot be created or a thread cannot be started.
    pub fn start(config: &Config, folder: &Path, report: Reports) -> io::Result<Cluster> {
        let (sender, messages) = channel();
        let files = Folder::open(&std::path::absolute(folder)?)?;
        let program = commands::program(&config.slurm)?;
        let (config, saved) = (config.clone(), folder.join("config.toml"));
        let to_self = sender.clone();
        let at_a_time = Arc::new(AtomicUsize::new(children_at_a_time(&config)));
        let shared = at_a_time.clone();
        let thread = spawn("nas-slurm", move || {
            match Bridge::begin(config, files, program, saved, to_self, shared, &report) {
                Ok(mut bridge) => bridge.work(&messages, &report),
                Err(message) => report(Report::Fatal { message }),
            }
        })?;
        Ok(Cluster {
            messages: sender,
            thread: Some(thread),
            at_a_time,
        })
    }

    fn send(&self, message: Message) {
        // The thread is gone only after a fatal report: nothing remains to be told.
        let _ = self.messages.send(message);
    }
}

impl Evaluator for Cluster {
    fn workers(&self) -> Option<usize> {
        Some(self.at_a_time.load(Ordering::Relaxed))
    }

    /// # Panics
    /// On a row of a table: validation of the settings guarantees that there is none.
    fn submit(&mut self, job: Job) {
        let Job {
            child,
            seed,
            design,
            stop,
        } = job;
        match design {
            Design::Network(architecture) => {
                self.send(Message::Submit(Box::new(ChildJob {
                    child,
                    seed,
                    architecture,
                    stop,
                })));
            }
            Design::Key(key) => panic!("child {child}, {key}, is not a network"),
        }
    }

    fn skip(&mut self, child: u64) {
        self.send(Message::Skip(child));
    }

    fn pause(&mut self, number: u64) {
        self.send(Message::Pause(number));
    }

    fn resume(&mut self) {
        self.send(Message::Resume);
    }

    fn recorded(&mut self, batch: u64) {
        self.send(Message::Recorded(batch));
    }

    fn shutdown(&mut self) {
        self.send(Message::Shutdown);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// Everything that the thread owns.
struct Bridge {
    config: Config,
    folder: Folder,
    /// Name of the run among all jobs of the cluster.
    name: String,
    program: PathBuf,
    /// The run's settings, of which `workers.count` is followed.
    saved: PathBuf,
    saved_at: Option<SystemTime>,
    data: DataDescription,
    threads: usize,
    scheduler: Scheduler,
    jobs: BTreeMap<u64, ChildJob>,
    /// Children whose end the search was told of in this session.
    ended: BTreeSet<u64>,
    /// Batches to submit as soon as the journal has the intent.
    intended: BTreeMap<u64, Intended>,
    /// Slurm's numbers of the batches of this session and of those taken over.
    numbers: BTreeMap<u64, String>,
    inbox: Inbox,
    to_slurm: Sender<Request>,
    /// Children that may be trained at a time, which the search reads.
    at_a_time: Arc<AtomicUsize>,
    began: Instant,
    asked: Option<Instant>,
    is_asking: bool,
    /// What could not be written for the tasks, and when that was last tried.
    unwritten: Option<Control>,
    probed: Option<Instant>,
    /// The last failure that was logged, which is not repeated.
    told: Option<String>,
    is_over: bool,
}

impl Bridge {
    fn begin(
        config: Config,
        folder: Folder,
        program: PathBuf,
        saved: PathBuf,
        to_self: Sender<Message>,
        at_a_time: Arc<AtomicUsize>,
        report: &Reports,
    ) -> Result<Bridge, String> {
        let limits = beginning::limits()?;
        let data = data::load(&config.data)
            .map_err(|error| error.to_string())?
            .description();
        let (to_slurm, requests) = channel::<Request>();
        let mut bridge = Bridge::take_over(config, folder, program, saved, data, limits, to_slurm)
            .map_err(|error| error.to_string())?;
        bridge.at_a_time = at_a_time;
        // Commands can take as long as Slurm likes; files are read meanwhile.
        spawn("nas-slurm-ask", move || {
            for reply in requests.iter().filter_map(commands::carry_out) {
                if to_self.send(Message::Slurm(reply)).is_err() {
                    break;
                }
            }
        })
        .map_err(|error| error.to_string())?;
        let Bridge {
            config,
            data,
            threads,
            ..
        } = &bridge;
        report(Report::Ready(ready(config, data, *threads)));
        Ok(bridge)
    }

    /// Begin with what earlier sessions have left.
    fn take_over(
        config: Config,
        folder: Folder,
        program: PathBuf,
        saved: PathBuf,
        data: DataDescription,
        limits: Limits,
        to_slurm: Sender<Request>,
    ) -> io::Result<Bridge> {
        let (name, known, last) = earlier(&folder)?;
        let mut scheduler = Scheduler::new(rules(&config, limits), last + 1);
        let mut numbers = BTreeMap::new();
        for Known { batch, tasks, job } in known {
            numbers.extend(job.clone().map(|job| (batch, job)));
            scheduler.adopt(batch, tasks, job);
        }
        let mut inbox = Inbox::new();
        inbox.take_over(&folder, |batch| scheduler.has_batch(batch))?;
        Ok(Bridge {
            at_a_time: Arc::new(AtomicUsize::new(children_at_a_time(&config))),
            threads: threads(&config),
            saved_at: modified(&saved),
            config,
            folder,
            name,
            program,
            saved,
            data,
            scheduler,
            jobs: BTreeMap::new(),
            ended: BTreeSet::new(),
            intended: BTreeMap::new(),
            numbers,
            inbox,
            to_slurm,
            began: Instant::now(),
            asked: None,
            is_asking: false,
            unwritten: None,
            probed: None,
            told: None,
            is_over: false,
        })
    }

    fn work(&mut self, messages: &Receiver<Message>, report: &Reports) {
        // Nothing is asked of the tasks of an earlier session any more.
        self.write_control(None, Vec::new(), report);
        self.release_all();
        while !self.is_over {
            match messages.recv_timeout(LOOK) {
                Ok(message) => self.take(message, report),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            // All that has arrived first: children that are proposed together go together.
            while let Ok(message) = messages.try_recv() {
                self.take(message, report);
            }
            if self.is_over {
                break;
            }
            self.scheduler.tick(self.began.elapsed());
            self.probe(report);
            self.read_files(report);
            self.ask_slurm();
            self.follow_settings(report);
            self.act(report);
        }
        self.shut_down(messages, report);
    }

    fn take(&mut self, message: Message, report: &Reports) {
        match message {
            Message::Submit(job) => self.submit(*job, report),
            Message::Skip(child) => self.scheduler.skip(child),
            Message::Pause(number) => self.scheduler.pause(number),
            Message::Resume => self.scheduler.resume(),
            Message::Recorded(batch) => self.submit_batch(batch),
            Message::Shutdown => self.is_over = true,
            Message::Slurm(Reply::Submitted { batch, answer }) => {
                self.submitted(batch, answer, report)
            }
            Message::Slurm(Reply::Listed(answer)) => {
                self.is_asking = false;
                let asked = self.asked.unwrap_or(self.began);
                let asked = asked.duration_since(self.began);
                self.scheduler.answer(&answer, asked);
                self.learn_numbers();
            }
            Message::Slurm(Reply::Failed {
                reason,
                is_doubtful,
            }) => {
                self.warn_once(reason, report);
                if is_doubtful {
                    self.scheduler.repeat_throttles();
                }
            }
        }
    }

    /// A child to train, unless its result has arrived while no engine ran.
    fn submit(&mut self, job: ChildJob, report: &Reports) {
        let child = job.child;
        if let Some(finished) = self.earlier_result(&job) {
            report(finished);
        } else {
            self.scheduler.submit(child);
            self.jobs.insert(child, job);
        }
    }

    fn digest_of(&self, job: &ChildJob) -> Option<String> {
        digest(job, &self.config.child, &self.data.fingerprint).ok()
    }

    fn settings(&self, batch: u64) -> Settings {
        Settings {
            v: VERSION,
            batch,
            name: self.name_of(batch),
            data: self.config.data.clone(),
            fingerprint: self.data.fingerprint.clone(),
            child: self.config.child.clone(),
            device: self.config.workers.device,
            threads: self.threads,
            gpus: self.config.slurm.gpus_per_task,
            requeues: self.config.slurm.requeues,
            signal_seconds: self.config.slurm.signal_seconds,
        }
    }

    fn name_of(&self, batch: u64) -> String {
        format!("{}.{batch}", self.name)
    }

    /// Take over `workers.count` when the run's settings are edited.
    fn follow_settings(&mut self, report: &Reports) {
        let now = modified(&self.saved);
        if now.is_none() || now == self.saved_at {
            return;
        }
        self.saved_at = now;
        let count = config::read(&self.saved)
            .ok()
            .and_then(|config| config.workers.count);
        if let Some(count) = count.filter(|count| Some(*count) != self.config.workers.count) {
            self.config.workers.count = Some(count);
            self.scheduler.set_count(count);
            let at_a_time = children_at_a_time(&self.config);
            self.at_a_time.store(at_a_time, Ordering::Relaxed);
            let message = format!("workers.count is {count} now");
            report(Report::Log {
                level: Level::Info,
                message,
            });
        }
    }

    fn warn_once(&mut self, reason: String, report: &Reports) {
        if self.told.as_ref() != Some(&reason) {
            report(Report::Log {
                level: Level::Warning,
                message: reason.clone(),
            });
            self.told = Some(reason);
        }
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|file| file.modified())
        .ok()
}

#[cfg(test)]
mod tests;

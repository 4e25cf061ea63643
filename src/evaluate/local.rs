//! Worker processes on this machine: the evaluator that a search uses by default.

use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use super::actor::{Actor, Message};
use super::placement::{Placement, cores};
use super::protocol::Sample;
use super::{ChildJob, Evaluator, Report};
use crate::child::device::gpus;
use crate::config::{ChildConfig, Config, DataConfig};

/// What every worker of one evaluator is told when it starts.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    pub data: DataConfig,
    pub child: ChildConfig,
    pub placement: Placement,
    pub seed: u64,
    /// Which images to use instead of the configured split; only benchmarks have one.
    pub sample: Option<Sample>,
}

/// Trains children in worker processes. They end with this value.
///
/// A thread of its own ("nas-workers") owns the processes; reports come from it, in order.
#[derive(Debug)]
pub struct LocalWorkers {
    messages: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl LocalWorkers {
    /// Start the workers that `config` asks for. `program` is this program (its hidden subcommand `worker` is called).
    /// Returns at once: [`Report::Ready`] or [`Report::Fatal`] follows.
    pub fn start(config: &Config, program: PathBuf, report: impl Fn(Report) + Send + 'static) -> LocalWorkers {
        let placement = Placement::new(&config.workers, cores(), gpus(), |_| 4).map_err(|error| error.to_string());
        let settings = placement.map(|placement| WorkerSettings {
            data: config.data.clone(),
            child: config.child.clone(),
            placement,
            seed: config.search.seed,
            sample: None,
        });
        LocalWorkers::start_placed(settings, program, report)
    }

    /// [`LocalWorkers::start`] with settings that are decided already; an error among them becomes [`Report::Fatal`].
    pub fn start_placed(
        settings: Result<WorkerSettings, String>,
        program: PathBuf,
        report: impl Fn(Report) + Send + 'static,
    ) -> LocalWorkers {
        let (sender, receiver) = channel();
        let to_actor = sender.clone();
        let work = move || match settings {
            Ok(settings) => Actor::new(settings, program, Box::new(report), to_actor).run(&receiver),
            Err(message) => report(Report::Fatal { message }),
        };
        // Without the thread no report could ever come; the process is out of threads or memory, as with thread::spawn.
        let thread = std::thread::Builder::new().name("nas-workers".to_owned()).spawn(work).expect("a thread can be started");
        LocalWorkers { messages: sender, thread: Some(thread) }
    }

    fn send(&self, message: Message) {
        // The thread is gone only after a fatal report: there is nothing left to tell it.
        let _ = self.messages.send(message);
    }
}

impl Evaluator for LocalWorkers {
    fn submit(&mut self, job: ChildJob) {
        self.send(Message::Submit(Box::new(job)));
    }

    fn skip(&mut self, child: u64) {
        self.send(Message::Skip(child));
    }

    fn pause(&mut self) {
        self.send(Message::Pause);
    }

    fn resume(&mut self) {
        self.send(Message::Resume);
    }

    fn shutdown(&mut self) {
        self.send(Message::Shutdown);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for LocalWorkers {
    fn drop(&mut self) {
        self.shutdown();
    }
}

//! Worker processes on this machine: a search's default evaluator.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;

use super::actor::{Actor, ActorMessage};
use super::placement::Placement;
use super::protocol::ImageSample;
use super::throughput::Automatic;
use super::watch::Deadlines;
use super::{ChildJob, EVALUATORS, Evaluator, Job, Registered, Report};
use crate::child;
use crate::config::{ChildConfig, Config, DataConfig, EvaluatorChoice};
use crate::data;
use crate::event::Level;
use crate::foundation::device::Device;
use crate::foundation::host::cores;
use crate::foundation::thread::spawn;
use crate::space::{self, Design};
use crate::telemetry::EnergyMeter;

#[linkme::distributed_slice(EVALUATORS)]
static ENTRY: Registered = Registered {
    name: "local workers",
    takes: |config| {
        let family = space::family::named(&config.space.layer);
        config.workers.evaluator == EvaluatorChoice::Local
            && family.is_ok_and(|of| !of.is_tabular())
    },
    is_default: true,
    start: |config, _, report| {
        let program = std::env::current_exe()?;
        Ok(Box::new(LocalWorkers::start(config, program, report)))
    },
};

/// Settings sent to every worker of one evaluator when it starts.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// The images and how they are prepared.
    pub data: DataConfig,
    /// How each child is trained.
    pub child: ChildConfig,
    /// How many workers there are, and on which devices.
    pub placement: Placement,
    /// Images used instead of the configured split; only set by benchmarks.
    pub sample: Option<ImageSample>,
    /// The folder in which a child is saved whenever its worker pauses, and from which it goes on when
    /// it is trained again; `None`: it is not saved.
    pub checkpoints: Option<PathBuf>,
    /// How long workers may be silent or stand still. Shorter ones are for tests.
    pub deadlines: Deadlines,
}

/// Trains children in worker processes, which end with this value.
///
/// A separate thread ("nas-workers") owns the processes; reports come from it, in order.
#[derive(Debug)]
pub struct LocalWorkers {
    messages: Sender<ActorMessage>,
    thread: Option<JoinHandle<()>>,
}

impl LocalWorkers {
    /// Start the workers that `config` asks for. `program` is this program (its hidden subcommand
    /// `worker` is called). Returns at once: [`Report::Ready`] or [`Report::Fatal`] follows.
    ///
    /// If the number of workers is automatic and a GPU has not been measured yet, it is measured
    /// first.
    pub fn start(
        config: &Config,
        program: PathBuf,
        report: impl Fn(Report) + Send + 'static,
    ) -> LocalWorkers {
        let config = config.clone();
        LocalWorkers::spawn(program, report, move |program, desk, report| {
            place(&config, program, desk, report)
        })
    }

    /// [`LocalWorkers::start`] with a placement that is already decided; an error in it becomes
    /// [`Report::Fatal`].
    pub fn start_placed(
        settings: Result<WorkerSettings, String>,
        program: PathBuf,
        report: impl Fn(Report) + Send + 'static,
    ) -> LocalWorkers {
        LocalWorkers::spawn(program, report, move |_, _, _| settings)
    }

    fn spawn(
        program: PathBuf,
        report: impl Fn(Report) + Send + 'static,
        settings: impl FnOnce(&Path, &Desk, &dyn Fn(Report)) -> Result<WorkerSettings, String>
        + Send
        + 'static,
    ) -> LocalWorkers {
        let (sender, receiver) = channel();
        let report = metered(report);
        let to_actor = sender.clone();
        let work = move || {
            let desk = Desk::new(&receiver);
            let settings = settings(&program, &desk, &report);
            if desk.is_shut_down() {
                return;
            }
            // Messages that arrived while the workers were being placed, in order: nothing else has
            // been sent since.
            desk.held
                .take()
                .into_iter()
                .for_each(|message| drop(to_actor.send(message)));
            match settings {
                Ok(settings) => {
                    Actor::new(settings, program, Box::new(report), to_actor).run(&receiver)
                }
                Err(message) => report(Report::Fatal { message }),
            }
        };
        // Without the thread no report could ever be sent; like thread::spawn, this panics if the
        // process is out of threads or memory.
        let thread = spawn("nas-workers", work).expect("a thread can be started");
        LocalWorkers {
            messages: sender,
            thread: Some(thread),
        }
    }

    /// [`Evaluator::submit`] for a network.
    pub fn submit(&mut self, job: ChildJob) {
        self.send(ActorMessage::Submit(Box::new(job)));
    }

    fn send(&self, message: ActorMessage) {
        // The thread is gone only after a fatal report: nothing remains to be told.
        let _ = self.messages.send(message);
    }
}

/// Adds to reports the energy that the GPUs used for each child, not counting first attempts that
/// failed.
fn metered(report: impl Fn(Report) + Send + 'static) -> impl Fn(Report) + Send + 'static {
    let meter = RefCell::new(EnergyMeter::start());
    move |mut told| {
        let mut meter = meter.borrow_mut();
        match &mut told {
            Report::ChildStarted { child, device, .. } => meter.child_started(*child, device),
            Report::Retried { child, .. } => drop(meter.child_ended(*child)),
            Report::Finished {
                child, energy_wh, ..
            } => *energy_wh = meter.child_ended(*child),
            _ => {}
        }
        drop(meter);
        report(told);
    }
}

/// The messages of a thread that is busy with something else: they are kept, except for the one
/// that shuts everything down.
struct Desk<'a> {
    messages: &'a Receiver<ActorMessage>,
    held: RefCell<Vec<ActorMessage>>,
    shut_down: Cell<bool>,
}

impl<'a> Desk<'a> {
    fn new(messages: &'a Receiver<ActorMessage>) -> Desk<'a> {
        Desk {
            messages,
            held: RefCell::default(),
            shut_down: Cell::new(false),
        }
    }

    /// Whether the evaluator has been shut down.
    fn is_shut_down(&self) -> bool {
        while !self.shut_down.get() {
            match self.messages.try_recv() {
                Ok(ActorMessage::Shutdown) | Err(TryRecvError::Disconnected) => {
                    self.shut_down.set(true)
                }
                Ok(message) => self.held.borrow_mut().push(message),
                Err(TryRecvError::Empty) => return false,
            }
        }
        true
    }
}

/// Where the workers of a search run.
fn place(
    config: &Config,
    program: &Path,
    desk: &Desk,
    report: &dyn Fn(Report),
) -> Result<WorkerSettings, String> {
    let chosen = child::device::chosen(config.workers.device).map_err(|error| error.to_string())?;
    if let Some(message) = chosen.warning {
        report(Report::Log {
            level: Level::Warning,
            message,
        });
    }
    let automatic = Automatic {
        program,
        child_bytes: largest_child(config),
        log: &|level, text| {
            report(Report::Log {
                level,
                message: format!("workers.count = auto: {text}"),
            })
        },
        interrupted: &|| desk.is_shut_down(),
    };
    // Without its images a search ends at once, so nothing needs to be measured.
    let has_data = data::source::locate(config.data.source, config.data.dir.as_deref()).is_ok();
    let count = |device| {
        if has_data {
            automatic.workers(device)
        } else {
            1
        }
    };
    let placement = Placement::new(&config.workers, &chosen.devices, cores(), count);
    Ok(WorkerSettings {
        data: config.data.clone(),
        child: config.child.clone(),
        placement,
        sample: None,
        checkpoints: None,
        deadlines: Deadlines::default(),
    })
}

/// Memory in bytes needed to train the last, deepest child of a search: an estimate for a chain of
/// its widest layers that keep the size of the images.
fn largest_child(config: &Config) -> u64 {
    let Ok((input, classes)) = data::shape(&config.data) else {
        return 0;
    };
    let depth = config.search.depth(config.search.children());
    let filters = config.space.filters.iter().copied().max().unwrap_or(1) as usize;
    let layer = |index: usize| space::Layer {
        kind: Default::default(),
        kernel: [3, 3],
        filters,
        stride: [1, 1],
        padding: [1, 1],
        inputs: vec![index],
    };
    let layers = (0..depth).map(layer).collect();
    let widest = space::Architecture {
        name: String::new(),
        input,
        classes,
        layers,
        output: vec![depth],
    };
    // (How many workers there are is only measured on GPUs.)
    space::training_memory(&widest, config.child.batch_size, Device::Cuda(0)).unwrap_or(0)
}

impl Evaluator for LocalWorkers {
    /// # Panics
    /// On a row of a table: workers train networks, and validation of the settings guarantees that
    /// they only get those.
    fn submit(&mut self, job: Job) {
        let Job {
            child,
            seed,
            design,
            stop,
        } = job;
        match design {
            Design::Network(architecture) => LocalWorkers::submit(
                self,
                ChildJob {
                    child,
                    seed,
                    architecture,
                    stop,
                },
            ),
            Design::Key(key) => panic!("child {child}, {key}, is not a network"),
        }
    }

    fn skip(&mut self, child: u64) {
        self.send(ActorMessage::Skip(child));
    }

    fn pause(&mut self, number: u64) {
        self.send(ActorMessage::Pause(number));
    }

    fn resume(&mut self) {
        self.send(ActorMessage::Resume);
    }

    fn shutdown(&mut self) {
        self.send(ActorMessage::Shutdown);
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

//! A worker process: trains the children it is sent, one after another, and reports over its
//! standard output.

mod heart;
mod pipes;
pub(super) mod saving;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use self::heart::Heart;
use self::pipes::{ToParent, WorkerInbox, read_messages};
use self::saving::Saving;
use super::protocol::{Breakdown, FromWorker, ImageSample, Introduction, ToWorker};
use super::{ChildJob, EarlyStop};
use crate::analysis::early_stopping::is_stopped;
use crate::child::{self, cuda, libtorch};
use crate::config::{ChildConfig, DataConfig};
use crate::data::{self, DataError};
use crate::event::{ChildEpoch, ChildProgress, Level, TrainingEpoch, TrainingProgress};
use crate::foundation::device::Device;
use crate::foundation::fault;
use crate::foundation::thread::spawn;
use crate::reward::Outcome;
use crate::train::{
    self, ChildPlace, ChildState, Control, Next, StateOf, TrainError, TrainingData, memory,
};

/// Serve the process's standard input until it ends.
///
/// # Errors
/// If the first message is not `start`, or the parent can no longer be reached.
pub fn run() -> anyhow::Result<()> {
    let output = ToParent::take_standard_output()?;
    let heart = Heart::start(&output).context("cannot start the heartbeat")?;
    let inbox = Arc::new(WorkerInbox::default());
    let reader = inbox.clone();
    spawn("nas-inbox", move || read_messages(&reader))
        .context("cannot start the thread that reads messages")?;
    let Some(ToWorker::Start {
        worker,
        data,
        child,
        threads,
        device,
        sample,
        checkpoints,
    }) = inbox.wait(&output)
    else {
        bail!("the first message to a worker must be `start`");
    };
    tch::set_num_threads(i32::try_from(threads).unwrap_or(1));
    saving::outlive_termination(checkpoints.as_deref()).context("cannot listen for SIGTERM")?;
    let prepared = fault::caught(|| prepare(&data, sample.as_ref(), device));
    let prepared = match prepared
        .unwrap_or_else(|text| Err(DataError::Torch(fault::in_words(&text)).into()))
    {
        Ok(prepared) => prepared,
        Err(Refusal::Data(message)) => return output.send(&FromWorker::Unusable { message }),
        Err(Refusal::Broken(cause, reason)) => {
            return output.send(&FromWorker::Broken { cause, reason });
        }
    };
    let introduction = Introduction {
        data: prepared.description.clone(),
        device,
        libtorch: libtorch::version_in_words(),
    };
    output.send(&FromWorker::Ready {
        pid: std::process::id(),
        introduction,
    })?;
    if let Some(message) = prepared.kept_on_host() {
        let message = format!("worker {worker}: {message}");
        output.send(&FromWorker::Log {
            level: Level::Warning,
            message,
        })?;
    }
    let memory = memory::Holding::new(prepared.device);
    Trainer {
        worker,
        config: child,
        data: prepared,
        inbox,
        output,
        heart,
        memory,
        threads,
        checkpoints,
    }
    .serve()
}

/// Why a worker cannot begin.
enum Refusal {
    /// No worker could use the data.
    Data(String),
    /// Another worker may succeed.
    Broken(Breakdown, String),
}

impl From<DataError> for Refusal {
    fn from(error: DataError) -> Refusal {
        match TrainError::from(error) {
            error @ TrainError::OutOfMemory(_) => {
                Refusal::Broken(Breakdown::Memory, error.to_string())
            }
            error @ TrainError::DeviceLost(_) => {
                Refusal::Broken(Breakdown::Device, error.to_string())
            }
            TrainError::Data(error) => Refusal::Data(error.to_string()),
            error => Refusal::Data(error.to_string()),
        }
    }
}

fn prepare(
    config: &DataConfig,
    sample: Option<&ImageSample>,
    name: Device,
) -> Result<TrainingData, Refusal> {
    let device = child::device::open(name)
        .map_err(|error| Refusal::Broken(Breakdown::Device, error.to_string()))?;
    let dataset = match sample {
        None => data::load(config)?,
        Some(ImageSample::FirstOfFiles { train, validation }) => {
            data::load_first(config, *train, *validation)?
        }
        Some(&ImageSample::Noise {
            input,
            classes,
            train,
            validation,
        }) => data::noise(input, classes, train, validation),
    };
    // The first use of a device. If it has no room for the images, it may have no room at all.
    let prepared = TrainingData::new(dataset, config, device, true).and_then(|data| {
        train::synchronize(device)?;
        Ok(data)
    });
    prepared.map_err(|error| match (Refusal::from(error), name) {
        (Refusal::Broken(cause, reason), Device::Cuda(number)) => {
            Refusal::Broken(cause, cuda::explained(number, &reason))
        }
        (refusal, _) => refusal,
    })
}

/// A worker that is ready to train.
struct Trainer {
    worker: usize,
    config: ChildConfig,
    data: TrainingData,
    inbox: Arc<WorkerInbox>,
    output: ToParent,
    heart: Arc<Heart>,
    memory: memory::Holding,
    threads: usize,
    /// Where children are saved.
    checkpoints: Option<PathBuf>,
}

impl Trainer {
    fn serve(&mut self) -> anyhow::Result<()> {
        while let Some(message) = self.inbox.wait(&self.output) {
            match message {
                ToWorker::Train { job } => self.train(&job)?,
                ToWorker::Start { .. } => bail!("a worker can only be started once"),
                ToWorker::Pause { .. } | ToWorker::Resume | ToWorker::Skip { .. } => {}
            }
        }
        Ok(())
    }

    fn train(&mut self, job: &ChildJob) -> anyhow::Result<()> {
        let started = Instant::now();
        self.heart.set_child(Some(job.child));
        let (saving, saved) = self.saved(job)?;
        let (inbox, output, heart) = (&self.inbox, &self.output, &self.heart);
        let device = self.data.device;
        let mut control = PipeControl {
            child: job.child,
            worker: self.worker,
            epochs: self.config.epochs,
            inbox,
            output,
            heart,
            device,
            stop: job.stop,
            accuracies: Vec::new(),
            is_stopped: false,
            paused: Duration::ZERO,
            started,
            saving,
        };
        let available = self.memory.available();
        let outcome = match train::train_child(
            &job.architecture,
            job.seed,
            &self.data,
            &self.config,
            available,
            saved,
            &mut control,
        ) {
            Ok(valid_accuracies) => Outcome::Trained { valid_accuracies },
            Err(TrainError::Stopped(error)) => return Err(error),
            Err(TrainError::Skipped) => Outcome::Excluded {
                reason: TrainError::Skipped.to_string(),
            },
            Err(error @ TrainError::OutOfMemory(_)) => self.end(Breakdown::Memory, &error)?,
            Err(error) if self.is_for_others(&error) => self.end(Breakdown::Memory, &error)?,
            Err(error @ TrainError::DeviceLost(_)) => self.end(Breakdown::Device, &error)?,
            Err(error) => Outcome::Failed {
                reason: error.to_string(),
            },
        };
        let seconds = control.seconds();
        self.heart.set_child(None);
        self.output.send(&FromWorker::Finished {
            child: job.child,
            outcome,
            seconds,
        })
    }

    /// Where the child is saved, if it is, and how far an earlier process has come with it.
    fn saved(&self, job: &ChildJob) -> anyhow::Result<(Option<Saving>, Option<ChildState>)> {
        let Some(folder) = &self.checkpoints else {
            return Ok((None, None));
        };
        let (data, config) = (&self.data, &self.config);
        let place = (self.threads, data.device);
        let mut saving = Saving::new(folder, job, config, &data.description.fingerprint, place);
        let batches = data.train.len().div_ceil(config.batch_size.max(1));
        let child = job.child;
        let (saved, level, message) = match saving.find(job, config.epochs, batches) {
            Ok(None) => return Ok((Some(saving), None)),
            Ok(Some(saved)) => {
                let ChildPlace { epoch, batch, .. } = saved.place;
                let message = format!(
                    "child {child} goes on where it was saved: epoch {epoch}, batch {batch}"
                );
                (Some(saved), Level::Info, message)
            }
            Err(reason) => {
                let message =
                    format!("child {child} begins anew: its checkpoint is not used: {reason}");
                (None, Level::Warning, message)
            }
        };
        self.output.send(&FromWorker::Log { level, message })?;
        Ok((Some(saving), saved))
    }

    /// Whether there is too little memory only because other processes hold some: another process may
    /// find enough.
    fn is_for_others(&self, error: &TrainError) -> bool {
        matches!(error, TrainError::Memory { needed, .. } if self.memory.could_hold(*needed))
    }

    /// Report why this process can no longer train, and end it.
    fn end(&self, cause: Breakdown, error: &TrainError) -> anyhow::Result<Outcome> {
        self.output.send(&FromWorker::Broken {
            cause,
            reason: error.to_string(),
        })?;
        // Without destructors: on a lost device they can only fail.
        signal_hook::low_level::exit(1)
    }
}

/// The training's link to the search.
struct PipeControl<'trainer> {
    child: u64,
    worker: usize,
    /// Number of epochs in the training.
    epochs: usize,
    inbox: &'trainer WorkerInbox,
    output: &'trainer ToParent,
    heart: &'trainer Heart,
    device: tch::Device,
    /// When to stop the child early.
    stop: Option<EarlyStop>,
    /// Its validation accuracies so far, by epoch.
    accuracies: Vec<f64>,
    /// Whether it is to be stopped.
    is_stopped: bool,
    /// Time spent paused.
    paused: Duration,
    started: Instant,
    /// Where the child is saved during a pause.
    saving: Option<Saving>,
}

impl PipeControl<'_> {
    /// Time spent on the child, also by earlier processes, without pauses.
    fn seconds(&self) -> f64 {
        let here = self.started.elapsed().saturating_sub(self.paused);
        let earlier = self.saving.as_ref().map_or(0.0, Saving::seconds);
        earlier + here.as_secs_f64()
    }
}

impl Control for PipeControl<'_> {
    fn between_batches(&mut self, state: StateOf<'_>) -> anyhow::Result<(Next, Duration)> {
        let mut since = Instant::now();
        let seconds = self.seconds();
        let settle = || {
            // Work is queued on the device, which has not stopped until that is done.
            train::synchronize(self.device).map_err(TrainError::from)?;
            since = Instant::now();
            match &self.saving {
                Some(saving) => saving.save(state()?, seconds, self.output),
                None => Ok(()),
            }
        };
        let next = self
            .inbox
            .stand_still_while_paused(self.child, self.output, settle)?;
        self.heart.count_step();
        let stood_still = since.elapsed();
        self.paused += stood_still;
        let next = if self.is_stopped { Next::Enough } else { next };
        Ok((next, stood_still))
    }

    fn progress(&mut self, progress: TrainingProgress) -> anyhow::Result<()> {
        self.heart.count_step();
        let progress = ChildProgress::of(self.child, self.worker, self.epochs, &progress);
        self.output.send(&FromWorker::Progress(progress))
    }

    fn epoch(&mut self, epoch: TrainingEpoch) -> anyhow::Result<()> {
        self.heart.count_step();
        self.accuracies.push(epoch.valid_accuracy);
        self.is_stopped |= self
            .stop
            .is_some_and(|stop| is_stopped(&self.accuracies, stop.after, stop.below));
        let epoch = ChildEpoch::of(self.child, self.worker, self.epochs, &epoch);
        self.output.send(&FromWorker::Epoch(epoch))
    }
}

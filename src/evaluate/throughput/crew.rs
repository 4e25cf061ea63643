//! Workers that repeatedly train the same small child in order to be measured.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::{MeasureError, Rate, Throughput, settings, small_child};
use crate::child::cuda;
use crate::evaluate::watch::Attention;
use crate::evaluate::{ChildJob, Evaluator, LocalWorkers, Ready, Report};
use crate::foundation::device::Device;
use crate::foundation::host;
use crate::foundation::numbers::counted;
use crate::reward::Outcome;
use crate::space::Architecture;
use crate::telemetry;

/// Maximum time for a worker to start, to train its first batch or to pause. The first batch on a
/// GPU loads its kernels.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time after the start of training during which workers run unsteadily.
const WARM_UP: Duration = Duration::from_millis(300);
/// Interval at which an interruption is checked for.
const LOOK: Duration = Duration::from_millis(20);

/// Workers on one device, ready to train.
pub struct WorkerTrial<'a> {
    device: Device,
    child: Architecture,
    workers: LocalWorkers,
    reports: Receiver<Report>,
    ready: Ready,
    interrupted: &'a dyn Fn() -> bool,
    next: u64,
    /// Children in training or waiting, with the fraction completed.
    under_way: BTreeMap<u64, f64>,
    /// Number of children that have been trained.
    trained: u64,
    /// Workers that have reported since the last [`WorkerTrial::begin`].
    moving: BTreeSet<usize>,
    paused: bool,
    /// Number of the latest pause requested.
    pauses: u64,
    /// Whether the crew is stopping: children that end are not replaced.
    ending: bool,
    /// Device memory that was in use before the workers started.
    used_before: Option<u64>,
}

impl<'a> WorkerTrial<'a> {
    /// Start `count` workers of `program` on `device` and wait until they are ready.
    ///
    /// # Errors
    /// If none of them can start, or `interrupted` returns true.
    pub fn start(
        program: &Path,
        device: Device,
        count: usize,
        interrupted: &'a dyn Fn() -> bool,
    ) -> Result<WorkerTrial<'a>, MeasureError> {
        let threads = if device.is_cuda() {
            (host::cores() / count).max(1)
        } else {
            1
        };
        let (settings, child) = (settings(device, count, threads)?, small_child()?);
        let used_before = memory_used(device);
        let (sender, reports) = channel();
        // The receiver is gone only when measuring is over.
        let report = move |report| drop(sender.send(report));
        let workers = LocalWorkers::start_placed(Ok(settings), program.to_owned(), report);
        let mut deadline = Instant::now() + PATIENCE;
        let ready = loop {
            match receive(&reports, &mut deadline, interrupted)? {
                Some(Report::Ready(ready)) => break ready,
                Some(Report::Fatal { message }) => return Err(MeasureError::Failed(message)),
                Some(_) => {}
                None => return Err(late("no worker was ready")),
            }
        };
        let (under_way, moving) = (BTreeMap::new(), BTreeSet::new());
        Ok(WorkerTrial {
            device,
            child,
            workers,
            reports,
            ready,
            interrupted,
            next: 0,
            under_way,
            trained: 0,
            moving,
            paused: false,
            pauses: 0,
            ending: false,
            used_before,
        })
    }

    /// Number of workers that have started: at most as many as requested.
    pub fn size(&self) -> usize {
        self.ready.workers
    }

    /// Children per hour with each of `counts` (as far as there are enough workers), measured for
    /// `window` each. `tell` is called before each measurement.
    ///
    /// # Errors
    /// If children fail, workers are silent, or `interrupted` returns true.
    pub fn throughput(
        &mut self,
        counts: &[usize],
        window: Duration,
        mut tell: impl FnMut(usize),
    ) -> Result<Throughput, MeasureError> {
        let mut rates = Vec::new();
        // The largest number first, so that every worker has loaded its kernels.
        let fitting: Vec<usize> = counts
            .iter()
            .copied()
            .filter(|&count| count <= self.size())
            .collect();
        for workers in fitting.into_iter().rev() {
            tell(workers);
            rates.insert(
                0,
                Rate {
                    workers,
                    children_per_hour: 3600.0 * self.children_per_second(workers, window)?,
                },
            );
        }
        let used = memory_used(self.device)
            .zip(self.used_before)
            .and_then(|(now, before)| now.checked_sub(before));
        Ok(Throughput {
            model: model_of(self.device),
            libtorch: self
                .ready
                .compute
                .as_ref()
                .map_or_else(String::new, |compute| compute.libtorch.clone()),
            cuda: cuda_of(self.device),
            cores: host::cores(),
            measured: jiff::Timestamp::now(),
            rates,
            worker_bytes: used
                .map(|used| used / self.size().max(1) as u64)
                .filter(|&bytes| bytes > 0),
        })
    }

    /// Time from the request until `count` workers in the middle of training have paused, measured
    /// `times` times.
    ///
    /// # Errors
    /// See [`WorkerTrial::throughput`].
    pub fn pauses(&mut self, count: usize, times: u32) -> Result<Vec<Duration>, MeasureError> {
        self.begin(count)?;
        let mut latencies = Vec::new();
        for number in 0..times {
            // At a different moment of a batch each time.
            self.train_until(Instant::now() + Duration::from_millis(150 + 37 * u64::from(number)))?;
            let asked = Instant::now();
            self.pauses += 1;
            self.workers.pause(self.pauses);
            let mut deadline = asked + PATIENCE;
            while !std::mem::take(&mut self.paused) {
                self.hear(&mut deadline)?
                    .then_some(())
                    .ok_or_else(|| late("not every worker paused"))?;
            }
            latencies.push(asked.elapsed());
            self.workers.resume();
        }
        self.end()?;
        Ok(latencies)
    }

    fn children_per_second(&mut self, count: usize, window: Duration) -> Result<f64, MeasureError> {
        self.begin(count)?;
        let (before, since) = (self.done(), Instant::now());
        self.train_until(since + window)?;
        let rate = (self.done() - before) / since.elapsed().as_secs_f64();
        self.end()?;
        if rate > 0.0 {
            Ok(rate)
        } else {
            Err(MeasureError::Failed(format!(
                "{} made no progress",
                counted(count as u64, "worker")
            )))
        }
    }

    /// Number of children completed, including the fractions of those in progress.
    fn done(&self) -> f64 {
        self.trained as f64 + self.under_way.values().sum::<f64>()
    }

    /// Have `count` workers train, and wait until each of them does so steadily.
    fn begin(&mut self, count: usize) -> Result<(), MeasureError> {
        self.moving.clear();
        self.ending = false;
        (0..count).for_each(|_| self.submit());
        let mut deadline = Instant::now() + PATIENCE;
        while self.moving.len() < count {
            self.hear(&mut deadline)?
                .then_some(())
                .ok_or_else(|| late("not every worker trained a batch"))?;
        }
        self.train_until(Instant::now() + WARM_UP)
    }

    fn train_until(&mut self, mut end: Instant) -> Result<(), MeasureError> {
        while self.hear(&mut end)? {}
        Ok(())
    }

    /// End everything in progress.
    fn end(&mut self) -> Result<(), MeasureError> {
        self.ending = true;
        self.under_way
            .keys()
            .for_each(|&child| self.workers.skip(child));
        let mut deadline = Instant::now() + PATIENCE;
        while !self.under_way.is_empty() {
            self.hear(&mut deadline)?
                .then_some(())
                .ok_or_else(|| late("not every child ended"))?;
        }
        Ok(())
    }

    fn submit(&mut self) {
        self.under_way.insert(self.next, 0.0);
        self.workers.submit(ChildJob {
            child: self.next,
            seed: self.next,
            architecture: self.child.clone(),
            stop: None,
        });
        self.next += 1;
    }

    /// Process one report; returns whether one arrived before `deadline`.
    fn hear(&mut self, deadline: &mut Instant) -> Result<bool, MeasureError> {
        let Some(report) = receive(&self.reports, deadline, self.interrupted)? else {
            return Ok(false);
        };
        match report {
            Report::Progress(progress) => {
                let epochs_done = progress.epoch.saturating_sub(1) as f64
                    + progress.batch as f64 / progress.batches.max(1) as f64;
                self.moved(
                    progress.worker,
                    progress.child,
                    epochs_done / progress.epochs.max(1) as f64,
                );
            }
            Report::Epoch(epoch) => {
                self.moved(
                    epoch.worker,
                    epoch.child,
                    epoch.epoch as f64 / epoch.epochs.max(1) as f64,
                );
            }
            Report::Finished { child, outcome, .. } => self.finished(child, &outcome)?,
            Report::Paused { number } => self.paused = number == self.pauses,
            Report::WorkerDied { reason, .. } => {
                return Err(MeasureError::Failed(format!("a worker died: {reason}")));
            }
            Report::Fatal { message } => return Err(MeasureError::Failed(message)),
            _ => {}
        }
        Ok(true)
    }

    /// Note that `worker` has completed this fraction of `child`.
    fn moved(&mut self, worker: usize, child: u64, part: f64) {
        self.moving.insert(worker);
        if let Some(done) = self.under_way.get_mut(&child) {
            *done = part;
        }
    }

    fn finished(&mut self, child: u64, outcome: &Outcome) -> Result<(), MeasureError> {
        let known = self.under_way.remove(&child).is_some();
        match outcome {
            _ if self.ending || !known => {}
            Outcome::Trained { .. } => {
                self.trained += 1;
                self.submit();
            }
            Outcome::Failed { reason } | Outcome::Excluded { reason } => {
                return Err(MeasureError::Failed(format!("a child failed: {reason}")));
            }
        }
        Ok(())
    }
}

/// The next report; `None` if there was none before `deadline`, which is put off by the time for
/// which this process was stopped or suspended.
fn receive(
    reports: &Receiver<Report>,
    deadline: &mut Instant,
    interrupted: &dyn Fn() -> bool,
) -> Result<Option<Report>, MeasureError> {
    let mut attention = Attention::since(Instant::now());
    loop {
        if interrupted() {
            return Err(MeasureError::Interrupted);
        }
        let now = Instant::now();
        *deadline += attention.wake(now).unwrap_or_default();
        let left = deadline.saturating_duration_since(now);
        match reports.recv_timeout(left.min(LOOK)) {
            Ok(report) => return Ok(Some(report)),
            Err(RecvTimeoutError::Timeout) if left.is_zero() => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(MeasureError::Failed("the workers have gone".to_owned()));
            }
        }
    }
}

fn late(what: &str) -> MeasureError {
    MeasureError::Failed(format!("{what} within {} s", PATIENCE.as_secs()))
}

/// Model of a device, by which measurements are stored.
pub fn model_of(device: Device) -> String {
    match device {
        Device::Cpu => telemetry::host::cpu_model().unwrap_or_else(|| "CPU".to_owned()),
        Device::Cuda(number) => {
            telemetry::cuda::model(number).unwrap_or_else(|| "unknown CUDA device".to_owned())
        }
    }
}

/// CUDA version that libtorch was built for, if `device` is a GPU.
pub fn cuda_of(device: Device) -> Option<String> {
    device
        .is_cuda()
        .then(cuda::version)
        .flatten()
        .map(|version| version.to_string())
}

fn memory_used(device: Device) -> Option<u64> {
    match device {
        Device::Cpu => None,
        Device::Cuda(number) => telemetry::cuda::memory(number).map(|(_, used)| used),
    }
}

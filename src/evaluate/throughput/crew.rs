//! Workers that train the same small child over and over, to be measured at it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::{MeasureError, Rate, Throughput, settings, small_child};
use crate::child::cuda;
use crate::evaluate::{ChildJob, Evaluator, LocalWorkers, Ready, Report, placement};
use crate::foundation::device::Device;
use crate::reward::Outcome;
use crate::space::Architecture;
use crate::telemetry;

/// Longest wait for a worker to start, to train its first batch or to stand still. A first batch on
/// a GPU loads its kernels.
const PATIENCE: Duration = Duration::from_secs(60);
/// Workers that have just begun run unsteadily.
const WARM_UP: Duration = Duration::from_millis(300);
/// How often an interruption is checked for.
const LOOK: Duration = Duration::from_millis(20);

/// Workers on one device, ready.
pub struct Crew<'a> {
    device: Device,
    child: Architecture,
    workers: LocalWorkers,
    reports: Receiver<Report>,
    ready: Ready,
    interrupted: &'a dyn Fn() -> bool,
    next: u64,
    /// Children in training or waiting, with the part that is done.
    under_way: BTreeMap<u64, f64>,
    /// Children that have been trained.
    trained: u64,
    /// Workers that have been heard of since the last [`Crew::begin`].
    moving: BTreeSet<usize>,
    paused: bool,
    /// Pauses that were asked for: the latest one's number.
    pauses: u64,
    /// What is under way is to end: nothing takes its place.
    ending: bool,
    /// Memory of the device that was in use before.
    used_before: Option<u64>,
}

impl<'a> Crew<'a> {
    /// Start `count` workers of `program` on `device` and wait until they are ready.
    ///
    /// # Errors
    /// When none of them can start, or `interrupted` says so.
    pub fn start(
        program: &Path,
        device: Device,
        count: usize,
        interrupted: &'a dyn Fn() -> bool,
    ) -> Result<Crew<'a>, MeasureError> {
        let threads = if device.is_cuda() {
            (placement::cores() / count).max(1)
        } else {
            1
        };
        let (settings, child) = (settings(device, count, threads)?, small_child()?);
        let used_before = memory_used(device);
        let (sender, reports) = channel();
        // The receiver is gone only when nothing is measured any more.
        let report = move |report| drop(sender.send(report));
        let workers = LocalWorkers::start_placed(Ok(settings), program.to_owned(), report);
        let deadline = Instant::now() + PATIENCE;
        let ready = loop {
            match receive(&reports, deadline, interrupted)? {
                Some(Report::Ready(ready)) => break ready,
                Some(Report::Fatal { message }) => return Err(MeasureError::Failed(message)),
                Some(_) => {}
                None => return Err(late("no worker was ready")),
            }
        };
        let (under_way, moving) = (BTreeMap::new(), BTreeSet::new());
        Ok(Crew {
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

    /// Workers that have started: at most as many as were asked for.
    pub fn size(&self) -> usize {
        self.ready.workers
    }

    /// Children per hour with each of `counts` (as many as there are workers), for `window` each.
    /// `tell` hears what comes next.
    ///
    /// # Errors
    /// When children fail, workers are silent, or `interrupted` says so.
    pub fn throughput(
        &mut self,
        counts: &[usize],
        window: Duration,
        mut tell: impl FnMut(usize),
    ) -> Result<Throughput, MeasureError> {
        let mut rates = Vec::new();
        // The most first: then every worker has loaded its kernels.
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
            cores: placement::cores(),
            measured: jiff::Timestamp::now(),
            rates,
            worker_bytes: used
                .map(|used| used / self.size().max(1) as u64)
                .filter(|&bytes| bytes > 0),
        })
    }

    /// How long it takes, from the request on, until `count` workers in the middle of training
    /// stand still; `times` in a row.
    ///
    /// # Errors
    /// As [`Crew::throughput`].
    pub fn pauses(&mut self, count: usize, times: u32) -> Result<Vec<Duration>, MeasureError> {
        self.begin(count)?;
        let mut latencies = Vec::new();
        for number in 0..times {
            // At ever other moments of a batch.
            self.train_until(Instant::now() + Duration::from_millis(150 + 37 * u64::from(number)))?;
            let asked = Instant::now();
            self.pauses += 1;
            self.workers.pause(self.pauses);
            while !std::mem::take(&mut self.paused) {
                self.hear(asked + PATIENCE)?
                    .then_some(())
                    .ok_or_else(|| late("not every worker stood still"))?;
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
                "{count} worker(s) made no progress"
            )))
        }
    }

    /// Children that are done, with the parts of those under way.
    fn done(&self) -> f64 {
        self.trained as f64 + self.under_way.values().sum::<f64>()
    }

    /// Have `count` workers train, and wait until each of them does so steadily.
    fn begin(&mut self, count: usize) -> Result<(), MeasureError> {
        self.moving.clear();
        self.ending = false;
        (0..count).for_each(|_| self.submit());
        let deadline = Instant::now() + PATIENCE;
        while self.moving.len() < count {
            self.hear(deadline)?
                .then_some(())
                .ok_or_else(|| late("not every worker trained a batch"))?;
        }
        self.train_until(Instant::now() + WARM_UP)
    }

    fn train_until(&mut self, end: Instant) -> Result<(), MeasureError> {
        while self.hear(end)? {}
        Ok(())
    }

    /// End what is under way.
    fn end(&mut self) -> Result<(), MeasureError> {
        self.ending = true;
        self.under_way
            .keys()
            .for_each(|&child| self.workers.skip(child));
        let deadline = Instant::now() + PATIENCE;
        while !self.under_way.is_empty() {
            self.hear(deadline)?
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
        });
        self.next += 1;
    }

    /// Take one report; whether one came before `deadline`.
    fn hear(&mut self, deadline: Instant) -> Result<bool, MeasureError> {
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

    /// `worker` has done this part of `child`.
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

/// The next report; `None` if there was none before `deadline`.
fn receive(
    reports: &Receiver<Report>,
    deadline: Instant,
    interrupted: &dyn Fn() -> bool,
) -> Result<Option<Report>, MeasureError> {
    loop {
        if interrupted() {
            return Err(MeasureError::Interrupted);
        }
        let left = deadline.saturating_duration_since(Instant::now());
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

/// Model of a device, by which measurements are kept.
pub fn model_of(device: Device) -> String {
    match device {
        Device::Cpu => telemetry::host::cpu_model().unwrap_or_else(|| "CPU".to_owned()),
        Device::Cuda(number) => {
            telemetry::cuda::model(number).unwrap_or_else(|| "unknown CUDA device".to_owned())
        }
    }
}

/// CUDA version that libtorch was built for, where `device` is a GPU.
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

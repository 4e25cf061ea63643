//! The machine as shown on the screen: the latest measurements, steadied, and their histories.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::steady;
use crate::event::MachineLoad;
use crate::foundation::host::host_name;
use crate::state::load::Load;
use crate::telemetry::energy::{EnergyReading, watt_hours};
use crate::telemetry::{GpuSample, GpuStatus, HostStatus};

/// Number of points kept in a history: more than the widest panel shows.
const HISTORY: usize = 240;
/// Number of measurements averaged into one point of a history: fewer points mean fewer bytes sent.
pub const MEASUREMENTS_PER_POINT: usize = 5;
/// Seconds from one point to the next: measurements come every two seconds.
pub const SECONDS_PER_POINT: usize = 10;
/// Time without an answer after which NVML is reported as silent. (Waking a sleeping GPU takes
/// seconds.)
const PATIENCE: SignedDuration = SignedDuration::from_secs(15);

/// Measurements of the machine.
#[derive(Debug, Clone)]
pub struct MachineView {
    /// The GPUs as last reported by NVML, including those it no longer reports.
    pub gpu: GpuStatus,
    /// NVML's message, if it reported GPUs before and reports none now.
    pub trouble: Option<String>,
    /// Processors, memory and our processes.
    pub host: HostStatus,
    /// Mean utilisation of the GPUs.
    pub gpu_history: History,
    /// Busy fraction of the processors, 0 to 1.
    pub host_history: History,
    /// Largest number of our processes at a time so far.
    pub processes: usize,
    /// When the screen started measuring.
    pub since: Timestamp,
    /// Name of the machine.
    name: String,
    /// Whether the time before the screen has been looked up in the journal.
    has_recalled: bool,
    /// When NVML last answered.
    gpu_time: Timestamp,
    tracks: BTreeMap<u32, Track>,
}

/// What is kept of one GPU between measurements.
#[derive(Debug, Clone, Default)]
struct Track {
    utilization: History,
    last: Option<EnergyReading>,
    /// Joules since the screen started measuring; `None` if never known.
    joules: Option<f64>,
}

/// Means of a few measurements each, newest last.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// At most 240 points.
    pub points: VecDeque<f64>,
    pending: Vec<f64>,
}

impl History {
    fn push(&mut self, value: f64) {
        self.pending.push(value);
        if self.pending.len() < MEASUREMENTS_PER_POINT {
            return;
        }
        let mean = self.pending.iter().sum::<f64>() / self.pending.len() as f64;
        self.pending.clear();
        if self.points.len() == HISTORY {
            self.points.pop_front();
        }
        self.points.push_back(mean);
    }

    /// Put what is known of the time before the first point in front of it.
    fn precede(&mut self, earlier: &[f64]) {
        let room = HISTORY.saturating_sub(self.points.len());
        let newest = earlier.iter().rev().take(room);
        newest.for_each(|value| self.points.push_front(*value));
    }

    /// The newest `count` points (or fewer), oldest first.
    pub fn newest(&self, count: usize) -> impl Iterator<Item = f64> + '_ {
        self.points
            .iter()
            .skip(self.points.len().saturating_sub(count))
            .copied()
    }
}

impl Track {
    fn take(&mut self, gpu: &GpuSample, time: Timestamp) {
        if let Some(utilization) = gpu.utilization {
            self.utilization.push(utilization);
        }
        let seconds = time.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64();
        if gpu.energy.is_none() && gpu.power.is_none() {
            return;
        }
        let now = EnergyReading {
            seconds,
            counter: gpu.energy,
            power: gpu.power,
        };
        if let Some(joules) = self.last.and_then(|last| now.joules_since(&last)) {
            self.joules = Some(self.joules.unwrap_or(0.0) + joules);
        }
        self.last = Some(now);
    }
}

impl MachineView {
    /// A machine that has not been measured yet, watched since `now`.
    pub fn new(now: Timestamp) -> MachineView {
        MachineView {
            gpu: GpuStatus::Starting,
            trouble: None,
            host: HostStatus::Starting,
            gpu_history: History::default(),
            host_history: History::default(),
            processes: 0,
            since: now,
            name: host_name(),
            has_recalled: false,
            gpu_time: now,
            tracks: BTreeMap::new(),
        }
    }

    /// Look up what happened before the screen was opened, at `now`: the load of the latest minutes, if this
    /// machine worked on the run. Only the first call has an effect, because later minutes are measured here.
    pub fn recall(&mut self, load: &Load, now: Timestamp) {
        if std::mem::replace(&mut self.has_recalled, true) {
            return;
        }
        let Some(load) = load.on(&self.name) else {
            return;
        };
        let longest = SignedDuration::from_secs((HISTORY * SECONDS_PER_POINT) as i64);
        let latest = load.recent();
        let latest = latest.filter(|(end, _)| now.duration_since(*end) <= longest);
        let latest: Vec<&MachineLoad> = latest.map(|(_, load)| load).collect();
        self.host_history
            .precede(&points(&latest, |load| load.busy));
        self.gpu_history
            .precede(&points(&latest, MachineLoad::utilization));
        let gpus = latest.iter().flat_map(|load| &load.gpus);
        let gpus: BTreeSet<u32> = gpus.map(|gpu| gpu.index).collect();
        for gpu in gpus {
            let of_gpu = points(&latest, |load| load.gpu(gpu)?.utilization);
            let track = self.tracks.entry(gpu).or_default();
            track.utilization.precede(&of_gpu);
        }
    }

    /// Process NVML's report at `time`.
    pub fn take_gpu(&mut self, status: GpuStatus, time: Timestamp) {
        self.gpu_time = time;
        self.trouble = None;
        let shown = self.gpus().to_vec();
        self.gpu = match status {
            GpuStatus::Present(gpus) => {
                self.measure(&gpus, time);
                GpuStatus::Present(merged(&shown, gpus))
            }
            GpuStatus::Absent(reason) if !shown.is_empty() => {
                self.trouble = Some(reason);
                GpuStatus::Present(merged(&shown, Vec::new()))
            }
            other => other,
        };
    }

    fn measure(&mut self, gpus: &[GpuSample], time: Timestamp) {
        let known: Vec<f64> = gpus.iter().filter_map(|gpu| gpu.utilization).collect();
        if !known.is_empty() {
            self.gpu_history
                .push(known.iter().sum::<f64>() / known.len() as f64);
        }
        for gpu in gpus {
            self.tracks.entry(gpu.index).or_default().take(gpu, time);
        }
    }

    /// Process a measurement of the host, steadied against the one shown.
    pub fn take_host(&mut self, status: HostStatus) {
        if let HostStatus::Present(host) = &status {
            self.host_history.push(host.busy());
            self.processes = self.processes.max(host.ours.len());
        }
        self.host = match (&self.host, status) {
            (HostStatus::Present(shown), HostStatus::Present(new)) => {
                HostStatus::Present(steady::host(shown, new))
            }
            (_, status) => status,
        };
    }

    /// The GPUs that exist or existed.
    pub fn gpus(&self) -> &[GpuSample] {
        match &self.gpu {
            GpuStatus::Present(gpus) => gpus,
            GpuStatus::Starting | GpuStatus::Absent(_) => &[],
        }
    }

    /// Whether NVML, which should answer, has been silent for long.
    pub fn is_silent(&self, now: Timestamp) -> bool {
        !matches!(self.gpu, GpuStatus::Absent(_)) && now.duration_since(self.gpu_time) > PATIENCE
    }

    /// Utilisation history of one GPU.
    pub fn utilization(&self, gpu: u32) -> Option<&History> {
        self.tracks
            .get(&gpu)
            .map(|track| &track.utilization)
            .filter(|history| !history.points.is_empty())
    }

    /// Watt-hours used by one GPU since the screen started measuring, by whatever process.
    pub fn watt_hours(&self, gpu: u32) -> Option<f64> {
        self.tracks.get(&gpu)?.joules.map(watt_hours)
    }

    /// Watt-hours used by one GPU while this machine worked on the run, by whatever process, as its journal
    /// tells.
    pub fn watt_hours_of_run(&self, load: &Load, gpu: u32) -> Option<f64> {
        let load = load.on(&self.name)?;
        load.joules().get(&gpu).copied().map(watt_hours)
    }
}

/// A figure of these loads as points of a history: as many of each as it covers.
fn points(loads: &[&MachineLoad], figure: impl Fn(&MachineLoad) -> Option<f64>) -> Vec<f64> {
    let mut points = Vec::new();
    for load in loads {
        let count = (load.seconds / SECONDS_PER_POINT as f64).round();
        let count = count.clamp(0.0, HISTORY as f64) as usize;
        points.extend(
            figure(load)
                .into_iter()
                .flat_map(|value| std::iter::repeat_n(value, count)),
        );
    }
    points
}

/// The GPUs that exist, steadied, and those that have vanished, without their values.
fn merged(shown: &[GpuSample], new: Vec<GpuSample>) -> Vec<GpuSample> {
    let mut gpus: BTreeMap<u32, GpuSample> =
        shown.iter().map(|gpu| (gpu.index, lost(gpu))).collect();
    for gpu in new {
        let before = shown.iter().find(|shown| shown.index == gpu.index);
        let gpu = match before {
            Some(before) if gpu.lost => lost(before),
            Some(before) => steady::gpu(before, gpu),
            None => gpu,
        };
        gpus.insert(gpu.index, gpu);
    }
    gpus.into_values().collect()
}

fn lost(gpu: &GpuSample) -> GpuSample {
    GpuSample {
        index: gpu.index,
        name: gpu.name.clone(),
        lost: true,
        ..GpuSample::default()
    }
}

#[cfg(test)]
mod tests;

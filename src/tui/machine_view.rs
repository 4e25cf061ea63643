//! The machine as shown on the screen: the latest measurements, steadied, and their histories.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::steady;
use crate::telemetry::energy::{EnergyReading, watt_hours};
use crate::telemetry::{GpuSample, GpuStatus, HostStatus};

/// Number of points kept in a history: more than the widest panel shows.
const HISTORY: usize = 240;
/// Number of measurements averaged into one point of a history: fewer points mean fewer bytes sent.
pub const MEASUREMENTS_PER_POINT: usize = 5;
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
    /// When the screen started measuring.
    pub since: Timestamp,
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
            since: now,
            gpu_time: now,
            tracks: BTreeMap::new(),
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
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn gpu(index: u32) -> GpuSample {
        GpuSample {
            index,
            name: Some(format!("GPU {index}")),
            utilization: Some(0.5),
            power: Some(360.0),
            ..GpuSample::default()
        }
    }

    fn view(statuses: Vec<GpuStatus>) -> MachineView {
        let mut view = MachineView::new(second(0));
        for (time, status) in (0..).zip(statuses) {
            view.take_gpu(status, second(2 * time));
        }
        view
    }

    #[test]
    fn a_gpu_that_vanishes_keeps_its_row_and_name_but_loses_its_values() {
        let both = GpuStatus::Present(vec![gpu(0), gpu(1)]);
        let off_the_bus = GpuSample {
            index: 1,
            lost: true,
            ..GpuSample::default()
        };
        for now in [vec![gpu(0)], vec![gpu(0), off_the_bus]] {
            let view = view(vec![both.clone(), GpuStatus::Present(now)]);
            assert_eq!(view.gpus(), [gpu(0), lost(&gpu(1))]);
        }
    }

    #[test]
    fn if_the_driver_fails_the_rows_stay_and_the_reason_is_shown() {
        let view = view(vec![
            GpuStatus::Present(vec![gpu(0)]),
            GpuStatus::Absent("NVML: unloaded".into()),
        ]);
        assert_eq!(
            (view.gpus(), view.trouble.as_deref()),
            (&[lost(&gpu(0))][..], Some("NVML: unloaded"))
        );
    }

    #[test]
    fn a_machine_without_gpus_has_none() {
        assert_eq!(
            view(vec![GpuStatus::Absent("none".into())]).gpu,
            GpuStatus::Absent("none".into())
        );
    }

    #[test]
    fn without_a_counter_energy_is_power_over_time_and_without_both_it_is_unknown() {
        let dark = GpuSample {
            index: 1,
            ..GpuSample::default()
        };
        let status = GpuStatus::Present(vec![gpu(0), dark]);
        let view = view(vec![status.clone(), status.clone(), status]);
        assert_eq!(view.watt_hours(0), Some(0.4));
        assert_eq!((view.watt_hours(1), view.watt_hours(9)), (None, None));
    }

    #[test]
    fn a_gpu_without_utilisation_has_no_history_and_does_not_lower_the_mean() {
        let mig = GpuSample {
            index: 1,
            mig: true,
            ..GpuSample::default()
        };
        let view = view(vec![
            GpuStatus::Present(vec![gpu(0), mig]);
            MEASUREMENTS_PER_POINT
        ]);
        assert!(view.utilization(1).is_none());
        assert_eq!(
            (
                view.gpu_history.newest(9).collect::<Vec<_>>(),
                view.utilization(0).is_some()
            ),
            (vec![0.5], true)
        );
    }

    #[test]
    fn silence_is_reported_only_if_there_is_an_nvml() {
        let present = view(vec![GpuStatus::Present(vec![gpu(0)])]);
        assert!(!present.is_silent(second(10)) && present.is_silent(second(60)));
        assert!(MachineView::new(second(0)).is_silent(second(60)));
        assert!(!view(vec![GpuStatus::Absent("none".into())]).is_silent(second(60)));
    }
}

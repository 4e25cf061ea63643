//! The mean load of the machine between two heartbeats of a run, for its journal.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use nvml_wrapper::Nvml;

use super::energy::EnergyReading;
use super::gpu;
use super::host::BusyReading;
use crate::event::{GpuLoad, MachineLoad};
use crate::foundation::numbers::six_digits;
use crate::foundation::thread::spawn;

/// Interval between readings of the GPUs.
const INTERVAL: Duration = Duration::from_secs(5);

/// Measures the processors and, if asked to, the GPUs. Whoever uses it never waits for NVML.
#[derive(Debug)]
pub struct LoadMeter {
    since: Instant,
    processors: Option<BusyReading>,
    /// Locked only briefly, and never during a call of NVML.
    gpus: Arc<Mutex<Gpus>>,
}

/// What has been read of each GPU since the last [`MachineLoad`].
type Gpus = BTreeMap<u32, Readings>;

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Readings {
    /// Sum of the utilisations, and their number.
    utilization: f64,
    count: u32,
    joules: Option<f64>,
}

impl Readings {
    fn add(&mut self, utilization: Option<f64>, joules: Option<f64>) {
        if let Some(utilization) = utilization {
            self.utilization += utilization;
            self.count += 1;
        }
        if let Some(joules) = joules {
            self.joules = Some(self.joules.unwrap_or(0.0) + joules);
        }
    }

    fn load(self, index: u32) -> GpuLoad {
        let mean = || six_digits(self.utilization / f64::from(self.count));
        GpuLoad {
            index,
            utilization: (self.count > 0).then(mean),
            joules: self.joules.map(six_digits),
        }
    }
}

impl LoadMeter {
    /// Measure from now on, the GPUs by the installed NVML.
    pub fn start(with_gpus: bool) -> LoadMeter {
        LoadMeter::begin(with_gpus.then_some(gpu::load))
    }

    /// Measure from now on, the GPUs by the NVML library in this file.
    pub fn start_with(library: PathBuf) -> LoadMeter {
        LoadMeter::begin(Some(move || gpu::load_from(&library)))
    }

    fn begin(nvml: Option<impl FnOnce() -> Result<Nvml, String> + Send + 'static>) -> LoadMeter {
        let gpus = Arc::default();
        if let Some(load) = nvml {
            let readings = Arc::downgrade(&gpus);
            // Without the thread, which ends when this is dropped, nothing is known of the GPUs.
            let _ = spawn("telemetry-load", move || {
                if let Ok(nvml) = load() {
                    read_gpus(&nvml, &readings);
                }
            });
        }
        LoadMeter {
            since: Instant::now(),
            processors: BusyReading::now(),
            gpus,
        }
    }

    /// The load since the last call, or since the start; `None` if nothing is known.
    pub fn take(&mut self) -> Option<MachineLoad> {
        let now = BusyReading::now();
        let before = self.processors.as_ref();
        let busy = before
            .zip(now.as_ref())
            .map(|(before, now)| now.since(before));
        let seconds = self.since.elapsed().as_secs_f64();
        (self.since, self.processors) = (Instant::now(), now);
        let readings = std::mem::take(&mut *lock(&self.gpus));
        let gpus = readings.into_iter().map(|(index, of)| of.load(index));
        let load = MachineLoad {
            seconds: six_digits(seconds),
            busy: busy.map(six_digits),
            gpus: gpus.collect(),
        };
        (load.busy.is_some() || !load.gpus.is_empty()).then_some(load)
    }
}

fn lock(gpus: &Mutex<Gpus>) -> MutexGuard<'_, Gpus> {
    gpus.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Read all GPUs until the meter is dropped.
fn read_gpus(nvml: &Nvml, readings: &Weak<Mutex<Gpus>>) {
    let begin = Instant::now();
    let mut before: BTreeMap<u32, EnergyReading> = BTreeMap::new();
    loop {
        for index in 0..nvml.device_count().unwrap_or(0) {
            let seconds = begin.elapsed().as_secs_f64();
            let Some((utilization, energy)) = gpu::load_of(nvml, index, seconds) else {
                continue;
            };
            let last = before.insert(index, energy);
            let joules = last.and_then(|last| energy.joules_since(&last));
            let Some(readings) = readings.upgrade() else {
                return;
            };
            lock(&readings)
                .entry(index)
                .or_default()
                .add(utilization, joules);
        }
        if readings.strong_count() == 0 {
            return;
        }
        std::thread::sleep(INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_is_that_of_the_time_since_the_last_one() {
        let mut meter = LoadMeter::start(false);
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(300) {
            std::hint::spin_loop();
        }
        let first = meter.take().unwrap();
        assert!(first.seconds >= 0.3 && first.gpus.is_empty());
        assert!(first.busy.is_some_and(|busy| busy > 0.0 && busy <= 1.0));
        let second = meter.take().unwrap();
        assert!(second.seconds < first.seconds, "{second:?}");
    }

    #[test]
    fn readings_of_a_gpu_become_a_mean_and_a_sum_of_what_it_reports() {
        let mut gpu = Readings::default();
        assert_eq!(
            gpu.load(3),
            GpuLoad {
                index: 3,
                utilization: None,
                joules: None
            }
        );
        gpu.add(Some(0.5), None);
        gpu.add(None, Some(100.0));
        gpu.add(Some(1.0), Some(20.0));
        let load = gpu.load(0);
        assert_eq!((load.utilization, load.joules), (Some(0.75), Some(120.0)));
    }
}

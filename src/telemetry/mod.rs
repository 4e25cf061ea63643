//! What the machine is doing, measured alongside the search: GPUs through NVML, the host and our
//! processes through /proc.

pub mod cuda;
pub mod driver;
pub mod energy;
pub mod gpu;
pub mod host;
pub mod load;
pub mod memory;
pub mod process;

use std::time::Duration;

use tokio::sync::watch;

pub use crate::event::process::{ProcessRole, Watched};
use crate::foundation::thread::spawn;
use crate::state::processes::Processes;
pub use energy::EnergyMeter;
pub use gpu::{GpuClock, GpuProcess, GpuSample, GpuStatus, Throttle};
pub use host::{HostSample, HostStatus};
pub use load::LoadMeter;
pub use process::{ProcessSample, WatchList};

/// The latest measurements. Each kind has a separate thread, so that a call that hangs does not
/// delay the others.
#[derive(Debug)]
pub struct Telemetry {
    /// The GPUs.
    pub gpu: watch::Receiver<GpuStatus>,
    /// Processors, memory and the watched processes.
    pub host: watch::Receiver<HostStatus>,
    watched: WatchList,
    /// Name of this machine.
    machine: String,
}

impl Telemetry {
    /// Measure every `interval` until the telemetry is dropped.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(interval: Duration) -> std::io::Result<Telemetry> {
        let (gpu_sender, gpu) = watch::channel(GpuStatus::Starting);
        let (host_sender, host) = watch::channel(HostStatus::Starting);
        let watched = WatchList::default();
        let (gpu_watched, host_watched) = (watched.clone(), watched.clone());
        spawn("telemetry-gpu", move || {
            gpu::measure(&gpu_sender, &gpu_watched, interval)
        })?;
        spawn("telemetry-host", move || {
            host::measure(&host_sender, &host_watched, interval)
        })?;
        let telemetry = Telemetry {
            gpu,
            host,
            watched,
            machine: process::machine_name(),
        };
        telemetry.watch_run(&Processes::default());
        Ok(telemetry)
    }

    /// Measure this process and the processes of this run that are on this machine.
    pub fn watch_run(&self, processes: &Processes) {
        let mut watched = processes.on(&self.machine);
        let own = std::process::id();
        if watched.iter().all(|process| process.pid != own) {
            watched.push(Watched {
                pid: own,
                role: ProcessRole::Screen,
                seen: jiff::Timestamp::now(),
            });
        }
        self.watched.set(watched);
    }
}

/// Wait for `interval`, or less if no one is listening any more; returns false in that case.
fn wait<T>(sender: &watch::Sender<T>, interval: Duration) -> bool {
    const STEP: Duration = Duration::from_millis(200);
    let mut left = interval;
    while !left.is_zero() {
        if sender.is_closed() {
            return false;
        }
        let step = left.min(STEP);
        std::thread::sleep(step);
        left -= step;
    }
    !sender.is_closed()
}

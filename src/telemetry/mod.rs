//! What the machine is doing, measured beside the search: GPUs through NVML, the host through /proc.

pub mod gpu;
pub mod host;

use std::time::Duration;

use tokio::sync::watch;

pub use gpu::{GpuSample, GpuStatus};
pub use host::{HostSample, HostStatus};

/// The latest measurements. Each kind comes from a thread of its own, so that a call that hangs stalls nobody else.
#[derive(Debug)]
pub struct Telemetry {
    pub gpu: watch::Receiver<GpuStatus>,
    pub host: watch::Receiver<HostStatus>,
}

impl Telemetry {
    /// Measure every `interval` until the telemetry is dropped.
    pub fn start(interval: Duration) -> std::io::Result<Telemetry> {
        let (gpu_sender, gpu) = watch::channel(GpuStatus::Starting);
        let (host_sender, host) = watch::channel(HostStatus::Starting);
        std::thread::Builder::new().name("telemetry-gpu".into()).spawn(move || gpu::measure(&gpu_sender, interval))?;
        std::thread::Builder::new().name("telemetry-host".into()).spawn(move || host::measure(&host_sender, interval))?;
        Ok(Telemetry { gpu, host })
    }
}

/// Wait for `interval`, or less if nobody listens any more; false then.
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

//! NVIDIA GPUs through NVML, which is loaded when it is there.

use std::ffi::OsStr;
use std::time::Duration;

use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};
use tokio::sync::watch;

/// Names under which the driver installs NVML, in the order in which they are tried.
const LIBRARIES: [&str; 2] = ["libnvidia-ml.so.1", "libnvidia-ml.so"];

/// What NVML says.
#[derive(Debug, Clone, PartialEq)]
pub enum GpuStatus {
    /// NVML has not answered yet.
    Starting,
    /// There is no NVML or no GPU: the reason, in words.
    Absent(String),
    Present(Vec<GpuSample>),
}

/// One GPU at one moment. A value that the GPU or its driver does not give is `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GpuSample {
    pub index: u32,
    pub name: Option<String>,
    /// Share of the last sample period in which a kernel ran, 0..=1.
    pub utilization: Option<f64>,
    /// Bytes.
    pub memory_used: Option<u64>,
    pub memory_total: Option<u64>,
    /// Degrees Celsius.
    pub temperature: Option<u32>,
    /// Watts.
    pub power: Option<f64>,
    pub power_limit: Option<f64>,
}

/// Send a status every `interval` until nobody listens. Only this thread ever calls NVML.
pub fn measure(sender: &watch::Sender<GpuStatus>, interval: Duration) {
    let nvml = match load() {
        Ok(nvml) => nvml,
        Err(reason) => {
            sender.send_replace(GpuStatus::Absent(reason));
            return;
        }
    };
    loop {
        sender.send_replace(status(&nvml));
        if !super::wait(sender, interval) {
            return;
        }
    }
}

/// NVML under the first name that works; otherwise what stood in the way.
pub fn load() -> Result<Nvml, String> {
    // Short, for a panel's title: both names were tried.
    let mut reason = "libnvidia-ml.so[.1] not found".to_owned();
    for library in LIBRARIES {
        match Nvml::builder().lib_path(OsStr::new(library)).init() {
            Ok(nvml) => return Ok(nvml),
            Err(NvmlError::LibloadingError(_)) => {}
            // The library is there but the driver behind it does not work: the more telling reason.
            Err(error) => reason = format!("{library}: {error}"),
        }
    }
    Err(reason)
}

/// Every GPU that NVML knows, now.
pub fn status(nvml: &Nvml) -> GpuStatus {
    match nvml.device_count() {
        Ok(0) => GpuStatus::Absent("NVML finds no GPU".to_owned()),
        Ok(count) => GpuStatus::Present((0..count).map(|index| sample(nvml, index)).collect()),
        Err(error) => GpuStatus::Absent(format!("NVML: {error}")),
    }
}

fn sample(nvml: &Nvml, index: u32) -> GpuSample {
    // A GPU that fell off the bus keeps its row, without values.
    nvml.device_by_index(index).map_or(GpuSample { index, ..GpuSample::default() }, |device| sample_device(index, &device))
}

fn sample_device(index: u32, device: &Device<'_>) -> GpuSample {
    let memory = device.memory_info().ok();
    GpuSample {
        index,
        name: device.name().ok(),
        utilization: device.utilization_rates().ok().map(|rates| f64::from(rates.gpu) / 100.0),
        memory_used: memory.as_ref().map(|memory| memory.used),
        memory_total: memory.as_ref().map(|memory| memory.total),
        temperature: device.temperature(TemperatureSensor::Gpu).ok(),
        power: device.power_usage().ok().map(|milliwatts| f64::from(milliwatts) / 1e3),
        power_limit: device.enforced_power_limit().ok().map(|milliwatts| f64::from(milliwatts) / 1e3),
    }
}

//! NVIDIA GPUs through NVML, which is loaded when it is there.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock as ClockDomain, TemperatureSensor};
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::struct_wrappers::device::ProcessInfo;
use nvml_wrapper::{Device, Nvml};
use tokio::sync::watch;

use super::process::{self, WatchList};
use crate::event::process::ProcessRole;

/// Names under which the driver installs NVML, in the order in which they are tried.
const LIBRARIES: [&str; 2] = ["libnvidia-ml.so.1", "libnvidia-ml.so"];

/// What NVML says.
#[derive(Debug, Clone, PartialEq)]
pub enum GpuStatus {
    /// NVML has not answered yet.
    Starting,
    /// There is no NVML or no GPU: the reason, in words.
    Absent(String),
    /// Every GPU, in NVML's order.
    Present(Vec<GpuSample>),
}

/// One GPU at one moment. A value that the GPU or its driver does not give is `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GpuSample {
    /// NVML's number of it: the order on the PCI bus.
    pub index: u32,
    /// Model.
    pub name: Option<String>,
    /// The driver does not reach it any more.
    pub lost: bool,
    /// It is split into instances (MIG). It has no utilisation as a whole then.
    pub mig: bool,
    /// Share of the last sample period in which a kernel ran, 0..=1.
    pub utilization: Option<f64>,
    /// Bytes. (The driver keeps some for itself: used and free are less than the total.)
    pub memory_used: Option<u64>,
    /// Bytes that a process may still take.
    pub memory_free: Option<u64>,
    /// Bytes of the GPU.
    pub memory_total: Option<u64>,
    /// Degrees Celsius.
    pub temperature: Option<u32>,
    /// Watts. The limit is the one in force.
    pub power: Option<f64>,
    /// Watts that the GPU may take.
    pub power_limit: Option<f64>,
    /// Clock of the multiprocessors.
    pub sm_clock: Option<Clock>,
    /// Clock of the memory.
    pub memory_clock: Option<Clock>,
    /// Why its clocks are lower than they could be; empty if they are not.
    pub throttle: Option<Vec<Throttle>>,
    /// Joules since the driver was loaded.
    pub energy: Option<f64>,
    /// Those with most memory first.
    pub processes: Option<Vec<GpuProcess>>,
}

/// A clock and the fastest that it can be, megahertz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Now.
    pub now: u32,
    /// The fastest.
    pub max: Option<u32>,
}

/// Why a GPU is slower than it could be. Being idle and clocks set by a user do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttle {
    /// It would take more power than it may.
    PowerCap,
    /// Too hot, as the driver judges.
    Thermal,
    /// Too hot, as the hardware judges.
    HardwareThermal,
    /// The power supply says that there is too little.
    PowerBrake,
    /// By the hardware, without saying why.
    Hardware,
    /// It keeps pace with slower GPUs of its group.
    SyncBoost,
}

impl Throttle {
    /// For a reader.
    pub fn words(self) -> &'static str {
        match self {
            Throttle::PowerCap => "power cap",
            Throttle::Thermal => "too hot",
            Throttle::HardwareThermal => "too hot, slowed by hardware",
            Throttle::PowerBrake => "power brake of the supply",
            Throttle::Hardware => "slowed by hardware",
            Throttle::SyncBoost => "waits for a GPU of its group",
        }
    }
}

/// A process that holds memory of a GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuProcess {
    /// As NVML counts them. In a container an older driver gives the host's numbers, which mean
    /// nothing in it.
    pub pid: u32,
    /// Name of the program.
    pub name: Option<String>,
    /// Bytes.
    pub memory: Option<u64>,
    /// What it is to the run that is watched; `None` for another's process.
    pub role: Option<ProcessRole>,
}

/// Send a status every `interval` until nobody listens. Only this thread calls NVML for the screen.
pub fn measure(sender: &watch::Sender<GpuStatus>, watched: &WatchList, interval: Duration) {
    let nvml = match load() {
        Ok(nvml) => nvml,
        Err(reason) => {
            sender.send_replace(GpuStatus::Absent(reason));
            return;
        }
    };
    loop {
        sender.send_replace(status(&nvml, watched));
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

/// NVML from this file.
pub fn load_from(library: &Path) -> Result<Nvml, String> {
    Nvml::builder()
        .lib_path(library.as_os_str())
        .init()
        .map_err(|error| format!("{}: {error}", library.display()))
}

/// Every GPU that NVML knows, now.
pub fn status(nvml: &Nvml, watched: &WatchList) -> GpuStatus {
    match nvml.device_count() {
        Ok(0) => GpuStatus::Absent("NVML finds no GPU".to_owned()),
        Ok(count) => GpuStatus::Present(
            (0..count)
                .map(|index| sample(nvml, index, watched))
                .collect(),
        ),
        Err(error) => GpuStatus::Absent(format!("NVML: {error}")),
    }
}

fn sample(nvml: &Nvml, index: u32, watched: &WatchList) -> GpuSample {
    // A GPU that fell off the bus keeps its row, without values.
    let lost = GpuSample {
        index,
        lost: true,
        ..GpuSample::default()
    };
    let Ok(device) = nvml.device_by_index(index) else {
        return lost;
    };
    let power = device.power_usage();
    if matches!(power, Err(NvmlError::GpuLost)) {
        return GpuSample {
            name: device.name().ok(),
            ..lost
        };
    }
    let memory = device.memory_info().ok();
    let mig = device.mig_mode().is_ok_and(|mode| mode.current != 0);
    GpuSample {
        index,
        name: device.name().ok(),
        lost: false,
        mig,
        utilization: device
            .utilization_rates()
            .ok()
            .filter(|_| !mig)
            .map(|rates| f64::from(rates.gpu.min(100)) / 100.0),
        memory_used: memory.as_ref().map(|memory| memory.used),
        memory_free: memory.as_ref().map(|memory| memory.free),
        memory_total: memory.as_ref().map(|memory| memory.total),
        temperature: device.temperature(TemperatureSensor::Gpu).ok(),
        power: power.ok().map(watts),
        power_limit: device.enforced_power_limit().ok().map(watts),
        sm_clock: clock(&device, ClockDomain::SM),
        memory_clock: clock(&device, ClockDomain::Memory),
        throttle: device.current_throttle_reasons().ok().map(limiting),
        energy: joules(&device),
        processes: processes(&device, watched),
    }
}

/// Joules that a GPU has taken since its driver was loaded, where it counts them.
pub(super) fn joules(device: &Device<'_>) -> Option<f64> {
    device
        .total_energy_consumption()
        .ok()
        .map(|millijoules| millijoules as f64 / 1e3)
}

pub(super) fn watts(milliwatts: u32) -> f64 {
    f64::from(milliwatts) / 1e3
}

fn clock(device: &Device<'_>, domain: ClockDomain) -> Option<Clock> {
    let now = device.clock_info(domain).ok()?;
    Some(Clock {
        now,
        max: device.max_clock_info(domain).ok(),
    })
}

/// The reasons that hold a GPU back against its will, the gravest last.
fn limiting(reasons: ThrottleReasons) -> Vec<Throttle> {
    let known = [
        (ThrottleReasons::SYNC_BOOST, Throttle::SyncBoost),
        (ThrottleReasons::SW_POWER_CAP, Throttle::PowerCap),
        (ThrottleReasons::SW_THERMAL_SLOWDOWN, Throttle::Thermal),
        (
            ThrottleReasons::HW_THERMAL_SLOWDOWN,
            Throttle::HardwareThermal,
        ),
        (
            ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN,
            Throttle::PowerBrake,
        ),
    ];
    let mut limiting: Vec<Throttle> = known
        .into_iter()
        .filter(|(reason, _)| reasons.contains(*reason))
        .map(|(_, throttle)| throttle)
        .collect();
    // The hardware's general reason comes together with the special ones, which say more.
    let said = limiting
        .iter()
        .any(|throttle| matches!(throttle, Throttle::HardwareThermal | Throttle::PowerBrake));
    if reasons.contains(ThrottleReasons::HW_SLOWDOWN) && !said {
        limiting.push(Throttle::Hardware);
    }
    limiting
}

fn processes(device: &Device<'_>, watched: &WatchList) -> Option<Vec<GpuProcess>> {
    let mut all = device.running_compute_processes().ok()?;
    all.extend(device.running_graphics_processes().unwrap_or_default());
    // One that both computes and draws is in both lists.
    all.sort_by_key(|process| process.pid);
    all.dedup_by_key(|process| process.pid);
    let mut processes: Vec<GpuProcess> =
        all.iter().map(|info| gpu_process(info, watched)).collect();
    processes.sort_by_key(|process| (std::cmp::Reverse(process.memory), process.pid));
    Some(processes)
}

/// Bytes of a GPU that the process `pid` has taken; `None` if NVML does not know (in a container
/// it may count other numbers).
pub fn memory_of(device: &Device<'_>, pid: u32) -> Option<u64> {
    let processes = device.running_compute_processes().ok()?;
    match processes
        .iter()
        .find(|process| process.pid == pid)?
        .used_gpu_memory
    {
        UsedGpuMemory::Used(bytes) => Some(bytes),
        UsedGpuMemory::Unavailable => None,
    }
}

fn gpu_process(info: &ProcessInfo, watched: &WatchList) -> GpuProcess {
    let memory = match info.used_gpu_memory {
        UsedGpuMemory::Used(bytes) => Some(bytes),
        UsedGpuMemory::Unavailable => None,
    };
    GpuProcess {
        pid: info.pid,
        name: process::name(info.pid),
        memory,
        role: watched.role(info.pid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idleness_and_clocks_that_somebody_set_are_no_throttle() {
        let reasons = ThrottleReasons::GPU_IDLE | ThrottleReasons::APPLICATIONS_CLOCKS_SETTING;
        assert_eq!(limiting(reasons), []);
        assert_eq!(
            limiting(reasons | ThrottleReasons::SW_POWER_CAP),
            [Throttle::PowerCap]
        );
    }

    #[test]
    fn the_hardwares_general_reason_is_told_only_where_no_special_one_is() {
        assert_eq!(limiting(ThrottleReasons::HW_SLOWDOWN), [Throttle::Hardware]);
        let hot = ThrottleReasons::HW_SLOWDOWN | ThrottleReasons::HW_THERMAL_SLOWDOWN;
        assert_eq!(limiting(hot), [Throttle::HardwareThermal]);
    }

    #[test]
    fn a_library_that_is_not_there_is_named() {
        let error = load_from(Path::new("/nowhere/libnvidia-ml.so.1")).unwrap_err();
        assert!(error.contains("/nowhere/libnvidia-ml.so.1"), "{error}");
    }
}

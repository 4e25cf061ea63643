//! NVIDIA GPUs through NVML, which is loaded if it is installed.

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

use super::energy::EnergyReading;
use super::process::{self, WatchList};
use crate::event::process::ProcessRole;

/// Names under which the driver installs NVML, in the order in which they are tried.
const LIBRARIES: [&str; 2] = ["libnvidia-ml.so.1", "libnvidia-ml.so"];

/// What is known from NVML.
#[derive(Debug, Clone, PartialEq)]
pub enum GpuStatus {
    /// NVML has not answered yet.
    Starting,
    /// There is no NVML or no GPU, for this reason.
    Absent(String),
    /// Every GPU, in NVML's order.
    Present(Vec<GpuSample>),
}

/// One GPU at one moment. Values that the GPU or its driver does not report are `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GpuSample {
    /// NVML's number of the GPU, in the order of the PCI bus.
    pub index: u32,
    /// Model.
    pub name: Option<String>,
    /// Whether the driver can no longer reach it.
    pub lost: bool,
    /// Whether it is split into instances (MIG), in which case it has no overall utilisation.
    pub mig: bool,
    /// Fraction of the last sample period in which a kernel was running, 0..=1.
    pub utilization: Option<f64>,
    /// Bytes in use. (The driver reserves some memory: used plus free is less than the total.)
    pub memory_used: Option<u64>,
    /// Bytes available to processes.
    pub memory_free: Option<u64>,
    /// Total bytes.
    pub memory_total: Option<u64>,
    /// Temperature in degrees Celsius.
    pub temperature: Option<u32>,
    /// Power in watts.
    pub power: Option<f64>,
    /// Power limit in force, in watts.
    pub power_limit: Option<f64>,
    /// Clock of the multiprocessors.
    pub sm_clock: Option<GpuClock>,
    /// Clock of the memory.
    pub memory_clock: Option<GpuClock>,
    /// Why its clocks are reduced; empty if they are not.
    pub throttle: Option<Vec<Throttle>>,
    /// Joules since the driver was loaded.
    pub energy: Option<f64>,
    /// Its processes, those with the most memory first.
    pub processes: Option<Vec<GpuProcess>>,
}

/// A clock and its maximum, in megahertz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GpuClock {
    /// Current value.
    pub now: u32,
    /// Maximum value.
    pub max: Option<u32>,
}

/// Why a GPU's clocks are reduced. Idleness and clocks set by a user do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttle {
    /// It has reached its power limit.
    PowerCap,
    /// Too hot, according to the driver.
    Thermal,
    /// Too hot, according to the hardware.
    HardwareThermal,
    /// The power supply signals a lack of power.
    PowerBrake,
    /// Slowed by the hardware for an unspecified reason.
    Hardware,
    /// It matches the pace of slower GPUs in its group.
    SyncBoost,
}

impl Throttle {
    /// Short text for the user.
    pub fn words(self) -> &'static str {
        match self {
            Throttle::PowerCap => "power cap",
            Throttle::Thermal => "too hot",
            Throttle::HardwareThermal => "too hot, slowed by hardware",
            Throttle::PowerBrake => "power supply brake",
            Throttle::Hardware => "slowed by hardware",
            Throttle::SyncBoost => "waits for a GPU in its group",
        }
    }
}

/// A process that uses memory of a GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuProcess {
    /// Process id according to NVML. In a container, older drivers report the host's ids, which are
    /// meaningless there.
    pub pid: u32,
    /// Name of the program.
    pub name: Option<String>,
    /// Bytes of GPU memory.
    pub memory: Option<u64>,
    /// Its role in the watched run; `None` for a process of another run or program.
    pub role: Option<ProcessRole>,
}

/// Send a status every `interval` until no one is listening. Only this thread calls NVML for the
/// screen.
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

/// Load NVML under the first name that works, or return the reason for the failure.
///
/// # Errors
/// The reason for the failure, short enough for a panel's title.
pub fn load() -> Result<Nvml, String> {
    // Short, to fit a panel's title; both names were tried.
    let mut reason = "libnvidia-ml.so[.1] not found".to_owned();
    for library in LIBRARIES {
        match Nvml::builder().lib_path(OsStr::new(library)).init() {
            Ok(nvml) => return Ok(nvml),
            Err(NvmlError::LibloadingError(_)) => {}
            // The library exists but the driver does not work: the more informative reason.
            Err(error) => reason = format!("{library}: {error}"),
        }
    }
    Err(reason)
}

/// Load NVML from this file.
///
/// # Errors
/// The reason for the failure, with the file.
pub fn load_from(library: &Path) -> Result<Nvml, String> {
    Nvml::builder()
        .lib_path(library.as_os_str())
        .init()
        .map_err(|error| format!("{}: {error}", library.display()))
}

/// The current state of every GPU that NVML knows.
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
    let mig = is_split(&device);
    GpuSample {
        index,
        name: device.name().ok(),
        lost: false,
        mig,
        utilization: utilization(&device).filter(|_| !mig),
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

fn is_split(device: &Device<'_>) -> bool {
    device.mig_mode().is_ok_and(|mode| mode.current != 0)
}

fn utilization(device: &Device<'_>) -> Option<f64> {
    let rates = device.utilization_rates().ok()?;
    Some(f64::from(rates.gpu.min(100)) / 100.0)
}

/// Utilisation and energy of a GPU, read `seconds` after a fixed moment.
pub(super) fn load_of(
    nvml: &Nvml,
    index: u32,
    seconds: f64,
) -> Option<(Option<f64>, EnergyReading)> {
    let device = nvml.device_by_index(index).ok()?;
    let utilization = utilization(&device).filter(|_| !is_split(&device));
    Some((utilization, energy(&device, seconds)))
}

/// Energy of a GPU, read `seconds` after a fixed moment.
pub(super) fn energy(device: &Device<'_>, seconds: f64) -> EnergyReading {
    EnergyReading {
        seconds,
        counter: joules(device),
        power: device.power_usage().ok().map(watts),
    }
}

/// Joules used by a GPU since its driver was loaded, if it counts them.
fn joules(device: &Device<'_>) -> Option<f64> {
    device
        .total_energy_consumption()
        .ok()
        .map(|millijoules| millijoules as f64 / 1e3)
}

fn watts(milliwatts: u32) -> f64 {
    f64::from(milliwatts) / 1e3
}

fn clock(device: &Device<'_>, domain: ClockDomain) -> Option<GpuClock> {
    let now = device.clock_info(domain).ok()?;
    Some(GpuClock {
        now,
        max: device.max_clock_info(domain).ok(),
    })
}

/// The reasons that count as throttling, the most serious last.
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
    // The hardware's general reason comes together with the specific ones, which say more.
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
    // A process that both computes and draws is in both lists.
    all.sort_by_key(|process| process.pid);
    all.dedup_by_key(|process| process.pid);
    let mut processes: Vec<GpuProcess> =
        all.iter().map(|info| gpu_process(info, watched)).collect();
    processes.sort_by_key(|process| (std::cmp::Reverse(process.memory), process.pid));
    Some(processes)
}

/// Bytes of a GPU used by the process `pid`; `None` if NVML does not know (in a container its
/// process ids may differ).
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
    fn idleness_and_user_set_clocks_are_not_throttling() {
        let reasons = ThrottleReasons::GPU_IDLE | ThrottleReasons::APPLICATIONS_CLOCKS_SETTING;
        assert_eq!(limiting(reasons), []);
        assert_eq!(
            limiting(reasons | ThrottleReasons::SW_POWER_CAP),
            [Throttle::PowerCap]
        );
    }

    #[test]
    fn the_hardwares_general_reason_is_shown_only_without_a_specific_one() {
        assert_eq!(limiting(ThrottleReasons::HW_SLOWDOWN), [Throttle::Hardware]);
        let hot = ThrottleReasons::HW_SLOWDOWN | ThrottleReasons::HW_THERMAL_SLOWDOWN;
        assert_eq!(limiting(hot), [Throttle::HardwareThermal]);
    }

    #[test]
    fn the_reason_names_a_missing_library() {
        let error = load_from(Path::new("/nowhere/libnvidia-ml.so.1")).unwrap_err();
        assert!(error.contains("/nowhere/libnvidia-ml.so.1"), "{error}");
    }
}

//! Finds the reason why no device is visible, and a remedy, from what is known about libtorch, CUDA
//! and the driver.

use std::fmt;

use super::Library;
use super::runtime::CudaError;
use crate::telemetry::driver::{ComputeMode, Driver, DriverGpu, Version};

// Values of `cudaError_t`.
const INSUFFICIENT_DRIVER: i32 = 35;
const DEVICES_UNAVAILABLE: i32 = 46;
const SYSTEM_NOT_READY: i32 = 802;
const DRIVER_MISMATCH: i32 = 803;

/// The oldest driver that supports each major version of CUDA.
const DRIVERS: [(u32, u32); 2] = [(13, 580), (12, 525)];
/// The oldest GPUs supported by PyTorch's builds for CUDA 13: Turing.
const OLDEST_FOR_CUDA_13: Version = Version(7, 5);
const OPEN: &str = "have an administrator run `nvidia-smi -c DEFAULT`";

/// The facts from which a reason is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whether libtorch's CUDA code is loaded in this process.
    pub library: Library,
    /// Number of devices that libtorch sees.
    pub devices: usize,
    /// CUDA's error when it was asked for devices, if any.
    pub error: Option<CudaError>,
    /// The CUDA version that this libtorch was built for.
    pub built_for: Option<Version>,
    /// Whether CUDA finds the driver's own library, libcuda.so.1.
    pub has_driver_library: bool,
    /// The value of CUDA_VISIBLE_DEVICES.
    pub visible_devices: Option<String>,
    /// What the driver reports about itself and its GPUs.
    pub driver: Driver,
}

/// Why libtorch sees no device, or cannot use one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    Hidden,
    Withheld,
    CpuBuild,
    NotLoaded,
    NoDriverLibrary,
    DriverTooOld,
    Prohibited,
    Exclusive,
    NoInstance,
    GpuTooOld,
    Other,
}

/// A cause in words, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// What makes the devices unavailable.
    pub cause: Cause,
    /// A sentence without a full stop, starting in lower case unless it starts with a name.
    pub reason: String,
    /// What the user can do, in the same form as `reason`.
    pub remedy: String,
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.reason, self.remedy)
    }
}

/// `None` if there is no GPU, or libtorch sees it.
pub fn diagnose(facts: &Facts) -> Option<Diagnosis> {
    let driver = &facts.driver;
    if facts.devices > 0 || driver.gpus.len() + driver.withheld == 0 {
        return None;
    }
    // Check first what the user or the machine's owner has decided, then what libtorch lacks, then
    // what CUDA reports.
    hidden(facts)
        .or_else(|| withheld(driver))
        .or_else(|| library(facts))
        .or_else(|| driver_library(facts))
        .or_else(|| compute_mode(facts))
        .or_else(|| no_instance(facts))
        .or_else(|| Some(other(facts)))
}

/// What prevents a process from computing on `cuda:N` although libtorch, built for `built_for`,
/// sees it.
pub fn concern(driver: &Driver, built_for: Option<Version>, number: usize) -> Option<Diagnosis> {
    let gpu = driver.gpus.get((*driver.visible.get(number)?)? as usize)?;
    let name = format!(
        "cuda:{number} ({})",
        gpu.name.as_deref().unwrap_or("an NVIDIA GPU")
    );
    match (gpu.mode, gpu.capability, built_for) {
        (Some(ComputeMode::Prohibited), ..) => found(
            Cause::Prohibited,
            format!("{name} is in compute mode PROHIBITED: it accepts no process"),
            OPEN,
        ),
        (_, Some(capability), Some(built)) if built.0 >= 13 && capability < OLDEST_FOR_CUDA_13 => {
            let reason = format!(
                "{name} has compute capability {capability}, and libtorch for CUDA {built} has code for 7.5 and newer"
            );
            found(
                Cause::GpuTooOld,
                reason,
                "build with libtorch for CUDA 12.6: NAS_TUI_TORCH_INDEX=URL make build KIND=cuda12",
            )
        }
        (Some(ComputeMode::Exclusive), ..) => {
            let reason = format!(
                "{name} is in compute mode EXCLUSIVE_PROCESS: it accepts one process at a time"
            );
            found(
                Cause::Exclusive,
                reason,
                format!(
                    "set workers.count to the number of GPUs and end other programs on them, or {OPEN}"
                ),
            )
        }
        _ => None,
    }
}

fn found(cause: Cause, reason: impl Into<String>, remedy: impl Into<String>) -> Option<Diagnosis> {
    Some(Diagnosis {
        cause,
        reason: reason.into(),
        remedy: remedy.into(),
    })
}

fn hidden(facts: &Facts) -> Option<Diagnosis> {
    let variable = facts.visible_devices.as_deref()?;
    let (visible, gpus) = (&facts.driver.visible, facts.driver.gpus.len());
    if variable.trim().is_empty() {
        let remedy = "unset it, or set workers.device = \"cpu\" if you want to use the CPU";
        return found(
            Cause::Hidden,
            "CUDA_VISIBLE_DEVICES is empty, which hides every GPU",
            remedy,
        );
    }
    // If the first entry is invalid, CUDA shows no GPU at all.
    if gpus == 0 || matches!(visible.first(), Some(Some(_))) {
        return None;
    }
    let numbers = if gpus == 1 {
        "the only GPU is 0".to_owned()
    } else {
        format!("there are GPUs 0 to {}", gpus - 1)
    };
    let reason =
        format!("CUDA_VISIBLE_DEVICES={variable} does not name a GPU of this machine ({numbers})");
    found(
        Cause::Hidden,
        reason,
        "unset it, or name GPUs by the numbers or UUIDs that `nvidia-smi -L` shows",
    )
}

fn withheld(driver: &Driver) -> Option<Diagnosis> {
    if !driver.gpus.is_empty() {
        return None;
    }
    let reason = format!(
        "the machine's {} not open to this process",
        count(driver.withheld, "GPU is", "GPUs are")
    );
    let remedy = "ask for it: a container with `--gpus all`, a Slurm job with `--gres=gpu:1`";
    found(Cause::Withheld, reason, remedy)
}

fn library(facts: &Facts) -> Option<Diagnosis> {
    match &facts.library {
        Library::Loaded => None,
        Library::NotBuilt => {
            let remedy = "unset LIBTORCH if it is set, run `make build KIND=cuda` on this machine, and start the new program";
            found(
                Cause::CpuBuild,
                "this program uses a libtorch built for the CPU only",
                remedy,
            )
        }
        Library::Failed(text) => {
            let remedy = if text.contains("GLIBC") {
                "this system's C library is too old for this libtorch: use a newer system or container, or another libtorch (LIBTORCH)"
            } else {
                "remove libtorch's folder and run `make build` to reinstall it, or set LIBTORCH to another one and build"
            };
            found(
                Cause::NotLoaded,
                format!("libtorch's CUDA library cannot be loaded: {text}"),
                remedy,
            )
        }
    }
}

/// The driver's own library must exist and be new enough for this CUDA.
fn driver_library(facts: &Facts) -> Option<Diagnosis> {
    let driver = &facts.driver;
    let is_older = driver
        .cuda
        .zip(facts.built_for)
        .is_some_and(|(runs, built)| runs.0 < built.0);
    let refuses = facts
        .error
        .as_ref()
        .is_some_and(|error| error.code == INSUFFICIENT_DRIVER);
    if !is_older && refuses && !facts.has_driver_library {
        let remedy = "in a container, start it with NVIDIA_DRIVER_CAPABILITIES=compute,utility; elsewhere install the driver whole \
                      (Debian: libcuda1)";
        return found(
            Cause::NoDriverLibrary,
            "CUDA does not find the driver's library, libcuda.so.1",
            remedy,
        );
    }
    if !is_older && !refuses {
        return None;
    }
    let built = facts
        .built_for
        .map_or("its CUDA".to_owned(), |built| format!("CUDA {built}"));
    let oldest = facts
        .built_for
        .and_then(|built| DRIVERS.iter().find(|(cuda, _)| *cuda == built.0));
    let wanted = oldest.map_or("a newer driver".to_owned(), |(_, version)| {
        format!("driver {version} or newer")
    });
    let remedy = format!(
        "install {wanted}, or a libtorch for an older CUDA (`make build` takes one from NAS_TUI_TORCH_INDEX)"
    );
    found(
        Cause::DriverTooOld,
        format!("{driver} is too old for this libtorch, which is built for {built}"),
        remedy,
    )
}

/// GPUs on which no process may compute, or only one at a time.
fn compute_mode(facts: &Facts) -> Option<Diagnosis> {
    let gpus = &facts.driver.gpus;
    let all = |mode| gpus.iter().all(|gpu: &DriverGpu| gpu.mode == Some(mode));
    let are = if gpus.len() == 1 {
        "the GPU is"
    } else {
        "all GPUs are"
    };
    if all(ComputeMode::Prohibited) {
        return found(
            Cause::Prohibited,
            format!("{are} in compute mode PROHIBITED"),
            OPEN,
        );
    }
    let is_taken = facts
        .error
        .as_ref()
        .is_some_and(|error| error.code == DEVICES_UNAVAILABLE);
    if is_taken
        && gpus
            .iter()
            .any(|gpu| gpu.mode == Some(ComputeMode::Exclusive))
    {
        let reason =
            format!("{are} in compute mode EXCLUSIVE_PROCESS and taken by another process");
        return found(
            Cause::Exclusive,
            reason,
            format!("wait for it to end, or {OPEN}"),
        );
    }
    None
}

/// GPUs in MIG mode without an instance.
fn no_instance(facts: &Facts) -> Option<Diagnosis> {
    let gpus = &facts.driver.gpus;
    if facts.error.is_some() || !gpus.iter().all(|gpu| gpu.mig) {
        return None;
    }
    let is = if gpus.len() == 1 {
        "the GPU is in MIG mode and has"
    } else {
        "all GPUs are in MIG mode and have"
    };
    let remedy = "have an administrator make one (`nvidia-smi mig -cgi ... -C`) or end the mode (`nvidia-smi -mig 0`)";
    found(
        Cause::NoInstance,
        format!("{is} no instance that this process may use"),
        remedy,
    )
}

fn other(facts: &Facts) -> Diagnosis {
    let (reason, code) = match &facts.error {
        Some(error) => (
            format!("CUDA says: {} (error {})", error.text, error.code),
            error.code,
        ),
        None => ("CUDA finds no device and gives no reason".to_owned(), 0),
    };
    let remedy = match code {
        SYSTEM_NOT_READY => {
            "start NVIDIA's fabric manager, which machines with NVSwitch need: systemctl start nvidia-fabricmanager"
        }
        DRIVER_MISMATCH => "the driver was updated while it was loaded: restart the machine",
        _ => {
            "check whether `nvidia-smi` works and what the kernel log says (`dmesg`, lines with NVRM or Xid); restart the machine"
        }
    };
    Diagnosis {
        cause: Cause::Other,
        reason,
        remedy: remedy.to_owned(),
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 {
        one.to_owned()
    } else {
        format!("{number} {many}")
    }
}

#[cfg(test)]
mod tests;

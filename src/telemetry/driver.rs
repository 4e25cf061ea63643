//! NVIDIA's driver and its GPUs, queried once at the start of a training (the screen's measurements
//! are taken every two seconds).

use std::fmt;
use std::path::Path;
use std::time::Duration;

use nvml_wrapper::enum_wrappers::device::ComputeMode as NvmlMode;
use nvml_wrapper::{Nvml, cuda_driver_version_major, cuda_driver_version_minor};

use super::cuda::visible_gpus;
use super::{GpuStatus, WatchList, gpu};

/// Time limit for an answer: sleeping GPUs take seconds.
const PATIENCE: Duration = Duration::from_secs(15);

/// Major and minor number, of CUDA or of a GPU's compute capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Which processes may compute on a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComputeMode {
    /// Any number of processes at a time.
    Default,
    /// One process at a time.
    Exclusive,
    /// No process.
    Prohibited,
}

/// A GPU as its driver describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DriverGpu {
    /// Model.
    pub name: Option<String>,
    /// Which processes may compute on it.
    pub mode: Option<ComputeMode>,
    /// Whether it is split into instances (MIG), in which case CUDA sees only those.
    pub mig: bool,
    /// CUDA's compute capability; for example 9.0 for Hopper.
    pub capability: Option<Version>,
}

/// What NVIDIA's driver reports about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Driver {
    /// For example `580.95.05`.
    pub version: Option<String>,
    /// The newest CUDA version it supports.
    pub cuda: Option<Version>,
    /// The GPUs that this process may use, in NVML's order.
    pub gpus: Vec<DriverGpu>,
    /// Number of GPUs in the machine that this process may not use because they were not passed
    /// into its container or job.
    pub withheld: usize,
    /// NVML's numbers of the GPUs that CUDA_VISIBLE_DEVICES names, in its order; `None` for an
    /// entry that does not match a GPU.
    pub visible: Vec<Option<u32>>,
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "driver {}",
            self.version.as_deref().unwrap_or("of unknown version")
        )?;
        self.cuda
            .iter()
            .try_for_each(|cuda| write!(f, ", CUDA {cuda}"))
    }
}

/// Why the driver gives no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silence {
    /// There is no NVML and no other trace of a driver.
    NotThere(String),
    /// There is a driver, but it answers with this error.
    Fails(String),
}

/// Query the driver and its GPUs. This happens in a separate thread, so that a driver that hangs
/// does not block the caller.
///
/// # Errors
/// If there is no driver, or it does not answer.
pub fn ask() -> Result<(Driver, GpuStatus), Silence> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        // If the answer comes too late, no one is listening any more.
        let _ = sender.send(question());
    });
    let late = format!("no answer within {} s", PATIENCE.as_secs());
    receiver
        .recv_timeout(PATIENCE)
        .unwrap_or(Err(Silence::Fails(late)))
}

fn question() -> Result<(Driver, GpuStatus), Silence> {
    let nvml = match gpu::load() {
        Ok(nvml) => nvml,
        Err(reason) => {
            // A container may have the driver without NVML.
            let driver =
                without_nvml(Path::new("/")).ok_or_else(|| Silence::NotThere(reason.clone()))?;
            return Ok((driver, GpuStatus::Absent(reason)));
        }
    };
    let version = nvml
        .sys_driver_version()
        .map_err(|error| Silence::Fails(error.to_string()))?;
    let count = nvml
        .device_count()
        .map_err(|error| Silence::Fails(error.to_string()))?;
    let cuda = nvml.sys_cuda_driver_version().ok();
    let driver = Driver {
        version: Some(version),
        cuda: cuda.and_then(|cuda| {
            version_of(
                cuda_driver_version_major(cuda),
                cuda_driver_version_minor(cuda),
            )
        }),
        gpus: (0..count).map(|index| describe(&nvml, index)).collect(),
        withheld: gpus_in(Path::new("/")).len().saturating_sub(count as usize),
        visible: visible_gpus(&nvml),
    };
    Ok((driver, gpu::status(&nvml, &WatchList::default())))
}

fn version_of(major: i32, minor: i32) -> Option<Version> {
    Some(Version(major.try_into().ok()?, minor.try_into().ok()?))
}

fn describe(nvml: &Nvml, index: u32) -> DriverGpu {
    let Ok(device) = nvml.device_by_index(index) else {
        return DriverGpu::default();
    };
    let mode = |mode| match mode {
        NvmlMode::Default => ComputeMode::Default,
        NvmlMode::ExclusiveThread | NvmlMode::ExclusiveProcess => ComputeMode::Exclusive,
        NvmlMode::Prohibited => ComputeMode::Prohibited,
    };
    let capability = device.cuda_compute_capability().ok();
    DriverGpu {
        name: device.name().ok(),
        mode: device.compute_mode().ok().map(mode),
        mig: device.mig_mode().is_ok_and(|mode| mode.current != 0),
        capability: capability
            .and_then(|capability| version_of(capability.major, capability.minor)),
    }
}

/// What the kernel's files below `root` reveal about a driver.
fn without_nvml(root: &Path) -> Option<Driver> {
    let text = std::fs::read_to_string(root.join("proc/driver/nvidia/version")).ok()?;
    let names = gpus_in(root);
    let usable = (0..)
        .zip(&names)
        .filter(|(index, _)| root.join(format!("dev/nvidia{index}")).exists());
    let gpus: Vec<DriverGpu> = usable
        .map(|(_, name)| DriverGpu {
            name: name.clone(),
            ..DriverGpu::default()
        })
        .collect();
    let withheld = names.len() - gpus.len();
    Some(Driver {
        version: version_in(&text).map(str::to_owned),
        withheld,
        visible: (0..gpus.len() as u32).map(Some).collect(),
        gpus,
        cuda: None,
    })
}

/// The models of the GPUs that the driver knows, including those that this process may not use.
fn gpus_in(root: &Path) -> Vec<Option<String>> {
    let Ok(folders) = std::fs::read_dir(root.join("proc/driver/nvidia/gpus")) else {
        return Vec::new();
    };
    let model = |text: String| {
        Some(
            text.lines()
                .find_map(|line| line.strip_prefix("Model:"))?
                .trim()
                .to_owned(),
        )
    };
    folders
        .flatten()
        .map(|folder| {
            std::fs::read_to_string(folder.path().join("information"))
                .ok()
                .and_then(model)
        })
        .collect()
}

/// `535.183.01` in `NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 ...`.
fn version_in(text: &str) -> Option<&str> {
    let is_version =
        |word: &&str| word.contains('.') && word.split('.').all(|part| part.parse::<u32>().is_ok());
    text.lines()
        .find(|line| line.starts_with("NVRM version:"))?
        .split_whitespace()
        .find(is_version)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A root with a driver and two GPUs, `open` of which are passed into the container.
    fn root(open: usize) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let version = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build\nGCC version:  gcc 13.3.0\n";
        write("proc/driver/nvidia/version", version);
        for bus in ["0000:01:00.0", "0000:02:00.0"] {
            write(
                &format!("proc/driver/nvidia/gpus/{bus}/information"),
                "Model: \t\t NVIDIA L4\nIRQ:   \t\t 51\n",
            );
        }
        (0..open).for_each(|index| write(&format!("dev/nvidia{index}"), ""));
        root
    }

    #[test]
    fn a_driver_without_nvml_is_recognised_by_the_kernels_files() {
        let driver = without_nvml(root(2).path()).unwrap();
        assert_eq!(
            (
                driver.to_string().as_str(),
                driver.gpus.len(),
                driver.withheld
            ),
            ("driver 570.124.06", 2, 0)
        );
        assert_eq!(driver.gpus[0].name.as_deref(), Some("NVIDIA L4"));
    }

    #[test]
    fn gpus_without_a_device_file_are_withheld_from_this_process() {
        let driver = without_nvml(root(0).path()).unwrap();
        assert_eq!((driver.gpus.len(), driver.withheld), (0, 2));
    }

    #[test]
    fn a_machine_without_a_driver_has_none() {
        assert_eq!(without_nvml(tempfile::tempdir().unwrap().path()), None);
    }

    #[test]
    fn the_drivers_version_is_found_in_both_forms_of_its_line() {
        let proprietary = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\nGCC version: 12.2.0";
        assert_eq!(version_in(proprietary), Some("535.183.01"));
        assert_eq!(version_in("NVRM version: unknown"), None);
    }
}

//! From what is known of libtorch, CUDA and the driver to the reason why no device is seen, and
//! what helps.

use std::fmt;

use super::Library;
use super::runtime::CudaError;
use crate::telemetry::driver::{ComputeMode, Driver, DriverGpu, Version};

// Of `cudaError_t`.
const INSUFFICIENT_DRIVER: i32 = 35;
const DEVICES_UNAVAILABLE: i32 = 46;
const SYSTEM_NOT_READY: i32 = 802;
const DRIVER_MISMATCH: i32 = 803;

/// The oldest driver that runs each major version of CUDA.
const DRIVERS: [(u32, u32); 2] = [(13, 580), (12, 525)];
/// The oldest GPUs that PyTorch's builds for CUDA 13 have code for: Turing.
const OLDEST_FOR_CUDA_13: Version = Version(7, 5);
const OPEN: &str = "have an administrator run `nvidia-smi -c DEFAULT`";

/// What a reason is found from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whether libtorch's CUDA code is in this process.
    pub library: Library,
    /// Devices that libtorch sees.
    pub devices: usize,
    /// CUDA's answer when it was asked for devices, where it was an error.
    pub error: Option<CudaError>,
    /// The CUDA version of this libtorch.
    pub built_for: Option<Version>,
    /// CUDA finds the driver's own library, libcuda.so.1.
    pub has_driver_library: bool,
    /// CUDA_VISIBLE_DEVICES.
    pub visible_devices: Option<String>,
    /// What the driver says of itself and its GPUs.
    pub driver: Driver,
}

/// Why libtorch sees no device, or can do nothing with one.
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

/// A cause in words, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// What it is that keeps the devices away.
    pub cause: Cause,
    /// A sentence without its full stop, that begins in lower case unless with a name.
    pub reason: String,
    /// What the user can do, in the same form as `reason`.
    pub remedy: String,
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.reason, self.remedy)
    }
}

/// None where there is no GPU to be seen, or it is seen.
pub fn diagnose(facts: &Facts) -> Option<Diagnosis> {
    let driver = &facts.driver;
    if facts.devices > 0 || driver.gpus.len() + driver.withheld == 0 {
        return None;
    }
    // What the user or the machine's owner has decided comes first, then what libtorch lacks, then
    // what CUDA says.
    hidden(facts)
        .or_else(|| withheld(driver))
        .or_else(|| library(facts))
        .or_else(|| driver_library(facts))
        .or_else(|| compute_mode(facts))
        .or_else(|| no_instance(facts))
        .or_else(|| Some(other(facts)))
}

/// What keeps a process from computing on `cuda:N` although libtorch, built for `built_for`, sees
/// it.
pub fn concern(driver: &Driver, built_for: Option<Version>, number: usize) -> Option<Diagnosis> {
    let gpu = driver.gpus.get((*driver.visible.get(number)?)? as usize)?;
    let name = format!(
        "cuda:{number} ({})",
        gpu.name.as_deref().unwrap_or("an NVIDIA GPU")
    );
    match (gpu.mode, gpu.capability, built_for) {
        (Some(ComputeMode::Prohibited), ..) => found(
            Cause::Prohibited,
            format!("{name} is in compute mode PROHIBITED: it takes no process"),
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
                "{name} is in compute mode EXCLUSIVE_PROCESS: it takes one process at a time"
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
        let remedy = "unset it, or set workers.device = \"cpu\" if the CPU is what you want";
        return found(
            Cause::Hidden,
            "CUDA_VISIBLE_DEVICES is empty, which hides every GPU",
            remedy,
        );
    }
    // CUDA shows none if the first entry means none.
    if gpus == 0 || matches!(visible.first(), Some(Some(_))) {
        return None;
    }
    let numbers = if gpus == 1 {
        "the only GPU is 0".to_owned()
    } else {
        format!("there are GPUs 0 to {}", gpus - 1)
    };
    let reason =
        format!("CUDA_VISIBLE_DEVICES={variable} names no GPU of this machine ({numbers})");
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
                "this program runs on a libtorch that is built for the CPU only",
                remedy,
            )
        }
        Library::Failed(text) => {
            let remedy = if text.contains("GLIBC") {
                "this system's C library is too old for this libtorch: use a newer system or container, or another libtorch (LIBTORCH)"
            } else {
                "remove libtorch's folder and run `make build` to install it whole, or set LIBTORCH to another one and build"
            };
            found(
                Cause::NotLoaded,
                format!("libtorch's CUDA library cannot be loaded: {text}"),
                remedy,
            )
        }
    }
}

/// The driver's own library: there, and new enough for this CUDA.
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

/// GPUs whose owner lets nobody, or only one at a time, compute on them.
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

/// GPUs that are to be used in parts, of which there are none.
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
            "see whether `nvidia-smi` works and what the kernel's log says (`dmesg`, lines with NVRM or Xid); restart the machine"
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
mod tests {
    use super::*;

    /// A machine with two GPUs on which everything is as it should be, but that libtorch sees none.
    fn facts() -> Facts {
        let gpu = DriverGpu {
            mode: Some(ComputeMode::Default),
            ..DriverGpu::default()
        };
        let driver = Driver {
            version: Some("580.95.05".into()),
            cuda: Some(Version(13, 0)),
            gpus: vec![gpu.clone(), gpu],
            withheld: 0,
            visible: vec![Some(0), Some(1)],
        };
        Facts {
            library: Library::Loaded,
            devices: 0,
            error: None,
            built_for: Some(Version(13, 0)),
            has_driver_library: true,
            visible_devices: None,
            driver,
        }
    }

    fn error(code: i32) -> Option<CudaError> {
        Some(CudaError {
            code,
            text: "what CUDA says".into(),
        })
    }

    /// Cause, and reason and remedy as one text.
    fn found(facts: &Facts) -> (Cause, String) {
        let diagnosis = diagnose(facts).expect("a reason");
        (diagnosis.cause, diagnosis.to_string())
    }

    #[test]
    fn there_is_nothing_to_explain_where_devices_are_seen_or_there_is_no_gpu() {
        assert_eq!(
            diagnose(&Facts {
                devices: 1,
                ..facts()
            }),
            None
        );
        assert_eq!(
            diagnose(&Facts {
                driver: Driver::default(),
                ..facts()
            }),
            None
        );
    }

    #[test]
    fn a_build_for_the_cpu_is_told_whatever_else_is_wrong_with_cuda() {
        let (cause, text) = found(&Facts {
            library: Library::NotBuilt,
            built_for: None,
            error: error(INSUFFICIENT_DRIVER),
            ..facts()
        });
        assert_eq!(cause, Cause::CpuBuild);
        assert!(text.contains("make build KIND=cuda"), "{text}");
    }

    #[test]
    fn a_library_that_was_not_loaded_is_told_with_the_linkers_words() {
        let failed = |text: &str| {
            found(&Facts {
                library: Library::Failed(text.into()),
                ..facts()
            })
        };
        let (cause, text) = failed("libcudnn.so.9: cannot open shared object file");
        assert!(
            cause == Cause::NotLoaded
                && text.contains("libcudnn.so.9")
                && text.contains("install it whole"),
            "{text}"
        );
        let (_, text) = failed("/lib/libm.so.6: version `GLIBC_2.28' not found");
        assert!(text.contains("C library is too old"), "{text}");
    }

    #[test]
    fn a_driver_that_is_too_old_for_this_cuda_is_told_with_both_versions() {
        let driver = Driver {
            version: Some("535.183.01".into()),
            cuda: Some(Version(12, 2)),
            ..facts().driver
        };
        let (cause, text) = found(&Facts {
            driver,
            error: error(INSUFFICIENT_DRIVER),
            ..facts()
        });
        assert_eq!(cause, Cause::DriverTooOld);
        let wanted = "driver 535.183.01, CUDA 12.2 is too old for this libtorch, which is built for CUDA 13.0; install driver 580 or newer";
        assert!(
            text.starts_with(wanted) && text.contains("NAS_TUI_TORCH_INDEX"),
            "{text}"
        );
    }

    #[test]
    fn a_driver_is_new_enough_for_every_minor_version_of_its_cuda() {
        let driver = Driver {
            cuda: Some(Version(12, 2)),
            ..facts().driver
        };
        let (cause, _) = found(&Facts {
            driver,
            built_for: Some(Version(12, 8)),
            ..facts()
        });
        assert_eq!(cause, Cause::Other);
    }

    #[test]
    fn a_container_without_the_drivers_library_is_told_from_an_old_driver() {
        let (cause, text) = found(&Facts {
            has_driver_library: false,
            error: error(INSUFFICIENT_DRIVER),
            ..facts()
        });
        assert_eq!(cause, Cause::NoDriverLibrary);
        assert!(
            text.contains("libcuda.so.1") && text.contains("NVIDIA_DRIVER_CAPABILITIES"),
            "{text}"
        );
    }

    #[test]
    fn an_empty_cuda_visible_devices_hides_every_gpu() {
        let (cause, text) = found(&Facts {
            visible_devices: Some(String::new()),
            library: Library::NotBuilt,
            ..facts()
        });
        assert_eq!(cause, Cause::Hidden);
        assert!(
            text.contains("is empty") && text.contains("unset it"),
            "{text}"
        );
    }

    #[test]
    fn a_cuda_visible_devices_that_names_nothing_is_told_with_the_numbers_there_are() {
        let naming = |value: &str, visible| {
            let driver = Driver {
                visible,
                ..facts().driver
            };
            found(&Facts {
                visible_devices: Some(value.into()),
                driver,
                ..facts()
            })
        };
        let (cause, text) = naming("7", vec![]);
        assert!(
            cause == Cause::Hidden
                && text.contains("=7 names no GPU")
                && text.contains("GPUs 0 to 1"),
            "{text}"
        );
        assert_eq!(naming("GPU-nowhere", vec![None]).0, Cause::Hidden);
        assert_eq!(naming("1", vec![Some(1)]).0, Cause::Other);
    }

    #[test]
    fn gpus_that_are_not_open_to_this_container_or_job_are_asked_for() {
        let driver = Driver {
            gpus: vec![],
            withheld: 8,
            visible: vec![],
            ..facts().driver
        };
        let (cause, text) = found(&Facts {
            driver,
            library: Library::NotBuilt,
            ..facts()
        });
        assert_eq!(cause, Cause::Withheld);
        assert!(
            text.contains("8 GPUs are") && text.contains("--gpus all") && text.contains("--gres"),
            "{text}"
        );
    }

    #[test]
    fn gpus_that_nobody_may_compute_on_are_told_with_the_command_that_opens_them() {
        let mut facts = facts();
        facts
            .driver
            .gpus
            .iter_mut()
            .for_each(|gpu| gpu.mode = Some(ComputeMode::Prohibited));
        let (cause, text) = found(&facts);
        assert_eq!(cause, Cause::Prohibited);
        assert!(
            text.contains("all GPUs are in compute mode PROHIBITED")
                && text.contains("nvidia-smi -c DEFAULT"),
            "{text}"
        );
    }

    #[test]
    fn a_gpu_that_another_process_has_for_itself_is_waited_for() {
        let mut facts = Facts {
            error: error(DEVICES_UNAVAILABLE),
            ..facts()
        };
        facts.driver.gpus.truncate(1);
        facts.driver.gpus[0].mode = Some(ComputeMode::Exclusive);
        let (cause, text) = found(&facts);
        assert_eq!(cause, Cause::Exclusive);
        assert!(
            text.contains("EXCLUSIVE_PROCESS and taken") && text.contains("wait"),
            "{text}"
        );
    }

    #[test]
    fn a_device_that_is_seen_can_be_closed_to_some_or_all_processes() {
        let with = |mode| {
            let mut driver = facts().driver;
            driver.gpus[1] = DriverGpu {
                name: Some("NVIDIA L4".into()),
                mode: Some(mode),
                ..DriverGpu::default()
            };
            [0, 1].map(|number| concern(&driver, Some(Version(13, 0)), number))
        };
        assert_eq!(with(ComputeMode::Default), [None, None]);
        let [other, Some(exclusive)] = with(ComputeMode::Exclusive) else {
            panic!("it takes any process")
        };
        assert_eq!((other, exclusive.cause), (None, Cause::Exclusive));
        let reason = "cuda:1 (NVIDIA L4) is in compute mode EXCLUSIVE_PROCESS: it takes one process at a time; set workers.count";
        assert!(exclusive.to_string().starts_with(reason), "{exclusive}");
        assert_eq!(
            with(ComputeMode::Prohibited)[1]
                .as_ref()
                .map(|found| found.cause),
            Some(Cause::Prohibited)
        );
    }

    #[test]
    fn a_gpu_that_this_libtorch_has_no_code_for_is_told_with_the_build_that_has() {
        let mut driver = facts().driver;
        driver.gpus[0].capability = Some(Version(7, 0));
        driver.visible = vec![Some(1), Some(0)];
        assert_eq!(
            concern(&driver, Some(Version(13, 0)), 0),
            None,
            "cuda:0 is the second GPU here"
        );
        let found = concern(&driver, Some(Version(13, 0)), 1).expect("a concern");
        assert!(
            found.cause == Cause::GpuTooOld && found.remedy.contains("KIND=cuda12"),
            "{found}"
        );
        assert_eq!(concern(&driver, Some(Version(12, 6)), 1), None);
    }

    #[test]
    fn gpus_in_instances_of_which_there_are_none_are_told() {
        let mut facts = facts();
        facts.driver.gpus.iter_mut().for_each(|gpu| gpu.mig = true);
        let (cause, text) = found(&facts);
        assert_eq!(cause, Cause::NoInstance);
        assert!(
            text.contains("MIG mode") && text.contains("nvidia-smi mig"),
            "{text}"
        );
    }

    #[test]
    fn other_errors_are_told_in_cudas_words_with_what_is_known_to_help() {
        let text = |code| {
            found(&Facts {
                error: error(code),
                ..facts()
            })
            .1
        };
        assert!(
            text(SYSTEM_NOT_READY).contains("what CUDA says (error 802)")
                && text(SYSTEM_NOT_READY).contains("nvidia-fabricmanager")
        );
        assert!(text(DRIVER_MISMATCH).contains("restart the machine"));
        assert!(text(999).contains("dmesg"));
        assert!(found(&facts()).1.contains("gives no reason"));
    }
}

//! The machine: GPUs through NVML, disk space, CPU cores and memory.

use std::path::Path;

use serde_json::{Value, json};

use super::{CheckResult, CheckStatus};
use crate::foundation::host::cores;
use crate::foundation::numbers::counted;
use crate::telemetry::driver::{self, Driver, Silence};
use crate::telemetry::{self, GpuSample, GpuStatus, host};

const GIB: u64 = 1 << 30;
/// The default folder for runs.
const RUNS: &str = "runs";
/// A run's journal and checkpoints are small; with less space than this the disk is almost full.
const LEAST_DISK: u64 = GIB;
/// Enough for CIFAR-10 in memory, libtorch and a small child.
const LEAST_MEMORY: u64 = 2 * GIB;

/// The GPUs according to NVML, and the driver.
pub(super) struct Gpus {
    pub(super) driver: Option<Driver>,
    pub(super) finding: CheckResult,
}

pub(super) fn gpus() -> Gpus {
    let (driver, finding) = match driver::ask() {
        Ok((driver, GpuStatus::Present(gpus))) => {
            let finding = describe_gpus(&driver, &gpus);
            (Some(driver), finding)
        }
        Ok((driver, status)) => {
            let details = json!({ "driver": driver.version, "cuda": cuda(&driver), "gpus": [] });
            let finding = match status {
                GpuStatus::Absent(reason) if !driver.gpus.is_empty() => CheckResult::with(
                    "nvml",
                    CheckStatus::Note,
                    format!("{driver}, but {reason}"),
                    "in a container, start it with NVIDIA_DRIVER_CAPABILITIES=compute,utility; without NVML the screen shows no GPU",
                    details,
                ),
                _ => CheckResult::ok("nvml", format!("{driver}: no GPU"), details),
            };
            (Some(driver), finding)
        }
        Err(silence) => (None, silent(silence)),
    };
    Gpus { driver, finding }
}

fn silent(silence: Silence) -> CheckResult {
    let (status, text, error, remedy) = match silence {
        Silence::NotThere(error) => (
            CheckStatus::Note,
            "not available",
            error,
            "install NVIDIA's driver if this machine has such a GPU; without one the screen shows CPU and memory",
        ),
        Silence::Fails(error) => (
            CheckStatus::Warning,
            "does not answer",
            error,
            "try `nvidia-smi`; reload the driver or restart the machine",
        ),
    };
    let details = json!({ "error": error });
    CheckResult::with("nvml", status, format!("{text}: {error}"), remedy, details)
}

fn describe_gpus(driver: &Driver, gpus: &[GpuSample]) -> CheckResult {
    let names: Vec<String> = gpus.iter().map(describe_gpu).collect();
    let text = format!("{driver}: {}", names.join(", "));
    let figures: Vec<Value> = gpus.iter().map(figures).collect();
    let details = json!({ "driver": driver.version, "cuda": cuda(driver), "gpus": figures });
    if gpus.iter().any(|gpu| gpu.lost) {
        let remedy = "look for `Xid` in the kernel's log (`dmesg`); restart the machine";
        return CheckResult::with("nvml", CheckStatus::Warning, text, remedy, details);
    }
    CheckResult::ok("nvml", text, details)
}

fn cuda(driver: &Driver) -> Option<String> {
    driver.cuda.map(|cuda| cuda.to_string())
}

fn describe_gpu(gpu: &GpuSample) -> String {
    let name = gpu.name.clone().unwrap_or(format!("GPU {}", gpu.index));
    if gpu.lost {
        return format!("{name} (not reached)");
    }
    let mig = if gpu.mig { ", MIG" } else { "" };
    match (gpu.memory_total, gpu.memory_free) {
        (Some(total), Some(free)) => {
            format!("{name} ({:.0} GiB, {:.0} free{mig})", gib(total), gib(free))
        }
        _ => format!("{name} (memory unknown{mig})"),
    }
}

/// Bytes and watts; null if the GPU does not report them.
fn figures(gpu: &GpuSample) -> Value {
    json!({
        "index": gpu.index, "name": gpu.name, "reached": !gpu.lost, "mig": gpu.mig, "memory_total": gpu.memory_total,
        "memory_free": gpu.memory_free, "power_limit": gpu.power_limit, "counts_energy": gpu.energy.is_some(),
    })
}

pub(super) fn findings() -> Vec<CheckResult> {
    let runs = Path::new(RUNS);
    let folder = if runs.is_dir() { runs } else { Path::new(".") };
    vec![
        disk(folder, free_space(folder)),
        processors(),
        memory(available_memory()),
    ]
}

fn disk(folder: &Path, free: std::io::Result<u64>) -> CheckResult {
    let shown = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let details = json!({ "folder": shown, "free_bytes": free.as_ref().ok() });
    match free {
        Ok(free) if free < LEAST_DISK => CheckResult::with(
            "disk",
            CheckStatus::Warning,
            format!(
                "only {:.2} GiB free for runs in {}",
                gib(free),
                shown.display()
            ),
            "free at least 1 GiB, or keep runs elsewhere with --run DIR",
            details,
        ),
        Ok(free) => CheckResult::ok(
            "disk",
            format!("{:.1} GiB free for runs in {}", gib(free), shown.display()),
            details,
        ),
        Err(error) => CheckResult::with(
            "disk",
            CheckStatus::Warning,
            format!("free space of {} is unknown: {error}", shown.display()),
            "check that the folder exists and can be read",
            details,
        ),
    }
}

/// Bytes that an ordinary user can still write on the file system of `folder`.
fn free_space(folder: &Path) -> std::io::Result<u64> {
    let figures = rustix::fs::statvfs(folder)?;
    Ok(figures.f_bavail.saturating_mul(figures.f_frsize))
}

fn processors() -> CheckResult {
    let cores = cores();
    let model = host::cpu_model();
    let details = json!({ "cores": cores, "model": model });
    CheckResult::ok(
        "cpu",
        format!(
            "{}{}",
            counted(cores as u64, "core"),
            model.map_or(String::new(), |model| format!(", {model}"))
        ),
        details,
    )
}

/// Total and available bytes, within the limit of this process's control group if it has one.
fn available_memory() -> Option<(u64, u64)> {
    telemetry::memory::total().zip(telemetry::memory::free())
}

fn memory(figures: Option<(u64, u64)>) -> CheckResult {
    let details = json!({ "total_bytes": figures.map(|(total, _)| total), "available_bytes": figures.map(|(_, available)| available) });
    match figures {
        Some((total, available)) if available < LEAST_MEMORY => CheckResult::with(
            "memory",
            CheckStatus::Warning,
            format!(
                "only {:.1} of {:.1} GiB available",
                gib(available),
                gib(total)
            ),
            "end other programs, or use fewer workers (workers.count) and smaller batches (child.batch_size)",
            details,
        ),
        Some((total, available)) => CheckResult::ok(
            "memory",
            format!("{:.1} of {:.1} GiB available", gib(available), gib(total)),
            details,
        ),
        None => CheckResult::with(
            "memory",
            CheckStatus::Note,
            "unknown",
            "this system has no /proc/meminfo",
            details,
        ),
    }
}

fn gib(bytes: u64) -> f64 {
    bytes as f64 / GIB as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_nearly_full_is_a_warning() {
        assert_eq!(
            disk(Path::new("."), Ok(GIB - 1)).status,
            CheckStatus::Warning
        );
        assert_eq!(disk(Path::new("."), Ok(GIB)).status, CheckStatus::Ok);
        assert_eq!(
            disk(Path::new("/nowhere"), free_space(Path::new("/nowhere"))).status,
            CheckStatus::Warning
        );
    }

    #[test]
    fn the_disk_of_this_folder_has_some_size() {
        assert!(free_space(Path::new(".")).unwrap() > 0);
    }

    #[test]
    fn little_memory_is_a_warning() {
        assert_eq!(memory(Some((8 * GIB, GIB))).status, CheckStatus::Warning);
        assert_eq!(memory(Some((8 * GIB, 4 * GIB))).status, CheckStatus::Ok);
        let (total, available) = available_memory().unwrap();
        assert!(0 < available && available <= total);
    }
}

//! The machine: GPUs through NVML, disk space, CPU cores and memory.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;
use serde_json::json;

use super::{Finding, Status};

const GIB: u64 = 1 << 30;
/// Where runs are kept unless the user says otherwise.
const RUNS: &str = "runs";
/// A run's journal and checkpoints are small; below this a disk is about to be full.
const LEAST_DISK: u64 = GIB;
/// CIFAR-10 in memory, libtorch and a small child.
const LEAST_MEMORY: u64 = 2 * GIB;
/// What NVML says.
pub(super) struct Gpus {
    pub has_gpu: bool,
    pub finding: Finding,
}

pub(super) fn gpus() -> Gpus {
    let nvml = match crate::telemetry::gpu::load() {
        Ok(nvml) => nvml,
        Err(error) => {
            let text = format!("not available: {error}");
            let remedy = "install NVIDIA's driver if this machine has such a GPU; without one the screen shows CPU and memory";
            let details = json!({ "error": error });
            return Gpus { has_gpu: false, finding: Finding::with("nvml", Status::Note, text, remedy, details) };
        }
    };
    match describe_gpus(&nvml) {
        Ok((text, details)) => {
            let has_gpu = details["gpus"].as_array().is_some_and(|gpus| !gpus.is_empty());
            Gpus { has_gpu, finding: Finding::ok("nvml", text, details) }
        }
        Err(error) => {
            let (text, remedy) =
                (format!("does not answer: {error}"), "try `nvidia-smi`; reload the driver or restart the machine");
            let details = json!({ "error": error.to_string() });
            Gpus { has_gpu: false, finding: Finding::with("nvml", Status::Warning, text, remedy, details) }
        }
    }
}

fn describe_gpus(nvml: &Nvml) -> Result<(String, serde_json::Value), NvmlError> {
    let driver = nvml.sys_driver_version()?;
    let mut names = Vec::new();
    let mut gpus = Vec::new();
    for index in 0..nvml.device_count()? {
        let device = nvml.device_by_index(index)?;
        let (name, memory) = (device.name()?, device.memory_info()?);
        names.push(format!("{name} ({:.0} GiB, {:.0} free)", gib(memory.total), gib(memory.free)));
        gpus.push(json!({ "index": index, "name": name, "memory_total": memory.total, "memory_free": memory.free }));
    }
    let shown = if names.is_empty() { "no GPU".to_owned() } else { names.join(", ") };
    Ok((format!("driver {driver}: {shown}"), json!({ "driver": driver, "gpus": gpus })))
}

pub(super) fn findings() -> Vec<Finding> {
    let runs = Path::new(RUNS);
    let folder = if runs.is_dir() { runs } else { Path::new(".") };
    vec![disk(folder, free_space(folder)), processors(), memory(available_memory())]
}

fn disk(folder: &Path, free: std::io::Result<u64>) -> Finding {
    let shown = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let details = json!({ "folder": shown, "free_bytes": free.as_ref().ok() });
    match free {
        Ok(free) if free < LEAST_DISK => Finding::with(
            "disk",
            Status::Warning,
            format!("only {:.2} GiB free for runs in {}", gib(free), shown.display()),
            "free at least 1 GiB, or keep runs elsewhere with --run DIR",
            details,
        ),
        Ok(free) => Finding::ok("disk", format!("{:.1} GiB free for runs in {}", gib(free), shown.display()), details),
        Err(error) => Finding::with(
            "disk",
            Status::Warning,
            format!("free space of {} is unknown: {error}", shown.display()),
            "check that the folder exists and can be read",
            details,
        ),
    }
}

/// Bytes that an ordinary user may still write on the file system of `folder`.
fn free_space(folder: &Path) -> std::io::Result<u64> {
    let path = std::ffi::CString::new(folder.as_os_str().as_bytes())?;
    // SAFETY: `path` is a C string and outlives the call, which fills in a structure of plain numbers.
    let (status, figures) = unsafe {
        let mut figures: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(path.as_ptr(), &mut figures), figures)
    };
    if status != 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(figures.f_bavail.saturating_mul(figures.f_frsize))
}

fn processors() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| Some(line.strip_prefix("model name")?.split_once(':')?.1.trim().to_owned()));
    let details = json!({ "cores": cores, "model": model });
    let plural = if cores == 1 { "" } else { "s" };
    Finding::ok("cpu", format!("{cores} core{plural}{}", model.map_or(String::new(), |model| format!(", {model}"))), details)
}

/// Total and available bytes, within the limit of this process's group where there is one.
fn available_memory() -> Option<(u64, u64)> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let field = |name: &str| -> Option<u64> {
        let line = info.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()?.checked_mul(1024)
    };
    let (total, available) = (field("MemTotal:")?, field("MemAvailable:")?);
    match group_memory() {
        Some((limit, free)) if limit < total => Some((limit, available.min(free))),
        _ => Some((total, available)),
    }
}

/// Limit of this process's control group (version 2) and what is left of it, counting cached files as free.
fn group_memory() -> Option<(u64, u64)> {
    let read = |file: &str| std::fs::read_to_string(format!("/sys/fs/cgroup/{file}")).ok();
    let limit: u64 = read("memory.max")?.trim().parse().ok()?;
    let used: u64 = read("memory.current")?.trim().parse().ok()?;
    let cached = read("memory.stat")?.lines().find_map(|line| line.strip_prefix("inactive_file ")?.parse::<u64>().ok())?;
    Some((limit, limit.saturating_sub(used.saturating_sub(cached))))
}

fn memory(figures: Option<(u64, u64)>) -> Finding {
    let details =
        json!({ "total_bytes": figures.map(|(total, _)| total), "available_bytes": figures.map(|(_, available)| available) });
    match figures {
        Some((total, available)) if available < LEAST_MEMORY => Finding::with(
            "memory",
            Status::Warning,
            format!("only {:.1} of {:.1} GiB available", gib(available), gib(total)),
            "end other programs, or use fewer workers (workers.count) and smaller batches (child.batch_size)",
            details,
        ),
        Some((total, available)) => {
            Finding::ok("memory", format!("{:.1} of {:.1} GiB available", gib(available), gib(total)), details)
        }
        None => Finding::with("memory", Status::Note, "unknown", "this system has no /proc/meminfo", details),
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
        assert_eq!(disk(Path::new("."), Ok(GIB - 1)).status, Status::Warning);
        assert_eq!(disk(Path::new("."), Ok(GIB)).status, Status::Ok);
        assert_eq!(disk(Path::new("/nowhere"), free_space(Path::new("/nowhere"))).status, Status::Warning);
    }

    #[test]
    fn the_disk_of_this_folder_has_some_size() {
        assert!(free_space(Path::new(".")).unwrap() > 0);
    }

    #[test]
    fn little_memory_is_a_warning() {
        assert_eq!(memory(Some((8 * GIB, GIB))).status, Status::Warning);
        assert_eq!(memory(Some((8 * GIB, 4 * GIB))).status, Status::Ok);
        let (total, available) = available_memory().unwrap();
        assert!(0 < available && available <= total);
    }
}

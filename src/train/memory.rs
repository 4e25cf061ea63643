//! Memory that is there for training, compared with what a child will need, before anything is allocated.

use std::path::{Path, PathBuf};

use tch::Device;

use crate::telemetry;

/// Bytes that a child may still take on `device`; none if that cannot be found out.
///
/// `held` is what this process keeps from earlier children and gives to the next one.
pub fn available(device: Device, held: u64) -> Option<u64> {
    let free = match device {
        Device::Cuda(number) => telemetry::cuda::memory(number).map(|(free, _)| free),
        _ => free_on_host(),
    }?;
    Some(free.saturating_add(held))
}

/// What a worker with so many threads may plan with: its processors' part of all memory there is, in bytes. It is the same
/// whatever else is running. (GPUs have no say: only forms for the CPU take more than the estimate.)
pub fn fair_share(threads: u64) -> u64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let total = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| in_meminfo(&text, "MemTotal:"));
    let limit = control_group().and_then(|folder| number_in(&folder.join("memory.max")));
    let all = [total, limit].into_iter().flatten().min().unwrap_or(u64::MAX);
    all / cores * threads.min(cores)
}

/// Free memory of the machine, or what the control group leaves where that is less.
fn free_on_host() -> Option<u64> {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| in_meminfo(&text, "MemAvailable:"));
    [machine, left_in_control_group()].into_iter().flatten().min()
}

fn in_meminfo(text: &str, field: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Limit minus use of the innermost control group (version 2); file cache that can be dropped does not count as used.
fn left_in_control_group() -> Option<u64> {
    let folder = control_group()?;
    let (limit, used) = (number_in(&folder.join("memory.max"))?, number_in(&folder.join("memory.current"))?);
    let cache = std::fs::read_to_string(folder.join("memory.stat")).ok().and_then(|text| inactive_file(&text)).unwrap_or(0);
    Some(limit.saturating_sub(used.saturating_sub(cache)))
}

/// Folder of this process's control group (version 2).
fn control_group() -> Option<PathBuf> {
    let group = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = group.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(Path::new("/sys/fs/cgroup").join(path.trim_start_matches('/')))
}

/// A file's number; none where it says `max` (no limit).
fn number_in(file: &Path) -> Option<u64> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

fn inactive_file(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("inactive_file "))?.trim().parse().ok()
}

/// Resident memory of this process, bytes.
pub fn resident() -> Option<u64> {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm").ok()?.split_whitespace().nth(1)?.parse().ok()?;
    // SAFETY: sysconf has no preconditions.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(page).ok().map(|page| pages * page)
}

/// `bytes` for a reader: `1.5 GiB`, `320 MiB`.
pub fn in_words(bytes: u64) -> String {
    const MIB: f64 = 1024.0 * 1024.0;
    let mib = bytes as f64 / MIB;
    if mib >= 1024.0 { format!("{:.1} GiB", mib / 1024.0) } else { format!("{mib:.0} MiB") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read_from_meminfo() {
        let text = "MemTotal:       24689764 kB\nMemFree:  1 kB\nMemAvailable:    2048 kB\n";
        assert_eq!(in_meminfo(text, "MemAvailable:"), Some(2048 * 1024));
        assert_eq!(in_meminfo("MemTotal: 1 kB\n", "MemAvailable:"), None);
    }

    #[test]
    fn a_fair_share_grows_with_the_threads_up_to_all_memory_and_does_not_change() {
        let cores = std::thread::available_parallelism().unwrap().get() as u64;
        let share = fair_share(1);
        assert!(share > 0 && fair_share(cores) == share * cores && fair_share(10 * cores) == share * cores);
        let _held = vec![1_u8; 64 << 20];
        assert_eq!(fair_share(1), share);
    }

    #[test]
    fn what_the_process_holds_counts_as_available() {
        let (without, with) = (available(Device::Cpu, 0).unwrap(), available(Device::Cpu, 1 << 50).unwrap());
        assert!(with > without && with >= 1 << 50);
    }
}

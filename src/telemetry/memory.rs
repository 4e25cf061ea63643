//! The memory of this machine, from /proc and this process's control group.

use std::fs;
use std::path::{Path, PathBuf};

/// All memory in bytes or, if less, the limit of the control group; `None` if neither is known.
pub fn total() -> Option<u64> {
    let limit = control_group().and_then(|folder| number_in(&folder.join("memory.max")));
    [of_machine("MemTotal:"), limit].into_iter().flatten().min()
}

/// Bytes of free memory of the machine or, if less, what the control group leaves; `None` if
/// neither is known.
pub fn free() -> Option<u64> {
    let machine = of_machine("MemAvailable:");
    [machine, left_in_control_group()]
        .into_iter()
        .flatten()
        .min()
}

/// Bytes of all memory of the machine, whatever this process may use.
pub fn installed() -> Option<u64> {
    of_machine("MemTotal:")
}

fn of_machine(field: &str) -> Option<u64> {
    in_meminfo(&fs::read_to_string("/proc/meminfo").ok()?, field)
}

/// The bytes that a line of /proc/meminfo names.
pub(super) fn in_meminfo(text: &str, field: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// Limit minus usage of the innermost control group (version 2); file cache that can be dropped
/// does not count as used.
fn left_in_control_group() -> Option<u64> {
    let folder = control_group()?;
    let (limit, used) = (
        number_in(&folder.join("memory.max"))?,
        number_in(&folder.join("memory.current"))?,
    );
    let statistics = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let mut lines = statistics.lines();
    let cache = lines.find_map(|line| line.strip_prefix("inactive_file ")?.trim().parse().ok());
    Some(limit.saturating_sub(used.saturating_sub(cache.unwrap_or(0))))
}

/// Folder of this process's control group (version 2).
fn control_group() -> Option<PathBuf> {
    let group = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = group.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(Path::new("/sys/fs/cgroup").join(path.trim_start_matches('/')))
}

/// The number in a file; `None` if it says `max` (no limit).
fn number_in(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_meminfo() {
        let text = "MemTotal:       24689764 kB\nMemFree:  1 kB\nMemAvailable:    2048 kB\n";
        assert_eq!(in_meminfo(text, "MemTotal:"), Some(24_689_764 * 1024));
        assert_eq!(in_meminfo(text, "MemAvailable:"), Some(2048 * 1024));
        assert_eq!(in_meminfo("MemTotal: 1 kB\n", "MemAvailable:"), None);
    }
}

//! The machine that this process runs on.

/// Number of CPU cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Name of this machine, for the journal and the lock.
pub fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() {
        "unknown host".to_owned()
    } else {
        name.trim().to_owned()
    }
}

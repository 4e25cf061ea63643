//! What a process that trains finds in its environment.

use std::process::Command;

/// Settings of the C library's allocator in a process that trains: memory that is freed stays with the process, in huge pages where the
/// system allows them, for the next batch's tensors. Mapping it anew for each tensor costs a page fault per 4 KiB (measured:
/// docs/PERFORMANCE.md).
const ALLOCATOR: &str = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776:glibc.malloc.top_pad=67108864:\
                         glibc.malloc.hugetlb=1";

/// What libtorch's libraries and the C library read before the first line of the process runs.
pub fn of_training(command: &mut Command, threads: usize) {
    for variable in ["OMP_NUM_THREADS", "MKL_NUM_THREADS"] {
        command.env(variable, threads.to_string());
    }
    // Whoever has set tunables of their own wants those.
    if std::env::var_os("GLIBC_TUNABLES").is_none() {
        command.env("GLIBC_TUNABLES", ALLOCATOR);
    }
}

//! The machine that this process runs on.

/// Number of CPU cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Whether libtorch has kernels for convolutions in bf16 on this processor. On x86 oneDNN asks for
/// AVX-512; without it libtorch multiplies number by number, tens of times slower than in float32 at the least.
pub fn convolves_in_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    let has_kernels = is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    #[cfg(not(target_arch = "x86_64"))]
    let has_kernels = true;
    has_kernels
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

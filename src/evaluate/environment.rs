//! The environment of processes that train.

use std::process::Command;

/// Settings of the C library's allocator in processes that train: freed memory stays with the
/// process (in huge pages if the system allows them) for the next batch's tensors. Mapping it again
/// for each tensor costs a page fault per 4 KiB (measured: docs/PERFORMANCE.md).
const ALLOCATOR: &str = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776:glibc.malloc.top_pad=67108864:\
                         glibc.malloc.hugetlb=1";

/// Fraction of a GPU's memory that its workers may use together. The rest is for what CUDA itself
/// needs in each process.
pub const SHARED_PART: f64 = 0.9;

/// Settings of libtorch's allocator on a GPU that `sharing` workers share. Freed memory stays with
/// a process for its next tensors, so without a limit a worker that has trained a large child would
/// starve the others long afterwards. Each worker may use an equal part, whatever the others do, so
/// that nothing else determines whether a child can be trained; near that limit it releases memory
/// that it has not used for long.
fn gpu_allocator(sharing: usize) -> String {
    // Rounded down: together they must not exceed the memory.
    let part = (SHARED_PART / sharing as f64 * 1e4).floor() / 1e4;
    format!("per_process_memory_fraction:{part},garbage_collection_threshold:0.8")
}

/// Set what libtorch's libraries and the C library read before the first line of the process runs.
/// `sharing` processes including this one train on the same GPU; 1 on the CPU.
pub fn of_training(command: &mut Command, threads: usize, sharing: usize) {
    for variable in ["OMP_NUM_THREADS", "MKL_NUM_THREADS"] {
        command.env(variable, threads.to_string());
    }
    // Otherwise threads of libtorch's that have nothing to do would keep their cores busy for
    // milliseconds, which threads of ours and other processes could use (measured:
    // docs/PERFORMANCE.md).
    if std::env::var_os("OMP_WAIT_POLICY").is_none() {
        command.env("OMP_WAIT_POLICY", "passive");
    }
    // Tunables set by the user take precedence.
    if std::env::var_os("GLIBC_TUNABLES").is_none() {
        command.env("GLIBC_TUNABLES", ALLOCATOR);
    }
    let is_set = |variable: &&str| std::env::var_os(variable).is_some();
    if sharing > 1
        && !["PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF"]
            .iter()
            .any(is_set)
    {
        command.env("PYTORCH_CUDA_ALLOC_CONF", gpu_allocator(sharing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allocator_of(sharing: usize) -> Option<String> {
        let mut command = Command::new("true");
        of_training(&mut command, 1, sharing);
        let value = command
            .get_envs()
            .find(|(name, _)| *name == "PYTORCH_CUDA_ALLOC_CONF")
            .and_then(|(_, value)| value);
        value.map(|value| value.to_string_lossy().into_owned())
    }

    #[test]
    fn workers_on_one_gpu_may_each_use_an_equal_part_of_it() {
        assert_eq!(
            allocator_of(4).unwrap(),
            "per_process_memory_fraction:0.225,garbage_collection_threshold:0.8"
        );
        assert_eq!(
            allocator_of(7).unwrap(),
            "per_process_memory_fraction:0.1285,garbage_collection_threshold:0.8"
        );
        assert_eq!(allocator_of(1), None, "one alone may have it all");
    }
}

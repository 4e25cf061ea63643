//! Memory available for training, compared with what a child will need before anything is
//! allocated.

use tch::Device;

use crate::foundation::host;
use crate::telemetry::{self, memory};

/// Free bytes on `device`; `None` if unknown.
pub fn free(device: Device) -> Option<u64> {
    match device {
        Device::Cuda(number) => telemetry::cuda::memory(number).map(|(free, _)| free),
        _ => memory::free(),
    }
}

/// The memory of a process's device, tracked from one network that it trains to the next.
#[derive(Debug)]
pub struct Holding {
    device: Device,
    /// Bytes that the process had allocated before its first child; `None` if unknown.
    at_start: Option<u64>,
    /// Bytes that it has allocated since and cannot use for a child.
    in_use: u64,
}

impl Holding {
    /// For a process that has its images on `device` and has not trained a child yet.
    pub fn new(device: Device) -> Holding {
        Holding {
            device,
            at_start: taken(device),
            in_use: 0,
        }
    }

    /// Beside so many bytes of images that were put on the device since.
    pub fn beside(&self, images: u64) -> Holding {
        Holding {
            in_use: images,
            ..*self
        }
    }

    /// Bytes available to the next child: its part of a shared GPU; otherwise the free memory plus
    /// what the process keeps from earlier children for reuse. `None` if unknown, in which case
    /// only trying can tell.
    pub fn available(&self) -> Option<u64> {
        if let (Device::Cuda(number), Some(part)) = (self.device, part_of_shared_gpu()) {
            // The memory free at the moment is meaningless: the other workers can return their
            // caches.
            let total = telemetry::cuda::total_memory(number)?;
            return Some((total as f64 * part) as u64);
        }
        let held = taken(self.device)?.saturating_sub(self.at_start?.saturating_add(self.in_use));
        Some(free(self.device)?.saturating_add(held))
    }

    /// Whether so many bytes would be there if no other process had taken any. A part of a shared GPU is
    /// never larger than [`Holding::available`].
    pub fn could_hold(&self, needed: u64) -> bool {
        let whole = match self.device {
            Device::Cuda(_) if part_of_shared_gpu().is_some() => return false,
            Device::Cuda(number) => telemetry::cuda::total_memory(number),
            _ => memory::total(),
        };
        whole.is_some_and(|whole| needed <= whole)
    }
}

/// Bytes that this process has allocated on the GPU, as NVML counts them, or on the host.
fn taken(device: Device) -> Option<u64> {
    match device {
        Device::Cuda(number) => telemetry::cuda::memory_of(number, std::process::id()),
        _ => resident(),
    }
}

/// The fraction of a GPU that this process may use; `None` if it need not share one.
fn part_of_shared_gpu() -> Option<f64> {
    part_of_gpu(&std::env::var("PYTORCH_CUDA_ALLOC_CONF").unwrap_or_default())
}

/// The fraction of a GPU that libtorch's allocator may use, from its settings.
fn part_of_gpu(settings: &str) -> Option<f64> {
    let part = settings
        .split(',')
        .find_map(|setting| setting.trim().strip_prefix("per_process_memory_fraction:"))?;
    part.trim()
        .parse()
        .ok()
        .filter(|part| (0.0..=1.0).contains(part))
}

/// Bytes that a worker with this many threads may plan with: the fraction of all memory that
/// corresponds to its processors. It does not depend on what else is running. (GPUs do not matter
/// here: only forms for the CPU need more than the estimate.)
pub fn fair_share(threads: u64) -> u64 {
    let cores = host::cores() as u64;
    let all = memory::total().unwrap_or(u64::MAX);
    all / cores * threads.min(cores)
}

/// Resident memory of this process, in bytes.
fn resident() -> Option<u64> {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm")
        .ok()?
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fair_share_grows_with_the_threads_up_to_all_memory_and_never_changes() {
        let cores = host::cores() as u64;
        let share = fair_share(1);
        assert!(
            share > 0
                && fair_share(cores) == share * cores
                && fair_share(10 * cores) == share * cores
        );
        let _held = vec![1_u8; 64 << 20];
        assert_eq!(fair_share(1), share);
    }

    #[test]
    fn memory_kept_from_earlier_children_counts_as_available() {
        let available = |at_start| {
            Holding {
                device: Device::Cpu,
                at_start: Some(at_start),
                in_use: 0,
            }
            .available()
            .unwrap()
        };
        let kept = vec![1_u8; 512 << 20];
        let (with, without) = (available(0), available(1 << 50));
        assert!(
            with >= without + (kept.len() as u64) / 2,
            "{with} and {without}"
        );
        assert_eq!(
            Holding {
                device: Device::Cpu,
                at_start: None,
                in_use: 0,
            }
            .available(),
            None,
            "then only trying tells"
        );
    }

    #[test]
    fn images_that_are_in_use_are_not_available_to_the_next_network() {
        let images = vec![1_u8; 512 << 20];
        std::hint::black_box(&images);
        let holding = Holding {
            device: Device::Cpu,
            at_start: Some(0),
            in_use: 0,
        };
        let (with, without) = (holding.beside(512 << 20), holding);
        let [with, without] = [with, without].map(|holding| holding.available().unwrap());
        assert!(with + (256 << 20) < without, "{with} and {without}");
    }

    #[test]
    fn what_other_processes_hold_could_be_had_but_not_more_than_there_is() {
        let holding = Holding::new(Device::Cpu);
        let free = holding.available().unwrap();
        assert!(holding.could_hold(free / 2) && holding.could_hold(memory::total().unwrap()));
        assert!(!holding.could_hold(memory::total().unwrap() + 1));
    }

    #[test]
    fn the_fraction_of_a_gpu_is_read_from_the_allocators_settings() {
        assert_eq!(
            part_of_gpu("per_process_memory_fraction:0.225,garbage_collection_threshold:0.8"),
            Some(0.225)
        );
        assert_eq!(
            part_of_gpu("expandable_segments:True, per_process_memory_fraction: 0.5"),
            Some(0.5)
        );
        assert_eq!(
            [
                "",
                "garbage_collection_threshold:0.8",
                "per_process_memory_fraction:x"
            ]
            .map(part_of_gpu),
            [None; 3]
        );
    }
}

//! Where worker processes run: how many, on which devices, with how many threads.

use crate::config::WorkersConfig;
use crate::foundation::device::Device;

/// One entry of `devices` per worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The device of each worker.
    pub devices: Vec<Device>,
    /// CPU threads of each worker.
    pub threads: usize,
}

impl Placement {
    /// Place workers on `devices` (at least one: all of them GPUs, or the CPU) of a machine with
    /// `cores` CPU cores.
    ///
    /// On the CPU the default is one worker per core with one thread each, because small children
    /// gain little from a second thread (measured: docs/PERFORMANCE.md). If the count is automatic,
    /// `automatic` returns the number of workers that share a GPU; it is called once per GPU, and
    /// never for the CPU.
    pub fn new(
        config: &WorkersConfig,
        devices: &[Device],
        cores: usize,
        automatic: impl FnMut(Device) -> usize,
    ) -> Placement {
        let cores = cores.max(1);
        let devices: Vec<Device> = match (config.count, config.threads) {
            (Some(count), _) => devices.iter().copied().cycle().take(count.max(1)).collect(),
            (None, _) if devices.iter().all(|device| device.is_cuda()) => {
                in_turn(devices, automatic)
            }
            (None, threads) => vec![Device::Cpu; (cores / threads.unwrap_or(1)).max(1)],
        };
        let threads = config
            .threads
            .unwrap_or(cores / devices.len().max(1))
            .max(1);
        Placement { devices, threads }
    }
}

/// Each device as many times as `count` returns for it, at least once, in rotation, so that the
/// first workers are on different devices.
fn in_turn(devices: &[Device], count: impl FnMut(Device) -> usize) -> Vec<Device> {
    let counts: Vec<usize> = devices
        .iter()
        .copied()
        .map(count)
        .map(|count| count.max(1))
        .collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    let round = |number: usize| {
        devices
            .iter()
            .zip(&counts)
            .filter(move |(_, count)| number < **count)
            .map(|(device, _)| *device)
    };
    (0..most).flat_map(round).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{DeviceChoice, EvaluatorChoice};

    const GPUS: [Device; 2] = [Device::Cuda(0), Device::Cuda(1)];

    /// On 8 cores.
    fn place(count: Option<usize>, threads: Option<usize>, devices: &[Device]) -> Placement {
        Placement::new(
            &WorkersConfig {
                evaluator: EvaluatorChoice::Local,
                count,
                threads,
                device: DeviceChoice::Auto,
            },
            devices,
            8,
            |_| 3,
        )
    }

    fn on_the_cpu(count: Option<usize>, threads: Option<usize>) -> (usize, usize) {
        let Placement { devices, threads } = place(count, threads, &[Device::Cpu]);
        (devices.len(), threads)
    }

    #[test]
    fn a_cpu_gets_one_worker_per_core_with_one_thread() {
        assert_eq!(on_the_cpu(None, None), (8, 1));
    }

    #[test]
    fn a_number_of_workers_divides_the_cores_among_them() {
        assert_eq!(on_the_cpu(Some(2), None), (2, 4));
        assert_eq!(on_the_cpu(Some(16), None), (16, 1));
    }

    #[test]
    fn a_number_of_threads_determines_the_number_of_workers() {
        assert_eq!(on_the_cpu(None, Some(3)), (2, 3));
        assert_eq!(on_the_cpu(None, Some(99)), (1, 99));
    }

    #[test]
    fn workers_are_distributed_over_the_gpus_in_rotation() {
        assert_eq!(
            place(Some(3), None, &GPUS).devices,
            [Device::Cuda(0), Device::Cuda(1), Device::Cuda(0)]
        );
    }

    #[test]
    fn each_gpu_gets_the_number_of_workers_measured_to_be_best_for_it() {
        let config = WorkersConfig {
            evaluator: EvaluatorChoice::Local,
            count: None,
            threads: None,
            device: DeviceChoice::Cuda,
        };
        let measured = |device| if device == Device::Cuda(0) { 1 } else { 3 };
        let placement = Placement::new(&config, &GPUS, 16, measured);
        assert_eq!(
            placement.devices,
            [
                Device::Cuda(0),
                Device::Cuda(1),
                Device::Cuda(1),
                Device::Cuda(1)
            ]
        );
        assert_eq!(placement.threads, 4);
    }

    #[test]
    fn one_gpu_gets_all_workers() {
        assert_eq!(place(None, None, &GPUS[1..]).devices, [Device::Cuda(1); 3]);
        assert_eq!(
            place(Some(2), None, &GPUS[1..]).devices,
            [Device::Cuda(1); 2]
        );
    }

    #[test]
    fn nothing_is_measured_if_the_count_is_given_or_there_is_no_gpu() {
        let config = |count| WorkersConfig {
            evaluator: EvaluatorChoice::Local,
            count,
            threads: None,
            device: DeviceChoice::Auto,
        };
        let never = |_| panic!("asked");
        assert_eq!(
            Placement::new(&config(Some(2)), &GPUS, 8, never)
                .devices
                .len(),
            2
        );
        assert_eq!(
            Placement::new(&config(None), &[Device::Cpu], 8, never)
                .devices
                .len(),
            8
        );
    }
}

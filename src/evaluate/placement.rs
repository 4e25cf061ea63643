//! Where worker processes run: how many, on which devices, with how many threads.

use crate::config::WorkersConfig;
use crate::device::{Device, DeviceMissing};

/// One entry of `devices` per worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    pub devices: Vec<Device>,
    /// CPU threads of each worker.
    pub threads: usize,
}

impl Placement {
    /// Place workers on a machine with `cores` CPU cores and `gpus` CUDA devices.
    ///
    /// On the CPU the default is one worker per core with one thread each (docs/PERFORMANCE.md has the measurement: small
    /// children gain little from a second thread). Where the count is left to the machine, `automatic` says how many workers
    /// share a GPU; it is asked once per GPU, and never on the CPU.
    ///
    /// # Errors
    /// When a GPU is asked for and not there.
    pub fn new(
        config: &WorkersConfig,
        cores: usize,
        gpus: usize,
        automatic: impl FnMut(Device) -> usize,
    ) -> Result<Placement, DeviceMissing> {
        let cores = cores.max(1);
        let choice = config.device.devices(gpus)?;
        let devices: Vec<Device> = match (config.count, config.threads) {
            (Some(count), _) => choice.iter().copied().cycle().take(count.max(1)).collect(),
            (None, _) if choice.iter().all(|device| device.is_cuda()) => in_turn(&choice, automatic),
            (None, threads) => vec![Device::Cpu; (cores / threads.unwrap_or(1)).max(1)],
        };
        let threads = config.threads.unwrap_or(cores / devices.len()).max(1);
        Ok(Placement { devices, threads })
    }
}

/// Each device as often as `count` says, at least once; all in turn, so that the first workers are on different ones.
fn in_turn(devices: &[Device], count: impl FnMut(Device) -> usize) -> Vec<Device> {
    let counts: Vec<usize> = devices.iter().copied().map(count).map(|count| count.max(1)).collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    let round = |number: usize| devices.iter().zip(&counts).filter(move |(_, count)| number < **count).map(|(device, _)| *device);
    (0..most).flat_map(round).collect()
}

/// CPU cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DeviceChoice;

    const CPU: DeviceChoice = DeviceChoice::One(Device::Cpu);

    fn place(count: Option<usize>, threads: Option<usize>, device: DeviceChoice, cores: usize, gpus: usize) -> Placement {
        Placement::new(&WorkersConfig { count, threads, device }, cores, gpus, |_| 3).unwrap()
    }

    fn numbers(placement: &Placement) -> (usize, usize) {
        (placement.devices.len(), placement.threads)
    }

    #[test]
    fn a_cpu_gets_one_worker_per_core_with_one_thread() {
        assert_eq!(numbers(&place(None, None, DeviceChoice::Auto, 8, 0)), (8, 1));
    }

    #[test]
    fn a_number_of_workers_divides_the_cores_among_them() {
        assert_eq!(numbers(&place(Some(2), None, CPU, 8, 1)), (2, 4));
        assert_eq!(numbers(&place(Some(16), None, CPU, 8, 0)), (16, 1));
    }

    #[test]
    fn a_number_of_threads_decides_the_number_of_workers() {
        assert_eq!(numbers(&place(None, Some(3), CPU, 8, 0)), (2, 3));
        assert_eq!(numbers(&place(None, Some(99), CPU, 8, 0)), (1, 99));
    }

    #[test]
    fn a_number_of_workers_is_dealt_to_the_gpus_in_turn() {
        let placement = place(Some(3), None, DeviceChoice::Auto, 8, 2);
        assert_eq!(placement.devices, [Device::Cuda(0), Device::Cuda(1), Device::Cuda(0)]);
    }

    #[test]
    fn each_gpu_gets_as_many_workers_as_were_measured_to_be_best_for_it() {
        let config = WorkersConfig { count: None, threads: None, device: DeviceChoice::Cuda };
        let measured = |device| if device == Device::Cuda(0) { 1 } else { 3 };
        let placement = Placement::new(&config, 16, 2, measured).unwrap();
        assert_eq!(placement.devices, [Device::Cuda(0), Device::Cuda(1), Device::Cuda(1), Device::Cuda(1)]);
        assert_eq!(placement.threads, 4);
    }

    #[test]
    fn a_named_gpu_gets_all_workers() {
        let choice = DeviceChoice::One(Device::Cuda(1));
        assert_eq!(place(None, None, choice, 8, 2).devices, [Device::Cuda(1); 3]);
        assert_eq!(place(Some(2), None, choice, 8, 2).devices, [Device::Cuda(1); 2]);
    }

    #[test]
    fn nothing_is_measured_where_the_count_is_given_or_there_is_no_gpu() {
        let never = |_| panic!("asked");
        let config = |count, device| WorkersConfig { count, threads: None, device };
        assert!(Placement::new(&config(Some(2), DeviceChoice::Cuda), 8, 1, never).is_ok());
        assert!(Placement::new(&config(None, DeviceChoice::Auto), 8, 0, never).is_ok());
        assert!(Placement::new(&config(None, DeviceChoice::Cuda), 8, 0, never).is_err());
    }
}

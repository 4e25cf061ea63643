//! Where worker processes run: how many, on which devices, with how many threads.

use crate::config::{DeviceChoice, WorkersConfig};

/// Workers that share one GPU unless `workers.count` says otherwise: one small child alone leaves most of a GPU idle.
pub const WORKERS_PER_GPU: usize = 4;

/// One entry of `devices` per worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// `cpu` or `cuda:N`.
    pub devices: Vec<String>,
    /// CPU threads of each worker.
    pub threads: usize,
}

impl Placement {
    /// Place workers on this machine. The second value is a warning: its GPUs stay idle, and why.
    ///
    /// # Errors
    /// As [`Placement::new`], with the reason why CUDA is not there.
    #[cfg(feature = "torch")]
    pub fn here(config: &WorkersConfig) -> Result<(Placement, Option<String>), String> {
        use crate::child::cuda;

        // Whoever wants the CPU has no need of CUDA's libraries.
        let gpus = if config.device == DeviceChoice::Cpu { 0 } else { cuda::devices() };
        let diagnosis = if gpus > 0 || config.device == DeviceChoice::Cpu { None } else { cuda::diagnose() };
        match (Placement::new(config, cores(), gpus), diagnosis) {
            (Err(error), Some(diagnosis)) => Err(format!("{error}; {diagnosis}")),
            (Err(error), None) => Err(format!("{error}; this machine has no NVIDIA GPU that answers (`nas-tui doctor` says more)")),
            (Ok(placement), diagnosis) => Ok((placement, diagnosis.map(|diagnosis| idle(&diagnosis)))),
        }
    }

    /// Place workers on a machine with `cores` CPU cores and `gpus` CUDA devices.
    ///
    /// On the CPU the default is one worker per core with one thread each (docs/PERFORMANCE.md has the measurement: small
    /// children gain little from a second thread). On GPUs it is [`WORKERS_PER_GPU`] per device, round robin.
    ///
    /// # Errors
    /// When CUDA is asked for and not there: the text is for the user.
    pub fn new(config: &WorkersConfig, cores: usize, gpus: usize) -> Result<Placement, String> {
        let cores = cores.max(1);
        let on_gpu = match config.device {
            DeviceChoice::Cpu => false,
            DeviceChoice::Auto => gpus > 0,
            DeviceChoice::Cuda if gpus == 0 => {
                return Err(
                    "workers.device is `cuda`, but libtorch sees no CUDA device; set it to `auto` or `cpu` to train on the CPU"
                        .to_owned(),
                );
            }
            DeviceChoice::Cuda => true,
        };
        let count = match (config.count, config.threads) {
            (Some(count), _) => count,
            (None, _) if on_gpu => gpus * WORKERS_PER_GPU,
            (None, threads) => cores / threads.unwrap_or(1),
        }
        .max(1);
        let threads = config.threads.unwrap_or(cores / count).max(1);
        let device = |worker: usize| if on_gpu { format!("cuda:{}", worker % gpus) } else { "cpu".to_owned() };
        Ok(Placement { devices: (0..count).map(device).collect(), threads })
    }
}

/// What a user of an idle GPU has to know.
#[cfg(feature = "torch")]
pub fn idle(diagnosis: &crate::child::cuda::Diagnosis) -> String {
    format!("this machine's NVIDIA GPU stays idle, the CPU does the work: {diagnosis}")
}

/// CPU cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(count: Option<usize>, threads: Option<usize>, device: DeviceChoice, cores: usize, gpus: usize) -> (usize, usize) {
        let placement = Placement::new(&WorkersConfig { count, threads, device }, cores, gpus).unwrap();
        (placement.devices.len(), placement.threads)
    }

    #[test]
    fn a_cpu_gets_one_worker_per_core_with_one_thread() {
        assert_eq!(place(None, None, DeviceChoice::Auto, 8, 0), (8, 1));
    }

    #[test]
    fn a_number_of_workers_divides_the_cores_among_them() {
        assert_eq!(place(Some(2), None, DeviceChoice::Cpu, 8, 1), (2, 4));
        assert_eq!(place(Some(16), None, DeviceChoice::Cpu, 8, 0), (16, 1));
    }

    #[test]
    fn a_number_of_threads_decides_the_number_of_workers() {
        assert_eq!(place(None, Some(3), DeviceChoice::Cpu, 8, 0), (2, 3));
        assert_eq!(place(None, Some(99), DeviceChoice::Cpu, 8, 0), (1, 99));
    }

    #[test]
    fn gpus_get_several_workers_each_in_turn() {
        let placement = Placement::new(&WorkersConfig { count: Some(3), threads: None, device: DeviceChoice::Auto }, 8, 2).unwrap();
        assert_eq!(placement.devices, ["cuda:0", "cuda:1", "cuda:0"]);
        assert_eq!(place(None, None, DeviceChoice::Cuda, 16, 2), (8, 2));
    }

    #[test]
    fn cuda_that_is_not_there_is_an_error_with_a_remedy() {
        let error = Placement::new(&WorkersConfig { count: None, threads: None, device: DeviceChoice::Cuda }, 2, 0).unwrap_err();
        assert!(error.contains("no CUDA device") && error.contains("`auto`"), "{error}");
    }
}

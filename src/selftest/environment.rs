//! The machine and the libraries, as far as they explain the figures, without names of users or
//! hosts and without paths.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::child::{cuda, libtorch};
use crate::foundation::host::cores;
use crate::telemetry::{driver, host, memory};

/// Variables that affect training. Those that may contain paths are only reported as being set.
const VARIABLES: [&str; 8] = [
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "NVIDIA_TF32_OVERRIDE",
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_ALLOC_CONF",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "CUDA_LAUNCH_BLOCKING",
];
const PATHS: [&str; 2] = ["LD_LIBRARY_PATH", "LD_PRELOAD"];

/// What the figures depend on besides the device.
#[derive(Debug, Clone, Serialize)]
pub struct Environment {
    /// Version of this program.
    pub version: String,
    /// For example `Debian GNU/Linux 12`.
    pub system: Option<String>,
    /// For example `Linux 6.1.0-18-amd64`.
    pub kernel: Option<String>,
    /// Architecture of the processor, for example `x86_64`.
    pub architecture: String,
    /// Version of libtorch.
    pub libtorch: Option<String>,
    /// CUDA version that libtorch was built for; `None` for a CPU build.
    pub libtorch_cuda: Option<String>,
    /// Model of the processor.
    pub cpu: Option<String>,
    /// Number of cores that this process may use.
    pub cores: usize,
    /// Memory of the machine, in bytes.
    pub memory_bytes: Option<u64>,
    /// Version of NVIDIA's driver.
    pub driver: Option<String>,
    /// The newest CUDA that the driver supports.
    pub driver_cuda: Option<String>,
    /// Models of the GPUs, in NVML's order.
    pub gpus: Vec<String>,
    /// Environment variables that are set, by name.
    pub variables: BTreeMap<String, String>,
}

impl Environment {
    /// This machine in its current state.
    pub fn of_this_machine() -> Environment {
        let driver = driver::ask().ok().map(|(driver, _)| driver);
        let driver_cuda = driver
            .as_ref()
            .and_then(|driver| driver.cuda)
            .map(|version| version.to_string());
        let name =
            |gpu: &driver::DriverGpu| gpu.name.clone().unwrap_or_else(|| "unnamed".to_owned());
        Environment {
            version: crate::foundation::build_info::VERSION.to_owned(),
            system: system(&std::fs::read_to_string("/etc/os-release").unwrap_or_default()),
            kernel: Some(kernel()),
            architecture: std::env::consts::ARCH.to_owned(),
            libtorch: libtorch::version(),
            libtorch_cuda: cuda::version().map(|version| version.to_string()),
            cpu: host::cpu_model(),
            cores: cores(),
            memory_bytes: memory::installed(),
            gpus: driver
                .iter()
                .flat_map(|driver| &driver.gpus)
                .map(name)
                .collect(),
            driver: driver.and_then(|driver| driver.version),
            driver_cuda,
            variables: variables(|name| std::env::var(name).ok()),
        }
    }
}

fn variables(value: impl Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
    let told = VARIABLES
        .iter()
        .filter_map(|&name| Some((name.to_owned(), value(name)?)));
    let set = PATHS
        .iter()
        .filter_map(|&name| value(name).map(|_| (name.to_owned(), "(set)".to_owned())));
    told.chain(set).collect()
}

fn system(os_release: &str) -> Option<String> {
    let name = os_release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches(['"', '\'']).to_owned())
}

/// For example `Linux 6.1.0-18-amd64`.
fn kernel() -> String {
    let names = rustix::system::uname();
    let (name, release) = (names.sysname(), names.release());
    format!("{} {}", name.to_string_lossy(), release.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_hold_paths_are_reported_without_them() {
        let value = |name: &str| match name {
            "CUDA_VISIBLE_DEVICES" => Some("1".to_owned()),
            "LD_LIBRARY_PATH" => Some("/opt/x/lib".to_owned()),
            _ => None,
        };
        let found = variables(value);
        assert_eq!(
            found.get("CUDA_VISIBLE_DEVICES").map(String::as_str),
            Some("1")
        );
        assert_eq!(
            found.get("LD_LIBRARY_PATH").map(String::as_str),
            Some("(set)")
        );
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn the_name_of_the_system_is_reported() {
        assert_eq!(
            system("NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n").as_deref(),
            Some("Debian GNU/Linux 12")
        );
    }
}

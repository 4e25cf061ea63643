//! How busy the machine of a run is.

use serde::{Deserialize, Serialize};

/// The load of a machine over some time, by whatever processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MachineLoad {
    /// Time that it covers, in seconds.
    pub seconds: f64,
    /// Mean busy fraction of its processors, 0..=1; absent if the system does not report it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub busy: Option<f64>,
    /// Its GPUs in NVML's order; empty if the run does not train on GPUs of this machine.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub gpus: Vec<GpuLoad>,
}

/// The load of a GPU over some time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GpuLoad {
    /// NVML's number of the GPU.
    pub index: u32,
    /// Mean utilisation, 0..=1; absent if it is not reported.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub utilization: Option<f64>,
    /// Energy that it used, in joules; absent if it is not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub joules: Option<f64>,
}

impl MachineLoad {
    /// Mean utilisation of the GPUs that report one.
    pub fn utilization(&self) -> Option<f64> {
        let known: Vec<f64> = (self.gpus.iter())
            .filter_map(|gpu| gpu.utilization)
            .collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }

    /// The load of the GPU with this number.
    pub fn gpu(&self, index: u32) -> Option<&GpuLoad> {
        self.gpus.iter().find(|gpu| gpu.index == index)
    }
}

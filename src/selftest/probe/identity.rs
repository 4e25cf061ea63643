//! Identifies the GPU of a CUDA device by its PCI bus id, or by memory usage that grows.

use tch::{Kind, Tensor};

use super::super::task::Identity;
use crate::child::cuda;
use crate::foundation::device::Device;
use crate::telemetry;

/// Bytes allocated on the device if its bus id is unknown.
const ALLOCATED: u64 = 512 << 20;

pub(super) fn identify(name: Device, device: tch::Device) -> anyhow::Result<Identity> {
    let Device::Cuda(number) = name else {
        return Ok(Identity::default());
    };
    let cuda_bus = cuda::bus_id(number);
    let nvml_bus = telemetry::cuda::bus_id(number);
    if cuda_bus.is_some() && nvml_bus.is_some() {
        return Ok(Identity {
            cuda_bus,
            nvml_bus,
            grown: None,
            allocated: 0,
        });
    }
    // The first tensor makes CUDA allocate memory for itself.
    let _first = Tensor::f_zeros([1], (Kind::Float, device))?;
    let used = || telemetry::cuda::memory(number).map(|(_, used)| used);
    let before = used();
    let _taken = Tensor::f_zeros([ALLOCATED as i64], (Kind::Uint8, device))?;
    let grown = before
        .zip(used())
        .map(|(before, now)| now.saturating_sub(before));
    Ok(Identity {
        cuda_bus,
        nvml_bus,
        grown,
        allocated: ALLOCATED,
    })
}

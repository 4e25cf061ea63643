//! Which GPU a CUDA device is: by its place on the PCI bus, or by whose memory grows.

use tch::{Kind, Tensor};

use super::super::task::Identity;
use crate::child::cuda;
use crate::foundation::device::Device;
use crate::telemetry;

/// Taken on the device where its place is unknown.
const ALLOCATED: u64 = 512 << 20;

pub fn identify(name: Device, device: tch::Device) -> anyhow::Result<Identity> {
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
    // The first tensor brings CUDA's own memory with it.
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

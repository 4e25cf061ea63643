//! The devices that libtorch has.

use crate::device::{Device, DeviceMissing};

/// GPUs that libtorch sees.
pub fn gpus() -> usize {
    usize::try_from(tch::Cuda::device_count()).unwrap_or(0)
}

/// `device` for libtorch.
///
/// # Errors
/// When libtorch does not see it; the text names the devices there are.
pub fn open(device: Device) -> Result<tch::Device, DeviceMissing> {
    Ok(match device.among(gpus())? {
        Device::Cpu => tch::Device::Cpu,
        Device::Cuda(number) => tch::Device::Cuda(number),
    })
}

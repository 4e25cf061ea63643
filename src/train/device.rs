//! Waiting for a device.

use tch::{Device, Kind, TchError, Tensor};

/// Wait until `device` has done all that it has been given so far.
///
/// # Errors
/// What libtorch says, also of that earlier work. (`tch::Cuda::synchronize` would panic instead.)
pub fn synchronize(device: Device) -> Result<(), TchError> {
    // A copy to the host comes after all that was queued before it.
    Tensor::f_zeros([1], (Kind::Float, device))?
        .f_to_device(Device::Cpu)
        .map(drop)
}

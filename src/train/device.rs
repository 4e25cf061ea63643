//! Waits for a device.

use tch::{Device, Kind, TchError, Tensor};

/// Wait until `device` has finished all work it has been given.
///
/// # Errors
/// Errors of libtorch, including those of that earlier work. (`tch::Cuda::synchronize` would panic
/// instead.)
pub fn synchronize(device: Device) -> Result<(), TchError> {
    // A copy to the host is executed after everything queued before it.
    Tensor::f_zeros([1], (Kind::Float, device))?
        .f_to_device(Device::Cpu)
        .map(drop)
}

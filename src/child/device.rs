//! The devices of this machine that libtorch can use.

use super::cuda;
use crate::foundation::device::{Device, DeviceChoice};

/// The devices that a user's choice selects on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenDevices {
    /// At least one.
    pub devices: Vec<Device>,
    /// Set if the machine has a GPU that stays idle, with the reason.
    pub warning: Option<String>,
}

/// A device that cannot be used, with the reason, for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

/// The devices that `choice` selects on this machine. CUDA is not loaded if only the CPU is
/// requested.
///
/// # Errors
/// If it requests a GPU that libtorch does not see, with the cause if it sees none.
pub fn chosen(choice: DeviceChoice) -> Result<ChosenDevices, Unusable> {
    if choice == DeviceChoice::One(Device::Cpu) {
        return Ok(ChosenDevices {
            devices: vec![Device::Cpu],
            warning: None,
        });
    }
    let gpus = cuda::devices();
    let diagnosis = if gpus > 0 { None } else { cuda::diagnose() };
    match (choice.devices(gpus), diagnosis) {
        (Ok(devices), diagnosis) => {
            let idle = |cause| {
                format!("this machine's NVIDIA GPU stays idle, the CPU does the work: {cause}")
            };
            Ok(ChosenDevices {
                devices,
                warning: diagnosis.map(idle),
            })
        }
        (Err(error), _) if gpus > 0 => Err(Unusable(error.to_string())),
        (Err(error), Some(cause)) => Err(Unusable(format!("{error}; {cause}"))),
        (Err(error), None) => Err(Unusable(format!(
            "{error}; no NVIDIA GPU of this machine responds (`nas-tui doctor` says more)"
        ))),
    }
}

/// The first device of [`chosen`], for work that uses only one, and the warning.
///
/// # Errors
/// See [`chosen`].
pub fn chosen_one(choice: DeviceChoice) -> Result<(Device, Option<String>), Unusable> {
    let ChosenDevices { devices, warning } = chosen(choice)?;
    Ok((devices.first().copied().unwrap_or(Device::Cpu), warning))
}

/// `device` for libtorch.
///
/// # Errors
/// If libtorch does not see it; the text names the available devices.
pub fn open(device: Device) -> Result<tch::Device, Unusable> {
    match device {
        Device::Cpu => Ok(tch::Device::Cpu),
        Device::Cuda(number) => match device.among(cuda::devices()) {
            Ok(_) => Ok(tch::Device::Cuda(number)),
            Err(missing) => Err(Unusable(missing.to_string())),
        },
    }
}

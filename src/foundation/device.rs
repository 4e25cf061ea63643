//! Names of the devices that networks are trained on: the only parser of `cpu`, `cuda`, `cuda:N`
//! and `auto`.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One device: `cpu`, or `cuda:N` with CUDA's number of the GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Device {
    /// The processor.
    Cpu,
    /// A GPU by its CUDA number; the first is `cuda:0`.
    Cuda(usize),
}

/// The device that a user asks for (`workers.device`, `--device`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// Every GPU that libtorch sees, or the CPU if it sees none.
    #[default]
    Auto,
    /// Every GPU that libtorch sees, and nothing else.
    Cuda,
    /// This device, whatever others exist.
    One(Device),
}

/// A text that does not name a device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a device: it must be {DEVICE_NAMES}")]
pub struct NoDevice(String);

/// A requested device that does not exist. The message is meant for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceMissing {
    /// A GPU was requested, but libtorch cannot use any.
    #[error(
        "`cuda` was asked for (workers.device or --device), but libtorch sees no CUDA device; ask for `auto` or `cpu` to train on the \
         CPU"
    )]
    NoGpu,
    /// There are GPUs, but not this one.
    #[error(
        "`{asked}` was asked for (workers.device or --device), but the devices are {}; ask for one of them, or for `auto`",
        names(*.gpus)
    )]
    NotThere {
        /// The requested device.
        asked: Device,
        /// Number of GPUs available.
        gpus: usize,
    },
}

/// The names that a user may give for a device.
pub const DEVICE_NAMES: &str = "auto, cpu, cuda (every GPU) or cuda:N (one)";

/// `cpu`, `cpu and cuda:0`, `cpu, cuda:0 and cuda:1`.
fn names(gpus: usize) -> String {
    let names: Vec<String> = Device::all(gpus).map(|device| device.to_string()).collect();
    match names.split_last() {
        Some((last, [_, ..])) => format!("{} and {last}", names[..names.len() - 1].join(", ")),
        _ => format!("{} alone", names.concat()),
    }
}

impl Device {
    /// The CPU and `gpus` GPUs.
    pub fn all(gpus: usize) -> impl Iterator<Item = Device> {
        std::iter::once(Device::Cpu).chain((0..gpus).map(Device::Cuda))
    }

    /// Whether it is a GPU.
    pub fn is_cuda(self) -> bool {
        self != Device::Cpu
    }

    /// This device, on a machine where libtorch sees `gpus` GPUs.
    ///
    /// # Errors
    /// If the device is not one of them.
    pub fn among(self, gpus: usize) -> Result<Device, DeviceMissing> {
        match self {
            Device::Cuda(number) if number >= gpus => {
                Err(DeviceMissing::NotThere { asked: self, gpus })
            }
            there => Ok(there),
        }
    }
}

impl DeviceChoice {
    /// The devices meant on a machine where libtorch sees `gpus` GPUs: at least one.
    ///
    /// # Errors
    /// If it asks for a GPU that does not exist.
    pub fn devices(self, gpus: usize) -> Result<Vec<Device>, DeviceMissing> {
        match self {
            DeviceChoice::Auto if gpus == 0 => Ok(vec![Device::Cpu]),
            DeviceChoice::Cuda if gpus == 0 => Err(DeviceMissing::NoGpu),
            DeviceChoice::Auto | DeviceChoice::Cuda => Ok((0..gpus).map(Device::Cuda).collect()),
            DeviceChoice::One(device) => Ok(vec![device.among(gpus)?]),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => f.pad("cpu"),
            Device::Cuda(number) => f.pad(&format!("cuda:{number}")),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceChoice::Auto => f.pad("auto"),
            DeviceChoice::Cuda => f.pad("cuda"),
            DeviceChoice::One(device) => device.fmt(f),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = NoDevice;

    fn from_str(text: &str) -> Result<DeviceChoice, NoDevice> {
        match text {
            "auto" => Ok(DeviceChoice::Auto),
            "cuda" => Ok(DeviceChoice::Cuda),
            "cpu" => Ok(DeviceChoice::One(Device::Cpu)),
            _ => {
                // Only digits: `parse` would also accept a sign.
                let digits = text
                    .strip_prefix("cuda:")
                    .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
                let number = digits
                    .and_then(|digits| digits.parse().ok())
                    .ok_or_else(|| NoDevice(text.to_owned()))?;
                Ok(DeviceChoice::One(Device::Cuda(number)))
            }
        }
    }
}

impl FromStr for Device {
    type Err = NoDevice;

    fn from_str(text: &str) -> Result<Device, NoDevice> {
        match text.parse()? {
            DeviceChoice::One(device) => Ok(device),
            DeviceChoice::Auto | DeviceChoice::Cuda => Err(NoDevice(text.to_owned())),
        }
    }
}

/// Both are plain text in every file and message.
macro_rules! serde_as_text {
    ($($name:ident),*) => {
        $(impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        })*
    };
}

serde_as_text!(Device, DeviceChoice);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_and_written_the_same_way() {
        for name in ["auto", "cpu", "cuda", "cuda:0", "cuda:12"] {
            assert_eq!(name.parse::<DeviceChoice>().unwrap().to_string(), name);
            let json = serde_json::to_string(name).unwrap();
            assert_eq!(
                serde_json::to_string(&serde_json::from_str::<DeviceChoice>(&json).unwrap())
                    .unwrap(),
                json
            );
        }
        assert_eq!("cuda:3".parse(), Ok(Device::Cuda(3)));
    }

    #[test]
    fn anything_else_is_refused_with_a_list_of_the_valid_names() {
        for text in [
            "",
            "gpu",
            "CPU",
            "cuda:",
            "cuda:x",
            "cuda:-1",
            "cuda:+1",
            "cuda:99999999999999999999999",
        ] {
            let error = text.parse::<DeviceChoice>().unwrap_err().to_string();
            assert!(
                error.contains(&format!("`{text}`")) && error.contains("cuda:N"),
                "{error}"
            );
        }
        assert!("auto".parse::<Device>().is_err() && "cuda".parse::<Device>().is_err());
    }

    #[test]
    fn auto_is_every_gpu_or_the_cpu() {
        assert_eq!(DeviceChoice::Auto.devices(0), Ok(vec![Device::Cpu]));
        assert_eq!(
            DeviceChoice::Auto.devices(2),
            Ok(vec![Device::Cuda(0), Device::Cuda(1)])
        );
    }

    #[test]
    fn a_named_device_is_only_that_one() {
        let one = DeviceChoice::One;
        assert_eq!(one(Device::Cpu).devices(2), Ok(vec![Device::Cpu]));
        assert_eq!(one(Device::Cuda(1)).devices(2), Ok(vec![Device::Cuda(1)]));
    }

    #[test]
    fn asking_for_a_missing_gpu_is_an_error_that_names_the_available_ones() {
        let error = |number, gpus| {
            DeviceChoice::One(Device::Cuda(number))
                .devices(gpus)
                .unwrap_err()
                .to_string()
        };
        assert!(
            error(7, 2).contains("`cuda:7`")
                && error(7, 2).contains("the devices are cpu, cuda:0 and cuda:1"),
            "{}",
            error(7, 2)
        );
        assert!(error(1, 1).contains("cpu and cuda:0;"), "{}", error(1, 1));
        assert!(error(0, 0).contains("cpu alone"), "{}", error(0, 0));
        let error = DeviceChoice::Cuda.devices(0).unwrap_err().to_string();
        assert!(
            error.contains("no CUDA device") && error.contains("`auto`"),
            "{error}"
        );
    }
}

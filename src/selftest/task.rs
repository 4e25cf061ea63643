//! The tasks given to a probe process, and its answers: JSON, one per line.

use serde::{Deserialize, Serialize};

use crate::foundation::device::Device;
use crate::foundation::host::cores;

/// The only message to a probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// The device for the tasks.
    pub device: Device,
    /// CPU threads of the process, unless a task's [`ProbeForm`] says otherwise.
    pub threads: usize,
    /// The tasks, in order.
    pub tasks: Vec<ProbeTask>,
}

/// A task; each is answered by one [`ProbeAnswer`], in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeTask {
    /// Train for this many steps and report the loss of each.
    Losses {
        /// What to train, and how.
        form: ProbeForm,
        /// Number of images in a batch.
        batch: usize,
        /// Number of steps.
        steps: usize,
    },
    /// Train for the given time, with the given batch size or less if memory is short, and report
    /// how many images were processed.
    Speed {
        /// What to train, and how.
        form: ProbeForm,
        /// Maximum number of images in a batch.
        batch: usize,
        /// Time in seconds.
        seconds: f64,
    },
    /// Run out of memory, then train a step.
    RunOutOfMemory,
    /// Identify the GPU of this device.
    Identify,
}

/// A network and how it is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeForm {
    /// The network.
    pub network: NetworkName,
    /// Memory order of activations, and the convolution algorithm.
    pub memory: Memory,
    /// The precision of convolutions.
    pub numbers: Numbers,
    /// CPU threads.
    pub threads: usize,
}

/// A network that the checks train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkName {
    /// Six layers from the space of the preset `demo`.
    SmallChild,
    /// The published network of 15 layers (paper, figure 7).
    Nascnn15,
}

impl NetworkName {
    /// CPU threads used to train it on `device`: as in a search for a child, and as in `train` for
    /// a large network.
    pub fn threads(self, device: Device) -> usize {
        match (self, device) {
            (NetworkName::SmallChild, Device::Cpu) => 1,
            _ => cores(),
        }
    }

    /// Human-readable name.
    pub fn in_words(self) -> &'static str {
        match self {
            NetworkName::SmallChild => "small child",
            NetworkName::Nascnn15 => "nascnn15",
        }
    }
}

/// Memory order of activations, and the convolution algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Memory {
    /// `[N, C, H, W]`.
    Planes,
    /// `[N, H, W, C]`.
    ChannelsLast,
    /// Convolution by Fourier transform.
    Spectra,
    /// Whatever a training would use on the device.
    Fastest,
}

impl Memory {
    /// Human-readable name.
    pub fn in_words(self) -> &'static str {
        match self {
            Memory::Planes => "planes",
            Memory::ChannelsLast => "channels last",
            Memory::Spectra => "spectra",
            Memory::Fastest => "fastest form",
        }
    }
}

/// The precision of convolutions. TF32 is allowed or not by the environment of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numbers {
    /// float32.
    F32,
    /// float32 with factors rounded to 10 bits of mantissa.
    Tf32,
    /// bfloat16.
    Bf16,
}

impl Numbers {
    /// Human-readable name.
    pub fn in_words(self) -> &'static str {
        match self {
            Numbers::F32 => "f32",
            Numbers::Tf32 => "TF32",
            Numbers::Bf16 => "bf16",
        }
    }
}

/// The result of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeAnswer {
    /// Loss of each step.
    Losses(Vec<f64>),
    /// The measured speed.
    Speed {
        /// Number of images in a batch, limited by memory.
        batch: usize,
        /// Number of images trained on.
        images: usize,
        /// Time in seconds.
        seconds: f64,
    },
    /// Memory ran out, as intended.
    RanOutOfMemory(RanOutOfMemory),
    /// The identity of the GPU.
    Identity(Identity),
    /// The task could not be done, for this reason.
    Failed(String),
}

/// How memory was exhausted, and the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RanOutOfMemory {
    /// Number of images in the batch that was too large.
    pub images: usize,
    /// Bytes of its first layer's output.
    pub bytes: u64,
    /// Bytes available: of the device, or those that the process was allowed.
    pub limit: u64,
    /// The error of libtorch.
    pub error: String,
    /// Loss of the next step, with a batch that fits.
    pub loss_afterwards: f64,
}

/// A CUDA device as identified by CUDA and by NVML.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Identity {
    /// PCI bus id according to libtorch's CUDA.
    pub cuda_bus: Option<String>,
    /// PCI bus id according to NVML of the GPU that this program matches with it.
    pub nvml_bus: Option<String>,
    /// If CUDA does not report a bus id: the growth in bytes of the memory in use on the matching
    /// GPU, according to NVML, when [`Identity::allocated`] bytes were allocated on the device.
    pub grown: Option<u64>,
    /// Bytes that were allocated on the device.
    pub allocated: u64,
}

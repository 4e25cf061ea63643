//! What a probe process is asked to do, and what it answers: JSON, one line each.

use serde::{Deserialize, Serialize};

use crate::evaluate::placement::cores;
use crate::foundation::device::Device;

/// The one message to a probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// Where the tasks are done.
    pub device: Device,
    /// CPU threads of the process, unless a task's [`Form`] says otherwise.
    pub threads: usize,
    /// What to do, in this order.
    pub tasks: Vec<Task>,
}

/// Answered in their order, each by one [`Answer`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Train for this many steps and report the loss of each.
    Losses {
        /// What to train, and how.
        form: Form,
        /// Images of a batch.
        batch: usize,
        /// Number of steps.
        steps: usize,
    },
    /// Train for so long, with batches of so many images as far as memory goes, and tell how many
    /// images were seen.
    Speed {
        /// What to train, and how.
        form: Form,
        /// Images of a batch, at most.
        batch: usize,
        /// How long.
        seconds: f64,
    },
    /// Run out of memory, then train a step.
    RunOutOfMemory,
    /// Which GPU this device is.
    Identify,
}

/// A network and how it is computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// The network.
    pub network: NetworkName,
    /// Order of activations in memory, and the kind of convolution.
    pub memory: Memory,
    /// What convolutions compute with.
    pub numbers: Numbers,
    /// CPU threads.
    pub threads: usize,
}

/// A network that the checks train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkName {
    /// Six layers out of the space of the preset `demo`.
    SmallChild,
    /// The published network of 15 layers (paper, figure 7).
    Nascnn15,
}

impl NetworkName {
    /// CPU threads that train it on `device`: as a search trains its children, and as `train` does
    /// a large network.
    pub fn threads(self, device: Device) -> usize {
        match (self, device) {
            (NetworkName::SmallChild, Device::Cpu) => 1,
            _ => cores(),
        }
    }

    /// For a reader.
    pub fn in_words(self) -> &'static str {
        match self {
            NetworkName::SmallChild => "small child",
            NetworkName::Nascnn15 => "nascnn15",
        }
    }
}

/// Order of activations in memory, and the kind of convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Memory {
    /// `[N, C, H, W]`.
    Planes,
    /// `[N, H, W, C]`.
    ChannelsLast,
    /// Convolution over spectra.
    Spectra,
    /// What a training takes on the device.
    Fastest,
}

impl Memory {
    /// For a reader.
    pub fn in_words(self) -> &'static str {
        match self {
            Memory::Planes => "planes",
            Memory::ChannelsLast => "channels last",
            Memory::Spectra => "spectra",
            Memory::Fastest => "fastest form",
        }
    }
}

/// What convolutions compute with. Whether TF32 is allowed is decided by the environment of the
/// process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numbers {
    /// float32.
    F32,
    /// float32, its factors rounded to 10 bits of mantissa.
    Tf32,
    /// bfloat16.
    Bf16,
}

impl Numbers {
    /// For a reader.
    pub fn in_words(self) -> &'static str {
        match self {
            Numbers::F32 => "f32",
            Numbers::Tf32 => "TF32",
            Numbers::Bf16 => "bf16",
        }
    }
}

/// What a task came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Loss of each step.
    Losses(Vec<f64>),
    /// How fast it was.
    Speed {
        /// Images of a batch, as memory allowed.
        batch: usize,
        /// Images that were trained on.
        images: usize,
        /// Time that it took.
        seconds: f64,
    },
    /// Memory ran out, as it was to.
    RanOutOfMemory(RanOutOfMemory),
    /// Which GPU the device is.
    Identity(Identity),
    /// The task could not be done: the reason.
    Failed(String),
}

/// How memory was made to run out, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RanOutOfMemory {
    /// Images in the batch that was too large, and the bytes that its first layer's output takes.
    pub images: usize,
    /// Bytes of that output.
    pub bytes: u64,
    /// Bytes that were there: of the device, or what the process was allowed.
    pub limit: u64,
    /// What libtorch said.
    pub error: String,
    /// Loss of the next step, of a batch that fits.
    pub loss_afterwards: f64,
}

/// A CUDA device, as CUDA and as NVML know it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Identity {
    /// Place on the PCI bus, as libtorch's CUDA says.
    pub cuda_bus: Option<String>,
    /// Place on the PCI bus of the GPU that this program takes for it at NVML.
    pub nvml_bus: Option<String>,
    /// Where CUDA does not tell the place: by how many bytes NVML saw the memory in use of this
    /// program's GPU grow when [`Identity::allocated`] bytes were taken on the device.
    pub grown: Option<u64>,
    /// Bytes that were taken on the device.
    pub allocated: u64,
}

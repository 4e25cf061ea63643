//! How one network is trained to the end (`nas-tui train`): recipes by name, and how the device is
//! used.

use serde::{Deserialize, Serialize};

/// Settings of `nas-tui train` that are no part of a recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainConfig {
    /// The recipe's name in `recipes`, and the recipe.
    pub recipe_name: String,
    /// The recipe itself.
    pub recipe: Recipe,
    /// Numbers that the convolutions compute with.
    pub precision: Precision,
    /// Whether CUDA may round the factors of float32 convolutions to 10 bits of mantissa.
    pub tf32: bool,
    /// Order of activations and kernels in memory.
    pub channels_last: ChannelsLast,
    /// Whether all images are kept in the device's memory.
    pub data_on_device: bool,
    /// Largest time between two checkpoints, minutes.
    pub checkpoint_minutes: f64,
}

/// How a network is trained to the end: SGD with momentum, a schedule, and when it is enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Passes over the training images, at most.
    pub epochs: usize,
    /// Images of a batch.
    pub batch_size: usize,
    /// The highest that the schedule reaches.
    pub learning_rate: f64,
    /// Momentum of SGD.
    pub momentum: f64,
    /// Whether the momentum is Nesterov's.
    pub nesterov: bool,
    /// Weight decay (L2).
    pub weight_decay: f64,
    /// Learning rate over the epochs.
    pub schedule: Schedule,
    /// The training ends after this many epochs in a row without a better validation accuracy; 0:
    /// it never ends early.
    pub early_stopping: usize,
}

/// Learning rate over a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Schedule {
    /// The same throughout.
    Constant,
    /// Multiplied by `factor` when each of these parts of the epochs is done.
    Steps {
        /// Parts of the epochs, each between 0 and 1, rising.
        at: Vec<f64>,
        /// What the learning rate is multiplied by, between 0 and 1.
        factor: f64,
    },
    /// Multiplied by `factor` after more than `patience` epochs in a row without a better
    /// validation accuracy.
    Plateau {
        /// Epochs that may pass without a better accuracy.
        patience: usize,
        /// What the learning rate is multiplied by, between 0 and 1.
        factor: f64,
    },
    /// Rises evenly from near 0 over the first `warmup_epochs`, then falls to 0 as half a cosine,
    /// per batch.
    Cosine {
        /// Epochs until the highest learning rate is reached.
        warmup_epochs: usize,
    },
}

impl Schedule {
    /// As in `recipes.NAME.schedule`.
    pub fn name(&self) -> &'static str {
        match self {
            Schedule::Constant => "constant",
            Schedule::Steps { .. } => "steps",
            Schedule::Plateau { .. } => "plateau",
            Schedule::Cosine { .. } => "cosine",
        }
    }
}

/// Numbers that the convolutions compute with. Parameters, batch norm's statistics and the loss are
/// float32 in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// bf16 on CUDA, float32 on the CPU.
    Auto,
    /// float32, with TF32 where `train.tf32` allows it.
    Float32,
    /// bfloat16, by CUDA's autocast.
    Bf16,
}

/// Order of activations and kernels in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelsLast {
    /// What was measured to be the fastest for the network and the device.
    Auto,
    /// `[N, H, W, C]` in memory.
    On,
    /// `[N, C, H, W]` in memory.
    Off,
}

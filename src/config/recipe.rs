//! How one network is trained to completion (`nas-tui train`): named recipes, and how the device is
//! used.

use serde::{Deserialize, Serialize};

use super::Stage;

/// Settings of `nas-tui train` that are not part of a recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainConfig {
    /// The recipe's name in `recipes`.
    pub recipe_name: String,
    /// The recipe itself.
    pub recipe: Recipe,
    /// The precision that convolutions are computed in.
    pub precision: Precision,
    /// Whether CUDA may round the factors of float32 convolutions to 10 bits of mantissa (TF32).
    pub tf32: bool,
    /// Memory order of activations and kernels.
    pub channels_last: ChannelsLast,
    /// Whether all images are kept in the device's memory.
    pub data_on_device: bool,
    /// Maximum time between two checkpoints, in minutes.
    pub checkpoint_minutes: f64,
    /// Whether the test images are classified after the last epoch.
    pub test: bool,
}

/// How a network is trained to completion: SGD with momentum (for kernels perhaps Muon), a schedule, and a
/// stopping rule. The fields that may be absent from a journal have values that change nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Maximum number of passes over the training images: the sum of the stages', if there are any.
    pub epochs: usize,
    /// The sizes that images are resized to, ascending to the whole size (progressive resizing); empty
    /// if all epochs are on whole images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// Images in a batch.
    pub batch_size: usize,
    /// The highest learning rate of the schedule.
    pub learning_rate: f64,
    /// What moves the kernels of convolutions.
    #[serde(default, skip_serializing_if = "Optimizer::is_sgd")]
    pub optimizer: Optimizer,
    /// Momentum of SGD.
    pub momentum: f64,
    /// Whether the momentum is Nesterov's.
    pub nesterov: bool,
    /// Weight decay (L2); not of kernels that [`Optimizer::Muon`] moves.
    pub weight_decay: f64,
    /// The parameters that decay.
    #[serde(default, skip_serializing_if = "DecayOn::is_all")]
    pub weight_decay_on: DecayOn,
    /// Learning rate over the epochs.
    pub schedule: Schedule,
    /// The training ends after this many consecutive epochs without a better validation accuracy; 0
    /// disables early stopping.
    pub early_stopping: usize,
    /// Part of the target probability that is spread evenly over all classes in the training loss,
    /// in 0..1 (Szegedy et al. 2016). Other losses are those of the true class.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub label_smoothing: f64,
    /// The part of the batches in training whose images are mixed with each other, in 0..=1 (CutMix: Yun et al.
    /// 2019). The training loss is then that for both labels of an image.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cutmix: f64,
    /// The weights that are validated, kept and tested.
    #[serde(default, skip_serializing_if = "WeightAverage::is_none")]
    pub weight_average: WeightAverage,
    /// Whether the test accuracy is also measured with each image and its mirror image together.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mirrored_test: bool,
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Recipe {
    /// Whether validation, the best weights and the test are those of averaged weights.
    pub fn averages(&self) -> bool {
        !self.weight_average.is_none()
    }

    /// Whether the training loss has smoothed labels, and so cannot be compared with other losses.
    pub fn smooths(&self) -> bool {
        self.label_smoothing > 0.0
    }

    /// Whether images are mixed in training, whose loss and accuracy then cannot be compared with others.
    pub fn mixes(&self) -> bool {
        self.cutmix > 0.0
    }

    /// That images are mixed, and in how many batches: `images mixed in 50 % of the batches`.
    pub fn mixing(&self) -> String {
        let percent = (self.cutmix * 1_000.0).round() / 10.0;
        format!("images mixed in {percent} % of the batches")
    }
}

/// What moves the kernels of convolutions; everything else is moved by SGD.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Optimizer {
    /// SGD too.
    #[default]
    Sgd,
    /// Momentum whose matrices are made orthogonal; kernels keep their norms and do not decay (Jordan et
    /// al. 2024).
    Muon {
        /// Length of a step as a part of the kernel's norm, at the highest learning rate of the schedule;
        /// less by a factor √(m/O) for a kernel with O filters of m < O values each.
        rate: f64,
        /// Part of the momentum that a step keeps.
        momentum: f64,
    },
}

impl Optimizer {
    fn is_sgd(&self) -> bool {
        *self == Optimizer::Sgd
    }
}

/// The parameters that weight decay applies to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecayOn {
    /// Every parameter, as in PyTorch.
    #[default]
    All,
    /// The weights of convolutions and classifier, but neither biases nor the scale and shift of
    /// batch norm (He et al. 2019, "no bias decay").
    Weights,
}

impl DecayOn {
    fn is_all(&self) -> bool {
        *self == DecayOn::All
    }
}

/// The mean over several steps that takes the place of the weights in validation and test, with
/// batch norm statistics of its own. Training continues from the weights themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WeightAverage {
    /// The weights themselves.
    #[default]
    None,
    /// The mean over the steps of the second half of each epoch (Izmailov et al. 2018; the latest
    /// ones only, as in Kaddour 2022).
    LastHalfEpoch,
    /// An exponential moving average over all steps.
    Ema {
        /// Part of the average that a step keeps, in 0..1; less in the first steps.
        decay: f64,
    },
}

impl WeightAverage {
    /// Whether there is no average.
    pub fn is_none(&self) -> bool {
        *self == WeightAverage::None
    }
}

/// Learning rate over a training.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Schedule {
    /// Constant.
    #[default]
    Constant,
    /// Multiplied by `factor` each time one of these fractions of the epochs has passed.
    Steps {
        /// Fractions of the epochs, each between 0 and 1, ascending.
        at: Vec<f64>,
        /// What the learning rate is multiplied by, between 0 and 1.
        factor: f64,
    },
    /// Multiplied by `factor` after more than `patience` consecutive epochs without a better
    /// validation accuracy.
    Plateau {
        /// Number of epochs allowed without a better accuracy.
        patience: usize,
        /// What the learning rate is multiplied by, between 0 and 1.
        factor: f64,
    },
    /// Rises linearly from near 0 over the first `warmup_epochs`, then falls to 0 as half a cosine,
    /// updated per batch.
    Cosine {
        /// Epochs until the highest learning rate is reached.
        warmup_epochs: usize,
    },
    /// Rises linearly to the highest learning rate, then falls linearly, updated per batch; its
    /// progress is the number of images seen (Smith and Topin 2018).
    OneCycle {
        /// Learning rate of the first batch.
        initial_rate: f64,
        /// Fraction of the images after which the highest learning rate is reached, in 0..1.
        peak_at: f64,
        /// Learning rate when all images have been seen.
        final_rate: f64,
    },
}

/// The precision that convolutions are computed in. Parameters, batch norm statistics and the loss
/// are always float32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// bf16 on CUDA, float32 on the CPU.
    Auto,
    /// float32, with TF32 where `train.tf32` allows it.
    Float32,
    /// bfloat16, through CUDA's autocast.
    Bf16,
}

/// Memory order of activations and kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelsLast {
    /// Whichever was measured to be faster for the network and the device.
    Auto,
    /// `[N, H, W, C]` in memory.
    On,
    /// `[N, C, H, W]` in memory.
    Off,
}

/// The number of whole epochs after which `part` of all `epochs` have passed.
pub fn whole_epochs(part: f64, epochs: usize) -> usize {
    // In binary 0.55 of 100 epochs are 55.00000000000001.
    (part * epochs as f64 - 1e-9).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hundredths_of_any_number_of_epochs_are_not_one_too_many() {
        for epochs in 1..=1_000 {
            for hundredths in 1..100 {
                let whole = whole_epochs(hundredths as f64 / 100.0, epochs);
                assert_eq!(whole, (hundredths * epochs).div_ceil(100));
            }
        }
    }
}

//! Settings of a run: read once, validated once, from then on plain typed values.

mod changes;
mod earlier;
mod error;
mod flip;
pub mod presets;
mod raw;
mod recipe;
mod resolve;
mod screen;
mod search;
mod slurm;
mod stages;
mod strategies;
mod validate;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use crate::foundation::device::DeviceChoice;
pub use changes::{ChangedSetting, by_key};
pub use error::ConfigError;
pub use flip::Flip;
pub use recipe::{
    ChannelsLast, DecayOn, Optimizer, Precision, Recipe, Schedule, TrainConfig, WeightAverage,
    whole_epochs,
};
pub use resolve::{
    Mistakes, Options, SAMPLE, mistakes, parse, place_of_setting, placed, read, resolve,
};
pub use screen::{Alerts, Characters, Colours, Column, LayoutName, ScreenConfig, ThemeName};
pub use search::{Reuse, Updates};
pub use slurm::{EvaluatorChoice, SlurmConfig};
pub use stages::{Stage, StageSpan};
pub use strategies::{
    BaselineKind, ControllerConfig, EvolutionConfig, PpoConfig, PredictorConfig, STRATEGIES,
    StrategyFacts,
};
pub use validate::{LARGEST_SETTING, MOST_LAYERS, Violation, check_choices};

/// For settings that are written only where they change something.
fn is_zero(pixels: &usize) -> bool {
    *pixels == 0
}

/// Validated settings. Every number is in its documented range.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Name of the preset that the settings are based on.
    pub preset: String,
    /// The images, how they are split, and how batches are prepared.
    pub data: DataConfig,
    /// How children are proposed, and how many.
    pub search: SearchConfig,
    /// The LSTM policy and how it learns.
    pub controller: ControllerConfig,
    /// How `evolution` chooses parents.
    pub evolution: EvolutionConfig,
    /// How often `ppo` uses an episode, and how far the policy can move.
    pub ppo: PpoConfig,
    /// How `predictor` chooses among candidates.
    pub predictor: PredictorConfig,
    /// The search space.
    pub space: SpaceConfig,
    /// Limits on the cost of a child.
    pub constraints: ConstraintsConfig,
    /// How a child is trained.
    pub child: ChildConfig,
    /// Which children are stopped before the end of their training.
    pub early_stopping: EarlyStoppingConfig,
    /// How accuracy becomes reward.
    pub reward: RewardConfig,
    /// The processes that train children, and their device.
    pub workers: WorkersConfig,
    /// How a Slurm cluster is used, if `workers.evaluator` says so.
    pub slurm: SlurmConfig,
    /// How `nas-tui train` trains one network to completion.
    pub train: TrainConfig,
    /// The appearance of the screen.
    pub screen: ScreenConfig,
    /// The raw settings that these were validated from, which are what is written to a file.
    raw: raw::RawConfig,
}

/// The images, how they are split, and how batches are prepared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataConfig {
    /// Which data set.
    pub source: DataSource,
    /// Folder of the data set; if absent, the source's default locations.
    pub dir: Option<PathBuf>,
    /// Height and width that `folder:` images are resized to.
    pub size: [usize; 2],
    /// Number of training images set aside for validation, as evenly over the classes as possible.
    pub validation: usize,
    /// Use only this many training images (stratified); if absent, all of them.
    pub limit: Option<usize>,
    /// How pixel values are normalised.
    pub normalization: Normalization,
    /// Random crops of training images.
    pub crop: Crop,
    /// How training images are mirrored.
    pub flip: Flip,
    /// Side in pixels of the square that is cut out of each training image, at random; 0: none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cutout: usize,
}

/// A data set by name (SPEC without the folder).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataSource {
    /// 2,000 training images of Fashion-MNIST that are embedded in the program, `[1, 28, 28]`.
    FashionMnistMini,
    /// Fashion-MNIST (Xiao et al. 2017), `[1, 28, 28]`, ten classes.
    FashionMnist,
    /// CIFAR-10 (Krizhevsky 2009), `[3, 32, 32]`, ten classes.
    Cifar10,
    /// CIFAR-10.1 (Recht et al. 2018), which is only a test set.
    #[serde(rename = "cifar10.1")]
    Cifar10_1,
    /// A folder with one subfolder of image files for each class.
    Folder,
}

impl DataSource {
    /// The data sets that can be used for training.
    pub const NAMES: [&str; 4] = ["fashion-mnist-mini", "fashion-mnist", "cifar10", "folder"];

    /// The data set with this name, as in `data.source`; `None` for any other text.
    pub fn from_name(name: &str) -> Option<DataSource> {
        match name {
            "fashion-mnist-mini" => Some(DataSource::FashionMnistMini),
            "fashion-mnist" => Some(DataSource::FashionMnist),
            "cifar10" => Some(DataSource::Cifar10),
            "cifar10.1" => Some(DataSource::Cifar10_1),
            "folder" => Some(DataSource::Folder),
            _ => None,
        }
    }

    /// The name used in `data.source`.
    pub fn name(self) -> &'static str {
        match self {
            DataSource::FashionMnistMini => "fashion-mnist-mini",
            DataSource::FashionMnist => "fashion-mnist",
            DataSource::Cifar10 => "cifar10",
            DataSource::Cifar10_1 => "cifar10.1",
            DataSource::Folder => "folder",
        }
    }
}

/// How an image's pixel values are normalised before a network sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalization {
    /// By mean and standard deviation of each channel (CIFAR-10: the fixed published values;
    /// others: those of the training set).
    Standard,
    /// ZCA whitening fitted on the training set.
    Whitening,
}

/// How training images are cropped at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Crop {
    /// No crops.
    None,
    /// Zero-pad by this many pixels on each side, then crop to the original size.
    Pad(usize),
    /// Enlarge (bilinear) to a square with sides of this many pixels, then crop to the original
    /// size (as in the paper).
    Upsample(usize),
}

/// How children are proposed, and how many.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchConfig {
    /// The strategy that proposes them.
    pub strategy: &'static StrategyFacts,
    /// Number of episodes: rounds of children after each of which the strategy may learn.
    pub episodes: usize,
    /// Children in each episode.
    pub children_per_episode: usize,
    /// Children drawn uniformly at the same depth in each episode, for comparison; see
    /// [`SearchConfig::controls`].
    pub controls_per_episode: usize,
    /// What happens to a child that repeats an architecture already trained in this run.
    pub reuse: Reuse,
    /// Maximum number of trainings of one architecture with [`Reuse::Mean`], at least 2.
    pub reuse_limit: usize,
    /// Whether the next episode begins before an episode has been learned from.
    pub updates: Updates,
    /// Seed of every random stream of the run.
    pub seed: u64,
    /// Number of layers of the first children.
    pub initial_depth: usize,
    /// Layers added each time `depth_every` more children have been sampled.
    pub depth_step: usize,
    /// Number of children between two increases of depth.
    pub depth_every: usize,
    /// A run to compare this one with, usually of the strategy `random`: its directory, or its name
    /// in ./runs.
    pub reference: Option<PathBuf>,
    /// CSV file with the accuracies of the children of a tabular space.
    pub table: Option<PathBuf>,
}

impl SearchConfig {
    /// Number of layers of child number `child` (counted from 1).
    pub fn depth(&self, child: u64) -> usize {
        self.initial_depth
            + self.depth_step * ((child.saturating_sub(1)) as usize / self.depth_every)
    }

    /// Number of children in the whole search, without controls.
    pub fn children(&self) -> u64 {
        (self.episodes * self.children_per_episode) as u64
    }

    /// Whether an episode begins before the previous ones have been learned from.
    pub fn is_asynchronous(&self) -> bool {
        self.updates == Updates::Asynchronous
    }

    /// Number of children that train one architecture before others repeat their outcome; `None` if
    /// no child repeats another.
    pub fn trainings(&self) -> Option<usize> {
        match self.reuse {
            Reuse::Never => None,
            Reuse::First => Some(1),
            Reuse::Mean => Some(self.reuse_limit),
        }
    }

    /// Number of controls in each episode: none for random search, which draws all of its children
    /// the way controls are drawn.
    pub fn controls(&self) -> u64 {
        if self.strategy.learns {
            self.controls_per_episode as u64
        } else {
            0
        }
    }

    /// Number of children in the whole search including its controls, which are numbered after
    /// them.
    pub fn numbered(&self) -> u64 {
        self.children() + self.episodes as u64 * self.controls()
    }
}

/// The options of each head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceConfig {
    /// The name of the kind of space, which determines the heads that describe a layer
    /// (`space::family`).
    pub layer: String,
    /// Options for a kernel's height and width, in pixels.
    pub kernels: Vec<u32>,
    /// Options for the number of filters.
    pub filters: Vec<u32>,
    /// Options for the stride, in pixels.
    pub strides: Vec<u32>,
    /// Options for the padding in a `chain` space; unused in the others, where padding is "same".
    pub paddings: Vec<u32>,
    /// How choices become a layer.
    pub decode: Decode,
}

/// How the choices for a layer become the layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decode {
    /// The DNA is taken literally.
    #[default]
    Literal,
    /// As in the monograph's program: kernel clipped to 1..7 and made odd, filters clipped to
    /// 24..64, stride 1, "same" padding.
    Clipped,
}

/// Limits on the cost of a sampled child; `None` means no limit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConstraintsConfig {
    /// Trainable parameters.
    pub max_params: Option<u64>,
    /// Multiply-accumulates per image.
    pub max_macs: Option<u64>,
    /// Estimated memory for training, in MiB.
    pub max_memory: Option<u64>,
}

/// How a child is trained: SGD with momentum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildConfig {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images in a batch.
    pub batch_size: usize,
    /// Initial learning rate.
    pub learning_rate: f64,
    /// Momentum of SGD.
    pub momentum: f64,
    /// Whether the momentum is Nesterov's.
    pub nesterov: bool,
    /// Weight decay (L2), applied to every parameter.
    pub weight_decay: f64,
    /// Learning rate over the child's epochs.
    pub schedule: ChildSchedule,
}

/// Learning rate over a child's epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildSchedule {
    /// Constant.
    Constant,
    /// Half a cosine from the initial learning rate to 0, updated per batch.
    Cosine,
}

/// Stopping children whose accuracy is low for the moment of their training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EarlyStoppingConfig {
    /// Quantile of the earlier episodes' children, in 0..1, below which a child is stopped; 0: no
    /// child is.
    pub below: f64,
    /// Part of the epochs after which it is decided, in 0..1.
    pub after: f64,
}

/// How a child's accuracy becomes its reward (paper, section 4.1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RewardConfig {
    /// K of "max validation accuracy over the last K epochs".
    pub last_epochs: usize,
    /// Exponent of the accuracy: 3 in the paper, which favours the best children.
    pub power: f64,
    /// Reduces the reward of children with more multiply-accumulates than the target.
    pub penalty: Option<MacsPenalty>,
}

/// The factor `(macs / target) ^ exponent` of a reward (Tan et al. 2019, MnasNet).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MacsPenalty {
    /// Multiply-accumulates per image of a child whose factor is 1.
    pub target: u64,
    /// At most 0: the more negative, the more large children lose.
    pub exponent: f64,
}

/// Worker processes. `None` means "auto": whatever is fastest on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkersConfig {
    /// Who trains the children of a search.
    pub evaluator: EvaluatorChoice,
    /// Number of processes.
    pub count: Option<usize>,
    /// CPU threads of each process.
    pub threads: Option<usize>,
    /// The device they train on.
    pub device: DeviceChoice,
}

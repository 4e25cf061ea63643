//! Settings of a run: read once, validated once, then plain typed values.

mod changes;
pub mod presets;
mod raw;
mod recipe;
mod resolve;
mod screen;
mod validate;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use crate::foundation::device::DeviceChoice;
pub use recipe::{ChannelsLast, Precision, Recipe, Schedule, TrainConfig};
pub use resolve::{ConfigError, Options, SAMPLE, parse, place_of_setting, read, resolve};
pub use screen::{Alerts, Characters, Colours, LayoutName, ScreenConfig, ThemeName};
pub use validate::{LARGEST_SETTING, Violation, check_choices};

/// Validated settings. Every number is in its documented range.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Name of the preset that the settings started from.
    pub preset: String,
    /// Images: which, how they are split, how a batch is prepared.
    pub data: DataConfig,
    /// How children are proposed, and how many.
    pub search: SearchConfig,
    /// The LSTM policy and how it learns.
    pub controller: ControllerConfig,
    /// How `evolution` chooses parents.
    pub evolution: EvolutionConfig,
    /// What a child may look like.
    pub space: SpaceConfig,
    /// How a child is trained.
    pub child: ChildConfig,
    /// What a child's accuracy is worth.
    pub reward: RewardConfig,
    /// Processes that train children, and on which device.
    pub workers: WorkersConfig,
    /// How `nas-tui train` trains one network to the end.
    pub train: TrainConfig,
    /// How the screen looks.
    pub screen: ScreenConfig,
    /// What these settings were validated from: how they are written to a file.
    raw: raw::RawConfig,
}

/// Which images, how they are split and how a batch is prepared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataConfig {
    /// Which data set.
    pub source: DataSource,
    /// Folder of the data set; if absent, the usual places of the source.
    pub dir: Option<PathBuf>,
    /// Height and width that `folder:` images are resized to.
    pub size: [usize; 2],
    /// Training images set apart for validation, the same number of each class as far as it
    /// divides.
    pub validation: usize,
    /// Use only this many training images (stratified); if absent, all of them.
    pub limit: Option<usize>,
    /// What is done to the pixels' values.
    pub normalization: Normalization,
    /// Random crops of training images.
    pub crop: Crop,
    /// Whether training images are mirrored at random (left to right, half of the time).
    pub flip: bool,
}

/// A data set by name (`SPEC` without its folder).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataSource {
    /// 2,000 training images of Fashion-MNIST that are part of the program, `[1, 28, 28]`.
    FashionMnistMini,
    /// Fashion-MNIST (Xiao et al. 2017), `[1, 28, 28]`, ten classes.
    FashionMnist,
    /// CIFAR-10 (Krizhevsky 2009), `[3, 32, 32]`, ten classes.
    Cifar10,
    /// A test set only.
    #[serde(rename = "cifar10.1")]
    Cifar10_1,
    /// A folder with one folder of image files for each class.
    Folder,
}

impl DataSource {
    /// Those that can be trained on.
    pub const NAMES: [&str; 4] = ["fashion-mnist-mini", "fashion-mnist", "cifar10", "folder"];

    /// The data set of this name, as in `data.source`; `None` for any other text.
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

    /// As in `data.source`.
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

/// What is done to the values of an image's pixels before a network sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalization {
    /// Per-channel mean and standard deviation (CIFAR-10: the fixed published ones; others: of the
    /// training set).
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
    /// size (the paper's way).
    Upsample(usize),
}

/// How children are proposed, and how many.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchConfig {
    /// What proposes them.
    pub strategy: Strategy,
    /// Episodes: rounds of children after each of which the strategy may learn.
    pub episodes: usize,
    /// Children of an episode.
    pub children_per_episode: usize,
    /// A child that repeats an architecture trained in this run takes its reward instead of
    /// training again.
    pub reuse: bool,
    /// Seed of every random stream of the run.
    pub seed: u64,
    /// Layers of the first children.
    pub initial_depth: usize,
    /// Layers added each time `depth_every` more children have been sampled.
    pub depth_step: usize,
    /// Children between two additions of layers.
    pub depth_every: usize,
    /// A run to hold this one against, usually one of the random strategy: its directory, or its
    /// name in ./runs.
    pub reference: Option<PathBuf>,
    /// CSV file with the accuracies of the children of a tabular space.
    pub table: Option<PathBuf>,
}

impl SearchConfig {
    /// Number of layers of a child (children are counted from 1).
    pub fn depth(&self, child: u64) -> usize {
        self.initial_depth
            + self.depth_step * ((child.saturating_sub(1)) as usize / self.depth_every)
    }

    /// Children of the whole search.
    pub fn children(&self) -> u64 {
        (self.episodes * self.children_per_episode) as u64
    }
}

/// What proposes children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// LSTM policy trained by REINFORCE.
    Reinforce,
    /// Uniform over the feasible choices of each decision; never learns.
    Random,
    /// Regularized evolution (Real et al. 2019).
    Evolution,
}

impl Strategy {
    /// As in `search.strategy`.
    pub fn name(self) -> &'static str {
        match self {
            Strategy::Reinforce => "reinforce",
            Strategy::Random => "random",
            Strategy::Evolution => "evolution",
        }
    }
}

/// The LSTM policy and REINFORCE (paper, sections 3.1, 3.2 and 4.1).
#[derive(Debug, Clone, PartialEq)]
pub struct ControllerConfig {
    /// Units of each LSTM layer.
    pub hidden_size: usize,
    /// LSTM layers.
    pub layers: usize,
    /// Weights start uniform in `±init_range`.
    pub init_range: f64,
    /// Adam.
    pub learning_rate: f64,
    /// Weight of the entropy bonus; 0 is the paper's.
    pub entropy: f64,
    /// Decay of the baseline, an exponential moving average of previous rewards.
    pub baseline_decay: f64,
    /// Largest L2 norm of the gradient; larger ones are scaled down.
    pub gradient_clip: f64,
}

/// Regularized evolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvolutionConfig {
    /// Youngest children that may become parents.
    pub population: usize,
    /// Children drawn from the population, with repetition, the best of which is a parent.
    pub sample: usize,
}

/// The options of each decision about a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceConfig {
    /// Which decisions a layer consists of.
    pub layer: LayerKind,
    /// Options of a kernel's height and width, pixels.
    pub kernels: Vec<u32>,
    /// Options of the number of filters.
    pub filters: Vec<u32>,
    /// Options of the stride, pixels.
    pub strides: Vec<u32>,
    /// Choices of padding in a `chain` space; unused in a `rectangular` one, whose padding is
    /// "same".
    pub paddings: Vec<u32>,
    /// How picks become a layer.
    pub decode: Decode,
}

/// The decisions that describe one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    /// `[k, f, s, p]`, square (monograph, demo).
    Chain,
    /// `[kh, kw, f, sh, sw]` with "same" padding (paper).
    Rectangular,
    /// Cells of NAS-Bench-201, looked up in a table.
    Nasbench201,
}

impl LayerKind {
    /// Whether children are looked up in a table and not trained.
    pub fn is_tabular(self) -> bool {
        matches!(self, LayerKind::Nasbench201)
    }
}

/// How the picks of a layer become the layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decode {
    /// DNA means what it says.
    #[default]
    Literal,
    /// The monograph's program: kernel to 1..7 and made odd, filters to 24..64, stride 1, "same"
    /// padding.
    Clipped,
}

/// How a child is trained: SGD with momentum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildConfig {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images of a batch.
    pub batch_size: usize,
    /// Learning rate at the start.
    pub learning_rate: f64,
    /// Momentum of SGD.
    pub momentum: f64,
    /// Whether the momentum is Nesterov's.
    pub nesterov: bool,
    /// Weight decay (L2), on every parameter.
    pub weight_decay: f64,
    /// Learning rate over the child's epochs.
    pub schedule: ChildSchedule,
}

/// Learning rate over a child's epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildSchedule {
    /// The same throughout.
    Constant,
    /// Half a cosine from the learning rate to 0, per batch.
    Cosine,
}

/// What a child's accuracy is worth (paper, section 4.1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RewardConfig {
    /// K of "max validation accuracy over the last K epochs".
    pub last_epochs: usize,
    /// Power of the accuracy: 3 in the paper, which rewards the best children most.
    pub power: f64,
}

/// Worker processes. `None` is "auto": what is fastest on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkersConfig {
    /// Number of processes.
    pub count: Option<usize>,
    /// CPU threads of each.
    pub threads: Option<usize>,
    /// Where they train.
    pub device: DeviceChoice,
}

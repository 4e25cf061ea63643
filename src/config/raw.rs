//! Settings as written in a TOML file, before validation. Unknown keys and wrong types are serde
//! errors with a line number.

mod recipe;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::recipe::{RawOptimizer, RawRecipe, RawSchedule, RawStage, RawWeightAverage};
use super::presets;
use super::slurm::{EvaluatorChoice, RawSlurm};
use super::{
    Alerts, BaselineKind, ChannelsLast, Characters, ChildSchedule, Colours, Column, Decode,
    DeviceChoice, Flip, LayoutName, Normalization, Precision, Reuse, ThemeName, Updates,
};

/// The whole file. Every key is optional; missing ones come from the preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawConfig {
    pub preset: String,
    pub data: RawData,
    pub search: RawSearch,
    pub controller: RawController,
    pub evolution: RawEvolution,
    pub ppo: RawPpo,
    pub predictor: RawPredictor,
    pub space: RawSpace,
    pub constraints: RawConstraints,
    pub child: RawChild,
    pub early_stopping: RawEarlyStopping,
    pub reward: RawReward,
    pub workers: RawWorkers,
    pub slurm: RawSlurm,
    pub train: RawTrain,
    pub recipes: BTreeMap<String, RawRecipe>,
    pub screen: RawScreen,
}

/// Section `[data]`, as [`super::DataConfig`] before its ranges are checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawData {
    pub source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    pub size: [i64; 2],
    pub validation: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    pub normalization: Normalization,
    pub crop: RawCrop,
    pub crop_pixels: i64,
    pub flip: Flip,
    pub cutout_pixels: i64,
}

/// `data.crop`; its number of pixels is a key of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawCrop {
    None,
    Pad,
    Upsample,
}

/// Section `[search]`, as [`super::SearchConfig`] before its ranges are checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawSearch {
    pub strategy: String,
    pub episodes: i64,
    pub children_per_episode: i64,
    pub controls: i64,
    pub reuse: Reuse,
    pub reuse_limit: i64,
    pub updates: Updates,
    pub seed: i64,
    pub initial_depth: i64,
    pub depth_step: i64,
    pub depth_every: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<PathBuf>,
}

/// Section `[controller]`, as [`super::ControllerConfig`] before its ranges are checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawController {
    pub hidden_size: i64,
    pub layers: i64,
    pub init_range: f64,
    pub learning_rate: f64,
    pub entropy: f64,
    pub baseline: BaselineKind,
    pub baseline_decay: f64,
    pub gradient_clip: f64,
}

/// Section `[evolution]`, as [`super::EvolutionConfig`] before its ranges are checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawEvolution {
    pub population: i64,
    pub sample: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawPpo {
    pub epochs: i64,
    pub clip: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawPredictor {
    pub initial: i64,
    pub networks: i64,
    pub candidates: i64,
}

/// Section `[early_stopping]`, as [`super::EarlyStoppingConfig`] before its ranges are checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawEarlyStopping {
    pub below: f64,
    pub after: f64,
}

/// Section `[space]`, as [`super::SpaceConfig`] before its ranges are checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawSpace {
    pub layer: String,
    pub kernels: Vec<i64>,
    pub filters: Vec<i64>,
    pub strides: Vec<i64>,
    pub paddings: Vec<i64>,
    pub decode: Decode,
}

/// Section `[constraints]`, as [`super::ConstraintsConfig`] before its ranges are checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawConstraints {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_params: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_macs: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_memory: Option<i64>,
}

/// Section `[child]`, as [`super::ChildConfig`] before its ranges are checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawChild {
    pub epochs: i64,
    pub batch_size: i64,
    pub learning_rate: f64,
    pub momentum: f64,
    pub nesterov: bool,
    pub weight_decay: f64,
    pub schedule: ChildSchedule,
}

/// Section `[reward]`, as [`super::RewardConfig`] before its ranges are checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawReward {
    pub last_epochs: i64,
    pub power: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_macs: Option<i64>,
    pub macs_exponent: f64,
}

/// Section `[workers]`, as [`super::WorkersConfig`] before its ranges are checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawWorkers {
    pub evaluator: EvaluatorChoice,
    pub count: Count,
    pub threads: Count,
    pub device: DeviceChoice,
}

/// Section `[train]`, as [`super::TrainConfig`] before its ranges are checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawTrain {
    pub recipe: String,
    pub precision: Precision,
    pub tf32: bool,
    pub channels_last: ChannelsLast,
    pub data_on_device: bool,
    pub checkpoint_minutes: f64,
    pub test: bool,
}

/// Section `[screen]`, as [`super::ScreenConfig`] before its ranges are checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawScreen {
    pub layout: LayoutName,
    pub theme: ThemeName,
    pub colours: Colours,
    pub characters: Characters,
    pub refresh_rate: f64,
    pub alerts: Alerts,
    pub mouse: bool,
    pub title: bool,
    pub columns: Vec<Column>,
    pub keys: BTreeMap<String, Vec<String>>,
}

/// The default is the demo, so that a file may omit what it does not change. (`resolve` then fills
/// in the preset's values instead.)
macro_rules! default_is_the_demo {
    ($($section:ty: $field:ident,)*) => {
        $(impl Default for $section {
            fn default() -> Self {
                presets::demo().$field
            }
        })*
    };
}

default_is_the_demo!(
    RawData: data,
    RawSearch: search,
    RawController: controller,
    RawEvolution: evolution,
    RawPpo: ppo,
    RawPredictor: predictor,
    RawSpace: space,
    RawConstraints: constraints,
    RawChild: child,
    RawEarlyStopping: early_stopping,
    RawReward: reward,
    RawWorkers: workers,
    RawTrain: train,
    RawScreen: screen,
);

impl Default for RawRecipe {
    fn default() -> Self {
        let mut recipe = presets::densenet();
        (recipe.milestones, recipe.factor) = (None, None);
        recipe
    }
}

impl Default for RawConfig {
    fn default() -> Self {
        presets::demo()
    }
}

/// A whole number, or `"auto"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    Auto,
    Number(i64),
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Count::Auto => serializer.serialize_str("auto"),
            Count::Number(number) => serializer.serialize_i64(*number),
        }
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor)
    }
}

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = Count;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("\"auto\" or a whole number")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Count, E> {
        Ok(Count::Number(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Count, E> {
        i64::try_from(number)
            .map(Count::Number)
            .map_err(|_| E::custom("the number is too large"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Count, E> {
        match text {
            "auto" => Ok(Count::Auto),
            other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
        }
    }
}

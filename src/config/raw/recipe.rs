//! A recipe as written in a TOML file: see [`Recipe`](crate::config::Recipe).

use serde::{Deserialize, Serialize};

use super::RawCrop;
use crate::config::{DecayOn, Flip, Normalization};

/// Missing keys have the values of `densenet`. Keys that belong to another schedule are ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawRecipe {
    pub epochs: i64,
    pub batch_size: i64,
    pub learning_rate: f64,
    pub momentum: f64,
    pub nesterov: bool,
    pub weight_decay: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay_on: Option<DecayOn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimizer: Option<RawOptimizer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muon_rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muon_momentum: Option<f64>,
    pub schedule: RawSchedule,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_at: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milestones: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup_epochs: Option<i64>,
    pub early_stopping: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stages: Option<Vec<RawStage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_smoothing: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutmix: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_average: Option<RawWeightAverage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema_decay: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirrored_test: Option<bool>,
    // In a training, each of these takes the place of the key with the same name in `[data]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalization: Option<Normalization>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crop: Option<RawCrop>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crop_pixels: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flip: Option<Flip>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutout_pixels: Option<i64>,
}

/// `recipes.*.optimizer`; the figures of `muon` are keys of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawOptimizer {
    Sgd,
    Muon,
}

/// `recipes.*.weight_average`; the decay of `ema` is a key of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawWeightAverage {
    None,
    LastHalfEpoch,
    Ema,
}

/// A stage of a recipe, as [`super::Stage`] before its ranges are checked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawStage {
    pub epochs: i64,
    pub size: i64,
    pub crop_pixels: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutout_pixels: Option<i64>,
}

/// `recipes.*.schedule`; its figures are keys of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawSchedule {
    Constant,
    Steps,
    Plateau,
    Cosine,
    OneCycle,
}

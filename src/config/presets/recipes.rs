//! The built-in recipes. `densenet` is the default; the others are written as differences from it.

use std::collections::BTreeMap;

use crate::config::raw::{RawCrop, RawRecipe, RawSchedule, RawStage, RawWeightAverage};
use crate::config::{DecayOn, Flip, Normalization};

pub(super) fn recipes() -> BTreeMap<String, RawRecipe> {
    [
        ("densenet", densenet()),
        ("plateau", plateau()),
        ("cosine", cosine()),
        ("night", night()),
    ]
    .map(|(name, recipe)| (name.to_owned(), recipe))
    .into()
}

/// How Zoph & Le train their final networks (section 4.1): with the settings of DenseNet's authors.
pub fn densenet() -> RawRecipe {
    RawRecipe {
        epochs: 300,
        batch_size: 64,
        learning_rate: 0.1,
        momentum: 0.9,
        nesterov: true,
        weight_decay: 1e-4,
        weight_decay_on: None,
        optimizer: None,
        muon_rate: None,
        muon_momentum: None,
        schedule: RawSchedule::Steps,
        initial_rate: None,
        peak_at: None,
        final_rate: None,
        milestones: Some(vec![0.5, 0.75]),
        factor: Some(0.1),
        patience: None,
        warmup_epochs: None,
        early_stopping: 0,
        stages: None,
        label_smoothing: None,
        cutmix: None,
        weight_average: None,
        ema_decay: None,
        mirrored_test: None,
        normalization: None,
        crop: None,
        crop_pixels: None,
        flip: None,
        cutout_pixels: None,
    }
}

/// The monograph's recipe: the learning rate falls, and the training ends, when the validation
/// accuracy stops improving.
fn plateau() -> RawRecipe {
    RawRecipe {
        batch_size: 128,
        schedule: RawSchedule::Plateau,
        milestones: None,
        patience: Some(10),
        early_stopping: 20,
        ..densenet()
    }
}

/// A cosine schedule over as many epochs as there is time for.
fn cosine() -> RawRecipe {
    RawRecipe {
        epochs: 30,
        batch_size: 128,
        schedule: RawSchedule::Cosine,
        milestones: None,
        factor: None,
        warmup_epochs: Some(1),
        ..densenet()
    }
}

/// As accurate as possible on CIFAR-10 in one night on two CPU cores (docs/TRAINING.md gives the source of
/// each part). It says itself how images are prepared.
fn night() -> RawRecipe {
    RawRecipe {
        epochs: 28,
        batch_size: 128,
        learning_rate: 0.2,
        weight_decay: 5e-4,
        weight_decay_on: Some(DecayOn::Weights),
        schedule: RawSchedule::OneCycle,
        initial_rate: Some(0.02),
        peak_at: Some(0.15),
        final_rate: Some(0.002),
        milestones: None,
        factor: None,
        label_smoothing: Some(0.1),
        cutmix: None,
        weight_average: Some(RawWeightAverage::LastHalfEpoch),
        mirrored_test: Some(true),
        normalization: Some(Normalization::Standard),
        crop: Some(RawCrop::Pad),
        crop_pixels: Some(4),
        flip: Some(Flip::Alternating),
        stages: Some(vec![stage(10, 16, 2), stage(10, 24, 3), stage(8, 32, 4)]),
        ..densenet()
    }
}

fn stage(epochs: i64, size: i64, crop_pixels: i64) -> RawStage {
    RawStage {
        epochs,
        size,
        crop_pixels,
        cutout_pixels: None,
    }
}

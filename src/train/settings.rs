//! How a network is fitted, besides the learning rate.

use super::optimizer::SgdSettings;
use crate::config::{ChildConfig, DecayOn, Optimizer, Recipe, WeightAverage};

/// Settings of a [`Fit`](super::Fit).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitSettings {
    /// The optimiser's.
    pub(super) sgd: SgdSettings,
    /// What moves the kernels of convolutions.
    pub(super) optimizer: Optimizer,
    /// The highest learning rate of the schedule.
    pub(super) peak: f64,
    /// The parameters that decay.
    pub(super) weight_decay_on: DecayOn,
    /// Label smoothing of the training loss, in 0..1.
    pub(super) label_smoothing: f64,
    /// The part of the batches whose images are mixed, in 0..=1.
    pub(super) cutmix: f64,
    /// The mean of the weights that is kept beside them.
    pub(super) weight_average: WeightAverage,
}

impl From<SgdSettings> for FitSettings {
    fn from(sgd: SgdSettings) -> FitSettings {
        FitSettings {
            sgd,
            optimizer: Optimizer::Sgd,
            peak: 1.0,
            weight_decay_on: DecayOn::All,
            label_smoothing: 0.0,
            cutmix: 0.0,
            weight_average: WeightAverage::None,
        }
    }
}

impl From<&ChildConfig> for FitSettings {
    fn from(child: &ChildConfig) -> FitSettings {
        SgdSettings::from(child).into()
    }
}

impl From<&Recipe> for FitSettings {
    fn from(
        &Recipe {
            learning_rate,
            optimizer,
            momentum,
            nesterov,
            weight_decay,
            weight_decay_on,
            label_smoothing,
            cutmix,
            weight_average,
            ..
        }: &Recipe,
    ) -> FitSettings {
        FitSettings {
            sgd: SgdSettings {
                momentum,
                nesterov,
                weight_decay,
            },
            optimizer,
            peak: learning_rate,
            weight_decay_on,
            label_smoothing,
            cutmix,
            weight_average,
        }
    }
}

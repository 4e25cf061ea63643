//! Why a strategy could not do what it was asked.

use crate::space::SpaceError;

/// Why a strategy could not do what it was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StrategyError {
    #[error(transparent)]
    Space(#[from] SpaceError),
    #[error(
        "the checkpoint's strategy is `{found}`, this run's is `{expected}`: resume with the configuration of the run directory"
    )]
    OtherStrategy { expected: String, found: String },
    #[error(
        "the checkpoint has no tensor `{name}`: it was written for another controller or is damaged"
    )]
    MissingTensor { name: String },
    #[error(
        "the checkpoint has a tensor `{name}` that this controller does not: it was written for another search space or controller"
    )]
    UnknownTensor { name: String },
    #[error(
        "tensor `{name}` of the checkpoint is {found:?}, this controller needs {expected:?}: the search space, controller.hidden_size or controller.layers changed"
    )]
    Shape {
        name: String,
        expected: Vec<usize>,
        found: Vec<usize>,
    },
    #[error(
        "tensor `{name}` of the checkpoint has {found} values for a shape of {expected}: it is damaged"
    )]
    Length {
        name: String,
        expected: usize,
        found: usize,
    },
    #[error("tensor `{name}` of the checkpoint holds a number that is not finite: it is damaged")]
    NotFinite { name: String },
    #[error("`{name}` of the checkpoint: {reason}")]
    Scalar { name: String, reason: String },
    #[error(
        "the controller has heads of {expected:?} choices, the search space has {found:?}: they belong to different runs"
    )]
    OtherSpace {
        expected: Vec<usize>,
        found: Vec<usize>,
    },
    #[error(
        "the {strategy} strategy learns from children that it drew itself, and child {child} of the episode was not drawn"
    )]
    NotDrawn {
        strategy: &'static str,
        child: usize,
    },
    #[error(
        "{samples} samples and {rewards} rewards: a strategy learns from one finite reward per sample, and at least one"
    )]
    Rewards { samples: usize, rewards: usize },
    #[error(
        "the controller's probabilities for layer {layer}, head {head} are not numbers: lower controller.learning_rate"
    )]
    Diverged { layer: usize, head: usize },
    #[error("the controller's gradient is not finite: lower controller.learning_rate")]
    Gradient,
}

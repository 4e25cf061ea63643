//! Errors of strategies.

use crate::space::SpaceError;

/// Why a strategy could not do what was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StrategyError {
    /// The space has no child of the requested depth.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The checkpoint was written by another strategy.
    #[error(
        "the checkpoint's strategy is `{found}`, this run's is `{expected}`: resume with the configuration of the run directory"
    )]
    OtherStrategy {
        /// The run's strategy, as in `search.strategy`.
        expected: String,
        /// The checkpoint's strategy.
        found: String,
    },
    /// The checkpoint lacks a tensor.
    #[error(
        "the checkpoint has no tensor `{name}`: it was written for another controller or is damaged"
    )]
    MissingTensor {
        /// Name of the tensor in the checkpoint.
        name: String,
    },
    /// The checkpoint has an extra tensor.
    #[error(
        "the checkpoint has a tensor `{name}` that this controller does not: it was written for another search space or controller"
    )]
    UnknownTensor {
        /// Name of the tensor in the checkpoint.
        name: String,
    },
    /// The shape of a tensor in the checkpoint differs from the controller's.
    #[error(
        "tensor `{name}` of the checkpoint is {found:?}, this controller needs {expected:?}: the search space, controller.hidden_size or controller.layers changed"
    )]
    Shape {
        /// Name of the tensor in the checkpoint.
        name: String,
        /// Shape in the controller.
        expected: Vec<usize>,
        /// Shape in the checkpoint.
        found: Vec<usize>,
    },
    /// The number of a tensor's values in the checkpoint does not match its shape.
    #[error(
        "tensor `{name}` of the checkpoint has {found} values for a shape of {expected}: it is damaged"
    )]
    Length {
        /// Name of the tensor in the checkpoint.
        name: String,
        /// Product of its shape.
        expected: usize,
        /// Number of values present.
        found: usize,
    },
    /// A tensor in the checkpoint contains NaN or an infinity.
    #[error("tensor `{name}` of the checkpoint holds a number that is not finite: it is damaged")]
    NotFinite {
        /// Name of the tensor in the checkpoint.
        name: String,
    },
    /// A scalar in the checkpoint is missing or cannot be read.
    #[error("`{name}` of the checkpoint: {reason}")]
    Scalar {
        /// Its key.
        name: String,
        /// Explanation for the user.
        reason: String,
    },
    /// The controller was made for another space.
    #[error(
        "the controller has heads of {expected:?} options, the search space has {found:?}: they belong to different runs"
    )]
    OtherSpace {
        /// Number of options of each head of the controller.
        expected: Vec<usize>,
        /// Number of options of each head of the space.
        found: Vec<usize>,
    },
    /// A strategy that learns from log-probabilities was given a child that has none.
    #[error(
        "the {strategy} strategy learns from children that it drew itself, and child {child} of the episode was not drawn"
    )]
    NotDrawn {
        /// Name of the strategy.
        strategy: &'static str,
        /// Its position in the episode, from 1.
        child: usize,
    },
    /// A choice in the journal cannot be made in this space.
    #[error(
        "the choice for layer {layer}, head {head} in the journal is not possible in this search space: they belong to different runs"
    )]
    Recorded {
        /// Number of the layer, from 1.
        layer: usize,
        /// Index of the head in the space.
        head: usize,
    },
    /// The numbers of samples and rewards differ or are zero, or a reward is not finite.
    #[error(
        "{samples} samples and {rewards} rewards: a strategy learns from one finite reward per sample, and at least one"
    )]
    Rewards {
        /// Number of children.
        samples: usize,
        /// Number of rewards.
        rewards: usize,
    },
    /// The policy's weights have become so large that its softmax gives NaN.
    #[error(
        "the controller's probabilities for layer {layer}, head {head} are not numbers: lower controller.learning_rate"
    )]
    Diverged {
        /// Number of the layer, from 1.
        layer: usize,
        /// Index of the head in the space.
        head: usize,
    },
    /// The update would make the weights NaN or infinite; they are left unchanged.
    #[error("the controller's gradient is not finite: lower controller.learning_rate")]
    Gradient,
}

//! Why a strategy could not do what it was asked.

use crate::space::SpaceError;

/// Why a strategy could not do what it was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StrategyError {
    /// The space has no child of the depth asked for.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The checkpoint was written by another strategy.
    #[error(
        "the checkpoint's strategy is `{found}`, this run's is `{expected}`: resume with the configuration of the run directory"
    )]
    OtherStrategy {
        /// The run's, as in `search.strategy`.
        expected: String,
        /// The checkpoint's.
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
    /// The checkpoint has a tensor too many.
    #[error(
        "the checkpoint has a tensor `{name}` that this controller does not: it was written for another search space or controller"
    )]
    UnknownTensor {
        /// Name of the tensor in the checkpoint.
        name: String,
    },
    /// A tensor of the checkpoint has another shape than the controller needs.
    #[error(
        "tensor `{name}` of the checkpoint is {found:?}, this controller needs {expected:?}: the search space, controller.hidden_size or controller.layers changed"
    )]
    Shape {
        /// Name of the tensor in the checkpoint.
        name: String,
        /// The controller's.
        expected: Vec<usize>,
        /// The checkpoint's.
        found: Vec<usize>,
    },
    /// A tensor of the checkpoint has other than as many values as its shape says.
    #[error(
        "tensor `{name}` of the checkpoint has {found} values for a shape of {expected}: it is damaged"
    )]
    Length {
        /// Name of the tensor in the checkpoint.
        name: String,
        /// Product of its shape.
        expected: usize,
        /// Values that it has.
        found: usize,
    },
    /// A tensor of the checkpoint holds NaN or an infinity.
    #[error("tensor `{name}` of the checkpoint holds a number that is not finite: it is damaged")]
    NotFinite {
        /// Name of the tensor in the checkpoint.
        name: String,
    },
    /// A scalar of the checkpoint is missing or cannot be read.
    #[error("`{name}` of the checkpoint: {reason}")]
    Scalar {
        /// Its key.
        name: String,
        /// Why, for a reader.
        reason: String,
    },
    /// The controller was made for another space.
    #[error(
        "the controller has heads of {expected:?} choices, the search space has {found:?}: they belong to different runs"
    )]
    OtherSpace {
        /// Number of options of each head of the controller.
        expected: Vec<usize>,
        /// Number of options of each decision of the space.
        found: Vec<usize>,
    },
    /// A strategy that learns from log-probabilities is given a child that has none.
    #[error(
        "the {strategy} strategy learns from children that it drew itself, and child {child} of the episode was not drawn"
    )]
    NotDrawn {
        /// Name of the strategy.
        strategy: &'static str,
        /// Its place in the episode, from 1.
        child: usize,
    },
    /// Samples and rewards differ in number, there are none, or a reward is not finite.
    #[error(
        "{samples} samples and {rewards} rewards: a strategy learns from one finite reward per sample, and at least one"
    )]
    Rewards {
        /// How many children.
        samples: usize,
        /// How many rewards.
        rewards: usize,
    },
    /// The weights of the policy have become so large that its softmax gives NaN.
    #[error(
        "the controller's probabilities for layer {layer}, head {head} are not numbers: lower controller.learning_rate"
    )]
    Diverged {
        /// Counted from 1.
        layer: usize,
        /// Index into the decisions of the space.
        head: usize,
    },
    /// The update would make the weights NaN or infinite; they are left as they were.
    #[error("the controller's gradient is not finite: lower controller.learning_rate")]
    Gradient,
}

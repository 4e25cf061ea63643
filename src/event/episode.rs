//! The results of an episode.

use serde::{Deserialize, Serialize};

/// The results of an episode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpisodeFinished {
    /// Number of the episode, from 1.
    pub episode: usize,
    /// Mean reward of its children.
    pub mean_reward: f64,
    /// Mean accuracy of the children that have one; `None` if all failed.
    pub mean_accuracy: Option<f64>,
    /// Best accuracy of its children, 0..=1.
    pub best_accuracy: Option<f64>,
    /// Baseline that was subtracted from the rewards. This and the next are absent for a strategy
    /// without a baseline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub baseline: Option<f64>,
    /// Baseline after this episode's rewards.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_baseline: Option<f64>,
    /// One per child, in order, without excluded children.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub advantages: Vec<f64>,
    /// Mean entropy of the children's choices, nats per child. This and the next are absent if no
    /// child was drawn from a known distribution.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entropy: Option<f64>,
    /// Maximum entropy that these choices could have had, nats.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_entropy: Option<f64>,
    /// REINFORCE loss; absent, like the gradient norm, for a strategy that does not learn.
    pub loss: Option<f64>,
    /// L2 norm of the gradient before clipping.
    pub gradient_norm: Option<f64>,
    /// Number of children that took over the reward of an identical one.
    pub repeats: usize,
    /// Number of children that failed.
    pub failures: usize,
    /// Number of children excluded from all other figures.
    #[serde(skip_serializing_if = "super::is_zero", default)]
    pub excluded: usize,
    /// Mean staleness of the children ([`ChildSampled::staleness`](super::ChildSampled)); absent
    /// unless updates are asynchronous.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub staleness: Option<f64>,
    /// Duration in seconds, excluding pauses.
    pub seconds: f64,
}

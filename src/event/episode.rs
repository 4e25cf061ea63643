//! What an episode came to.

use serde::{Deserialize, Serialize};

/// What an episode came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpisodeFinished {
    /// Number of the episode, from 1.
    pub episode: usize,
    /// Mean reward of its children.
    pub mean_reward: f64,
    /// Mean accuracy of the children that have one; none if all failed.
    pub mean_accuracy: Option<f64>,
    /// Best accuracy of its children, 0..=1.
    pub best_accuracy: Option<f64>,
    /// Baseline the advantages were taken against. This and the next two are absent for a strategy
    /// without a baseline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub baseline: Option<f64>,
    /// Baseline after this episode's rewards.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_baseline: Option<f64>,
    /// One per child, in order, without those that were excluded.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub advantages: Vec<f64>,
    /// Mean entropy of the children's decisions, nats per child. This and the next are absent where
    /// no child was drawn from a known distribution.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entropy: Option<f64>,
    /// Largest entropy that its decisions could have had, nats.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_entropy: Option<f64>,
    /// REINFORCE loss and gradient norm before clipping; none for a strategy that does not learn.
    pub loss: Option<f64>,
    /// L2 norm of the gradient before clipping.
    pub gradient_norm: Option<f64>,
    /// Children that took the reward of an equal one.
    pub repeats: usize,
    /// Children that failed.
    pub failures: usize,
    /// Children that count in none of the other figures.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub excluded: usize,
    /// Time that it took, without pauses.
    pub seconds: f64,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

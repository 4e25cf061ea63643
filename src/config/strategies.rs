//! Settings of the strategies.

use serde::{Deserialize, Serialize};

/// What is known about a strategy before it runs. The program has the strategies listed in
/// [`STRATEGIES`].
#[derive(Debug, PartialEq, Eq)]
pub struct StrategyFacts {
    /// The name used in `search.strategy`.
    pub name: &'static str,
    /// Whether its proposals depend on rewards.
    pub learns: bool,
    /// Whether children are sampled from the LSTM policy.
    pub has_policy: bool,
    /// The section of the settings that only it reads.
    pub section: Option<&'static str>,
}

/// Every strategy, in no particular order. Each registers itself in the file that contains it.
#[linkme::distributed_slice]
pub static STRATEGIES: [StrategyFacts];

impl StrategyFacts {
    /// Every strategy, by name.
    pub fn all() -> Vec<&'static StrategyFacts> {
        let mut all: Vec<&StrategyFacts> = STRATEGIES.iter().collect();
        all.sort_by_key(|strategy| strategy.name);
        all
    }

    /// The strategy with this name in a journal or in settings; `None` if this program does not
    /// have it.
    pub fn named(name: &str) -> Option<&'static StrategyFacts> {
        STRATEGIES.iter().find(|strategy| strategy.name == name)
    }

    /// Whether the settings in `section` belong to one strategy.
    pub fn owns(section: &str) -> bool {
        let mut all = STRATEGIES.iter();
        all.any(|strategy| strategy.section == Some(section))
    }

    /// Whether it uses the settings in `section`, some of which only belong to other strategies.
    pub fn reads(&self, section: &str) -> bool {
        self.section == Some(section) || !StrategyFacts::owns(section)
    }
}

/// The LSTM policy and REINFORCE (paper, sections 3.1, 3.2 and 4.1).
#[derive(Debug, Clone, PartialEq)]
pub struct ControllerConfig {
    /// Units of each LSTM layer.
    pub hidden_size: usize,
    /// LSTM layers.
    pub layers: usize,
    /// Initial weights are uniform in `±init_range`.
    pub init_range: f64,
    /// Learning rate of Adam.
    pub learning_rate: f64,
    /// Weight of the entropy bonus, the mean over a child's choices of the entropy relative to its
    /// maximum; 0 as in the paper.
    pub entropy: f64,
    /// The baseline that rewards are compared with.
    pub baseline: BaselineKind,
    /// Decay of the moving average of previous rewards.
    pub baseline_decay: f64,
    /// Maximum L2 norm of the gradient; larger gradients are scaled down to it.
    pub gradient_clip: f64,
}

/// The baseline that the reward of a child is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaselineKind {
    /// The mean reward of the other children of its episode.
    LeaveOneOut,
    /// An exponential moving average of the rewards of previous episodes (the paper's).
    MovingAverage,
}

/// Regularized evolution (Real et al. 2019).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvolutionConfig {
    /// Size of the population: this many of the youngest children can become parents.
    pub population: usize,
    /// Children drawn from the population with replacement, the best of which becomes the parent.
    pub sample: usize,
}

/// PPO (Schulman et al. 2017), in addition to the settings of the controller.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PpoConfig {
    /// Gradient steps on the children of an episode.
    pub epochs: usize,
    /// The ratio of new to old probability is clipped at this distance from 1.
    pub clip: f64,
}

/// The predictor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PredictorConfig {
    /// Number of uniform children before the first prediction.
    pub initial: usize,
    /// Size of the ensemble.
    pub networks: usize,
    /// Number of candidates for each proposal.
    pub candidates: usize,
}

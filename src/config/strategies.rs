//! Settings of the strategies.

use serde::{Deserialize, Serialize};

/// The strategy that proposes children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrategyName {
    /// LSTM policy trained by REINFORCE.
    Reinforce,
    /// Uniform over each head's feasible options; never learns.
    Random,
    /// Regularized evolution (Real et al. 2019).
    Evolution,
    /// Local search (White et al. 2020).
    LocalSearch,
    /// The LSTM policy of `reinforce`, trained by PPO's clipped objective (Schulman et al. 2017).
    Ppo,
    /// An ensemble of networks predicts rewards (in the manner of BANANAS, White et al. 2021).
    Predictor,
}

impl StrategyName {
    /// Every strategy.
    pub const ALL: [StrategyName; 6] = [
        StrategyName::Reinforce,
        StrategyName::Ppo,
        StrategyName::Random,
        StrategyName::Evolution,
        StrategyName::LocalSearch,
        StrategyName::Predictor,
    ];

    /// Its fixed properties.
    const fn about(self) -> StrategyFacts {
        let (name, learns, section) = match self {
            StrategyName::Reinforce => ("reinforce", true, None),
            StrategyName::Random => ("random", false, None),
            StrategyName::Evolution => ("evolution", true, Some("evolution")),
            StrategyName::LocalSearch => ("local_search", true, None),
            StrategyName::Ppo => ("ppo", true, Some("ppo")),
            StrategyName::Predictor => ("predictor", true, Some("predictor")),
        };
        StrategyFacts {
            name,
            learns,
            section,
        }
    }

    /// The name used in `search.strategy`.
    pub fn name(self) -> &'static str {
        self.about().name
    }

    /// The strategy with this name in a journal or in settings; `None` if this program does not
    /// have it.
    pub fn named(name: &str) -> Option<StrategyName> {
        StrategyName::ALL
            .into_iter()
            .find(|strategy| strategy.name() == name)
    }

    /// Whether children are sampled from the LSTM policy, which needs libtorch.
    pub fn has_policy(self) -> bool {
        matches!(self, StrategyName::Reinforce | StrategyName::Ppo)
    }

    /// Whether its proposals depend on rewards.
    pub fn learns(self) -> bool {
        self.about().learns
    }

    /// The sections of the settings that belong to one strategy each.
    pub fn sections() -> impl Iterator<Item = &'static str> {
        let all = StrategyName::ALL.into_iter();
        all.filter_map(|strategy| strategy.about().section)
    }

    /// Whether it uses the settings in `section`, some of which only belong to other strategies.
    pub fn reads(self, section: &str) -> bool {
        self.about().section == Some(section) || StrategyName::sections().all(|own| own != section)
    }
}

/// The fixed properties of a strategy.
struct StrategyFacts {
    /// The name used in `search.strategy`.
    name: &'static str,
    /// Whether its proposals depend on rewards.
    learns: bool,
    /// The section of the settings that only it reads.
    section: Option<&'static str>,
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

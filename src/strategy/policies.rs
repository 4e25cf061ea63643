//! The facts of the strategies with an LSTM policy, whose constructors are in the room
//! `controller`: a program built without libtorch reads their runs too.

use crate::config::{STRATEGIES, StrategyFacts};

/// The LSTM policy trained by REINFORCE.
#[linkme::distributed_slice(STRATEGIES)]
pub static REINFORCE: StrategyFacts = StrategyFacts {
    name: "reinforce",
    learns: true,
    has_policy: true,
    section: None,
};

/// The same policy trained by PPO's clipped objective (Schulman et al. 2017).
#[linkme::distributed_slice(STRATEGIES)]
pub static PPO: StrategyFacts = StrategyFacts {
    name: "ppo",
    learns: true,
    has_policy: true,
    section: Some("ppo"),
};

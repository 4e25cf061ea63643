//! Strategies propose children and may learn from their rewards.
//!
//! A strategy is one file, which registers its facts in
//! [`STRATEGIES`](crate::config::STRATEGIES) and its constructor in [`CONSTRUCTORS`]; the only
//! other line is its `mod` line. The LSTM controller has a separate room.

pub mod baseline;
mod error;
mod evolution;
mod local_search;
mod outlook;
mod path;
mod predictor;
mod random;
pub mod sample;
mod state;
#[cfg(test)]
mod test_space;

pub use baseline::Baseline;
pub use error::StrategyError;
pub use evolution::Evolution;
pub use outlook::outlook;
pub use random::Random;
pub use sample::Sample;
pub use state::{StateTensor, StrategyState};

use serde::{Deserialize, Serialize};

use crate::config::{Config, StrategyFacts};
use crate::event::ChildSampled;
use crate::space::{Dna, Space};

/// A strategy, and what makes it, in its state before the first episode.
pub type Constructor = (
    &'static StrategyFacts,
    fn(&Config, &Space) -> Box<dyn Strategy>,
);

/// The constructor of every strategy.
#[linkme::distributed_slice]
pub static CONSTRUCTORS: [Constructor];

/// The strategy named in the settings, in its state before the first episode.
///
/// # Panics
/// If a strategy has registered facts and no constructor.
pub fn named_in(config: &Config, space: &Space) -> Box<dyn Strategy> {
    let mut all = CONSTRUCTORS.iter();
    let constructor = all.find(|(strategy, _)| *strategy == config.search.strategy);
    let (_, make) = constructor.expect("a strategy registers its constructor beside its facts");
    make(config, space)
}

/// A child proposed by a strategy.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Its DNA.
    pub dna: Dna,
    /// How the strategy arrived at it.
    pub origin: Origin,
}

/// How a strategy arrived at a child.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// Drawn choice by choice from distributions with known log-probabilities and entropies.
    Sampled(Sample),
    /// Mutated from this earlier child by changing one choice, or several.
    Mutated {
        /// Number of the earlier child.
        parent: u64,
    },
    /// Every choice uniform over the feasible options, by a strategy that reports no distribution.
    Uniform,
}

impl Proposal {
    /// The proposal of a child as it was recorded.
    ///
    /// # Errors
    /// If it does not belong to this space.
    pub fn recorded(sampled: &ChildSampled, space: &Space) -> Result<Proposal, StrategyError> {
        let origin = match sampled.parent {
            Some(parent) => Origin::Mutated { parent },
            None if sampled.choices.is_empty() => Origin::Uniform,
            None => {
                let depth = sampled.dna.depth();
                Origin::Sampled(Sample::recorded(space, depth, &sampled.choices)?)
            }
        };
        let dna = sampled.dna.clone();
        Ok(Proposal { dna, origin })
    }

    /// How it was drawn; `None` if it was not drawn from a known distribution.
    pub fn sample(&self) -> Option<&Sample> {
        match &self.origin {
            Origin::Sampled(sample) => Some(sample),
            Origin::Mutated { .. } | Origin::Uniform => None,
        }
    }
}

/// Proposes children and may learn from their rewards.
///
/// A strategy that learns after an episode is first asked for all of the episode's children, and
/// does not change until [`Strategy::learn`]; with asynchronous updates it may have proposed children
/// of later episodes by then. One that learns after each child
/// ([`Strategy::learns_from_each`]) implements [`Strategy::take`] instead; it learns every end
/// between two proposals, in the order of the journal, and a resumed search replays that order.
pub trait Strategy {
    /// Propose a child of `depth` layers (at least 1). The same state, space, depth and seed give
    /// the same child, bit for bit: all randomness comes from `seed`, so no generator has to be
    /// saved.
    ///
    /// # Errors
    /// If no child of that depth can be built, or the strategy was made for another space.
    fn propose(
        &mut self,
        space: &Space,
        depth: usize,
        seed: u64,
    ) -> Result<Proposal, StrategyError>;

    /// Whether the strategy learns from each child as it ends, before it proposes the next one.
    fn learns_from_each(&self) -> bool {
        false
    }

    /// Learn that child number `child` has ended with `reward`. Called only if
    /// [`Strategy::learns_from_each`], and never for an excluded child.
    ///
    /// # Errors
    /// If the reward cannot be learned from; the strategy is then unchanged.
    fn child_ended(
        &mut self,
        child: u64,
        proposal: &Proposal,
        reward: f64,
    ) -> Result<(), StrategyError> {
        check_rewards(std::slice::from_ref(proposal), &[Reward::trained(reward)])?;
        let dna = proposal.dna.clone();
        self.take(EndedChild { child, dna, reward });
        Ok(())
    }

    /// Learn from a child that has ended with a finite reward; see [`Strategy::child_ended`].
    fn take(&mut self, _child: EndedChild) {}

    /// Nothing will be known about a child: it was excluded. Called only if
    /// [`Strategy::learns_from_each`].
    fn leave_out(&mut self, _proposal: &Proposal) {}

    /// End an episode and learn from the reward of each proposal, in child order. A strategy that
    /// learns from each child has already learned everything.
    ///
    /// # Errors
    /// If the rewards cannot be learned from; the strategy is then unchanged.
    fn learn(
        &mut self,
        proposals: &[Proposal],
        rewards: &[Reward],
    ) -> Result<Learned, StrategyError> {
        check_rewards(proposals, rewards)?;
        Ok(Learned::default())
    }

    /// Baseline of the current episode: an average of the rewards of previous episodes. `None` if
    /// each child is compared with the others of its episode, and for a strategy without a
    /// baseline.
    fn baseline(&self) -> Option<f64> {
        None
    }

    /// Everything a later process needs to continue without any difference.
    fn state(&self) -> StrategyState;

    /// Continue from `state`.
    ///
    /// # Errors
    /// If it belongs to another strategy or is damaged; the strategy is then unchanged.
    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError>;
}

/// A child that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndedChild {
    /// Its number.
    pub child: u64,
    /// Its DNA.
    pub dna: Dna,
    /// Its reward.
    pub reward: f64,
}

/// The reward of a child that has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reward {
    /// The reward, as in the journal.
    pub value: f64,
    /// Whether the child failed, so that its reward is no measure of its quality.
    pub failed: bool,
}

impl Reward {
    /// The reward of a child with an accuracy.
    pub fn trained(value: f64) -> Reward {
        Reward {
            value,
            failed: false,
        }
    }

    /// The reward of a child that failed.
    pub fn failed(value: f64) -> Reward {
        Reward {
            value,
            failed: true,
        }
    }
}

/// The figures of an episode's learning, as far as the strategy has them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Learned {
    /// Baseline that was subtracted from the rewards. If each child has its own
    /// ([`Baseline::advantages`]), this is the mean of them.
    pub baseline: Option<f64>,
    /// Baseline of the next episode, which includes this episode's rewards; `None` if each child
    /// has its own.
    pub next_baseline: Option<f64>,
    /// Reward minus baseline for each child, in child order; for a failed child, the floored reward
    /// ([`Baseline`]) minus baseline. Empty for a strategy without a baseline.
    pub advantages: Vec<f64>,
    /// Loss that was minimised; `None` for a strategy without one.
    pub loss: Option<f64>,
    /// L2 norm of the loss's gradient before clipping.
    pub gradient_norm: Option<f64>,
}

/// Check that there is one finite reward per proposal, and at least one.
///
/// # Errors
/// [`StrategyError::Rewards`].
pub fn check_rewards(proposals: &[Proposal], rewards: &[Reward]) -> Result<(), StrategyError> {
    if proposals.is_empty()
        || proposals.len() != rewards.len()
        || rewards.iter().any(|reward| !reward.value.is_finite())
    {
        return Err(StrategyError::Rewards {
            samples: proposals.len(),
            rewards: rewards.len(),
        });
    }
    Ok(())
}

/// The samples of children drawn by the strategy called `strategy` itself.
///
/// # Errors
/// [`StrategyError::NotDrawn`] if one of them was not drawn.
pub fn samples<'a>(
    strategy: &'static str,
    proposals: &'a [Proposal],
) -> Result<Vec<&'a Sample>, StrategyError> {
    let drawn = |(index, proposal): (usize, &'a Proposal)| {
        let child = index + 1;
        proposal
            .sample()
            .ok_or(StrategyError::NotDrawn { strategy, child })
    };
    proposals.iter().enumerate().map(drawn).collect()
}

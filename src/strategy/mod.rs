//! Strategies: whoever proposes children, and learns from their rewards or does not.
//!
//! A strategy is one file here (the LSTM controller, which needs libtorch, has a room of its own)
//! and a line where the program puts a search together.

pub mod baseline;
mod error;
mod evolution;
mod random;
pub mod sample;
mod state;

pub use baseline::Baseline;
pub use error::StrategyError;
pub use evolution::Evolution;
pub use random::Random;
pub use sample::Sample;
pub use state::{StateTensor, StrategyState};

use crate::space::{Dna, Space};

/// A child as a strategy proposes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Its genes.
    pub dna: Dna,
    /// How the strategy came by them.
    pub origin: Origin,
}

/// How a strategy came by a child.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// Drawn decision by decision, from distributions whose log-probabilities and entropies are
    /// known.
    Sampled(Sample),
    /// One decision of this earlier child was changed.
    Mutated {
        /// Number of the earlier child.
        parent: u64,
    },
    /// Every decision uniform over what can be built, by a strategy that has no distribution to
    /// tell of.
    Uniform,
}

impl Proposal {
    /// How it was drawn; none where it was not drawn from a known distribution.
    pub fn sample(&self) -> Option<&Sample> {
        match &self.origin {
            Origin::Sampled(sample) => Some(sample),
            Origin::Mutated { .. } | Origin::Uniform => None,
        }
    }
}

/// Proposes children and may learn from their rewards.
///
/// A strategy that learns after an episode is asked for all of the episode's children first, and
/// stays as it is until [`Strategy::learn`]. One that learns after each child
/// ([`Strategy::learns_from_each`]) hears of every end, in the order of the journal, between two
/// proposals; a resumed search replays that order.
pub trait Strategy {
    /// Propose a child of `depth` layers, at least 1. The same state, space, depth and seed give
    /// the same child, bit for bit: all randomness comes from `seed`, so that no generator has to
    /// be saved.
    ///
    /// # Errors
    /// If no child of that depth can be built, or the strategy is not of this space.
    fn propose(
        &mut self,
        space: &Space,
        depth: usize,
        seed: u64,
    ) -> Result<Proposal, StrategyError>;

    /// Whether the strategy learns from each child as it ends, and wants to before it proposes the
    /// next one.
    fn learns_from_each(&self) -> bool {
        false
    }

    /// Child number `child` has ended with `reward`. Called only where
    /// [`Strategy::learns_from_each`], and never for a child that is excluded.
    ///
    /// # Errors
    /// If the reward cannot be learned from; then nothing has changed.
    fn child_ended(
        &mut self,
        _child: u64,
        _proposal: &Proposal,
        _reward: f64,
    ) -> Result<(), StrategyError> {
        Ok(())
    }

    /// End an episode: take in the reward of each proposal, in child order.
    ///
    /// # Errors
    /// If the rewards cannot be learned from; then nothing has changed.
    fn learn(&mut self, proposals: &[Proposal], rewards: &[f64]) -> Result<Learned, StrategyError>;

    /// Baseline of the episode under way: an average of the rewards of previous episodes. None in
    /// the first, and for a strategy that has none.
    fn baseline(&self) -> Option<f64> {
        None
    }

    /// Everything that a later process needs to continue as if it had never stopped.
    fn state(&self) -> StrategyState;

    /// Continue from `state`.
    ///
    /// # Errors
    /// If it is another strategy's, or damaged; then nothing has changed.
    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError>;
}

/// What an episode taught, as far as the strategy has such figures.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Learned {
    /// Baseline the advantages were taken against. In the first episode, which has no previous
    /// rewards, each child has its own ([`Baseline::advantages`]) and this is their mean.
    pub baseline: Option<f64>,
    /// Baseline of the next episode: this episode's rewards are in it.
    pub next_baseline: Option<f64>,
    /// Reward minus the baseline the child was held against, in child order; empty for a strategy
    /// without a baseline.
    pub advantages: Vec<f64>,
    /// Loss that was minimised; none for a strategy that has none.
    pub loss: Option<f64>,
    /// L2 norm of the loss's gradient before clipping.
    pub gradient_norm: Option<f64>,
}

/// An error unless there is one finite reward per proposal, and at least one.
///
/// # Errors
/// [`StrategyError::Rewards`].
pub fn check_rewards(proposals: &[Proposal], rewards: &[f64]) -> Result<(), StrategyError> {
    if proposals.is_empty()
        || proposals.len() != rewards.len()
        || rewards.iter().any(|reward| !reward.is_finite())
    {
        return Err(StrategyError::Rewards {
            samples: proposals.len(),
            rewards: rewards.len(),
        });
    }
    Ok(())
}

/// The samples of children that a strategy of this name drew itself.
///
/// # Errors
/// [`StrategyError::NotDrawn`] where one of them was not drawn.
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

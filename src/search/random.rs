//! Random search: uniform over what can be built, never learns. The yardstick of every other strategy.

use std::collections::BTreeMap;

use super::Baseline;
use super::sample::{Sample, masked_log_softmax};
use super::strategy::{Learned, Strategy, StrategyError, StrategyState, check_rewards};
use crate::space::Space;

/// Picks every decision uniformly from its feasible choices. Keeps the same baseline as the controller
/// so that both can be read side by side.
#[derive(Debug, Clone)]
pub struct Random {
    baseline: Baseline,
}

impl Random {
    const NAME: &str = "random";

    pub fn new(baseline_decay: f64) -> Self {
        Random { baseline: Baseline::new(baseline_decay) }
    }
}

impl Strategy for Random {
    fn sample(&mut self, space: &Space, depth: usize, seed: u64) -> Result<Sample, StrategyError> {
        Sample::draw(space, depth, seed, |next, _| masked_log_softmax(&vec![0.0; next.feasible.len()], &next.feasible))
    }

    fn learn(&mut self, samples: &[Sample], rewards: &[f64]) -> Result<Learned, StrategyError> {
        check_rewards(samples, rewards)?;
        Ok(self.baseline.end_episode(rewards, None, None))
    }

    fn baseline(&self) -> Option<f64> {
        self.baseline.value()
    }

    fn state(&self) -> StrategyState {
        let scalars = BTreeMap::from([("baseline".to_owned(), serde_json::json!(self.baseline.value()))]);
        StrategyState { strategy: Self::NAME.to_owned(), scalars, tensors: BTreeMap::new() }
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        state.expect_strategy(Self::NAME)?;
        self.baseline.restore(state.scalar("baseline")?)
    }
}

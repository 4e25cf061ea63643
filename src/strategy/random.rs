//! Random search: uniform over the feasible options, never learns. The control for every other
//! strategy.

use serde_json::json;

use super::sample::{Sample, masked_log_softmax};
use super::{
    Baseline, CONSTRUCTORS, Constructor, Learned, Proposal, Reward, Strategy, StrategyError,
    StrategyState, check_rewards,
};
use crate::config::{BaselineKind, STRATEGIES, StrategyFacts};
use crate::space::Space;

/// Random search.
#[linkme::distributed_slice(STRATEGIES)]
static FACTS: StrategyFacts = StrategyFacts {
    name: "random",
    learns: false,
    has_policy: false,
    section: None,
};

#[linkme::distributed_slice(CONSTRUCTORS)]
static NEW: Constructor = (&FACTS, |config, _| {
    Box::new(Random::new(Baseline::of(&config.controller)))
});

/// Makes every choice uniformly among the feasible options. Keeps the same baseline as the
/// controller so that the two can be compared.
#[derive(Debug, Clone)]
pub struct Random {
    baseline: Baseline,
}

impl Random {
    /// Starts without rewards in `baseline`.
    pub fn new(baseline: Baseline) -> Self {
        Random { baseline }
    }

    /// A child of `depth` layers with each decision uniform over the feasible options.
    ///
    /// # Errors
    ///
    /// If no child of that depth can be built.
    pub fn uniform(space: &Space, depth: usize, seed: u64) -> Result<Proposal, StrategyError> {
        Sample::draw(space, depth, seed, |next, _| {
            masked_log_softmax(&vec![0.0; next.feasible.len()], &next.feasible)
        })
    }
}

/// For sampling alone: each reward is compared with the others in its episode.
impl Default for Random {
    fn default() -> Self {
        Random::new(Baseline::new(BaselineKind::LeaveOneOut, 0.0))
    }
}

impl Strategy for Random {
    fn propose(
        &mut self,
        space: &Space,
        depth: usize,
        seed: u64,
    ) -> Result<Proposal, StrategyError> {
        Random::uniform(space, depth, seed)
    }

    fn learn(
        &mut self,
        proposals: &[Proposal],
        rewards: &[Reward],
    ) -> Result<Learned, StrategyError> {
        check_rewards(proposals, rewards)?;
        Ok(self.baseline.end_episode(rewards, None, None))
    }

    fn baseline(&self) -> Option<f64> {
        self.baseline.value()
    }

    fn state(&self) -> StrategyState {
        StrategyState::of(FACTS.name, [("baseline", json!(self.baseline.value()))])
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        state.expect_strategy(FACTS.name)?;
        self.baseline.restore(state.scalar("baseline")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Decode, SpaceConfig};

    fn random() -> Random {
        Random::new(Baseline::new(BaselineKind::MovingAverage, 0.5))
    }

    fn space() -> Space {
        let config = SpaceConfig {
            layer: "chain".to_owned(),
            kernels: vec![3, 5],
            filters: vec![8, 16, 24],
            strides: vec![1, 2],
            paddings: vec![0, 1],
            decode: Decode::Literal,
        };
        Space::new(&config, [1, 12, 12], 10).unwrap()
    }

    fn samples(strategy: &mut Random, count: u64) -> Vec<Proposal> {
        (0..count)
            .map(|seed| strategy.propose(&space(), 3, seed).unwrap())
            .collect()
    }

    #[test]
    fn every_feasible_option_is_equally_likely() {
        let children = samples(&mut random(), 200);
        assert!(
            children
                .iter()
                .filter_map(Proposal::sample)
                .any(|sample| sample.feasible.iter().flatten().any(|feasible| !feasible)),
            "no mask is at work"
        );
        for child in &children {
            let sample = child.sample().unwrap();
            for (choice, feasible) in sample.choices.iter().zip(&sample.feasible) {
                let uniform = -(crate::strategy::sample::count(feasible) as f64).ln();
                assert!(feasible[choice.index] && (choice.log_prob - uniform).abs() < 1e-12);
            }
            assert!((sample.entropy - sample.max_entropy).abs() < 1e-9);
            space().decode(&child.dna, "child").unwrap();
        }
    }

    #[test]
    fn rewards_change_only_the_baseline() {
        let mut strategy = random();
        let before = samples(&mut strategy, 4);
        let rewards = [0.2, 0.4, 0.6, 0.8].map(Reward::trained);
        let first = strategy.learn(&before, &rewards).unwrap();
        assert_eq!((first.loss, first.gradient_norm), (None, None));
        assert!((first.next_baseline.unwrap() - 0.5).abs() < 1e-12);
        let second = strategy
            .learn(&before[..1], &[Reward::trained(0.9)])
            .unwrap();
        assert_eq!(
            (second.baseline, second.advantages[0]),
            (first.next_baseline, 0.9 - first.next_baseline.unwrap())
        );
        assert_eq!(samples(&mut strategy, 4), before);
    }

    #[test]
    fn a_saved_baseline_is_restored() {
        let mut strategy = random();
        let mut other = random();
        other.restore(&strategy.state()).unwrap();
        assert_eq!(other.baseline(), None);
        strategy
            .learn(&samples(&mut random(), 1), &[Reward::trained(0.1 + 0.2)])
            .unwrap();
        other
            .restore(
                &serde_json::from_str(&serde_json::to_string(&strategy.state()).unwrap()).unwrap(),
            )
            .unwrap();
        assert_eq!(other.baseline(), Some(0.1 + 0.2));
    }
}

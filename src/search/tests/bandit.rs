//! A fast and exact strategy that learns.

use std::collections::BTreeMap;

use crate::config::BaselineKind;
use crate::space::Space;
use crate::strategy::sample::masked_log_softmax;
use crate::strategy::{
    Baseline, Learned, Proposal, Reward, Sample, StateTensor, Strategy, StrategyError,
    StrategyState,
};

/// A policy with one logit per head and option, which moves by the advantage of every choice made.
/// It learns, and its state is a tensor.
pub struct Bandit {
    logits: Vec<Vec<f64>>,
    baseline: Baseline,
}

impl Bandit {
    pub fn new(space: &Space) -> Bandit {
        let logits = space
            .heads()
            .iter()
            .map(|head| vec![0.0; head.options.len()])
            .collect();
        Bandit {
            logits,
            baseline: Baseline::new(BaselineKind::MovingAverage, 0.8),
        }
    }
}

impl Strategy for Bandit {
    fn propose(
        &mut self,
        space: &Space,
        depth: usize,
        seed: u64,
    ) -> Result<Proposal, StrategyError> {
        Sample::draw(space, depth, seed, |next, _| {
            masked_log_softmax(&self.logits[next.head], &next.feasible)
        })
    }

    fn learn(
        &mut self,
        proposals: &[Proposal],
        rewards: &[Reward],
    ) -> Result<Learned, StrategyError> {
        let learned = self.baseline.end_episode(rewards, Some(0.5), Some(1.0));
        for (sample, advantage) in proposals
            .iter()
            .filter_map(Proposal::sample)
            .zip(&learned.advantages)
        {
            for choice in &sample.choices {
                self.logits[choice.head][choice.index] += 3.0 * advantage;
            }
        }
        Ok(learned)
    }

    fn baseline(&self) -> Option<f64> {
        self.baseline.value()
    }

    fn state(&self) -> StrategyState {
        let tensor = |logits: &Vec<f64>| StateTensor {
            shape: vec![logits.len()],
            values: logits.clone(),
        };
        StrategyState {
            strategy: "bandit".into(),
            scalars: BTreeMap::from([(
                "baseline".into(),
                serde_json::json!(self.baseline.value()),
            )]),
            tensors: self
                .logits
                .iter()
                .enumerate()
                .map(|(head, logits)| (format!("head{head}"), tensor(logits)))
                .collect(),
        }
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        for (head, logits) in self.logits.iter_mut().enumerate() {
            *logits = state
                .tensor(&format!("head{head}"), &[logits.len()])?
                .to_vec();
        }
        self.baseline.restore(state.scalar("baseline")?)
    }
}

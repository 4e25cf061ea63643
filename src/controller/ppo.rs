//! PPO (Schulman et al. 2017, "Proximal Policy Optimization Algorithms"): several steps on the
//! children of an episode, as long as the policy stays close to the one that sampled them.

use tch::Tensor;

use super::evaluation::Evaluation;
use super::reinforce::Reinforce;
use crate::config::{ControllerConfig, PpoConfig};
use crate::space::{Head, Space};
use crate::strategy::policies::PPO;
use crate::strategy::{
    CONSTRUCTORS, Constructor, Learned, Proposal, Reward, Sample, Strategy, StrategyError,
    StrategyState,
};

#[linkme::distributed_slice(CONSTRUCTORS)]
static NEW: Constructor = (&PPO, |config, space| {
    Box::new(Ppo::of(Reinforce::for_run(config, space), &config.ppo))
});

/// The LSTM policy of [`Reinforce`], with the clipped objective.
#[derive(Debug)]
pub struct Ppo {
    controller: Reinforce,
    config: PpoConfig,
}

impl Ppo {
    /// A new controller for these heads, as from [`Reinforce::new`].
    pub fn new(controller: &ControllerConfig, ppo: &PpoConfig, heads: &[Head], seed: u64) -> Self {
        Ppo::of(Reinforce::new(controller, heads, seed), ppo)
    }

    /// The same controller with the clipped objective.
    pub(super) fn of(controller: Reinforce, config: &PpoConfig) -> Self {
        Ppo {
            controller: controller.named(PPO.name),
            config: *config,
        }
    }
}

/// The loss that is minimised, a scalar: `-1/m sum_k sum_t min(ratio_kt advantage_k, clip(ratio_kt)
/// advantage_k) - entropy_weight * mean relative entropy` over the decisions t of the m children k,
/// where ratio is the current probability of the choice divided by that at sampling, and clip
/// limits it to `1 ± clip` (equation 7). Its gradient equals that of [`super::reinforce::loss`] as
/// long as the policy has not moved.
pub fn clipped_loss(
    evaluation: &Evaluation,
    samples: &[&Sample],
    advantages: &[f64],
    clip: f64,
    entropy_weight: f64,
) -> Tensor {
    let places = &evaluation.places;
    let before = places.iter().map(|&(child, decision)| {
        let choice = &samples[child].choices[decision];
        choice.log_prob
    });
    let before = Tensor::from_slice(&before.collect::<Vec<f64>>());
    let advantages = places.iter().map(|&(child, _)| advantages[child]);
    let advantages = Tensor::from_slice(&advantages.collect::<Vec<f64>>());
    let ratio = (&evaluation.decisions - before).exp();
    let clipped = ratio.clamp(1.0 - clip, 1.0 + clip) * &advantages;
    let gain = (ratio * &advantages).minimum(&clipped).sum(None);
    let children = samples.len() as f64;
    -gain / children - evaluation.relative_entropy.sum(None) * (entropy_weight / children)
}

impl Strategy for Ppo {
    fn propose(
        &mut self,
        space: &Space,
        depth: usize,
        seed: u64,
    ) -> Result<Proposal, StrategyError> {
        self.controller.propose(space, depth, seed)
    }

    /// Loss and gradient norm are those of the first step.
    fn learn(
        &mut self,
        proposals: &[Proposal],
        rewards: &[Reward],
    ) -> Result<Learned, StrategyError> {
        let (samples, advantages) = self.controller.episode(proposals, rewards)?;
        let before = self.controller.state();
        let mut first = None;
        for _ in 0..self.config.epochs {
            let evaluation = self.controller.policy().evaluate(&samples);
            let (clip, weight) = (self.config.clip, self.controller.entropy_weight());
            let loss = clipped_loss(&evaluation, &samples, &advantages, clip, weight);
            match self.controller.step(&loss) {
                Ok(step) => first = first.or(Some(step)),
                Err(error) => {
                    self.controller.restore(&before)?;
                    return Err(error);
                }
            }
        }
        let (loss, norm) = first.unzip();
        Ok(self.controller.rewards().end_episode(rewards, loss, norm))
    }

    fn baseline(&self) -> Option<f64> {
        self.controller.baseline()
    }

    fn state(&self) -> StrategyState {
        self.controller.state()
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        self.controller.restore(state)
    }
}

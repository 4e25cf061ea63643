//! PPO (Schulman et al. 2017, "Proximal Policy Optimization Algorithms"): several steps on the
//! children of an episode, as long as the policy stays close to the one that sampled them.

use super::evaluation::{Evaluation, Loss};
use super::reinforce::Reinforce;
use crate::config::{ControllerConfig, PpoConfig, STRATEGIES, StrategyFacts};
use crate::space::{Head, Space};
use crate::strategy::{
    CONSTRUCTORS, Constructor, Learned, Proposal, Reward, Sample, Strategy, StrategyError,
    StrategyState,
};

/// The same policy trained by PPO's clipped objective (Schulman et al. 2017).
#[linkme::distributed_slice(STRATEGIES)]
static PPO: StrategyFacts = StrategyFacts {
    name: "ppo",
    learns: true,
    has_policy: true,
    section: Some("ppo"),
};

#[linkme::distributed_slice(CONSTRUCTORS)]
static NEW: Constructor = (&PPO, |config, space| {
    Box::new(Ppo::of(Reinforce::for_run(config, space), &config.ppo))
});

/// The LSTM policy of [`Reinforce`], with the clipped objective.
#[derive(Debug, Clone)]
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

/// The loss that is minimised: `-1/m sum_k sum_t min(ratio_kt advantage_k, clip(ratio_kt)
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
) -> Loss {
    evaluation.loss(entropy_weight, |decision| {
        let (child, position) = (decision.child, decision.position);
        let before = samples[child].choices[position].log_prob;
        let ratio = (decision.log_prob() - before).exp();
        let gain = ratio * advantages[child];
        let clipped = ratio.clamp(1.0 - clip, 1.0 + clip) * advantages[child];
        // The derivative of the ratio with respect to the log-probability is the ratio; a ratio
        // that is clipped has none.
        if gain <= clipped {
            (gain, gain)
        } else {
            (clipped, 0.0)
        }
    })
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
        let mut controller = self.controller.clone();
        let mut first = None;
        for _ in 0..self.config.epochs {
            let evaluation = controller.policy.evaluate(&samples);
            let (clip, weight) = (self.config.clip, controller.entropy_weight());
            let loss = clipped_loss(&evaluation, &samples, &advantages, clip, weight);
            let norm = controller.step(&evaluation, &loss)?;
            first = first.or(Some((loss.value, norm)));
        }
        self.controller = controller;
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

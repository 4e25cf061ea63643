//! REINFORCE (Williams 1992; paper, section 3.2): sampled children whose reward exceeds the
//! baseline become more likely.

use serde_json::json;

use super::adam::{Adam, load, save, state_names};
use super::evaluation::{Evaluation, Loss};
use super::linear::dot;
use super::policy::Policy;
use crate::config::{Config, ControllerConfig, STRATEGIES, StrategyFacts};
use crate::foundation::seeds::derive;
use crate::space::{Head, Space};
use crate::strategy::{
    Baseline, CONSTRUCTORS, Constructor, Learned, Proposal, Reward, Sample, Strategy,
    StrategyError, StrategyState, check_rewards, samples,
};

/// The LSTM policy trained by REINFORCE.
#[linkme::distributed_slice(STRATEGIES)]
static REINFORCE: StrategyFacts = StrategyFacts {
    name: "reinforce",
    learns: true,
    has_policy: true,
    section: None,
};

#[linkme::distributed_slice(CONSTRUCTORS)]
static NEW: Constructor = (&REINFORCE, |config, space| {
    Box::new(Reinforce::for_run(config, space))
});

/// The LSTM policy with its optimiser and baseline.
#[derive(Debug, Clone)]
pub struct Reinforce {
    /// The name used in `search.strategy`.
    name: &'static str,
    pub(super) policy: Policy,
    adam: Adam,
    baseline: Baseline,
    entropy_weight: f64,
    gradient_clip: f64,
}

impl Reinforce {
    /// A new controller for these heads; its weights are drawn from `seed`.
    pub fn new(config: &ControllerConfig, heads: &[Head], seed: u64) -> Self {
        let policy = Policy::new(config, heads, seed);
        let adam = Adam::new(config.learning_rate, policy.parameters().values.len());
        let baseline = Baseline::of(config);
        Reinforce {
            name: REINFORCE.name,
            policy,
            adam,
            baseline,
            entropy_weight: config.entropy,
            gradient_clip: config.gradient_clip,
        }
    }

    /// The controller of a run, before its first episode.
    pub(super) fn for_run(config: &Config, space: &Space) -> Self {
        let seed = derive(config.search.seed, "controller", 0);
        Reinforce::new(&config.controller, space.heads(), seed)
    }

    /// The same controller with the name of another strategy.
    pub(super) fn named(self, name: &'static str) -> Self {
        Reinforce { name, ..self }
    }

    /// Weight of the entropy bonus.
    pub(super) fn entropy_weight(&self) -> f64 {
        self.entropy_weight
    }

    /// The baseline.
    pub(super) fn rewards(&mut self) -> &mut Baseline {
        &mut self.baseline
    }

    /// The samples of an episode's children and their advantages.
    ///
    /// # Errors
    ///
    /// If the rewards cannot be learned from, or a child was not sampled.
    pub(super) fn episode<'a>(
        &self,
        proposals: &'a [Proposal],
        rewards: &[Reward],
    ) -> Result<(Vec<&'a Sample>, Vec<f64>), StrategyError> {
        check_rewards(proposals, rewards)?;
        let samples = samples(self.name, proposals)?;
        Ok((samples, self.baseline.advantages(rewards)))
    }

    /// One step of the optimiser against the gradient of a loss of `evaluation`; returns the norm of
    /// the gradient before clipping.
    ///
    /// # Errors
    ///
    /// If loss or gradient are not finite; then nothing has changed.
    pub(super) fn step(
        &mut self,
        evaluation: &Evaluation,
        loss: &Loss,
    ) -> Result<f64, StrategyError> {
        let mut gradient = self.policy.gradient(evaluation, loss);
        let norm = clip_by_norm(&mut gradient, self.gradient_clip);
        if !(norm.is_finite() && loss.value.is_finite()) {
            return Err(StrategyError::Gradient);
        }
        let adam = &mut self.adam;
        self.policy.change(|values| adam.step(values, &gradient));
        Ok(norm)
    }

    fn check_heads(&self, space: &Space) -> Result<(), StrategyError> {
        let expected = self.policy.options();
        let found: Vec<usize> = space
            .heads()
            .iter()
            .map(|head| head.options.len())
            .collect();
        if expected == found {
            Ok(())
        } else {
            Err(StrategyError::OtherSpace { expected, found })
        }
    }
}

/// The loss that is minimised: `-1/m sum_k advantage_k log pi(child_k) - entropy_weight * mean
/// relative entropy`, where a child's log-probability is summed over its choices, and its relative
/// entropy is the mean over its choices, so that the weight means the same at every depth.
///
/// Minimising it follows the REINFORCE gradient *up* the expected reward (paper, equation in
/// section 3.2).
pub fn loss(evaluation: &Evaluation, advantages: &[f64], entropy_weight: f64) -> Loss {
    evaluation.loss(entropy_weight, |decision| {
        let advantage = advantages[decision.child];
        (advantage * decision.log_prob(), advantage)
    })
}

/// Scale a gradient down to an L2 norm of at most `largest`, like
/// `torch.nn.utils.clip_grad_norm_`; returns the norm before.
fn clip_by_norm(gradient: &mut [f64], largest: f64) -> f64 {
    let norm = dot(gradient, gradient).sqrt();
    let scale = largest / (norm + 1e-6);
    if scale < 1.0 {
        gradient.iter_mut().for_each(|slope| *slope *= scale);
    }
    norm
}

impl Strategy for Reinforce {
    fn propose(
        &mut self,
        space: &Space,
        depth: usize,
        seed: u64,
    ) -> Result<Proposal, StrategyError> {
        self.check_heads(space)?;
        Sample::draw(space, depth, seed, self.policy.sampler())
    }

    fn learn(
        &mut self,
        proposals: &[Proposal],
        rewards: &[Reward],
    ) -> Result<Learned, StrategyError> {
        let (samples, advantages) = self.episode(proposals, rewards)?;
        let evaluation = self.policy.evaluate(&samples);
        let loss = loss(&evaluation, &advantages, self.entropy_weight);
        let norm = self.step(&evaluation, &loss)?;
        let loss = Some(loss.value);
        Ok(self.baseline.end_episode(rewards, loss, Some(norm)))
    }

    fn baseline(&self) -> Option<f64> {
        self.baseline.value()
    }

    fn state(&self) -> StrategyState {
        let parameters = self.policy.parameters();
        let mut state = StrategyState::of(self.name, [("baseline", json!(self.baseline.value()))]);
        save(parameters, &parameters.values, str::to_owned, &mut state);
        self.adam.save(parameters, &mut state);
        state
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        state.expect_strategy(self.name)?;
        let parameters = self.policy.parameters();
        let known = state_names(parameters);
        if let Some(name) = state.tensors.keys().find(|name| !known.contains(*name)) {
            return Err(StrategyError::UnknownTensor { name: name.clone() });
        }
        let values = load(parameters, str::to_owned, state)?;
        let adam = self.adam.load(parameters, state)?;
        self.baseline.restore(state.scalar("baseline")?)?;
        // From here on nothing can fail.
        self.policy.change(|into| into.copy_from_slice(&values));
        self.adam = adam;
        Ok(())
    }
}

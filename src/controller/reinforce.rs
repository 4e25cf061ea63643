//! REINFORCE (Williams 1992; paper, section 3.2): sampled children whose reward exceeds the
//! baseline become more likely.

use serde_json::json;
use tch::{Tensor, no_grad};

use super::adam::{Adam, from_state, state_names, to_state};
use super::policy::Policy;
use crate::config::{Config, ControllerConfig};
use crate::foundation::seeds::derive;
use crate::space::{Head, Space};
use crate::strategy::policies::REINFORCE;
use crate::strategy::{
    Baseline, CONSTRUCTORS, Constructor, Learned, Proposal, Reward, Sample, Strategy,
    StrategyError, StrategyState, check_rewards, samples,
};

#[linkme::distributed_slice(CONSTRUCTORS)]
static NEW: Constructor = (&REINFORCE, |config, space| {
    Box::new(Reinforce::for_run(config, space))
});

/// The LSTM policy with its optimiser and baseline.
#[derive(Debug)]
pub struct Reinforce {
    /// The name used in `search.strategy`.
    name: &'static str,
    policy: Policy,
    adam: Adam,
    baseline: Baseline,
    entropy_weight: f64,
    gradient_clip: f64,
}

impl Reinforce {
    /// A new controller for these heads; its weights are drawn from `seed`.
    ///
    /// Sets the calling thread, which must be the one that uses the controller, to one libtorch
    /// thread: the matrices are so small that more threads only wait for each other (twenty times
    /// slower beside busy workers), and this way no result depends on their number.
    pub fn new(config: &ControllerConfig, heads: &[Head], seed: u64) -> Self {
        tch::set_num_threads(1);
        let policy = Policy::new(config, heads, seed);
        let adam = Adam::new(config.learning_rate, &policy.parameters());
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

    /// The policy network.
    pub fn policy(&self) -> &Policy {
        &self.policy
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

    /// One step of the optimiser against the gradient of `loss`; returns the loss, and the norm of
    /// the gradient before clipping.
    ///
    /// # Errors
    ///
    /// If they are not finite; then nothing has changed.
    pub(super) fn step(&mut self, loss: &Tensor) -> Result<(f64, f64), StrategyError> {
        let mut gradients = self.gradients(loss);
        let norm = clip_by_norm(&mut gradients, self.gradient_clip);
        let loss = loss.double_value(&[]);
        if !(norm.is_finite() && loss.is_finite()) {
            return Err(StrategyError::Gradient);
        }
        self.adam.step(&self.policy.parameters(), &gradients);
        Ok((loss, norm))
    }

    /// Gradient of the loss, in the order of [`Policy::parameters`].
    fn gradients(&self, loss: &Tensor) -> Vec<Tensor> {
        let parameters: Vec<&Tensor> = self
            .policy
            .parameters()
            .into_iter()
            .map(|(_, parameter)| parameter)
            .collect();
        let gradients = Tensor::run_backward(&[loss], &parameters, false, false);
        // A head that no child used has no gradient.
        let or_zero = |(gradient, parameter): (Tensor, &&Tensor)| {
            if gradient.defined() {
                gradient
            } else {
                parameter.zeros_like()
            }
        };
        gradients
            .into_iter()
            .zip(&parameters)
            .map(or_zero)
            .collect()
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

/// The loss that is minimised, a scalar: `-1/m sum_k advantage_k log pi(child_k) - entropy_weight *
/// mean relative entropy`, where a child's log-probability is summed over its choices, and its
/// relative entropy is the mean over its choices, so that the weight means the same at every depth.
///
/// Minimising it follows the REINFORCE gradient *up* the expected reward (paper, equation in
/// section 3.2).
pub fn loss(
    policy: &Policy,
    samples: &[&Sample],
    advantages: &[f64],
    entropy_weight: f64,
) -> Tensor {
    let evaluation = policy.evaluate(samples);
    let children = samples.len() as f64;
    let expected = (evaluation.log_prob * Tensor::from_slice(advantages)).sum(None) / children;
    -expected - evaluation.relative_entropy.sum(None) * (entropy_weight / children)
}

/// Scale gradients down to a total L2 norm of at most `largest`, like
/// `torch.nn.utils.clip_grad_norm_`; returns the norm before.
fn clip_by_norm(gradients: &mut [Tensor], largest: f64) -> f64 {
    let squares: f64 = gradients
        .iter()
        .map(|gradient| gradient.square().sum(None).double_value(&[]))
        .sum();
    let norm = squares.sqrt();
    let scale = largest / (norm + 1e-6);
    if scale < 1.0 {
        gradients
            .iter_mut()
            .for_each(|gradient| *gradient = &*gradient * scale);
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
        let loss = loss(&self.policy, &samples, &advantages, self.entropy_weight);
        let (loss, norm) = self.step(&loss)?;
        Ok(self.baseline.end_episode(rewards, Some(loss), Some(norm)))
    }

    fn baseline(&self) -> Option<f64> {
        self.baseline.value()
    }

    fn state(&self) -> StrategyState {
        let parameters = self.policy.parameters();
        let mut state = StrategyState::of(self.name, [("baseline", json!(self.baseline.value()))]);
        state.tensors = parameters
            .iter()
            .map(|(name, parameter)| (name.clone(), to_state(parameter)))
            .collect();
        self.adam.save(&parameters, &mut state);
        state
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        state.expect_strategy(self.name)?;
        let parameters = self.policy.parameters();
        let known = state_names(&parameters);
        if let Some(name) = state.tensors.keys().find(|name| !known.contains(*name)) {
            return Err(StrategyError::UnknownTensor { name: name.clone() });
        }
        let values = parameters
            .iter()
            .map(|(name, parameter)| from_state(state, name, &parameter.size()))
            .collect::<Result<Vec<_>, _>>()?;
        let adam = self.adam.load(&parameters, state)?;
        self.baseline.restore(state.scalar("baseline")?)?;
        // From here on nothing can fail.
        no_grad(|| {
            parameters
                .iter()
                .zip(&values)
                .for_each(|((_, parameter), value)| parameter.shallow_clone().copy_(value))
        });
        self.adam = adam;
        Ok(())
    }
}

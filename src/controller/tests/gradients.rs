//! Log-probabilities, gradients and updates compared with PyTorch and with finite differences.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::config::PpoConfig;
use crate::controller::Ppo;
use crate::controller::evaluation::{Evaluation, Loss};
use crate::controller::reinforce::loss;
use crate::space::paper::SKIP;
use crate::strategy::StateTensor;

/// The output of tests/fixtures/make_controller.py.
#[derive(Deserialize)]
struct Fixture {
    hidden_size: usize,
    layers: usize,
    choices: Vec<usize>,
    /// Whether layers end with an anchor point.
    #[serde(default)]
    anchors: bool,
    entropy: f64,
    learning_rate: f64,
    gradient_clip: f64,
    baseline: f64,
    rewards: Vec<f64>,
    children: Vec<Vec<Step>>,
    parameters: BTreeMap<String, StateTensor>,
    gradients: BTreeMap<String, StateTensor>,
    steps: Vec<Updated>,
    /// The next three are those of a chain.
    #[serde(default)]
    failed: Vec<bool>,
    #[serde(default)]
    leave_one_out: LeaveOneOut,
    #[serde(default)]
    ppo: Clipped,
}

/// Steps on the first children, with the moving average as the baseline.
#[derive(Default, Deserialize)]
struct Clipped {
    clip: f64,
    epochs: usize,
    steps: Vec<Updated>,
}

/// The same children, one of which has failed, compared with each other.
#[derive(Default, Deserialize)]
struct LeaveOneOut {
    rewards: Vec<f64>,
    advantages: Vec<f64>,
    steps: Vec<Updated>,
}

#[derive(Deserialize)]
struct Updated {
    log_probs: Vec<f64>,
    entropies: Vec<f64>,
    relative_entropies: Vec<f64>,
    loss: f64,
    gradient_norm: f64,
    #[serde(default)]
    parameters: BTreeMap<String, StateTensor>,
}

impl Fixture {
    /// The heads of a chain.
    fn read() -> Fixture {
        serde_json::from_str(include_str!("../../../tests/fixtures/controller.json")).unwrap()
    }

    /// With anchor points.
    fn anchors() -> Fixture {
        let text = include_str!("../../../tests/fixtures/controller_anchors.json");
        serde_json::from_str(text).unwrap()
    }

    fn config(&self) -> ControllerConfig {
        ControllerConfig {
            hidden_size: self.hidden_size,
            layers: self.layers,
            learning_rate: self.learning_rate,
            entropy: self.entropy,
            gradient_clip: self.gradient_clip,
            baseline: BaselineKind::MovingAverage,
            baseline_decay: 1.0,
            init_range: 0.08,
        }
    }

    fn samples(&self) -> Vec<Proposal> {
        self.children.iter().map(|steps| sample_of(steps)).collect()
    }

    /// A controller with PyTorch's parameters and a constant baseline (decay 1).
    fn controller(&self) -> Reinforce {
        self.with_parameters(Reinforce::new(&self.config(), &self.heads(), 0))
    }

    fn heads(&self) -> Vec<Head> {
        let mut heads = heads(&self.choices);
        heads.extend(self.anchors.then(|| Head {
            kind: SKIP,
            options: vec![0, 1],
        }));
        heads
    }

    fn with_parameters<S: Strategy>(&self, mut strategy: S) -> S {
        let mut state = strategy.state();
        state.tensors.extend(self.parameters.clone());
        state
            .scalars
            .insert("baseline".to_owned(), serde_json::json!(self.baseline));
        strategy.restore(&state).unwrap();
        strategy
    }
}

#[test]
fn log_probabilities_and_entropies_agree_with_pytorch() {
    for fixture in [Fixture::read(), Fixture::anchors()] {
        let mut controller = fixture.controller();
        let evaluation = controller.policy.evaluate(&all_drawn(&fixture.samples()));
        assert_close(
            &evaluation.log_prob(),
            &fixture.steps[0].log_probs,
            "log-probability",
        );
        assert_close(
            &evaluation.entropy(),
            &fixture.steps[0].entropies,
            "entropy",
        );
        assert_close(
            &evaluation.relative_entropy(),
            &fixture.steps[0].relative_entropies,
            "relative entropy",
        );
    }
}

#[test]
fn the_gradient_of_the_loss_agrees_with_pytorch() {
    for fixture in [Fixture::read(), Fixture::anchors()] {
        let mut controller = fixture.controller();
        let advantages: Vec<f64> = fixture
            .rewards
            .iter()
            .map(|reward| reward - fixture.baseline)
            .collect();
        let evaluation = controller.policy.evaluate(&all_drawn(&fixture.samples()));
        let loss = loss(&evaluation, &advantages, fixture.entropy);
        let gradient = controller.policy.gradient(&evaluation, &loss);
        for (name, _, part) in &controller.policy.parameters().tensors {
            assert_close(part.of(&gradient), &fixture.gradients[name].values, name);
        }
    }
}

#[test]
fn clipped_adam_updates_agree_with_pytorch() {
    for fixture in [Fixture::read(), Fixture::anchors()] {
        let mut controller = fixture.controller();
        for updated in &fixture.steps {
            let learned = controller
                .learn(&fixture.samples(), &trained(&fixture.rewards))
                .unwrap();
            assert_eq!(learned.baseline, Some(fixture.baseline));
            assert_close(&[learned.loss.unwrap()], &[updated.loss], "loss");
            assert_close(
                &[learned.gradient_norm.unwrap()],
                &[updated.gradient_norm],
                "gradient norm",
            );
            assert_parameters(&controller, updated);
        }
    }
}

fn assert_parameters(strategy: &dyn Strategy, updated: &Updated) {
    let state = strategy.state();
    for (name, expected) in &updated.parameters {
        assert_eq!(state.tensors[name].shape, expected.shape);
        assert_close(&state.tensors[name].values, &expected.values, name);
    }
}

#[test]
fn an_update_against_the_other_children_one_of_which_failed_agrees_with_pytorch() {
    let fixture = Fixture::read();
    let config = ControllerConfig {
        baseline: BaselineKind::LeaveOneOut,
        ..fixture.config()
    };
    let controller = Reinforce::new(&config, &fixture.heads(), 0);
    let mut controller = fixture.with_parameters(controller);
    let LeaveOneOut {
        rewards,
        advantages,
        steps,
    } = &fixture.leave_one_out;
    let earned = rewards.iter().zip(&fixture.failed);
    let earned: Vec<Reward> = earned
        .map(|(&value, &failed)| Reward { value, failed })
        .collect();
    let learned = controller.learn(&fixture.samples(), &earned).unwrap();
    assert_close(&learned.advantages, advantages, "advantage");
    assert_close(&[learned.loss.unwrap()], &[steps[0].loss], "loss");
    assert_parameters(&controller, &steps[0]);
}

#[test]
fn several_clipped_steps_on_the_same_children_agree_with_pytorch() {
    let fixture = Fixture::read();
    let Clipped {
        clip,
        epochs,
        steps,
    } = &fixture.ppo;
    let mut children = fixture.samples();
    let mut controller = fixture.controller();
    let evaluation = controller.policy.evaluate(&all_drawn(&children));
    for decision in &evaluation.decisions {
        let Origin::Sampled(sample) = &mut children[decision.child].origin else {
            unreachable!()
        };
        sample.choices[decision.position].log_prob = decision.log_prob();
    }
    let config = PpoConfig {
        epochs: *epochs,
        clip: *clip,
    };
    let mut strategy = Ppo::of(fixture.controller(), &config);
    let learned = strategy
        .learn(&children, &trained(&fixture.rewards))
        .unwrap();
    assert_close(&[learned.loss.unwrap()], &[steps[0].loss], "loss");
    let norm = learned.gradient_norm.unwrap();
    assert_close(&[norm], &[steps[0].gradient_norm], "gradient norm");
    assert_parameters(&strategy, steps.last().unwrap());
}

#[test]
fn the_gradient_of_the_loss_agrees_with_finite_differences() {
    let mut strategy = reinforce(&small_config(), 5);
    let mut children = samples(&mut strategy, 3, 3, 40);
    children.extend(samples(&mut strategy, 2, 1, 50));
    assert!(
        children.iter().any(|child| drawn(child)
            .feasible
            .iter()
            .flatten()
            .any(|feasible| !feasible)),
        "no mask is at work"
    );
    assert_gradients(&mut strategy, &children);
}

#[test]
fn the_gradient_with_anchors_agrees_with_finite_differences() {
    let space = paper_space();
    let mut strategy = Reinforce::new(&small_config(), space.heads(), 5);
    let depths = [4, 4, 2, 1];
    let children: Vec<Proposal> = (0..)
        .zip(depths)
        .map(|(seed, depth)| strategy.propose(&space, depth, seed).unwrap())
        .collect();
    assert_gradients(&mut strategy, &children);
}

/// Compare the gradient over four children with finite differences.
fn assert_gradients(strategy: &mut Reinforce, children: &[Proposal]) {
    let (advantages, entropy_weight, step) = ([0.7, -0.4, 0.1, -0.9], 0.05, 1e-5);
    let evaluate = |strategy: &mut Reinforce| -> (Evaluation, Loss) {
        let evaluation = strategy.policy.evaluate(&all_drawn(children));
        let loss = loss(&evaluation, &advantages, entropy_weight);
        (evaluation, loss)
    };
    let (evaluation, loss) = evaluate(strategy);
    let gradient = strategy.policy.gradient(&evaluation, &loss);
    for (index, gradient) in gradient.into_iter().enumerate() {
        let mut moved = |by: f64| {
            strategy.policy.change(|values| values[index] += by);
            evaluate(strategy).1.value
        };
        let (above, below) = (moved(step), moved(-2.0 * step));
        moved(step);
        let difference = (above - below) / (2.0 * step);
        assert!(
            (difference - gradient).abs() < 1e-8 + 1e-6 * gradient.abs(),
            "parameter {index}: {gradient} against {difference}"
        );
    }
}

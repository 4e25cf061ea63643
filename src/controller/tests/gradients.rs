//! Log-probabilities, gradients and updates compared with PyTorch and with finite differences.

use std::collections::BTreeMap;

use serde::Deserialize;
use tch::no_grad;

use super::*;
use crate::controller::policy::Policy;
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
}

#[derive(Deserialize)]
struct Updated {
    log_probs: Vec<f64>,
    entropies: Vec<f64>,
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
            baseline_decay: 1.0,
            init_range: 0.08,
        }
    }

    fn samples(&self) -> Vec<Proposal> {
        self.children.iter().map(|steps| sample_of(steps)).collect()
    }

    /// A controller with PyTorch's parameters and a constant baseline (decay 1).
    fn controller(&self) -> Reinforce {
        let mut heads = heads(&self.choices);
        heads.extend(self.anchors.then(|| Head {
            kind: SKIP,
            options: vec![0, 1],
        }));
        let mut controller = Reinforce::new(&self.config(), &heads, 0);
        let mut state = controller.state();
        state.tensors.extend(self.parameters.clone());
        state
            .scalars
            .insert("baseline".to_owned(), serde_json::json!(self.baseline));
        controller.restore(&state).unwrap();
        controller
    }
}

#[test]
fn log_probabilities_and_entropies_agree_with_pytorch() {
    for fixture in [Fixture::read(), Fixture::anchors()] {
        let evaluation = fixture
            .controller()
            .policy()
            .evaluate(&all_drawn(&fixture.samples()));
        assert_close(
            &values(&evaluation.log_prob),
            &fixture.steps[0].log_probs,
            "log-probability",
        );
        assert_close(
            &values(&evaluation.entropy),
            &fixture.steps[0].entropies,
            "entropy",
        );
    }
}

#[test]
fn the_gradient_of_the_loss_agrees_with_pytorch() {
    for fixture in [Fixture::read(), Fixture::anchors()] {
        let controller = fixture.controller();
        let advantages: Vec<f64> = fixture
            .rewards
            .iter()
            .map(|reward| reward - fixture.baseline)
            .collect();
        loss(
            controller.policy(),
            &all_drawn(&fixture.samples()),
            &advantages,
            fixture.entropy,
        )
        .backward();
        for (name, parameter) in controller.policy().parameters() {
            assert_close(
                &values(&parameter.grad()),
                &fixture.gradients[&name].values,
                &name,
            );
        }
    }
}

#[test]
fn clipped_adam_updates_agree_with_pytorch() {
    for fixture in [Fixture::read(), Fixture::anchors()] {
        let mut controller = fixture.controller();
        for updated in &fixture.steps {
            let learned = controller
                .learn(&fixture.samples(), &fixture.rewards)
                .unwrap();
            assert_eq!(learned.baseline, Some(fixture.baseline));
            assert_close(&[learned.loss.unwrap()], &[updated.loss], "loss");
            assert_close(
                &[learned.gradient_norm.unwrap()],
                &[updated.gradient_norm],
                "gradient norm",
            );
            let state = controller.state();
            for (name, expected) in &updated.parameters {
                assert_eq!(state.tensors[name].shape, expected.shape);
                assert_close(&state.tensors[name].values, &expected.values, name);
            }
        }
    }
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
    assert_gradients(&strategy, &children);
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
    assert_gradients(&strategy, &children);
}

/// Compare the gradient over four children with finite differences.
fn assert_gradients(strategy: &Reinforce, children: &[Proposal]) {
    let (advantages, entropy_weight, step) = ([0.7, -0.4, 0.1, -0.9], 0.05, 1e-5);
    let value = |policy: &Policy| {
        no_grad(|| {
            loss(policy, &all_drawn(children), &advantages, entropy_weight).double_value(&[])
        })
    };
    let policy = strategy.policy();
    loss(policy, &all_drawn(children), &advantages, entropy_weight).backward();
    for (name, parameter) in policy.parameters() {
        let flat = parameter.detach().view(-1);
        for (index, gradient) in values(&parameter.grad()).into_iter().enumerate() {
            let mut entry = flat.narrow(0, index as i64, 1);
            let mut moved = |by: f64| {
                let _ = no_grad(|| entry.g_add_scalar_(by));
                value(policy)
            };
            let (above, below) = (moved(step), moved(-2.0 * step));
            moved(step);
            let difference = (above - below) / (2.0 * step);
            assert!(
                (difference - gradient).abs() < 1e-8 + 1e-6 * gradient.abs(),
                "{name}[{index}]: {gradient} against {difference}"
            );
        }
    }
}

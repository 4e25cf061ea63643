//! The controller against PyTorch, against finite differences, and against the mistakes that other
//! re-creations make.

use std::collections::BTreeMap;

use serde::Deserialize;
use tch::{Tensor, no_grad};

use super::policy::Policy;
use super::reinforce::{Reinforce, loss};
use crate::config::{ControllerConfig, Decode, LayerKind, SpaceConfig};
use crate::event::Choice;
use crate::space::{Dna, NextDecision, Space};
use crate::strategy::{
    Origin, Proposal, Random, Sample, StateTensor, Strategy, StrategyError, StrategyState,
};

fn config() -> ControllerConfig {
    ControllerConfig {
        hidden_size: 35,
        layers: 2,
        init_range: 0.08,
        learning_rate: 0.02,
        entropy: 0.0,
        baseline_decay: 0.9,
        gradient_clip: 10.0,
    }
}

fn small_config() -> ControllerConfig {
    ControllerConfig {
        hidden_size: 4,
        init_range: 0.7,
        ..config()
    }
}

/// Strides and missing paddings shrink the image, so that masks are at work.
fn space() -> Space {
    let config = SpaceConfig {
        layer: LayerKind::Chain,
        kernels: vec![1, 3, 5, 7],
        filters: vec![8, 16, 24],
        strides: vec![1, 2, 3],
        paddings: vec![0, 1],
        decode: Decode::Literal,
    };
    Space::new(&config, [1, 28, 28], 10).unwrap()
}

fn reinforce(config: &ControllerConfig, seed: u64) -> Reinforce {
    Reinforce::new(config, space().decisions(), seed)
}

fn samples(
    strategy: &mut dyn Strategy,
    depth: usize,
    count: u64,
    first_seed: u64,
) -> Vec<Proposal> {
    (0..count)
        .map(|child| {
            strategy
                .propose(&space(), depth, first_seed + child)
                .unwrap()
        })
        .collect()
}

/// A child from bare choices, as if it had been sampled; only what a re-evaluation reads is filled
/// in.
fn sample_of(steps: &[Step]) -> Proposal {
    let choice = |step: &Step| Choice {
        layer: step.layer,
        head: step.head,
        index: step.index,
        log_prob: 0.0,
        entropy: 0.0,
        probabilities: Vec::new(),
    };
    let sample = Sample {
        choices: steps.iter().map(choice).collect(),
        feasible: steps.iter().map(|step| step.feasible.clone()).collect(),
        log_prob: 0.0,
        entropy: 0.0,
        max_entropy: 0.0,
    };
    Proposal {
        dna: Dna::default(),
        origin: Origin::Sampled(sample),
    }
}

/// How a child was drawn.
fn drawn(child: &Proposal) -> &Sample {
    child.sample().expect("the controller draws its children")
}

fn all_drawn(children: &[Proposal]) -> Vec<&Sample> {
    children.iter().map(drawn).collect()
}

fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.contiguous().view(-1)).unwrap()
}

fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 1e-9 * expected.abs().max(1e-3),
            "{what}: {found} instead of {expected}"
        );
    }
}

/// What tests/fixtures/make_controller.py wrote.
#[derive(Deserialize)]
struct Fixture {
    hidden_size: usize,
    layers: usize,
    choices: Vec<usize>,
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
struct Step {
    layer: usize,
    head: usize,
    index: usize,
    feasible: Vec<bool>,
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
    fn read() -> Fixture {
        serde_json::from_str(include_str!("../../tests/fixtures/controller.json")).unwrap()
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

    /// A controller with PyTorch's parameters and a baseline that stays (decay 1).
    fn controller(&self) -> Reinforce {
        let mut controller = Reinforce::with_choices(&self.config(), &self.choices, 0);
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
    let fixture = Fixture::read();
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

#[test]
fn the_gradient_of_the_loss_agrees_with_pytorch() {
    let fixture = Fixture::read();
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

#[test]
fn clipped_adam_updates_agree_with_pytorch() {
    let fixture = Fixture::read();
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
    let (advantages, entropy_weight, step) = ([0.7, -0.4, 0.1, -0.9], 0.05, 1e-5);
    let value = |policy: &Policy| {
        no_grad(|| {
            loss(policy, &all_drawn(&children), &advantages, entropy_weight).double_value(&[])
        })
    };
    let policy = strategy.policy();
    loss(policy, &all_drawn(&children), &advantages, entropy_weight).backward();
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

#[test]
fn every_weight_starts_within_the_range_and_differs_with_the_seed() {
    let weights = |seed: u64| reinforce(&config(), seed).state().tensors;
    let (one, two) = (weights(1), weights(2));
    for (name, tensor) in one.iter().filter(|(name, _)| !name.starts_with("adam")) {
        let largest = tensor
            .values
            .iter()
            .fold(0.0f64, |largest, value| largest.max(value.abs()));
        assert!(largest <= 0.08 && largest > 0.02, "{name}: {largest}");
        assert_ne!(tensor, &two[name], "{name}");
    }
    assert_eq!(one, weights(1));
}

#[test]
fn a_samples_log_probability_is_that_of_its_choices_when_evaluated_again() {
    let mut strategy = reinforce(&small_config(), 3);
    let mut children = samples(&mut strategy, 5, 4, 10);
    children.extend(samples(&mut strategy, 3, 2, 20));
    let evaluation = strategy.policy().evaluate(&all_drawn(&children));
    let sampled =
        |field: fn(&Sample) -> f64| children.iter().map(drawn).map(field).collect::<Vec<_>>();
    assert_close(
        &values(&evaluation.log_prob),
        &sampled(|child| child.log_prob),
        "log-probability",
    );
    assert_close(
        &values(&evaluation.entropy),
        &sampled(|child| child.entropy),
        "entropy",
    );
}

#[test]
fn every_sampled_child_can_be_built_and_masked_choices_have_probability_0() {
    let mut strategy = reinforce(
        &ControllerConfig {
            init_range: 2.0,
            ..config()
        },
        8,
    );
    let mut masked = 0;
    for child in samples(&mut strategy, 8, 60, 0) {
        space().decode(&child.dna, "child").unwrap();
        let child = drawn(&child);
        assert_eq!(child.choices.len(), 8 * 4);
        for (choice, feasible) in child.choices.iter().zip(&child.feasible) {
            assert!(feasible[choice.index]);
            for (probability, _) in choice
                .probabilities
                .iter()
                .zip(feasible)
                .filter(|(_, feasible)| !**feasible)
            {
                assert_eq!(*probability, 0.0);
                masked += 1;
            }
        }
        assert!(child.log_prob < 0.0 && child.log_prob.is_finite());
        assert!(child.entropy > 0.0 && child.entropy <= child.max_entropy);
    }
    assert!(masked > 100, "too few masks to tell: {masked}");
}

#[test]
fn sampled_children_are_as_frequent_as_the_policy_says() {
    let mut strategy = reinforce(
        &ControllerConfig {
            init_range: 1.0,
            hidden_size: 4,
            ..config()
        },
        4,
    );
    let mut probabilities = BTreeMap::new();
    let mut counts: BTreeMap<Dna, f64> = BTreeMap::new();
    let draws = 6_000;
    for child in samples(&mut strategy, 1, draws, 0) {
        probabilities.insert(child.dna.clone(), drawn(&child).log_prob.exp());
        *counts.entry(child.dna).or_default() += 1.0;
    }
    let common: Vec<(f64, f64)> = counts
        .iter()
        .map(|(dna, &count)| (count, probabilities[dna] * draws as f64))
        .filter(|(_, expected)| *expected >= 5.0)
        .collect();
    let chi_square: f64 = common
        .iter()
        .map(|(count, expected)| (count - expected).powi(2) / expected)
        .sum();
    let freedom = common.len() as f64;
    assert!(freedom > 20.0, "{freedom} kinds of children");
    // Mean k, variance 2k: four standard deviations.
    assert!(
        chi_square < freedom + 4.0 * (2.0 * freedom).sqrt(),
        "{chi_square} with {freedom} degrees of freedom"
    );
}

#[test]
fn the_children_of_an_episode_differ() {
    let children = samples(&mut reinforce(&config(), 1), 6, 16, 0);
    let different: std::collections::BTreeSet<_> =
        children.iter().map(|child| &child.dna).collect();
    assert_eq!(different.len(), 16);
}

#[test]
fn choices_depend_on_the_choices_before() {
    let strategy = reinforce(&small_config(), 2);
    let second = |first: usize| {
        let mut sampler = strategy.policy().sampler();
        let kernel = NextDecision {
            layer: 1,
            head: 0,
            feasible: vec![true; 4],
        };
        sampler(&kernel, None);
        let step = Step {
            layer: 1,
            head: 0,
            index: first,
            feasible: vec![true; 4],
        };
        sampler(
            &NextDecision {
                layer: 1,
                head: 1,
                feasible: vec![true; 3],
            },
            Some(&drawn(&sample_of(&[step])).choices[0]),
        )
    };
    assert_ne!(second(0), second(1));
}

/// Log-probability of one child before and after one update with this advantage (baseline 0.5).
fn log_prob_around_update(advantage: f64) -> (f64, f64) {
    let mut strategy = reinforce(&config(), 6);
    let mut state = strategy.state();
    state
        .scalars
        .insert("baseline".to_owned(), serde_json::json!(0.5));
    strategy.restore(&state).unwrap();
    let child = samples(&mut strategy, 4, 1, 9);
    strategy.learn(&child, &[0.5 + advantage]).unwrap();
    (
        drawn(&child[0]).log_prob,
        strategy
            .policy()
            .evaluate(&all_drawn(&child))
            .log_prob
            .double_value(&[0]),
    )
}

#[test]
fn a_child_better_than_the_baseline_becomes_likelier_and_a_worse_one_less_likely() {
    let (before, after) = log_prob_around_update(0.3);
    assert!(after > before + 0.1, "{before} -> {after}");
    let (before, after) = log_prob_around_update(-0.3);
    assert!(after < before - 0.1, "{before} -> {after}");
}

#[test]
fn rewards_equal_to_the_baseline_teach_nothing() {
    let (before, after) = log_prob_around_update(0.0);
    assert!((before - after).abs() < 1e-12, "{before} -> {after}");
    let mut strategy = reinforce(&config(), 6);
    let children = samples(&mut strategy, 4, 3, 9);
    let learned = strategy.learn(&children, &[0.25; 3]).unwrap();
    assert_eq!(
        (learned.loss, learned.gradient_norm),
        (Some(0.0), Some(0.0))
    );
}

#[test]
fn the_entropy_bonus_makes_the_policy_more_even() {
    let config = ControllerConfig {
        init_range: 1.0,
        entropy: 0.1,
        ..config()
    };
    let mut strategy = reinforce(&config, 6);
    let children = samples(&mut strategy, 4, 8, 9);
    strategy.learn(&children, &[0.5; 8]).unwrap();
    let before: f64 = children.iter().map(|child| drawn(child).entropy).sum();
    let after = strategy
        .policy()
        .evaluate(&all_drawn(&children))
        .entropy
        .sum(None)
        .double_value(&[]);
    assert!(after > before, "{before} -> {after}");
}

#[test]
fn the_update_does_not_depend_on_how_much_of_an_episode_the_baseline_will_hold_later() {
    // If this episode's rewards were in its own baseline, the decay would change the advantages.
    let advantages = |decay: f64| {
        let mut strategy = reinforce(
            &ControllerConfig {
                baseline_decay: decay,
                ..config()
            },
            6,
        );
        let children = samples(&mut strategy, 2, 3, 9);
        strategy.learn(&children, &[0.2, 0.4, 0.6]).unwrap();
        strategy.learn(&children, &[1.0, 0.0, 0.5]).unwrap()
    };
    let (slow, fast) = (advantages(0.99), advantages(0.1));
    assert_close(&slow.advantages, &[0.6, -0.4, 0.1], "advantage");
    assert_eq!(
        (slow.baseline, &slow.advantages, slow.loss),
        (fast.baseline, &fast.advantages, fast.loss)
    );
    assert_ne!(slow.next_baseline, fast.next_baseline);
}

/// Reward of the toy problem: the share of values that equal the target's.
fn share_of_target(child: &Proposal) -> f64 {
    let child = drawn(child);
    let target = [2, 1, 0, 1];
    let hits = child
        .choices
        .iter()
        .filter(|choice| choice.index == target[choice.head])
        .count();
    hits as f64 / child.choices.len() as f64
}

/// Mean reward of each of `episodes` episodes of 16 children.
fn run_toy(strategy: &mut dyn Strategy, episodes: u64) -> Vec<f64> {
    let episode = |number: u64| {
        let children = samples(strategy, 4, 16, 1_000 * number);
        let rewards: Vec<f64> = children.iter().map(share_of_target).collect();
        strategy.learn(&children, &rewards).unwrap();
        rewards.iter().sum::<f64>() / 16.0
    };
    (1..=episodes).map(episode).collect()
}

#[test]
fn reinforce_learns_a_toy_problem_and_random_search_does_not() {
    let gain = |rewards: &[f64]| {
        (rewards[25..].iter().sum::<f64>() - rewards[..5].iter().sum::<f64>()) / 5.0
    };
    let learned = run_toy(&mut reinforce(&config(), 1), 30);
    assert!(gain(&learned) > 0.25, "{learned:?}");
    let random = run_toy(&mut Random::new(0.9), 30);
    assert!(gain(&random).abs() < 0.05, "{random:?}");
}

#[test]
fn the_same_seed_gives_the_same_search_bit_for_bit() {
    let run = || {
        let mut strategy = reinforce(&config(), 1);
        (run_toy(&mut strategy, 3), strategy.state())
    };
    assert_eq!(run(), run());
}

#[test]
fn a_restored_controller_continues_bit_for_bit() {
    let mut whole = reinforce(&config(), 1);
    run_toy(&mut whole, 3);
    let saved = serde_json::to_string(&whole.state()).unwrap();
    let mut continued = reinforce(&config(), 77);
    continued
        .restore(&serde_json::from_str(&saved).unwrap())
        .unwrap();
    assert_eq!(continued.baseline(), whole.baseline());
    assert_eq!(run_toy(&mut continued, 3), run_toy(&mut whole, 3));
    assert_eq!(continued.state(), whole.state());
}

#[test]
fn optimiser_and_baseline_are_part_of_the_state() {
    let mut whole = reinforce(&config(), 1);
    run_toy(&mut whole, 3);
    let state = whole.state();
    assert_eq!(state.scalars["adam.steps"], 3);
    assert!(state.scalars["baseline"].is_f64());
    for (name, _) in whole.policy().parameters() {
        for moment in [format!("adam.mean.{name}"), format!("adam.square.{name}")] {
            assert!(
                state.tensors[&moment]
                    .values
                    .iter()
                    .any(|value| *value != 0.0),
                "{moment}"
            );
        }
    }
}

#[test]
fn a_state_that_does_not_fit_is_refused_by_name_and_changes_nothing() {
    let mut strategy = reinforce(&config(), 1);
    let before = strategy.state();
    let refused = |strategy: &mut Reinforce, change: &dyn Fn(&mut StrategyState)| {
        let mut state = reinforce(&config(), 2).state();
        change(&mut state);
        let error = strategy.restore(&state).unwrap_err();
        assert_eq!(strategy.state(), before, "{error}");
        error.to_string()
    };
    let text = refused(&mut strategy, &|state| {
        state.tensors.get_mut("heads.1.bias").unwrap().shape = vec![4]
    });
    assert!(
        text.contains("`heads.1.bias`") && text.contains("[4]") && text.contains("[3]"),
        "{text}"
    );
    let text = refused(&mut strategy, &|state| {
        drop(state.tensors.remove("adam.square.start"))
    });
    assert!(text.contains("`adam.square.start`"), "{text}");
    let text = refused(&mut strategy, &|state| {
        drop(
            state
                .tensors
                .insert("heads.9.bias".into(), state.tensors["start"].clone()),
        )
    });
    assert!(text.contains("`heads.9.bias`"), "{text}");
    let text = refused(&mut strategy, &|state| {
        state.tensors.get_mut("start").unwrap().values[0] = f64::NAN
    });
    assert!(text.contains("`start`"), "{text}");
    let text = refused(&mut strategy, &|state| {
        drop(state.scalars.remove("baseline"))
    });
    assert!(text.contains("`baseline`"), "{text}");
    let text = refused(&mut strategy, &|state| state.strategy = "random".into());
    assert!(text.contains("`random`"), "{text}");
}

#[test]
fn a_space_with_other_heads_is_refused() {
    let mut strategy = Reinforce::with_choices(&config(), &[2, 2], 1);
    let error = strategy.propose(&space(), 2, 1).unwrap_err();
    assert_eq!(
        error,
        StrategyError::OtherSpace {
            expected: vec![2, 2],
            found: vec![4, 3, 3, 2]
        }
    );
}

#[test]
fn a_depth_that_cannot_be_built_is_an_error() {
    let config = SpaceConfig {
        layer: LayerKind::Chain,
        kernels: vec![5],
        filters: vec![8],
        strides: vec![1],
        paddings: vec![0],
        decode: Decode::Literal,
    };
    let space = Space::new(&config, [1, 28, 28], 10).unwrap();
    assert!(matches!(
        Random::new(0.9).propose(&space, 20, 1),
        Err(StrategyError::Space(_))
    ));
}

#[test]
fn rewards_must_match_the_samples_and_be_finite() {
    let mut strategy = reinforce(&config(), 1);
    let children = samples(&mut strategy, 2, 2, 0);
    let before = strategy.state();
    for rewards in [&[0.5][..], &[0.5, f64::NAN], &[0.5, 0.5, 0.5]] {
        assert!(matches!(
            strategy.learn(&children, rewards),
            Err(StrategyError::Rewards { .. })
        ));
    }
    assert!(strategy.learn(&[], &[]).is_err());
    assert_eq!(strategy.state(), before);
}

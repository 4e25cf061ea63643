//! The controller compared with PyTorch and with finite differences, and tested for the mistakes of
//! other reproductions.

mod anchors;
mod gradients;
mod learning;
#[cfg(feature = "torch")]
mod libtorch;
mod sampling;
mod state;

use serde::Deserialize;

use super::reinforce::Reinforce;
use crate::config::{BaselineKind, ControllerConfig, Decode, SpaceConfig};
use crate::event::Choice;
use crate::space::decode::KERNEL;
use crate::space::{Dna, Head, Space};
use crate::strategy::{Baseline, Origin, Proposal, Random, Reward, Sample, Strategy};

fn config() -> ControllerConfig {
    ControllerConfig {
        hidden_size: 35,
        layers: 2,
        init_range: 0.08,
        learning_rate: 0.02,
        entropy: 0.0,
        baseline: BaselineKind::MovingAverage,
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

/// Strides and missing paddings shrink the image, so that masks have an effect.
fn space() -> Space {
    let config = SpaceConfig {
        layer: "chain".to_owned(),
        kernels: vec![1, 3, 5, 7],
        filters: vec![8, 16, 24],
        strides: vec![1, 2, 3],
        paddings: vec![0, 1],
        decode: Decode::Literal,
    };
    Space::new(&config, [1, 28, 28], 10).unwrap()
}

/// The paper's space with skip connections.
fn paper_space() -> Space {
    let config = SpaceConfig {
        layer: "paper".to_owned(),
        kernels: vec![1, 3, 5, 7],
        filters: vec![24, 36, 48, 64],
        strides: vec![],
        paddings: vec![],
        decode: Decode::Literal,
    };
    Space::new(&config, [3, 32, 32], 10).unwrap()
}

/// A head for each number of options; what they decide does not matter.
fn heads(options: &[usize]) -> Vec<Head> {
    let head = |&options: &usize| Head {
        kind: KERNEL,
        options: (0..options as u32).collect(),
    };
    options.iter().map(head).collect()
}

fn reinforce(config: &ControllerConfig, seed: u64) -> Reinforce {
    Reinforce::new(config, space().heads(), seed)
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

/// One choice of a child, without its probabilities.
#[derive(Deserialize)]
struct Step {
    layer: usize,
    head: usize,
    index: usize,
    feasible: Vec<bool>,
}

/// A child made from bare choices, as if it had been sampled; only what a re-evaluation reads is
/// filled in.
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

fn trained(rewards: &[f64]) -> Vec<Reward> {
    rewards.iter().copied().map(Reward::trained).collect()
}

fn random() -> Random {
    Random::new(Baseline::new(BaselineKind::MovingAverage, 0.9))
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

/// Reward of the toy problem: the fraction of values equal to the target's.
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
        strategy.learn(&children, &trained(&rewards)).unwrap();
        rewards.iter().sum::<f64>() / 16.0
    };
    (1..=episodes).map(episode).collect()
}

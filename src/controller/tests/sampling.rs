//! What the policy samples: its initial weights, its frequencies, and only feasible options.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::space::Decision;

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
fn a_samples_log_probability_is_that_of_its_choices_when_reevaluated() {
    let mut strategy = reinforce(&small_config(), 3);
    let mut children = samples(&mut strategy, 5, 4, 10);
    children.extend(samples(&mut strategy, 3, 2, 20));
    let evaluation = strategy.policy.evaluate(&all_drawn(&children));
    let sampled =
        |field: fn(&Sample) -> f64| children.iter().map(drawn).map(field).collect::<Vec<_>>();
    assert_close(
        &evaluation.log_prob(),
        &sampled(|child| child.log_prob),
        "log-probability",
    );
    assert_close(
        &evaluation.entropy(),
        &sampled(|child| child.entropy),
        "entropy",
    );
}

#[test]
fn every_sampled_child_can_be_built_and_masked_options_have_probability_0() {
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
    let different: BTreeSet<_> = children.iter().map(|child| &child.dna).collect();
    assert_eq!(different.len(), 16);
}

#[test]
fn choices_depend_on_previous_choices() {
    let mut strategy = reinforce(&small_config(), 2);
    let mut second = |first: usize| {
        let mut sampler = strategy.policy.sampler();
        let kernel = Decision {
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
            &Decision {
                layer: 1,
                head: 1,
                feasible: vec![true; 3],
            },
            Some(&drawn(&sample_of(&[step])).choices[0]),
        )
    };
    assert_ne!(second(0), second(1));
}

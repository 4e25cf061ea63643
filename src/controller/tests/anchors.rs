//! Anchor points: evaluation gives a sampled child its probability, and connections depend on both
//! layers.

use super::*;
use crate::space::builtin::builtin;
use crate::space::{Prefix, describe};

/// The sample that leads to `dna`, with the log-probability that the sampler gives it.
fn sample_along(controller: &mut Reinforce, space: &Space, dna: &Dna) -> (Sample, f64) {
    let mut prefix: Prefix<'_> = space.prefix(dna.depth());
    let mut sampler = controller.policy.sampler();
    let values = dna.0.iter().flatten();
    let (mut choices, mut feasible): (Vec<Choice>, Vec<Vec<bool>>) = Default::default();
    for value in values {
        let next = prefix.next().unwrap();
        let options = &space.heads()[next.head].options;
        let index = options.iter().position(|option| option == value).unwrap();
        let log_probs = sampler(&next, choices.last());
        choices.push(Choice {
            layer: next.layer,
            head: next.head,
            index,
            log_prob: log_probs[index],
            entropy: 0.0,
            probabilities: Vec::new(),
        });
        feasible.push(next.feasible);
        prefix.choose(index);
    }
    let log_prob = choices.iter().map(|choice| choice.log_prob).sum();
    let sample = Sample {
        choices,
        feasible,
        log_prob,
        entropy: 0.0,
        max_entropy: 0.0,
    };
    (sample, log_prob)
}

#[test]
fn evaluation_gives_a_sampled_child_its_log_probability_and_entropy() {
    let space = paper_space();
    let mut controller = Reinforce::new(&small_config(), space.heads(), 3);
    let children: Vec<Proposal> = [(6, 1), (3, 2), (1, 3), (6, 4), (2, 5)]
        .map(|(depth, seed)| controller.propose(&space, depth, seed).unwrap())
        .into();
    let evaluation = controller.policy.evaluate(&all_drawn(&children));
    let column = |value: fn(&Sample) -> f64| -> Vec<f64> {
        children.iter().map(|child| value(drawn(child))).collect()
    };
    let log_probs = column(|sample| sample.log_prob);
    assert_close(&evaluation.log_prob(), &log_probs, "log-probability");
    let entropies = column(|sample| sample.entropy);
    assert_close(&evaluation.entropy(), &entropies, "entropy");
}

#[test]
fn nascnn15_has_a_positive_probability() {
    let network = builtin("nascnn15", Decode::Literal, [3, 32, 32], 10);
    let dna = describe(&network.unwrap().unwrap()).unwrap();
    let space = paper_space();
    // Weights of 0: every option is as likely as any other.
    let uniform = ControllerConfig {
        init_range: 0.0,
        ..config()
    };
    let log_prob_of = |config: &ControllerConfig| {
        let mut controller = Reinforce::new(config, space.heads(), 1);
        let (sample, log_prob) = sample_along(&mut controller, &space, &dna);
        let evaluation = controller.policy.evaluate(&[&sample]);
        assert_close(&evaluation.log_prob(), &[log_prob], "evaluated");
        log_prob
    };
    // 15 layers with three choices among four options, and 15 * 14 / 2 connections.
    let expected = -(45.0 * 4f64.ln() + 105.0 * 2f64.ln());
    assert_close(&[log_prob_of(&uniform)], &[expected], "uniform");
    let drawn = log_prob_of(&config());
    assert!(
        drawn.is_finite() && (drawn - expected).abs() < 2.0,
        "{drawn}"
    );
}

#[test]
fn a_connection_depends_on_both_layers_and_later_choices_depend_on_it() {
    let space = paper_space();
    let mut controller = Reinforce::new(&small_config(), space.heads(), 2);
    let mut along = |genes: &[&[u32]]| {
        let dna = Dna(genes.iter().map(|gene| gene.to_vec()).collect());
        sample_along(&mut controller, &space, &dna).0.choices
    };
    let mut connection =
        |first: u32, second: u32| along(&[&[1, 3, first], &[3, 1, second, 1]])[6].log_prob;
    assert_ne!(connection(24, 36), connection(48, 36));
    assert_ne!(connection(24, 36), connection(24, 48));
    let mut after =
        |bit: u32| along(&[&[1, 3, 24], &[3, 1, 24, bit], &[1, 1, 24, 0, 0]])[7].log_prob;
    assert_ne!(after(0), after(1));
}

#[test]
fn the_connections_of_a_layer_do_not_depend_on_one_another() {
    let space = paper_space();
    let mut controller = Reinforce::new(&small_config(), space.heads(), 2);
    let mut second = |first_bit: u32| {
        let dna = Dna(vec![
            vec![1, 3, 24],
            vec![3, 1, 24, 1],
            vec![5, 1, 24, first_bit, 1],
        ]);
        sample_along(&mut controller, &space, &dna).0.choices[11].log_prob
    };
    assert_eq!(second(0), second(1));
}

#[test]
fn a_controller_learns_that_connections_do_not_pay() {
    let space = paper_space();
    let mut controller = Reinforce::new(&config(), space.heads(), 4);
    let skip = space.heads().len() - 1;
    let reward = |child: &Proposal| {
        let choices = drawn(child).choices.iter();
        let connections: Vec<bool> = choices
            .filter(|choice| choice.head == skip)
            .map(|choice| choice.index == 1)
            .collect();
        let taken = connections.iter().filter(|taken| **taken).count();
        1.0 - taken as f64 / connections.len() as f64
    };
    let mut episode = |number: u64| {
        let children: Vec<Proposal> = (0..16)
            .map(|child| controller.propose(&space, 5, 100 * number + child).unwrap())
            .collect();
        let rewards: Vec<f64> = children.iter().map(reward).collect();
        controller.learn(&children, &trained(&rewards)).unwrap();
        rewards.iter().sum::<f64>() / 16.0
    };
    // (The same controller in PyTorch goes from .5 to .998 in 20 episodes.)
    let first = episode(0);
    let last = (1..20).map(&mut episode).last().unwrap();
    assert!(
        first < 0.7 && last > 0.9,
        "{first} at first, {last} at last"
    );
}

//! What the predictor learns, proposes and remembers.

use super::*;
use crate::strategy::test_space::space;

fn predictor(initial: usize) -> Predictor {
    let config = PredictorConfig {
        initial,
        networks: 3,
        candidates: 30,
    };
    Predictor::new(&config, 1)
}

/// Filters are good, large kernels are bad.
fn reward(dna: &Dna) -> f64 {
    let of_layer = |gene: &Vec<u32>| f64::from(gene[1]) - 3.0 * f64::from(gene[0]);
    dna.0.iter().map(of_layer).sum::<f64>() / 100.0
}

fn search(strategy: &mut Predictor, children: std::ops::Range<u64>, depth: usize) -> Vec<Proposal> {
    let propose = |child| {
        let proposal = strategy.propose(&space(), depth, child).unwrap();
        strategy
            .child_ended(child, &proposal, reward(&proposal.dna))
            .unwrap();
        proposal
    };
    children.map(propose).collect()
}

fn mean_reward(children: &[Proposal]) -> f64 {
    let rewards = children.iter().map(|child| reward(&child.dna));
    rewards.sum::<f64>() / children.len() as f64
}

#[test]
fn it_proposes_better_children_than_chance_and_none_twice() {
    let children = search(&mut predictor(10), 0..60, 4);
    let uniform = mean_reward(&children[..10]);
    let predicted = mean_reward(&children[40..]);
    assert!(predicted > uniform + 0.15, "{uniform} {predicted}");
    assert!(
        children[..10]
            .iter()
            .all(|child| child.origin == Origin::Uniform)
    );
    let distinct: BTreeSet<&Dna> = children.iter().map(|child| &child.dna).collect();
    assert_eq!(distinct.len(), children.len());
    for child in &children {
        space().decode(&child.dna, "child").unwrap();
        if let Origin::Mutated { parent } = child.origin {
            assert!(parent < 60);
        }
    }
}

#[test]
fn it_continues_from_a_saved_state_bit_for_bit() {
    for ended in [3, 13] {
        let mut strategy = predictor(5);
        search(&mut strategy, 0..ended, 3);
        let text = serde_json::to_string(&strategy.state()).unwrap();
        let mut other = predictor(5);
        other
            .restore(&serde_json::from_str(&text).unwrap())
            .unwrap();
        let (after, deeper) = (ended..ended + 8, ended + 8..ended + 12);
        assert_eq!(
            search(&mut other, after.clone(), 3),
            search(&mut strategy, after, 3)
        );
        assert_eq!(
            search(&mut other, deeper.clone(), 5),
            search(&mut strategy, deeper, 5)
        );
    }
}

#[test]
fn a_space_that_is_exhausted_is_searched_again() {
    let mut strategy = predictor(2);
    search(&mut strategy, 0..60, 1);
    assert!(strategy.seen.len() < 30);
}

#[test]
fn only_the_order_of_rewards_counts_and_equal_ones_share_a_score() {
    let scores = normal_scores(&[0.5, 0.1, 0.5, 0.9]);
    assert_eq!(scores, normal_scores(&[0.25, 0.01, 0.25, 0.81]));
    assert!(scores[0] == scores[2] && scores[0].abs() < 1e-6);
    // The normal quantile of 7/8 (SciPy's norm.ppf).
    assert!((scores[3] - 1.150_349_4).abs() < 1e-6, "{scores:?}");
    assert!((scores[1] + 1.150_349_4).abs() < 1e-6, "{scores:?}");
}

#[test]
fn a_child_turns_one_input_on_for_each_decision() {
    let [inputs, active] = size(&space(), 2);
    assert_eq!([inputs, active], [18, 8]);
    let dna = Dna(vec![vec![3, 8, 1, 0], vec![5, 24, 2, 1]]);
    assert_eq!(encode(&space(), &dna), [0, 2, 5, 7, 10, 13, 15, 17]);
}

#[test]
fn refits_become_rarer_as_the_number_of_children_grows() {
    let refits = |ended| last_refit(10, ended);
    assert_eq!([10, 14, 15, 19].map(refits), [10, 10, 15, 15]);
    assert!(refits(1000) >= 950 && refits(1000) == refits(refits(1000) + 40));
}

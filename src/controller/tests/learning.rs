//! The effect of an update on the policy, and that it learns where random search does not.

use super::*;
use crate::config::PpoConfig;
use crate::controller::Ppo;

/// Log-probability of one child before and after one update with this advantage (baseline 0.5).
fn log_prob_around_update(advantage: f64) -> (f64, f64) {
    let mut strategy = reinforce(&config(), 6);
    let mut state = strategy.state();
    state
        .scalars
        .insert("baseline".to_owned(), serde_json::json!(0.5));
    strategy.restore(&state).unwrap();
    let child = samples(&mut strategy, 4, 1, 9);
    strategy
        .learn(&child, &trained(&[0.5 + advantage]))
        .unwrap();
    (
        drawn(&child[0]).log_prob,
        strategy.policy.evaluate(&all_drawn(&child)).log_prob()[0],
    )
}

#[test]
fn a_child_better_than_the_baseline_becomes_more_likely_and_a_worse_one_less_likely() {
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
    let learned = strategy.learn(&children, &trained(&[0.25; 3])).unwrap();
    assert_eq!(
        (learned.loss, learned.gradient_norm),
        (Some(0.0), Some(0.0))
    );
}

#[test]
fn the_entropy_bonus_makes_the_policy_more_uniform() {
    let config = ControllerConfig {
        init_range: 1.0,
        entropy: 0.1,
        ..config()
    };
    let mut strategy = reinforce(&config, 6);
    let children = samples(&mut strategy, 4, 8, 9);
    strategy.learn(&children, &trained(&[0.5; 8])).unwrap();
    let before: f64 = children.iter().map(|child| drawn(child).entropy).sum();
    let after = strategy.policy.evaluate(&all_drawn(&children)).entropy();
    let after: f64 = after.iter().sum();
    assert!(after > before, "{before} -> {after}");
}

#[test]
fn the_update_does_not_depend_on_how_much_of_an_episode_the_baseline_will_hold_later() {
    // If this episode's rewards were part of its own baseline, the decay would change the
    // advantages.
    let advantages = |decay: f64| {
        let mut strategy = reinforce(
            &ControllerConfig {
                baseline_decay: decay,
                ..config()
            },
            6,
        );
        let children = samples(&mut strategy, 2, 3, 9);
        strategy
            .learn(&children, &trained(&[0.2, 0.4, 0.6]))
            .unwrap();
        strategy
            .learn(&children, &trained(&[1.0, 0.0, 0.5]))
            .unwrap()
    };
    let (slow, fast) = (advantages(0.99), advantages(0.1));
    assert_close(&slow.advantages, &[0.6, -0.4, 0.1], "advantage");
    assert_eq!(
        (slow.baseline, &slow.advantages, slow.loss),
        (fast.baseline, &fast.advantages, fast.loss)
    );
    assert_ne!(slow.next_baseline, fast.next_baseline);
}

#[test]
fn the_entropy_bonus_weighs_the_same_at_every_depth() {
    // If all entropies were multiplied by a common factor, the gradient would grow with the number
    // of decisions.
    let config = ControllerConfig {
        init_range: 0.3,
        entropy: 0.1,
        ..config()
    };
    let bonus = |depth: usize| {
        let mut strategy = reinforce(&config, 6);
        let children = samples(&mut strategy, depth, 8, 9);
        strategy.learn(&children, &trained(&[0.5; 8])).unwrap().loss
    };
    let (shallow, deep) = (bonus(2).unwrap(), bonus(8).unwrap());
    assert!((-0.1..0.0).contains(&shallow), "{shallow}");
    assert!((shallow - deep).abs() < 0.01, "{shallow} {deep}");
}

#[test]
fn ppo_learns_the_toy_problem_too_and_goes_on_from_a_saved_state() {
    let ppo = PpoConfig {
        epochs: 3,
        clip: 0.2,
    };
    let fresh = |seed: u64| Ppo::new(&config(), &ppo, space().heads(), seed);
    let mut whole = fresh(1);
    let rewards = run_toy(&mut whole, 15);
    let gain = rewards[14] - rewards[0];
    assert!(gain > 0.2, "{rewards:?}");
    let saved = serde_json::to_string(&whole.state()).unwrap();
    let mut continued = fresh(77);
    continued
        .restore(&serde_json::from_str(&saved).unwrap())
        .unwrap();
    assert_eq!(run_toy(&mut continued, 2), run_toy(&mut whole, 2));
    assert!(reinforce(&config(), 1).restore(&whole.state()).is_err());
}

#[test]
fn reinforce_learns_a_toy_problem_and_random_search_does_not() {
    let gain = |rewards: &[f64]| {
        (rewards[25..].iter().sum::<f64>() - rewards[..5].iter().sum::<f64>()) / 5.0
    };
    let learned = run_toy(&mut reinforce(&config(), 1), 30);
    assert!(gain(&learned) > 0.25, "{learned:?}");
    let random = run_toy(&mut random(), 30);
    assert!(gain(&random).abs() < 0.05, "{random:?}");
}

//! What is saved and restored, and what is refused.

use super::*;
use crate::strategy::{StrategyError, StrategyState};

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
    for (name, ..) in &whole.policy.parameters().tensors {
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
    let mut strategy = Reinforce::new(&config(), &heads(&[2, 2]), 1);
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
        layer: "chain".to_owned(),
        kernels: vec![5],
        filters: vec![8],
        strides: vec![1],
        paddings: vec![0],
        decode: Decode::Literal,
    };
    let space = Space::new(&config, [1, 28, 28], 10).unwrap();
    assert!(matches!(
        random().propose(&space, 20, 1),
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
            strategy.learn(&children, &trained(rewards)),
            Err(StrategyError::Rewards { .. })
        ));
    }
    assert!(strategy.learn(&[], &[]).is_err());
    assert_eq!(strategy.state(), before);
}

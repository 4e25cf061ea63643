//! Curves of synthetic runs.

use proptest::prelude::*;

use super::super::samples;
use super::*;
use crate::state::{ChildRow, SearchRun};

const REWARD: Quantity = Quantity::Reward;

fn smooth(state: &RunState, span: Span, width: usize) -> Vec<(usize, f64)> {
    Curves::of(state, &Children::of(state, REWARD), REWARD, span, width).smooth
}

#[test]
fn the_smoothed_curve_does_not_depend_on_the_view_or_on_the_order_of_ending() {
    let mut state = samples::run(96);
    let whole = smooth(&state, Span { first: 1, last: 96 }, 96);
    assert_eq!(
        smooth(
            &state,
            Span {
                first: 65,
                last: 96
            },
            32
        )[0]
        .1,
        whole[64].1
    );
    assert_eq!(
        smooth(&state, Span { first: 1, last: 96 }, 8)[7].1,
        whole[95].1
    );
    state
        .search_mut()
        .unwrap()
        .children
        .chunks_mut(8)
        .for_each(<[_]>::reverse);
    assert_eq!(
        smooth(&state, Span { first: 1, last: 96 }, 96),
        whole,
        "neighbours change places"
    );
    state
        .search_mut()
        .unwrap()
        .children
        .sort_by_key(|row| std::cmp::Reverse(row.child));
    assert_eq!(
        smooth(&state, Span { first: 1, last: 96 }, 96),
        whole,
        "all change places"
    );
}

#[test]
fn a_failed_child_counts_with_its_reward_and_has_no_accuracy() {
    let children = vec![samples::row(1, None), samples::row(2, Some(0.8))];
    let state = RunState::from(SearchRun {
        children,
        ..SearchRun::default()
    });
    let rewards = Children::of(&state, Quantity::Reward).points;
    assert_eq!(
        rewards
            .iter()
            .map(|point| (point.value, point.failed))
            .collect::<Vec<_>>(),
        [(0.0, true), (0.8f64.powi(3), false)]
    );
    let accuracies = Children::of(&state, Quantity::Accuracy);
    assert_eq!(
        accuracies
            .points
            .iter()
            .map(|point| point.value)
            .collect::<Vec<_>>(),
        [0.8]
    );
    let failed: Vec<u64> = accuracies
        .failed
        .iter()
        .map(|failed| failed.child)
        .collect();
    assert_eq!(failed, [1]);
}

#[test]
fn an_edited_child_is_in_no_curve_and_has_no_point() {
    let mut state = samples::run(32);
    let before = Children::of(&state, REWARD);
    state.search_mut().unwrap().children.push(ChildRow {
        parent: Some(3),
        ..samples::row(321, Some(1.0))
    });
    assert_eq!(Children::of(&state, REWARD), before);
    assert_eq!(Extent::of(&state).newest, 32);
}

#[test]
fn controls_are_in_no_curve_but_their_own_and_stand_within_their_episode() {
    let mut state = samples::run(48);
    let before = Children::of(&state, REWARD);
    let search = state.search_mut().unwrap();
    let run = search.started.as_mut().unwrap();
    (run.controls, run.episodes) = (2, 3);
    for (number, episode) in [(52, 2), (49, 1), (50, 1), (51, 2), (53, 3)] {
        search.children.push(ChildRow {
            episode,
            control: true,
            ..samples::row(number, Some(0.5))
        });
    }
    let after = Children::of(&state, REWARD);
    let places: Vec<u64> = after.controls.iter().map(|point| point.child).collect();
    assert_eq!(places, [7, 15, 23, 31, 39]);
    let span = Span { first: 1, last: 48 };
    let curves = Curves::of(&state, &after, REWARD, span, 48);
    let columns: Vec<usize> = curves.controls.iter().map(|(column, _)| *column).collect();
    assert_eq!(columns, [6, 14, 22, 30, 38]);
    assert!(
        curves
            .controls
            .iter()
            .all(|(_, mean)| (mean - 0.125).abs() < 1e-12)
    );
    let without = Curves {
        controls: Vec::new(),
        ..curves
    };
    assert_eq!(without, Curves::of(&state, &before, REWARD, span, 48));
}

#[test]
fn an_episode_has_a_band_once_it_is_finished() {
    let mut state = samples::run(20);
    let children = Children::of(&state, REWARD);
    let span = Span { first: 1, last: 32 };
    let band = Curves::of(&state, &children, REWARD, span, 32);
    let [first, _, third] = children.quartiles_of(1).unwrap();
    assert_eq!(
        band.low,
        [Stretch {
            from: 0,
            to: 15,
            value: first
        }]
    );
    assert_eq!(
        band.high,
        [Stretch {
            from: 0,
            to: 15,
            value: third
        }]
    );
    state.search_mut().unwrap().episodes.clear();
    assert_eq!(Curves::of(&state, &children, REWARD, span, 32).low, []);
}

#[test]
fn accuracy_has_no_baseline() {
    let state = samples::run(40);
    let curves = |quantity| {
        Curves::of(
            &state,
            &Children::of(&state, quantity),
            quantity,
            Span { first: 1, last: 48 },
            48,
        )
    };
    assert!(curves(Quantity::Accuracy).baseline.is_empty());
    assert_eq!(
        curves(Quantity::Reward).baseline.len(),
        3,
        "two finished episodes and the one under way"
    );
}

#[test]
fn episodes_narrower_than_a_column_share_the_mean() {
    let mut means = Means::new(4);
    [((0, 0), 1.0), ((0, 1), 3.0), ((1, 3), 5.0)]
        .into_iter()
        .for_each(|(columns, value)| means.add(columns, value));
    let level = |from, to, value| Stretch { from, to, value };
    assert_eq!(
        means.levels(),
        [level(0, 0, 2.0), level(1, 1, 4.0), level(2, 3, 5.0)]
    );
}

proptest! {
    #[test]
    fn curves_stay_within_their_width_and_the_range_of_values(
        children in 0u64..200, first in 1u64..200, count in 1u64..400, width in 0usize..90,
    ) {
        let state = samples::run(children);
        let span = Span { first, last: first + count - 1 };
        let points = Children::of(&state, REWARD);
        let curves = Curves::of(&state, &points, REWARD, span, width);
        let lines = [&curves.smooth, &curves.best, &curves.mean, &curves.reference];
        prop_assert!(lines.into_iter().flatten().all(|(x, _)| *x < width));
        prop_assert!([&curves.low, &curves.baseline].into_iter().flatten().all(|level| level.from <= level.to && level.to < width));
        prop_assert!(curves.values().all(|value| (0.0..=1.0).contains(&value)));
    }
}

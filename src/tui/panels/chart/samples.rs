//! Runs for the tests of the chart.

use proptest::prelude::*;

use super::view::ChartView;
use super::{Extent, KEYS};
use crate::analysis::front;
use crate::event::{EpisodeFinished, RunStarted};
use crate::state::{ChildRow, RunState, SearchRun};
use crate::tui::keymap::Action;
use crate::tui::sample;

/// Children per episode.
const PER_EPISODE: u64 = 16;

/// A run of 20,000 episodes of 16 children, the first `children` of which have ended: accuracies
/// between 0.5 and 0.9 with a slight rise, every 23rd child failed.
pub fn run(children: u64) -> RunState {
    let mut search = SearchRun {
        started: Some(started()),
        ..SearchRun::default()
    };
    for child in 1..=children {
        let noise = child.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        let accuracy =
            0.5 + 0.3 * (noise as f64 / (1u64 << 24) as f64) + 0.1 * child as f64 / children as f64;
        search
            .children
            .push(row(child, (child % 23 != 0).then_some(accuracy)));
        if child % PER_EPISODE == 0 {
            finish_episode(&mut search);
        }
    }
    search.episode = search.episodes.len() + 1;
    RunState::from(search)
}

/// A child of the search as it ends; its reward is the cube of its accuracy.
pub fn row(child: u64, accuracy: Option<f64>) -> ChildRow {
    ChildRow {
        episode: (child.saturating_sub(1) / PER_EPISODE + 1) as usize,
        accuracy,
        reward: Some(accuracy.map_or(0.0, |accuracy| accuracy.powi(3))),
        ..front::tests::row(child)
    }
}

/// Any key of the chart.
pub fn action() -> impl Strategy<Value = Action> {
    use Action::*;
    let own = KEYS.iter();
    let common = [
        ToggleQuantity,
        Left,
        Right,
        PageUp,
        PageDown,
        Top,
        Bottom,
        Back,
    ];
    prop::sample::select(own.map(|key| key.action).chain(common).collect::<Vec<_>>())
}

/// Do what a key asks for in a plot of `columns` characters.
pub fn act(view: &mut ChartView, action: Action, state: &RunState, columns: usize) {
    view.perform(action, || Extent::of(state), columns);
}

fn finish_episode(search: &mut SearchRun) {
    let rows = &search.children[search.children.len() - PER_EPISODE as usize..];
    let accuracies: Vec<f64> = rows.iter().filter_map(|row| row.accuracy).collect();
    let mean_reward = rows.iter().filter_map(|row| row.reward).sum::<f64>() / rows.len() as f64;
    let baseline = search.baseline.unwrap_or(mean_reward);
    search.baseline = Some(0.8 * baseline + 0.2 * mean_reward);
    search.episodes.push(EpisodeFinished {
        episode: search.episodes.len() + 1,
        mean_reward,
        mean_accuracy: (!accuracies.is_empty())
            .then(|| accuracies.iter().sum::<f64>() / accuracies.len() as f64),
        best_accuracy: accuracies.iter().copied().reduce(f64::max),
        baseline: Some(baseline),
        next_baseline: Some(search.baseline.unwrap_or(mean_reward)),
        advantages: Vec::new(),
        entropy: Some(1.0),
        max_entropy: Some(2.0),
        loss: None,
        gradient_norm: None,
        repeats: 0,
        failures: rows.len() - accuracies.len(),
        excluded: 0,
        staleness: None,
        seconds: 10.0,
    });
}

/// The recorded run, as if it were to be 20,000 episodes long.
pub fn started() -> RunStarted {
    let recorded = sample::state_of(&sample::records()[..1]);
    RunStarted {
        episodes: 20_000,
        controls: 0,
        children_per_episode: PER_EPISODE as usize,
        ..recorded
            .search()
            .started
            .clone()
            .expect("a run that has begun")
    }
}

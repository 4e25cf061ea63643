//! Runs for the tests of the chart.

use proptest::prelude::*;

use super::view::ChartAction;
use crate::config::Decode;
use crate::event::{DataDescription, EpisodeFinished, RunStarted};
use crate::space::Genes;
use crate::state::{ChildRow, RunState, SearchRun};

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
        child,
        episode: (child.saturating_sub(1) / PER_EPISODE + 1) as usize,
        accuracy,
        reward: Some(accuracy.map_or(0.0, |accuracy| accuracy.powi(3))),
        params: 12_345,
        macs: 1_234_567,
        seconds: 3.0,
        repeat_of: None,
        parent: None,
        control: false,
        skipped: false,
        energy_wh: None,
        genes: Genes::default(),
        log_prob: Some(-1.0),
        entropy: Some(1.0),
        sampled_seq: 0,
        ended_seq: 0,
    }
}

/// Any key of the chart.
pub fn action() -> impl Strategy<Value = ChartAction> {
    use ChartAction::*;
    prop::sample::select(vec![
        ToggleQuantity,
        ToggleScale,
        ZoomIn,
        ZoomOut,
        ZoomReset,
        PanLeft,
        PanRight,
        CrosshairLeft,
        CrosshairRight,
        CrosshairPreviousEpisode,
        CrosshairNextEpisode,
        CrosshairFirst,
        CrosshairLast,
        CrosshairOff,
    ])
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
        seconds: 10.0,
    });
}

fn started() -> RunStarted {
    RunStarted {
        run: "sample".to_owned(),
        preset: "demo".to_owned(),
        strategy: "reinforce".to_owned(),
        seed: 1,
        version: "0".to_owned(),
        host: "host".to_owned(),
        pid: 1,
        libtorch: Some("2".to_owned()),
        episodes: 20_000,
        controls: 0,
        children_per_episode: PER_EPISODE as usize,
        child_epochs: 1,
        child_batch_size: Some(100),
        reward_power: 3.0,
        reward_last_epochs: 1,
        workers: 1,
        threads: Some(1),
        device: Some("cpu".to_owned()),
        data: DataDescription {
            spec: "data".to_owned(),
            input: [1, 28, 28],
            classes: Vec::new(),
            train_images: 1,
            validation_images: 1,
            fingerprint: "0".to_owned(),
        },
        heads: Vec::new(),
        decode: Decode::default(),
        reference: None,
    }
}

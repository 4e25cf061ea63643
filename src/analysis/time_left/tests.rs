#[path = "recorded.rs"]
mod recorded;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use self::recorded::{Recorded, Shown, even, recorded, undisturbed};
use super::*;
use crate::event::DepthCost;

fn of_strategy(strategy: &str) -> Vec<Recorded> {
    let mut runs = recorded();
    runs.retain(|run| run.run.strategy == strategy);
    runs
}

fn estimates_of(strategy: &str) -> Vec<(SearchTimeLeft, f64)> {
    let all = of_strategy(strategy);
    let estimates: Vec<_> = all.iter().flat_map(Recorded::estimates).collect();
    assert_eq!(estimates.len(), 160);
    estimates
}

#[test]
fn on_a_busy_machine_a_range_is_shown_which_contains_the_truth_at_least_nine_times_of_ten() {
    let shown = Shown::of(&estimates_of("random"));
    assert!(shown.ranges[0] > 140 && shown.ranges_right() >= 0.9);
    assert!(shown.width < 3.5 && shown.near_the_truth() >= 0.95);
}

#[test]
fn without_other_programs_a_number_is_shown_once_five_episodes_have_said_so_and_is_right_to_a_quarter()
 {
    let random = of_strategy("random").into_iter();
    let estimates: Vec<_> = random
        .flat_map(|run| undisturbed(run).estimates())
        .collect();
    let shown = Shown::of(&estimates);
    assert!(shown.numbers[0] > 100 && shown.numbers_right() >= 0.9);
    assert!(shown.ranges_right() >= 0.9 && shown.near_the_truth() >= 0.95);
}

#[test]
fn of_a_policy_that_learns_a_range_is_shown_which_contains_the_truth_at_least_eight_times_of_ten() {
    let shown = Shown::of(&estimates_of("reinforce"));
    assert!(shown.ranges[0] > 120 && shown.ranges_right() >= 0.8);
    assert!(shown.width < 15.0 && shown.near_the_truth() >= 0.9);
}

#[test]
fn children_of_equal_cost_take_as_long_as_those_before() {
    let left = SearchTimeLeft::of(&even(160, "random").after(32)).expect("an estimate");
    assert!((left.seconds - 128.0 * 5.0).abs() < 1.0, "{left:?}");
}

fn range_after(run: &Recorded, count: usize) -> Option<[f64; 2]> {
    SearchTimeLeft::of(&run.after(count))
        .expect("an estimate")
        .range
}

#[test]
fn four_episodes_do_not_tell_how_steady_the_machine_is_but_five_do() {
    let run = even(160, "random");
    let [low, high] = range_after(&run, 32).expect("a range");
    assert!(low < 500.0 && high > 800.0, "{low} to {high}");
    assert!(range_after(&run, 64).is_some());
    assert_eq!(range_after(&run, 80), None);
}

#[test]
fn many_small_episodes_tell_it_too_and_so_do_the_parts_of_a_long_one() {
    let mut run = even(160, "random");
    for (index, ended) in run.children.iter_mut().enumerate() {
        ended.row.episode = 1 + index / 2;
    }
    assert!(range_after(&run, 8).is_some());
    assert_eq!(range_after(&run, 24), None);
    for ended in &mut run.children {
        ended.row.episode = 1;
    }
    assert!(range_after(&run, 96).is_some());
    assert_eq!(range_after(&run, 150), None);
}

#[test]
fn an_episode_whose_children_took_no_time_says_nothing_of_the_speed() {
    let mut run = even(160, "random");
    for ended in &mut run.children[16..32] {
        ended.row.seconds = 0.0;
    }
    assert_eq!(range_after(&run, 112), None);
}

#[test]
fn a_machine_that_was_twice_as_slow_in_every_second_episode_may_be_so_again() {
    let mut run = even(160, "random");
    for ended in &mut run.children {
        if ended.row.episode % 2 == 0 {
            ended.row.seconds *= 2.0;
        }
    }
    let [low, high] = range_after(&run, 96).expect("a range");
    assert!(high / low > 3.0, "{low} to {high}");
}

/// What is shown in twelve long searches of 100 episodes, in which the logarithm of the machine's speed has a
/// standard deviation of 0.3 and, from episode to episode, this correlation.
fn shown_where_speed_varies(correlation: f64) -> Shown {
    let of_seed = |seed| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut step = |deviation: f64| -> f64 {
            // Nearly normal: twelve uniform numbers have a variance of one.
            let uniform = (0..12).map(|_| random.random::<f64>());
            deviation * (uniform.sum::<f64>() - 6.0)
        };
        let mut run = even(1_600, "random");
        run.run.episodes = 100;
        let mut speed = step(0.3);
        let mut clock = 0.0;
        for (index, ended) in run.children.iter_mut().enumerate() {
            if index % 16 == 0 {
                let innovation = 0.3 * (1.0 - correlation * correlation).sqrt();
                speed = correlation * speed + step(innovation);
            }
            ended.row.seconds *= speed.exp();
            clock += ended.row.seconds / 2.0;
            ended.clock = clock;
        }
        run.estimates()
    };
    Shown::of(&(1..=12).flat_map(of_seed).collect::<Vec<_>>())
}

#[test]
fn in_a_long_search_what_comes_and_goes_averages_out() {
    let shown = shown_where_speed_varies(0.0);
    assert!(shown.ranges_right() >= 0.95 && shown.near_the_truth() >= 0.95);
    assert!(shown.width < 2.2, "{}", shown.width);
}

#[test]
fn in_a_long_search_what_lasts_for_many_episodes_does_not() {
    let shown = shown_where_speed_varies(0.9);
    assert!(shown.ranges_right() >= 0.85 && shown.near_the_truth() >= 0.95);
    assert!(shown.width > 2.2, "{}", shown.width);
    let shown = shown_where_speed_varies(0.98);
    assert!(shown.ranges_right() >= 0.75 && shown.near_the_truth() >= 0.85);
}

/// The time left of 128 children of 12 layers, which cost ten times as much where they are uniform as the 32
/// of 6 layers before them, in multiples of what those took; time follows from the multiply-accumulates.
fn growth_with_costly_depths_to_come(largest_macs: u64) -> f64 {
    let mut run = even(160, "random");
    for (index, ended) in run.children.iter_mut().enumerate() {
        ended.row.macs = if index % 2 == 0 { 200_000 } else { 400_000 };
        ended.row.seconds = ended.row.macs as f64 / 30_000.0;
    }
    let Some(outlook) = &mut run.run.outlook else {
        panic!("no outlook")
    };
    outlook.largest_macs = largest_macs;
    outlook.depths.push(DepthCost {
        depth: 12,
        first_child: 33,
        macs: 3_000_000,
    });
    let left = SearchTimeLeft::of(&run.after(32)).expect("an estimate");
    // Ten seconds each on two workers.
    left.seconds / (128.0 * 5.0)
}

#[test]
fn a_depth_to_come_costs_as_much_more_as_uniform_children_say() {
    let growth = growth_with_costly_depths_to_come(u64::MAX);
    assert!((growth / 10.0 - 1.0).abs() < 0.01, "{growth}");
}

#[test]
fn no_child_to_come_costs_more_than_the_costliest_of_the_space() {
    let growth = growth_with_costly_depths_to_come(600_000);
    assert!((growth / 2.0 - 1.0).abs() < 0.01, "{growth}");
}

#[test]
fn in_a_run_that_did_not_record_what_uniform_children_cost_the_latest_children_count() {
    let mut run = even(160, "random");
    run.run.outlook = None;
    for ended in &mut run.children[16..] {
        ended.row.macs *= 4;
        ended.row.seconds *= 4.0;
    }
    let left = SearchTimeLeft::of(&run.after(32)).expect("an estimate");
    assert!(
        (left.seconds / (4.0 * 128.0 * 5.0) - 1.0).abs() < 0.01,
        "{left:?}"
    );
}

#[test]
fn nothing_is_estimated_before_two_children_and_after_the_end() {
    let run = even(160, "random");
    assert_eq!(SearchTimeLeft::of(&run.after(1)), None);
    assert_eq!(SearchTimeLeft::of(&run.after(160)), None);
    let stopped = RunState {
        status: RunStatus::Stopping,
        ..run.after(32)
    };
    assert_eq!(SearchTimeLeft::of(&stopped), None);
}

#[test]
fn with_a_stop_after_the_episode_it_is_the_time_until_then() {
    let mut search = even(160, "random").after(40).search().clone();
    search.episode = 3;
    search.stops_after_episode = true;
    let until_the_stop = RunState {
        status: RunStatus::Running,
        ..RunState::from(search)
    };
    let left = SearchTimeLeft::of(&until_the_stop).expect("an estimate");
    // Eight children of ten seconds on two workers.
    assert!((left.seconds / 40.0 - 1.0).abs() < 0.01, "{left:?}");
}

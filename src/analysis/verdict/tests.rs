use proptest::prelude::*;

use super::*;
use crate::event::{EpisodeFinished, Event, Record, Reference, ReferenceEpisode, RunStarted};

/// The recorded run with these mean rewards as its episodes so far.
fn run(rewards: &[f64]) -> RunState {
    let text = include_str!("../../../tests/fixtures/journal-demo.jsonl");
    let first = |event: &str| text.lines().find(|line| line.contains(event)).unwrap();
    let record = |event: &str| serde_json::from_str::<Record>(first(event)).unwrap();
    let mut state = RunState::default();
    state.apply(&record("run_started"));
    let Event::EpisodeFinished(finished) = record("episode_finished").event else {
        panic!("not an episode")
    };
    for (episode, mean_reward) in (1..).zip(rewards) {
        state.search_mut().unwrap().episodes.push(EpisodeFinished {
            episode,
            mean_reward: *mean_reward,
            ..finished.clone()
        });
    }
    state
}

fn changed(mut state: RunState, change: impl FnOnce(&mut RunStarted)) -> RunState {
    change(state.search_mut().unwrap().started.as_mut().unwrap());
    state
}

fn beside(state: RunState, rewards: &[f64]) -> RunState {
    let episode = |(episode, mean_reward): (usize, &f64)| ReferenceEpisode {
        episode,
        mean_reward: *mean_reward,
        mean_accuracy: None,
        rewards: Vec::new(),
    };
    let episodes = (1..).zip(rewards).map(episode).collect();
    let reference = Reference {
        run: "other".into(),
        strategy: "random".into(),
        episodes,
        not_comparable: None,
    };
    changed(state, |run| run.reference = Some(Box::new(reference)))
}

/// Mean rewards in the monograph's log; SciPy: slope 0.000103, 95 % -0.00468..0.00489, p 0.962.
const MONOGRAPH: [f64; 10] = [
    0.475, 0.504, 0.451, 0.507, 0.473, 0.458, 0.487, 0.477, 0.478, 0.491,
];
const RISING: [f64; 6] = [0.30, 0.36, 0.41, 0.46, 0.52, 0.55];

/// The run with one control an episode, whose rewards are `gap` below the policy's on average.
fn with_controls(gap: f64, episodes: usize) -> RunState {
    let mut state = changed(run(&vec![0.5; episodes]), |run| run.controls = 1);
    for episode in 1..=episodes {
        let noise = 0.02 * (episode % 3) as f64;
        state.search_mut().unwrap().outcomes.arms.push(Arms {
            episode,
            depths: (6, 6),
            policy: vec![0.48 + noise, 0.50, 0.52 - noise],
            controls: vec![0.5 - gap + noise - 0.02],
        });
    }
    state
}

fn completed(mut state: RunState) -> RunState {
    state.status = RunStatus::Completed;
    state
}

#[test]
fn fewer_than_three_episodes_are_too_early() {
    let verdict = Verdict::of(&run(&[0.4, 0.5]));
    assert_eq!(verdict.finding, Finding::Open);
    assert_eq!(
        verdict.text(80, "±"),
        "Does it learn? not yet: needs 3 finished episodes, has 2"
    );
    assert_eq!(
        Verdict::of(&RunState::default()).text(50, "±"),
        "Does it learn? needs 3 episodes, has 0"
    );
}

#[test]
fn a_completed_run_with_too_few_episodes_or_controls_promises_nothing() {
    let verdict = Verdict::of(&completed(run(&[0.4, 0.5])));
    let text = |width| verdict.text(width, "±");
    assert_eq!(text(80), "Does it learn? unknown: only 2 episodes, needs 3");
    assert_eq!(text(41), "Does it learn? needed 3 episodes, had 2");
    let mut few = with_controls(0.1, 3);
    let verdict = Verdict::of(&few);
    assert!(verdict.text(80, "±").contains("not yet: needs 3 controls"));
    few.status = RunStatus::Stopped;
    let verdict = Verdict::of(&few);
    assert!(verdict.text(80, "±").contains("not yet"), "it can go on");
    let verdict = Verdict::of(&completed(few));
    assert_eq!(
        verdict.text(80, "±"),
        "Does it learn? unknown: only 2 controls after episode 1, needs 3"
    );
    for width in 5..80 {
        let text = verdict.text(width, "±");
        assert!(!text.contains("yet") && !text.contains("early"), "{text}");
    }
}

#[test]
fn a_slope_without_controls_is_a_trend_and_never_a_verdict() {
    let mut falling = RISING;
    falling.reverse();
    for rewards in [&RISING[..], &falling, &MONOGRAPH] {
        let verdict = Verdict::of(&completed(run(rewards)));
        assert_eq!(verdict.finding, Finding::Open);
        let text = verdict.text(200, "±");
        assert!(text.starts_with("trend "), "{text}");
        assert!(text.ends_with("; no controls, no verdict"), "{text}");
        assert!(
            !text.contains("learning") && !text.contains("worse"),
            "{text}"
        );
    }
}

#[test]
fn the_trend_of_a_random_search_is_nothing_learned() {
    let state = changed(run(&RISING), |run| run.strategy = "random".into());
    let verdict = Verdict::of(&completed(state));
    for width in 36..=200 {
        let text = verdict.text(width, "±");
        let said = text.ends_with("drawn at random: nothing is learned");
        assert!(said, "{text}");
    }
}

#[test]
fn trend_interval_and_p_value_fit_in_41_columns() {
    let text = |rewards: &[f64], width, sign| Verdict::of(&run(rewards)).text(width, sign);
    assert_eq!(
        text(&MONOGRAPH, 75, "±"),
        "trend +0.0001/episode (95 % -0.0047..+0.0049, p 0.96)"
    );
    assert_eq!(
        text(&MONOGRAPH, 41, "±"),
        "trend +0.0001±0.0048/episode (p 0.96)"
    );
    assert_eq!(
        text(&MONOGRAPH, 36, "±"),
        "trend +0.0001±0.0048/ep. (p 0.96)"
    );
    assert_eq!(text(&MONOGRAPH, 28, "+-"), "trend +0.0001+-0.0048 p 0.96");
    assert_eq!(
        text(&RISING, 41, "±"),
        "trend +0.0509±0.0055/episode (p <0.001)"
    );
}

#[test]
fn the_policy_is_held_against_its_controls() {
    let text = |width| Verdict::of(&with_controls(0.2, 6)).text(width, "±");
    assert!(text(200).starts_with("policy +0.2"), "{}", text(200));
    assert!(
        text(200).contains(" above random at equal depth (95 % +0."),
        "{}",
        text(200)
    );
    assert!(
        text(200).contains(", 5 controls after episode 1) so far after 6 of 6 episodes"),
        "{}",
        text(200)
    );
    assert!(
        text(41).contains('±') && text(41).contains("(p "),
        "{}",
        text(41)
    );
    let below = Verdict::of(&with_controls(-0.2, 6)).text(200, "±");
    assert!(below.contains(" below random at equal depth ("), "{below}");
}

#[test]
fn words_go_before_numbers_then_the_controls_then_the_p_value_then_the_interval() {
    let verdict = Verdict::of(&with_controls(0.2, 6));
    let text = |width| verdict.text(width, "±");
    assert_eq!(
        text(79),
        "policy +0.200±0.029 above random at equal depth (p 0.001, 5 controls) so far"
    );
    assert_eq!(
        text(63),
        "policy +0.200±0.029 above random (p 0.001, 5 controls) so far"
    );
    assert_eq!(text(50), "policy +0.200±0.029 (p 0.001, 5 controls) so far");
    assert_eq!(text(41), "policy +0.200±0.029 (p 0.001, n=5) so far");
    assert_eq!(text(40), "policy +0.200±0.029 (p 0.001) so far");
    assert_eq!(text(28), "policy +0.200±0.029 p 0.001");
    assert_eq!(text(20), "policy +0.200±0.029");
    assert_eq!(text(16), "policy +0.200");
}

#[test]
fn the_number_of_controls_never_seems_to_contradict_their_count_beside_it() {
    let mut state = with_controls(0.2, 6);
    state.search_mut().unwrap().outcomes.counts.controls = 6;
    let text = |width| Verdict::of(&state).text(width, "±");
    assert!(text(55).ends_with(" (p 0.001, 5 of 6 controls) so far"));
    assert_eq!(text(46), "policy +0.200±0.029 (p 0.001, n=5 of 6) so far");
    assert_eq!(text(45), "policy +0.200±0.029 (p 0.001) so far");
}

#[test]
fn nothing_is_decided_before_the_planned_end() {
    assert_eq!(Verdict::of(&with_controls(0.2, 6)).finding, Finding::Open);
    let above = Verdict::of(&completed(with_controls(0.2, 6)));
    assert_eq!(above.finding, Finding::Above);
    assert!(!above.text(200, "±").contains("so far"));
    let below = Verdict::of(&completed(with_controls(-0.2, 6)));
    assert_eq!(below.finding, Finding::Below);
    let equal = Verdict::of(&completed(with_controls(-0.02, 6)));
    assert_eq!(equal.finding, Finding::Open);
}

#[test]
fn controls_that_are_too_few_are_counted() {
    let state = with_controls(0.2, 3);
    assert_eq!(
        Verdict::of(&state).text(100, "±"),
        "Does it learn? not yet: needs 3 controls after episode 1, has 2"
    );
}

#[test]
fn better_than_random_needs_a_significant_difference_of_the_slopes() {
    let words = |theirs: &[f64]| Verdict::of(&beside(run(&RISING), theirs)).text(200, "±");
    assert!(
        words(&[0.31, 0.30, 0.32, 0.31, 0.30, 0.31]).contains("; better than random ("),
        "{}",
        words(&[])
    );
    assert!(words(&[0.2, 0.5, 0.1, 0.6, 0.2, 0.7]).contains("; not told apart from random ("));
    assert!(words(&[0.31, 0.30, 0.32, 0.31, 0.30, 0.31]).ends_with(") so far"));
    let over = completed(beside(run(&RISING), &[0.31, 0.30, 0.32, 0.31, 0.30, 0.31]));
    assert!(Verdict::of(&over).text(200, "±").ends_with(')'));
    assert!(words(&[0.1, 0.3, 0.49, 0.71, 0.9, 1.1]).contains("; worse than random ("));
    assert!(
        !words(&[0.1, 0.3]).contains("random"),
        "two episodes have no slope to compare with"
    );
}

#[test]
fn without_controls_the_policy_is_held_against_the_children_of_its_reference() {
    let mut state = beside(with_controls(0.2, 6), &[0.3; 6]);
    let search = state.search_mut().unwrap();
    let run = search.started.as_mut().unwrap();
    run.controls = 0;
    for (episode, arms) in (1..).zip(&mut search.outcomes.arms) {
        let reference = run.reference.as_mut().unwrap();
        reference.episodes[episode - 1].rewards = arms.controls.clone();
        arms.controls = Vec::new();
    }
    let so_far = Verdict::of(&state);
    assert_eq!(so_far.finding, Finding::Open);
    let text = so_far.text(200, "±");
    assert!(
        text.starts_with("policy +0.200 above random at equal depth (95 % +0.171.."),
        "{text}"
    );
    assert!(
        text.contains(", 5 children of other after episode 1) so far after 6 of 6 episodes"),
        "{text}"
    );
    assert_eq!(Verdict::of(&completed(state)).finding, Finding::Above);
}

#[test]
fn a_run_that_cannot_be_compared_with_its_reference_says_so_and_why() {
    let state = changed(
        beside(run(&RISING), &[0.31, 0.30, 0.32, 0.31, 0.30, 0.31]),
        |run| {
            run.reference.as_mut().unwrap().not_comparable =
                Some("child.epochs is 1 there and 2 here".into());
        },
    );
    let verdict = Verdict::of(&state);
    assert!(
        verdict
            .text(200, "±")
            .contains("; not comparable with other (child.epochs is 1 there and 2 here)")
    );
    assert!(
        verdict
            .text(110, "±")
            .ends_with("; not comparable with other"),
        "{}",
        verdict.text(110, "±")
    );
    assert!(!verdict.text(200, "±").contains("random"));
    assert!(
        verdict
            .text(78, "±")
            .ends_with("; not comparable: child.epochs"),
        "{}",
        verdict.text(78, "±")
    );
    assert_eq!(
        verdict.text(48, "±"),
        "trend +0.0509±0.0055 (p <0.001); not comparable"
    );
}

#[test]
fn a_run_that_cannot_be_compared_says_so_before_there_is_a_slope() {
    let state = changed(beside(run(&RISING[..2]), &RISING), |run| {
        run.reference.as_mut().unwrap().not_comparable =
            Some("child.epochs is 1 there and 2 here".into());
    });
    let text = |width| Verdict::of(&state).text(width, "±");
    assert!(
        text(200)
            .ends_with("has 2; not comparable with other (child.epochs is 1 there and 2 here)"),
        "{}",
        text(200)
    );
    assert_eq!(
        text(64),
        "not yet: needs 3 episodes, has 2; not comparable: child.epochs"
    );
}

#[test]
fn episodes_of_equal_depth_are_compared_with_each_other() {
    let mut state = run(&[0.2, 0.25, 0.3, 0.4, 0.45, 0.52]);
    for episode in 1..=6 {
        let depth = if episode > 3 { 8 } else { 6 };
        state.search_mut().unwrap().outcomes.arms.push(Arms {
            episode,
            depths: (depth, depth),
            ..Arms::default()
        });
    }
    let verdict = Verdict::of(&completed(state));
    assert_eq!(verdict.finding, Finding::Open);
    let text = verdict.text(200, "±");
    assert!(text.starts_with("trend +0.055"), "{text}");
    assert!(
        text.ends_with(
            " at equal depth (an intercept for each, 6 to 8 layers); no controls, no verdict"
        ),
        "{text}"
    );
    assert!(
        verdict.text(45, "±").ends_with(" at equal depth"),
        "{}",
        verdict.text(45, "±")
    );
}

#[test]
fn the_depths_are_named_if_they_grew_and_there_is_room() {
    let text = include_str!("../../../tests/fixtures/journal-demo.jsonl");
    let mut state = RunState::default();
    text.lines()
        .for_each(|line| state.apply(&serde_json::from_str(line).unwrap()));
    let verdict = Verdict::of(&state);
    assert!(
        verdict
            .text(200, "±")
            .ends_with("; depth grew from 6 to 11 with it; no controls, no verdict"),
        "{}",
        verdict.text(200, "±")
    );
    assert!(verdict.text(45, "±").ends_with(", depth 6 to 11"));
}

proptest! {
    #[test]
    fn a_meaningful_interval_is_shown_in_41_columns(rewards in prop::collection::vec(0.0..1.0f64, 3..40)) {
        let verdict = Verdict::of(&run(&rewards));
        // Rewards that differ by less than a thousandth need more decimals.
        prop_assert!(verdict.trend.is_none_or(|trend| trend.slope.ci95[1] - trend.slope.ci95[0] < 2e-3) || verdict.text(41, "+-").contains("+-"));
    }

    #[test]
    fn a_text_fits_if_there_is_room_for_a_word(rewards in prop::collection::vec(0.0..1.0f64, 0..40), width in 16usize..200) {
        let verdict = Verdict::of(&beside(run(&rewards), &[0.3, 0.4, 0.2, 0.5]));
        prop_assert!(verdict.text(width, "±").chars().count() <= width, "{}", verdict.text(width, "±"));
    }

    #[test]
    fn a_wider_text_never_says_less(rewards in prop::collection::vec(0.0..1.0f64, 0..12)) {
        let verdict = Verdict::of(&run(&rewards));
        let lengths: Vec<usize> = (10..200).map(|width| verdict.text(width, "±").chars().count()).collect();
        prop_assert!(lengths.is_sorted(), "{lengths:?}");
    }
}

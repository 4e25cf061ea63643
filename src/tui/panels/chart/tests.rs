//! The panel as drawn, from a recorded run and from extreme runs.

use std::time::Instant;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::{Beside, ChartView, draw_chart, samples};
use crate::event::{Event, Reference, ReferenceEpisode};
use crate::state::{ChildRow, RunState};
use crate::tui::keymap::Action;
use crate::tui::sample::{drawn, plain, records, state_of};

const SIZES: [(u16, u16); 3] = [(42, 10), (78, 18), (118, 30)];

/// The recorded run in its fourth episode.
fn half() -> RunState {
    let records = records();
    state_of(&records[..records.len() * 6 / 10])
}

fn text(state: &RunState, view: &ChartView, size: (u16, u16), ascii: bool) -> String {
    drawn(size, ascii, |painter| {
        let beside = Beside {
            own: "demo6",
            others: &[],
        };
        draw_chart(state, view, beside, true, painter)
    })
}

/// The panel at every size after these keys.
fn looks(state: &RunState, actions: &[Action], ascii: bool) -> String {
    let look = |size: (u16, u16)| {
        let mut view = ChartView::default();
        actions.iter().for_each(|action| {
            samples::act(&mut view, *action, state, super::columns(size.0.into()))
        });
        text(state, &view, size, ascii)
    };
    SIZES.map(look).join("\n\n")
}

fn with_reference(mut state: RunState) -> RunState {
    let episode = |episode: usize| ReferenceEpisode {
        episode,
        mean_reward: 0.44 + 0.01 * (episode % 3) as f64,
        mean_accuracy: Some(0.76 + 0.01 * (episode % 3) as f64),
        rewards: Vec::new(),
    };
    let episodes = (1..=6).map(episode).collect();
    if let Some(run) = &mut state.search_mut().unwrap().started {
        run.reference = Some(Box::new(Reference {
            run: "by-chance".to_owned(),
            strategy: "random".to_owned(),
            episodes,
            not_comparable: None,
        }));
    }
    state
}

#[test]
fn a_run_half_way() {
    assert_snapshot!(looks(&half(), &[], false));
}

#[test]
fn a_whole_run() {
    assert_snapshot!(looks(&state_of(&records()), &[], false));
}

#[test]
fn a_crosshair_with_the_values_of_a_child_and_of_its_episode() {
    use Action::{Bottom, PageUp};
    assert_snapshot!(looks(&half(), &[Bottom, PageUp, PageUp], false));
}

#[test]
fn zoomed_to_the_newest_children() {
    assert_snapshot!(looks(&half(), &[Action::More, Action::More], false));
}

#[test]
fn a_logarithmic_scale() {
    assert_snapshot!(looks(&half(), &[Action::ToggleScale], false));
}

#[test]
fn accuracy_instead_of_reward() {
    assert_snapshot!(looks(&half(), &[Action::ToggleQuantity], false));
}

#[test]
fn a_run_with_a_random_run_beside_it() {
    assert_snapshot!(looks(&with_reference(state_of(&records())), &[], false));
}

#[test]
fn a_crosshair_in_a_run_with_a_random_run_beside_it() {
    assert_snapshot!(looks(&with_reference(half()), &[Action::Top], false));
}

/// A recorded run with a control in each episode, which has a lower accuracy as networks grow deeper.
fn with_controls(mut state: RunState) -> RunState {
    let search = state.search_mut().unwrap();
    let run = search.started.as_mut().unwrap();
    run.controls = 1;
    let planned = run.children() as u64;
    for episode in 1..=search.episode {
        let accuracy = 0.8 - 0.02 * episode as f64 - 0.05 * (episode % 3) as f64;
        let arms = &mut search.outcomes.arms;
        if let Some(arms) = arms.iter_mut().find(|arms| arms.episode == episode) {
            arms.controls.push(accuracy.powi(3));
        }
        search.children.push(ChildRow {
            episode,
            control: true,
            ..samples::row(planned + episode as u64, Some(accuracy))
        });
    }
    state
}

#[test]
fn controls_beside_the_policys_children() {
    assert_snapshot!(looks(&with_controls(state_of(&records())), &[], false));
}

#[test]
fn controls_are_drawn_only_where_the_legend_names_them() {
    let state = with_controls(state_of(&records()));
    let views: [&[Action]; 3] = [&[], &[Action::ToggleQuantity], &[Action::ToggleScale]];
    for (actions, ascii) in views
        .into_iter()
        .flat_map(|view| [(view, false), (view, true)])
    {
        let sign = if ascii { "c" } else { "○" };
        for width in 24..100 {
            let mut view = ChartView::default();
            let columns = super::columns(width.into());
            actions
                .iter()
                .for_each(|action| samples::act(&mut view, *action, &state, columns));
            let drawn = text(&state, &view, (width, 10), ascii);
            let (title, plot) = drawn.split_once('\n').unwrap();
            let plot: String = plot.lines().take(4).collect();
            let is_named = title.contains("controls") || title.contains("ctrl");
            assert_eq!(plot.contains(sign), is_named, "{width}:\n{drawn}");
            assert!(is_named || width < 42, "{width}:\n{drawn}");
        }
    }
}

#[test]
fn the_end_of_an_episode_is_marked_also_where_the_number_of_a_child_is() {
    // Episodes of 16 children: one begins at the 81st, which shares a column with the 80th.
    let state = state_of(&records());
    let drawn = text(&state, &ChartView::default(), (79, 10), false);
    let rows: Vec<&str> = drawn.lines().collect();
    let floor = rows.iter().find(|row| row.contains('└')).unwrap();
    let marks = floor.chars().filter(|mark| ['┴', '┼'].contains(mark));
    assert_eq!(marks.count(), 5, "{drawn}");
}

#[test]
fn the_verdict_has_every_number_at_80x24_and_in_a_small_panel() {
    let records = records();
    let running = &records[..records.len() * 95 / 100];
    for (state, end) in [(&records[..], ")"), (running, ") so far")] {
        let state = with_controls(state_of(state));
        for size in [SIZES[0], (59, 9), (78, 18), (79, 10)] {
            let drawn = text(&state, &ChartView::default(), size, false);
            let (_, verdict) = drawn.rsplit_once("policy ").unwrap();
            let words: Vec<&str> = verdict.split_whitespace().collect();
            let verdict = words.join(" ");
            assert!(
                verdict.contains("±") || verdict.contains("(95 % "),
                "{drawn}"
            );
            assert!(
                verdict.contains("p 0.") && verdict.contains(" controls") && verdict.ends_with(end),
                "{drawn}"
            );
        }
    }
}

#[test]
fn controls_in_ascii_with_the_values_of_an_episode() {
    let drawn = looks(&with_controls(half()), &[Action::Top], true);
    assert!(drawn.is_ascii(), "{drawn}");
    assert_snapshot!(drawn);
}

#[test]
fn the_legend_names_controls_only_if_there_are_some() {
    let legend = |state: &RunState| text(state, &ChartView::default(), (78, 18), false);
    let without = legend(&half());
    assert!(without.contains("⠂ child") && !without.contains("controls"));
    let with = legend(&with_controls(half()));
    assert!(
        with.contains("⠂ policy") && with.contains("○┄ controls"),
        "{with}"
    );
}

#[test]
fn ascii_only() {
    let state = with_reference(half());
    let drawn = looks(&state, &[Action::Top, Action::PageDown], true);
    assert!(drawn.is_ascii(), "{drawn}");
    assert_snapshot!(drawn);
}

#[test]
fn a_run_that_has_not_begun() {
    assert_snapshot!(looks(&RunState::default(), &[Action::Bottom], false));
}

#[test]
fn a_run_with_one_child() {
    assert_snapshot!(looks(&samples::run(1), &[], false));
}

#[test]
fn a_run_whose_children_all_failed() {
    let mut state = samples::run(40);
    for row in &mut state.search_mut().unwrap().children {
        (row.accuracy, row.reward) = (None, Some(0.0));
    }
    for episode in &mut state.search_mut().unwrap().episodes {
        (episode.mean_reward, episode.mean_accuracy, episode.baseline) = (0.0, None, Some(0.0));
    }
    state.search_mut().unwrap().baseline = Some(0.0);
    assert_snapshot!(looks(&state, &[], false));
}

#[test]
fn a_run_of_equal_values() {
    let mut state = samples::run(40);
    for row in &mut state.search_mut().unwrap().children {
        (row.accuracy, row.reward) = (Some(0.8), Some(0.512));
    }
    for episode in &mut state.search_mut().unwrap().episodes {
        (episode.mean_reward, episode.mean_accuracy, episode.baseline) =
            (0.512, Some(0.8), Some(0.512));
    }
    state.search_mut().unwrap().baseline = Some(0.512);
    assert_snapshot!(looks(&state, &[], false));
}

#[test]
fn a_long_run() {
    assert_snapshot!(looks(&samples::run(100_000), &[], false));
}

#[test]
fn a_crosshair_on_a_child_that_has_not_ended_says_so() {
    let mut state = samples::run(30);
    state
        .search_mut()
        .unwrap()
        .children
        .retain(|row| row.child != 17);
    let mut view = ChartView::default();
    [Action::Bottom, Action::PageUp]
        .into_iter()
        .for_each(|action| samples::act(&mut view, action, &state, 60));
    assert!(text(&state, &view, (78, 18), false).contains("child 17 has not ended"));
}

#[test]
fn series_differ_without_colour() {
    let glyphs = plain(true).glyphs;
    let letters = [
        glyphs.child,
        glyphs.mean,
        glyphs.control,
        glyphs.control_mean,
        glyphs.smooth,
        glyphs.baseline,
        glyphs.best,
        glyphs.band,
        glyphs.reference,
        glyphs.failed,
        glyphs.chosen,
        glyphs.vertical,
    ];
    let different: std::collections::HashSet<&str> = letters.into_iter().collect();
    assert_eq!(different.len(), letters.len());
}

/// The time for redrawing a long run; run with `cargo test --release --no-default-features
/// redraw_time -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn redraw_time_of_100_000_children() {
    let mut state = with_reference(samples::run(100_000));
    // Eight workers finish a little out of order.
    state
        .search_mut()
        .unwrap()
        .children
        .chunks_mut(8)
        .for_each(<[_]>::reverse);
    for (name, actions) in [
        ("all", vec![]),
        ("crosshair", vec![Action::Top]),
        (
            "zoomed, log",
            [vec![Action::More; 10], vec![Action::ToggleScale]].concat(),
        ),
    ] {
        let mut view = ChartView::default();
        actions
            .iter()
            .for_each(|action| samples::act(&mut view, *action, &state, 100));
        let mut milliseconds: Vec<f64> = (0..100)
            .map(|_| {
                let start = Instant::now();
                std::hint::black_box(text(&state, &view, (198, 40), false));
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        milliseconds.sort_by(f64::total_cmp);
        println!(
            "{name}: median {:.2} ms, 99th percentile {:.2} ms",
            milliseconds[50], milliseconds[98]
        );
    }
}

proptest! {
    #[test]
    fn any_run_is_drawn_at_any_size_after_any_keys(
        children in 0u64..80,
        edited in prop::collection::vec((0u64..400, prop::option::of(0.0..=1.0f64)), 0..20),
        actions in prop::collection::vec(samples::action(), 0..20),
        size in (0u16..120, 0u16..40),
        ascii: bool,
    ) {
        let mut state = with_reference(samples::run(children));
        state.search_mut().unwrap().children.extend(edited.into_iter().map(|(child, accuracy)| samples::row(child, accuracy)));
        let mut view = ChartView::default();
        for action in actions {
            samples::act(&mut view, action, &state, super::columns(size.0.into()));
            text(&state, &view, size, ascii);
        }
    }
}

#[test]
fn only_events_of_children_and_episodes_change_the_chart() {
    let records = records();
    let (mut state, view) = (RunState::default(), ChartView::default());
    let mut before = String::new();
    for record in &records {
        state.apply(record);
        let now = text(&state, &view, (78, 18), false);
        let changes = matches!(
            record.event,
            Event::RunStarted(_)
                | Event::EpisodeStarted { .. }
                | Event::EpisodeFinished(_)
                | Event::ChildFinished(_)
                | Event::ChildFailed { .. }
                | Event::ChildExcluded { .. }
        );
        assert!(
            changes || before.is_empty() || now == before,
            "{:?}",
            record.event
        );
        before = now;
    }
}

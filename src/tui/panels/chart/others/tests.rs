//! The row that names the runs that are compared, and their curves.

use super::super::{Beside, ChartView, Extent, draw_chart, export, samples};
use super::*;
use crate::analysis::comparable::Comparability;
use crate::tui::other_runs::RunSettings;
use crate::tui::sample::{drawn, plain};

/// A run of three episodes of this many children each, whose rewards are higher than usual by `above`.
fn other(place: u8, children_per_episode: usize, above: f64) -> OtherRun {
    let mut state = samples::run(48);
    let search = state.search_mut().unwrap();
    let started = search.started.as_mut().unwrap();
    started.children_per_episode = children_per_episode;
    let started = started.clone();
    for episode in &mut search.episodes {
        episode.mean_reward += above;
    }
    let mut run = OtherRun::new(place, "other".into(), "other".to_owned());
    run.begin(Some(&state), RunSettings::default());
    run.standing = Standing::Known;
    let config = crate::config::resolve(&crate::config::Options::default()).unwrap();
    let alike = (&started, Some(&config));
    run.comparability = Some(Comparability::of(alike, alike));
    run
}

fn text(row: Row) -> String {
    row.into_iter().map(|(_, text)| text).collect()
}

#[test]
fn every_run_keeps_its_number_and_the_reason_where_there_is_no_room_for_names() {
    let mut others: Vec<OtherRun> = (0..4).map(|place| other(place, 16, 0.0)).collect();
    for run in &mut others {
        run.name = format!("2026-11-24T13-12-5{}Z-monograph", run.place);
        let started = run.started.as_deref().unwrap();
        let other_power = crate::event::RunStarted {
            reward_power: 1.5,
            ..started.clone()
        };
        let found = Comparability::of((started, None), (&other_power, None));
        run.comparability = Some(found);
    }
    let glyphs = plain(false).glyphs;
    let of_this_width = |width| {
        let own = "2026-11-24T13-12-59Z-monograph";
        text(row(own, &others, Quantity::Reward, &glyphs, width))
    };
    let names = "another reward: 1 …50Z 2 …51Z 3 …52Z 4 …53Z";
    let narrow = of_this_width(52);
    assert!(narrow.width() <= 52 && narrow.ends_with(names), "{narrow}");
    let narrowest = of_this_width(36);
    assert!(narrowest.width() <= 36, "{narrowest}");
    assert!(
        narrowest.ends_with("another reward: 1 2 3 4"),
        "{narrowest}"
    );
    let wide = of_this_width(240);
    assert!(
        wide.contains("not drawn, another reward: 1 2026-11-24T13-12-50Z-monograph   2 2026"),
        "{wide}"
    );
}

#[test]
fn a_run_whose_settings_cannot_be_read_is_not_said_to_be_alike() {
    let mut run = other(0, 16, 0.0);
    let started = run.started.as_deref().unwrap();
    let found = Comparability::of((started, None), (started, None));
    run.comparability = Some(found);
    let glyphs = plain(false).glyphs;
    let row = row("shown", &[run], Quantity::Reward, &glyphs, 78);
    assert_eq!(
        text(row),
        format!("{} shown   1 other settings unknown", glyphs.mean)
    );
}

#[test]
fn the_children_of_each_run_are_counted_by_themselves() {
    let others = [other(0, 16, 0.0), other(1, 8, 0.1)];
    let means: Vec<f64> = others[0]
        .means(Quantity::Reward)
        .filter_map(|(_, mean)| mean)
        .collect();
    assert_eq!(end(&others, Quantity::Reward), 48);
    assert_eq!(end(&others[1..], Quantity::Reward), 24);
    let at = |child| -> Vec<_> {
        let reached = at_child(&others, Quantity::Reward, child).into_iter();
        reached
            .map(|run| (run.place, run.episode, run.mean))
            .collect()
    };
    assert_eq!(at(9), [(0, 1, means[0]), (1, 2, means[1] + 0.1)]);
    assert_eq!(at(33), [(0, 3, means[2])], "the other one had ended");
    let span = Span { first: 1, last: 48 };
    let columns = |place: usize| {
        let curves = curves(&others, Quantity::Reward, span, 48);
        curves[place].1.iter().map(|(x, _)| *x).collect::<Vec<_>>()
    };
    assert_eq!(columns(0).len(), 3);
    assert!(columns(1).iter().all(|x| *x < 24), "{:?}", columns(1));
}

/// The chart of a completed run of three episodes of 16 children beside one whose episodes have 32, with
/// the crosshair put on this child; the other run may no longer be drawn since.
fn beside_a_longer_run(child: u64, is_still_drawn: bool) -> String {
    let mut own = samples::run(48);
    own.status = crate::state::RunStatus::Completed;
    let others = [other(0, 32, 0.0)];
    let mut view = ChartView::default();
    let extent = Extent::of(&own).beside(end(&others, Quantity::Reward));
    view.point_at(child, &extent);
    drawn((110, 18), false, |painter| {
        let beside = Beside {
            own: "shown",
            others: if is_still_drawn { &others } else { &[] },
        };
        draw_chart(&own, &view, beside, true, painter);
    })
}

#[test]
fn a_crosshair_beyond_the_run_goes_with_the_run_that_was_there() {
    let chart = beside_a_longer_run(90, false);
    assert!(!chart.contains("child 90"), "{chart}");
    assert!(chart.contains("mean"), "the legend is back: {chart}");
    let chart = beside_a_longer_run(40, false);
    assert!(
        chart.contains("#40") || chart.contains("child 40"),
        "{chart}"
    );
}

#[test]
fn beyond_the_run_there_are_only_the_other_runs_values_and_no_episodes() {
    let chart = beside_a_longer_run(90, true);
    assert!(chart.contains("child 90 this run has fewer"), "{chart}");
    assert!(chart.contains(" 1 episode 3 0."), "{chart}");
    assert!(!chart.contains("mean"), "{chart}");
    let numbers = |name: &str| -> Vec<u64> {
        let row = chart.lines().find(|row| row.trim_start().starts_with(name));
        let numbers = row.unwrap().split_whitespace().skip(1);
        numbers.filter_map(|number| number.parse().ok()).collect()
    };
    assert_eq!(numbers("ep."), [1, 2, 3], "{chart}");
    assert!(numbers("child").last() > Some(&80), "{chart}");
}

#[test]
fn an_episode_of_another_run_is_named_where_it_is_another_one() {
    let chart = beside_a_longer_run(40, true);
    assert!(
        chart.contains("episode 3") && chart.contains(" 1 episode 2 0."),
        "{chart}"
    );
    let chart = beside_a_longer_run(8, true);
    assert!(
        chart.contains("episode 1") && chart.contains(" 1 0."),
        "{chart}"
    );
}

#[test]
fn the_table_of_a_chart_with_other_runs_has_their_means() {
    let others = [other(0, 16, 0.1)];
    let view = ChartView::default();
    let beside = Beside {
        own: "shown",
        others: &others,
    };
    let table = export::table(&samples::run(48), &view, beside);
    assert_eq!(table.head[..3], ["run", "series", "episode"]);
    let of = |run: &str| -> Vec<&Vec<String>> {
        let rows = table.rows.iter();
        rows.filter(|row| row[0] == run && row[1] == "mean")
            .collect()
    };
    assert_eq!((of("shown").len(), of("other").len()), (3, 3));
    let value = |row: &[String]| row[4].parse::<f64>().unwrap();
    for (own, theirs) in of("shown").iter().zip(of("other")) {
        assert!((value(theirs) - value(own) - 0.1).abs() < 1e-9);
    }
    assert!(table.to_csv().is_ok());
    let namesake = Beside {
        own: "other",
        others: &others,
    };
    let table = export::table(&samples::run(48), &view, namesake);
    let is_numbered = |row: &&Vec<String>| row[0] == "other 1";
    assert_eq!(table.rows.iter().filter(is_numbered).count(), 3);
}

#[test]
fn every_run_has_its_number_on_the_chart_and_in_the_row_of_names() {
    let above = |place: u8| 0.08 * f64::from(place + 1);
    let others: Vec<OtherRun> = (0..4).map(|place| other(place, 16, above(place))).collect();
    for ascii in [false, true] {
        let glyphs = plain(ascii).glyphs;
        let row = row("shown", &others, Quantity::Reward, &glyphs, 78);
        let text = text(row);
        assert_eq!(text.matches(" other").count(), 4, "{text}");
        let chart = drawn((78, 18), ascii, |painter| {
            let view = ChartView::default();
            let beside = Beside {
                own: "demo6",
                others: &others,
            };
            draw_chart(&samples::run(48), &view, beside, true, painter);
        });
        let is_axis = |letter: char| "│┤|+".contains(letter);
        let plot = chart.lines().skip(2).take(12);
        let plot: String = plot
            .filter_map(|row| Some(row.split_once(is_axis)?.1))
            .collect();
        for number in ["1", "2", "3", "4"] {
            let is_drawn = plot.contains(number);
            assert!(
                text.contains(&format!("{number} other")) && is_drawn,
                "{chart}"
            );
        }
    }
}

#[test]
fn names_are_shortened_to_what_distinguishes_them() {
    let names = [
        "2026-11-24T13-12-59Z-monograph",
        "2026-11-24T15-02-11Z-monograph",
    ];
    let distinct = |names: &[&str]| distinct(names, "…");
    assert_eq!(distinct(&names), ["…24T13-12-59Z", "…24T15-02-11Z"]);
    assert_eq!(distinct(&["seed-1", "seed-12"]), ["…1", "…12"]);
    assert_eq!(distinct(&["one-run", "other-run"]), ["one", "other"]);
    assert_eq!(distinct(&["run", "other"]), ["run", "other"]);
    let one_within_the_other = ["a-b", "a-b-c"];
    assert_eq!(distinct(&one_within_the_other), ["…b", "…b-c"]);
    assert_eq!(distinct(&["same", "same"]), ["same", "same"]);
    assert_eq!(distinct(&["ä-1", "ä-2"]), ["…1", "…2"]);
}

#[test]
fn runs_that_are_not_drawn_come_last_with_their_names_behind_the_reason() {
    let mut others: Vec<OtherRun> = (0..3).map(|place| other(place, 16, 0.0)).collect();
    for (run, name) in others.iter_mut().zip(["ti", "ref", "pz"]) {
        run.name = name.to_owned();
        let started = run.started.as_deref().unwrap();
        let mut other_images = started.clone();
        if name != "ref" {
            other_images.data.fingerprint = "0".to_owned();
        }
        let found = Comparability::of((started, None), (&other_images, None));
        run.comparability = Some(found);
    }
    let glyphs = plain(false).glyphs;
    let shown = |width| text(row("fx", &others, Quantity::Reward, &glyphs, width));
    let mean = glyphs.mean;
    assert_eq!(
        shown(80),
        format!("{mean} fx   2 ref settings unknown   not drawn, other images: 1 ti   3 pz")
    );
    let narrow = shown(60);
    assert!(
        narrow.contains("other images: 1 ti") && !narrow.contains("drawn"),
        "{narrow}"
    );
}

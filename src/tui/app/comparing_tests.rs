//! What is told of the runs that are compared with the one shown: whether they are drawn, what keys do on
//! the pages about them, and where figures are from if their settings cannot be read.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Size;

use super::App;
use super::runs_tests::{app, app_of, compare, frame, know, press, told};
use crate::config::{Characters, ScreenConfig};
use crate::event::RunKind;
use crate::tui::other_runs::RunSettings;
use crate::tui::{Settings, sample};

fn footer(app: &App) -> String {
    frame(app).lines().last().unwrap().to_owned()
}

#[test]
fn a_run_that_is_marked_is_called_drawn_only_if_it_is() {
    let mut app = app();
    press(&mut app, "R↓↓m");
    assert_eq!(told(&app), "seed-7 is being read");
    compare(&mut app, "seed-7", 0.05, &["search.seed=7"]);
    assert_eq!(told(&app), "seed-7 is drawn over the chart");
    press(&mut app, "gm");
    compare(&mut app, "at-work", 0.0, &["data.validation=500"]);
    assert_eq!(
        told(&app),
        "at-work is not drawn: other images (D shows what differs)"
    );
    press(&mut app, "mm");
    compare(&mut app, "at-work", 0.0, &["reward.power=2"]);
    assert_eq!(
        told(&app),
        "at-work is drawn over the accuracies, not the rewards: another reward"
    );
}

#[test]
fn what_has_become_of_a_run_is_not_told_after_the_next_key() {
    let mut app = app();
    press(&mut app, "R↓↓m");
    press(&mut app, "↓");
    compare(&mut app, "seed-7", 0.05, &[]);
    assert_eq!(told(&app), "");
}

#[test]
fn the_page_of_settings_offers_what_its_keys_do_there() {
    let mut app = app();
    compare(&mut app, "seed-7", 0.0, &["search.seed=7"]);
    press(&mut app, "D");
    assert_eq!(footer(&app), " ? help   Esc close   R runs   : by name");
    for set in ["8,16", "16,32", "32,64"] {
        let set = format!("space.filters=[{set}]");
        compare(
            &mut app,
            &set,
            0.0,
            &["child.epochs=9", "reward.power=2", &set],
        );
    }
    app.view.size.height = 15;
    assert_eq!(
        footer(&app),
        " ? help   Esc close   ↑↓ scroll   R runs   : by name"
    );
    press(&mut app, "R");
    let list = footer(&app);
    assert!(
        list.contains("↑↓ choose   D settings   Enter show   m compare") && !list.contains("R "),
        "{list}"
    );
}

#[test]
fn figures_of_a_run_without_readable_settings_are_said_to_be_from_the_journals() {
    let mut app = app();
    let mut state = sample::state_of(&sample::records());
    let started = state.search_mut().unwrap().started.as_mut().unwrap();
    started.child_epochs = 12;
    started.heads.truncate(2);
    let settings = RunSettings {
        problem: Some("cannot read runs/ref/config.toml".to_owned()),
        ..RunSettings::default()
    };
    know(&mut app, "ref", Some(&state), settings);
    press(&mut app, "D");
    let frame = frame(&app);
    let row = |text: &str| frame.lines().position(|line| line.contains(text)).unwrap();
    let explained = row("Where settings cannot be read, these are from the journals:");
    assert!(
        row("cannot read runs/ref/config.toml") < explained,
        "{frame}"
    );
    let heads = "run 1: the decisions of a layer: kernel, filters there; kernel,";
    assert!(explained < row(heads), "{frame}");
    assert!(
        explained < row("run 1: child.epochs: 12 there, 3 here"),
        "{frame}"
    );
    assert!(!frame.contains("Head {"), "{frame}");
}

#[test]
fn long_values_are_whole_where_there_is_room_for_them() {
    let table = "search.reference=\"/data/runs/lab/of/a-random-search-with-a-long-name\"";
    for (width, is_whole) in [(120, true), (80, false)] {
        let mut app = app_of(width, 40, Characters::Unicode);
        compare(&mut app, "seed-7", 0.0, &[table]);
        press(&mut app, "D");
        let frame = frame(&app);
        let found = frame.contains("/data/runs/lab/of/a-random-search-with-a-long-name");
        assert_eq!(found, is_whole, "{frame}");
    }
}

#[test]
fn the_palette_uses_the_width_of_a_wide_screen() {
    let mut app = app_of(200, 50, Characters::Unicode);
    press(&mut app, ":search");
    let frame = frame(&app);
    let find = "children: filter by acc, reward, params, macs, time, episode, child, depth, entropy, energy";
    assert!(frame.contains(find), "{frame}");
}

#[test]
fn the_palette_of_a_training_has_no_filters_of_children() {
    let settings = Settings::new(&ScreenConfig::default(), |_| None).unwrap();
    let size = Size::new(80, 24);
    let mut training = App::new(&settings, TimeZone::UTC, size, Timestamp::UNIX_EPOCH);
    training.expect(RunKind::Training);
    for typed in [":", "acc>0.5"] {
        press(&mut training, typed);
        let entries = training.palette().unwrap();
        let filter = entries
            .iter()
            .find(|entry| entry.name.starts_with("filter ") && !entry.name.contains("log"));
        assert_eq!(filter, None);
    }
}

#[test]
fn a_run_whose_folder_was_renamed_has_its_new_name_on_the_chart_and_among_the_settings() {
    let mut app = app();
    app.folder_name = Some("renamed".to_owned());
    press(&mut app, "R↓↓m");
    compare(&mut app, "seed-7", 0.05, &["search.seed=7"]);
    press(&mut app, "D");
    assert!(frame(&app).contains("● renamed"), "{}", frame(&app));
    press(&mut app, "\x1b");
    press(&mut app, "\x1b");
    assert!(
        frame(&app).contains("● renamed   1 seed-7"),
        "{}",
        frame(&app)
    );
}

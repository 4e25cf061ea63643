//! The keys that the last row and the help offer, and what the first row keeps if it is short.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ratatui::layout::Size;

use super::App;
use crate::config::ScreenConfig;
use crate::event::Event;
use crate::link::LinkStatus;
use crate::state::SearchRun;
use crate::tui::Settings;
use crate::tui::other_runs::Switching;
use crate::tui::panels::{PanelId, help};
use crate::tui::sample;

/// The recorded run after as many of its records, called as runs are by default.
fn app_after(records: usize) -> App {
    let utf8 = |name: &str| (name == "LANG").then(|| "C.UTF-8".to_owned());
    let settings = Settings::new(&ScreenConfig::default(), utf8).unwrap();
    let mut all = sample::records();
    for record in &mut all {
        if let Event::RunStarted(started) = &mut record.event {
            started.run = "2026-11-29T03-10-27Z-demo".to_owned();
        }
    }
    let size = Size::new(80, 24);
    let mut app = App::new(&settings, TimeZone::UTC, size, all[0].time);
    all.truncate(records);
    all.iter().for_each(|record| app.take(record));
    app.view.now = all[all.len() - 1].time;
    app.refresh();
    app
}

fn press(app: &mut App, keys: &str) {
    for key in keys.chars() {
        let code = match key {
            '\n' => KeyCode::Enter,
            '\x1b' => KeyCode::Esc,
            '\t' => KeyCode::Tab,
            key => KeyCode::Char(key),
        };
        app.key(&KeyEvent::new(code, KeyModifiers::NONE));
    }
}

pub(super) fn frame(app: &App) -> Vec<String> {
    let mut frame = crate::tui::display::blank(app.view.size);
    app.draw(&mut frame);
    let row = |y| {
        let cells = (0..frame.area.width).map(|x| frame[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    };
    (0..frame.area.height).map(row).collect()
}

pub(super) fn footer(app: &App) -> String {
    frame(app).pop().unwrap()
}

/// The rows of the help about the page shown.
fn help_here(app: &App) -> String {
    let rows = help::content(&app.scene(), &app.page(), 76).body;
    let rows = rows.into_iter().take_while(|row| !row.is_empty());
    let text = |row: Vec<(_, String)>| row.into_iter().map(|(_, text)| text).collect::<String>();
    rows.map(text).collect::<Vec<_>>().join("\n")
}

fn replay() -> LinkStatus {
    LinkStatus::Replay {
        speed: 1.0,
        paused: false,
        ended: true,
    }
}

#[test]
fn the_first_row_keeps_the_percentage_whatever_its_width() {
    let mut app = app_after(400);
    for link in [
        LinkStatus::Live { watch_only: false },
        LinkStatus::Live { watch_only: true },
    ] {
        app.take_link(link);
        for width in 60..=140 {
            app.view.size.width = width;
            let first = frame(&app).remove(0);
            assert!(first.contains("RUNNING"), "{width}: {first}");
            assert!(first.contains(" % "), "{width}: {first}");
            assert!(first.contains(" left ≈ "), "{width}: {first}");
        }
    }
    let shown = [60, 70, 80, 90, 100, 120].map(|width| {
        app.view.size.width = width;
        frame(&app).remove(0)
    });
    insta::assert_snapshot!("header_of_who_watches", shown.join("\n"));
}

#[test]
fn a_replay_offers_neither_notes_nor_other_runs() {
    let mut app = app_after(usize::MAX);
    app.take_link(replay());
    app.neighbours.switching = Switching::No("this is a replay");
    for keys in ["3", "p", "pmjmc", "c\n"] {
        press(&mut app, keys);
        assert!(!footer(&app).contains("n note"), "{keys}: {}", footer(&app));
    }
    press(&mut app, "\x1bR");
    let runs = footer(&app);
    assert!(
        runs.contains("m compare") && !runs.contains("show"),
        "{runs}"
    );
}

#[test]
fn workers_are_selected_only_where_there_are_several() {
    let mut app = app_after(400);
    app.view.focus = PanelId("workers");
    let workers = app.scene().workers().len();
    assert_eq!(
        footer(&app).contains("worker"),
        workers > 1,
        "{}",
        footer(&app)
    );
    let mut over = app_after(usize::MAX);
    over.view.focus = PanelId("workers");
    assert!(!footer(&over).contains("worker"), "{}", footer(&over));
}

#[test]
fn every_page_of_the_inspector_tells_how_to_get_to_the_next() {
    let mut app = app_after(usize::MAX);
    press(&mut app, "b");
    for page in ["Graph", "Costs", "Curves", "Relatives", "Edit"] {
        let frame = frame(&app);
        assert!(frame.iter().any(|row| row.contains(&format!("[{page}]"))));
        assert!(
            footer(&app).contains("Tab page"),
            "{page}: {}",
            footer(&app)
        );
        press(&mut app, "\t");
    }
}

#[test]
fn the_help_here_has_arrows_and_keys_of_other_places_that_mean_something() {
    let mut app = app_after(usize::MAX);
    let chart = help_here(&app);
    assert!(chart.starts_with("Here: Chart"), "{chart}");
    for [keys, text] in [
        ["Left Right", "crosshair"],
        ["a ", "chart: reward or accuracy"],
    ] {
        let mut rows = chart.lines();
        assert!(
            rows.any(|row| row.starts_with(keys) && row.contains(text)),
            "{chart}"
        );
    }
    press(&mut app, "b");
    let inspector = help_here(&app);
    assert!(inspector.starts_with("Here: Inspector"), "{inspector}");
    let mut rows = inspector.lines();
    assert!(
        rows.any(|row| row.starts_with("Up Down") && row.contains("layer")),
        "{inspector}"
    );
}

#[test]
fn the_help_on_a_page_of_the_inspector_begins_with_what_that_page_is_about() {
    let mut app = app_after(usize::MAX);
    press(&mut app, "b\t\t\t");
    let relatives = help_here(&app);
    let rows: Vec<&str> = relatives.lines().collect();
    assert_eq!(rows[0], "Here: Inspector, Relatives", "{relatives}");
    assert!(rows[1].starts_with("Up Down") && rows[1].contains("choose"));
    assert!(relatives.contains("open the selected child"), "{relatives}");
    assert!(!relatives.contains("a larger value"), "{relatives}");
    press(&mut app, "\t");
    let edit = help_here(&app);
    assert!(edit.starts_with("Here: Inspector, Edit"), "{edit}");
    for text in [
        "choose",
        "a larger value",
        "undo all changes",
        "train the edited child",
    ] {
        assert!(edit.contains(text), "{text}: {edit}");
    }
    assert!(!edit.contains("write a note"), "{edit}");
}

#[test]
fn arrows_move_along_the_leaderboard_and_enter_opens_the_leader() {
    let mut app = app_after(usize::MAX);
    app.view.focus = PanelId("leaderboard");
    app.refresh();
    let best = app.state().search().best_child();
    assert_eq!(app.child_at_hand(), best);
    assert!(footer(&app).contains("↑↓ child"), "{}", footer(&app));
    press(&mut app, "jj");
    let third = app.child_at_hand();
    assert_ne!(third, best);
    assert_eq!(app.shown_child(), third);
    let marked: Vec<String> = frame(&app)
        .into_iter()
        .filter(|row| row.contains('▸') || row.contains('▶'))
        .collect();
    assert_eq!(marked.len(), 1, "{marked:?}");
    assert!(
        marked[0].contains(&third.unwrap().to_string()),
        "{marked:?}"
    );
    press(&mut app, "\n");
    assert_eq!(app.inspected_child(), third);
    press(&mut app, "\x1bG");
    let search: &SearchRun = app.state().search();
    assert!(search.ended(app.child_at_hand().unwrap()).is_some());
    assert_ne!(app.child_at_hand(), third);
}

#[test]
fn the_key_that_filters_the_children_is_called_so_and_comes_early_in_the_list() {
    let mut app = app_after(usize::MAX);
    press(&mut app, "3");
    assert!(footer(&app).contains("/ filter"), "{}", footer(&app));
    let here = help_here(&app);
    for [key, text] in [["/ ", "filter"], ["Enter ", "open the child"]] {
        let mut rows = here.lines();
        assert!(
            rows.any(|row| row.starts_with(key) && row.contains(text)),
            "{here}"
        );
    }
    app.view.size.width = 200;
    for keys in ["1", "3", "p"] {
        press(&mut app, keys);
        let row = footer(&app);
        assert!(row.contains("/ filter") && !row.contains("/ find"), "{row}");
    }
    press(&mut app, "6");
    assert!(footer(&app).contains("/ find"), "{}", footer(&app));
}

#[test]
fn keys_of_the_table_are_not_among_those_of_the_front_and_of_a_comparison() {
    let mut app = app_after(usize::MAX);
    let keys = |app: &App| -> String {
        let here = help_here(app);
        let words = here.lines().filter_map(|row| row.split_whitespace().next());
        words.collect()
    };
    press(&mut app, "3");
    assert!(keys(&app).contains("sSrmMcvHLpn"), "{}", keys(&app));
    press(&mut app, "p");
    assert!(keys(&app).contains(":mMcpn"), "{}", keys(&app));
    press(&mut app, "pmjmc");
    assert!(keys(&app).contains(":cpn"), "{}", keys(&app));
}

#[test]
fn a_replay_tells_the_keys_of_its_speed_and_steps() {
    let mut app = app_after(400);
    app.view.size.width = 120;
    assert!(!footer(&app).contains("speed"), "{}", footer(&app));
    app.take_link(LinkStatus::Replay {
        speed: 1.0,
        paused: false,
        ended: false,
    });
    assert!(
        footer(&app).contains("< > speed   [ ] step"),
        "{}",
        footer(&app)
    );
    app.take_link(replay());
    let ended = footer(&app);
    assert!(
        ended.contains("[ ] step") && !ended.contains("speed"),
        "{ended}"
    );
}

#[test]
fn after_a_search_in_the_log_the_keys_for_its_matches_are_shown() {
    let mut app = app_after(usize::MAX);
    press(&mut app, "6");
    assert!(!footer(&app).contains("n N match"), "{}", footer(&app));
    press(&mut app, "/child\n");
    assert!(footer(&app).contains("n N match"), "{}", footer(&app));
    press(&mut app, "&loss\n");
    let frame = frame(&app);
    let title = frame.iter().find(|row| row.contains("Log only")).unwrap();
    assert!(title.contains("Log only \"loss\" /child "), "{title}");
    assert!(!title.contains("  "), "{title}");
}

#[test]
fn the_help_says_how_it_is_scrolled() {
    let mut app = app_after(usize::MAX);
    press(&mut app, "?");
    assert!(
        footer(&app).contains("↑↓ scroll   PgUp PgDn page"),
        "{}",
        footer(&app)
    );
}

#[test]
fn the_crosshair_by_episodes_is_among_the_keys_of_the_chart() {
    let chart = help_here(&app_after(usize::MAX));
    let mut rows = chart.lines();
    assert!(
        rows.any(|row| row.starts_with("PgUp PgDn") && row.contains("episode")),
        "{chart}"
    );
}

#[test]
fn the_header_of_a_long_run_has_its_episode_rather_than_its_depth() {
    let mut app = app_after(usize::MAX);
    for (planned, all, brief) in [(6, "ep. 6/6 ", ""), (600, "ep. 6/600 ", "ep. 6 ")] {
        let mut live = app.live.clone();
        live.search_mut()
            .unwrap()
            .started
            .as_mut()
            .unwrap()
            .episodes = planned;
        app.live = live;
        for width in 70..90 {
            app.view.size.width = width;
            let row = frame(&app).remove(1);
            let has_episode = row.contains(all) || (!brief.is_empty() && row.contains(brief));
            assert!(has_episode || !row.contains("depth"), "{width}: {row}");
            assert!(has_episode || width < 76, "{width}: {row}");
        }
    }
}

#[test]
fn a_panel_of_which_not_all_rows_fit_offers_to_scroll() {
    let mut app = app_after(usize::MAX);
    app.view.chosen = Some(96);
    for panel in ["dna", "controller", "effects"] {
        app.view.focus = PanelId(panel);
        app.view.maximised = true;
        app.refresh();
        app.view.size = Size::new(60, 15);
        assert!(footer(&app).contains("↑↓ scroll"), "{}", footer(&app));
        app.view.size = Size::new(120, 40);
        assert!(!footer(&app).contains("scroll"), "{}", footer(&app));
    }
}

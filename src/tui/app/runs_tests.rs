//! Other runs on the screen: the list of them, the chart with some of them over it, the settings in which
//! they differ, and what their keys ask for.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Size;

use super::{App, Effect};
use crate::config::{Characters, Options, ScreenConfig, by_key, resolve};
use crate::link::LinkStatus;
use crate::runs::{RunInfo, WorkInfo};
use crate::state::{RunState, RunStatus};
use crate::tui::keymap::Context;
use crate::tui::other_runs::{Listed, RunSettings, Switching};
use crate::tui::panels::PanelId;
use crate::tui::{Settings, sample};

/// The recorded run when it was over, on a screen of this size without colours.
pub(super) fn app_of(width: u16, height: u16, characters: Characters) -> App {
    let config = ScreenConfig {
        characters,
        ..ScreenConfig::default()
    };
    let settings = Settings::new(&config, |_| None).unwrap();
    let records = sample::records();
    let size = Size::new(width, height);
    let mut app = App::new(&settings, TimeZone::UTC, size, records[0].time);
    records.iter().for_each(|record| app.take(record));
    app.view.now = Timestamp::from_second(1_795_600_000).unwrap();
    app.neighbours.folder = PathBuf::from("/runs/demo6");
    app.neighbours.settings = settings_of(&[]);
    app.take_list(listed());
    app.refresh();
    app
}

pub(super) fn app() -> App {
    app_of(80, 24, Characters::Unicode)
}

/// The settings of a demo search, with these changes.
fn settings_of(set: &[&str]) -> RunSettings {
    let options = Options {
        preset: Some("demo".to_owned()),
        set: set.iter().map(|set| (*set).to_owned()).collect(),
        ..Options::default()
    };
    let config = resolve(&options).unwrap();
    RunSettings {
        by_key: by_key(&config.to_toml()),
        config: Some(config),
        problem: None,
    }
}

pub(super) fn info(name: &str, status: RunStatus) -> RunInfo {
    RunInfo {
        name: name.to_owned(),
        path: PathBuf::from(format!("runs/{name}")),
        status,
        work: WorkInfo::Search {
            preset: "demo".to_owned(),
            strategy: "reinforce".to_owned(),
            episode: 6,
            episodes: 6,
            children: 96,
            planned_children: 96,
            policy_lift: None,
        },
        best_accuracy: Some(0.8456),
        started: None,
        changed: Some(Timestamp::from_second(1_795_599_000).unwrap()),
        holder: None,
        blocked: None,
        unreadable: None,
    }
}

pub(super) fn listed() -> Listed {
    let mut training = info("nascnn15", RunStatus::Completed);
    training.work = WorkInfo::Training {
        network: "nascnn15".to_owned(),
        recipe: "densenet".to_owned(),
        epoch: 9,
        epochs: 9,
        test_accuracy: None,
    };
    let runs = vec![
        info("at-work", RunStatus::Running),
        info("demo6", RunStatus::Completed),
        info("seed-7", RunStatus::Completed),
        training,
    ];
    let folders = runs.iter().map(|run| format!("/runs/{}", run.name).into());
    Listed {
        time: Timestamp::from_second(1_795_600_000).unwrap(),
        folders: folders.collect(),
        runs,
    }
}

/// The recorded run with other rewards, and the settings that go with them.
pub(super) fn compare(app: &mut App, name: &str, by: f64, set: &[&str]) {
    let mut state = sample::state_of(&sample::records());
    let search = state.search_mut().unwrap();
    for episode in &mut search.episodes {
        episode.mean_reward += by;
        episode.mean_accuracy = episode.mean_accuracy.map(|mean| mean + by);
    }
    know(app, name, Some(&state), settings_of(set));
}

pub(super) fn know(app: &mut App, name: &str, state: Option<&RunState>, settings: RunSettings) {
    let folder = PathBuf::from(format!("/runs/{name}"));
    app.neighbours.others.add(folder.clone(), name.to_owned());
    let run = app.neighbours.others.of_mut(&folder).unwrap();
    run.begin(state, settings);
    run.take_link(LinkStatus::Ended);
    app.refresh();
}

pub(super) fn press(app: &mut App, keys: &str) -> Effect {
    let code = |key| match key {
        '\n' => KeyCode::Enter,
        '\x1b' => KeyCode::Esc,
        '↓' => KeyCode::Down,
        key => KeyCode::Char(key),
    };
    let effects = keys
        .chars()
        .map(|key| app.key(&KeyEvent::new(code(key), KeyModifiers::NONE)));
    effects.last().unwrap_or(Effect::Nothing)
}

pub(super) fn frame(app: &App) -> String {
    let mut frame = crate::tui::display::blank(app.view.size);
    app.draw(&mut frame);
    let row = |y| {
        let cells = (0..frame.area.width).map(|x| frame[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    };
    let rows: Vec<String> = (0..frame.area.height).map(row).collect();
    rows.join("\n")
}

pub(super) fn told(app: &App) -> String {
    let message = app.view.message.as_ref();
    message.map_or_else(String::new, |message| message.text.clone())
}

pub(super) fn compared(app: &App) -> Vec<&str> {
    let runs = app.neighbours.others.runs().iter();
    runs.map(|run| run.name.as_str()).collect()
}

#[test]
fn a_run_is_chosen_from_the_list_and_shown_in_place_of_this_one() {
    let mut app = app();
    press(&mut app, "R");
    assert_eq!(app.context(), Context::Runs);
    assert!(app.neighbours.is_list_wanted, "what is listed may be old");
    let asked = press(&mut app, "↓↓\n");
    assert_eq!(asked, Effect::Show(PathBuf::from("runs/seed-7")));
    assert_eq!(app.context(), Context::Panel(PanelId("chart")));
    assert_eq!(told(&app), "opening runs/seed-7");
}

#[test]
fn escape_leads_from_the_list_back_to_the_run_shown() {
    let mut app = app();
    let before = frame(&app);
    press(&mut app, "R↓\x1b");
    assert_eq!(frame(&app), before);
}

#[test]
fn the_selected_run_stays_selected_when_the_list_changes() {
    let mut app = app();
    press(&mut app, "R↓↓");
    let mut shorter = listed();
    shorter.runs.remove(0);
    shorter.folders.remove(0);
    app.take_list(shorter);
    let asked = press(&mut app, "\n");
    assert_eq!(asked, Effect::Show(PathBuf::from("runs/seed-7")));
}

#[test]
fn the_run_shown_is_not_opened_again() {
    let mut app = app();
    assert_eq!(press(&mut app, "R↓\n"), Effect::Draw);
    assert_eq!(told(&app), "this is the run shown");
}

#[test]
fn where_no_other_run_can_be_shown_the_list_and_the_palette_say_why() {
    let mut app = app();
    app.neighbours.switching = Switching::No("this is a replay");
    assert_eq!(press(&mut app, "R\n"), Effect::Draw);
    assert_eq!(told(&app), "this is a replay");
    press(&mut app, "\x1b:run seed");
    let entry = app.palette().unwrap().remove(0);
    assert_eq!(entry.name, "run seed-7");
    assert_eq!(entry.obstacle.as_deref(), Some("this is a replay"));
}

#[test]
fn a_mark_compares_a_run_and_takes_it_back() {
    let mut app = app();
    press(&mut app, "R↓↓m");
    assert_eq!(compared(&app), ["seed-7"]);
    press(&mut app, "gm");
    assert_eq!(compared(&app), ["seed-7", "at-work"]);
    press(&mut app, "↓↓m");
    assert_eq!(compared(&app), ["at-work"]);
    press(&mut app, "gm");
    assert_eq!(compared(&app), [""; 0]);
}

#[test]
fn a_training_is_not_compared_with_a_search() {
    let mut app = app();
    press(&mut app, "RGm");
    assert_eq!(compared(&app), [""; 0]);
    assert_eq!(told(&app), "a search is not compared with a training");
}

#[test]
fn runs_are_found_by_their_names() {
    let mut app = app();
    press(&mut app, ":compare seed\n");
    assert_eq!(compared(&app), ["seed-7"]);
    press(&mut app, ":compare seed");
    let entry = app.palette().unwrap().remove(0);
    assert!(entry.text.ends_with("no longer"), "{}", entry.text);
    press(&mut app, "\x1b");
    let asked = press(&mut app, ":run nascnn\n");
    assert_eq!(asked, Effect::Show(PathBuf::from("runs/nascnn15")));
}

#[test]
fn closing_another_run_leads_back_to_the_one_that_this_program_began() {
    let mut app = app();
    app.neighbours.home = Some(PathBuf::from("/runs/at-work"));
    assert_eq!(press(&mut app, "q"), Effect::LeaveFromHome);
    let asked = press(&mut app, "R\n");
    assert_eq!(asked, Effect::Show(PathBuf::from("runs/at-work")));
}

#[test]
fn another_run_takes_over_arrangement_and_company() {
    let mut before = app();
    compare(&mut before, "seed-7", 0.05, &[]);
    compare(&mut before, "at-work", 0.1, &[]);
    press(&mut before, "6f");
    let mut next = app();
    next.neighbours.folder = PathBuf::from("/runs/at-work");
    next.follow_on(&mut before, "demo6".to_owned());
    assert_eq!(compared(&next), ["seed-7", "demo6"]);
    assert_eq!(next.view.focus, PanelId("log"));
    assert!(next.view.maximised && next.neighbours.listed.is_some());
}

#[test]
fn the_chart_names_the_runs_drawn_over_it_and_says_what_keeps_one_off() {
    let mut app = app();
    press(&mut app, "2f");
    compare(&mut app, "seed-7", 0.05, &["search.seed=7"]);
    compare(
        &mut app,
        "at-work",
        0.0,
        &["reward.power=2", "child.epochs=9"],
    );
    let reward = frame(&app);
    assert!(
        reward.contains("● demo6   1 seed-7   not drawn, another reward: 2 at-work"),
        "{reward}"
    );
    press(&mut app, "a");
    let accuracy = frame(&app);
    assert!(accuracy.contains("1 seed-7   2 at-work ≠"), "{accuracy}");
}

#[test]
fn a_run_that_cannot_be_read_is_said_to_be_and_the_chart_stays() {
    let mut app = app();
    press(&mut app, "2f");
    let before = frame(&app);
    app.neighbours
        .others
        .add("/runs/gone".into(), "gone".to_owned());
    let folder = PathBuf::from("/runs/gone");
    let problem = "there is no run gone".to_owned();
    app.neighbours.others.lose(&folder, problem);
    app.refresh();
    let with = frame(&app);
    assert!(with.contains("1 gone unreadable"), "{with}");
    let verdict = |frame: &str| frame.lines().nth(22).unwrap().to_owned();
    assert_eq!(verdict(&with), verdict(&before));
    press(&mut app, "D");
    assert!(frame(&app).contains("there is no run gone"));
}

#[test]
fn the_crosshair_reads_what_the_other_runs_had_reached() {
    let mut app = app_of(120, 40, Characters::Unicode);
    press(&mut app, "2f");
    compare(&mut app, "seed-7", 0.05, &[]);
    press(&mut app, "h");
    let mean = app.state().search().episodes[5].mean_reward + 0.05;
    let mean = crate::tui::format::reward(mean);
    let frame = frame(&app);
    assert!(frame.contains(&format!("1 {mean}")), "{mean}:\n{frame}");
}

#[test]
fn settings_that_decide_what_a_reward_means_come_first() {
    let mut app = app();
    compare(
        &mut app,
        "seed-7",
        0.0,
        &["search.seed=7", "child.epochs=9"],
    );
    press(&mut app, "D");
    let frame = frame(&app);
    let row = |text: &str| frame.lines().position(|line| line.contains(text)).unwrap();
    assert!(row("≠ child.epochs") < row("search.seed"), "{frame}");
    assert!(!frame.contains("screen.") && !frame.contains("workers."));
}

#[test]
fn without_another_run_the_page_of_differences_says_how_to_compare_one() {
    let mut app = app();
    press(&mut app, "D");
    assert!(frame(&app).contains("R opens the list of runs"));
    press(&mut app, "D");
    assert_eq!(app.context(), Context::Panel(PanelId("chart")));
}

/// With one like it, one that is shorter, and one of other settings.
fn company(app: &mut App) {
    compare(app, "seed-7", 0.05, &["search.seed=7"]);
    let state = sample::state_of(&sample::records()[..400]);
    know(
        app,
        "at-work",
        Some(&state),
        settings_of(&["search.seed=8"]),
    );
    compare(
        app,
        "wide",
        -0.06,
        &["space.filters=[8,16]", "search.seed=9"],
    );
}

#[test]
fn the_screen_with_other_runs_at_every_size_and_with_ascii_only() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut app = app_of(width, height, Characters::Unicode);
        company(&mut app);
        app.view.chosen = Some(96);
        insta::assert_snapshot!(format!("other_runs_{width}x{height}"), frame(&app));
        press(&mut app, "2f");
        insta::assert_snapshot!(format!("other_runs_chart_{width}x{height}"), frame(&app));
        press(&mut app, "R");
        insta::assert_snapshot!(format!("other_runs_list_{width}x{height}"), frame(&app));
        press(&mut app, "D");
        insta::assert_snapshot!(format!("other_runs_settings_{width}x{height}"), frame(&app));
    }
    let mut app = app_of(80, 24, Characters::Ascii);
    company(&mut app);
    press(&mut app, "2f");
    let chart = frame(&app);
    assert!(chart.is_ascii(), "{chart}");
    insta::assert_snapshot!("other_runs_chart_ascii_80x24", chart);
}

#[test]
fn the_smallest_screen_stacks_the_values_of_settings_that_differ() {
    let mut app = app_of(60, 15, Characters::Unicode);
    company(&mut app);
    press(&mut app, "DG");
    let frame = frame(&app);
    assert!(
        frame.contains("search.seed") && frame.contains(" of "),
        "{frame}"
    );
}

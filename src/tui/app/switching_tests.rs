//! Leaving a run for another one and coming back: which run keys are for, and what stays as it was.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::layout::Size;

use super::runs_tests::{app, app_of, compare, compared, frame, info, listed, press, told};
use super::{Alert, App, Effect};
use crate::config::{Characters, ScreenConfig};
use crate::event::RunKind;
use crate::link::Command;
use crate::state::RunStatus;
use crate::tui::other_runs::Standing;
use crate::tui::panels::question::Question;
use crate::tui::{Settings, sample};

/// The recorded run while it was at work.
fn at_work() -> App {
    let mut app = app_of(200, 50, Characters::Unicode);
    app.live = sample::state_of(&sample::records()[..400]);
    app.refresh();
    app
}

/// The screen of a training that has not begun.
fn training() -> App {
    let settings = Settings::new(&ScreenConfig::default(), |_| None).unwrap();
    let size = Size::new(80, 24);
    let mut app = App::new(&settings, TimeZone::UTC, size, Timestamp::UNIX_EPOCH);
    app.expect(RunKind::Training);
    app.neighbours.folder = PathBuf::from("/runs/nascnn15");
    app
}

#[test]
fn in_the_list_of_runs_no_run_is_paused() {
    let mut app = at_work();
    assert_eq!(press(&mut app, " "), Effect::Send(Command::Pause));
    assert_eq!(press(&mut app, "R"), Effect::Draw);
    let footer = frame(&app).lines().last().unwrap().to_owned();
    assert!(!footer.contains("pause"), "{footer}");
    assert_eq!(press(&mut app, " "), Effect::Draw);
    assert_eq!(
        told(&app),
        "close the list first: Space pauses the run shown"
    );
}

#[test]
fn runs_are_followed_again_after_a_visit_to_a_run_of_the_other_kind() {
    let mut home = app();
    compare(&mut home, "seed-7", 0.05, &[]);
    let standing = |app: &App| app.neighbours.others.runs()[0].standing.clone();
    assert_eq!(standing(&home), Standing::Known);
    let mut training = training();
    training.follow_on(&mut home, "demo6".to_owned());
    assert_eq!(compared(&training), [""; 0]);
    home.follow_on(&mut training, "nascnn15".to_owned());
    assert_eq!(compared(&home), ["seed-7"]);
    assert_eq!(standing(&home), Standing::Wanted);
}

#[test]
fn what_led_away_from_a_run_is_no_longer_told_on_return() {
    let mut home = app();
    press(&mut home, "R\n");
    assert_eq!(told(&home), "opening runs/at-work");
    let mut other = app();
    other.follow_on(&mut home, "demo6".to_owned());
    home.follow_on(&mut other, "at-work".to_owned());
    assert_eq!(told(&home), "");
}

#[test]
fn back_on_a_run_that_has_ended_meanwhile_the_screen_stays_open() {
    let mut ended = app();
    assert_eq!(ended.ask_to_quit(), Effect::Draw);
    assert_eq!(ended.view.question, None);
    let mut at_work = at_work();
    assert_eq!(at_work.ask_to_quit(), Effect::Draw);
    assert_eq!(at_work.view.question, Some(Question::Leave));
}

#[test]
fn the_way_back_is_found_by_its_folder() {
    let mut app = app();
    app.neighbours.home = Some(PathBuf::from("/runs/at-work"));
    let mut namesake = listed();
    let mut elsewhere = info("at-work", RunStatus::Running);
    elsewhere.path = PathBuf::from("/elsewhere/at-work");
    namesake.runs.insert(0, elsewhere);
    namesake.folders.insert(0, "/elsewhere/at-work".into());
    app.take_list(namesake);
    let asked = press(&mut app, "R\n");
    assert_eq!(asked, Effect::Show(PathBuf::from("runs/at-work")));
}

#[test]
fn an_inspector_left_open_does_not_keep_another_run_from_being_shown() {
    let mut app = app();
    press(&mut app, "b");
    assert!(app.view.inspector.is_some());
    let asked = press(&mut app, ":run seed\n");
    assert_eq!(asked, Effect::Show(PathBuf::from("runs/seed-7")));
    assert!(app.view.inspector.is_none());
}

#[test]
fn runs_are_looked_for_where_they_are_listed_and_elsewhere_only_once_in_a_while() {
    let wanted_after = |keys: &str, seconds: i64| {
        let mut app = app();
        app.view.now += SignedDuration::from_secs(seconds);
        press(&mut app, keys);
        app.neighbours.is_list_wanted
    };
    assert!(wanted_after("R", 0), "what is listed may be old");
    assert!(!wanted_after("D", 60), "settings need no list");
    assert!(wanted_after("DR", 0));
    assert!(!wanted_after(":", 9));
    assert!(wanted_after(":", 11));
}

#[test]
fn a_list_of_runs_that_arrives_late_does_not_change_what_is_selected_in_the_palette() {
    let mut app = app();
    app.neighbours.listed = None;
    press(&mut app, ":run");
    // The last one, which a run is ranked before.
    app.step_entry(false);
    let (chosen, before) = (app.selected_choice(), app.palette().unwrap().len());
    assert!(chosen.is_some());
    app.take_list(listed());
    assert!(app.palette().unwrap().len() > before);
    assert_eq!(app.selected_choice(), chosen);
}

#[test]
fn an_alert_of_a_run_that_is_not_shown_says_whose_it_is() {
    let alert = Alert("child 7 failed: out of memory".to_owned());
    assert_eq!(alert.of("night").0, "night: child 7 failed: out of memory");
}

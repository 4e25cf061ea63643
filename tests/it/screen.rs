//! The whole screen and each panel, drawn from a recorded journal, and arbitrary keys at arbitrary
//! sizes.

mod any_keys;
mod children_in_training;
mod cluster;
mod inspector;
mod log;
mod moments;
mod over;
mod speed;
mod steering;

use std::path::Path;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use insta::assert_snapshot;
use jiff::tz::TimeZone;
use nas_tui::config::{ScreenConfig, ThemeName};
use nas_tui::event::{ChildProgress, Event, Record, Reference};
use nas_tui::link::{Command, LinkStatus};
use nas_tui::state::RunState;
use nas_tui::telemetry::{GpuSample, GpuStatus, HostSample, HostStatus};
use nas_tui::tui::app::{App, Effect, Past, Wanted};
use nas_tui::tui::theme::{ColourDepth, Theme};
use nas_tui::tui::{Leave, Settings};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

pub use self::any_keys::{Step, live_through, step};

pub const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// Every record of the recorded run. Any journal with this name will do.
fn journal() -> Vec<Record> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a record per line"))
        .collect()
}

/// The records up to the middle of the run: up to an epoch of a child that is still in training.
fn half(records: &[Record]) -> &[Record] {
    let is_epoch = |record: &Record| matches!(&record.event, Event::ChildEpoch(epoch) if epoch.epoch < epoch.epochs);
    let middle = records.len() * 6 / 10;
    let end = records[middle..]
        .iter()
        .position(is_epoch)
        .map_or(records.len(), |offset| middle + offset + 1);
    &records[..end]
}

/// A tick of the next epoch of the child that last finished an epoch.
fn progress(records: &[Record]) -> Option<Record> {
    let last = records.last()?;
    let Event::ChildEpoch(epoch) = &last.event else {
        return None;
    };
    let event = Event::ChildProgress(ChildProgress {
        child: epoch.child,
        worker: epoch.worker,
        epoch: epoch.epoch + 1,
        epochs: epoch.epochs,
        batch: 30,
        batches: 79,
        loss: epoch.train_loss * 0.97,
        images_per_second: epoch.images_per_second,
    });
    Some(Record {
        v: 1,
        seq: None,
        time: last.time,
        event,
    })
}

pub fn settings(theme: Theme) -> Settings {
    let mut settings =
        Settings::new(&ScreenConfig::default(), |_| None).expect("the defaults are valid");
    settings.theme = theme;
    settings
}

pub fn app_with(records: &[Record], size: Size, theme: Theme) -> App {
    let now = records.last().expect("a journal is not empty").time;
    let mut app = App::new(&settings(theme), TimeZone::UTC, size, now);
    records.iter().for_each(|record| app.take(record));
    progress(records).iter().for_each(|record| app.take(record));
    app.view.take_gpu(
        GpuStatus::Absent("libnvidia-ml.so[.1] not found".to_owned()),
        now,
    );
    for step in 0..60 {
        let share = 0.5 + 0.4 * (f64::from(step) / 7.0).sin();
        let host = HostSample {
            cores: vec![share, 0.93],
            memory_used: 3 << 30,
            memory_total: 24 << 30,
            load: Some(2.1),
            ..HostSample::default()
        };
        app.view.take_host(HostStatus::Present(host));
    }
    app.refresh();
    app
}

pub fn theme(depth: ColourDepth, ascii: bool) -> Theme {
    Theme::new(ThemeName::ColourBlind, depth, ascii)
}

pub fn plain() -> Theme {
    theme(ColourDepth::None, false)
}

/// The screen in the middle of the run.
fn running(width: u16, height: u16) -> App {
    app_with(half(&journal()), Size::new(width, height), plain())
}

fn gpus() -> GpuStatus {
    let whole = GpuSample {
        index: 0,
        name: Some("NVIDIA H100 80GB HBM3".to_owned()),
        utilization: Some(0.87),
        memory_used: Some(13 << 30),
        memory_total: Some(80 << 30),
        temperature: Some(61),
        power: Some(312.4),
        power_limit: Some(700.0),
        ..GpuSample::default()
    };
    let partial = GpuSample {
        index: 1,
        name: Some("NVIDIA GeForce GTX 1660".to_owned()),
        memory_used: Some(1 << 30),
        memory_total: Some(6 << 30),
        ..GpuSample::default()
    };
    GpuStatus::Present(vec![
        whole,
        partial,
        GpuSample {
            index: 2,
            ..GpuSample::default()
        },
    ])
}

fn key(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

pub fn press(app: &mut App, keys: &str) -> Effect {
    let press = |app: &mut App, letter| match letter {
        '\t' => app.key(&key(KeyCode::Tab)),
        '\n' => app.key(&key(KeyCode::Enter)),
        '\x1b' => app.key(&key(KeyCode::Esc)),
        letter => app.key(&key(KeyCode::Char(letter))),
    };
    keys.chars()
        .fold(Effect::Nothing, |_, letter| press(app, letter))
}

pub fn draw(app: &App) -> Buffer {
    let mut frame = Buffer::empty(Rect::new(0, 0, app.view.size.width, app.view.size.height));
    app.draw(&mut frame);
    frame
}

pub fn text(app: &App) -> String {
    let frame = draw(app);
    let row = |y| {
        (0..frame.area.width)
            .map(|x| frame[(x, y)].symbol())
            .collect::<String>()
            .trim_end()
            .to_owned()
    };
    (0..frame.area.height)
        .map(row)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_screen_of_a_running_search() {
    for (width, height) in SIZES.into_iter().chain([(60, 15), (60, 40), (100, 30)]) {
        assert_snapshot!(
            format!("running_{width}x{height}"),
            text(&running(width, height))
        );
    }
}

#[test]
fn each_panel_alone() {
    for (width, height) in SIZES {
        for (tabs, panel) in [
            "chart",
            "controller",
            "training",
            "dna",
            "children",
            "effects",
            "leaderboard",
            "machine",
            "log",
        ]
        .into_iter()
        .enumerate()
        {
            let mut app = running(width, height);
            press(&mut app, &"\t".repeat(tabs));
            press(&mut app, "f");
            app.refresh();
            assert_snapshot!(format!("{panel}_{width}x{height}"), text(&app));
        }
    }
}

#[test]
fn the_chart_of_accuracies_has_no_baseline_because_the_baseline_is_a_reward() {
    let mut app = running(80, 24);
    press(&mut app, "a");
    assert_snapshot!("accuracy_80x24", text(&app));
}

#[test]
fn gpus_with_values_that_are_missing() {
    for (width, height) in SIZES {
        let mut app = running(width, height);
        app.view.take_gpu(gpus(), app.view.now);
        press(&mut app, "5f");
        assert_snapshot!(format!("gpus_{width}x{height}"), text(&app));
    }
    let mut app = running(80, 24);
    app.view.take_gpu(gpus(), app.view.now);
    assert_snapshot!("gpus_among_the_panels_80x24", text(&app));
}

#[test]
fn a_driver_that_hangs_is_reported_and_its_last_values_stay() {
    let mut app = running(80, 24);
    app.view.take_gpu(gpus(), app.view.now);
    app.view.now += jiff::SignedDuration::from_secs(60);
    let text = text(&app);
    assert!(
        text.contains("NVML does not answer") && text.contains("61 °C"),
        "{text}"
    );
}

#[test]
fn overlays_and_questions() {
    for (name, keys) in [
        ("help", "?"),
        ("leave", "q"),
        ("skip", "x"),
        ("filter", "/acc>0.5"),
    ] {
        let mut app = running(80, 24);
        press(&mut app, keys);
        assert_snapshot!(format!("{name}_80x24"), text(&app));
    }
}

#[test]
fn a_finished_run_with_its_best_child() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut app = app_with(&journal(), Size::new(width, height), plain());
        read_wanted(&mut app);
        assert_snapshot!(format!("finished_{width}x{height}"), text(&app));
    }
}

/// Read the children that the screen asks for.
fn read_wanted(app: &mut App) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl");
    let mut archive = nas_tui::journal::Archive::open(&path).unwrap();
    while let Some(Wanted::Child {
        child,
        sampled_seq,
        ended_seq,
    }) = app.wanted()
    {
        let read = archive.child(child, sampled_seq, ended_seq);
        app.take_detail(read.unwrap().unwrap());
    }
}

#[test]
fn before_the_first_record() {
    let now = jiff::Timestamp::UNIX_EPOCH;
    assert_snapshot!(
        "starting_80x24",
        text(&App::new(
            &settings(plain()),
            TimeZone::UTC,
            Size::new(80, 24),
            now
        ))
    );
}

#[test]
fn an_ascii_terminal_without_colour_is_drawn_in_ascii() {
    let theme = theme(ColourDepth::None, true);
    let app = app_with(half(&journal()), Size::new(80, 24), theme);
    let text = text(&app);
    assert!(text.is_ascii());
    assert_snapshot!("ascii_80x24", text);
    let frame = draw(&app);
    assert!(
        frame
            .content
            .iter()
            .all(|cell| cell.fg == ratatui::style::Color::Reset
                && cell.bg == ratatui::style::Color::Reset)
    );
}

#[test]
fn a_screen_too_small_says_so() {
    assert_snapshot!("too_small_40x10", text(&running(40, 10)));
}

#[test]
fn drawing_changes_nothing_and_gives_the_same_frame_again() {
    let app = running(120, 40);
    assert_eq!(draw(&app), draw(&app));
}

#[test]
fn excluded_children_do_not_affect_the_estimated_time_left() {
    let left = |records: &[Record]| {
        let mut app = app_with(records, Size::new(120, 40), plain());
        app.take_link(LinkStatus::Live { watch_only: false });
        text(&app)
            .lines()
            .any(|line| line.contains("elapsed") && line.contains("left"))
    };
    let records = half(&journal()).to_vec();
    assert!(left(&records));
    let excluded: Vec<Record> = records
        .into_iter()
        .map(|mut record| {
            if let Event::ChildFinished(finished) = &record.event {
                let (child, episode, seconds) =
                    (finished.child, finished.episode, finished.seconds);
                record.event = Event::ChildExcluded {
                    child,
                    episode,
                    reason: "skipped".to_owned(),
                    seconds,
                    control: false,
                };
            }
            record
        })
        .filter(|record| !matches!(record.event, Event::ChildFailed { .. }))
        .collect();
    assert!(
        !left(&excluded),
        "nothing is known of how long a child takes"
    );
}

#[test]
fn the_screen_says_that_a_run_cannot_be_compared_with_its_reference() {
    let mut records = half(&journal()).to_vec();
    let started = records
        .iter_mut()
        .find_map(|record| match &mut record.event {
            Event::RunStarted(started) => Some(started),
            _ => None,
        });
    started.unwrap().reference = Some(Box::new(Reference {
        run: "by-chance".to_owned(),
        strategy: "random".to_owned(),
        episodes: Vec::new(),
        not_comparable: Some("child.epochs is 1 there and 2 here".to_owned()),
    }));
    let small = text(&app_with(&records, Size::new(80, 24), plain()));
    assert!(small.contains("not comparable"), "{small}");
    let large = text(&app_with(&records, Size::new(200, 50), plain()));
    assert!(large.contains("random not comparable"), "{large}");
}

#[test]
fn the_best_child_opens_in_the_inspector() {
    for (width, height) in SIZES.into_iter().chain([(60, 15)]) {
        let mut app = running(width, height);
        press(&mut app, "b");
        assert_snapshot!(format!("inspector_{width}x{height}"), text(&app));
    }
}

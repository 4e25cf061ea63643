//! What is opened and written, by its keys.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ratatui::layout::Size;

use super::{App, Document, Effect, Export, log_line};
use crate::config::ScreenConfig;
use crate::event::Event;
use crate::state::RunState;
use crate::tui::Settings;
use crate::tui::panels::PanelId;
use crate::tui::sample;

/// The recorded run while a child was in training.
fn app() -> App {
    let settings = Settings::new(&ScreenConfig::default(), |_| None).unwrap();
    let records = sample::records();
    let size = Size::new(100, 30);
    let mut app = App::new(&settings, TimeZone::UTC, size, records[0].time);
    let is_epoch = |event: &Event| matches!(event, Event::ChildEpoch(epoch) if epoch.epoch == 1);
    let end = records[300..]
        .iter()
        .position(|record| is_epoch(&record.event));
    let until = 301 + end.unwrap();
    records[..until].iter().for_each(|record| app.take(record));
    app.refresh();
    app
}

/// The effect of the last of these keys.
fn press(app: &mut App, keys: &str) -> Effect {
    let mut effect = Effect::Nothing;
    for key in keys.chars() {
        let code = match key {
            '\n' => KeyCode::Enter,
            '\x1b' => KeyCode::Esc,
            '\t' => KeyCode::Tab,
            key => KeyCode::Char(key),
        };
        effect = app.key(&KeyEvent::new(code, KeyModifiers::NONE));
    }
    effect
}

fn told(app: &App) -> String {
    let message = app.view.message.clone();
    message.map_or_else(String::new, |message| message.text)
}

fn exported(effect: Effect) -> Export {
    match effect {
        Effect::Export(export) => export,
        other => panic!("nothing is written: {other:?}"),
    }
}

fn csv(export: &Export) -> &str {
    assert_eq!(export.extension, "csv");
    std::str::from_utf8(&export.text).unwrap()
}

#[test]
fn the_log_is_opened_with_the_date_of_every_line() {
    let mut app = app();
    let Effect::Open(Document::Log { text, is_cut }) = press(&mut app, "V") else {
        panic!("the log is not opened");
    };
    assert!(!is_cut);
    let last = app.live.log.back().unwrap();
    assert!(text.ends_with(&log_line(last, &TimeZone::UTC)), "{text}");
    assert_eq!(text.lines().count(), app.live.log.len());
    app.live.log_dropped = 7;
    let Effect::Open(Document::Log { text, is_cut }) = press(&mut app, "V") else {
        panic!("the log is not opened");
    };
    assert!(is_cut, "older lines are in the journal");
    assert!(text.starts_with("(7 older lines"), "{text}");
}

#[test]
fn a_line_of_another_program_cannot_do_anything_to_the_terminal() {
    let mut app = app();
    let nasty = "\x1b]2;title\x07\x1b[2Jgone\nnext".to_owned();
    let now = app.view.now;
    app.note(crate::event::Level::Warning, nasty, now);
    let line = log_line(app.live.log.back().unwrap(), &TimeZone::UTC);
    assert!(line.ends_with(" WARNING gone next\n"), "{line:?}");
}

#[test]
fn the_settings_are_opened_if_they_are_in_a_file() {
    let mut app = app();
    assert_eq!(press(&mut app, "O"), Effect::Draw);
    assert_eq!(told(&app), "this run has no config.toml here");
    app.config = Some("runs/demo6/config.toml".into());
    let config = Document::Config("runs/demo6/config.toml".into());
    assert_eq!(press(&mut app, "O"), Effect::Open(config));
}

#[test]
fn the_code_is_that_of_the_child_at_hand() {
    let mut app = app();
    let child = app.child_at_hand().unwrap();
    let expected = format!("child-{child}.py");
    let Effect::Open(Document::Code { name, text }) = press(&mut app, "P") else {
        panic!("no code is opened: {}", told(&app));
    };
    assert_eq!(name, expected);
    assert!(text.contains("import torch"), "{text}");
    let Effect::Open(Document::Draft { name, text: draft }) = press(&mut app, "\nE") else {
        panic!("no code is opened in the inspector: {}", told(&app));
    };
    assert_eq!((name, draft), (expected, text));
}

#[test]
fn without_a_child_there_is_no_code_and_no_table_and_the_palette_says_so() {
    let mut app = app();
    app.live = RunState::default();
    app.refresh();
    press(&mut app, "P");
    assert_eq!(told(&app), "there is no child yet");
    press(&mut app, "W");
    assert!(
        told(&app).contains("nothing to save as a table now"),
        "{}",
        told(&app)
    );
    for (typed, reason) in [
        (":view code", "there is no child yet"),
        (":edit code", "there is no child yet"),
        (":view config", "this run has no config.toml here"),
    ] {
        press(&mut app, typed);
        let entry = app.palette().unwrap().remove(0);
        assert_eq!(entry.obstacle.as_deref(), Some(reason), "{typed}");
        press(&mut app, "\x1b");
    }
    press(&mut app, ":save table");
    let obstacle = app.palette().unwrap().remove(0).obstacle.unwrap();
    assert!(obstacle.contains("tables are of the chart"), "{obstacle}");
}

#[test]
fn the_table_is_that_of_the_focused_panel() {
    let mut app = app();
    let chart = exported(press(&mut app, "1W"));
    assert_eq!(chart.page, "chart");
    assert!(csv(&chart).starts_with("series,episode,child,reward\n"));
    let children = exported(press(&mut app, "3W"));
    assert_eq!(children.page, "children");
    let head = "child,episode,validation_accuracy,reward,parameters,macs,training_seconds,";
    assert!(csv(&children).starts_with(head), "{}", csv(&children));
    let rows = csv(&children).lines().count() - 1;
    assert_eq!(rows, app.live.search().children.len());
    app.view.focus = PanelId("effects");
    app.refresh();
    let effects = exported(press(&mut app, "fW"));
    assert_eq!(effects.page, "effects");
    assert!(
        csv(&effects).starts_with("kind,option,depth_from,"),
        "{}",
        csv(&effects)
    );
    press(&mut app, "3/acc>0.7\n");
    let filtered = exported(press(&mut app, "W"));
    assert!(csv(&filtered).lines().count() - 1 < rows);
    assert_eq!(press(&mut app, "5W"), Effect::Draw);
    assert!(
        told(&app).contains("nothing to save as a table now"),
        "{}",
        told(&app)
    );
}

#[test]
fn a_chart_that_is_not_shown_does_not_change() {
    let mut app = app();
    press(&mut app, "3a");
    assert_eq!(told(&app), "no chart is shown here: 1 shows one");
    press(&mut app, ":toggle quantity");
    let entry = app.palette().unwrap().remove(0);
    assert_eq!(
        entry.obstacle.as_deref(),
        Some("no chart is shown here: 1 shows one")
    );
    press(&mut app, "\x1b1");
    let reward = exported(press(&mut app, "W"));
    assert!(csv(&reward).starts_with("series,episode,child,reward\n"));
    press(&mut app, "a");
    let accuracy = exported(press(&mut app, "W"));
    assert!(csv(&accuracy).starts_with("series,episode,child,validation_accuracy\n"));
}

#[test]
fn a_page_of_the_inspector_is_written_as_a_table() {
    let mut app = app();
    let layers = exported(press(&mut app, "\nW"));
    assert_eq!(layers.page, "layers");
    assert!(csv(&layers).starts_with("layer,kernel_height,kernel_width,filters,"));
    let epochs = exported(press(&mut app, "\t\tW"));
    assert_eq!(epochs.page, "epochs");
    assert!(csv(&epochs).starts_with("child,epoch,train_loss,"));
}

#[test]
fn the_picture_shows_the_screen_as_it_is_without_the_message_before() {
    let mut app = app();
    press(&mut app, "O");
    let picture = exported(press(&mut app, "I"));
    assert_eq!(
        (picture.page.as_str(), picture.extension),
        ("overview", "svg")
    );
    let text = String::from_utf8(picture.text).unwrap();
    let parsed = roxmltree::Document::parse(&text).unwrap();
    let texts = parsed
        .descendants()
        .filter(|node| node.has_tag_name("text"));
    let texts: String = texts.filter_map(|node| node.text()).collect();
    assert!(
        texts.contains("RUNNING") && texts.contains("Log"),
        "{texts}"
    );
    assert!(!texts.contains("no config.toml"));
    let pages = [("3f", "children"), ("?", "help"), ("\x1bf6", "log")];
    for (keys, page) in pages {
        press(&mut app, keys);
        // The key is none of the help.
        let picture = app.picture();
        assert_eq!(picture.page, page);
    }
}

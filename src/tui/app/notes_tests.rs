//! Notes typed on the whole screen.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ratatui::layout::Size;

use super::{App, Effect, Past, Wanted};
use crate::config::ScreenConfig;
use crate::event::{Event, Level, Record};
use crate::journal::Archive;
use crate::link::{Command, LinkStatus};
use crate::tui::Settings;
use crate::tui::sample;
use crate::tui::text_line::Purpose;

/// The recorded run, which has ended, with the list of children in focus.
fn app(link: LinkStatus) -> App {
    let utf8 = |name: &str| (name == "LANG").then(|| "C.UTF-8".to_owned());
    let settings = Settings::new(&ScreenConfig::default(), utf8).unwrap();
    let records = sample::records();
    let mut app = App::new(
        &settings,
        TimeZone::UTC,
        Size::new(120, 40),
        records[0].time,
    );
    records.iter().for_each(|record| app.take(record));
    app.take_link(link);
    app.refresh();
    press(&mut app, "3");
    app
}

/// Press these keys; the effect of the last one.
fn press(app: &mut App, keys: &str) -> Effect {
    let mut effect = Effect::Nothing;
    for key in keys.chars() {
        let code = match key {
            '\n' => KeyCode::Enter,
            '\x1b' => KeyCode::Esc,
            '\t' => KeyCode::Tab,
            '↑' => KeyCode::Up,
            key => KeyCode::Char(key),
        };
        effect = app.key(&KeyEvent::new(code, KeyModifiers::NONE));
    }
    effect
}

fn take(app: &mut App, seq: Option<u64>, event: Event) {
    app.take(&Record {
        v: 1,
        seq,
        time: app.view.now,
        event,
    });
    app.refresh();
}

/// The run records a note.
fn note(app: &mut App, child: u64, text: &str) {
    let (seq, text) = (app.live.last_seq + 1, text.to_owned());
    take(app, Some(seq), Event::ChildNoted { child, text });
}

fn typed(app: &App) -> Option<(Purpose, String)> {
    let line = app.view.text.as_ref()?;
    Some((line.purpose, line.text()))
}

fn sent(child: u64, text: &str) -> Effect {
    let text = text.to_owned();
    Effect::Send(Command::Note { child, text })
}

fn told(app: &App) -> &str {
    let message = app.view.message.as_ref();
    message.map_or("", |message| message.text.as_str())
}

#[test]
fn a_note_is_typed_on_the_child_at_the_cursor_and_begins_with_the_one_that_it_has() {
    let mut app = app(LinkStatus::Ended);
    press(&mut app, "n");
    assert_eq!(typed(&app), Some((Purpose::Note(23), String::new())));
    assert_eq!(press(&mut app, " #keep it \n"), sent(23, "#keep it"));
    assert_eq!(typed(&app), None);
    note(&mut app, 23, "#keep it");
    press(&mut app, "n");
    assert_eq!(
        typed(&app),
        Some((Purpose::Note(23), "#keep it".to_owned()))
    );
    assert_eq!(press(&mut app, "\n"), Effect::Draw, "nothing has changed");
    // The same key in the inspector.
    press(&mut app, "\n");
    assert_eq!(app.inspected_child(), Some(23));
    assert_eq!(press(&mut app, "n!\n"), sent(23, "#keep it!"));
    assert_eq!(app.inspected_child(), Some(23));
}

#[test]
fn an_empty_line_removes_a_note_and_esc_leaves_it() {
    let mut app = app(LinkStatus::Ended);
    note(&mut app, 23, "ab");
    press(&mut app, "nc\x1b");
    assert_eq!(typed(&app), None);
    press(&mut app, "n");
    for _ in 0..2 {
        app.key(&KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE));
    }
    assert_eq!(press(&mut app, "\n"), sent(23, ""));
}

#[test]
fn notes_typed_before_are_recalled_and_their_tags_completed_in_notes_and_filters() {
    let mut app = app(LinkStatus::Ended);
    press(&mut app, "n#odd-loss in epoch 2\n");
    note(&mut app, 23, "#odd-loss in epoch 2");
    press(&mut app, "jn↑");
    let (_, recalled) = typed(&app).unwrap();
    assert_eq!(recalled, "#odd-loss in epoch 2");
    press(&mut app, "\x1bn#o\t");
    assert_eq!(typed(&app).unwrap().1, "#odd-loss");
    press(&mut app, "\x1b/!#o\t");
    assert_eq!(
        typed(&app),
        Some((Purpose::Filter, "!#odd-loss".to_owned()))
    );
}

#[test]
fn a_screen_that_cannot_have_notes_written_says_why_at_once() {
    for link in [
        LinkStatus::Live { watch_only: true },
        LinkStatus::Dead { watch_only: true },
        LinkStatus::Reading { percent: 50 },
        LinkStatus::Journal {
            holder: "pid 1 on far".to_owned(),
        },
        LinkStatus::Replay {
            speed: 1.0,
            paused: false,
            ended: true,
        },
    ] {
        let mut app = app(link.clone());
        assert_eq!(press(&mut app, "n"), Effect::Draw, "{link:?}");
        assert_eq!(typed(&app), None, "{link:?}");
        assert!(!told(&app).is_empty(), "{link:?}");
    }
}

#[test]
fn what_was_typed_stays_if_the_run_can_no_longer_take_it() {
    let mut app = app(LinkStatus::Ended);
    press(&mut app, "n#keep");
    app.take_link(LinkStatus::Dead { watch_only: true });
    assert_eq!(press(&mut app, "\n"), Effect::Draw);
    assert_eq!(typed(&app), Some((Purpose::Note(23), "#keep".to_owned())));
    let line = app.view.text.as_ref().unwrap();
    assert_eq!(line.problem.as_deref(), Some("this screen only watches"));
}

#[test]
fn a_note_waits_until_a_run_that_is_stopping_has_ended() {
    let mut app = app(LinkStatus::Live { watch_only: false });
    let next = |app: &App| Some(app.live.last_seq + 1);
    let seq = next(&app);
    take(&mut app, seq, Event::Resumed);
    press(&mut app, "n#keep");
    let seq = next(&app);
    take(&mut app, seq, Event::StopRequested);
    assert_eq!(press(&mut app, "\n"), Effect::Draw);
    assert_eq!(typed(&app), Some((Purpose::Note(23), "#keep".to_owned())));
    app.take_link(LinkStatus::Dead { watch_only: false });
    assert_eq!(press(&mut app, "\n"), sent(23, "#keep"));
}

#[test]
fn notes_are_the_same_at_every_moment() {
    let mut app = app(LinkStatus::Ended);
    note(&mut app, 23, "#keep");
    press(&mut app, "[");
    let mut archive = Archive::open(&sample::journal()).unwrap();
    let Some(Wanted::State { seq }) = app.wanted() else {
        panic!("{:?}", app.wanted())
    };
    let state = Box::new(archive.state_at(seq).unwrap());
    app.take_past(Past { seq, state });
    assert!(app.in_the_past());
    assert_eq!(app.state().search().notes.of(23), Some("#keep"));
    note(&mut app, 23, "#drop");
    assert_eq!(app.state().search().notes.of(23), Some("#drop"));
}

#[test]
fn the_answer_to_a_command_without_effect_is_told() {
    let mut app = app(LinkStatus::Ended);
    let message = "the note is not written: \x1b[31mno\nroom".to_owned();
    let level = Level::Warning;
    take(&mut app, None, Event::Notice { level, message });
    assert_eq!(told(&app), "the note is not written: no room");
    press(&mut app, "j");
    let message = "of the run".to_owned();
    let seq = app.live.last_seq + 1;
    take(&mut app, Some(seq), Event::Notice { level, message });
    assert_eq!(told(&app), "");
}

//! Clicks, drags and the wheel on the whole screen.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use jiff::tz::TimeZone;
use ratatui::layout::Size;

use super::{App, Effect};
use crate::config::{Characters, ScreenConfig};
use crate::tui::display::blank;
use crate::tui::keymap::Context;
use crate::tui::panels::PanelId;
use crate::tui::target::Targets;
use crate::tui::{Leave, Settings, sample};

const PRESS: MouseEventKind = MouseEventKind::Down(MouseButton::Left);
const DRAG: MouseEventKind = MouseEventKind::Drag(MouseButton::Left);

/// The recorded run on a screen of this size.
fn app(width: u16, height: u16) -> App {
    let config = ScreenConfig {
        characters: Characters::Unicode,
        ..ScreenConfig::default()
    };
    let settings = Settings::new(&config, |_| None).unwrap();
    let records = sample::records();
    let size = Size::new(width, height);
    let mut app = App::new(&settings, TimeZone::UTC, size, records[0].time);
    records.iter().for_each(|record| app.take(record));
    app.refresh();
    app
}

fn press(app: &mut App, keys: &str) {
    for key in keys.chars() {
        app.key(&KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE));
    }
}

/// The rows of the screen, and what can be clicked.
fn shown(app: &App) -> (Vec<Vec<String>>, Targets) {
    let mut frame = blank(app.view.size);
    let targets = app.draw(&mut frame);
    let row = |y| (0..frame.area.width).map(move |x| (x, y));
    let cell = |at| frame[at].symbol().to_owned();
    let rows = (0..frame.area.height).map(|y| row(y).map(cell).collect());
    (rows.collect(), targets)
}

fn text(app: &App) -> String {
    let rows = shown(app).0.into_iter().map(|row| row.concat());
    rows.collect::<Vec<_>>().join("\n")
}

/// Column and row of the first place where the screen shows `text`.
fn place(app: &App, text: &str) -> (u16, u16) {
    for (y, row) in shown(app).0.iter().enumerate() {
        let found = (0..row.len()).find(|x| row[*x..].concat().starts_with(text));
        if let Some(x) = found {
            return (x as u16, y as u16);
        }
    }
    panic!("no {text:?} in:\n{}", self::text(app));
}

fn mouse(app: &mut App, kind: MouseEventKind, (column, row): (u16, u16)) -> Effect {
    let targets = shown(app).1;
    let event = MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    };
    app.mouse(&event, &targets)
}

fn click(app: &mut App, text: &str) -> Effect {
    let place = place(app, text);
    mouse(app, PRESS, place)
}

fn is_focused(app: &App, panel: &'static str) -> bool {
    app.view.focus == PanelId(panel)
}

#[test]
fn a_click_focuses_the_panel_under_it() {
    let mut app = app(120, 40);
    click(&mut app, "measuring the host");
    assert!(is_focused(&app, "machine"));
    click(&mut app, " Log ");
    assert!(is_focused(&app, "log"));
    mouse(&mut app, PRESS, (0, 0));
    assert!(is_focused(&app, "log"), "the header is no panel");
}

#[test]
fn tabs_are_whole_names_and_can_be_clicked_as_can_the_marks_for_those_left_out() {
    let mut app = app(60, 15);
    let tabs = |app: &App| shown(app).0[2].concat().trim_end().to_owned();
    let first = "Chart Controller Training DNA Children Effects Leaderboard ›";
    assert_eq!(tabs(&app), first);
    click(&mut app, "Effects");
    assert!(is_focused(&app, "effects"));
    click(&mut app, "›");
    assert!(is_focused(&app, "machine"));
    let last = "‹ Training DNA Children Effects Leaderboard Machine Log";
    assert_eq!(tabs(&app), last);
    click(&mut app, "Log");
    assert!(is_focused(&app, "log"));
    click(&mut app, "‹");
    assert!(is_focused(&app, "controller"));
    assert_eq!(tabs(&app), first);
    press(&mut app, "5");
    assert_eq!(tabs(&app), last);
    app.theme = sample::plain(true);
    assert!(tabs(&app).starts_with("< Training"), "{}", tabs(&app));
}

#[test]
fn a_click_on_a_child_selects_it_and_one_on_the_selected_child_opens_it() {
    let mut app = app(80, 24);
    press(&mut app, "3");
    click(&mut app, "  64 ");
    assert_eq!((app.shown_child(), app.inspected_child()), (Some(64), None));
    click(&mut app, "  64 ");
    assert_eq!(app.inspected_child(), Some(64));
}

#[test]
fn in_another_panel_a_click_on_the_child_shown_only_moves_the_focus() {
    let mut app = app(200, 50);
    press(&mut app, "3");
    app.choose(Some(64));
    app.refresh();
    app.view.focus = PanelId("dna");
    click(&mut app, "  64 ");
    assert!(is_focused(&app, "children") && app.inspected_child().is_none());
}

#[test]
fn a_click_on_a_heading_sorts_and_another_one_reverses_the_order() {
    let mut app = app(80, 24);
    press(&mut app, "3");
    click(&mut app, "params");
    assert!(text(&app).contains("by parameters ↑"));
    click(&mut app, "params↑");
    assert!(text(&app).contains("by parameters ↓"));
    let headings = place(&app, "params").1;
    mouse(&mut app, PRESS, (7, headings));
    assert!(text(&app).contains("by child ↓"));
}

#[test]
fn sorting_by_a_click_goes_to_the_top_as_a_key_does() {
    let mut app = app(80, 24);
    press(&mut app, "3jjjjj");
    click(&mut app, "accuracy↓");
    let first = app.child_at_hand();
    assert_eq!(app.shown_child(), first);
    assert!(text(&app).contains(" 1-"), "{}", text(&app));
}

#[test]
fn a_drag_in_the_chart_reads_values_and_shows_the_child_in_all_panels() {
    let mut app = app(120, 40);
    app.view.focus = PanelId("log");
    let axis = place(&app, "┤");
    let start = (axis.0 + 10, axis.1 + 2);
    mouse(&mut app, PRESS, start);
    let first = app.shown_child().unwrap();
    assert!(is_focused(&app, "chart") && text(&app).contains(&format!("child {first}")));
    mouse(&mut app, DRAG, (start.0 + 6, start.1));
    assert!(app.shown_child().unwrap() > first);
    assert_eq!(
        mouse(&mut app, DRAG, (start.0 + 6, start.1)),
        Effect::Nothing
    );
    // Outside the plot the crosshair stays at its edge.
    mouse(&mut app, DRAG, (119, 39));
    assert_eq!(app.shown_child(), Some(96));
    mouse(&mut app, DRAG, (0, 0));
    assert_eq!(app.shown_child(), Some(1));
    mouse(&mut app, MouseEventKind::Up(MouseButton::Left), (0, 0));
    assert_eq!(mouse(&mut app, DRAG, start), Effect::Nothing);
}

#[test]
fn the_wheel_scrolls_what_is_under_it_and_moves_neither_focus_nor_selection() {
    let mut app = app(200, 50);
    let log = place(&app, " Log ");
    mouse(&mut app, MouseEventKind::ScrollUp, (log.0, log.1 + 2));
    assert!(text(&app).contains("scrolled back") && is_focused(&app, "chart"));
    mouse(&mut app, MouseEventKind::ScrollDown, (log.0, log.1 + 2));
    assert!(!text(&app).contains("scrolled back"));

    press(&mut app, "3jj");
    let (before, selected) = (text(&app), app.shown_child());
    assert!(before.contains("1-45 of 96"));
    for _ in 0..20 {
        mouse(&mut app, MouseEventKind::ScrollDown, (20, 20));
    }
    assert!(text(&app).contains("52-96 of 96"), "{}", text(&app));
    assert_eq!(app.shown_child(), selected);
    // A click leaves the view in place, and the next key continues from there.
    click(&mut app, " 52 ");
    assert!(text(&app).contains("52-96 of 96") && app.shown_child() != selected);
    mouse(&mut app, MouseEventKind::ScrollUp, (20, 20));
    press(&mut app, "j");
    assert!(text(&app).contains("49-93 of 96"), "{}", text(&app));
}

#[test]
fn tabs_and_the_keys_of_the_last_row_can_be_clicked() {
    let mut app = app(80, 24);
    press(&mut app, "f");
    click(&mut app, "Controller ");
    assert!(is_focused(&app, "controller"));
    click(&mut app, "? help");
    assert_eq!(app.context(), Context::Help);
    mouse(&mut app, PRESS, (40, 12));
    assert_eq!(app.context(), Context::Help, "inside it");
    mouse(&mut app, PRESS, (0, 12));
    assert!(is_focused(&app, "controller") && app.view.help.is_none());
}

#[test]
fn a_question_is_answered_by_a_click_and_covers_everything_else() {
    let mut app = app(80, 24);
    app.take_link(crate::link::LinkStatus::Dead { watch_only: false });
    app.live.status = crate::state::RunStatus::Running;
    click(&mut app, "q quit");
    assert_eq!(app.context(), Context::Question);
    let focus = app.view.focus;
    mouse(&mut app, PRESS, (2, 20));
    assert_eq!((app.context(), app.view.focus), (Context::Question, focus));
    click(&mut app, "cancel");
    assert_eq!(app.context(), Context::Panel(focus));
    click(&mut app, "q quit");
    let effect = click(&mut app, "close the screen");
    assert_eq!(effect, Effect::Leave(Leave::Closed));
}

#[test]
fn pages_and_rows_of_the_inspector_can_be_clicked() {
    let mut app = app(120, 40);
    press(&mut app, "b");
    let best = app.inspected_child();
    click(&mut app, "Relatives");
    assert!(text(&app).contains("[Relatives]"));
    let second = place(&app, "▸").1 + 1;
    mouse(&mut app, PRESS, (30, second));
    assert_eq!((place(&app, "▸").1, app.inspected_child()), (second, best));
    mouse(&mut app, PRESS, (30, second));
    assert_ne!(app.inspected_child(), best);
    click(&mut app, "Edit");
    let row = place(&app, "[").1;
    let cursor = |app: &App| text(app).lines().filter(|row| row.contains('[')).count();
    assert!(cursor(&app) > 0 && row > 0);
    click(&mut app, "Graph");
    let before = text(&app);
    mouse(&mut app, MouseEventKind::ScrollDown, (30, 20));
    assert_ne!(text(&app), before);
}

#[test]
fn a_click_does_not_end_a_line_that_is_being_typed() {
    let mut app = app(80, 24);
    press(&mut app, "3/acc");
    mouse(&mut app, PRESS, (30, 8));
    assert_eq!(app.context(), Context::Text);
}

#[test]
fn an_entry_of_the_palette_is_taken_by_a_click() {
    let mut app = app(80, 24);
    press(&mut app, ":layout");
    assert_eq!(app.context(), Context::Text);
    let entry = place(&app, "log");
    mouse(&mut app, PRESS, entry);
    assert_eq!(app.context(), Context::Panel(PanelId("log")));
}

#[test]
fn a_child_of_the_leaderboard_is_selected_by_a_click() {
    let mut app = app(80, 24);
    app.view.focus = PanelId("leaderboard");
    app.refresh();
    click(&mut app, "  2 ");
    let second = app.shown_child();
    assert_ne!(
        second,
        app.state().search().children.last().map(|row| row.child)
    );
    click(&mut app, "  2 ");
    assert_eq!(app.inspected_child(), second);
}

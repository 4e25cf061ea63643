//! The effects of keys in the list of children on the whole screen.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::App;
use crate::config::{Column, ScreenConfig};
use crate::journal::Archive;
use crate::link::LinkStatus;
use crate::state::RunState;
use crate::tui::Settings;
use crate::tui::app::{Past, Wanted};
use crate::tui::details::Details;
use crate::tui::panels::PanelId;
use crate::tui::panels::panel::{AtHand, Panel};
use crate::tui::sample;
use crate::tui::text_line::Purpose;

/// A screen before the first record.
fn unread() -> App {
    let utf8 = |name: &str| (name == "LANG").then(|| "C.UTF-8".to_owned());
    let settings = Settings::new(&ScreenConfig::default(), utf8).unwrap();
    let begin = sample::records()[0].time;
    App::new(&settings, TimeZone::UTC, Size::new(80, 24), begin)
}

/// The recorded run with the list in focus.
pub(super) fn app() -> App {
    let mut app = unread();
    sample::records().iter().for_each(|record| app.take(record));
    // As on a screen opened after all of them had ended.
    app.details = Details::default();
    app.refresh();
    press(&mut app, "3");
    app
}

pub(super) fn press(app: &mut App, keys: &str) {
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

#[test]
fn columns_are_shown_as_their_names_are_typed_and_esc_restores_the_earlier_ones() {
    let mut app = app();
    let columns = |app: &App| list(app).text(Purpose::Columns).map(str::to_owned);
    press(&mut app, "vmacs");
    assert_eq!(columns(&app).as_deref(), Some("macs"));
    press(&mut app, "\x1b");
    assert_eq!(columns(&app).as_deref(), Some(""));
    press(&mut app, "vti\t\n");
    assert_eq!(columns(&app).as_deref(), Some("time"));
    press(&mut app, "v, nothing\n");
    let line = app.view.text.as_ref().unwrap();
    assert!(line.problem.as_ref().unwrap().contains("nothing"));
    // What was valid while it was typed is shown.
    assert_eq!(columns(&app).as_deref(), Some("time,"));
}

#[test]
fn the_list_begins_with_the_columns_of_the_settings() {
    let config = ScreenConfig {
        columns: vec![Column::Time, Column::Params],
        ..ScreenConfig::default()
    };
    let settings = Settings::new(&config, |_| None).unwrap();
    let begin = sample::records()[0].time;
    let app = App::new(&settings, TimeZone::UTC, Size::new(80, 24), begin);
    assert_eq!(list(&app).text(Purpose::Columns), Some("time params"));
}

/// Answer the screen's requests until there are none left.
pub(super) fn read_all(app: &mut App) -> Vec<Wanted> {
    let mut archive = Archive::open(&sample::journal()).unwrap();
    let mut wanted = Vec::new();
    while let Some(next) = app.wanted() {
        assert!(wanted.len() < 20, "asks without end: {wanted:?}");
        match next {
            Wanted::Child {
                child,
                sampled_seq,
                ended_seq,
            } => {
                app.take_detail(
                    archive
                        .child(child, sampled_seq, ended_seq)
                        .unwrap()
                        .unwrap(),
                );
            }
            Wanted::State { seq } => app.take_past(Past {
                seq,
                state: Box::new(archive.state_at(seq).unwrap()),
            }),
        }
        wanted.push(next);
    }
    wanted
}

pub(super) fn list(app: &App) -> &dyn Panel {
    app.view.panels.get(PanelId("children"))
}

fn at_cursor(app: &App) -> Option<u64> {
    match list(app).at_hand(&app.scene()) {
        AtHand::Child(child) => Some(child),
        _ => None,
    }
}

#[test]
fn the_child_at_the_cursor_is_shown_in_the_other_panels() {
    let mut app = app();
    press(&mut app, "jj");
    assert_eq!(at_cursor(&app), Some(64));
    assert_eq!(app.shown_child(), Some(64));
    press(&mut app, "l");
    assert_eq!(at_cursor(&app), Some(65));
}

#[test]
fn the_panels_of_a_run_that_is_over_show_the_best_child() {
    let app = app();
    assert!(app.scene().is_over());
    assert_eq!(app.shown_child(), app.state().search().best_child());
}

#[test]
fn enter_opens_the_child_at_the_cursor_even_before_it_was_moved() {
    let mut app = app();
    press(&mut app, "\n");
    assert_eq!(app.child_at_hand(), Some(23));
    assert_eq!(app.inspected_child(), Some(23));
}

#[test]
fn a_filter_is_typed_and_a_wrong_one_says_where_the_mistake_is() {
    let mut app = app();
    press(&mut app, "/acc>\n");
    let problem = app
        .view
        .text
        .as_ref()
        .and_then(|line| line.problem.clone())
        .unwrap();
    assert_eq!(problem, "at 5: expected a number");
    press(&mut app, "74%\n");
    assert_eq!(
        (app.view.text.is_none(), list(&app).text(Purpose::Filter)),
        (true, Some("acc>74%"))
    );
    assert_eq!(at_cursor(&app), Some(23));
}

#[test]
fn escape_first_removes_the_filter() {
    let mut app = app();
    press(&mut app, "/acc>74%\n[");
    press(&mut app, "\x1b");
    assert_eq!(
        (list(&app).text(Purpose::Filter), app.in_the_past()),
        (Some(""), true)
    );
    press(&mut app, "\x1b");
    assert!(!app.in_the_past());
}

#[test]
fn the_message_about_a_long_wrong_filter_is_fully_readable_at_80_columns() {
    let mut app = app();
    press(
        &mut app,
        "/acc>0.5 & params<1e6 & macs<20M & depth>8 & entropy<40 & size>3\n",
    );
    let mut frame = crate::tui::display::blank(Size::new(80, 24));
    app.draw(&mut frame);
    let [above, footer] =
        [22, 23].map(|y| -> String { (0..80).map(|x| frame[(x, y)].symbol()).collect() });
    assert!(
        above.contains("at 58: there is no `size`; Tab lists the names")
            && footer.contains("entropy<40 & size>3"),
        "{above}\n{footer}"
    );
}

#[test]
fn a_comparison_asks_the_journal_for_both_children_and_escape_leaves_it() {
    let mut app = app();
    let mut wanted = read_all(&mut app);
    press(&mut app, "mjjjmc");
    wanted.extend(read_all(&mut app));
    let children: Vec<u64> = wanted
        .into_iter()
        .filter_map(|wanted| {
            if let Wanted::Child { child, .. } = wanted {
                Some(child)
            } else {
                None
            }
        })
        .collect();
    let compared = list(&app).wanted(&app.scene());
    assert!(
        compared.len() == 2 && compared.iter().all(|child| children.contains(child)),
        "{children:?}"
    );
    press(&mut app, "\x1b");
    assert!(list(&app).wanted(&app.scene()).is_empty());
}

#[test]
fn keys_of_the_table_do_nothing_while_it_is_not_shown() {
    let mut app = app();
    read_all(&mut app);
    press(&mut app, "mjmc");
    let compared = list(&app).wanted(&app.scene());
    let chosen = app.shown_child();
    press(&mut app, "mMs");
    assert_eq!(list(&app).wanted(&app.scene()), compared);
    let told = app
        .view
        .message
        .as_ref()
        .map(|message| message.text.clone());
    assert_eq!(
        told.as_deref(),
        Some("that key is for the table, which c shows again")
    );
    press(&mut app, "c");
    assert_eq!(app.shown_child(), chosen);
    press(&mut app, "s");
    assert_eq!(app.shown_child(), at_cursor(&app), "sorted: the first one");
}

#[test]
fn keys_in_a_comparison_are_about_the_child_that_it_marks() {
    let mut app = app();
    read_all(&mut app);
    app.take_link(LinkStatus::Ended);
    // Two marked ones, and the cursor on a third.
    press(&mut app, "mjmjc");
    read_all(&mut app);
    let compared = list(&app).wanted(&app.scene());
    assert_eq!(app.shown_child(), Some(compared[0]), "in the other panels");
    let heading = |app: &App| {
        let mut frame = crate::tui::display::blank(Size::new(80, 24));
        app.draw(&mut frame);
        let row = |y| (0..80).map(|x| frame[(x, y)].symbol()).collect::<String>();
        let mut rows = (0..24).map(row);
        rows.find(|row| row.contains("difference")).unwrap()
    };
    for (key, child) in [("h", compared[0]), ("l", compared[1])] {
        press(&mut app, key);
        assert_eq!(app.child_at_hand(), Some(child));
        assert_eq!(app.shown_child(), Some(child));
        assert_eq!(list(&app).wanted(&app.scene()), compared);
        let marked = format!("▸child {child} ");
        assert!(heading(&app).contains(&marked), "{}", heading(&app));
        press(&mut app, "n");
        let line = app.view.text.take().unwrap();
        assert_eq!(line.purpose, Purpose::Note(child));
        press(&mut app, "\n");
        assert_eq!(app.inspected_child(), Some(child));
        press(&mut app, "\x1b");
    }
    press(&mut app, "c");
    assert_ne!(
        app.child_at_hand(),
        Some(compared[1]),
        "the cursor has not moved"
    );
    assert_eq!(app.shown_child(), app.child_at_hand());
}

#[test]
fn each_page_shows_its_own_keys() {
    let footer = |keys: &str| {
        let mut app = app();
        read_all(&mut app);
        press(&mut app, keys);
        let mut frame = crate::tui::display::blank(Size::new(80, 24));
        app.draw(&mut frame);
        (0..80)
            .map(|x| frame[(x, 23)].symbol())
            .collect::<String>()
            .trim()
            .to_owned()
    };
    assert!(
        footer("").contains("↑↓ child   / filter   s sort   m mark"),
        "{}",
        footer("")
    );
    let compare = footer("mjmc");
    assert!(
        compare.contains("←→ child   c table") && !compare.contains("mark"),
        "{compare}"
    );
    let pareto = footer("p");
    assert!(
        pareto.contains("↑↓ along the front") && pareto.contains("p table"),
        "{pareto}"
    );
    assert!(
        pareto.contains("m mark") && !pareto.contains("sort"),
        "{pareto}"
    );
    let edit = footer("\n\t\t\t\t");
    assert!(edit.contains("←→↑↓ choose   + - change   0 undo"), "{edit}");
    assert!(
        footer("\n").contains("↑↓ layer   ←→ other child"),
        "{}",
        footer("\n")
    );
    let overview = footer("1");
    assert!(
        overview.contains("←→ crosshair   + - zoom") && !overview.contains("overview"),
        "{overview}"
    );
    assert!(footer("2").contains("1 overview"), "{}", footer("2"));
}

#[test]
fn a_child_missing_in_the_journal_is_requested_only_once() {
    let mut app = app();
    press(&mut app, "j");
    let wanted = app.wanted().unwrap();
    app.take_failure(wanted, "the journal is gone".to_owned());
    assert_eq!(app.wanted(), None);
    assert!(app.view.message.is_some());
}

#[test]
fn at_an_earlier_moment_the_list_has_the_children_of_that_moment() {
    let mut app = app();
    press(&mut app, "[");
    read_all(&mut app);
    app.refresh();
    assert_eq!(app.state().search().episodes.len(), 5);
    let newest = app
        .state()
        .search()
        .children
        .iter()
        .map(|row| row.child)
        .max();
    press(&mut app, "sssssG");
    assert!(at_cursor(&app) <= newest);
    press(&mut app, "\x1b");
    assert_eq!(app.state().search().episodes.len(), 6);
}

#[test]
fn a_screen_that_begins_with_a_state_shows_what_one_that_read_every_record_does() {
    let records = sample::records();
    let (whole, mut later) = (app(), unread());
    let (before, after) = records.split_at(records.len() / 2);
    let mut state = RunState::default();
    before.iter().for_each(|record| state.apply(record));
    later.start_from(Some(Box::new(state)));
    after.iter().for_each(|record| later.take(record));
    later.details = Details::default();
    later.refresh();
    press(&mut later, "3");
    let text = |app: &App| {
        let mut frame = Buffer::empty(Rect::new(0, 0, 80, 24));
        app.draw(&mut frame);
        format!("{frame:?}")
    };
    assert_eq!(text(&later), text(&whole));
}

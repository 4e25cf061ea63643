//! Keys are about the child under the cursor of the panel with the focus, from its first frame on; pasted text
//! is no keys.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;

use super::list_tests::{app, list, press, read_all};
use super::{App, Effect};
use crate::link::LinkStatus;
use crate::tui::panels::PanelId;
use crate::tui::panels::panel::AtHand;

pub(super) fn told(app: &App) -> &str {
    let message = app.view.message.as_ref();
    message.map_or("", |message| message.text.as_str())
}

/// The effect of a key.
fn effect(app: &mut App, key: char) -> Effect {
    app.key(&KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE))
}

#[test]
fn the_network_under_the_cursor_can_be_copied_before_the_cursor_was_moved() {
    for panel in ["children", "leaderboard"] {
        let mut app = app();
        app.view.size = Size::new(200, 50);
        press(&mut app, "1");
        app.view.focus = PanelId(panel);
        app.refresh();
        assert_eq!(app.child_at_hand(), Some(23), "{panel}");
        assert_eq!(effect(&mut app, 'y'), Effect::Draw);
        assert_eq!(told(&app), "child 23 is being read");
        read_all(&mut app);
        for key in ['y', 'Y', 'C'] {
            assert!(matches!(effect(&mut app, key), Effect::Copy(_)), "{key}");
            assert!(told(&app).starts_with("child 23: "), "{}", told(&app));
        }
    }
}

#[test]
fn down_shows_the_only_child_of_a_list_in_the_other_panels() {
    let mut app = app();
    app.view.chosen = Some(96);
    press(&mut app, "/acc>74.5%\n");
    assert_ne!(app.shown_child(), Some(23));
    press(&mut app, "j");
    assert_eq!(app.shown_child(), Some(23));
}

#[test]
fn keys_are_about_no_child_if_the_filter_admits_none() {
    let mut app = app();
    app.take_link(LinkStatus::Ended);
    press(&mut app, "/acc>99%\n");
    assert_eq!(list(&app).at_hand(&app.scene()), AtHand::FilteredOut);
    for key in ['n', '\n', 'y', 'Y', 'C'] {
        app.view.message = None;
        press(&mut app, &key.to_string());
        assert_eq!(
            told(&app),
            "the filter shows no child: / changes it",
            "{key:?}"
        );
        assert!(app.view.text.is_none() && app.view.inspector.is_none());
    }
    press(&mut app, "m");
    assert_eq!(told(&app), "there is no child to mark");
    press(&mut app, "\x1b");
    assert_eq!(app.child_at_hand(), Some(23));
}

#[test]
fn pasted_text_is_never_taken_for_keys() {
    let mut app = app();
    let layout = app.view.layout;
    assert_eq!(app.paste("1q\nxy"), Effect::Draw);
    assert_eq!(app.view.layout, layout);
    assert!(app.view.question.is_none() && app.view.inspector.is_none());
    assert_eq!(
        told(&app),
        "pasted text is not taken for keys; / and : open a line for it"
    );
}

#[test]
fn pasted_text_goes_into_the_line_that_is_open_and_filters_at_once() {
    let mut app = app();
    press(&mut app, "/");
    app.paste("acc>74%\nq\n");
    let line = app.view.text.as_ref().unwrap();
    assert_eq!(line.text(), "acc>74% q");
    assert!(line.doubt.is_some(), "that is no filter");
    press(&mut app, "\x1b/");
    app.paste("acc>74%\n");
    assert!(app.view.text.is_some(), "Enter is for the user");
    assert_eq!(app.child_at_hand(), Some(23));
}

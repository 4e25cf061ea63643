//! Columns that are chosen, and those that do not fit.

use super::*;
use crate::tui::panels::list::columns::pan;
use crate::tui::panels::list::table::width_of_figures;

/// The words of the row of headings in a panel of this width.
fn headings(state: &RunState, view: &ListView, width: u16) -> Vec<String> {
    let screen = drawn(state, view, (width, 11));
    let row = screen.lines().nth(1).unwrap();
    row.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn chosen_columns_are_shown_in_their_order_after_the_number() {
    let state = demo();
    let mut view = view(&state, "", &[]);
    view.columns_mut().set(" time,accuracy  child").unwrap();
    assert_eq!(headings(&state, &view, 78), ["child", "time", "accuracy↓"]);
    view.columns_mut().set("").unwrap();
    assert!(headings(&state, &view, 118).contains(&"MACs".to_owned()));
}

#[test]
fn what_a_filter_can_ask_for_can_be_a_column_under_the_same_name() {
    let state = demo();
    let mut view = view(&state, "", &[]);
    for name in filter::words_of_properties() {
        view.columns_mut().set(name).unwrap();
    }
    view.columns_mut().set("depth entropy acc").unwrap();
    let shown = headings(&state, &view, 78);
    assert_eq!(shown, ["child", "layers", "entropy", "accuracy↓"]);
}

#[test]
fn names_that_no_column_has_change_nothing() {
    let state = demo();
    let mut view = view(&state, "", &[]);
    view.columns_mut().set("time").unwrap();
    let unknown = view.columns_mut().set("accuracy tim").unwrap_err();
    assert!(unknown.contains("\"tim\""), "{unknown}");
    let twice = view.columns_mut().set("time accuracy time").unwrap_err();
    assert!(twice.contains("twice"), "{twice}");
    assert_eq!(headings(&state, &view, 78), ["child", "time"]);
}

#[test]
fn columns_that_do_not_fit_are_marked_and_scrolled_to() {
    let state = demo();
    let mut view = view(&state, "", &[]);
    let width = 46;
    let room = width_of_figures(usize::from(width) - 1);
    assert_eq!(headings(&state, &view, width)[..2], [">", "child"]);
    let mut seen = Vec::new();
    for _ in 0..20 {
        pan(&mut view, true, &state, room);
        let words = headings(&state, &view, width);
        assert!(words[0].starts_with('<'), "{words:?}");
        assert!(words.contains(&"child".to_owned()), "{words:?}");
        seen.push(words.last().unwrap().clone());
    }
    // At the end nothing more moves.
    assert_eq!(seen[18..], ["time", "time"]);
    assert_eq!(headings(&state, &view, width)[0], "<");
    (0..20).for_each(|_| pan(&mut view, false, &state, room));
    assert_eq!(headings(&state, &view, width)[..2], [">", "child"]);
}

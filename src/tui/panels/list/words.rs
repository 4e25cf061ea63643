//! What stands beside the list's title, and in place of children where there are none.

use super::view::ListView;
use crate::state::RunState;
use crate::tui::panels::{Row, labelled};
use crate::tui::theme::{Glyphs, Role};

/// `37 of 160, by accuracy ↓, 2 marked`.
pub(super) fn beside_table(view: &ListView, state: &RunState, glyphs: &Glyphs) -> Row {
    let (key, descending) = view.sort();
    let mut row = count(view.order().rows().len(), state, "");
    row.push((Role::Dim, ", by ".to_owned()));
    row.push((
        Role::Text,
        format!("{} {}", key.name(), direction(descending, glyphs)),
    ));
    if !view.marks().is_empty() {
        row.push((Role::Dim, format!(", {} marked", view.marks().len())));
    }
    row
}

/// Which two of more than two marked children are compared.
pub(super) fn beside_comparison(view: &ListView) -> Row {
    match view.marks().len() {
        0..=2 => Row::new(),
        marked => vec![(Role::Dim, format!("the 2 most accurate of {marked} marked"))],
    }
}

/// `37 of 160 children`, or `160 children` if these are all.
pub(super) fn count(shown: usize, state: &RunState, what: &str) -> Row {
    let all = state.search().children.len();
    let of = if shown == all {
        what.to_owned()
    } else {
        format!(" of {all}{what}")
    };
    vec![(Role::Strong, shown.to_string()), (Role::Dim, of)]
}

pub(super) fn direction(descending: bool, glyphs: &Glyphs) -> &'static str {
    if descending { glyphs.down } else { glyphs.up }
}

/// The filter, if there is one.
pub(super) fn filter_row(view: &ListView) -> Option<Row> {
    (!view.filter_text().is_empty()).then(|| labelled("filter", Role::Text, view.filter_text()))
}

/// Why there is nothing to show.
pub(super) fn nothing(view: &ListView, state: &RunState, what: &str) -> Row {
    let text = match (state.search().children.len(), view.filter_text()) {
        (0, _) => "no child has ended yet".to_owned(),
        (_, "") => format!("no child {what} yet"),
        (all, _) if view.order().rows().is_empty() => {
            format!("the filter shows none of the {all} children")
        }
        // The filter shows some: those that failed, controls, edited ones.
        _ => "none of the children shown was proposed by the search and has an accuracy".to_owned(),
    };
    vec![(Role::Dim, text)]
}

//! Two children side by side: their figures and their layers.

mod figures;
mod layers;

use super::DetailOf;
use super::view::ListView;
use crate::state::RunState;
use crate::tui::panels::{Content, Row, words, wrapped};
use crate::tui::theme::{Glyphs, Role};

/// Columns for the sign of a difference, for the name of a figure, and for the difference.
const SIGN: usize = 2;
const LABEL: usize = 11;
const DIFFERENCE: usize = 12;
/// Rows between the figures and the first layer: an empty one and the headings.
const BETWEEN: usize = 2;

/// Number of rows that scroll, as far as the list itself knows.
pub fn rows(view: &ListView, state: &RunState) -> usize {
    let Some((first, second)) = view.compared(state) else {
        return 0;
    };
    let ended = |child| state.search().ended(child);
    let depth = |child| ended(child).map_or(0, |row| row.genes.depth());
    figures::count(state, (first, second)) + BETWEEN + depth(first).max(depth(second))
}

/// The most accurate children among `marks`, the better one first; of equal ones those marked first.
pub fn best_two(marks: &[u64], state: &RunState) -> Option<(u64, u64)> {
    let accuracy = |child: u64| {
        let row = state.search().ended(child);
        row.and_then(|row| row.accuracy)
            .unwrap_or(f64::NEG_INFINITY)
    };
    let mut by_accuracy = marks.to_vec();
    by_accuracy.sort_by(|one, other| accuracy(*other).total_cmp(&accuracy(*one)));
    match by_accuracy.as_slice() {
        [first, second, ..] => Some((*first, *second)),
        _ => None,
    }
}

/// The comparison in `width` columns, with layers once the details of both have been read.
pub fn content(
    view: &ListView,
    state: &RunState,
    details: DetailOf<'_>,
    glyphs: &Glyphs,
    width: usize,
) -> Content {
    let Some((first, second)) = view.compared(state) else {
        let text = "Mark two children of the list, or mark one and move to another: they are shown here side by side.";
        return Content {
            head: vec![Row::new()],
            body: wrapped(Role::Dim, text, width),
        };
    };
    let column = (width.saturating_sub(SIGN + LABEL + DIFFERENCE + 2) / 2).clamp(8, 24);
    let heading = heading(view, (first, second), glyphs, column);
    let mut body = figures::rows(state, (first, second), glyphs, column);
    match (details(first), details(second)) {
        (Some(one), Some(other)) => body.extend(layers::rows(state, (&one, &other), glyphs, width)),
        (known, _) => {
            let missing = if known.is_none() { first } else { second };
            let text = format!("the layers of child {missing} have not been read yet");
            body.extend([Row::new(), words(Role::Dim, text)]);
        }
    }
    Content {
        head: vec![heading],
        body,
    }
}

/// The names of both children, with a mark before the one that keys are about.
fn heading(view: &ListView, (first, second): (u64, u64), glyphs: &Glyphs, column: usize) -> Row {
    let name = |child: u64, is_chosen: bool| {
        let (role, marker) = match is_chosen {
            true => (Role::Focus, glyphs.marker),
            false => (Role::Strong, ""),
        };
        let name = format!("{marker}child {child}");
        (role, format!("{name:>column$}"))
    };
    let is_second = view.is_second_chosen();
    vec![
        (Role::Strong, " ".repeat(SIGN + LABEL)),
        name(first, !is_second),
        name(second, is_second),
        (Role::Strong, format!("  {:>DIFFERENCE$}", "difference")),
    ]
}

fn sign(differs: bool, glyphs: &Glyphs) -> String {
    format!("{:<SIGN$}", if differs { glyphs.differs } else { "" })
}

//! Two children side by side: their figures and their layers.

mod figures;
mod layers;

use super::DetailOf;
use super::view::ListView;
use crate::state::RunState;
use crate::tui::panels::{Content, Row, words, wrapped};
use crate::tui::theme::{Glyphs, Role};
use figures::FIGURES;

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
    FIGURES + BETWEEN + depth(first).max(depth(second))
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
    let name = |child: u64| format!("child {child}");
    let heading = format!(
        "{:width$}{:>column$}{:>column$}  {:>DIFFERENCE$}",
        "",
        name(first),
        name(second),
        "difference",
        width = SIGN + LABEL
    );
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
        head: vec![vec![(Role::Strong, heading)]],
        body,
    }
}

fn sign(differs: bool, glyphs: &Glyphs) -> String {
    format!("{:<SIGN$}", if differs { glyphs.differs } else { "" })
}

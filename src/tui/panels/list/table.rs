//! The table of children: as many columns as fit, with the cursor's row always in view.

use super::columns::{FigureColumn, Shown};
use super::order::{SortKey, row_at};
use super::view::ListView;
use super::words::{direction, filter_row, nothing};
use crate::state::{ChildRow, RunState};
use crate::tui::format;
use crate::tui::paint::Painter;
use crate::tui::panels::Row;
use crate::tui::target::{Part, Target};
use crate::tui::theme::{Glyphs, Role};
use unicode_width::UnicodeWidthStr;

/// Columns before the first one: the cursor and the mark.
const GUTTER: usize = 3;
/// Minimum number of columns for what sets a child apart and the note on it.
const NOTES: usize = 7;
/// Columns that a note must have, besides its mark, to be shown.
const SHORTEST_NOTE: usize = 4;

/// Columns of the terminal for the figures in a panel of this width.
pub fn width_of_figures(width: usize) -> usize {
    width.saturating_sub(GUTTER + NOTES)
}

/// Number of table rows for a panel of this height (below its title).
pub fn room(view: &ListView, height: usize) -> usize {
    height
        .saturating_sub(1 + usize::from(!view.filter_text().is_empty()))
        .max(1)
}

/// `3-9 of 15`, if not all of the children fit.
pub fn position(view: &ListView, height: usize) -> Option<String> {
    let (room, all) = (room(view, height), view.order().rows().len());
    let top = view.top(room);
    (all > room).then(|| format!("{}-{} of {all}", top + 1, (top + room).min(all)))
}

/// Draw the table around the cursor, which is highlighted while `focused`.
pub fn draw(painter: &mut Painter<'_>, state: &RunState, view: &ListView, focused: bool) {
    let (width, height) = (painter.width(), painter.height());
    let filter = filter_row(view);
    let first = usize::from(filter.is_some());
    filter.iter().for_each(|row| {
        painter.pieces(0, 0, row);
    });
    if view.order().rows().is_empty() {
        painter.pieces(0, first + 1, &nothing(view, state, "has ended"));
        return;
    }
    let shown = Shown::of(state, view, width_of_figures(width));
    let (columns, gap) = (shown.columns, shown.gap);
    draw_headings(painter, first, &columns, gap, view);
    // In the gutter, where no figure is.
    for (x, is_hidden, mark) in [(0, shown.hides_left, "<"), (1, shown.hides_right, ">")] {
        if is_hidden {
            painter.text(x, first, Role::Dim, mark);
        }
    }
    let (room, best) = (room(view, height), state.search().best_child());
    let top = view.top(room);
    for (place, index) in view.order().rows().iter().enumerate().skip(top).take(room) {
        let Some(row) = row_at(state, *index) else {
            continue;
        };
        let y = first + 1 + place - top;
        let (mut pieces, used) = pieces(row, &columns, gap, best);
        let remarks = Remarks {
            best,
            note: state.search().notes.of(row.child),
            glyphs: painter.glyphs(),
        };
        pieces.extend(remarks.pieces(row, width.saturating_sub(used)));
        let chosen = place == view.place();
        let marked = view.marks().contains(&row.child);
        draw_row(painter, y, pieces, chosen, focused, marked);
        painter.target((0, y), (width, 1), Target::Part(Part::Child(row.child)));
    }
}

fn draw_row(
    painter: &mut Painter<'_>,
    y: usize,
    mut pieces: Row,
    chosen: bool,
    focused: bool,
    marked: bool,
) {
    let glyphs = painter.glyphs();
    let cursor = if chosen { glyphs.marker } else { " " };
    let mark = if marked { glyphs.marked } else { " " };
    pieces.insert(0, (Role::Focus, format!("{cursor}{mark}")));
    if chosen && focused {
        pieces
            .iter_mut()
            .for_each(|(role, _)| *role = Role::Selected);
    }
    painter.pieces(0, y, &pieces);
}

fn draw_headings(
    painter: &mut Painter<'_>,
    y: usize,
    columns: &[FigureColumn],
    gap: usize,
    view: &ListView,
) {
    let (key, descending) = view.sort();
    let mut x = painter.text(0, y, Role::Dim, &" ".repeat(GUTTER - 1));
    for (index, column) in columns.iter().enumerate() {
        let sorted = column.key == Some(key);
        let arrow = if sorted {
            direction(descending, painter.glyphs())
        } else {
            ""
        };
        let heading = format!("{}{arrow}", column.heading);
        let space = (column.width + gap_before(index, gap)).saturating_sub(heading.width());
        let role = if sorted { Role::Strong } else { Role::Dim };
        let start = x;
        x = painter.pieces(x, y, &[(Role::Dim, " ".repeat(space)), (role, heading)]);
        let place = |key| SortKey::ALL.iter().position(|other| *other == key);
        if let Some(place) = column.key.and_then(place) {
            let target = Target::Part(Part::Heading(place));
            painter.target((start, y), (x - start, 1), target);
        }
    }
}

/// The figures of a child, and the number of columns up to their end.
fn pieces(row: &ChildRow, columns: &[FigureColumn], gap: usize, best: Option<u64>) -> (Row, usize) {
    let mut pieces = Row::new();
    let mut used = GUTTER - 1;
    for (index, column) in columns.iter().enumerate() {
        let mut cell = (column.cell)(row);
        if cell.width() > column.width {
            // Only counts grow that large.
            cell = format::compact(if column.heading == "params" {
                row.params
            } else {
                row.macs
            });
        }
        let space = " ".repeat(column.width.saturating_sub(cell.width()) + gap_before(index, gap));
        used += space.width() + cell.width();
        pieces.push((role_of(column, row, best), space + &cell));
    }
    (pieces, used)
}

fn gap_before(index: usize, gap: usize) -> usize {
    if index == 0 { 0 } else { gap }
}

fn role_of(column: &FigureColumn, row: &ChildRow, best: Option<u64>) -> Role {
    match column.key {
        Some(SortKey::Accuracy) if row.accuracy.is_none() => Role::Dim,
        Some(SortKey::Accuracy) if best == Some(row.child) => Role::Best,
        _ => Role::Text,
    }
}

/// What comes after the figures of a child.
struct Remarks<'a> {
    best: Option<u64>,
    /// What a user has written on the child.
    note: Option<&'a str>,
    glyphs: &'a Glyphs,
}

impl Remarks<'_> {
    /// What sets the child apart, then the note on it, in `width` columns. Without room for the note, its
    /// mark is there.
    fn pieces(&self, row: &ChildRow, width: usize) -> Row {
        let room = width.saturating_sub(2);
        let (best, mark) = (self.best, self.glyphs.noted);
        let of_mark = self.note.map_or(0, |_| mark.width());
        let long = row.notes(best, false);
        let text = if long.width() + of_mark <= room {
            long
        } else {
            row.notes(best, true)
        };
        let role = match (row.accuracy, best == Some(row.child)) {
            (None, _) => Role::Error,
            (_, true) => Role::Best,
            _ => Role::Dim,
        };
        let Some(note) = self.note else {
            let text = format::fit(&text, room, "");
            return vec![(role, format!("  {text:<room$}"))];
        };
        let mut text = format::fit(&text, room.saturating_sub(of_mark), "");
        if !text.is_empty() && text.width() + of_mark < room {
            text.push(' ');
        }
        let left = room.saturating_sub(text.width());
        let shown = if left > mark.width() + SHORTEST_NOTE {
            format::fit(&format!("{mark} {note}"), left, self.glyphs.ellipsis)
        } else {
            mark.to_owned()
        };
        let rest = " ".repeat(left.saturating_sub(shown.width()));
        vec![(role, format!("  {text}")), (Role::Text, shown + &rest)]
    }
}

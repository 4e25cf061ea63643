//! The table of children: as many columns as fit, with the cursor's row always in view.

use super::order::{SortKey, row_at};
use super::view::ListView;
use super::{direction, filter_row, nothing};
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

/// A column of figures, aligned to the right. Widths do not depend on what is shown, so that
/// nothing moves during scrolling.
struct FigureColumn {
    heading: &'static str,
    key: Option<SortKey>,
    width: usize,
    cell: fn(&ChildRow) -> String,
    /// Columns with a high rank are left out first.
    rank: usize,
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
    let (columns, gap) = fitting(columns(state, view), width.saturating_sub(GUTTER + NOTES));
    draw_headings(painter, first, &columns, gap, view);
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

fn columns(state: &RunState, view: &ListView) -> Vec<FigureColumn> {
    let newest = state.search().children.last().map_or(0, |row| row.child);
    let newest = newest.to_string().len();
    let column = |heading, key, width, rank, cell| FigureColumn {
        heading,
        key,
        width,
        cell,
        rank,
    };
    let mut columns = vec![
        column("child", Some(SortKey::Child), newest.max(7), 0, |row| {
            row.child.to_string()
        }),
        column("ep", None, 4, 5, |row| row.episode.to_string()),
        column("accuracy", Some(SortKey::Accuracy), 9, 1, |row| {
            row.accuracy.map_or_else(none, format::accuracy)
        }),
        column("reward", Some(SortKey::Reward), 7, 2, |row| {
            format::or_none(row.reward, format::reward)
        }),
        column("params", Some(SortKey::Params), 9, 3, |row| {
            format::count(row.params)
        }),
        column("MACs", Some(SortKey::Macs), 7, 4, |row| {
            format::compact(row.macs)
        }),
        column("layers", None, 6, 6, |row| row.genes.depth().to_string()),
        column("time", Some(SortKey::Time), 8, 7, |row| time(row.seconds)),
    ];
    if view.order().energy_known() {
        let cell = |row: &ChildRow| {
            row.energy_wh
                .map_or_else(none, |energy| format!("{energy:.2} Wh"))
        };
        columns.push(column("energy", Some(SortKey::Energy), 9, 8, cell));
    }
    // The column that the list is sorted by is always shown.
    let (key, _) = view.sort();
    columns
        .iter_mut()
        .filter(|column| column.key == Some(key))
        .for_each(|column| column.rank = 0);
    columns
}

/// The text for a missing value.
fn none() -> String {
    "none".to_owned()
}

/// Seconds, with a decimal if that is useful: `7.3 s`, `12:34`.
pub fn time(seconds: f64) -> String {
    if (0.0..60.0).contains(&seconds) {
        format!("{seconds:.1} s")
    } else {
        format::duration(seconds)
    }
}

/// The columns that fit, and the gap between them: all of them, closer together if necessary.
fn fitting(columns: Vec<FigureColumn>, width: usize) -> (Vec<FigureColumn>, usize) {
    let wide = |columns: &[FigureColumn], gap: usize| {
        columns
            .iter()
            .map(|column| column.width + gap)
            .sum::<usize>()
    };
    if wide(&columns, 2) <= width {
        return (columns, 2);
    }
    let mut columns = columns;
    while wide(&columns, 1) > width && columns.len() > 1 {
        let last = columns.iter().map(|column| column.rank).max();
        columns.retain(|column| Some(column.rank) != last);
    }
    (columns, 1)
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

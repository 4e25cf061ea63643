//! The list of the palette: entries with their keys, and why some would do nothing now.

use super::Row;
use crate::tui::format;
use crate::tui::paint::{self, Painter, pieces_width};
use crate::tui::palette::Entry;
use crate::tui::target::{Part, Target};
use crate::tui::theme::Role;
use unicode_width::UnicodeWidthStr;

/// Columns for the names that are not long.
const NAMES: usize = 24;
/// Columns for the keys.
const KEYS: usize = 10;
/// Columns that long names leave for what is beside them.
const LEAST_TEXT: usize = 16;

/// Draw the entries in a frame, with one of them selected.
pub fn draw(entries: &[Entry], selected: usize, painter: &mut Painter<'_>) {
    paint::frame(painter, "Everything by name");
    painter.target_all(Target::Nothing);
    let (width, height) = (painter.width(), painter.height().saturating_sub(2));
    let ellipsis = painter.glyphs().ellipsis;
    if entries.is_empty() {
        painter.text(2, 1, Role::Dim, "nothing has such a name");
    }
    let room = width.saturating_sub(4);
    // Most names are short; the others stand beside texts of their own.
    let names = entries.iter().map(|entry| entry.name.width() + 1);
    let longest = names.max().unwrap_or(0);
    let short = NAMES + KEYS;
    let wide = longest.clamp(short, room.saturating_sub(LEAST_TEXT).max(short));
    // The selected entry stays in view.
    let first = (selected + 1).saturating_sub(height);
    for (y, entry) in entries.iter().skip(first).take(height).enumerate() {
        let is_selected = first + y == selected;
        let names = if entry.name.width() < NAMES {
            NAMES
        } else {
            wide
        };
        let row = row(entry, is_selected, (names, room), ellipsis);
        painter.pieces(2, 1 + y, &row);
        let entry = Target::Part(Part::Row(first + y));
        painter.target((0, 1 + y), (width, 1), entry);
    }
    let position = format!(" {}/{} ", (selected + 1).min(entries.len()), entries.len());
    let bottom = painter.height().saturating_sub(1);
    painter.right(width.saturating_sub(2), bottom, Role::Focus, &position);
}

/// An entry in `width` columns, of which its name has `names`.
fn row(entry: &Entry, is_selected: bool, (names, width): (usize, usize), ellipsis: &str) -> Row {
    let role = |role| if is_selected { Role::Selected } else { role };
    let usual = if entry.obstacle.is_some() {
        Role::Dim
    } else {
        Role::Text
    };
    // The ends of long names tell them apart.
    let name = format::fit_both_ends(&entry.name, names - 1, ellipsis);
    let gap = names.saturating_sub(name.width());
    let mut row = vec![(role(usual), format!("{name}{}", " ".repeat(gap)))];
    if names == NAMES || !entry.key.is_empty() {
        let key = format::fit(&entry.key, KEYS - 1, ellipsis);
        row.push((role(Role::Key), format!("{key:<KEYS$}")));
    }
    let text = match &entry.obstacle {
        Some(reason) => format!("not now: {reason}"),
        None => entry.text.clone(),
    };
    let room = width.saturating_sub(pieces_width(&row));
    let text = format::fit(&text, room, ellipsis);
    row.push((role(Role::Dim), format!("{text:<room$}")));
    row
}

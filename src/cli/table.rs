//! Plain-text tables with aligned columns that shrink on a narrow terminal.

use unicode_width::UnicodeWidthStr;

use crate::foundation::text;

/// A column: its title, its alignment, and whether its cells may be broken at commas into several
/// lines.
#[derive(Debug, Clone, Copy)]
pub struct TableColumn {
    pub(super) title: &'static str,
    pub(super) right: bool,
    pub(super) wraps: bool,
}

impl TableColumn {
    /// A column of text.
    pub const fn left(title: &'static str) -> TableColumn {
        TableColumn {
            title,
            right: false,
            wraps: false,
        }
    }

    /// A column of numbers.
    pub const fn right(title: &'static str) -> TableColumn {
        TableColumn {
            right: true,
            ..TableColumn::left(title)
        }
    }
}

/// Minimum width of a wrapping column.
const NARROWEST: usize = 6;

/// `rows` below their titles. Columns are two spaces apart, or one if `width` is too small; if that
/// is not enough, the cells of wrapping columns are broken at commas.
pub fn table<R: AsRef<[String]>>(columns: &[TableColumn], rows: &[R], width: usize) -> String {
    let in_one_line = |cell: &String| text::line(cell).into_owned();
    let printable = |row: &R| row.as_ref().iter().map(in_one_line).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(printable).collect();
    let widest = |index: usize| {
        let cells = rows.iter().map(|row| row[index].width());
        cells.chain([columns[index].title.len()]).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..columns.len()).map(widest).collect();
    let total =
        |widths: &[usize], gap: usize| widths.iter().sum::<usize>() + gap * (widths.len() - 1);
    let gap = if total(&widths, 2) <= width { 2 } else { 1 };
    for index in (0..columns.len()).filter(|&index| columns[index].wraps) {
        let excess = total(&widths, gap).saturating_sub(width);
        widths[index] = widths[index]
            .saturating_sub(excess)
            .max(NARROWEST.min(widths[index]));
    }
    let titles: Vec<String> = columns
        .iter()
        .map(|column| column.title.to_owned())
        .collect();
    let mut lines = line(columns, &titles, &widths, gap);
    for row in &rows {
        let cells: Vec<Vec<String>> = (row.iter().zip(&widths))
            .map(|(cell, width)| broken(cell, *width))
            .collect();
        for part in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let parts = cells.iter().map(|cell| cell.get(part).cloned());
            let parts: Vec<String> = parts.map(Option::unwrap_or_default).collect();
            lines += &line(columns, &parts, &widths, gap);
        }
    }
    lines
}

/// Width of the terminal in columns; `None` if the output goes elsewhere.
pub fn terminal_width() -> Option<usize> {
    let set = std::env::var("COLUMNS").ok();
    if let Some(columns) = set.and_then(|columns| columns.parse().ok()) {
        return Some(columns);
    }
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col.into())
}

fn line(columns: &[TableColumn], cells: &[String], widths: &[usize], gap: usize) -> String {
    let aligned = cells
        .iter()
        .enumerate()
        .map(|(index, cell)| match columns[index].right {
            true => text::right(cell, widths[index]),
            false => text::left(cell, widths[index]),
        });
    let line = aligned.collect::<Vec<_>>().join(&" ".repeat(gap));
    format!("{}\n", line.trim_end())
}

/// `text` in pieces of at most `width` characters, broken after commas if there are any within
/// reach.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for part in text.split_inclusive(',') {
        let piece = pieces.last_mut().expect("starts with one piece");
        if piece.is_empty() || piece.len() + part.len() <= width {
            piece.push_str(part);
        } else {
            pieces.push(part.to_owned());
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [TableColumn; 3] = [
        TableColumn {
            title: "layer",
            right: true,
            wraps: false,
        },
        TableColumn {
            title: "inputs",
            right: false,
            wraps: true,
        },
        TableColumn {
            title: "params",
            right: true,
            wraps: false,
        },
    ];

    fn rows() -> Vec<[String; 3]> {
        vec![
            ["1".into(), "0".into(), "1,044".into()],
            ["12".into(), "1,3,5,7,9,11".into(), "9".into()],
        ]
    }

    #[test]
    fn columns_are_aligned_and_two_spaces_apart_if_there_is_room() {
        assert_eq!(
            table(&COLUMNS, &rows(), 27),
            "layer  inputs        params\n    1  0              1,044\n   12  1,3,5,7,9,11       9\n"
        );
    }

    #[test]
    fn columns_move_together_before_anything_is_broken() {
        assert_eq!(
            table(&COLUMNS, &rows(), 25),
            "layer inputs       params\n    1 0             1,044\n   12 1,3,5,7,9,11      9\n"
        );
    }

    #[test]
    fn a_cell_of_any_length_is_aligned() {
        let rows = [["1".into(), "1,3".into(), "9".repeat(70_000)]];
        let text = table(&COLUMNS, &rows, 80);
        let widths: Vec<usize> = text.lines().map(|line| line.len()).collect();
        assert_eq!(widths, [5 + 1 + 70_000 + 1 + 6; 2]);
    }

    #[test]
    fn lists_are_broken_at_commas_on_a_narrow_terminal() {
        let expected =
            "layer inputs params\n    1 0       1,044\n   12 1,3,5,      9\n      7,9,11\n";
        assert_eq!(table(&COLUMNS, &rows(), 10), expected);
    }
}

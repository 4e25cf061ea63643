//! Plain-text tables with aligned columns that shrink on a narrow terminal.

/// A column: its title, its alignment, and whether its cells may be broken at commas into several
/// lines.
#[derive(Debug, Clone, Copy)]
pub struct TableColumn {
    pub title: &'static str,
    pub right: bool,
    pub wraps: bool,
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
pub fn table<const N: usize>(
    columns: &[TableColumn; N],
    rows: &[[String; N]],
    width: usize,
) -> String {
    let mut widths: [usize; N] = std::array::from_fn(|index| {
        let cells = rows.iter().map(|row| row[index].chars().count());
        cells.chain([columns[index].title.len()]).max().unwrap_or(0)
    });
    let total = |widths: &[usize; N], gap: usize| widths.iter().sum::<usize>() + gap * (N - 1);
    let gap = if total(&widths, 2) <= width { 2 } else { 1 };
    for index in (0..N).filter(|&index| columns[index].wraps) {
        let excess = total(&widths, gap).saturating_sub(width);
        widths[index] = widths[index]
            .saturating_sub(excess)
            .max(NARROWEST.min(widths[index]));
    }
    let mut text = line(
        columns,
        &columns.map(|column| column.title.to_owned()),
        &widths,
        gap,
    );
    for row in rows {
        let cells: [Vec<String>; N] =
            std::array::from_fn(|index| broken(&row[index], widths[index]));
        for part in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let parts =
                std::array::from_fn(|index| cells[index].get(part).cloned().unwrap_or_default());
            text += &line(columns, &parts, &widths, gap);
        }
    }
    text
}

fn line<const N: usize>(
    columns: &[TableColumn; N],
    cells: &[String; N],
    widths: &[usize; N],
    gap: usize,
) -> String {
    let aligned = (0..N).map(|index| match columns[index].right {
        true => format!("{:>1$}", cells[index], widths[index]),
        false => format!("{:<1$}", cells[index], widths[index]),
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
    fn lists_are_broken_at_commas_on_a_narrow_terminal() {
        let expected =
            "layer inputs params\n    1 0       1,044\n   12 1,3,5,      9\n      7,9,11\n";
        assert_eq!(table(&COLUMNS, &rows(), 10), expected);
    }
}

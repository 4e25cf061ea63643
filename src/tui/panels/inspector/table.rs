//! Tables of the inspector: as many columns as the width allows; the most informative ones are kept
//! longest.

use unicode_width::UnicodeWidthStr;

use crate::tui::paint::pieces_width;
use crate::tui::panels::{Content, Row, fitting};
use crate::tui::theme::Role;

/// One column with a cell for every row.
pub struct RankedColumn {
    heading: &'static str,
    /// Columns with the highest rank are left out first.
    rank: usize,
    to_the_right: bool,
    cells: Vec<Row>,
}

impl RankedColumn {
    /// Texts, aligned to the left.
    pub fn texts(
        heading: &'static str,
        rank: usize,
        cells: impl IntoIterator<Item = String>,
    ) -> RankedColumn {
        let cells = cells
            .into_iter()
            .map(|cell| vec![(Role::Text, cell)])
            .collect();
        RankedColumn {
            heading,
            rank,
            to_the_right: false,
            cells,
        }
    }

    /// Numbers, aligned to the right.
    pub fn numbers(
        heading: &'static str,
        rank: usize,
        cells: impl IntoIterator<Item = String>,
    ) -> RankedColumn {
        RankedColumn {
            to_the_right: true,
            ..RankedColumn::texts(heading, rank, cells)
        }
    }

    /// Cells in their own colours, aligned to the left.
    pub fn rows(heading: &'static str, rank: usize, cells: Vec<Row>) -> RankedColumn {
        RankedColumn {
            heading,
            rank,
            to_the_right: false,
            cells,
        }
    }

    fn width(&self) -> usize {
        self.cells
            .iter()
            .map(|cell| pieces_width(cell))
            .max()
            .unwrap_or(0)
            .max(self.heading.width())
    }

    fn padded(&self, mut cell: Row, width: usize) -> Row {
        let space = (
            Role::Text,
            " ".repeat(width.saturating_sub(pieces_width(&cell))),
        );
        if self.to_the_right {
            cell.insert(0, space)
        } else {
            cell.push(space)
        }
        cell
    }
}

/// The columns that fit into `width`, side by side: the headings, and a row per cell.
pub fn table(columns: Vec<RankedColumn>, width: usize) -> Content {
    let wanted: usize = columns.iter().map(|column| column.width() + 2).sum();
    let gap = if wanted <= width + 2 { 2 } else { 1 };
    let ranked = columns.iter().map(|column| (column.rank, column.width()));
    let fits = fitting(ranked.collect(), gap, width).into_iter();
    let columns = fits.zip(columns).filter(|(fits, _)| *fits);
    let columns: Vec<RankedColumn> = columns.map(|(_, column)| column).collect();
    let line = |cells: Vec<Row>| -> Row {
        let mut line = Row::new();
        for (column, cell) in columns.iter().zip(cells) {
            if !line.is_empty() {
                line.push((Role::Text, " ".repeat(gap)));
            }
            line.extend(column.padded(cell, column.width()));
        }
        line
    };
    let head = line(
        columns
            .iter()
            .map(|column| vec![(Role::Dim, column.heading.to_owned())])
            .collect(),
    );
    let rows = columns
        .iter()
        .map(|column| column.cells.len())
        .max()
        .unwrap_or(0);
    let cell =
        |column: &RankedColumn, row: usize| column.cells.get(row).cloned().unwrap_or_default();
    let body = (0..rows)
        .map(|row| line(columns.iter().map(|column| cell(column, row)).collect()))
        .collect();
    Content {
        head: vec![head],
        body,
    }
}

/// Columns needed with only the columns of rank 0: the minimum for a table.
pub fn least_width(columns: &[RankedColumn]) -> usize {
    columns
        .iter()
        .filter(|column| column.rank == 0)
        .map(|column| column.width() + 1)
        .sum::<usize>()
        .saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(width: usize) -> Vec<String> {
        let columns = vec![
            RankedColumn::numbers("#", 0, ["1".to_owned(), "10".to_owned()]),
            RankedColumn::texts("kernel", 2, ["3x3".to_owned(), "5x5".to_owned()]),
            RankedColumn::numbers("MACs", 1, ["9 M".to_owned(), "12 k".to_owned()]),
        ];
        let content = table(columns, width);
        let text = |row: Row| row.into_iter().map(|(_, text)| text).collect::<String>();
        content
            .head
            .into_iter()
            .chain(content.body)
            .map(text)
            .collect()
    }

    #[test]
    fn numbers_are_aligned_to_the_right_and_texts_to_the_left() {
        assert_eq!(
            lines(20),
            [" #  kernel  MACs", " 1  3x3      9 M", "10  5x5     12 k"]
        );
    }

    #[test]
    fn the_column_of_the_highest_rank_goes_first() {
        assert_eq!(lines(15)[0], " # kernel MACs");
        assert_eq!(lines(12)[0], " # MACs");
    }
}

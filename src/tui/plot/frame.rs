//! The frame of a plot: an axis of values at its left, a floor below it, and where a value lies
//! among its dots.

use super::{DotGrid, ValueAxis};
use crate::tui::paint::Painter;
use crate::tui::theme::{Glyphs, Role};

/// Round values of an axis and how they are written.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels(Vec<(f64, String)>);

impl Labels {
    /// The values of `axis`, each written by `label` (value, decimals).
    pub fn of(axis: &ValueAxis, label: impl Fn(f64, usize) -> String) -> Labels {
        let ticks = axis.ticks().into_iter();
        Labels(
            ticks
                .map(|(tick, digits)| (tick, label(tick, digits)))
                .collect(),
        )
    }

    /// Columns that the longest takes, with the space after it.
    pub fn gutter(&self) -> usize {
        let widths = self.0.iter().map(|(_, label)| label.len());
        widths.max().unwrap_or(0) + 1
    }
}

/// Where a plot lies in its painter's area, and its axis of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The values from the floor to the top.
    pub axis: ValueAxis,
    /// The values that are written at the axis.
    pub labels: Labels,
    /// Column of the line at the left; the labels stand before it, the plot after it.
    pub gutter: usize,
    /// Columns of characters for the plot itself.
    pub columns: usize,
    /// First row, and rows; the floor is below them.
    pub top: usize,
    /// Rows of characters for the plot itself.
    pub rows: usize,
}

impl Frame {
    /// First column of the plot.
    pub fn left(&self) -> usize {
        self.gutter + 1
    }

    /// Row of the floor.
    pub fn floor(&self) -> usize {
        self.top + self.rows
    }

    /// Draw the axis of values and the floor.
    pub fn draw(&self, painter: &mut Painter<'_>) {
        let glyphs = painter.glyphs();
        for row in self.top..self.floor() {
            painter.text(self.gutter, row, Role::Dim, glyphs.axis);
        }
        for (value, label) in &self.labels.0 {
            let row = self.floor() - 1 - scaled(self.axis.fraction(*value), self.rows);
            painter.right(self.gutter, row, Role::Dim, label);
            painter.text(self.gutter, row, Role::Dim, glyphs.axis_tick);
        }
        painter.text(self.gutter, self.floor(), Role::Dim, glyphs.axis_corner);
        let floor = glyphs.floor.repeat(self.columns);
        painter.text(self.left(), self.floor(), Role::Dim, &floor);
    }

    /// Write `text` into `row`, centred on `column` of the painter's area and ending with the plot,
    /// if it begins at `free` or later; the column after it.
    pub fn label(
        &self,
        painter: &mut Painter<'_>,
        row: usize,
        column: usize,
        text: &str,
        free: usize,
    ) -> Option<usize> {
        let last = (self.left() + self.columns).saturating_sub(text.len());
        let centred = (column + 1).saturating_sub(text.len().div_ceil(2));
        let start = centred.min(last);
        (start >= free).then(|| painter.text(start, row, Role::Dim, text))
    }

    /// A grid of dots that fills the plot.
    pub fn grid(&self, glyphs: &Glyphs) -> DotGrid {
        DotGrid::new(self.columns, self.rows, glyphs.braille)
    }

    /// Where `value` lies among the dots of `grid`, from the bottom.
    pub fn height_of(&self, value: f64, grid: &DotGrid) -> usize {
        scaled(self.axis.fraction(value), grid.height())
    }

    /// Where the upper left corner of the plot is.
    pub fn corner(&self) -> (usize, usize) {
        (self.left(), self.top)
    }
}

/// The place of a fraction among `count` places.
pub fn scaled(fraction: f64, count: usize) -> usize {
    (fraction * count.saturating_sub(1) as f64).round() as usize
}

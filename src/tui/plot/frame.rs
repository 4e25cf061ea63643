//! The frame of a plot: a value axis on its left, a horizontal axis below it, and the positions of
//! values among its dots.

use super::{DotGrid, ValueAxis};
use crate::tui::paint::Painter;
use crate::tui::theme::{Glyphs, Role};

/// Round values of an axis with their labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels(Vec<(f64, String)>);

impl Labels {
    /// The tick values of `axis`, each labelled by `label` (value, decimals).
    pub fn of(axis: &ValueAxis, label: impl Fn(f64, usize) -> String) -> Labels {
        let ticks = axis.ticks().into_iter();
        Labels(
            ticks
                .map(|(tick, digits)| (tick, label(tick, digits)))
                .collect(),
        )
    }

    /// Width of the longest label, including the space after it.
    pub fn gutter(&self) -> usize {
        let widths = self.0.iter().map(|(_, label)| label.len());
        widths.max().unwrap_or(0) + 1
    }
}

/// The position of a plot in its painter's area, and its value axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The axis of values, from bottom to top.
    pub axis: ValueAxis,
    /// The labels of the axis.
    pub labels: Labels,
    /// Column of the vertical line; labels are to its left, the plot to its right.
    pub gutter: usize,
    /// Width of the plot itself, in characters.
    pub columns: usize,
    /// First row of the plot; the horizontal axis is below its last one.
    pub top: usize,
    /// Height of the plot itself, in characters.
    pub rows: usize,
}

impl Frame {
    /// First column of the plot.
    pub fn left(&self) -> usize {
        self.gutter + 1
    }

    /// Row of the horizontal axis.
    pub fn floor(&self) -> usize {
        self.top + self.rows
    }

    /// Draw both axes.
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

    /// Write `text` into `row`, centred on `column` of the painter's area but not beyond the plot,
    /// if it starts at `free` or later; returns the column after it.
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

    /// Position of `value` among the dots of `grid`, from the bottom.
    pub fn height_of(&self, value: f64, grid: &DotGrid) -> usize {
        scaled(self.axis.fraction(value), grid.height())
    }

    /// Position of the upper left corner of the plot.
    pub fn corner(&self) -> (usize, usize) {
        (self.left(), self.top)
    }
}

/// The position of a fraction among `count` positions.
pub fn scaled(fraction: f64, count: usize) -> usize {
    (fraction * count.saturating_sub(1) as f64).round() as usize
}

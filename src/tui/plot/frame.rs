//! The frame of a plot: a value axis on its left, a horizontal axis below it, and the positions of
//! values among its dots.

use ratatui::layout::Rect;

use super::even::axis_in_rows;
use super::{DotGrid, PlotSeries, Span, ValueAxis};
use crate::tui::paint::Painter;
use crate::tui::target::Target;
use crate::tui::theme::Role;

/// How a panel frames its plots.
pub struct Framing<'a> {
    /// Whether the axis is logarithmic.
    pub is_log: bool,
    /// The largest value that there can be: 1 for accuracies.
    pub most: f64,
    /// Smallest and largest number of values written on the axis, as far as the plot's height
    /// allows.
    pub ticks: (usize, usize),
    /// How a value is written, with as many decimals as needed.
    pub label: &'a dyn Fn(f64, usize) -> String,
    /// Smallest number of columns for the labels, including the space after them.
    pub least_gutter: usize,
}

impl Framing<'_> {
    /// The frame around a plot of `values`. `area` (in the painter's area) holds the labels and the
    /// plot; the floor is the row below it.
    pub fn around(&self, values: impl Iterator<Item = f64>, area: Rect) -> Frame {
        let (width, rows) = (usize::from(area.width), usize::from(area.height));
        let (fewest, most) = self.ticks;
        let count = (rows / 2 + 1).clamp(fewest, most);
        let axis = axis_in_rows(values, self.is_log, count, rows, self.most);
        let labels: Vec<(f64, String)> = labelled(&axis, rows, count)
            .into_iter()
            .map(|(tick, decimals)| (tick, (self.label)(tick, decimals)))
            .collect();
        let widest = labels.iter().map(|(_, label)| label.len()).max();
        let gutter = (widest.unwrap_or(0) + 1).max(self.least_gutter);
        Frame {
            axis,
            labels,
            gutter,
            columns: width.saturating_sub(gutter + 1),
            top: area.y.into(),
            rows,
        }
    }
}

/// The position of a plot in its painter's area, and its value axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The axis of values, from bottom to top.
    axis: ValueAxis,
    /// The labels of the axis.
    labels: Vec<(f64, String)>,
    /// Column of the vertical line; labels are to its left, the plot to its right.
    pub gutter: usize,
    /// Width of the plot itself, in characters.
    pub columns: usize,
    /// First row of the plot; the horizontal axis is below its last one.
    pub top: usize,
    /// Height of the plot itself, in characters.
    pub rows: usize,
}

/// A row of labels below a plot.
pub struct LabelRow {
    /// In the painter's area.
    pub row: usize,
    /// The first column that a label may take.
    pub free: usize,
    /// Columns that stay empty between two labels.
    pub gap: usize,
    /// What marks the position of each label on the floor.
    pub mark: Option<&'static str>,
}

impl Frame {
    /// The same frame with the vertical axis in a different column; the total width does not
    /// change.
    pub fn with_gutter(self, gutter: usize) -> Frame {
        Frame {
            columns: (self.gutter + self.columns).saturating_sub(gutter),
            gutter,
            ..self
        }
    }

    /// Whether the plot has at least two rows and this many columns.
    pub fn has_room(&self, columns: usize) -> bool {
        self.rows >= 2 && self.columns >= columns
    }

    /// First column of the plot.
    pub fn left(&self) -> usize {
        self.gutter + 1
    }

    /// Row of the horizontal axis.
    pub fn floor(&self) -> usize {
        self.top + self.rows
    }

    /// Draw both axes, and what `fill` puts on a grid of dots, each series as `look` says.
    pub fn plot(
        &self,
        painter: &mut Painter<'_>,
        fill: impl FnOnce(&mut DotGrid),
        look: impl Fn(PlotSeries) -> (Role, &'static str),
    ) {
        let glyphs = painter.glyphs();
        for row in self.top..self.floor() {
            painter.text(self.gutter, row, Role::Dim, glyphs.axis);
        }
        for (value, label) in &self.labels {
            let row = self.floor() - 1 - scaled(self.axis.fraction(*value), self.rows);
            painter.right(self.gutter, row, Role::Dim, label);
            painter.text(self.gutter, row, Role::Dim, glyphs.axis_tick);
        }
        painter.text(self.gutter, self.floor(), Role::Dim, glyphs.axis_corner);
        let floor = glyphs.floor.repeat(self.columns);
        painter.text(self.left(), self.floor(), Role::Dim, &floor);
        let mut grid = DotGrid::new(self.columns, self.rows, glyphs.braille);
        fill(&mut grid);
        grid.show(painter, (self.left(), self.top), look);
    }

    /// Mark the plot and the floor below it: each column can be clicked for its number in `span`.
    pub fn mark(&self, painter: &mut Painter<'_>, span: Span) {
        let size = (self.columns, self.rows + 1);
        painter.target((self.left(), self.top), size, Target::Numbers(span));
    }

    /// Write `labels` (column of the plot, text) below the plot, each centred on its column and
    /// none beyond the plot's end; labels that would touch the previous one are left out. Returns the columns
    /// of those that were written.
    pub fn label(
        &self,
        painter: &mut Painter<'_>,
        below: LabelRow,
        labels: impl Iterator<Item = (usize, String)>,
    ) -> Vec<usize> {
        let (mut free, mut written) = (below.free, Vec::new());
        for (place, text) in labels {
            let column = self.left() + place;
            let last = (self.left() + self.columns).saturating_sub(text.len());
            let centred = (column + 1).saturating_sub(text.len().div_ceil(2));
            let start = centred.min(last);
            if start < free {
                continue;
            }
            free = painter.text(start, below.row, Role::Dim, &text) + below.gap;
            if let Some(mark) = below.mark {
                painter.text(column, self.floor(), Role::Dim, mark);
            }
            written.push(place);
        }
        written
    }

    /// Position of `value` among the dots of `grid`, from the bottom.
    pub fn height_of(&self, value: f64, grid: &DotGrid) -> usize {
        scaled(self.axis.fraction(value), grid.height())
    }
}

/// The ticks of an axis that are labelled in a plot of `rows` rows: all of them if they are at even
/// distances and no more than `most` (but three are never too many), otherwise every second, third, ...
pub fn labelled(axis: &ValueAxis, rows: usize, most: usize) -> Vec<(f64, usize)> {
    let ticks = axis.ticks();
    let row = |value: f64| scaled(axis.fraction(value), rows) as i64;
    let is_even = |step: &usize| {
        let rows: Vec<i64> = ticks
            .iter()
            .step_by(*step)
            .map(|(tick, _)| row(*tick))
            .collect();
        let mut gaps = rows.windows(2).map(|pair| pair[1] - pair[0]);
        let first = gaps.next();
        gaps.all(|gap| Some(gap) == first)
    };
    let last = ticks.len().saturating_sub(1).max(1);
    let mut steps = 1..=last.div_ceil(2);
    let is_few = |step: &usize| last / step < most.max(3);
    let is_round = |step: &usize| *step == 1 || is_round(ticks[*step].0 - ticks[0].0);
    // The ends are the last resort.
    let step =
        steps.find(|step| last / step > 1 && is_few(step) && is_round(step) && is_even(step));
    ticks.into_iter().step_by(step.unwrap_or(last)).collect()
}

/// Whether people count in such steps: 1, 2, 2.5, 4 or 5 times a power of ten.
fn is_round(step: f64) -> bool {
    let leading = step / 10f64.powf((step * (1.0 + 1e-9)).log10().floor());
    let round = [1.0, 2.0, 2.5, 4.0, 5.0];
    round.iter().any(|round| (leading - round).abs() < 1e-6)
}

/// The position of a fraction among `count` positions.
pub fn scaled(fraction: f64, count: usize) -> usize {
    (fraction * count.saturating_sub(1) as f64).round() as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The rows of the labelled values, from the bottom, and how much of the plot the values take.
    fn labels(low: f64, high: f64, is_log: bool, rows: usize, most: f64) -> (Vec<usize>, f64) {
        let count = (rows / 2 + 1).clamp(3, 8);
        let axis = axis_in_rows([low, high].into_iter(), is_log, count, rows, most);
        let labels = labelled(&axis, rows, count);
        assert!(
            labels.iter().all(|(tick, _)| *tick < most + 1e-6),
            "{labels:?}"
        );
        let mut steps = labels.windows(2).map(|pair| pair[1].0 - pair[0].0);
        let is_linear = matches!(axis, ValueAxis::Linear(_));
        assert!(
            !is_linear || labels.len() < 3 || steps.all(is_round),
            "{labels:?}"
        );
        let labels = labels.into_iter();
        let rows = labels.map(|(tick, _)| scaled(axis.fraction(tick), rows));
        (rows.collect(), axis.fraction(high) - axis.fraction(low))
    }

    fn are_even(rows: &[usize]) -> bool {
        let mut gaps = rows.windows(2).map(|pair| pair[1] - pair[0]);
        let first = gaps.next();
        gaps.all(|gap| Some(gap) == first)
    }

    #[test]
    fn labelled_values_stand_at_even_distances_at_any_height() {
        for (low, high) in [
            (0.12, 0.4),
            (0.2, 0.8),
            (0.0, 1.0),
            (0.47, 0.53),
            (0.1, 2.3),
        ] {
            for rows in 3..40 {
                let (at, used) = labels(low, high, false, rows, f64::INFINITY);
                assert!(at.len() >= 2, "{low} {high} {rows}: {at:?}");
                assert!(are_even(&at), "{low} {high} {rows}: {at:?}");
                assert!(used > 0.4, "{low} {high} {rows}: {used} of the plot");
            }
        }
    }

    proptest! {
        #[test]
        fn at_least_three_values_are_labelled_at_even_distances_in_five_rows_or_more(
            low in 0.0..1.0f64, high in 0.0..1.0f64, power in -4..4i32, rows in 5usize..60, is_log: bool,
            is_share: bool,
        ) {
            let scale = if is_share { 1.0 } else { 10f64.powi(power) };
            let most = if is_share { 1.0 } else { f64::INFINITY };
            let (low, high) = (low.min(high) * scale, low.max(high) * scale);
            let (at, used) = labels(low, high, is_log, rows, most);
            prop_assert!(at.len() >= 3, "{:?}", at);
            prop_assert!(at.len() <= (rows / 2 + 1).clamp(3, 8), "{:?}", at);
            prop_assert!(are_even(&at) && at.iter().all(|row| *row < rows), "{:?}", at);
            let is_flat = high - low <= high * 0.01;
            prop_assert!(used > 0.2 || is_flat, "{} of the plot", used);
        }
    }
}

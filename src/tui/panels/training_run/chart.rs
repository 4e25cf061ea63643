//! Loss or accuracy over the epochs, of training and of validation, with the best epoch and the
//! crosshair.

use ratatui::layout::Rect;

use crate::analysis::series::Measure;
use crate::event::TrainingEpoch;
use crate::tui::paint::Painter;
use crate::tui::panels::chart::Scale;
use crate::tui::plot::{Dash, DotGrid, Frame, Framing, LabelRow, PlotSeries, Span, percent, plain};
use crate::tui::theme::{Glyphs, Role};

/// Columns of characters between two epochs that leave room for a marker at each.
const MARKER: usize = 3;
/// Minimum columns for the labels of the values: below them is the name of the row of rates.
const LEAST_GUTTER: usize = 5;

/// The label of a value on the axis with this many decimals.
fn label(measure: Measure, value: f64, decimals: usize) -> String {
    match measure {
        Measure::Accuracy => percent(value, decimals),
        Measure::Loss if decimals > 4 && value != 0.0 => format!("{value:.0e}"),
        Measure::Loss => plain(value, decimals),
    }
}

/// The inputs of a chart.
#[derive(Clone, Copy)]
pub struct Chart<'a> {
    /// The quantity drawn for each epoch.
    pub measure: Measure,
    /// Every epoch so far, in order.
    pub epochs: &'a [TrainingEpoch],
    /// The epoch with the best weights.
    pub best: Option<usize>,
    /// The epochs in view.
    pub span: Span,
    /// Scale of the loss; accuracy always has a linear scale.
    pub scale: Scale,
    /// The epoch under the crosshair, from 1.
    pub crosshair: Option<u64>,
}

/// The appearance of a series: training as a dotted line, validation as a solid one.
pub fn look(series: PlotSeries, glyphs: &Glyphs) -> (Role, &'static str) {
    match series {
        PlotSeries::Child => (Role::Child, glyphs.child),
        PlotSeries::Mean => (Role::Best, glyphs.star),
        PlotSeries::Chosen => (Role::Strong, glyphs.here),
        PlotSeries::Crosshair => (Role::Text, glyphs.vertical),
        _ => (Role::Mean, glyphs.mean),
    }
}

impl Chart<'_> {
    /// Draw the plot with its axes into rows `top..bottom` of the painter's area; `None` if there
    /// is no room.
    pub fn draw(&self, painter: &mut Painter<'_>, top: usize, bottom: usize) -> Option<Frame> {
        // The axis and its numbers are below the plot.
        let rows = bottom.saturating_sub(top + 2);
        let framing = Framing {
            is_log: self.scale == Scale::Log && self.measure == Measure::Loss,
            ticks: (2, 7),
            label: &|value, decimals| label(self.measure, value, decimals),
            least_gutter: LEAST_GUTTER,
        };
        let values = self.in_view().flat_map(|epoch| self.measure.of(epoch));
        let area = Rect::new(0, top as u16, painter.width() as u16, rows as u16);
        let frame = framing.around(values, area);
        if !frame.has_room(8) {
            return None;
        }
        let glyphs = painter.glyphs();
        let look = |series| look(series, glyphs);
        frame.plot(painter, |grid| self.fill(&frame, grid), look);
        self.number_epochs(painter, &frame);
        Some(frame)
    }

    fn in_view(&self) -> impl Iterator<Item = &TrainingEpoch> {
        self.epochs
            .iter()
            .filter(|epoch| self.span.contains(epoch.epoch as u64))
    }

    /// Epoch numbers at a round step below the axis, and the crosshair's foot on it.
    fn number_epochs(&self, painter: &mut Painter<'_>, frame: &Frame) {
        let (glyphs, floor) = (painter.glyphs(), frame.floor());
        let below = LabelRow {
            row: floor + 1,
            free: frame
                .left()
                .max(painter.text(0, floor + 1, Role::Dim, "epoch") + 1),
            gap: 1,
            mark: Some(glyphs.floor_label),
        };
        let most = (frame.columns / 8).clamp(2, 10) as u64;
        frame.label(painter, below, self.span.labels(most, frame.columns));
        let foot = self
            .crosshair
            .and_then(|epoch| self.span.column(epoch, frame.columns));
        if let Some(column) = foot {
            painter.text(frame.left() + column, floor, Role::Strong, glyphs.up);
        }
    }

    /// The series as dots.
    fn fill(&self, frame: &Frame, grid: &mut DotGrid) {
        let at = |epoch: &TrainingEpoch, which: usize| {
            let value = Some(self.measure.of(epoch)[which]).filter(|value| value.is_finite())?;
            let x = self.span.column(epoch.epoch as u64, grid.width())?;
            Some((x, frame.height_of(value, grid)))
        };
        let points = |which: usize| {
            self.in_view()
                .filter_map(|epoch| at(epoch, which))
                .collect::<Vec<_>>()
        };
        let (train, valid) = (points(0), points(1));
        let of_epoch = |number: Option<usize>| {
            self.in_view()
                .find(|epoch| Some(epoch.epoch) == number)
                .and_then(|epoch| at(epoch, 1))
        };
        let best = of_epoch(self.best);
        let chosen = of_epoch(self.crosshair.and_then(|epoch| usize::try_from(epoch).ok()));
        let column = self
            .crosshair
            .and_then(|epoch| self.span.column(epoch, grid.width()));

        grid.polyline(&train, PlotSeries::Child, Dash::Dots(2));
        for (x, y) in train {
            grid.dot(x, y, PlotSeries::Child);
        }
        let sparse = frame.columns as u64 / self.span.count() >= MARKER as u64;
        // Without Braille the markers of validation must not get lost in its line.
        if grid.has_dots() || !sparse {
            grid.polyline(&valid, PlotSeries::MeanLine, Dash::Solid);
        }
        for (x, y) in valid {
            if sparse {
                grid.marker(x, y, PlotSeries::Point)
            } else {
                grid.dot(x, y, PlotSeries::MeanLine)
            }
        }
        if let Some(x) = column {
            grid.crosshair(x);
        }
        if let Some((x, y)) = best {
            grid.marker(x, y, PlotSeries::Mean);
        }
        if let Some((x, y)) = chosen {
            grid.marker(x, y, PlotSeries::Chosen);
        }
    }
}

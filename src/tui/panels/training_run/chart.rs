//! Loss or accuracy over the epochs, of training and of validation, with the best epoch and the
//! crosshair.

use ratatui::layout::Rect;

use crate::analysis::series::Measure;
use crate::config::StageSpan;
use crate::event::TrainingEpoch;
use crate::state::TrainingRun;
use crate::tui::paint::Painter;
use crate::tui::panels::chart::Scale;
use crate::tui::plot::{Dash, DotGrid, Frame, Framing, LabelRow, PlotSeries, Span, percent, plain};
use crate::tui::theme::{Glyphs, Role};
use unicode_width::UnicodeWidthStr;

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
    pub training: &'a TrainingRun,
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
        PlotSeries::Boundary => (Role::Baseline, glyphs.boundary),
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
            most: self.measure.most(),
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
        let mut sizes = Vec::new();
        let fill = |grid: &mut DotGrid| {
            self.fill(&frame, grid);
            sizes = self.sizes(grid, glyphs.times);
        };
        frame.plot(painter, fill, look);
        frame.mark(painter, self.span);
        for (column, row, text) in sizes {
            painter.text(
                frame.left() + column,
                frame.top + row,
                Role::Baseline,
                &text,
            );
        }
        self.number_epochs(painter, &frame);
        Some(frame)
    }

    fn in_view(&self) -> impl Iterator<Item = &TrainingEpoch> {
        let epochs = self.training.epochs.iter();
        epochs.filter(|epoch| self.span.contains(epoch.epoch as u64))
    }

    /// Where the sizes of the images are written: column, row and text of each, beside the line at the
    /// first epoch of its stage, at the top of the plot or else at its bottom, wherever no curve is.
    fn sizes(&self, grid: &DotGrid, times: &str) -> Vec<(usize, usize, String)> {
        let (across, _) = grid.resolution();
        let (columns, rows) = grid.cells();
        let place = |part: StageSpan| {
            let shown = self.span.clip(part.first as u64, part.last as u64)?;
            let begins_in_view = part.number > 1 && shown.first == part.first as u64;
            let column = self.span.column(shown.first, grid.width())? / across;
            let start = column + usize::from(begins_in_view);
            let end = self.span.column(shown.last, columns)? + 1;
            let text = format!("{0}{times}{0}", part.stage.size);
            let cells = start..start + text.width();
            let row = [0, rows.checked_sub(1)?]
                .into_iter()
                .find(|row| cells.end <= end && grid.is_free(cells.clone(), *row))?;
            Some((start, row, text))
        };
        let spans = self.training.started.settings.stage_spans();
        spans.filter_map(place).collect()
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
        let of = |which: usize, epochs: &[TrainingEpoch]| {
            let points = epochs.iter().filter_map(|epoch| at(epoch, which));
            points.collect::<Vec<_>>()
        };
        // No line joins epochs on images of different sizes: they are not comparable.
        let by_size = self.training.by_size(&self.training.epochs);
        let lines: Vec<_> = by_size
            .iter()
            .map(|epochs| [of(0, epochs), of(1, epochs)])
            .collect();
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

        for (epoch, _) in self.training.size_changes() {
            if let Some(x) = self.span.column(epoch as u64, grid.width()) {
                grid.upright(x, PlotSeries::Boundary);
            }
        }
        let sparse = frame.columns as u64 / self.span.count() >= MARKER as u64;
        for [train, valid] in lines {
            grid.polyline(&train, PlotSeries::Child, Dash::Dots(2));
            for (x, y) in train {
                grid.dot(x, y, PlotSeries::Child);
            }
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
        }
        if let Some(x) = column {
            grid.upright(x, PlotSeries::Crosshair);
        }
        if let Some((x, y)) = best {
            grid.marker(x, y, PlotSeries::Mean);
        }
        if let Some((x, y)) = chosen {
            grid.marker(x, y, PlotSeries::Chosen);
        }
    }
}

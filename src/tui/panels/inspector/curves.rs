//! A child's learning curves: loss and accuracy after each epoch, as charts and figures.

use ratatui::layout::Rect;

use super::table::{RankedColumn, table};
use crate::analysis::series::Measure;
use crate::event::ChildEpoch;
use crate::tui::format;
use crate::tui::paint::{Painter, pieces_width};
use crate::tui::panels::{Content, Row};
use crate::tui::plot::{Dash, DotGrid, Frame, Framing, PlotSeries, percent, plain};
use crate::tui::theme::Role;

/// Minimum number of rows for a chart: its name, its axis, and some content.
const LEAST_CHART: usize = 7;
/// Number of columns from which on both charts are shown side by side.
const BOTH_CHARTS: usize = 60;

/// The figures of every epoch.
pub fn figures(epochs: &[ChildEpoch], width: usize) -> Content {
    let numbers = |heading, rank, text: &dyn Fn(&ChildEpoch) -> String| {
        RankedColumn::numbers(heading, rank, epochs.iter().map(text))
    };
    let columns = vec![
        numbers("epoch", 0, &|epoch| epoch.epoch.to_string()),
        numbers("train loss", 2, &|epoch| format::loss(epoch.train_loss)),
        numbers("valid loss", 1, &|epoch| format::loss(epoch.valid_loss)),
        numbers("train acc.", 2, &|epoch| {
            format::accuracy(epoch.train_accuracy)
        }),
        numbers("valid acc.", 0, &|epoch| {
            format::accuracy(epoch.valid_accuracy)
        }),
        numbers("learning rate", 3, &|epoch| {
            format::learning_rate(epoch.learning_rate)
        }),
        numbers("img/s", 4, &|epoch| {
            format::decimal(epoch.images_per_second, 0)
        }),
        numbers("seconds", 5, &|epoch| format::decimal(epoch.seconds, 1)),
    ];
    table(columns, width)
}

/// The number of rows, out of `height`, for the charts; the rest is for the figures.
pub fn chart_rows(epochs: usize, height: usize) -> usize {
    let rows = height - (epochs + 1).min(height / 2);
    if rows < LEAST_CHART { 0 } else { rows }
}

/// The charts at the top, the figures from row `first` on below them. `planned` is the number of
/// epochs planned.
pub fn draw(epochs: &[ChildEpoch], planned: usize, first: usize, painter: &mut Painter<'_>) {
    let area = painter.area();
    let rows = chart_rows(epochs.len(), painter.height());
    if rows > 0 {
        let planned = epochs
            .iter()
            .map(|epoch| epoch.epoch)
            .max()
            .unwrap_or(0)
            .max(planned);
        let chart = |measure: Measure| ChildChart {
            measure,
            planned,
            epochs,
        };
        let charts = [Measure::Loss, Measure::Accuracy].map(chart);
        let both = painter.width() >= BOTH_CHARTS;
        let shown = if both { &charts[..] } else { &charts[1..] };
        let width = (area.width + 2) / shown.len() as u16 - 2;
        for (index, chart) in shown.iter().enumerate() {
            let x = area.x + index as u16 * (width + 2);
            chart.draw(&mut painter.part(Rect {
                x,
                width,
                height: rows as u16,
                ..area
            }));
        }
    }
    let below = Rect {
        y: area.y + rows as u16,
        height: area.height - rows as u16,
        ..area
    };
    figures(epochs, painter.width()).draw(&mut painter.part(below), first);
}

/// Loss or accuracy over the epochs, of training and of validation.
struct ChildChart<'a> {
    measure: Measure,
    planned: usize,
    epochs: &'a [ChildEpoch],
}

impl ChildChart<'_> {
    fn draw(&self, painter: &mut Painter<'_>) {
        let glyphs = painter.glyphs();
        let legend: Row = vec![
            (Role::Title, self.measure.name().to_owned()),
            (Role::Mean, format!("  {}", glyphs.mean)),
            (Role::Dim, " validation".to_owned()),
            (Role::Child, format!("  {}", glyphs.child)),
            (Role::Dim, " training".to_owned()),
        ];
        let fits = if pieces_width(&legend) <= painter.width() {
            legend.len()
        } else {
            1
        };
        painter.pieces(0, 0, &legend[..fits]);
        let rows = painter.height().saturating_sub(3);
        let framing = Framing {
            is_log: false,
            most: self.measure.most(),
            ticks: (2, 6),
            label: match self.measure {
                Measure::Accuracy => &percent,
                Measure::Loss => &plain,
            },
            least_gutter: 0,
        };
        let values = self.epochs.iter().flat_map(|epoch| self.measure.of(epoch));
        let area = Rect::new(0, 1, painter.width() as u16, rows as u16);
        let frame = framing.around(values, area);
        if !frame.has_room(3) {
            return;
        }
        let look = |series| match series {
            PlotSeries::Child => (Role::Child, glyphs.child),
            _ => (Role::Mean, glyphs.mean),
        };
        frame.plot(painter, |grid| self.fill(&frame, grid), look);
        let below = frame.floor() + 1;
        painter.text(frame.left(), below, Role::Dim, "1");
        let end = format!("epoch {}", self.planned);
        painter.right(frame.left() + frame.columns, below, Role::Dim, &end);
    }

    /// Training as a line and, on top of it, validation as a line with a marker at each epoch.
    fn fill(&self, frame: &Frame, grid: &mut DotGrid) {
        let places = |which: usize, grid: &DotGrid| -> Vec<(usize, usize)> {
            let at = |epoch: &ChildEpoch| {
                let value =
                    Some(self.measure.of(epoch)[which]).filter(|value| value.is_finite())?;
                let x = epoch.epoch.saturating_sub(1) * (grid.width() - 1)
                    / self.planned.saturating_sub(1).max(1);
                Some((x, frame.height_of(value, grid)))
            };
            self.epochs.iter().filter_map(at).collect()
        };
        let (train, valid) = (places(0, grid), places(1, grid));
        grid.polyline(&train, PlotSeries::Child, Dash::Solid);
        for (x, y) in train {
            grid.dot(x, y, PlotSeries::Child);
        }
        // Without Braille the markers of validation must not get lost in its line.
        if grid.has_dots() {
            grid.polyline(&valid, PlotSeries::Mean, Dash::Solid);
        }
        for (x, y) in valid {
            grid.marker(x, y, PlotSeries::Mean);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_leave_room_for_the_figures() {
        assert_eq!(
            (chart_rows(3, 14), chart_rows(50, 14), chart_rows(3, 7)),
            (10, 7, 0)
        );
    }
}

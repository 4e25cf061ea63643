//! A child's learning curves: loss and accuracy after each epoch, drawn and in figures.

use ratatui::layout::Rect;

use super::table::{Column, table};
use crate::event::ChildEpoch;
use crate::tui::format;
use crate::tui::paint::{Painter, pieces_width};
use crate::tui::panels::{Content, Row};
use crate::tui::plot::{Axis, Dash, DotGrid, Series, braille};
use crate::tui::theme::Role;

/// Rows that a chart needs at least: its name, its axis, and something to see.
const LEAST_CHART: usize = 7;
/// Columns from which both charts stand side by side.
const BOTH_CHARTS: usize = 60;

/// The figures of every epoch.
pub fn figures(epochs: &[ChildEpoch], width: usize) -> Content {
    let numbers = |heading, rank, text: &dyn Fn(&ChildEpoch) -> String| {
        Column::numbers(heading, rank, epochs.iter().map(text))
    };
    let columns = vec![
        numbers("epoch", 0, &|epoch| epoch.epoch.to_string()),
        numbers("train loss", 2, &|epoch| format!("{:.4}", epoch.train_loss)),
        numbers("valid loss", 1, &|epoch| format!("{:.4}", epoch.valid_loss)),
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
            format!("{:.0}", epoch.images_per_second)
        }),
        numbers("seconds", 5, &|epoch| format!("{:.1}", epoch.seconds)),
    ];
    table(columns, width)
}

/// Rows of `height` that the charts take; the rest is for the figures.
pub fn chart_rows(epochs: usize, height: usize) -> usize {
    let rows = height - (epochs + 1).min(height / 2);
    if rows < LEAST_CHART { 0 } else { rows }
}

/// The charts on top, the figures from row `first` on below them. `planned` is how many epochs
/// there will be.
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
        let charts = [
            Chart {
                name: "loss",
                planned,
                epochs,
                values: |epoch| [epoch.train_loss, epoch.valid_loss],
                label: |v, d| format!("{v:.d$}"),
            },
            Chart {
                name: "accuracy",
                planned,
                epochs,
                values: |epoch| [epoch.train_accuracy, epoch.valid_accuracy],
                label: |value, decimals| {
                    format!("{:.*} %", decimals.saturating_sub(2), value * 100.0)
                },
            },
        ];
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

/// One quantity over the epochs, for training and validation.
struct Chart<'a> {
    name: &'static str,
    planned: usize,
    epochs: &'a [ChildEpoch],
    /// Of training and of validation.
    values: fn(&ChildEpoch) -> [f64; 2],
    /// A value of the axis with so many decimals.
    label: fn(f64, usize) -> String,
}

impl Chart<'_> {
    fn draw(&self, painter: &mut Painter<'_>) {
        let glyphs = painter.glyphs();
        let legend: Row = vec![
            (Role::Title, self.name.to_owned()),
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
        let axis = self.axis(rows);
        let gutter = axis
            .ticks()
            .map(|tick| (self.label)(tick, axis.decimals()).len())
            .max()
            .unwrap_or(0)
            + 1;
        if rows < 2 || painter.width() < gutter + 4 {
            return;
        }
        let columns = painter.width() - gutter - 1;
        self.draw_axes(painter, &axis, gutter, [columns, rows]);
        // Validation is drawn over training.
        for (which, role, glyph) in [(0, Role::Child, glyphs.child), (1, Role::Mean, glyphs.mean)] {
            let grid = self.grid(which, &axis, [columns, rows], glyphs.braille);
            for (column, row) in
                (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)))
            {
                let Some(mark) = grid.mark(column, row) else {
                    continue;
                };
                let dots = braille(mark.dots).to_string();
                let text = if glyphs.braille && !mark.marker {
                    dots.as_str()
                } else {
                    glyph
                };
                painter.text(gutter + 1 + column, 1 + row, role, text);
            }
        }
    }

    fn axis(&self, rows: usize) -> Axis {
        let values = self
            .epochs
            .iter()
            .flat_map(self.values)
            .filter(|value| value.is_finite());
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        Axis::covering(low, high, (rows / 2 + 1).clamp(2, 6))
    }

    fn draw_axes(
        &self,
        painter: &mut Painter<'_>,
        axis: &Axis,
        gutter: usize,
        [columns, rows]: [usize; 2],
    ) {
        let glyphs = painter.glyphs();
        for row in 0..rows {
            painter.text(gutter, 1 + row, Role::Dim, glyphs.axis);
        }
        for tick in axis.ticks() {
            let row = rows - 1 - (axis.fraction(tick) * (rows - 1) as f64).round() as usize;
            painter.right(
                gutter,
                1 + row,
                Role::Dim,
                &(self.label)(tick, axis.decimals()),
            );
            painter.text(gutter, 1 + row, Role::Dim, glyphs.axis_tick);
        }
        painter.text(gutter, 1 + rows, Role::Dim, glyphs.axis_corner);
        painter.text(
            gutter + 1,
            1 + rows,
            Role::Dim,
            &glyphs.floor.repeat(columns),
        );
        painter.text(gutter + 1, 2 + rows, Role::Dim, "1");
        painter.right(
            gutter + 1 + columns,
            2 + rows,
            Role::Dim,
            &format!("epoch {}", self.planned),
        );
    }

    /// Training (0) as a line, validation (1) as a line with a marker at each epoch.
    fn grid(
        &self,
        which: usize,
        axis: &Axis,
        [columns, rows]: [usize; 2],
        braille: bool,
    ) -> DotGrid {
        let mut grid = DotGrid::new(columns, rows, braille);
        let at = |epoch: &ChildEpoch| {
            let value = Some((self.values)(epoch)[which]).filter(|value| value.is_finite())?;
            let x = epoch.epoch.saturating_sub(1) * (grid.width() - 1)
                / self.planned.saturating_sub(1).max(1);
            Some((
                x,
                (axis.fraction(value) * (grid.height() - 1) as f64).round() as usize,
            ))
        };
        let points: Vec<(usize, usize)> = self.epochs.iter().filter_map(at).collect();
        // Without braille the markers of validation must not drown in its line.
        if which == 0 || grid.has_dots() {
            points
                .windows(2)
                .for_each(|pair| grid.line(pair[0], pair[1], Series::Mean, Dash::Solid));
        }
        for &(x, y) in &points {
            if which == 1 {
                grid.marker(x, y, Series::Mean)
            } else {
                grid.dot(x, y, Series::Mean)
            }
        }
        grid
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

//! Loss or accuracy over the epochs, of training and of validation, with the best epoch and the
//! crosshair.

use crate::event::TrainingEpoch;
use crate::tui::paint::Painter;
use crate::tui::panels::chart::{Scale, Span};
use crate::tui::plot::{Axis, Dash, DotGrid, LogAxis, Series, ValueAxis, braille, round_step};
use crate::tui::theme::{Glyphs, Role};

/// Columns of characters between two epochs that leave room for a marker at each.
const MARKER: usize = 3;
/// Columns that the labels of the values take at least: below them stands the name of the row of
/// rates.
const LEAST_GUTTER: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quantity {
    #[default]
    Accuracy,
    Loss,
}

impl Quantity {
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Accuracy => "accuracy",
            Quantity::Loss => "loss",
        }
    }

    pub fn other(self) -> Quantity {
        match self {
            Quantity::Accuracy => Quantity::Loss,
            Quantity::Loss => Quantity::Accuracy,
        }
    }

    /// Of training and of validation.
    fn values(self, epoch: &TrainingEpoch) -> [f64; 2] {
        match self {
            Quantity::Accuracy => [epoch.train_accuracy, epoch.valid_accuracy],
            Quantity::Loss => [epoch.train_loss, epoch.valid_loss],
        }
    }

    /// A value of the axis with so many decimals.
    fn label(self, value: f64, decimals: usize) -> String {
        match self {
            Quantity::Accuracy => format!("{:.*} %", decimals.saturating_sub(2), value * 100.0),
            Quantity::Loss if decimals > 4 && value != 0.0 => format!("{value:.0e}"),
            Quantity::Loss => format!("{value:.decimals$}"),
        }
    }
}

/// What a chart shows.
#[derive(Clone, Copy)]
pub struct Chart<'a> {
    pub quantity: Quantity,
    pub epochs: &'a [TrainingEpoch],
    /// The epoch with the best weights.
    pub best: Option<usize>,
    /// The epochs in view.
    pub span: Span,
    /// Of the loss; an accuracy is always on a linear scale.
    pub scale: Scale,
    pub crosshair: Option<u64>,
}

/// Where the plot lies in its painter's area.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub left: usize,
    pub columns: usize,
    /// First row, and rows.
    pub top: usize,
    pub rows: usize,
}

/// What a series looks like: training as a dotted line, validation as a solid one.
pub fn look(series: Series, glyphs: &Glyphs) -> (Role, &'static str) {
    match series {
        Series::Child => (Role::Child, glyphs.child),
        Series::Mean => (Role::Best, glyphs.star),
        Series::Chosen => (Role::Strong, glyphs.here),
        Series::Crosshair => (Role::Text, glyphs.vertical),
        _ => (Role::Mean, glyphs.mean),
    }
}

impl Chart<'_> {
    /// Draw the plot with its axes into rows `top..bottom` of the painter's area; none where there
    /// is no room.
    pub fn draw(&self, painter: &mut Painter<'_>, top: usize, bottom: usize) -> Option<Place> {
        // The floor and its numbers stand below the plot.
        let rows = bottom.saturating_sub(top + 2);
        let axis = self.axis((rows / 2 + 1).clamp(2, 7));
        let labels: Vec<(f64, String)> = axis
            .ticks()
            .into_iter()
            .map(|(value, decimals)| (value, self.quantity.label(value, decimals)))
            .collect();
        let gutter = labels
            .iter()
            .map(|(_, label)| label.len() + 1)
            .max()
            .unwrap_or(0)
            .max(LEAST_GUTTER);
        let columns = painter.width().saturating_sub(gutter + 1);
        if rows < 2 || columns < 8 {
            return None;
        }
        let place = Place {
            left: gutter + 1,
            columns,
            top,
            rows,
        };
        self.draw_values(painter, &axis, &labels, place);
        self.draw_floor(painter, place);
        self.show(painter, place, &axis);
        Some(place)
    }

    fn in_view(&self) -> impl Iterator<Item = &TrainingEpoch> {
        self.epochs
            .iter()
            .filter(|epoch| self.span.contains(epoch.epoch as u64))
    }

    /// The axis over all that is in view.
    fn axis(&self, ticks: usize) -> ValueAxis {
        let log = self.scale == Scale::Log && self.quantity == Quantity::Loss;
        let values = self.in_view().flat_map(|epoch| self.quantity.values(epoch));
        let (low, high) = values
            .filter(|value| value.is_finite() && (*value > 0.0 || !log))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        if log {
            ValueAxis::Log(LogAxis::covering(low, high, ticks))
        } else {
            ValueAxis::Linear(Axis::covering(low, high, ticks))
        }
    }

    fn draw_values(
        &self,
        painter: &mut Painter<'_>,
        axis: &ValueAxis,
        labels: &[(f64, String)],
        place: Place,
    ) {
        let glyphs = painter.glyphs();
        let gutter = place.left - 1;
        for row in 0..place.rows {
            painter.text(gutter, place.top + row, Role::Dim, glyphs.axis);
        }
        for (value, label) in labels {
            let row = place.top + place.rows
                - 1
                - (axis.fraction(*value) * (place.rows - 1) as f64).round() as usize;
            painter.right(gutter, row, Role::Dim, label);
            painter.text(gutter, row, Role::Dim, glyphs.axis_tick);
        }
    }

    /// The floor, and below it the numbers of epochs at a round step.
    fn draw_floor(&self, painter: &mut Painter<'_>, place: Place) {
        let glyphs = painter.glyphs();
        let floor = place.top + place.rows;
        painter.text(place.left - 1, floor, Role::Dim, glyphs.axis_corner);
        painter.text(
            place.left,
            floor,
            Role::Dim,
            &glyphs.floor.repeat(place.columns),
        );
        painter.text(0, floor + 1, Role::Dim, "epoch");
        let labels = (place.columns / 8).clamp(2, 10) as f64;
        let step = round_step((self.span.count() as f64 / labels).max(1.0)).min(1e18) as u64;
        let mut free = place.left.max("epoch".len() + 1);
        for epoch in (self.span.first.div_ceil(step)..)
            .map(|tick| tick.saturating_mul(step))
            .take_while(|epoch| *epoch <= self.span.last)
        {
            let Some(column) = self
                .span
                .column(epoch, place.columns)
                .map(|column| place.left + column)
            else {
                continue;
            };
            let text = epoch.to_string();
            let start = (column + 1)
                .saturating_sub(text.len().div_ceil(2))
                .min(place.left + place.columns - text.len());
            if start >= free {
                painter.text(start, floor + 1, Role::Dim, &text);
                painter.text(column, floor, Role::Dim, glyphs.floor_label);
                free = start + text.len() + 1;
            }
        }
        if let Some(column) = self
            .crosshair
            .and_then(|epoch| self.span.column(epoch, place.columns))
        {
            painter.text(place.left + column, floor, Role::Strong, glyphs.up);
        }
    }

    /// Draw the series into a grid of dots, and the grid on the screen.
    fn show(&self, painter: &mut Painter<'_>, place: Place, axis: &ValueAxis) {
        let glyphs = painter.glyphs();
        let grid = self.grid(axis, place, glyphs.braille);
        for (column, row) in
            (0..place.rows).flat_map(|row| (0..place.columns).map(move |column| (column, row)))
        {
            let Some(mark) = grid.mark(column, row) else {
                continue;
            };
            let (role, letter) = look(mark.series, glyphs);
            let (x, y) = (place.left + column, place.top + row);
            if glyphs.braille && !mark.marker {
                painter.text(x, y, role, braille(mark.dots).encode_utf8(&mut [0; 4]));
            } else {
                painter.text(x, y, role, letter);
            }
        }
    }

    fn grid(&self, axis: &ValueAxis, place: Place, braille: bool) -> DotGrid {
        let mut grid = DotGrid::new(place.columns, place.rows, braille);
        let (across, down) = grid.resolution();
        let at = |epoch: &TrainingEpoch, which: usize| {
            let value =
                Some(self.quantity.values(epoch)[which]).filter(|value| value.is_finite())?;
            let x = self.span.column(epoch.epoch as u64, grid.width())?;
            Some((
                x,
                (axis.fraction(value) * (grid.height() - 1) as f64).round() as usize,
            ))
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

        train
            .windows(2)
            .for_each(|pair| grid.line(pair[0], pair[1], Series::Child, Dash::Dots(2)));
        train
            .iter()
            .for_each(|&(x, y)| grid.dot(x, y, Series::Child));
        let sparse = place.columns as u64 / self.span.count() >= MARKER as u64;
        // Without braille the markers of validation must not drown in its line.
        if grid.has_dots() || !sparse {
            valid
                .windows(2)
                .for_each(|pair| grid.line(pair[0], pair[1], Series::MeanLine, Dash::Solid));
        }
        for &(x, y) in &valid {
            if sparse {
                grid.marker(x, y, Series::Point)
            } else {
                grid.dot(x, y, Series::MeanLine)
            }
        }
        if let Some(x) = column {
            (0..grid.height())
                .step_by(down)
                .for_each(|y| grid.marker(x / across * across, y, Series::Crosshair));
        }
        best.into_iter()
            .for_each(|(x, y)| grid.marker(x, y, Series::Mean));
        chosen
            .into_iter()
            .for_each(|(x, y)| grid.marker(x, y, Series::Chosen));
        grid
    }
}

//! The axes: round values at the left, child numbers and episodes below.

use super::data::Children;
use super::view::{Extent, Quantity, Span};
use crate::tui::paint::Painter;
use crate::tui::plot::{ValueAxis, round_step};
use crate::tui::theme::Role;

/// The labels of the values, with the value of each.
pub fn labels(axis: &ValueAxis, quantity: Quantity) -> Vec<(f64, String)> {
    let label = |(value, decimals): (f64, usize)| {
        let text = match quantity {
            Quantity::Accuracy => format!("{:.*} %", decimals.saturating_sub(2), value * 100.0),
            Quantity::Reward if decimals > 4 && value != 0.0 && value.abs() < 1e-3 => {
                format!("{value:.0e}")
            }
            Quantity::Reward => format!("{value:.decimals$}"),
        };
        (value, text)
    };
    axis.ticks().into_iter().map(label).collect()
}

/// The line at the left of a plot of `rows` rows, in column `gutter`, with its labels before it.
pub fn draw_values(
    painter: &mut Painter<'_>,
    axis: &ValueAxis,
    quantity: Quantity,
    gutter: usize,
    rows: usize,
) {
    for row in 0..rows {
        painter.text(gutter, row, Role::Dim, painter.glyphs().axis);
    }
    for (value, label) in labels(axis, quantity) {
        let row = rows - 1 - (axis.fraction(value) * (rows - 1) as f64).round() as usize;
        painter.right(gutter, row, Role::Dim, &label);
        painter.text(gutter, row, Role::Dim, painter.glyphs().axis_tick);
    }
}

/// The floor of a plot and the labels below it.
pub struct Floor<'a> {
    pub extent: &'a Extent,
    pub span: Span,
    /// First column of the plot, and its columns.
    pub left: usize,
    pub columns: usize,
    /// A row of episode numbers below that of child numbers.
    pub episodes: bool,
}

impl Floor<'_> {
    /// Draw it from `row` on.
    pub fn draw(
        &self,
        painter: &mut Painter<'_>,
        row: usize,
        children: &Children,
        crosshair: Option<u64>,
    ) {
        let glyphs = painter.glyphs();
        painter.text(self.left - 1, row, Role::Dim, glyphs.axis_corner);
        painter.text(
            self.left,
            row,
            Role::Dim,
            &glyphs.floor.repeat(self.columns),
        );
        for episode in self.shown_episodes(2) {
            if let Some(column) = self.column(self.extent.children(episode.saturating_add(1)).first)
            {
                painter.text(column, row, Role::Dim, glyphs.floor_tick);
            }
        }
        self.number_children(painter, row);
        if self.episodes {
            self.number_episodes(painter, row + 2);
        }
        for child in &children.failed {
            if let Some(column) = self.column(*child) {
                painter.text(column, row, Role::Error, glyphs.failed);
            }
        }
        if let Some(column) = crosshair.and_then(|child| self.column(child)) {
            painter.text(column, row, Role::Strong, glyphs.up);
        }
    }

    fn column(&self, child: u64) -> Option<usize> {
        self.span
            .column(child, self.columns)
            .map(|column| self.left + column)
    }

    fn number_children(&self, painter: &mut Painter<'_>, row: usize) {
        let glyphs = painter.glyphs();
        let labels = (self.columns / 7).clamp(2, 10) as u64;
        let step = round_step((self.span.count() as f64 / labels as f64).max(1.0)).min(1e18) as u64;
        let mut free = self.name(painter, row + 1, &["child"]);
        let ticks = (self.span.first.div_ceil(step)..).map(|tick| tick.saturating_mul(step));
        for child in ticks.take(12).take_while(|child| *child <= self.span.last) {
            let Some(column) = self.column(child) else {
                continue;
            };
            if let Some(end) = self.label(painter, row + 1, column, free, &child.to_string()) {
                painter.text(column, row, Role::Dim, glyphs.floor_label);
                free = end;
            }
        }
    }

    fn number_episodes(&self, painter: &mut Painter<'_>, row: usize) {
        let mut free = self.name(painter, row, &["episode", "ep."]);
        let widest = self.extent.episode(self.span.last).to_string().len();
        for episode in self.shown_episodes(widest + 2) {
            let Span { first, last } = self.extent.children(episode);
            let middle = self
                .span
                .clip(first, last)
                .map(|part| part.first + (part.last - part.first) / 2);
            if let Some(column) = middle.and_then(|child| self.column(child)) {
                free = self
                    .label(painter, row, column, free, &episode.to_string())
                    .unwrap_or(free);
            }
        }
    }

    /// The episodes in view that lie at least so many columns apart, at a round step.
    fn shown_episodes(&self, apart: usize) -> impl Iterator<Item = u64> + use<> {
        let (first, last) = (
            self.extent.episode(self.span.first),
            self.extent.episode(self.span.last),
        );
        let most = (self.columns / apart.max(1)).max(1) as u64;
        let step = round_step(((last - first + 1) as f64 / most as f64).max(1.0)).min(1e18) as u64;
        let ticks = (first.div_ceil(step)..).map(move |tick| tick.saturating_mul(step));
        ticks
            .take_while(move |episode| *episode <= last)
            .take(most as usize + 1)
    }

    /// Write the longest of the names that fits before the plot; the first free column after it.
    fn name(&self, painter: &mut Painter<'_>, row: usize, names: &[&str]) -> usize {
        let fitting = names.iter().find(|name| name.len() <= self.left);
        fitting.map_or(0, |name| {
            painter.text(self.left - name.len(), row, Role::Dim, name)
        })
    }

    /// Write `text` centred on `column`, if it begins after `free`; the first free column after it.
    fn label(
        &self,
        painter: &mut Painter<'_>,
        row: usize,
        column: usize,
        free: usize,
        text: &str,
    ) -> Option<usize> {
        let last = (self.left + self.columns).saturating_sub(text.len());
        let start = (column + 1)
            .saturating_sub(text.len().div_ceil(2))
            .min(last);
        (start > free).then(|| painter.text(start, row, Role::Dim, text) + 1)
    }
}

//! The labels of values, and the horizontal axis: child numbers and episodes.

use super::extent::Extent;
use crate::analysis::series::{Children, Quantity};
use crate::tui::paint::Painter;
use crate::tui::plot::{Frame, LabelRow, Span, percent, plain};
use crate::tui::theme::Role;

/// The label of a value on the axis with this many decimals.
pub fn label(quantity: Quantity, value: f64, decimals: usize) -> String {
    match quantity {
        Quantity::Accuracy => percent(value, decimals),
        Quantity::Reward if decimals > 4 && value != 0.0 && value.abs() < 1e-3 => {
            format!("{value:.0e}")
        }
        Quantity::Reward => plain(value, decimals),
    }
}

/// The horizontal axis of a plot with its labels.
pub struct Floor<'a> {
    /// The area of the plot.
    pub frame: &'a Frame,
    /// The extent of the children.
    pub extent: &'a Extent,
    /// The children in view.
    pub span: Span,
    /// Whether there is a row of episode numbers below that of child numbers.
    pub episodes: bool,
}

impl Floor<'_> {
    /// Draw the axis.
    pub fn draw(&self, painter: &mut Painter<'_>, children: &Children, crosshair: Option<u64>) {
        let (glyphs, row) = (painter.glyphs(), self.frame.floor());
        let firsts = self.shown_episodes(2).map(|episode| {
            let next = self.extent.children(episode.saturating_add(1));
            self.column(next.first)
        });
        let ticks: Vec<usize> = firsts.flatten().collect();
        for column in &ticks {
            painter.text(*column, row, Role::Dim, glyphs.floor_tick);
        }
        // Where an episode ends at a child whose number is below, neither mark may hide the other.
        let labels = self.number_children(painter, row).into_iter();
        let labels = labels.map(|column| self.frame.left() + column);
        for column in labels.filter(|column| ticks.contains(column)) {
            painter.text(column, row, Role::Dim, glyphs.junctions[3]);
        }
        if self.episodes {
            self.number_episodes(painter, row + 2);
        }
        for failed in &children.failed {
            if let Some(column) = self.column(failed.child) {
                painter.text(column, row, Role::Error, glyphs.failed);
            }
        }
        if let Some(column) = crosshair.and_then(|child| self.column(child)) {
            painter.text(column, row, Role::Strong, glyphs.up);
        }
    }

    fn column(&self, child: u64) -> Option<usize> {
        let column = self.span.column(child, self.frame.columns)?;
        Some(self.frame.left() + column)
    }

    /// Write the numbers of children, and return the columns of the plot that they are at.
    fn number_children(&self, painter: &mut Painter<'_>, row: usize) -> Vec<usize> {
        let below = LabelRow {
            row: row + 1,
            free: self.name(painter, row + 1, &["child"]) + 1,
            gap: 2,
            mark: Some(painter.glyphs().floor_label),
        };
        let most = (self.frame.columns / 7).clamp(2, 10) as u64;
        let children = self.span.labels(most, self.frame.columns);
        self.frame.label(painter, below, children)
    }

    fn number_episodes(&self, painter: &mut Painter<'_>, row: usize) {
        let below = LabelRow {
            row,
            free: self.name(painter, row, &["episode", "ep."]) + 1,
            gap: 2,
            mark: None,
        };
        let widest = self.extent.episode(self.span.last).to_string().len();
        let middle = |episode: u64| {
            let Span { first, last } = self.extent.children(episode);
            let part = self.span.clip(first, last)?;
            let middle = part.first + (part.last - part.first) / 2;
            Some((
                self.span.column(middle, self.frame.columns)?,
                episode.to_string(),
            ))
        };
        let episodes = self.shown_episodes(widest + 2).filter_map(middle);
        self.frame.label(painter, below, episodes);
    }

    /// The run's episodes in view at a round step such that they are at least this many columns apart.
    /// Those of runs beside it may have other children.
    fn shown_episodes(&self, apart: usize) -> impl Iterator<Item = u64> + use<> {
        let most = (self.frame.columns / apart.max(1)).max(1) as u64;
        let [first, last] =
            [self.span.first, self.span.last].map(|child| self.extent.episode(child));
        let of_run = self.extent.episode(self.extent.last());
        let shown = (first <= of_run).then_some(Span {
            first,
            last: last.min(of_run),
        });
        shown.into_iter().flat_map(move |span| span.ticks(most))
    }

    /// Write the longest name that fits before the plot; returns the first free column after it.
    fn name(&self, painter: &mut Painter<'_>, row: usize, names: &[&str]) -> usize {
        let left = self.frame.left();
        let fitting = names.iter().find(|name| name.len() <= left);
        fitting.map_or(0, |name| {
            painter.text(left - name.len(), row, Role::Dim, name)
        })
    }
}

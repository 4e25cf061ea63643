//! The plot: points and curves on a grid of dots.

use super::curves::{Curves, Stretch};
use super::others::{self, number};
use crate::analysis::series::{Children, stairs};
use crate::tui::plot::{Dash, DotGrid, Frame, PlotSeries, Span};
use crate::tui::theme::{Glyphs, Role};

/// The appearance of a series: its role, and its character in a legend and on terminals without
/// Braille.
pub fn look(series: PlotSeries, glyphs: &Glyphs) -> (Role, &'static str) {
    match series {
        PlotSeries::Band | PlotSeries::Quartile => (Role::Band, glyphs.band),
        PlotSeries::Child | PlotSeries::Point => (Role::Child, glyphs.child),
        PlotSeries::Crosshair => (Role::Text, glyphs.vertical),
        PlotSeries::Boundary => (Role::Baseline, glyphs.boundary),
        PlotSeries::Reference => (Role::Reference, glyphs.reference),
        PlotSeries::ControlMean => (Role::Reference, glyphs.control_mean),
        PlotSeries::Control => (Role::Reference, glyphs.control),
        PlotSeries::OtherLine(place) | PlotSeries::Other(place) => {
            (Role::OtherRun(place), number(place))
        }
        PlotSeries::Baseline => (Role::Baseline, glyphs.baseline),
        PlotSeries::Best => (Role::Best, glyphs.best),
        PlotSeries::BestRise => (Role::Best, glyphs.vertical),
        PlotSeries::Smooth => (Role::Smooth, glyphs.smooth),
        PlotSeries::Mean | PlotSeries::MeanLine => (Role::Mean, glyphs.mean),
        PlotSeries::Chosen => (Role::Strong, glyphs.chosen),
    }
}

/// Number of children per column of characters from which on their points form a cloud.
const CLOUD: u64 = 8;
/// Number of columns between two means that leaves room for a marker.
const MARKER: usize = 3;

/// Whether the means of episodes are so far apart that each has a marker, on a grid of `across` dots per
/// column of characters.
pub fn have_markers(means: &[(usize, f64)], across: usize) -> bool {
    let mut apart = means.windows(2).map(|pair| pair[1].0 - pair[0].0);
    apart.all(|dots| dots >= MARKER * across)
}

/// The plot of the children of `span` in `frame`.
pub struct Canvas<'a> {
    /// The children in view.
    pub span: Span,
    /// The area of the plot.
    pub frame: &'a Frame,
    /// What has been drawn so far.
    pub grid: &'a mut DotGrid,
}

impl Canvas<'_> {
    /// Draw the curves over the children, and the crosshair at a child number on top.
    pub fn plot(&mut self, children: &Children, curves: &Curves, crosshair: Option<u64>) {
        self.band(curves);
        self.points(children);
        self.line(&curves.reference, PlotSeries::Reference, Dash::Dots(3));
        // The best so far: level from one improvement to the next.
        let best = stairs(self.dots(&curves.best));
        let series = [PlotSeries::Best, PlotSeries::BestRise];
        self.grid.staircase(&best, series);
        self.levels(&curves.baseline);
        self.line(&curves.controls, PlotSeries::ControlMean, Dash::Even(4));
        self.line(&curves.smooth, PlotSeries::Smooth, Dash::Solid);
        self.means(&curves.mean);
        // Without their running mean they have no name in the legend.
        if !curves.controls.is_empty() {
            self.controls(children);
        }
        for (place, points) in &curves.others {
            self.other(*place, points);
        }
        if let Some(child) = crosshair {
            self.crosshair(children, child);
        }
    }

    fn height_of(&self, value: f64) -> usize {
        self.frame.height_of(value, self.grid)
    }

    fn points(&mut self, children: &Children) {
        // A single dot is hard to see: a child is drawn as large as possible without touching its
        // neighbours.
        let per_child = self.grid.width() as u64 / self.span.count();
        let dots = self.grid.has_dots();
        let (wide, high) = if dots {
            (
                per_child.clamp(1, 2) as usize,
                1 + usize::from(per_child > 0),
            )
        } else {
            (1, 1)
        };
        // While each child has its own column it must stay visible, so lines are interrupted for
        // it.
        let columns = self.grid.width() / self.grid.resolution().0;
        let series = if self.span.count() <= columns as u64 {
            PlotSeries::Point
        } else {
            PlotSeries::Child
        };
        let in_view = children.within(self.span.range()).iter();
        for point in in_view.filter(|point| !point.failed) {
            let Some(x) = self.span.column(point.child, self.grid.width()) else {
                continue;
            };
            let y = self.height_of(point.value);
            for (dx, dy) in (0..wide).flat_map(|dx| (0..high).map(move |dy| (dx, dy))) {
                self.grid
                    .dot((x / wide) * wide + dx, (y / high) * high + dy, series);
            }
        }
    }

    /// Controls are hollow, and on top of the lines: there are few of them.
    fn controls(&mut self, children: &Children) {
        for point in children.unfailed_controls() {
            if let Some(x) = self.span.column(point.child, self.grid.width()) {
                let y = self.height_of(point.value);
                self.grid.marker(x, y, PlotSeries::Control);
            }
        }
    }

    /// Shade the cells whose middle lies between the quartiles (at least one cell); over a cloud of
    /// points, which the shade would hide, only the cells of the quartiles themselves.
    fn band(&mut self, curves: &Curves) {
        let (across, down) = self.grid.resolution();
        let cloud = self.span.count() / (self.grid.width() / across).max(1) as u64 >= CLOUD;
        for (low, high) in curves
            .low
            .iter()
            .flat_map(columns)
            .zip(curves.high.iter().flat_map(columns))
        {
            let column = low.0 / across * across;
            let (from, to) = (self.height_of(low.1), self.height_of(high.1));
            if cloud {
                [from, to]
                    .into_iter()
                    .for_each(|y| self.grid.marker(column, y, PlotSeries::Quartile));
                continue;
            }
            let middle = |row: usize| (row as f64 + 0.5) * down as f64 - 0.5;
            let thin = (from + to) / 2 / down;
            for row in (from / down..=to / down)
                .filter(|row| (from as f64..=to as f64).contains(&middle(*row)) || *row == thin)
            {
                self.grid.marker(column, row * down, PlotSeries::Band);
            }
        }
    }

    fn line(&mut self, points: &[(usize, f64)], series: PlotSeries, dash: Dash) {
        let points = self.dots(points);
        self.grid.polyline(&points, series, dash);
    }

    /// Columns with the heights of their values.
    fn dots(&self, points: &[(usize, f64)]) -> Vec<(usize, usize)> {
        let dot = |(x, value): &(usize, f64)| (*x, self.height_of(*value));
        points.iter().map(dot).collect()
    }

    fn levels(&mut self, levels: &[Stretch]) {
        let mut before = None;
        for level in levels {
            let y = self.height_of(level.value);
            self.grid.line(
                (level.from, before.unwrap_or(y)),
                (level.from, y),
                PlotSeries::Baseline,
                Dash::Solid,
            );
            self.grid.line(
                (level.from, y),
                (level.to, y),
                PlotSeries::Baseline,
                Dash::Even(2),
            );
            before = Some(y);
        }
    }

    /// One marker per episode, joined by a dotted line; only the line if episodes are narrower than
    /// a marker.
    fn means(&mut self, points: &[(usize, f64)]) {
        let markers = have_markers(points, self.grid.resolution().0);
        if self.grid.has_dots() || !markers {
            self.line(
                points,
                PlotSeries::MeanLine,
                if markers { Dash::Even(1) } else { Dash::Solid },
            );
        }
        for (x, value) in points.iter().filter(|_| markers) {
            self.grid
                .marker(*x, self.height_of(*value), PlotSeries::Mean);
        }
    }

    /// The curve of another run, with its number now and then: at the same columns as those of the
    /// other runs only where there is no room.
    fn other(&mut self, place: u8, points: &[(usize, f64)]) {
        let line = PlotSeries::OtherLine(place);
        self.line(points, line, others::dash(place));
        let across = self.grid.resolution().0;
        let mut next = others::STAGGER * usize::from(place) * across;
        let last = points.last().map(|(x, _)| *x);
        for (x, value) in points {
            if *x >= next || Some(*x) == last {
                let y = self.height_of(*value);
                self.grid.marker(*x, y, PlotSeries::Other(place));
                next = x + others::APART * across;
            }
        }
    }

    /// A vertical line at a child, and a marker at its value.
    fn crosshair(&mut self, children: &Children, child: u64) {
        let Some(x) = self.span.column(child, self.grid.width()) else {
            return;
        };
        self.grid.upright(x, PlotSeries::Crosshair);
        let at_child = children.within(child..=child);
        for point in at_child.iter().filter(|point| !point.failed) {
            self.grid
                .marker(x, self.height_of(point.value), PlotSeries::Chosen);
        }
    }
}

fn columns(level: &Stretch) -> impl Iterator<Item = (usize, f64)> {
    let value = level.value;
    (level.from..=level.to).map(move |column| (column, value))
}

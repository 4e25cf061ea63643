//! The plot: points and curves on a grid of dots, and the grid on the screen.

use super::data::{Children, Curves, Level};
use super::view::Span;
use crate::tui::paint::Painter;
use crate::tui::plot::{Dash, DotGrid, Series, ValueAxis, braille};
use crate::tui::theme::{Glyphs, Role};

/// What a series looks like on the screen: its role, and its character in a legend and where there is no braille.
pub fn look(series: Series, glyphs: &Glyphs) -> (Role, &'static str) {
    match series {
        Series::Band => (Role::Band, glyphs.band),
        Series::Child => (Role::Child, glyphs.child),
        Series::Crosshair => (Role::Text, glyphs.vertical),
        Series::Reference => (Role::Reference, glyphs.reference),
        Series::Baseline => (Role::Baseline, glyphs.baseline),
        Series::Best => (Role::Best, glyphs.best),
        Series::Smooth => (Role::Smooth, glyphs.smooth),
        Series::Mean => (Role::Mean, glyphs.mean),
        Series::Chosen => (Role::Strong, glyphs.chosen),
    }
}

/// The plot of the children of `span` over `axis`.
pub struct Canvas<'a> {
    pub span: Span,
    pub axis: &'a ValueAxis,
    pub grid: DotGrid,
}

impl Canvas<'_> {
    pub fn plot(&mut self, children: &Children, curves: &Curves, crosshair: Option<u64>) {
        self.band(curves);
        self.points(children);
        self.line(&curves.reference, Series::Reference, Dash::Dots(3));
        self.stairs(&curves.best);
        self.levels(&curves.baseline);
        self.line(&curves.smooth, Series::Smooth, Dash::Solid);
        self.means(&curves.mean);
        if let Some(child) = crosshair {
            self.crosshair(children, child);
        }
    }

    fn height_of(&self, value: f64) -> usize {
        (self.axis.fraction(value) * self.grid.height().saturating_sub(1) as f64).round() as usize
    }

    fn points(&mut self, children: &Children) {
        // A lone dot is hard to see: a child is as large as leaves its neighbours apart.
        let per_child = self.grid.width() as u64 / self.span.count();
        let dots = self.grid.has_dots();
        let (wide, high) = if dots { (per_child.clamp(1, 2) as usize, 1 + usize::from(per_child > 0)) } else { (1, 1) };
        for point in children.within(self.span).iter().filter(|point| !point.failed) {
            let Some(x) = self.span.column(point.child, self.grid.width()) else { continue };
            let y = self.height_of(point.value);
            for (dx, dy) in (0..wide).flat_map(|dx| (0..high).map(move |dy| (dx, dy))) {
                self.grid.dot((x / wide) * wide + dx, (y / high) * high + dy, Series::Child);
            }
        }
    }

    /// A shade in the cells whose middle lies between the quartiles, in one cell at least.
    fn band(&mut self, curves: &Curves) {
        let (across, down) = self.grid.resolution();
        for (low, high) in curves.low.iter().flat_map(columns).zip(curves.high.iter().flat_map(columns)) {
            let (from, to) = (self.height_of(low.1) as f64, self.height_of(high.1) as f64);
            let rows = self.grid.height() / down;
            let middle = |row: usize| (row as f64 + 0.5) * down as f64 - 0.5;
            let thin = ((from + to) / 2.0) as usize / down;
            for row in (0..rows).filter(|row| (from..=to).contains(&middle(*row)) || *row == thin) {
                self.grid.marker(low.0 / across * across, row * down, Series::Band);
            }
        }
    }

    fn line(&mut self, points: &[(usize, f64)], series: Series, dash: Dash) {
        let mut before = None;
        for (x, value) in points {
            let here = (*x, self.height_of(*value));
            self.grid.line(before.unwrap_or(here), here, series, dash);
            before = Some(here);
        }
    }

    /// The best so far: level from one improvement to the next.
    fn stairs(&mut self, points: &[(usize, f64)]) {
        let mut before: Option<(usize, usize)> = None;
        for (x, value) in points {
            let y = self.height_of(*value);
            let (from, level) = before.unwrap_or((*x, y));
            self.grid.line((from, level), (*x, level), Series::Best, Dash::Solid);
            self.grid.line((*x, level), (*x, y), Series::Best, Dash::Solid);
            before = Some((*x, y));
        }
    }

    fn levels(&mut self, levels: &[Level]) {
        let mut before = None;
        for level in levels {
            let y = self.height_of(level.value);
            self.grid.line((level.from, before.unwrap_or(y)), (level.from, y), Series::Baseline, Dash::Solid);
            self.grid.line((level.from, y), (level.to, y), Series::Baseline, Dash::Even(2));
            before = Some(y);
        }
    }

    /// One marker per episode, joined by a dotted line.
    fn means(&mut self, points: &[(usize, f64)]) {
        if self.grid.has_dots() {
            self.line(points, Series::Mean, Dash::Even(1));
        }
        for (x, value) in points {
            self.grid.marker(*x, self.height_of(*value), Series::Mean);
        }
    }

    /// A vertical line at a child, and a marker at its value.
    fn crosshair(&mut self, children: &Children, child: u64) {
        let Some(x) = self.span.column(child, self.grid.width()) else { return };
        let (across, down) = self.grid.resolution();
        for y in (0..self.grid.height()).step_by(down) {
            self.grid.marker(x / across * across, y, Series::Crosshair);
        }
        let at_child = children.within(Span { first: child, last: child });
        for point in at_child.iter().filter(|point| !point.failed) {
            self.grid.marker(x, self.height_of(point.value), Series::Chosen);
        }
    }

    /// Write the grid into the upper left corner of the painter's area.
    pub fn show(&self, painter: &mut Painter<'_>) {
        let glyphs = painter.glyphs();
        let (across, down) = self.grid.resolution();
        let (columns, rows) = (self.grid.width() / across, self.grid.height() / down);
        for (column, row) in (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row))) {
            let Some(mark) = self.grid.mark(column, row) else { continue };
            let (role, letter) = look(mark.series, glyphs);
            if glyphs.braille && !mark.marker {
                painter.text(column, row, role, braille(mark.dots).encode_utf8(&mut [0; 4]));
            } else {
                painter.text(column, row, role, letter);
            }
        }
    }
}

fn columns(level: &Level) -> impl Iterator<Item = (usize, f64)> {
    let value = level.value;
    (level.from..=level.to).map(move |column| (column, value))
}

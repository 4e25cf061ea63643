//! A grid of dots in character cells: eight dots per cell in Braille, one in ASCII.

use std::ops::Range;

use crate::tui::paint::Painter;
use crate::tui::theme::Role;

/// The series shown in a cell: the topmost one wins the cell, so that lines remain visible where
/// they cross clouds of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlotSeries {
    /// Between the quartiles of an episode; below everything else, so that it hides no point.
    Band,
    /// Where the size of the images changes: below every curve.
    Boundary,
    Child,
    /// The quartiles themselves, if the points form a cloud that hides the shade between them.
    Quartile,
    /// The line of the crosshair, visible through any cloud of points.
    Crosshair,
    Reference,
    /// The running mean of the controls; the controls themselves are on top.
    ControlMean,
    Baseline,
    /// From one level of the best so far up to the next, where it has a character of its own.
    BestRise,
    Best,
    /// The curve of another run, by its place among them from 0.
    OtherLine(u8),
    /// From one mean to the next; the means themselves are on top.
    MeanLine,
    Smooth,
    /// A child, if there are so few that none may be hidden by a line.
    Point,
    Control,
    /// The number of another run on its curve.
    Other(u8),
    Mean,
    /// The child under the crosshair.
    Chosen,
}

/// Which dots along a line are drawn, so that lines also differ without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dash {
    Solid,
    /// Equally many dots on and off.
    Even(usize),
    /// One dot in this many.
    Dots(usize),
}

impl Dash {
    fn has(self, x: usize) -> bool {
        match self {
            Dash::Solid => true,
            Dash::Even(dots) => x % (2 * dots.max(1)) < dots.max(1),
            Dash::Dots(period) => x.is_multiple_of(period.max(1)),
        }
    }
}

/// A cell that is not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CellMark {
    series: PlotSeries,
    /// Braille dots, as bits of the code points from U+2800.
    dots: u8,
    /// Whether a marker occupies the whole cell.
    marker: bool,
}

/// A grid of `columns` x `rows` cells. Dots are counted from the lower left corner.
#[derive(Debug, Clone)]
pub struct DotGrid {
    columns: usize,
    rows: usize,
    /// Dots per cell, horizontally and vertically.
    resolution: (usize, usize),
    marks: Vec<Option<CellMark>>,
}

impl DotGrid {
    /// An empty grid: 2 x 4 dots per cell in `braille`, otherwise one.
    pub fn new(columns: usize, rows: usize, braille: bool) -> DotGrid {
        let resolution = if braille { (2, 4) } else { (1, 1) };
        DotGrid {
            columns,
            rows,
            resolution,
            marks: vec![None; columns * rows],
        }
    }

    /// Whether a cell holds several dots.
    pub fn has_dots(&self) -> bool {
        self.resolution != (1, 1)
    }

    /// Dots per cell, horizontally and vertically.
    pub fn resolution(&self) -> (usize, usize) {
        self.resolution
    }

    /// Number of cells horizontally and vertically.
    pub fn cells(&self) -> (usize, usize) {
        (self.columns, self.rows)
    }

    /// Number of dots horizontally.
    pub fn width(&self) -> usize {
        self.columns * self.resolution.0
    }

    /// Number of dots vertically.
    pub fn height(&self) -> usize {
        self.rows * self.resolution.1
    }

    /// The cell in `column` of `row`, from the upper left corner.
    #[cfg(test)]
    fn mark(&self, column: usize, row: usize) -> Option<CellMark> {
        self.marks
            .get(row * self.columns + column)
            .copied()
            .flatten()
    }

    /// Set a dot; one outside the grid is ignored.
    pub fn dot(&mut self, x: usize, y: usize, series: PlotSeries) {
        self.put(x, y, series, false);
    }

    /// A marker that fills a cell.
    pub fn marker(&mut self, x: usize, y: usize, series: PlotSeries) {
        self.put(x, y, series, true);
    }

    /// A straight line of dots.
    pub fn line(
        &mut self,
        from: (usize, usize),
        to: (usize, usize),
        series: PlotSeries,
        dash: Dash,
    ) {
        let (dx, dy) = (to.0.abs_diff(from.0), to.1.abs_diff(from.1));
        let steps = dx.max(dy);
        for step in 0..=steps {
            let between = |a: usize, b: usize| match steps {
                0 => a,
                _ if b >= a => a + ((b - a) * step + steps / 2) / steps,
                _ => a - ((a - b) * step + steps / 2) / steps,
            };
            let (x, y) = (between(from.0, to.0), between(from.1, to.1));
            if dash.has(x) {
                self.dot(x, y, series);
            }
        }
    }

    /// A line through all of `points`.
    pub fn polyline(&mut self, points: &[(usize, usize)], series: PlotSeries, dash: Dash) {
        for pair in points.windows(2) {
            self.line(pair[0], pair[1], series, dash);
        }
    }

    /// The levels of a staircase through `points`, and the rises between them. Without Braille a rise is a
    /// series of its own, because no character suits both.
    pub fn staircase(&mut self, points: &[(usize, usize)], [level, rise]: [PlotSeries; 2]) {
        for pair in points.windows(2) {
            let is_rise = pair[0].0 == pair[1].0 && !self.has_dots();
            let series = if is_rise { rise } else { level };
            self.line(pair[0], pair[1], series, Dash::Solid);
        }
    }

    /// A line of markers from bottom to top through the cells of `x`.
    pub fn upright(&mut self, x: usize, series: PlotSeries) {
        let (across, down) = self.resolution;
        for y in (0..self.height()).step_by(down) {
            self.marker(x / across * across, y, series);
        }
    }

    /// Whether nothing is drawn in these columns of `row`, counted from the upper left corner.
    pub fn is_free(&self, columns: Range<usize>, row: usize) -> bool {
        columns.end <= self.columns
            && row < self.rows
            && self.marks[row * self.columns..][columns]
                .iter()
                .all(Option::is_none)
    }

    /// Write the grid into the area of `painter` from column `left` of row `top` on, with the
    /// appearance that `look` returns for each series: its role, and its character for markers and
    /// without Braille.
    pub fn show(
        &self,
        painter: &mut Painter<'_>,
        (left, top): (usize, usize),
        look: impl Fn(PlotSeries) -> (Role, &'static str),
    ) {
        for (index, mark) in self.marks.iter().enumerate() {
            let Some(mark) = mark else { continue };
            let (x, y) = (left + index % self.columns, top + index / self.columns);
            let (role, letter) = look(mark.series);
            if self.has_dots() && !mark.marker {
                painter.text(x, y, role, braille(mark.dots).encode_utf8(&mut [0; 4]));
            } else {
                painter.text(x, y, role, letter);
            }
        }
    }

    /// Column and row, from the upper left corner, of the cell that contains a dot of the grid.
    pub fn cell(&self, (x, y): (usize, usize)) -> (usize, usize) {
        let (across, down) = self.resolution;
        (x / across, (self.height() - 1 - y) / down)
    }

    fn put(&mut self, x: usize, y: usize, series: PlotSeries, marker: bool) {
        if x >= self.width() || y >= self.height() {
            return;
        }
        let (column, row) = self.cell((x, y));
        let dots = if self.has_dots() {
            braille_dot(x % 2, (self.height() - 1 - y) % 4)
        } else {
            1
        };
        let cell = &mut self.marks[row * self.columns + column];
        match cell {
            Some(mark) if mark.series > series => {}
            Some(mark) if mark.series == series => {
                mark.dots |= dots;
                mark.marker |= marker;
            }
            _ => {
                *cell = Some(CellMark {
                    series,
                    dots,
                    marker,
                })
            }
        }
    }
}

/// The bit of the dot in `column` (0..2) of `row` (0..4, from the top).
fn braille_dot(column: usize, row: usize) -> u8 {
    const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
    BITS[row][column]
}

/// The Braille character with these dots.
fn braille(dots: u8) -> char {
    char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tui::sample;

    #[test]
    fn a_line_keeps_its_cell_where_points_lie_under_it() {
        let mut grid = DotGrid::new(1, 1, true);
        grid.dot(0, 0, PlotSeries::Child);
        grid.line((0, 3), (1, 3), PlotSeries::Mean, Dash::Solid);
        grid.dot(1, 0, PlotSeries::Child);
        assert_eq!(grid.mark(0, 0).map(|mark| braille(mark.dots)), Some('⠉'));
    }

    #[test]
    fn only_without_braille_do_the_rises_of_a_staircase_have_a_character_of_their_own() {
        let shown = |braille: bool| {
            let series = [PlotSeries::Best, PlotSeries::BestRise];
            sample::drawn((3, 3), !braille, |painter| {
                let mut grid = DotGrid::new(3, 3, braille);
                let top = grid.height() - 1;
                let middle = grid.width() / 2;
                grid.staircase(
                    &[(0, 0), (middle, 0), (middle, top), (grid.width() - 1, top)],
                    series,
                );
                let letter = |series| if series == PlotSeries::Best { "=" } else { "|" };
                grid.show(painter, (0, 0), |series| (Role::Best, letter(series)));
            })
        };
        assert_eq!(shown(false), " ==\n |\n==");
        assert!(!shown(true).contains('|'), "{}", shown(true));
    }

    #[test]
    fn dots_outside_the_grid_are_dropped() {
        let mut grid = DotGrid::new(2, 1, true);
        grid.dot(4, 0, PlotSeries::Child);
        grid.dot(0, 4, PlotSeries::Child);
        assert_eq!((grid.mark(0, 0), grid.mark(1, 0)), (None, None));
    }

    proptest! {
        #[test]
        fn any_line_stays_in_the_grid(from in (0usize..50, 0usize..50), to in (0usize..50, 0usize..50), dots in 0usize..4) {
            DotGrid::new(10, 5, true).line(from, to, PlotSeries::Best, Dash::Even(dots));
            DotGrid::new(10, 5, false).line(from, to, PlotSeries::Best, Dash::Dots(dots));
        }
    }
}

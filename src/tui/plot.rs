//! A grid of dots in character cells: eight dots a cell in braille, one in ASCII, and axes with round values.

/// What a cell shows: the series on top wins the cell, so that lines stay lines where they cross clouds of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Series {
    Child,
    Baseline,
    Best,
    Mean,
}

/// A cell that has something in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub series: Series,
    /// Braille dots, as in the code points from U+2800.
    pub dots: u8,
    /// A marker that stands for the whole cell.
    pub marker: bool,
}

/// A grid of `columns` x `rows` cells. Dots count from the lower left corner.
#[derive(Debug, Clone)]
pub struct DotGrid {
    columns: usize,
    rows: usize,
    /// Dots per cell, across and down.
    resolution: (usize, usize),
    marks: Vec<Option<Mark>>,
}

impl DotGrid {
    pub fn new(columns: usize, rows: usize, braille: bool) -> DotGrid {
        let resolution = if braille { (2, 4) } else { (1, 1) };
        DotGrid { columns, rows, resolution, marks: vec![None; columns * rows] }
    }

    /// Whether a cell holds several dots.
    pub fn has_dots(&self) -> bool {
        self.resolution != (1, 1)
    }

    /// Dots across.
    pub fn width(&self) -> usize {
        self.columns * self.resolution.0
    }

    /// Dots from bottom to top.
    pub fn height(&self) -> usize {
        self.rows * self.resolution.1
    }

    /// The cell in `column` of `row`, from the upper left corner.
    pub fn mark(&self, column: usize, row: usize) -> Option<Mark> {
        self.marks.get(row * self.columns + column).copied().flatten()
    }

    pub fn dot(&mut self, x: usize, y: usize, series: Series) {
        self.put(x, y, series, false);
    }

    /// A marker as large as a cell.
    pub fn marker(&mut self, x: usize, y: usize, series: Series) {
        self.put(x, y, series, true);
    }

    /// A straight line of dots; with `dash`, only where x is in the first half of each `2 * dash` dots.
    pub fn line(&mut self, from: (usize, usize), to: (usize, usize), series: Series, dash: Option<usize>) {
        let (dx, dy) = (to.0.abs_diff(from.0), to.1.abs_diff(from.1));
        let steps = dx.max(dy);
        for step in 0..=steps {
            let between = |a: usize, b: usize| match steps {
                0 => a,
                _ if b >= a => a + ((b - a) * step + steps / 2) / steps,
                _ => a - ((a - b) * step + steps / 2) / steps,
            };
            let (x, y) = (between(from.0, to.0), between(from.1, to.1));
            if dash.is_none_or(|dash| x % (2 * dash.max(1)) < dash.max(1)) {
                self.dot(x, y, series);
            }
        }
    }

    fn put(&mut self, x: usize, y: usize, series: Series, marker: bool) {
        if x >= self.width() || y >= self.height() {
            return;
        }
        let (across, down) = self.resolution;
        let from_top = self.height() - 1 - y;
        let cell = &mut self.marks[from_top / down * self.columns + x / across];
        let dots = if down == 4 { braille_dot(x % 2, from_top % 4) } else { 1 };
        match cell {
            Some(mark) if mark.series > series => {}
            Some(mark) if mark.series == series => {
                mark.dots |= dots;
                mark.marker |= marker;
            }
            _ => *cell = Some(Mark { series, dots, marker }),
        }
    }
}

/// The bit of the dot in `column` (0..2) of `row` (0..4, from the top).
fn braille_dot(column: usize, row: usize) -> u8 {
    const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
    BITS[row][column]
}

/// The braille character with these dots.
pub fn braille(dots: u8) -> char {
    char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ')
}

/// An axis from `low` to `high` with values at multiples of `step`, a 1, 2 or 5 times a power of ten.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    pub low: f64,
    pub high: f64,
    pub step: f64,
}

impl Axis {
    /// The tightest axis over `low..=high` with at most `ticks` values (at least two).
    pub fn covering(low: f64, high: f64, ticks: usize) -> Axis {
        let (low, high) = if low.is_finite() && high.is_finite() && low <= high { (low, high) } else { (0.0, 1.0) };
        // A flat series still needs a height; one per mille of its size, but something at zero.
        let span = (high - low).max(high.abs().max(low.abs()) * 1e-3).max(1e-6);
        let mut step = round_step(span / ticks.max(2) as f64);
        loop {
            let (from, mut to) = ((low / step + 1e-9).floor() * step, (high / step - 1e-9).ceil() * step);
            if to <= from {
                to = from + step;
            }
            if (((to - from) / step).round() as usize) < ticks.max(2) {
                return Axis { low: from, high: to, step };
            }
            step = round_step(step * 1.5);
        }
    }

    /// Where `value` is between low (0) and high (1).
    pub fn fraction(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    pub fn ticks(&self) -> impl Iterator<Item = f64> + use<> {
        let Axis { low, high, step } = *self;
        let count = ((high - low) / step).round() as usize;
        (0..=count).map(move |index| low + index as f64 * step)
    }

    /// Decimals that tell its values apart.
    pub fn decimals(&self) -> usize {
        (-self.step.log10().floor()).clamp(0.0, 9.0) as usize
    }
}

/// The smallest of 1, 2 or 5 times a power of ten that is not below `step`.
pub fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let leading = step / power;
    let rounded = [1.0, 2.0, 5.0].into_iter().find(|candidate| leading <= candidate * (1.0 + 1e-9)).unwrap_or(10.0);
    rounded * power
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_keeps_its_cell_where_points_lie_under_it() {
        let mut grid = DotGrid::new(1, 1, true);
        grid.dot(0, 0, Series::Child);
        grid.line((0, 3), (1, 3), Series::Mean, None);
        grid.dot(1, 0, Series::Child);
        assert_eq!(grid.mark(0, 0).map(|mark| braille(mark.dots)), Some('⠉'));
    }

    #[test]
    fn dots_outside_the_grid_are_dropped() {
        let mut grid = DotGrid::new(2, 1, true);
        grid.dot(4, 0, Series::Child);
        grid.dot(0, 4, Series::Child);
        assert_eq!((grid.mark(0, 0), grid.mark(1, 0)), (None, None));
    }

    #[test]
    fn axes_are_round() {
        let axis = Axis::covering(0.413, 0.678, 5);
        assert_eq!((axis.low, axis.step, axis.decimals()), (0.4, 0.1, 1));
        assert_eq!(axis.ticks().count(), 4);
        assert_eq!(Axis::covering(0.5, 0.5, 4).decimals(), 4);
    }

    proptest! {
        #[test]
        fn an_axis_covers_its_values_with_no_more_ticks_than_fit(low in -1e3..1e3f64, span in 0.0..1e3f64, ticks in 2usize..20) {
            let axis = Axis::covering(low, low + span, ticks);
            let slack = axis.step * 1e-6;
            prop_assert!(axis.low <= low + slack && axis.high >= low + span - slack && axis.low < axis.high);
            prop_assert!(axis.ticks().count() <= ticks);
            let leading = axis.step / 10f64.powf(axis.step.log10().floor());
            prop_assert!([1.0, 2.0, 5.0, 10.0].iter().any(|round| (leading - round).abs() < 1e-6), "step {}", axis.step);
        }

        #[test]
        fn any_line_stays_in_the_grid(from in (0usize..50, 0usize..50), to in (0usize..50, 0usize..50), dash in proptest::option::of(0usize..4)) {
            DotGrid::new(10, 5, true).line(from, to, Series::Best, dash);
        }
    }
}

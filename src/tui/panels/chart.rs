//! The reward chart: every child as a point, the mean of each episode, the baseline, and the best so far.
//!
//! Whatever the length of the run, a chart holds one dot grid and one value per dot column.

use ratatui::layout::Rect;

use super::Row;
use crate::state::{ChildRow, RunState};
use crate::tui::app::App;
use crate::tui::paint::{Painter, pieces_width};
use crate::tui::plot::{Axis, DotGrid, Series, braille, round_step};
use crate::tui::theme::{Glyphs, Role};
use crate::tui::view::{Panel, Quantity};

/// Rows below the plot: the axis and its numbers.
const AXIS_ROWS: usize = 2;

pub fn draw(app: &App, painter: &mut Painter<'_>) {
    let (name, full_name) = names(app);
    let height = painter.height();
    let failed = app.state().children.iter().any(|child| child.accuracy.is_none());
    let legends = [("   ", failed), ("  ", false), (" ", false)];
    let legends = legends.map(|(gap, failed)| legend(app.view.quantity, painter.glyphs(), gap, failed));
    // The longest name and legend that fit; the legend matters more.
    let room = painter.width().saturating_sub(5);
    let candidates = legends.iter().flat_map(|legend| [(full_name.as_str(), legend), (name, legend)]);
    let fits = |(name, legend): &(&str, &Row)| name.len() + pieces_width(legend) <= room;
    let (title, legend) = candidates.into_iter().find(fits).unwrap_or((name, &legends[2]));
    super::title(painter, app.view.focus == Panel::Chart, title, legend, None);
    let plot_rows = height.saturating_sub(1 + AXIS_ROWS);
    if plot_rows < 2 || painter.width() < 20 {
        return;
    }
    let chart = Chart::of(app.state(), app.view.quantity, plot_rows);
    chart.draw(painter, plot_rows);
}

/// Short and long name of what is shown.
fn names(app: &App) -> (&'static str, String) {
    match app.view.quantity {
        Quantity::Accuracy => ("Accuracy", "Validation accuracy".to_owned()),
        Quantity::Reward => {
            let power = app.state().run.as_ref().map_or(3.0, |run| run.reward_power);
            ("Reward", if power == 1.0 { "Reward = accuracy".to_owned() } else { format!("Reward = accuracy^{power}") })
        }
    }
}

fn legend(quantity: Quantity, glyphs: &Glyphs, gap: &str, failed: bool) -> Row {
    let mut entries = vec![(Role::Child, glyphs.child, "child"), (Role::Mean, glyphs.mean, "mean")];
    if quantity == Quantity::Reward {
        entries.push((Role::Baseline, glyphs.baseline, "baseline"));
    }
    entries.push((Role::Best, glyphs.best, "best"));
    if failed {
        entries.push((Role::Error, glyphs.failed, "failed"));
    }
    let last = entries.len() - 1;
    let entry = |(index, (role, glyph, label)): (usize, (Role, &str, &str))| {
        let gap = if index < last { gap } else { "" };
        [(role, glyph.to_owned()), (Role::Dim, format!(" {label}{gap}"))]
    };
    entries.into_iter().enumerate().flat_map(entry).collect()
}

/// The run as a chart needs it.
struct Chart<'a> {
    state: &'a RunState,
    quantity: Quantity,
    /// Child number at the right edge.
    last_child: u64,
    children_per_episode: u64,
    axis: Axis,
}

impl<'a> Chart<'a> {
    fn of(state: &'a RunState, quantity: Quantity, plot_rows: usize) -> Chart<'a> {
        let run = state.run.as_ref();
        let children_per_episode = run.map_or(16, |run| run.children_per_episode.max(1)) as u64;
        let total = run.map_or(u64::MAX, |run| (run.episodes * run.children_per_episode) as u64).max(1);
        let newest = state.children.iter().map(|child| child.child).max().unwrap_or(0).max(1);
        let episodes = round_step(newest.div_ceil(children_per_episode) as f64).ceil() as u64;
        let last_child = (episodes * children_per_episode).min(total.max(newest));
        let mut chart = Chart { state, quantity, last_child, children_per_episode, axis: Axis { low: 0.0, high: 1.0, step: 0.5 } };
        chart.axis = chart.value_axis((plot_rows * 2 / 5 + 1).clamp(3, 9));
        chart
    }

    fn value_axis(&self, ticks: usize) -> Axis {
        let children = self.state.children.iter().filter_map(|child| self.value(child));
        let baselines = self.state.episodes.iter().map(|episode| episode.baseline).chain(self.state.baseline);
        let baselines = baselines.filter(|_| self.quantity == Quantity::Reward && !self.state.children.is_empty());
        let (low, high) = children
            .chain(baselines)
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        Axis::covering(low, high, ticks)
    }

    /// A failed child has no accuracy; its reward of 0 is shown as a mark on the axis, not as a point.
    fn value(&self, child: &ChildRow) -> Option<f64> {
        let accuracy = child.accuracy?;
        Some(if self.quantity == Quantity::Accuracy { accuracy } else { child.reward })
    }

    fn label(&self, value: f64) -> String {
        match self.quantity {
            Quantity::Accuracy => {
                let decimals = self.axis.decimals().saturating_sub(2);
                format!("{:.decimals$} %", value * 100.0)
            }
            Quantity::Reward => format!("{value:.*}", self.axis.decimals()),
        }
    }

    fn draw(&self, painter: &mut Painter<'_>, rows: usize) {
        let gutter = self.axis.ticks().map(|tick| self.label(tick).len()).max().unwrap_or(0) + 1;
        let columns = painter.width().saturating_sub(gutter + 1);
        let area = painter.area();
        let mut painter = painter.part(Rect { y: area.y + 1, height: area.height - 1, ..area });
        let mut grid = DotGrid::new(columns, rows, painter.glyphs().braille);
        self.plot(&mut grid);
        self.draw_value_axis(&mut painter, gutter, rows);
        self.draw_child_axis(&mut painter, gutter, columns, rows);
        draw_grid(&mut painter, &grid, gutter + 1, columns, rows);
        if self.state.children.is_empty() {
            painter.text(gutter + 3, rows / 2, Role::Dim, "no child has ended yet");
        }
    }

    fn draw_value_axis(&self, painter: &mut Painter<'_>, gutter: usize, rows: usize) {
        for row in 0..rows {
            painter.text(gutter, row, Role::Dim, painter.glyphs().axis);
        }
        for tick in self.axis.ticks() {
            let row = rows - 1 - (self.axis.fraction(tick) * (rows - 1) as f64).round() as usize;
            painter.right(gutter, row, Role::Dim, &self.label(tick));
            painter.text(gutter, row, Role::Dim, painter.glyphs().axis_tick);
        }
    }

    fn draw_child_axis(&self, painter: &mut Painter<'_>, gutter: usize, columns: usize, row: usize) {
        let glyphs = painter.glyphs();
        painter.text(gutter, row, Role::Dim, glyphs.axis_corner);
        painter.text(gutter + 1, row, Role::Dim, &glyphs.floor.repeat(columns));
        let labels = (columns / 7).clamp(2, 10);
        let step = round_step((self.last_child as f64 / labels as f64).max(1.0)) as u64;
        let mut free = painter.text(gutter + 1, row + 1, Role::Dim, "child");
        for child in (1..).map(|tick| tick * step).take_while(|child| *child <= self.last_child) {
            let column = gutter + 1 + self.dot_of(child, columns);
            let label = child.to_string();
            let start =
                (column + 1).saturating_sub(label.len().div_ceil(2)).min((gutter + 1 + columns).saturating_sub(label.len()));
            if start > free {
                painter.text(column, row, Role::Dim, glyphs.floor_tick);
                free = painter.text(start, row + 1, Role::Dim, &label) + 1;
            }
        }
        for child in self.state.children.iter().filter(|child| child.accuracy.is_none()) {
            painter.text(gutter + 1 + self.dot_of(child.child, columns), row, Role::Error, glyphs.failed);
        }
    }

    /// Dot column of a child among `width`.
    fn dot_of(&self, child: u64, width: usize) -> usize {
        let middle = (child as f64 - 0.5) / self.last_child as f64;
        ((middle * width as f64).max(0.0) as usize).min(width.saturating_sub(1))
    }

    fn height_of(&self, value: f64, height: usize) -> usize {
        (self.axis.fraction(value) * height.saturating_sub(1) as f64).round() as usize
    }

    fn plot(&self, grid: &mut DotGrid) {
        self.plot_children(grid);
        self.plot_best(grid);
        if self.quantity == Quantity::Reward {
            self.plot_baseline(grid);
        }
        self.plot_means(grid);
    }

    fn plot_children(&self, grid: &mut DotGrid) {
        // A lone dot is hard to see: a child is as large as leaves its neighbours apart.
        let per_child = grid.width() as u64 / self.last_child.max(1);
        let (wide, high) = if grid.has_dots() { (per_child.clamp(1, 2) as usize, 1 + usize::from(per_child > 0)) } else { (1, 1) };
        for child in &self.state.children {
            let Some(value) = self.value(child) else { continue };
            let (x, y) = (self.dot_of(child.child, grid.width()), self.height_of(value, grid.height()));
            for (dx, dy) in (0..wide).flat_map(|dx| (0..high).map(move |dy| (dx, dy))) {
                grid.dot((x / wide) * wide + dx, (y / high) * high + dy, Series::Child);
            }
        }
    }

    /// A staircase: the largest value of the children up to each column.
    fn plot_best(&self, grid: &mut DotGrid) {
        let mut columns = vec![None::<f64>; grid.width()];
        for child in &self.state.children {
            if let Some(value) = self.value(child) {
                let column = &mut columns[self.dot_of(child.child, grid.width())];
                *column = Some(column.map_or(value, |largest| largest.max(value)));
            }
        }
        let Some(newest) = columns.iter().rposition(Option::is_some) else { return };
        let mut best: Option<(f64, usize)> = None;
        for (x, value) in columns.into_iter().enumerate().take(newest + 1) {
            let before = best;
            if let Some(value) = value.filter(|value| before.is_none_or(|(best, _)| *value > best)) {
                best = Some((value, self.height_of(value, grid.height())));
            }
            if let Some((_, y)) = best {
                grid.line((x, before.map_or(y, |(_, y)| y)), (x, y), Series::Best, None);
            }
        }
    }

    /// The baseline that each episode's advantages were taken against, over the width of the episode.
    fn plot_baseline(&self, grid: &mut DotGrid) {
        let finished = self.state.episodes.iter().map(|episode| (episode.episode as u64, episode.baseline));
        let known = self.state.episodes.last().map_or(0, |episode| episode.episode);
        let current =
            self.state.baseline.filter(|_| self.state.episode > known).map(|baseline| (self.state.episode as u64, baseline));
        let mut before = None;
        for (episode, baseline) in finished.chain(current).filter(|(episode, _)| *episode > 0) {
            let (first, last) = ((episode - 1) * self.children_per_episode + 1, episode * self.children_per_episode);
            let (from, to) = (self.dot_of(first, grid.width()), self.dot_of(last.min(self.last_child), grid.width()));
            let y = self.height_of(baseline, grid.height());
            grid.line((from, before.unwrap_or(y)), (from, y), Series::Baseline, None);
            grid.line((from, y), (to, y), Series::Baseline, Some(2));
            before = Some(y);
        }
    }

    /// One marker per episode, joined by a line; episodes that share a column share a marker at their mean.
    fn plot_means(&self, grid: &mut DotGrid) {
        let mut columns: Vec<(f64, u32)> = vec![(0.0, 0); grid.width()];
        for episode in &self.state.episodes {
            let mean = if self.quantity == Quantity::Reward { Some(episode.mean_reward) } else { episode.mean_accuracy };
            let middle =
                (episode.episode as u64).saturating_mul(self.children_per_episode).saturating_sub(self.children_per_episode / 2);
            if let Some(mean) = mean.filter(|mean| mean.is_finite()) {
                let (sum, count) = &mut columns[self.dot_of(middle.max(1), grid.width())];
                *sum += mean;
                *count += 1;
            }
        }
        let mut before = None;
        for (x, (sum, count)) in columns.into_iter().enumerate().filter(|(_, (_, count))| *count > 0) {
            let here = (x, self.height_of(sum / f64::from(count), grid.height()));
            if grid.has_dots() {
                grid.line(before.unwrap_or(here), here, Series::Mean, None);
            }
            grid.marker(here.0, here.1, Series::Mean);
            before = Some(here);
        }
    }
}

fn draw_grid(painter: &mut Painter<'_>, grid: &DotGrid, left: usize, columns: usize, rows: usize) {
    let glyphs = painter.glyphs();
    for (column, row) in (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row))) {
        let Some(mark) = grid.mark(column, row) else { continue };
        let (role, letter) = match mark.series {
            Series::Child => (Role::Child, glyphs.child),
            Series::Baseline => (Role::Baseline, glyphs.baseline),
            Series::Best => (Role::Best, glyphs.best),
            Series::Mean => (Role::Mean, glyphs.mean),
        };
        if glyphs.braille && !mark.marker {
            painter.text(left + column, row, role, braille(mark.dots).encode_utf8(&mut [0; 4]));
        } else {
            painter.text(left + column, row, role, letter);
        }
    }
}

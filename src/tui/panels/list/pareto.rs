//! Accuracy against MACs: every child as a point, the front as a staircase, and who is on it.

use ratatui::layout::Rect;

use super::order::row_at;
use super::view::ListView;
use super::{filter_row, nothing};
use crate::analysis::front::Point;
use crate::state::{ChildRow, RunState};
use crate::tui::format;
use crate::tui::paint::Painter;
use crate::tui::panels::{Row, join_fitting, labelled};
use crate::tui::plot::{Axis, Dash, DotGrid, LogAxis, Series, braille};
use crate::tui::theme::{Glyphs, Role};

/// Columns of the list of the front, and the narrowest panel that has it.
const LIST: usize = 29;
const LIST_FROM: usize = 72;
/// Rows below the plot: the axis and its numbers.
const AXIS_ROWS: usize = 2;
/// Columns for each value of the axis of MACs.
const TICK: usize = 8;

pub fn draw(painter: &mut Painter<'_>, state: &RunState, view: &ListView) {
    let (width, height) = (painter.width(), painter.height());
    let chosen = view.order().at(view.place(), state);
    let mut head: Vec<Row> = filter_row(view).into_iter().collect();
    head.extend(chosen.map(|row| figures(row, state, view, width)));
    head.push(legend(painter.glyphs(), width));
    for (y, row) in head.iter().enumerate() {
        painter.pieces(0, y, row);
    }
    let list = if width >= LIST_FROM { LIST } else { 0 };
    let Some(plot) = Plot::of(state, view, width - list) else {
        let y = usize::from(!view.filter_text().is_empty()) + 1;
        let area = part(painter, y, 0, width);
        let mut painter = painter.part(area);
        painter.clear();
        painter.pieces(0, 0, &nothing(view, state, "has an accuracy"));
        return;
    };
    let top = head.len();
    let area = part(painter, top, 0, width - list);
    plot.draw(&mut painter.part(area), chosen);
    if list > 0 && height > top {
        let area = part(painter, top, width - list + 2, list - 2);
        draw_front(&mut painter.part(area), state, view, chosen);
    }
}

/// The columns from `x` of the rows from `y` on.
fn part(painter: &Painter<'_>, y: usize, x: usize, width: usize) -> Rect {
    let area = painter.area();
    // What lies outside is cut off by the painter.
    let (x, y, width) = (
        x.min(painter.width()) as u16,
        y.min(painter.height()) as u16,
        width as u16,
    );
    Rect {
        x: area.x + x,
        y: area.y + y,
        width: width.min(area.width - x),
        height: area.height - y,
    }
}

/// The child at the cursor.
fn figures(row: &ChildRow, state: &RunState, view: &ListView, width: usize) -> Row {
    let front = view.order().front();
    let place = front.place_of(row.child, &state.search().children);
    let standing = match place {
        Some(place) => format!("on the front, {} of {}", place + 1, front.rows().len()),
        None if row.accuracy.is_none() => row.trouble().unwrap_or_default().to_owned(),
        None => "behind the front".to_owned(),
    };
    let groups = vec![
        labelled("child", Role::Strong, row.child.to_string()),
        row.accuracy.map_or(Row::new(), |accuracy| {
            vec![(Role::Strong, format::accuracy(accuracy))]
        }),
        labelled("MACs", Role::Strong, format::compact(row.macs)),
        vec![(
            if place.is_some() {
                Role::Best
            } else {
                Role::Dim
            },
            standing,
        )],
        labelled("params", Role::Text, format::count(row.params)),
        labelled(
            "reward",
            Role::Text,
            format::or_none(row.reward, format::reward),
        ),
    ];
    join_fitting(groups, "  ", width)
}

fn legend(glyphs: &Glyphs, width: usize) -> Row {
    let entry = |role: Role, glyph: &str, label: &str| {
        vec![(role, glyph.to_owned()), (Role::Dim, format!(" {label}"))]
    };
    let entries = vec![
        entry(Role::Child, glyphs.child, "child"),
        entry(Role::Best, glyphs.mean, "on the front"),
        entry(Role::Strong, glyphs.here, "chosen"),
        entry(Role::Text, glyphs.marked, "marked"),
    ];
    join_fitting(entries, "   ", width)
}

/// The members of the front, by rising MACs; the chosen one in sight.
fn draw_front(
    painter: &mut Painter<'_>,
    state: &RunState,
    view: &ListView,
    chosen: Option<&ChildRow>,
) {
    let front = view.order().front();
    painter.text(
        0,
        0,
        Role::Dim,
        &format!("  {:>7}  {:>8}  {:>6}", "MACs", "accuracy", "child"),
    );
    let room = painter.height().saturating_sub(1);
    let place = chosen.and_then(|row| front.place_of(row.child, &state.search().children));
    let top = (place.unwrap_or(0) + 1).saturating_sub(room);
    for (y, index) in front.rows().iter().skip(top).take(room).enumerate() {
        let Some((row, point)) = row_at(state, *index).and_then(|row| Some((row, Point::of(row)?)))
        else {
            continue;
        };
        let here = place == Some(top + y);
        let marker = if here { painter.glyphs().marker } else { " " };
        let mark = if view.marks().contains(&row.child) {
            painter.glyphs().marked
        } else {
            " "
        };
        let text = format!(
            "{:>7}  {:>8}  {:>6}",
            format::compact(point.macs),
            format::accuracy(point.accuracy),
            row.child
        );
        let role = if here { Role::Selected } else { Role::Text };
        painter.pieces(0, y + 1, &[(role, format!("{marker}{mark}")), (role, text)]);
    }
}

/// The shown children that can be drawn, and the axes around them.
struct Plot<'a> {
    state: &'a RunState,
    view: &'a ListView,
    macs: LogAxis,
    /// Lowest and highest.
    accuracies: (f64, f64),
}

impl<'a> Plot<'a> {
    /// The plot for `width` columns; none where no child has an accuracy.
    fn of(state: &'a RunState, view: &'a ListView, width: usize) -> Option<Plot<'a>> {
        let mut points = points(state, view);
        let first = points.next()?;
        let (mut macs, mut accuracies) =
            ((first.macs, first.macs), (first.accuracy, first.accuracy));
        for point in points {
            macs = (macs.0.min(point.macs), macs.1.max(point.macs));
            accuracies = (
                accuracies.0.min(point.accuracy),
                accuracies.1.max(point.accuracy),
            );
        }
        let macs = LogAxis::covering(macs.0 as f64, macs.1 as f64, width / TICK);
        Some(Plot {
            state,
            view,
            macs,
            accuracies,
        })
    }

    fn draw(&self, painter: &mut Painter<'_>, chosen: Option<&ChildRow>) {
        let rows = painter.height().saturating_sub(AXIS_ROWS);
        let axis = Axis::covering(
            self.accuracies.0,
            self.accuracies.1,
            (rows / 2 + 1).clamp(2, 9),
        );
        let decimals = axis.decimals().saturating_sub(2);
        let label = |value: f64| format!("{:.decimals$} %", value * 100.0);
        let gutter = axis
            .ticks()
            .map(|tick| label(tick).len())
            .max()
            .unwrap_or(0)
            + 1;
        let columns = painter.width().saturating_sub(gutter + 1);
        if rows < 2 || columns < 8 {
            return;
        }
        for row in 0..rows {
            painter.text(gutter, row, Role::Dim, painter.glyphs().axis);
        }
        for tick in axis.ticks() {
            let row = rows - 1 - scaled(axis.fraction(tick), rows);
            painter.right(gutter, row, Role::Dim, &label(tick));
            painter.text(gutter, row, Role::Dim, painter.glyphs().axis_tick);
        }
        self.draw_macs_axis(painter, gutter, columns, rows);
        let mut grid = DotGrid::new(columns, rows, painter.glyphs().braille);
        self.plot(&mut grid, &axis);
        draw_grid(painter, &grid, gutter + 1, columns, rows);
        self.draw_markers(painter, &axis, gutter + 1, (columns, rows), chosen);
    }

    fn draw_macs_axis(&self, painter: &mut Painter<'_>, gutter: usize, columns: usize, row: usize) {
        let glyphs = painter.glyphs();
        painter.text(gutter, row, Role::Dim, glyphs.axis_corner);
        painter.text(gutter + 1, row, Role::Dim, &glyphs.floor.repeat(columns));
        let end = gutter + 1 + columns;
        let mut free = painter.text(0, row + 1, Role::Dim, "MACs");
        for tick in self.macs.ticks() {
            let column = gutter + 1 + scaled(self.macs.fraction(*tick), columns);
            let label = format::round(*tick);
            let start = (column + 1)
                .saturating_sub(label.len().div_ceil(2))
                .min(end.saturating_sub(label.len()));
            if start > free {
                painter.text(column, row, Role::Dim, glyphs.floor_tick);
                free = painter.text(start, row + 1, Role::Dim, &label);
            }
        }
    }

    fn plot(&self, grid: &mut DotGrid, axis: &Axis) {
        let (width, height) = (grid.width(), grid.height());
        let place = |point: Point| {
            (
                scaled(self.macs.fraction(point.macs as f64), width),
                scaled(axis.fraction(point.accuracy), height),
            )
        };
        for point in points(self.state, self.view) {
            let (x, y) = place(point);
            grid.dot(x, y, Series::Child);
        }
        // From each member of the front to the right until the next one, then up to it.
        let front = self.view.order().front().rows().iter();
        let mut before: Option<(usize, usize)> = None;
        for here in front
            .filter_map(|index| row_at(self.state, *index))
            .filter_map(Point::of)
            .map(place)
        {
            if let Some((x, y)) = before {
                grid.line((x, y), (here.0, y), Series::Best, Dash::Solid);
                grid.line((here.0, y), here, Series::Best, Dash::Solid);
            }
            before = Some(here);
        }
        if let Some((x, y)) = before {
            grid.line(
                (x, y),
                (width.saturating_sub(1), y),
                Series::Best,
                Dash::Solid,
            );
        }
    }

    /// Who is on the front, marked or chosen: a character over the dots.
    fn draw_markers(
        &self,
        painter: &mut Painter<'_>,
        axis: &Axis,
        left: usize,
        (columns, rows): (usize, usize),
        chosen: Option<&ChildRow>,
    ) {
        let glyphs = painter.glyphs();
        let mut put = |row: &ChildRow, role: Role, glyph: &str| {
            if let Some(point) = Point::of(row) {
                // As the grid places the dot of this point.
                let (across, down) = if glyphs.braille { (2, 4) } else { (1, 1) };
                let x = scaled(self.macs.fraction(point.macs as f64), columns * across) / across;
                let y = rows - 1 - scaled(axis.fraction(point.accuracy), rows * down) / down;
                painter.text(left + x, y, role, glyph);
            }
        };
        let front = self.view.order().front().rows().iter();
        front
            .filter_map(|index| row_at(self.state, *index))
            .for_each(|row| put(row, Role::Best, glyphs.mean));
        if !self.view.marks().is_empty() {
            let shown = self
                .view
                .order()
                .rows()
                .iter()
                .filter_map(|index| row_at(self.state, *index));
            let marked = shown.filter(|row| self.view.marks().contains(&row.child));
            marked.for_each(|row| put(row, Role::Text, glyphs.marked));
        }
        chosen
            .into_iter()
            .for_each(|row| put(row, Role::Strong, glyphs.here));
    }
}

fn points<'a>(state: &'a RunState, view: &'a ListView) -> impl Iterator<Item = Point> + 'a {
    view.order()
        .rows()
        .iter()
        .filter_map(|index| row_at(state, *index))
        .filter_map(Point::of)
}

/// The place of a fraction among `count` places.
fn scaled(fraction: f64, count: usize) -> usize {
    (fraction * count.saturating_sub(1) as f64).round() as usize
}

fn draw_grid(painter: &mut Painter<'_>, grid: &DotGrid, left: usize, columns: usize, rows: usize) {
    let glyphs = painter.glyphs();
    for (column, row) in (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row))) {
        let Some(mark) = grid.mark(column, row) else {
            continue;
        };
        let (role, letter) = if mark.series == Series::Child {
            (Role::Child, glyphs.child)
        } else {
            (Role::Best, glyphs.best)
        };
        if glyphs.braille {
            painter.text(
                left + column,
                row,
                role,
                braille(mark.dots).encode_utf8(&mut [0; 4]),
            );
        } else {
            painter.text(left + column, row, role, letter);
        }
    }
}

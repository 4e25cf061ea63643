//! Accuracy against MACs: every child as a point, the front as a staircase, and its members.

use ratatui::layout::Rect;

use super::order::row_at;
use super::view::ListView;
use super::{filter_row, nothing};
use crate::analysis::front::Point;
use crate::analysis::series::stairs;
use crate::foundation::axis::extremes;
use crate::state::{ChildRow, RunState};
use crate::tui::format;
use crate::tui::paint::Painter;
use crate::tui::panels::{Row, join_fitting, labelled};
use crate::tui::plot::{Dash, DotGrid, Frame, Labels, Series, ValueAxis, percent, scaled};
use crate::tui::theme::{Glyphs, Role};

/// Columns for the list of the front, and the narrowest panel that has it.
const LIST: usize = 29;
const LIST_FROM: usize = 72;
/// Rows below the plot: the axis and its numbers.
const AXIS_ROWS: usize = 2;
/// Columns per value on the axis of MACs.
const TICK: usize = 8;

/// Draw the plot, with the members of the front listed if there is room.
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
    // What lies outside is clipped by the painter.
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

/// The members of the front in ascending order of MACs, with the selected one in view.
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
    macs: ValueAxis,
    /// Lowest and highest.
    accuracies: (f64, f64),
}

impl<'a> Plot<'a> {
    /// The plot for `width` columns; `None` if no child has an accuracy.
    fn of(state: &'a RunState, view: &'a ListView, width: usize) -> Option<Plot<'a>> {
        let points = view.order().points();
        points.first()?;
        let mut macs = (u64::MAX, u64::MIN);
        let accuracies = extremes(points.iter().map(|point| {
            macs = (macs.0.min(point.macs), macs.1.max(point.macs));
            point.accuracy
        }));
        let macs = [macs.0 as f64, macs.1 as f64].into_iter();
        Some(Plot {
            state,
            view,
            macs: ValueAxis::over(macs, true, width / TICK),
            accuracies,
        })
    }

    fn draw(&self, painter: &mut Painter<'_>, chosen: Option<&ChildRow>) {
        let rows = painter.height().saturating_sub(AXIS_ROWS);
        let accuracies = [self.accuracies.0, self.accuracies.1].into_iter();
        let axis = ValueAxis::over(accuracies, false, (rows / 2 + 1).clamp(2, 9));
        let labels = Labels::of(&axis, percent);
        let gutter = labels.gutter();
        let columns = painter.width().saturating_sub(gutter + 1);
        if rows < 2 || columns < 8 {
            return;
        }
        let frame = Frame {
            axis,
            labels,
            gutter,
            columns,
            top: 0,
            rows,
        };
        frame.draw(painter);
        self.number_macs(painter, &frame);
        let glyphs = painter.glyphs();
        let grid = self.grid(&frame, glyphs);
        grid.show(painter, frame.corner(), |series| match series {
            Series::Child => (Role::Child, glyphs.child),
            _ => (Role::Best, glyphs.best),
        });
        self.draw_markers(painter, &frame, &grid, chosen);
    }

    fn number_macs(&self, painter: &mut Painter<'_>, frame: &Frame) {
        let (glyphs, row) = (painter.glyphs(), frame.floor());
        let mut free = painter.text(0, row + 1, Role::Dim, "MACs") + 1;
        for (tick, _) in self.macs.ticks() {
            let column = frame.left() + scaled(self.macs.fraction(tick), frame.columns);
            let text = format::round(tick);
            if let Some(end) = frame.label(painter, row + 1, column, &text, free) {
                painter.text(column, row, Role::Dim, glyphs.floor_tick);
                free = end + 1;
            }
        }
    }

    /// The position of a point in the grid.
    fn place(&self, point: Point, frame: &Frame, grid: &DotGrid) -> (usize, usize) {
        let x = scaled(self.macs.fraction(point.macs as f64), grid.width());
        (x, frame.height_of(point.accuracy, grid))
    }

    fn grid(&self, frame: &Frame, glyphs: &Glyphs) -> DotGrid {
        let mut grid = frame.grid(glyphs);
        for point in self.view.order().points() {
            let (x, y) = self.place(*point, frame, &grid);
            grid.dot(x, y, Series::Child);
        }
        // From each member of the front to the right until the next one, then up to it; from the
        // last one to the edge.
        let front = self
            .view
            .order()
            .front()
            .points(&self.state.search().children);
        let mut places: Vec<(usize, usize)> =
            front.map(|point| self.place(point, frame, &grid)).collect();
        let edge = grid.width().saturating_sub(1);
        places.extend(places.last().map(|(_, y)| (edge, *y)));
        grid.polyline(&stairs(places), Series::Best, Dash::Solid);
        grid
    }

    /// The children on the front or marked: a character over the dots.
    fn draw_markers(
        &self,
        painter: &mut Painter<'_>,
        frame: &Frame,
        grid: &DotGrid,
        chosen: Option<&ChildRow>,
    ) {
        let glyphs = painter.glyphs();
        let mut put = |row: &ChildRow, role: Role, glyph: &str| {
            if let Some(point) = Point::of(row) {
                let (column, row) = grid.cell(self.place(point, frame, grid));
                painter.text(frame.left() + column, frame.top + row, role, glyph);
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

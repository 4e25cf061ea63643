//! Accuracy against MACs: every child as a point, the front as a staircase, and its members.

use ratatui::layout::Rect;

use super::order::row_at;
use super::view::ListView;
use super::words::{filter_row, nothing};
use crate::analysis::front::CostPoint;
use crate::analysis::series::stairs;
use crate::foundation::axis::extremes;
use crate::state::{ChildRow, RunState};
use crate::tui::format;
use crate::tui::paint::Painter;
use crate::tui::panels::{Row, join_fitting, labelled, words};
use crate::tui::plot::{DotGrid, Frame, Framing, LabelRow, PlotSeries, ValueAxis, percent, scaled};
use crate::tui::target::{Part, Target};
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
    let Some(plot) = FrontPlot::of(state, view, width - list) else {
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
        None if row.control => "a control, so not in the plot".to_owned(),
        None if row.is_edited() => "edited, so not in the plot".to_owned(),
        None if row.accuracy.is_none() => row.trouble().unwrap_or_default().to_owned(),
        None => "behind the front".to_owned(),
    };
    let groups = vec![
        labelled("child", Role::Strong, row.child.to_string()),
        row.accuracy.map_or(Row::new(), |accuracy| {
            vec![(Role::Strong, format::accuracy(accuracy))]
        }),
        labelled("MACs", Role::Strong, format::compact(row.macs)),
        words(
            if place.is_some() {
                Role::Best
            } else {
                Role::Dim
            },
            standing,
        ),
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
        let Some((row, point)) =
            row_at(state, *index).and_then(|row| Some((row, CostPoint::of(row)?)))
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
        let end = painter.pieces(0, y + 1, &[(role, format!("{marker}{mark}")), (role, text)]);
        painter.target((0, y + 1), (end, 1), Target::Part(Part::Child(row.child)));
    }
}

/// The shown children that can be drawn, and the axes around them.
struct FrontPlot<'a> {
    state: &'a RunState,
    view: &'a ListView,
    macs: ValueAxis,
    /// Lowest and highest.
    accuracies: (f64, f64),
}

impl<'a> FrontPlot<'a> {
    /// The plot for `width` columns; `None` if no child has an accuracy.
    fn of(state: &'a RunState, view: &'a ListView, width: usize) -> Option<FrontPlot<'a>> {
        let points = view.order().points();
        points.first()?;
        let mut macs = (u64::MAX, u64::MIN);
        let accuracies = extremes(points.iter().map(|point| {
            macs = (macs.0.min(point.macs), macs.1.max(point.macs));
            point.accuracy
        }));
        let macs = [macs.0 as f64, macs.1 as f64].into_iter();
        Some(FrontPlot {
            state,
            view,
            macs: ValueAxis::over(macs, true, width / TICK),
            accuracies,
        })
    }

    fn draw(&self, painter: &mut Painter<'_>, chosen: Option<&ChildRow>) {
        let rows = painter.height().saturating_sub(AXIS_ROWS);
        let framing = Framing {
            is_log: false,
            most: 1.0,
            ticks: (2, 9),
            label: &percent,
            least_gutter: 0,
        };
        let area = Rect::new(0, 0, painter.width() as u16, rows as u16);
        let frame = framing.around([self.accuracies.0, self.accuracies.1].into_iter(), area);
        if !frame.has_room(8) {
            return;
        }
        let glyphs = painter.glyphs();
        let mut markers = Vec::new();
        let fill = |grid: &mut DotGrid| {
            self.fill(&frame, grid);
            markers = self.markers(&frame, grid, chosen, glyphs);
        };
        frame.plot(painter, fill, |series| match series {
            PlotSeries::Child => (Role::Child, glyphs.child),
            PlotSeries::BestRise => (Role::Best, glyphs.vertical),
            _ => (Role::Best, glyphs.best),
        });
        for (role, glyph, (column, row), child) in markers {
            let (x, y) = (frame.left() + column, frame.top + row);
            painter.text(x, y, role, glyph);
            painter.target((x, y), (1, 1), Target::Part(Part::Child(child)));
        }
        let below = LabelRow {
            row: frame.floor() + 1,
            free: painter.text(0, frame.floor() + 1, Role::Dim, "MACs") + 1,
            gap: 1,
            mark: Some(glyphs.floor_tick),
        };
        let column = |macs: f64| scaled(self.macs.fraction(macs), frame.columns);
        let ticks = self.macs.ticks().into_iter();
        let labels = ticks.map(|(macs, _)| (column(macs), format::round(macs)));
        frame.label(painter, below, labels);
    }

    /// The position of a point in the grid.
    fn place(&self, point: CostPoint, frame: &Frame, grid: &DotGrid) -> (usize, usize) {
        let x = scaled(self.macs.fraction(point.macs as f64), grid.width());
        (x, frame.height_of(point.accuracy, grid))
    }

    fn fill(&self, frame: &Frame, grid: &mut DotGrid) {
        for point in self.view.order().points() {
            let (x, y) = self.place(*point, frame, grid);
            grid.dot(x, y, PlotSeries::Child);
        }
        // From each member of the front to the right until the next one, then up to it; from the
        // last one to the edge.
        let front = self.view.order().front();
        let points = front.points(&self.state.search().children);
        let mut places: Vec<(usize, usize)> =
            points.map(|point| self.place(point, frame, grid)).collect();
        let edge = grid.width().saturating_sub(1);
        places.extend(places.last().map(|(_, y)| (edge, *y)));
        let series = [PlotSeries::Best, PlotSeries::BestRise];
        grid.staircase(&stairs(places), series);
    }

    /// The children on the front, marked or chosen: characters over the dots, each with its cell
    /// and its number.
    fn markers(
        &self,
        frame: &Frame,
        grid: &DotGrid,
        chosen: Option<&ChildRow>,
        glyphs: &Glyphs,
    ) -> Vec<(Role, &'static str, (usize, usize), u64)> {
        let marker = |row: &ChildRow, role: Role, glyph: &'static str| {
            let place = self.place(CostPoint::of(row)?, frame, grid);
            Some((role, glyph, grid.cell(place), row.child))
        };
        let order = self.view.order();
        let rows = |indices: &'a [u32]| {
            let row = |index: &u32| row_at(self.state, *index);
            indices.iter().filter_map(row)
        };
        let marks = self.view.marks();
        let shown = if marks.is_empty() {
            &[][..]
        } else {
            order.rows()
        };
        let marked = rows(shown).filter(|row| marks.contains(&row.child));
        rows(order.front().rows())
            .filter_map(|row| marker(row, Role::Best, glyphs.mean))
            .chain(marked.filter_map(|row| marker(row, Role::Text, glyphs.marked)))
            .chain(chosen.and_then(|row| marker(row, Role::Strong, glyphs.here)))
            .collect()
    }
}

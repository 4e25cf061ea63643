//! The reward chart: every child as a point, what becomes of them in curves, and the verdict
//! whether the search learns.
//!
//! ```text
//! RunState, Quantity -> Children (points, by number) -> Curves (over the columns in view) -> Canvas -> screen
//! ChartAction -> ChartView (quantity, scale, children in view, crosshair)
//! ```
//! A drawing takes one pass over the children; nothing is kept from one to the next.

mod axes;
mod canvas;
mod data;
mod legend;
mod readout;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
pub mod verdict_line;
mod view;

use ratatui::layout::Rect;

pub use legend::signs;
pub use view::{ChartAction, ChartView, Extent, Quantity, Scale, Span};

use self::axes::Floor;
use self::canvas::Canvas;
use self::data::{Children, Curves};
use self::readout::Chosen;
use super::Row;
use super::panel::{About, Panel, Response, SEARCH};
use super::scene::Scene;
use crate::state::RunState;
use crate::tui::keymap::Action;
use crate::tui::paint::Painter;
use crate::tui::plot::{Axis, DotGrid, LogAxis, ValueAxis};
use crate::tui::theme::Role;

/// Rows of a panel from which on it has a verdict below its axis, and a row of episode numbers.
const VERDICT_FROM: usize = 8;
const EPISODES_FROM: usize = 14;
/// Columns that a label of the value axis takes unless it needs more, with the space after it.
const LABEL: usize = 4;

/// Columns of the plot in a panel of `width` columns, near enough to say how far a crosshair moves.
fn columns(width: usize) -> usize {
    width.saturating_sub(LABEL + 1).max(1)
}

impl Panel for ChartView {
    fn about() -> About {
        About {
            name: "Chart",
            runs: SEARCH,
        }
    }

    fn draw(&self, scene: &Scene<'_>, focused: bool, painter: &mut Painter<'_>) {
        draw_chart(scene.state, self, focused, painter);
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>, area: Rect) -> Option<Response> {
        let action = match action {
            Action::ToggleQuantity => ChartAction::ToggleQuantity,
            Action::Back => self.crosshair().map(|_| ChartAction::CrosshairOff)?,
            action => ChartAction::of(action)?,
        };
        let before = self.crosshair();
        let columns = columns(area.width.into());
        self.act_within(action, &Extent::of(scene.state), columns);
        // The other panels show the child under the crosshair.
        let moved = self.crosshair() != before;
        Some(if moved {
            Response::Choose(self.crosshair())
        } else {
            Response::Draw
        })
    }

    fn word(&self, action: Action) -> Option<&'static str> {
        (action == Action::ToggleQuantity && self.quantity == Quantity::Accuracy)
            .then_some("reward")
    }
}

fn draw_chart(state: &RunState, view: &ChartView, focused: bool, painter: &mut Painter<'_>) {
    let children = Children::of(state, view.quantity);
    let extent = Extent::new(state, children.newest);
    let span = view.visible(&extent);
    let crosshair = view.crosshair().filter(|_| extent.newest > 0);
    let chosen = crosshair.map(|child| Chosen::of(state, view.quantity, &children, child));
    let rows = Rows::of(painter.height());
    let drawing = Drawing {
        state,
        view,
        extent,
        children,
        span,
        crosshair,
        chosen,
    };
    // The width of the labels follows from the curves, and that of the curves from the labels.
    let mut plot = drawing.plot(painter, LABEL, rows.plot);
    let needed = plot.gutter(view.quantity);
    if needed != plot.gutter {
        plot = drawing.plot(painter, needed, rows.plot);
    }
    drawing.draw_title(painter, focused, &plot.curves);
    if rows.plot < 2 || painter.width() < 20 {
        return;
    }
    let area = painter.area();
    let mut below = painter.part(Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    });
    drawing.draw_plot(&mut below, &plot, &rows);
    if rows.verdict {
        drawing.draw_verdict(painter);
    }
}

/// How the rows of a panel are shared out.
struct Rows {
    plot: usize,
    episodes: bool,
    verdict: bool,
}

impl Rows {
    fn of(height: usize) -> Rows {
        let (verdict, episodes) = (height >= VERDICT_FROM, height >= EPISODES_FROM);
        let taken = 3 + usize::from(verdict) + usize::from(episodes);
        Rows {
            plot: height.saturating_sub(taken),
            episodes,
            verdict,
        }
    }
}

/// Curves and axis at one width of the labels.
struct Plot {
    curves: Curves,
    axis: ValueAxis,
    gutter: usize,
    columns: usize,
    braille: bool,
}

impl Plot {
    /// Columns that the labels need, with the space after them.
    fn gutter(&self, quantity: Quantity) -> usize {
        axes::labels(&self.axis, quantity)
            .iter()
            .map(|(_, label)| label.len())
            .max()
            .unwrap_or(0)
            + 1
    }
}

/// What is drawn.
struct Drawing<'a> {
    state: &'a RunState,
    view: &'a ChartView,
    extent: Extent,
    children: Children,
    span: Span,
    crosshair: Option<u64>,
    chosen: Option<Chosen<'a>>,
}

impl Drawing<'_> {
    fn plot(&self, painter: &Painter<'_>, gutter: usize, rows: usize) -> Plot {
        let braille = painter.glyphs().braille;
        let columns = painter.width().saturating_sub(gutter + 1);
        let dots = columns * if braille { 2 } else { 1 };
        let curves = Curves::of(
            self.state,
            &self.children,
            self.view.quantity,
            self.span,
            dots,
        );
        let axis = self.axis(&curves, (rows / 2 + 1).clamp(3, 9));
        Plot {
            curves,
            axis,
            gutter,
            columns,
            braille,
        }
    }

    /// The axis over all that is in view.
    fn axis(&self, curves: &Curves, ticks: usize) -> ValueAxis {
        let log = self.view.scale == Scale::Log;
        let points = self
            .children
            .within(self.span)
            .iter()
            .filter(|point| !point.failed)
            .map(|point| point.value);
        let (low, high) = points
            .chain(curves.values())
            .filter(|value| value.is_finite() && (*value > 0.0 || !log))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        if log {
            ValueAxis::Log(LogAxis::covering(low, high, ticks))
        } else {
            ValueAxis::Linear(Axis::covering(low, high, ticks))
        }
    }

    /// The name and the legend; under a crosshair the child's values in place of the legend.
    fn draw_title(&self, painter: &mut Painter<'_>, focused: bool, curves: &Curves) {
        let mut names = legend::names(self.state, self.view, &self.children, self.span);
        let room = |name: &str| painter.width().saturating_sub(name.len() + 5);
        let glyphs = painter.glyphs();
        let reference = self
            .state
            .run
            .as_ref()
            .and_then(|run| run.reference.as_deref());
        let beside = |width: usize| match &self.chosen {
            Some(chosen) => chosen.child(width),
            None => legend::legend(&self.children, curves, reference, glyphs, width),
        };
        // The legend matters more than a long name.
        let shortest = names.pop().unwrap_or_default();
        let most: Row = beside(room(&shortest));
        let name = names
            .into_iter()
            .find(|name| beside(room(name)) == most)
            .unwrap_or(shortest);
        super::title(painter, focused, &name, &most, None);
    }

    fn draw_plot(&self, painter: &mut Painter<'_>, plot: &Plot, rows: &Rows) {
        let quantity = self.view.quantity;
        axes::draw_values(painter, &plot.axis, quantity, plot.gutter, rows.plot);
        let floor = Floor {
            extent: &self.extent,
            span: self.span,
            left: plot.gutter + 1,
            columns: plot.columns,
            episodes: rows.episodes,
        };
        floor.draw(painter, rows.plot, &self.children, self.crosshair);
        let grid = DotGrid::new(plot.columns, rows.plot, plot.braille);
        let mut canvas = Canvas {
            span: self.span,
            axis: &plot.axis,
            grid,
        };
        canvas.plot(&self.children, &plot.curves, self.crosshair);
        let area = painter.area();
        let left = (plot.gutter as u16 + 1).min(area.width);
        canvas.show(&mut painter.part(Rect {
            x: area.x + left,
            width: area.width - left,
            ..area
        }));
        if self.extent.newest == 0 {
            painter.text(
                plot.gutter + 3,
                rows.plot / 2,
                Role::Dim,
                "no child has ended yet",
            );
        }
    }

    /// The verdict on the run; under a crosshair the values of the child's episode in its place.
    fn draw_verdict(&self, painter: &mut Painter<'_>) {
        let (width, row) = (painter.width().saturating_sub(1), painter.height() - 1);
        let line = match &self.chosen {
            Some(chosen) => chosen.episode(width),
            None => verdict_line::pieces(self.state, painter.glyphs(), width),
        };
        painter.pieces(1, row, &line);
    }
}

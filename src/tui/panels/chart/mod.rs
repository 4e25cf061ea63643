//! The reward chart: every child as a point, curves through them, and the verdict on whether the
//! search learns.
//!
//! ```text
//! RunState, Quantity -> Children (points, by number) -> Curves (over the columns in view) ->
//! Canvas -> screen
//! Action -> ChartView (quantity, scale, children in view, crosshair)
//! ```
//! Drawing takes one pass over the children; nothing is kept from one to the next.

mod axes;
mod canvas;
mod curves;
mod export;
mod extent;
mod legend;
pub mod others;
mod readout;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
pub mod verdict_line;
mod view;

use ratatui::layout::Rect;

pub use extent::Extent;
pub use legend::signs;
pub use view::{ChartView, Scale};

use self::axes::Floor;
use self::canvas::{Canvas, look};
use self::curves::Curves;
use self::legend::Legend;
use self::readout::Readout;
use super::panel::{About, Hint, LazyTable, PANELS, Panel, Response, SEARCH, hints};
use super::scene::Scene;
use super::{PanelId, Row};
use crate::analysis::series::{Children, Quantity};
use crate::config::LayoutName;
use crate::state::RunState;
use crate::tui::keymap::{Action, Binding, Scope, keys};
use crate::tui::other_runs::OtherRun;
use crate::tui::paint::Painter;
use crate::tui::plot::{DotGrid, Frame, Framing, Span};
use crate::tui::target::{Part, Target};
use crate::tui::theme::Role;

/// Height of a panel in rows from which on other runs are drawn in it, in a row of names and as curves.
const OTHERS_FROM: usize = 6;
/// Height of a panel in rows from which on it has a verdict below its axis, two rows of verdict if
/// one is not enough, and a row of episode numbers.
const VERDICT_FROM: usize = 8;
const TWO_ROWS_FROM: usize = 10;
const EPISODES_FROM: usize = 14;
/// Minimum number of columns for a label of the value axis, including the space after it.
const LABEL: usize = 4;

/// Approximate number of columns of the plot in a panel of `width` columns, which determines how
/// far a crosshair moves.
fn columns(width: usize) -> usize {
    width.saturating_sub(LABEL + 1).max(1)
}

/// Columns of a legend that names every usual series in full.
const WHOLE_LEGEND: usize = 70;

const HERE: Scope = Scope::Panel(PanelId("chart"));

/// The keys of this panel only.
const KEYS: &[Binding] = keys! {
    HERE ["o"] ToggleScale "chart: linear or logarithmic";
    HERE ["+", "="] More "chart: zoom in" ("zoom");
    HERE ["-"] Less "chart: zoom out";
    HERE ["0"] Reset "chart: all children";
    HERE ["H"] PanLeft "chart: earlier children";
    HERE ["L"] PanRight "chart: later children";
};

#[linkme::distributed_slice(PANELS)]
static ABOUT: About = About {
    keys: KEYS,
    leads: &[LayoutName::Overview, LayoutName::Learning],
    ..About::of::<ChartView>("chart", "Chart", 10, SEARCH)
};

impl Panel for ChartView {
    fn draw(&self, scene: &Scene<'_>, focused: bool, painter: &mut Painter<'_>) {
        draw_chart(scene.state, self, Beside::of(scene), focused, painter);
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>, area: Rect) -> Option<Response> {
        let before = self.crosshair();
        let quantity = self.quantity;
        let extent = || extent_beside(scene, quantity, area);
        if !self.perform(action, extent, columns(area.width.into())) {
            return None;
        }
        let moved = self.crosshair() != before;
        Some(if moved {
            self.choose(scene)
        } else {
            Response::Draw
        })
    }

    fn click(&mut self, part: Part, scene: &Scene<'_>, area: Rect) -> Option<Response> {
        let Part::Number(child) = part else {
            return None;
        };
        let extent = extent_beside(scene, self.quantity, area);
        let moved = self.point_at(child, &extent);
        moved.then(|| self.choose(scene))
    }

    fn word(&self, action: Action) -> Option<&'static str> {
        let other = match self.quantity {
            Quantity::Reward => "accuracy",
            Quantity::Accuracy => "reward",
        };
        (action == Action::ToggleQuantity).then_some(other)
    }

    fn hints(&self) -> &'static [Hint] {
        hints!["crosshair": Left, Right; "zoom": More, Less]
    }

    fn more_hints(&self) -> &'static [Hint] {
        hints!["crosshair to the previous or next episode": PageUp, PageDown]
    }

    fn table<'a>(&'a self, scene: &'a Scene<'_>) -> Option<LazyTable<'a>> {
        if scene.state.search().children.is_empty() {
            return None;
        }
        Some(Box::new(move || {
            export::table(scene.state, self, Beside::of(scene))
        }))
    }
}

impl ChartView {
    /// The other panels show the child under the crosshair, if the run has it.
    fn choose(&self, scene: &Scene<'_>) -> Response {
        let newest = Extent::of(scene.state).newest;
        Response::Choose(self.crosshair().filter(|child| *child <= newest))
    }
}

/// The children of the run shown beside those of other runs, in a panel of this size.
fn extent_beside(scene: &Scene<'_>, quantity: Quantity, area: Rect) -> Extent {
    let others = drawn_in(scene.neighbours.others.runs(), area.height.into());
    Extent::of(scene.state).beside(others::end(others, quantity))
}

/// The runs drawn over the chart, and what the run shown is called beside them.
#[derive(Clone, Copy)]
struct Beside<'a> {
    own: &'a str,
    others: &'a [OtherRun],
}

impl<'a> Beside<'a> {
    fn of(scene: &'a Scene<'a>) -> Beside<'a> {
        Beside {
            own: scene.run_name(),
            others: scene.neighbours.others.runs(),
        }
    }
}

/// Those of the runs that are drawn in a panel of `height` rows: a curve that has no name would say nothing.
fn drawn_in(others: &[OtherRun], height: usize) -> &[OtherRun] {
    let has_room = height >= OTHERS_FROM;
    &others[..if has_room { others.len() } else { 0 }]
}

fn draw_chart(
    state: &RunState,
    view: &ChartView,
    beside: Beside<'_>,
    focused: bool,
    painter: &mut Painter<'_>,
) {
    let children = Children::of(state, view.quantity);
    let Beside { own, others } = beside;
    let others = drawn_in(others, painter.height());
    let extent = Extent::new(state, children.newest).beside(others::end(others, view.quantity));
    let span = view.visible(&extent);
    // It may stand beyond everything if the run that had so many children is no longer drawn.
    let is_there = |child: &u64| extent.reach() > 0 && *child <= extent.whole().last;
    let crosshair = view.crosshair().filter(is_there);
    let chosen = crosshair.map(|child| {
        let readout = Readout::of(state, view.quantity, &children, child);
        readout.beside(others::at_child(others, view.quantity, child))
    });
    let verdict = verdict(state, painter);
    let rows = Rows::of(painter.height(), verdict.len(), !others.is_empty());
    let drawing = Sketch {
        state,
        view,
        own,
        others,
        extent,
        children,
        span,
        crosshair,
        chosen,
        verdict,
    };
    // The width of the labels depends on the curves, and that of the curves on the labels.
    let (mut curves, mut frame) = drawing.plot(painter, LABEL, &rows);
    let needed = frame.gutter;
    if needed != LABEL {
        (curves, frame) = drawing.plot(painter, needed, &rows);
        frame = frame.with_gutter(needed);
    }
    drawing.draw_title(painter, focused, &curves);
    drawing.name_others(painter);
    if rows.plot < 2 || painter.width() < 20 {
        return;
    }
    drawing.draw_plot(painter, &curves, &frame, rows.episodes);
    drawing.draw_verdict(painter);
}

/// Columns for the legend beside a name.
fn room_beside(painter: &Painter<'_>, name: &str) -> usize {
    painter.width().saturating_sub(name.len() + 5)
}

/// The rows of the verdict; as many as the panel has room for.
fn verdict(state: &RunState, painter: &Painter<'_>) -> Vec<Row> {
    let width = painter.width().saturating_sub(1);
    let most = match painter.height() {
        ..VERDICT_FROM => return Vec::new(),
        VERDICT_FROM..TWO_ROWS_FROM => 1,
        TWO_ROWS_FROM.. => 2,
    };
    verdict_line::rows(state, painter.glyphs(), width, most)
}

/// The division of a panel's rows.
struct Rows {
    /// First row of the plot.
    top: u16,
    plot: usize,
    episodes: bool,
}

impl Rows {
    /// Of a panel of `height` rows, of which the verdict takes `verdict`, and the names of other runs one
    /// if there are any.
    fn of(height: usize, verdict: usize, others: bool) -> Rows {
        let episodes = height >= EPISODES_FROM;
        let taken = 3 + verdict + usize::from(episodes) + usize::from(others);
        Rows {
            top: 1 + u16::from(others),
            plot: height.saturating_sub(taken),
            episodes,
        }
    }
}

/// The inputs of a drawing.
struct Sketch<'a> {
    state: &'a RunState,
    view: &'a ChartView,
    own: &'a str,
    others: &'a [OtherRun],
    extent: Extent,
    children: Children,
    span: Span,
    crosshair: Option<u64>,
    chosen: Option<Readout<'a>>,
    verdict: Vec<Row>,
}

impl Sketch<'_> {
    /// Curves if the labels take `gutter` columns, and the frame around them.
    fn plot(&self, painter: &Painter<'_>, gutter: usize, rows: &Rows) -> (Curves, Frame) {
        let quantity = self.view.quantity;
        let width = painter.width();
        let dots = width.saturating_sub(gutter + 1) * if painter.glyphs().braille { 2 } else { 1 };
        let mut curves = Curves::of(self.state, &self.children, quantity, self.span, dots);
        if others::any_drawn(self.others, quantity) {
            curves = curves.beside(others::curves(self.others, quantity, self.span, dots));
        }
        // No one could tell what a curve is that the legend has no room for.
        let shortest = self.names().pop().unwrap_or_default();
        let legend = self.legend(painter, &curves, room_beside(painter, &shortest));
        curves.keep(&legend.named);
        let in_view = self.children.within(self.span.range()).iter();
        let has_controls = !curves.controls.is_empty();
        let controls = self.children.controls.iter().filter(|_| has_controls);
        let points = in_view
            .chain(controls.filter(|control| self.span.contains(control.child)))
            .filter(|point| !point.failed)
            .map(|point| point.value);
        let framing = Framing {
            is_log: self.view.scale == Scale::Log,
            most: 1.0,
            ticks: (3, 9),
            label: &|value, decimals| axes::label(quantity, value, decimals),
            least_gutter: 0,
        };
        let area = Rect::new(0, rows.top, width as u16, rows.plot as u16);
        let frame = framing.around(points.chain(curves.values()), area);
        (curves, frame)
    }

    /// Names of what is shown, longest first.
    fn names(&self) -> Vec<String> {
        legend::names(self.state, self.view, &self.children, self.span)
    }

    fn legend(&self, painter: &Painter<'_>, curves: &Curves, width: usize) -> Legend {
        let started = self.state.search().started.as_ref();
        let reference = started.and_then(|run| run.reference.as_deref());
        legend::legend(&self.children, curves, reference, painter.glyphs(), width)
    }

    /// The name and the legend, or, with a crosshair, the child's values instead of the legend.
    fn draw_title(&self, painter: &mut Painter<'_>, focused: bool, curves: &Curves) {
        let mut names = self.names();
        let room = |name: &str| room_beside(painter, name);
        let beside = |width: usize| match &self.chosen {
            Some(chosen) => chosen.child(width),
            None => self.legend(painter, curves, width).row,
        };
        // The legend matters more than a long name.
        let shortest = names.pop().unwrap_or_default();
        // It stays the same as the legend grows.
        if names.first().is_some_and(|long| room(long) < WHOLE_LEGEND) {
            names.remove(0);
        }
        let most: Row = beside(room(&shortest));
        let name = names
            .into_iter()
            .find(|name| beside(room(name)) == most)
            .unwrap_or(shortest);
        super::title(painter, focused, &name, &most, None);
    }

    /// The row that names the runs on the chart.
    fn name_others(&self, painter: &mut Painter<'_>) {
        if self.others.is_empty() {
            return;
        }
        let quantity = self.view.quantity;
        let (glyphs, width) = (painter.glyphs(), painter.width());
        let row = others::row(
            self.own,
            self.others,
            quantity,
            glyphs,
            width.saturating_sub(2),
        );
        painter.pieces(1, 1, &row);
        painter.target((0, 1), (width, 1), Target::Action(Action::Runs));
    }

    fn draw_plot(&self, painter: &mut Painter<'_>, curves: &Curves, frame: &Frame, episodes: bool) {
        let glyphs = painter.glyphs();
        let fill = |grid: &mut DotGrid| {
            let span = self.span;
            let mut canvas = Canvas { span, frame, grid };
            canvas.plot(&self.children, curves, self.crosshair);
        };
        frame.plot(painter, fill, |series| look(series, glyphs));
        frame.mark(painter, self.span);
        let floor = Floor {
            frame,
            extent: &self.extent,
            span: self.span,
            episodes,
        };
        floor.draw(painter, &self.children, self.crosshair);
        if self.extent.newest == 0 {
            let (x, y) = (frame.left() + 2, frame.top + frame.rows / 2);
            painter.text(x, y, Role::Dim, "no child has ended yet");
        }
    }

    /// The verdict on the run, or, with a crosshair, the values of the child's episode.
    fn draw_verdict(&self, painter: &mut Painter<'_>) {
        let first = painter.height() - self.verdict.len();
        for (row, verdict) in (first..).zip(&self.verdict) {
            match &self.chosen {
                Some(_) if row > first => continue,
                Some(chosen) => painter.pieces(1, row, &chosen.episode(painter.width() - 1)),
                None => painter.pieces(1, row, verdict),
            };
        }
    }
}

//! The network in training as a graph, with the connections of one row highlighted.

use ratatui::layout::Rect;

use crate::config::LayoutName;
use crate::tui::format;
use crate::tui::keymap::Action;
use crate::tui::paint::Painter;
use crate::tui::panels::inspector::graph;
use crate::tui::panels::panel::{About, Hint, PANELS, Panel, Response, TRAINING, hints};
use crate::tui::panels::scene::Scene;
use crate::tui::panels::scroll::Scroll;
use crate::tui::panels::{self, Content, Row};
use crate::tui::target::{Part, Target};
use crate::tui::theme::Role;

/// The panel.
#[derive(Debug, Clone, Default)]
pub struct NetworkView {
    /// The highlighted row of the graph.
    row: usize,
}

#[linkme::distributed_slice(PANELS)]
static ABOUT: About = About {
    leads: &[LayoutName::Network],
    // Below the connections of a row and the headings.
    need: |scene, _| Some(2 + graph::rows(&scene.live.training_run()?.started.architecture)),
    ..About::of::<NetworkView>("network", "Network", 90, TRAINING)
};

impl Panel for NetworkView {
    fn draw(&self, scene: &Scene<'_>, focused: bool, painter: &mut Painter<'_>) {
        let Some(training) = scene.state.training_run() else {
            return;
        };
        let area = panels::inside(painter.area());
        let (height, row) = (usize::from(area.height), self.row);
        let content = graph::content(
            &training.started.architecture,
            row,
            usize::from(area.width),
            painter.glyphs(),
        );
        let top = top(row, &content, height);
        let beside: Row = [
            (Role::Strong, training.started.architecture.name.clone()),
            (
                Role::Text,
                format!("  {} parameters", format::count(training.started.params)),
            ),
            (
                Role::Text,
                format!("  {} MACs", format::compact(training.started.macs)),
            ),
        ]
        .to_vec();
        panels::title(
            painter,
            focused,
            "Network",
            &beside,
            content.position(height, top).as_deref(),
        );
        let mut inside = painter.part(area);
        content.draw(&mut inside, top);
        content.mark(&mut inside, top, |row| Some(Target::Part(Part::Row(row))));
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>, area: Rect) -> Option<Response> {
        self.go(Scroll::of(action)?, scene, area)
    }

    fn click(&mut self, part: Part, _scene: &Scene<'_>, _area: Rect) -> Option<Response> {
        let Part::Row(row) = part else {
            return None;
        };
        self.row = row;
        Some(Response::Draw)
    }

    fn wheel(&mut self, rows: isize, scene: &Scene<'_>, area: Rect) -> Option<Response> {
        self.go(Scroll::By(rows), scene, area)
    }

    fn hints(&self) -> &'static [Hint] {
        hints!["layer": Up, Down]
    }
}

impl NetworkView {
    /// Highlight another row.
    fn go(&mut self, scroll: Scroll, scene: &Scene<'_>, area: Rect) -> Option<Response> {
        let training = scene.state.training_run()?;
        let page = usize::from(area.height.max(5) - 4);
        let last = graph::rows(&training.started.architecture) - 1;
        self.row = scroll.among(self.row, page, last);
        Some(Response::Draw)
    }
}

/// The first row shown: the highlighted row is in the middle if not everything fits.
fn top(row: usize, content: &Content, height: usize) -> usize {
    row.saturating_sub(content.room(height) / 2)
        .min(content.last_top(height))
}

//! The network in training as a graph, with the connections of one row standing out.

use crate::space::Architecture;
use crate::tui::app::App;
use crate::tui::format;
use crate::tui::paint::Painter;
use crate::tui::panels::inspector::graph;
use crate::tui::panels::{self, Content, Row};
use crate::tui::theme::Role;
use crate::tui::view::Panel;

pub fn draw(app: &App, painter: &mut Painter<'_>) {
    let Some(training) = app.state().training_run() else {
        return;
    };
    let area = panels::inside(painter.area());
    let (height, row) = (usize::from(area.height), app.view.training.network_row);
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
        app.view.focus == Panel::Network,
        "Network",
        &beside,
        content.position(height, top).as_deref(),
    );
    content.draw(&mut painter.part(area), top);
}

/// The row that stands out is in the middle, where there is more than fits.
fn top(row: usize, content: &Content, height: usize) -> usize {
    row.saturating_sub(content.room(height) / 2)
        .min(content.last_top(height))
}

/// The last row of the graph.
pub fn last_row(architecture: &Architecture) -> usize {
    graph::rows(architecture) - 1
}

//! The layers of the network in training as a table.

use crate::tui::app::App;
use crate::tui::paint::Painter;
use crate::tui::panels::layers::{Options, table};
use crate::tui::panels::{self, Content};
use crate::tui::theme::Role;
use crate::tui::view::Panel;

pub fn draw(app: &App, painter: &mut Painter<'_>) {
    let area = panels::inside(painter.area());
    let (height, top) = (usize::from(area.height), app.view.training.layers_top);
    let content = content(app, usize::from(area.width));
    let beside = vec![(Role::Text, content.body.len().to_string())];
    panels::title(
        painter,
        app.view.focus == Panel::Layers,
        "Layers",
        &beside,
        content.position(height, top).as_deref(),
    );
    content.draw(&mut painter.part(area), top);
}

/// The table in `width` columns.
pub fn content(app: &App, width: usize) -> Content {
    let Some(training) = app.state().training_run() else {
        return Content::default();
    };
    table(
        &training.started.architecture,
        &Options::default(),
        width,
        &app.theme.glyphs,
    )
}

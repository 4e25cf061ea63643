//! The last row: the main keys, as many as fit, from the key table.

use super::Row;
use crate::state::Phase;
use crate::tui::app::App;
use crate::tui::keymap::{Action, BINDINGS, Binding, Context};
use crate::tui::paint::{Painter, pieces_width};
use crate::tui::theme::Role;
use crate::tui::view::Quantity;

pub fn draw(app: &App, painter: &mut Painter<'_>) {
    let context = app.context();
    let mut x = 1;
    // The way out and the help come first when room is short.
    let (important, others): (Vec<&Binding>, Vec<&Binding>) = BINDINGS
        .iter()
        .filter(|binding| binding.contexts.contains(&context) && binding.short.is_some() && can_act(app, binding))
        .partition(|binding| matches!(binding.action, Action::Quit | Action::ToggleHelp | Action::TogglePause | Action::Back));
    let closing = (context == Context::Overlay).then(|| vec![(Role::Key, "Esc".to_owned()), (Role::Dim, " close".to_owned())]);
    let keys = closing.into_iter().chain(important.into_iter().chain(others).map(|binding| key(app, binding)));
    for row in keys {
        if x + pieces_width(&row) > painter.width() {
            break;
        }
        x = painter.pieces(x, 0, &row) + 3;
    }
}

fn key(app: &App, binding: &Binding) -> Row {
    let name = binding.keys.first().map(|key| key.name()).unwrap_or_default();
    vec![(Role::Key, name), (Role::Dim, format!(" {}", word(app, binding)))]
}

/// Whether the key would do anything now.
fn can_act(app: &App, binding: &Binding) -> bool {
    let can_pause = matches!(app.state.phase, Phase::Running | Phase::Pausing | Phase::Paused);
    binding.action != Action::TogglePause || can_pause
}

/// What the key would do now.
fn word(app: &App, binding: &Binding) -> &'static str {
    match binding.action {
        Action::TogglePause if matches!(app.state.phase, Phase::Pausing | Phase::Paused) => "resume",
        Action::ToggleAxis if app.view.quantity == Quantity::Accuracy => "reward",
        Action::ToggleMaximised if app.view.maximised => "all panels",
        _ => binding.short.unwrap_or_default(),
    }
}

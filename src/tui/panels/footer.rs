//! The last row: what the user is told, the line being typed, or the main keys, as many as fit.

use super::Row;
use super::chart::Quantity;
use crate::event::Level;
use crate::event::RunKind;
use crate::link::LinkStatus;
use crate::state::RunStatus;
use crate::tui::app::App;
use crate::tui::format;
use crate::tui::keymap::{Action, Bound, Context};
use crate::tui::paint::{Painter, pieces_width};
use crate::tui::text_line::{Purpose, TextLine};
use crate::tui::theme::Role;
use crate::tui::view::Message;
use unicode_width::UnicodeWidthStr;

/// Columns of what is typed that are shown beside a problem, at least.
const LEAST_TYPED: usize = 16;

pub fn draw(app: &App, painter: &mut Painter<'_>) {
    match (&app.view.text, &app.view.message) {
        (Some(line), _) => draw_line(line, painter),
        (None, Some(message)) => draw_message(message, painter),
        (None, None) => draw_keys(app, painter),
    }
}

fn draw_line(line: &TextLine, painter: &mut Painter<'_>) {
    let prompt = match line.purpose {
        Purpose::Filter => "filter: ",
        Purpose::Search => "find: ",
        Purpose::LogFilter => "only lines with: ",
    };
    let x = painter.text(1, 0, Role::Key, prompt);
    let (before, after) = line.halves();
    let width = painter.width();
    // A long line is shown around its cursor, beside what is wrong with it.
    let problem = line.problem.as_ref().map(|problem| {
        format::fit(
            problem,
            width.saturating_sub(x + LEAST_TYPED),
            painter.glyphs().ellipsis,
        )
    });
    let room =
        width.saturating_sub(x + 2 + problem.as_ref().map_or(0, |problem| problem.width() + 2));
    let skip = before.chars().count().saturating_sub(room);
    let x = painter.text(
        x,
        0,
        Role::Text,
        &before.chars().skip(skip).collect::<String>(),
    );
    let mut rest = after.chars();
    let under = rest.next().unwrap_or(' ');
    let x = painter.text(x, 0, Role::Selected, &under.to_string());
    let left = room.saturating_sub(before.chars().count() - skip);
    let x = painter.text(x, 0, Role::Text, &rest.take(left).collect::<String>());
    if let Some(problem) = problem {
        painter.text(x + 2, 0, Role::Error, &problem);
    }
}

fn draw_message(message: &Message, painter: &mut Painter<'_>) {
    let role = match message.level {
        Level::Info => Role::Text,
        Level::Warning => Role::Warning,
        Level::Error => Role::Error,
    };
    let text = format::fit(
        &message.text,
        painter.width().saturating_sub(2),
        painter.glyphs().ellipsis,
    );
    painter.text(1, 0, role, &text);
}

fn draw_keys(app: &App, painter: &mut Painter<'_>) {
    let mut x = 1;
    // The way out and the help come first when room is short.
    let is_important = |bound: &&Bound| {
        matches!(
            bound.binding.action,
            Action::Quit | Action::Help | Action::TogglePause | Action::Back
        )
    };
    let (important, others): (Vec<&Bound>, Vec<&Bound>) = app
        .keymap
        .of(app.context())
        .filter(|bound| bound.binding.short.is_some() && can_act(app, bound))
        .partition(is_important);
    // Keys of the focused panel alone say more than those of all panels.
    let (own, general): (Vec<&Bound>, Vec<&Bound>) =
        others.into_iter().partition(|bound| is_own(app, bound));
    for row in important
        .into_iter()
        .chain(own)
        .chain(general)
        .filter_map(|bound| key(app, bound))
    {
        if x + pieces_width(&row) > painter.width() {
            break;
        }
        x = painter.pieces(x, 0, &row) + 3;
    }
}

fn is_own(app: &App, bound: &Bound) -> bool {
    let other = Context::all()
        .find(|context| matches!(context, Context::Panel(_)) && *context != app.context());
    other.is_none_or(|other| !bound.binding.scope.holds_in(other))
}

fn key(app: &App, bound: &Bound) -> Option<Row> {
    let name = bound.keys.first()?.name();
    Some(vec![
        (Role::Key, name),
        (Role::Dim, format!(" {}", word(app, bound))),
    ])
}

/// Whether the key would do anything now.
fn can_act(app: &App, bound: &Bound) -> bool {
    if bound.binding.help_in(app.kind()).is_none() {
        return false;
    }
    let can_pause = match app.link {
        LinkStatus::Replay { ended, .. } => !ended,
        LinkStatus::Live { watch_only: false } => matches!(
            app.live.status,
            RunStatus::Running | RunStatus::Pausing | RunStatus::Paused
        ),
        _ => false,
    };
    bound.binding.action != Action::TogglePause || can_pause
}

/// What the key would do now.
fn word(app: &App, bound: &Bound) -> &'static str {
    let paused = matches!(app.live.status, RunStatus::Pausing | RunStatus::Paused);
    match bound.binding.action {
        Action::TogglePause if matches!(app.link, LinkStatus::Replay { paused: true, .. }) => {
            "play"
        }
        Action::TogglePause if paused && !matches!(app.link, LinkStatus::Replay { .. }) => "resume",
        Action::ToggleQuantity if app.kind() == RunKind::Training => "accuracy/loss",
        Action::ToggleColumns
            if app.kind() == RunKind::Training && app.view.training.in_percent =>
        {
            "images"
        }
        Action::ToggleQuantity if app.view.chart.quantity == Quantity::Accuracy => "reward",
        Action::Maximise if app.view.maximised => "all panels",
        _ => bound.binding.short.unwrap_or_default(),
    }
}

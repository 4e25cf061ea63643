//! The last row: a message, the line being typed, or the main keys, as many as fit.

use super::{PanelId, Panels, Row};
use crate::event::Level;
use crate::link::LinkStatus;
use crate::state::RunStatus;
use crate::tui::format;
use crate::tui::keymap::{Action, Bound, Context};
use crate::tui::paint::{Painter, pieces_width};
use crate::tui::panels::scene::Scene;
use crate::tui::text_line::{Purpose, TextLine};
use crate::tui::theme::Role;
use unicode_width::UnicodeWidthStr;

/// Minimum number of columns of typed text shown beside an error message.
const LEAST_TYPED: usize = 16;

/// A message in the last row until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Determines the colour.
    pub level: Level,
    /// The text, on one line.
    pub text: String,
}

/// The content of the last row.
pub enum Footer<'a> {
    /// The line being typed.
    Typed(&'a TextLine),
    Told(&'a Remark),
    /// The keys that are valid where keys go now.
    Keys(Context, &'a Panels),
}

impl Footer<'_> {
    /// Fill the one row of `painter`.
    pub fn draw(&self, scene: &Scene<'_>, painter: &mut Painter<'_>) {
        match self {
            Footer::Typed(line) => draw_line(line, painter),
            Footer::Told(message) => draw_message(message, painter),
            Footer::Keys(context, panels) => draw_keys(scene, *context, panels, painter),
        }
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
    // A long line is shown around its cursor, beside the error message.
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

fn draw_message(message: &Remark, painter: &mut Painter<'_>) {
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

fn draw_keys(scene: &Scene<'_>, context: Context, panels: &Panels, painter: &mut Painter<'_>) {
    let mut x = 1;
    // The keys for leaving and for help come first when room is short.
    let is_important = |bound: &&Bound| {
        matches!(
            bound.binding.action,
            Action::Quit | Action::Help | Action::TogglePause | Action::Back
        )
    };
    let (important, others): (Vec<&Bound>, Vec<&Bound>) = scene
        .keymap
        .of(context)
        .filter(|bound| bound.binding.short.is_some() && can_act(scene, bound))
        .partition(is_important);
    // Keys specific to the focused panel are more informative than those of all panels.
    let (own, general): (Vec<&Bound>, Vec<&Bound>) =
        others.into_iter().partition(|bound| is_own(context, bound));
    for row in important
        .into_iter()
        .chain(own)
        .chain(general)
        .filter_map(|bound| key(scene, panels, bound))
    {
        if x + pieces_width(&row) > painter.width() {
            break;
        }
        x = painter.pieces(x, 0, &row) + 3;
    }
}

fn is_own(own: Context, bound: &Bound) -> bool {
    let other =
        Context::all().find(|context| matches!(context, Context::Panel(_)) && *context != own);
    other.is_none_or(|other| !bound.binding.scope.holds_in(other))
}

fn key(scene: &Scene<'_>, panels: &Panels, bound: &Bound) -> Option<Row> {
    let name = bound.keys.first()?.name();
    Some(vec![
        (Role::Key, name),
        (Role::Dim, format!(" {}", word(scene, panels, bound))),
    ])
}

/// Whether the key would have an effect now.
fn can_act(scene: &Scene<'_>, bound: &Bound) -> bool {
    if bound.binding.help_in(scene.kind).is_none() {
        return false;
    }
    let can_pause = match scene.link {
        LinkStatus::Replay { ended, .. } => !ended,
        _ => scene.read_only_reason().is_none() && scene.status().can_pause(),
    };
    bound.binding.action != Action::TogglePause || can_pause
}

/// What the key would do now.
fn word(scene: &Scene<'_>, panels: &Panels, bound: &Bound) -> &'static str {
    let paused = matches!(scene.status(), RunStatus::Pausing | RunStatus::Paused);
    match bound.binding.action {
        Action::TogglePause if matches!(scene.link, LinkStatus::Replay { paused: true, .. }) => {
            "play"
        }
        Action::TogglePause if paused && !matches!(scene.link, LinkStatus::Replay { .. }) => {
            "resume"
        }
        Action::Maximise if scene.arrangement.maximised => "all panels",
        action => {
            let of_run = PanelId::of(scene.kind).into_iter();
            let mut words = of_run.filter_map(|panel| panels.get(panel).word(action));
            words.next().or(bound.binding.short).unwrap_or_default()
        }
    }
}

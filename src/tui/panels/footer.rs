//! The last row: a message, the line being typed, or the main keys, as many as fit.

mod page;
mod remark;

use super::panel::{Hint, hints};
use super::{PanelId, Panels};
use crate::config::LayoutName;
use crate::event::RunKind;
use crate::link::LinkStatus;
use crate::state::RunStatus;
use crate::tui::format;
use crate::tui::keymap::{Action, Bound, Context};
use crate::tui::paint::{Painter, Piece};
use crate::tui::panels::scene::Scene;
use crate::tui::target::Target;
use crate::tui::text_line::{Purpose, TextLine};
use crate::tui::theme::{Glyphs, Role};
pub use page::Page;
pub use remark::Remark;
use unicode_width::UnicodeWidthStr;

/// Minimum number of columns for the text typed beside an error message.
const LEAST_TYPED: usize = 16;

/// What a replay is about, until it has ended and afterwards.
const REPLAY: &[Hint] = hints!["speed": Slower, Faster; "step": PreviousEpisode, NextEpisode];
const REPLAYED: &[Hint] = hints!["step": PreviousEpisode, NextEpisode];

/// The content of the last row.
pub enum Footer<'a> {
    /// The line being typed.
    Typed(&'a TextLine),
    Told(&'a Remark),
    /// The keys that are valid where keys go now.
    Keys(Page<'a>),
}

impl Footer<'_> {
    /// Write what has no room in the last row of the screen into the rows above it: the beginning of a long
    /// message, or what there is to say about the text typed.
    pub fn draw_above(&self, screen: &mut Painter<'_>) {
        let width = screen.width();
        let (role, lines) = match self {
            Footer::Typed(line) => {
                let doubt = doubt(line).filter(|(_, text)| !fits_beside(line, text, width));
                let Some((role, text)) = doubt else { return };
                (role, format::wrap(text, width.saturating_sub(2)))
            }
            Footer::Told(message) => (
                message.role(),
                message.beginning(width, screen.glyphs().ellipsis),
            ),
            Footer::Keys(_) => return,
        };
        let top = screen.height().saturating_sub(1 + lines.len());
        for (y, line) in lines.iter().enumerate() {
            let line = format!(" {line:<0$}", width.saturating_sub(1));
            screen.text(0, top + y, role, &line);
        }
    }

    /// Fill the one row of `painter`.
    pub fn draw(&self, scene: &Scene<'_>, painter: &mut Painter<'_>) {
        match self {
            Footer::Typed(line) => draw_line(line, painter),
            Footer::Told(message) => message.draw_end(painter),
            Footer::Keys(page) => draw_keys(scene, page, painter),
        }
    }
}

/// What is asked for, before the text typed.
fn prompt(purpose: Purpose) -> String {
    match purpose {
        Purpose::Palette => ": ".to_owned(),
        Purpose::Filter => "filter: ".to_owned(),
        Purpose::Search => "find: ".to_owned(),
        Purpose::LogFilter => "only lines with: ".to_owned(),
        Purpose::Columns => "columns: ".to_owned(),
        Purpose::Note(child) => format!("note on child {child}: "),
    }
}

/// What is wrong with the text typed: an error, or a hint while it is being typed.
fn doubt(line: &TextLine) -> Option<(Role, &str)> {
    let problem = line.problem.as_deref().map(|text| (Role::Error, text));
    problem.or(line.doubt.as_deref().map(|text| (Role::Dim, text)))
}

/// Whether a message has room beside the text typed, all of which stays in view: the message may be about
/// any place in it.
fn fits_beside(line: &TextLine, message: &str, width: usize) -> bool {
    let typed = line.text().width() + 4;
    prompt(line.purpose).width() + typed.max(LEAST_TYPED) + message.width() < width
}

fn draw_line(line: &TextLine, painter: &mut Painter<'_>) {
    let prompt = prompt(line.purpose);
    let x = painter.text(1, 0, Role::Key, &prompt);
    let (before, after) = line.halves();
    let width = painter.width();
    // A long line is shown around its cursor.
    let doubt = doubt(line).filter(|(_, text)| fits_beside(line, text, width));
    let room = width.saturating_sub(x + 2 + doubt.map_or(0, |(_, text)| text.width() + 2));
    let shown = end_of(&before, room);
    let x = painter.text(x, 0, Role::Text, shown);
    let mut rest = after.chars();
    let under = rest.next().unwrap_or(' ').to_string();
    let x = painter.text(x, 0, Role::Selected, &under);
    let left = (room + 1).saturating_sub(shown.width() + under.width());
    let x = painter.text(x, 0, Role::Text, &format::fit(rest.as_str(), left, ""));
    if let Some((role, text)) = doubt {
        painter.text(x + 2, 0, role, text);
    }
}

/// The end of `text`, as much as fits into `room` columns.
fn end_of(text: &str, room: usize) -> &str {
    let starts = text.char_indices().map(|(start, _)| start);
    let mut ends = starts.map(|start| &text[start..]);
    ends.find(|end| end.width() <= room).unwrap_or_default()
}

/// Keys and their word, each with the action that a click on it performs.
type KeyRow = Vec<(Option<Action>, Piece)>;

fn draw_keys(scene: &Scene<'_>, page: &Page<'_>, painter: &mut Painter<'_>) {
    let mut x = 1;
    for row in key_rows(scene, page) {
        let width = row.iter().map(|(_, (_, text))| text.width()).sum::<usize>();
        if x + width > painter.width() {
            break;
        }
        for (action, (role, text)) in row {
            let start = x;
            x = painter.text(x, 0, role, &text);
            if let Some(action) = action {
                painter.target((start, 0), (x - start, 1), Target::Action(action));
            }
        }
        x += 3;
    }
}

/// The keys that mean something on the page, most important first.
fn key_rows(scene: &Scene<'_>, page: &Page<'_>) -> Vec<KeyRow> {
    let context = page.context;
    // The keys for leaving and for help come first when room is short; the run can be paused from any
    // panel, which leaves the room to what is edited.
    let is_important = |bound: &&Bound| match bound.binding.action {
        Action::Quit | Action::Help | Action::Back => true,
        // There is no other way to the other pages.
        Action::NextTab => true,
        action => {
            let is_page = matches!(context, Context::Inspector | Context::Runs);
            action == Action::TogglePause && !is_page
        }
    };
    let is_hinted = |action: Action| {
        let mut hints = page.hints().iter();
        hints.any(|hint| hint.actions.contains(&action))
    };
    let (important, others): (Vec<&Bound>, Vec<&Bound>) = scene
        .keymap
        .of(context)
        .filter(|bound| bound.binding.short.is_some() && can_act(scene, bound))
        .filter(|bound| {
            page.offers(bound.binding.action, scene) && !is_hinted(bound.binding.action)
        })
        .partition(is_important);
    let rows_of = |hints: &'static [Hint]| -> Vec<KeyRow> {
        let rows = hints.iter();
        rows.filter_map(|hint| hint_row(scene, page, hint))
            .collect()
    };
    // Keys specific to the focused panel are more informative than those of all panels, and of these the
    // ones for moving among the panels.
    let (own, general): (Vec<&Bound>, Vec<&Bound>) = others
        .into_iter()
        .partition(|bound| bound.binding.scope.is_own(context));
    let (moving, general): (Vec<&Bound>, Vec<&Bound>) = general
        .into_iter()
        .partition(|bound| moves_among_panels(bound.binding.action));
    let keys = |bounds: Vec<&Bound>| -> Vec<KeyRow> {
        let rows = bounds.into_iter();
        rows.filter_map(|bound| key(scene, page.panels, bound))
            .collect()
    };
    let of_replay = match scene.link {
        LinkStatus::Replay { ended: false, .. } => REPLAY,
        LinkStatus::Replay { ended: true, .. } => REPLAYED,
        _ => &[],
    };
    let rows = [
        keys(important),
        rows_of(page.hints()),
        rows_of(page.scroll_hints(scene)),
        keys(own),
        keys(moving),
        rows_of(of_replay),
        keys(general),
    ];
    rows.into_iter().flatten().collect()
}

/// Whether an action leads to another panel or shows one alone.
fn moves_among_panels(action: Action) -> bool {
    matches!(
        action,
        Action::LayoutOverview | Action::FocusNext | Action::Maximise
    )
}

/// Keys that belong together, and their word; `None` if none of them would do anything now.
fn hint_row(scene: &Scene<'_>, page: &Page<'_>, hint: &Hint) -> Option<KeyRow> {
    let acts = |action: &&Action| scene.why_not(**action).is_none() && page.offers(**action, scene);
    let names: Vec<(Action, String)> = hint
        .actions
        .iter()
        .filter(acts)
        .filter_map(|action| {
            let mut bound = scene.keymap.of(page.context);
            let bound = bound.find(|bound| bound.binding.action == *action)?;
            let name = short_name(&bound.keys.first()?.name(), scene.glyphs());
            Some((*action, name))
        })
        .collect();
    let are_arrows = names
        .iter()
        .all(|(_, name)| scene.glyphs().arrows.contains(&name.as_str()));
    let gap = if are_arrows && !scene.glyphs().ascii {
        ""
    } else {
        " "
    };
    let only = Some(names.first()?.0).filter(|_| names.len() == 1);
    let mut row = KeyRow::new();
    for (action, name) in names {
        if !row.is_empty() {
            row.push((None, (Role::Key, gap.to_owned())));
        }
        row.push((Some(action), (Role::Key, name)));
    }
    row.push((only, (Role::Dim, format!(" {}", hint.word))));
    Some(row)
}

/// The name of a key, as an arrow if it is one.
fn short_name(name: &str, glyphs: &Glyphs) -> String {
    let arrow = ["Left", "Right", "Up", "Down"]
        .iter()
        .position(|arrow| *arrow == name);
    arrow.map_or(name, |arrow| glyphs.arrows[arrow]).to_owned()
}

fn key(scene: &Scene<'_>, panels: &Panels, bound: &Bound) -> Option<KeyRow> {
    let (action, name) = (Some(bound.binding.action), bound.keys.first()?.name());
    let word = format!(" {}", word(scene, panels, bound));
    Some(vec![
        (action, (Role::Key, name)),
        (action, (Role::Dim, word)),
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
    match bound.binding.action {
        Action::TogglePause => can_pause,
        // The overview need not be chosen where it is shown.
        Action::LayoutOverview => {
            let areas = scene.areas();
            let is_alone = areas.is_none_or(|areas| areas.tabs.is_some());
            scene.arrangement.layout != LayoutName::Overview || is_alone
        }
        action => scene.why_not(action).is_none(),
    }
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
        Action::Quit if scene.neighbours.home.is_some() => "back",
        // In a search it finds children, unless the focused panel has a text of its own.
        Action::Search if scene.kind == RunKind::Search => "filter",
        action => {
            let of_run = PanelId::of(scene.kind).into_iter();
            let mut words = of_run.filter_map(|panel| panels.get(panel).word(action));
            words.next().or(bound.binding.short).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests;

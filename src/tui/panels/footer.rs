//! The last row: a message, the line being typed, or the main keys, as many as fit.

mod remark;

use super::inspector::InspectorView;
use super::panel::{Hint, hints};
use super::{PanelId, Panels};
use crate::config::LayoutName;
use crate::link::LinkStatus;
use crate::state::RunStatus;
use crate::tui::format;
use crate::tui::keymap::{Action, Bound, Context};
use crate::tui::paint::{Painter, Piece};
use crate::tui::panels::scene::Scene;
use crate::tui::target::Target;
use crate::tui::text_line::{Purpose, TextLine};
use crate::tui::theme::{Glyphs, Role};
pub use remark::Remark;
use unicode_width::UnicodeWidthStr;

/// Minimum number of columns of typed text shown beside an error message.
const LEAST_TYPED: usize = 16;

/// What the list of runs is about.
const RUNS: &[Hint] = hints!["choose": Up, Down; "settings": Differences];

/// The content of the last row.
pub enum Footer<'a> {
    /// The line being typed.
    Typed(&'a TextLine),
    Told(&'a Remark),
    /// The keys that are valid where keys go now.
    Keys(Page<'a>),
}

/// Where keys go now, and what decides which of them mean something there.
pub struct Page<'a> {
    /// Where keys go.
    pub context: Context,
    /// The panels, one of which may have the focus.
    pub panels: &'a Panels,
    /// The inspector, if it is open.
    pub inspector: Option<&'a InspectorView>,
}

impl Page<'_> {
    /// What the page is about.
    pub fn hints(&self) -> &'static [Hint] {
        match self.context {
            Context::Panel(panel) => self.panels.get(panel).hints(),
            Context::Inspector => self.inspector.map_or(&[], InspectorView::hints),
            Context::Runs => RUNS,
            _ => &[],
        }
    }

    /// The word of the focused panel for what `action` would do there, if that varies.
    pub fn word(&self, action: Action) -> Option<&'static str> {
        match self.context {
            Context::Panel(panel) => self.panels.get(panel).word(action),
            _ => None,
        }
    }

    /// Whether `action` means something there now.
    fn offers(&self, action: Action, scene: &Scene<'_>) -> bool {
        match self.context {
            Context::Panel(panel) => self.panels.get(panel).offers(action, scene),
            // There it would seem to pause the selected run.
            Context::Runs => action != Action::TogglePause,
            _ => true,
        }
    }
}

impl Footer<'_> {
    /// Write what has no room in the last row of the screen into the rows above it: the beginning of a long
    /// message, or an error beside the text typed.
    pub fn draw_above(&self, screen: &mut Painter<'_>) {
        let width = screen.width();
        let (role, lines) = match self {
            Footer::Typed(line) => {
                let problem = line.problem.as_ref();
                let has_room =
                    |problem: &&String| fits_beside(&prompt(line.purpose), problem, width);
                let problem = problem.filter(|problem| !has_room(problem));
                let wrapped = |problem: &String| format::wrap(problem, width.saturating_sub(2));
                (Role::Error, problem.map(wrapped).unwrap_or_default())
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

/// Whether an error message has room beside the text typed.
fn fits_beside(prompt: &str, problem: &str, width: usize) -> bool {
    prompt.width() + LEAST_TYPED + problem.width() < width
}

fn draw_line(line: &TextLine, painter: &mut Painter<'_>) {
    let prompt = prompt(line.purpose);
    let x = painter.text(1, 0, Role::Key, &prompt);
    let (before, after) = line.halves();
    let width = painter.width();
    // A long line is shown around its cursor, beside the error message.
    let problem = line.problem.as_ref();
    let problem = problem.filter(|problem| fits_beside(&prompt, problem, width));
    let room =
        width.saturating_sub(x + 2 + problem.as_ref().map_or(0, |problem| problem.width() + 2));
    let shown = end_of(&before, room);
    let x = painter.text(x, 0, Role::Text, shown);
    let mut rest = after.chars();
    let under = rest.next().unwrap_or(' ').to_string();
    let x = painter.text(x, 0, Role::Selected, &under);
    let left = (room + 1).saturating_sub(shown.width() + under.width());
    let x = painter.text(x, 0, Role::Text, &format::fit(rest.as_str(), left, ""));
    if let Some(problem) = problem {
        painter.text(x + 2, 0, Role::Error, problem);
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
    let hints = page.hints().iter();
    let hints = hints.filter_map(|hint| hint_row(scene, page, hint));
    // Keys specific to the focused panel are more informative than those of all panels.
    let (own, general): (Vec<&Bound>, Vec<&Bound>) = others
        .into_iter()
        .partition(|bound| bound.binding.scope.is_own(context));
    let keys = |bounds: Vec<&Bound>| -> Vec<KeyRow> {
        let rows = bounds.into_iter();
        rows.filter_map(|bound| key(scene, page.panels, bound))
            .collect()
    };
    let rows = keys(important).into_iter().chain(hints);
    for row in rows.chain(keys(own)).chain(keys(general)) {
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
        action => {
            let of_run = PanelId::of(scene.kind).into_iter();
            let mut words = of_run.filter_map(|panel| panels.get(panel).word(action));
            words.next().or(bound.binding.short).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample;

    #[test]
    fn the_end_of_a_long_line_is_visible_whatever_its_characters() {
        for part in ["x", "größe ", "猫", "👩 "] {
            let line = TextLine::new(Purpose::Filter, &format!("{}!", part.repeat(60)));
            let drawn = sample::drawn((40, 1), false, |painter| draw_line(&line, painter));
            assert!(drawn.ends_with('!'), "{drawn}");
        }
    }

    #[test]
    fn a_message_without_room_beside_the_line_is_whole_above_it() {
        let mut line = TextLine::new(Purpose::Columns, "");
        let names = "child episode accuracy reward params macs layers time energy entropy";
        line.problem = Some(names.to_owned());
        let drawn = sample::drawn((40, 4), false, |painter| {
            Footer::Typed(&line).draw_above(painter);
        });
        let rows: Vec<&str> = drawn.lines().map(str::trim).collect();
        assert_eq!(rows[1..3].join(" "), names, "{drawn}");
        line.problem = Some("short".to_owned());
        let drawn = sample::drawn((40, 4), false, |painter| {
            Footer::Typed(&line).draw_above(painter);
        });
        assert!(drawn.trim().is_empty(), "{drawn}");
    }

    #[test]
    fn only_what_fits_before_the_cursor_is_shown() {
        assert_eq!(end_of("abc", 3), "abc");
        assert_eq!(end_of("abc", 2), "bc");
        assert_eq!(end_of("猫猫猫", 5), "猫猫");
        assert_eq!(end_of("猫", 1), "");
        assert_eq!(end_of("", 0), "");
    }
}

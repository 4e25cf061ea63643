//! The log: newest last, followed until the user scrolls up.

mod lines;

use ratatui::layout::Rect;

use super::panel::{ANY_RUN, About, Hint, PANELS, Panel, Response, hints};
use super::{PanelId, Row, words};
use crate::config::LayoutName;
use crate::event::Level;
use crate::foundation::numbers::counted;
use crate::state::{LogLine, RunState};
use crate::tui::format;
use crate::tui::keymap::{Action, Binding, Scope, keys};
use crate::tui::paint::Painter;
use crate::tui::panels::scene::Scene;
use crate::tui::panels::scroll::Scroll;
use crate::tui::text_line::Purpose;
use crate::tui::theme::Role;

/// Which part of the log is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogView {
    /// Number (from the start of the run) of the last line shown; `None` follows the newest.
    pub end: Option<u64>,
    /// Lines of lower levels are hidden.
    pub least: Level,
    /// Lines without this text are hidden.
    pub filter: String,
    /// This text is highlighted.
    pub query: String,
    /// Number of the line where the search last found it.
    pub found: Option<u64>,
}

impl Default for LogView {
    fn default() -> LogView {
        LogView {
            end: None,
            least: Level::Info,
            filter: String::new(),
            query: String::new(),
            found: None,
        }
    }
}

const HERE: Scope = Scope::Panel(PanelId("log"));

/// The keys of this panel only.
const KEYS: &[Binding] = keys! {
    HERE ["&"] FilterLog "log: only lines that contain a text" ("filter");
    HERE ["n"] NextMatch "log: next match";
    HERE ["N"] PreviousMatch "log: previous match";
    HERE ["v"] NextLevel "log: all lines, warnings and errors, errors" ("level");
};

#[linkme::distributed_slice(PANELS)]
static ABOUT: About = About {
    keys: KEYS,
    leads: &[LayoutName::Log],
    scrolls_whole: true,
    ..About::of::<LogView>("log", "Log", 130, ANY_RUN)
};

impl Panel for LogView {
    fn draw(&self, scene: &Scene<'_>, focused: bool, painter: &mut Painter<'_>) {
        let area = super::inside(painter.area());
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let last = self.last_shown(scene, width, height);
        let beside = self.beside(scene, last.is_some());
        super::title(painter, focused, "Log", &beside, None);
        let mut rows = self.rows(scene, last, width, height);
        let lines = scene.state.log.len();
        if rows.is_empty() && lines > 0 {
            let text = format!("no such line among {}", format::count(lines as u64));
            rows.push(words(Role::Dim, text));
        }
        // Until the panel is full the log starts at its top.
        let mut painter = painter.part(area);
        for (y, row) in rows.iter().enumerate() {
            painter.pieces(0, y, row);
        }
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>, area: Rect) -> Option<Response> {
        match action {
            Action::NextMatch | Action::PreviousMatch => {
                return Some(self.search(scene, action == Action::NextMatch));
            }
            Action::NextLevel => self.next_level(),
            // At an earlier moment, this key first leaves that.
            Action::Back if !scene.in_the_past() && self.is_narrowed() => {
                self.filter.clear();
                self.query.clear();
                self.found = None;
                let area = super::inside(area);
                self.end = self.last_shown(scene, area.width.into(), area.height.into());
            }
            action => {
                let scroll = Scroll::of(action).filter(|_| !area.is_empty())?;
                self.end = self.scrolled(scene, scroll, area);
            }
        }
        Some(Response::Draw)
    }

    fn wheel(&mut self, rows: isize, scene: &Scene<'_>, area: Rect) -> Option<Response> {
        self.end = self.scrolled(scene, Scroll::By(rows), area);
        Some(Response::Draw)
    }

    fn hints(&self) -> &'static [Hint] {
        match self.query.as_str() {
            "" => hints!["find": Search],
            _ => hints!["match": NextMatch, PreviousMatch; "find": Search],
        }
    }

    fn text(&self, purpose: Purpose) -> Option<&str> {
        match purpose {
            Purpose::Search => Some(&self.query),
            Purpose::LogFilter => Some(&self.filter),
            Purpose::Filter | Purpose::Palette | Purpose::Columns | Purpose::Note(_) => None,
        }
    }

    fn set_text(
        &mut self,
        purpose: Purpose,
        text: &str,
        scene: &Scene<'_>,
    ) -> Result<Response, String> {
        if purpose == Purpose::LogFilter {
            self.filter = text.to_owned();
            self.end = None;
            return Ok(Response::Draw);
        }
        self.query = text.to_owned();
        self.found = None;
        Ok(match text {
            "" => Response::Draw,
            _ => self.search(scene, false),
        })
    }
}

impl LogView {
    /// Scroll to the next match of the search text, if there is one.
    fn search(&mut self, scene: &Scene<'_>, is_forward: bool) -> Response {
        let found = self.find(scene.state, is_forward);
        self.end = found.or(self.end);
        self.found = found.or(self.found);
        found.map_or_else(|| self.found_nothing(scene), |_| Response::Draw)
    }

    /// That no line shown has the search text, and how many hidden ones have it.
    fn found_nothing(&self, scene: &Scene<'_>) -> Response {
        let query = &self.query;
        let log = scene.state.log.iter().filter(|line| !self.shows(line));
        let hidden = log.filter(|line| line.contains(query)).count() as u64;
        let key = |action| scene.keymap.key_of(action);
        let text = match hidden {
            _ if query.is_empty() => format!("nothing is searched for: {}", key(Action::Search)),
            0 => format!("the log has no line with \"{query}\""),
            _ => format!(
                "no line shown has \"{query}\"; it is in {} ({} or {} shows others)",
                counted(hidden, "hidden line"),
                key(Action::NextLevel),
                key(Action::FilterLog)
            ),
        };
        Response::Tell(Level::Info, text)
    }

    /// Hide one more level; after errors only, show all again.
    fn next_level(&mut self) {
        self.least = match self.least {
            Level::Info => Level::Warning,
            Level::Warning => Level::Error,
            Level::Error => Level::Info,
        };
        self.end = None;
    }

    /// Whether something is filtered or searched for.
    fn is_narrowed(&self) -> bool {
        !self.filter.is_empty() || !self.query.is_empty()
    }

    /// Whether a line is shown.
    fn shows(&self, line: &LogLine) -> bool {
        line.level >= self.least && (self.filter.is_empty() || line.contains(&self.filter))
    }

    /// Which part of the log is shown, unless it is all of it.
    fn beside(&self, scene: &Scene<'_>, is_back: bool) -> Row {
        let mut row = Row::new();
        match self.least {
            Level::Info => {}
            Level::Warning => row.push((Role::Warning, "warnings and errors".to_owned())),
            Level::Error => row.push((Role::Error, "errors".to_owned())),
        }
        if !self.filter.is_empty() {
            row.push((Role::Warning, format!("only \"{}\"", self.filter)));
        }
        if !self.query.is_empty() {
            row.push((Role::Dim, format!("/{}", self.query)));
        }
        if is_back {
            row.push((
                Role::Warning,
                format!(
                    "scrolled back, {} follows",
                    scene.keymap.key_of(Action::Live)
                ),
            ));
        }
        for (_, text) in row.iter_mut().skip(1) {
            text.insert(0, ' ');
        }
        row
    }

    /// Number of the last line shown: later than the one scrolled to if the lines up to that would leave room
    /// empty, because they have become fewer or shorter. `None` if it is the newest.
    fn last_shown(&self, scene: &Scene<'_>, width: usize, height: usize) -> Option<u64> {
        let end = self.end?;
        let last = end.max(self.first_end(scene, width, height)?);
        (last < newest(scene.state)).then_some(last)
    }

    /// The rows up to line `last`, or to the newest, at most `height`, oldest first.
    fn rows(&self, scene: &Scene<'_>, last: Option<u64>, width: usize, height: usize) -> Vec<Row> {
        let log = &scene.state.log;
        let end = match last {
            None => log.len(),
            Some(line) => index_of(scene.state, line).map_or(log.len(), |index| index + 1),
        };
        let mut rows: Vec<Row> = Vec::new();
        for line in log.range(..end).rev().filter(|line| self.shows(line)) {
            if rows.len() >= height {
                break;
            }
            rows.extend(self.line_rows(scene, line, width).into_iter().rev());
        }
        rows.truncate(height);
        rows.reverse();
        rows
    }

    /// Number of the last line shown after scrolling; `None` if the newest is followed.
    fn scrolled(&self, scene: &Scene<'_>, scroll: Scroll, area: Rect) -> Option<u64> {
        let area = super::inside(area);
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let state = scene.state;
        let newest = newest(state);
        // If all lines fit there is nothing to scroll.
        let first = self.first_end(scene, width, height)?;
        let end = self.end.unwrap_or(newest);
        let page = height.saturating_sub(1).max(1) as i64;
        let end = match scroll {
            Scroll::By(lines) => self.step(state, end, lines as i64),
            Scroll::Pages(pages) => self.step(state, end, pages as i64 * page),
            Scroll::Top => first,
            Scroll::Bottom => newest,
        };
        (end < newest)
            .then(|| end.max(first))
            .filter(|end| *end < newest)
    }

    /// The line this many shown lines after (or before) line `from`.
    fn step(&self, state: &RunState, from: u64, by: i64) -> u64 {
        let shown =
            |line: &u64| index_of(state, *line).is_some_and(|index| self.shows(&state.log[index]));
        let (oldest, newest) = (state.log_dropped, newest(state));
        let steps = by.unsigned_abs().saturating_sub(1) as usize;
        if by < 0 {
            (oldest..from)
                .rev()
                .filter(shown)
                .nth(steps)
                .unwrap_or(oldest)
        } else {
            (from + 1..=newest)
                .filter(shown)
                .nth(steps)
                .unwrap_or(newest)
        }
    }

    /// The nearest match of the search text before or after the last line shown; the search wraps
    /// around at the ends.
    fn find(&self, state: &RunState, forward: bool) -> Option<u64> {
        if self.query.is_empty() {
            return None;
        }
        let (oldest, past) = (
            state.log_dropped,
            state.log_dropped + state.log.len() as u64,
        );
        let from = self.end.map_or(past, |end| end.clamp(oldest, past));
        let matches = |line: &u64| {
            let line = index_of(state, *line).map(|index| &state.log[index]);
            line.is_some_and(|line| self.shows(line) && line.contains(&self.query))
        };
        if forward {
            (from.saturating_add(1).min(past)..past)
                .chain(oldest..from.saturating_add(1).min(past))
                .find(matches)
        } else {
            let after = (from..past).rev();
            (oldest..from).rev().chain(after).find(matches)
        }
    }

    /// The smallest line number that fills a panel of `height` rows when it is shown last.
    fn first_end(&self, scene: &Scene<'_>, width: usize, height: usize) -> Option<u64> {
        let mut rows = 0;
        let shown = |(_, line): &(usize, &LogLine)| self.shows(line);
        for (index, line) in scene.state.log.iter().enumerate().filter(shown) {
            rows += self.line_rows(scene, line, width).len();
            if rows >= height {
                return Some(scene.state.log_dropped + index as u64);
            }
        }
        None
    }
}

/// Number of the newest line of the run's log.
fn newest(state: &RunState) -> u64 {
    state.log_dropped + (state.log.len() as u64).saturating_sub(1)
}

/// Index of a line of the run's log in the part that is kept.
fn index_of(state: &RunState, line: u64) -> Option<usize> {
    let last = state.log.len().checked_sub(1)?;
    Some((line.saturating_sub(state.log_dropped) as usize).min(last))
}

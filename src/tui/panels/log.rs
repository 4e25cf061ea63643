//! The log: newest last, followed until the user scrolls up.

use super::Row;
use crate::event::Level;
use crate::state::{LogLine, RunState};
use crate::tui::app::{App, Scroll};
use crate::tui::format;
use crate::tui::keymap::Action;
use crate::tui::paint::Painter;
use crate::tui::theme::Role;
use crate::tui::view::Panel;

/// Columns of `12:34:56 `.
const TIME_WIDTH: usize = 9;

pub fn draw(app: &App, painter: &mut Painter<'_>) {
    super::title(
        painter,
        app.view.focus == Panel::Log,
        "Log",
        &beside(app),
        None,
    );
    let area = super::inside(painter.area());
    let rows = rows(app, usize::from(area.width), usize::from(area.height));
    // Until the panel is full the log starts at its top.
    let mut painter = painter.part(area);
    for (y, row) in rows.iter().enumerate() {
        painter.pieces(0, y, row);
    }
}

/// What of the log is shown, where it is not all of it.
fn beside(app: &App) -> Row {
    let view = &app.view.log;
    let mut row = Row::new();
    match view.least {
        Level::Info => {}
        Level::Warning => row.push((Role::Warning, "warnings and errors ".to_owned())),
        Level::Error => row.push((Role::Error, "errors ".to_owned())),
    }
    if !view.filter.is_empty() {
        row.push((Role::Warning, format!("only \"{}\" ", view.filter)));
    }
    if !view.query.is_empty() {
        row.push((Role::Dim, format!("/{} ", view.query)));
    }
    if view.end.is_some() {
        row.push((
            Role::Warning,
            format!("scrolled back, {} follows", app.keymap.key_of(Action::Live)),
        ));
    }
    row
}

/// The last rows up to the line shown last, at most `height`, oldest first.
fn rows(app: &App, width: usize, height: usize) -> Vec<Row> {
    let log = &app.state().log;
    let end = match app.view.log.end {
        None => log.len(),
        Some(line) => index_of(app.state(), line).map_or(log.len(), |index| index + 1),
    };
    let mut rows: Vec<Row> = Vec::new();
    for line in log
        .range(..end)
        .rev()
        .filter(|line| app.view.log.shows(line))
    {
        if rows.len() >= height {
            break;
        }
        rows.extend(line_rows(app, line, width).into_iter().rev());
    }
    rows.truncate(height);
    rows.reverse();
    rows
}

/// Number of the last line shown after scrolling; none where the newest is followed.
pub fn scrolled(app: &App, scroll: Scroll, width: usize, height: usize) -> Option<u64> {
    let state = app.state();
    let newest = state.log_dropped + (state.log.len() as u64).saturating_sub(1);
    // Where all lines fit there is nothing to scroll.
    let first = first_end(app, width, height)?;
    let end = app.view.log.end.unwrap_or(newest);
    let page = height.saturating_sub(1).max(1) as i64;
    let end = match scroll {
        Scroll::By(lines) => step(app, end, lines as i64),
        Scroll::Pages(pages) => step(app, end, pages as i64 * page),
        Scroll::Top => first,
        Scroll::Bottom => newest,
    };
    (end < newest)
        .then(|| end.max(first))
        .filter(|end| *end < newest)
}

/// The line so many shown lines after (or before) line `from`.
fn step(app: &App, from: u64, by: i64) -> u64 {
    let state = app.state();
    let shown = |line: &u64| {
        index_of(state, *line).is_some_and(|index| app.view.log.shows(&state.log[index]))
    };
    let (oldest, newest) = (
        state.log_dropped,
        state.log_dropped + (state.log.len() as u64).saturating_sub(1),
    );
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

/// The line with the text searched for, before the last line shown or after it; the search begins
/// again at the other end.
pub fn find(app: &App, forward: bool) -> Option<u64> {
    let (state, view) = (app.state(), &app.view.log);
    if view.query.is_empty() {
        return None;
    }
    let (oldest, past) = (
        state.log_dropped,
        state.log_dropped + state.log.len() as u64,
    );
    let from = view.end.map_or(past, |end| end.clamp(oldest, past));
    let matches = |line: &u64| {
        let line = index_of(state, *line).map(|index| &state.log[index]);
        line.is_some_and(|line| view.shows(line) && line.contains(&view.query))
    };
    if forward {
        (from.saturating_add(1).min(past)..past)
            .chain(oldest..from)
            .find(matches)
    } else {
        let after = (from..past).rev();
        (oldest..from).rev().chain(after).find(matches)
    }
}

/// The smallest line number that fills a panel of `height` rows when it is shown last.
fn first_end(app: &App, width: usize, height: usize) -> Option<u64> {
    let mut rows = 0;
    let shown = |(_, line): &(usize, &LogLine)| app.view.log.shows(line);
    for (index, line) in app.state().log.iter().enumerate().filter(shown) {
        rows += line_rows(app, line, width).len();
        if rows >= height {
            return Some(app.state().log_dropped + index as u64);
        }
    }
    None
}

/// Where a line of the run's log is in what is kept of it.
fn index_of(state: &RunState, line: u64) -> Option<usize> {
    let last = state.log.len().checked_sub(1)?;
    Some((line.saturating_sub(state.log_dropped) as usize).min(last))
}

fn line_rows(app: &App, line: &LogLine, width: usize) -> Vec<Row> {
    let time = line
        .time
        .to_zoned(app.time_zone.clone())
        .strftime("%H:%M:%S ")
        .to_string();
    let role = match line.level {
        Level::Info => Role::Text,
        Level::Warning => Role::Warning,
        Level::Error => Role::Error,
    };
    let word = line.word();
    let text = format!("{word}{}", line.text.replace(char::is_control, " "));
    let lines = format::wrap(&text, width.saturating_sub(TIME_WIDTH));
    let first = std::iter::once(time).chain(std::iter::repeat(" ".repeat(TIME_WIDTH)));
    first
        .zip(lines)
        .enumerate()
        .map(|(index, (time, text))| {
            // The level's word alone is coloured: a whole line in red is hard to read.
            let (level, rest) = if index == 0 {
                text.split_at(word.len().min(text.len()))
            } else {
                ("", text.as_str())
            };
            let mut row = vec![(Role::Dim, time), (role, level.to_owned())];
            row.extend(marked(rest, &app.view.log.query));
            row
        })
        .collect()
}

/// A line with the places marked where it has the text searched for.
fn marked(text: &str, query: &str) -> Row {
    let mut row = Row::new();
    let mut rest = text;
    // Only in ASCII does a letter keep its place when its case changes.
    while let Some(at) = (!query.is_empty() && text.is_ascii())
        .then(|| find_ignoring_case(rest, query))
        .flatten()
    {
        row.push((Role::Text, rest[..at].to_owned()));
        row.push((Role::Selected, rest[at..at + query.len()].to_owned()));
        rest = &rest[at + query.len()..];
    }
    row.push((Role::Text, rest.to_owned()));
    row
}

fn find_ignoring_case(text: &str, query: &str) -> Option<usize> {
    text.to_ascii_lowercase().find(&query.to_ascii_lowercase())
}

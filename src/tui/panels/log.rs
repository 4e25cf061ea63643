//! The log: newest last, followed until the user scrolls up.

use super::Row;
use crate::event::Level;
use crate::state::{LogLine, RunState};
use crate::tui::app::App;
use crate::tui::format;
use crate::tui::paint::Painter;
use crate::tui::theme::Role;
use crate::tui::view::Panel;

/// Columns of `12:34:56 `.
const TIME_WIDTH: usize = 9;

pub fn draw(app: &App, painter: &mut Painter<'_>) {
    let follows = if app.view.log_end.is_some() { "scrolled back, End follows" } else { "" };
    super::title(painter, app.view.focus == Panel::Log, "Log", &vec![(Role::Warning, follows.to_owned())], None);
    let area = super::inside(painter.area());
    let rows = rows(app, usize::from(area.width), usize::from(area.height));
    // Until the panel is full the log starts at its top.
    let mut painter = painter.part(area);
    for (y, row) in rows.iter().enumerate() {
        painter.pieces(0, y, row);
    }
}

/// The last rows up to the line shown last, at most `height`, oldest first.
fn rows(app: &App, width: usize, height: usize) -> Vec<Row> {
    let log = &app.state.log;
    let end = match app.view.log_end {
        None => log.len(),
        Some(line) => index_of(&app.state, line).map_or(log.len(), |index| index + 1),
    };
    let mut rows: Vec<Row> = Vec::new();
    for line in log.range(..end).rev() {
        if rows.len() >= height {
            break;
        }
        rows.extend(line_rows(app, line, width).into_iter().rev());
    }
    rows.truncate(height);
    rows.reverse();
    rows
}

/// The smallest line number that fills a panel of `height` rows when it is shown last.
pub fn first_end(app: &App, width: usize, height: usize) -> Option<u64> {
    let mut rows = 0;
    for (index, line) in app.state.log.iter().enumerate() {
        rows += line_rows(app, line, width).len();
        if rows >= height {
            return Some(app.state.log_dropped + index as u64);
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
    let time = line.time.to_zoned(app.time_zone.clone()).strftime("%H:%M:%S ").to_string();
    let (word, role) = match line.level {
        Level::Info => ("", Role::Text),
        Level::Warning => ("WARNING ", Role::Warning),
        Level::Error => ("ERROR ", Role::Error),
    };
    let text = format!("{word}{}", line.text.replace(char::is_control, " "));
    let lines = format::wrap(&text, width.saturating_sub(TIME_WIDTH));
    let first = std::iter::once(time).chain(std::iter::repeat(" ".repeat(TIME_WIDTH)));
    first
        .zip(lines)
        .enumerate()
        .map(|(index, (time, text))| {
            // The level's word alone is coloured: a whole line in red is hard to read.
            let (level, rest) = if index == 0 { text.split_at(word.len().min(text.len())) } else { ("", text.as_str()) };
            vec![(Role::Dim, time), (role, level.to_owned()), (Role::Text, rest.to_owned())]
        })
        .collect()
}

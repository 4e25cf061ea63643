//! A line of the log in rows, with what was searched for highlighted.

use super::LogView;
use crate::event::Level;
use crate::foundation::text;
use crate::state::{LogLine, RunState};
use crate::tui::format;
use crate::tui::panels::Row;
use crate::tui::panels::scene::Scene;
use crate::tui::theme::Role;

/// Columns of `12:34:56 `.
const TIME_WIDTH: usize = 9;

impl LogView {
    /// A line in rows of `width` columns. Where the search stands, the time is highlighted as well.
    pub(super) fn line_rows(&self, scene: &Scene<'_>, line: &LogLine, width: usize) -> Vec<Row> {
        let time = line
            .time
            .to_zoned(scene.time_zone.clone())
            .strftime("%H:%M:%S ")
            .to_string();
        let role = match line.level {
            Level::Info => Role::Text,
            Level::Warning => Role::Warning,
            Level::Error => Role::Error,
        };
        let (word, is_found) = (line.word(), self.is_found(line, scene.state));
        let wrapped = |said: &str| {
            let said = format!("{word}{}", text::line(said));
            format::wrap(&said, width.saturating_sub(TIME_WIDTH))
        };
        let whole = wrapped(&line.text.get());
        // What is searched for may be in any part of the whole text.
        let short = line.text.short().filter(|_| !self.is_narrowed());
        let short = short.map(|short| wrapped(&short));
        let lines = match short {
            Some(short) if short.len() < whole.len() => short,
            _ => whole,
        };
        let first = std::iter::once(time).chain(std::iter::repeat(" ".repeat(TIME_WIDTH)));
        first
            .zip(lines)
            .enumerate()
            .map(|(index, (time, text))| {
                // Only the level's word is coloured, because a whole line in red is hard to read.
                let (level, rest) = if index == 0 {
                    text.split_at(word.len().min(text.len()))
                } else {
                    ("", text.as_str())
                };
                let (digits, gap) = time.split_at(TIME_WIDTH - 1);
                let time_role = match is_found && index == 0 {
                    true => Role::Selected,
                    false => Role::Dim,
                };
                let time = [(time_role, digits.to_owned()), (Role::Dim, gap.to_owned())];
                let mut row = Row::from(time);
                row.push((role, level.to_owned()));
                row.extend(marked(rest, &self.query));
                row
            })
            .collect()
    }

    /// Whether the search stands at this line.
    fn is_found(&self, line: &LogLine, state: &RunState) -> bool {
        // At an earlier moment the log may end before it.
        let place = self
            .found
            .and_then(|found| found.checked_sub(state.log_dropped));
        let found = place.and_then(|place| state.log.get(place as usize));
        found.is_some_and(|found| std::ptr::eq(found, line))
    }
}

/// A line with the matches of the search text highlighted.
fn marked(text: &str, query: &str) -> Row {
    let mut row = Row::new();
    let mut rest = text;
    // Only in ASCII do letters keep their positions when their case changes.
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

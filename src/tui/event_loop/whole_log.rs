//! The log of a run as a text for a pager.

use std::fs;
use std::path::Path;

use jiff::tz::TimeZone;

use crate::foundation::{input, numbers, text};
use crate::journal::Reader;
use crate::link::Connection;
use crate::runs::directory::log_of;
use crate::state::RunState;
use crate::tui::app::log_line;
use crate::tui::visit::run_directory;

/// Most bytes of a journal that is read again for its log, while the screen waits.
const LONGEST_JOURNAL: u64 = 64 << 20;
/// Most bytes of the output of the run's process that are shown below the log.
const LONGEST_OUTPUT: u64 = 4 << 20;

/// The log with the older lines that are only in the journal, and the output of the run's process.
pub(super) fn whole_log(
    connection: &Connection,
    in_memory: String,
    is_cut: bool,
    zone: &TimeZone,
) -> String {
    let read = || log_of_journal(&connection.journal, zone);
    let mut log = is_cut.then(read).flatten().unwrap_or(in_memory);
    let output = run_directory(connection).map(log_of);
    if let Some(path) = output.filter(|path| path.is_file()) {
        log.push_str(&output_in(&path, LONGEST_OUTPUT));
    }
    log
}

/// What the run's process has printed into the file at `path`, with a heading: the last `most` bytes.
fn output_in(path: &Path, most: u64) -> String {
    let (bytes, skipped) = match input::end(path, most) {
        Ok(end) => end,
        Err(error) => (format!("it cannot be read: {error}").into_bytes(), 0),
    };
    if bytes.is_empty() {
        return String::new();
    }
    let part = match skipped {
        0 => String::new(),
        _ => format!(", only the last {}", numbers::bytes(most)),
    };
    let output = String::from_utf8_lossy(&bytes);
    format!(
        "\nOutput of the run's process ({}{part}):\n{}",
        text::line(&path.display().to_string()),
        text::lines(&output)
    )
}

/// All lines of the log that a journal adds up to; `None` if it is very long or cannot be read.
fn log_of_journal(journal: &Path, zone: &TimeZone) -> Option<String> {
    let length = fs::metadata(journal).ok()?.len();
    if length > LONGEST_JOURNAL {
        return None;
    }
    let (mut state, mut log) = (RunState::default(), String::new());
    for record in Reader::open(journal).ok()?.without_choices() {
        state.apply(&record.ok()?);
        for line in state.log.drain(..) {
            log.push_str(&log_line(&line, zone));
        }
    }
    Some(log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample;

    #[test]
    fn the_end_of_a_long_output_is_shown_and_said_to_be_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("search.log");
        fs::write(&path, "first\nlast\n").unwrap();
        let heading = format!("\nOutput of the run's process ({}", path.display());
        assert_eq!(output_in(&path, 99), format!("{heading}):\nfirst\nlast\n"));
        let cut = format!("{heading}, only the last 1 KiB):\nlast\n");
        assert_eq!(output_in(&path, 5), cut);
        assert!(output_in(folder.path(), 5).contains("cannot be read"));
    }

    #[test]
    fn the_log_of_a_journal_has_every_line_with_its_date() {
        let log = log_of_journal(&sample::journal(), &TimeZone::UTC).unwrap();
        let state = sample::state_of(&sample::records());
        let lines = state.log.len() + state.log_dropped as usize;
        assert_eq!(log.lines().count(), lines);
        let last = log.lines().last().unwrap();
        let expected = log_line(state.log.back().unwrap(), &TimeZone::UTC);
        assert_eq!(last, expected.trim_end());
        assert!(last.starts_with("20"), "{last}");
    }
}

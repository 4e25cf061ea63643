//! For the tests of the screen: the recorded run, and drawing to text.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::other_runs::Attached;
use super::paint::Painter;
use super::theme::{ColourDepth, Theme};
use crate::config::ThemeName;
use crate::event::Record;
use crate::journal;
use crate::link::{self, LinkStatus};
use crate::state::RunState;

/// The journal of a search of 6 episodes of 16 children.
pub fn journal() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl")
}

/// Its records.
pub fn records() -> Vec<Record> {
    journal::read(&journal()).expect("the recorded run")
}

/// The state after these records.
pub fn state_of(records: &[Record]) -> RunState {
    let mut state = RunState::default();
    records.iter().for_each(|record| state.apply(record));
    state
}

/// A connection to the run in this directory after all of its journal has been sent.
pub fn attached(run: &Path) -> Attached {
    let connection = link::attach(run, false).expect("the run");
    let begun = Instant::now();
    while matches!(*connection.status.borrow(), LinkStatus::Reading { .. }) {
        assert!(begun.elapsed() < Duration::from_secs(60), "still reading");
        thread::sleep(Duration::from_millis(5));
    }
    Attached::new(connection)
}

/// A theme without colours.
pub fn plain(ascii: bool) -> Theme {
    Theme::new(ThemeName::default(), ColourDepth::None, ascii)
}

/// What `draw` draws into an area of this size, without colours and without space at the ends of
/// its rows.
pub fn drawn(
    (width, height): (u16, u16),
    ascii: bool,
    draw: impl FnOnce(&mut Painter<'_>),
) -> String {
    let (theme, area) = (plain(ascii), Rect::new(0, 0, width, height));
    let mut buffer = Buffer::empty(area);
    draw(&mut Painter::new(&mut buffer, area, &theme));
    let row = |y| (0..width).map(move |x| (x, y));
    let text = |y| {
        row(y)
            .map(|place| buffer[place].symbol())
            .collect::<String>()
    };
    let rows = (0..height).map(|y| text(y).trim_end().to_owned());
    rows.collect::<Vec<_>>().join("\n")
}

//! The screen: a client that takes the records of a run, draws them, and sends commands. It knows nothing else of
//! the search.
//!
//! ```text
//! records, keys, measurements, signals -> event_loop -> App (RunState + View) -> panels -> display -> terminal
//! key -> keymap: Action -> App: Effect -> event_loop: command, redraw, suspend, leave
//! ```

mod ansi;
pub mod app;
mod capture;
mod display;
mod event_loop;
pub mod format;
pub mod keymap;
pub mod layout;
mod paint;
mod panels;
pub mod picker;
mod plot;
mod signals;
mod terminal;
pub mod theme;
pub mod view;

use anyhow::Context as _;

use crate::link::Connection;
use theme::{ColourDepth, Theme, locale_is_utf8};

/// How the screen looks; what is not said is found out from the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScreenOptions {
    /// Draw with ASCII characters only, even in a UTF-8 locale.
    pub ascii: bool,
    /// Colours to use instead of those that COLORTERM, TERM and NO_COLOR promise.
    pub colours: Option<ColourDepth>,
}

impl ScreenOptions {
    fn theme(&self) -> Theme {
        let variable = |name: &str| std::env::var(name).ok();
        let depth = self.colours.unwrap_or_else(|| ColourDepth::detect(variable));
        Theme::new(depth, self.ascii || !locale_is_utf8(variable))
    }
}

/// Why the screen was left. The search may still be running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// The run was over, and the user closed the screen.
    Finished,
    /// The user asked for the run to stop, and it has.
    Stopped,
    /// The user asked for the run to stop, and did not wait until it had.
    Cancelled,
    /// The user closed the screen and lets the search go on.
    Detached,
    /// The search is gone without having said that the run is over.
    Closed,
    /// The process was sent this signal (SIGTERM, SIGHUP or SIGINT).
    Signal(i32),
    /// The terminal is gone.
    TerminalLost,
}

/// Show the run on the terminal until the user leaves, the search is gone, or a signal comes.
///
/// The terminal is in its former state when this returns, and when it panics. While the screen is up, what any part
/// of the process writes to standard output and standard error goes to the log panel.
///
/// # Errors
/// If standard output is not a terminal that can be drawn on.
pub fn run(connection: Connection, options: ScreenOptions) -> anyhow::Result<Leave> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().context("cannot start the event loop of the screen")?;
    runtime.block_on(event_loop::run(connection, options.theme()))
}

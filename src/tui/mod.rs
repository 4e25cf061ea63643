//! The screen: a client that receives the records of a run, draws them, and sends commands. It
//! knows nothing else about the search.
//!
//! ```text
//! records, keys, measurements, signals -> event_loop -> App (RunState + View) -> panels -> display
//! -> terminal
//! mouse -> Targets of the frame shown -> Action, or a panel's Part
//! key -> keymap: Action -> App: Effect -> event_loop: command, redraw, file, other program, leave
//! ```

mod ansi;
pub mod app;
mod capture;
pub mod clipboard;
mod details;
mod display;
mod event_loop;
mod foreground;
pub mod format;
pub mod keymap;
pub mod layout;
pub mod machine_view;
pub mod other_runs;
mod paint;
mod palette;
mod panels;
pub mod picker;
mod picture;
mod plot;
mod private_file;
mod reading;
#[cfg(test)]
mod sample;
mod signals;
mod steady;
mod target;
mod terminal;
mod text_line;
pub mod theme;
mod title;
mod tool;
pub mod view;
mod visit;

use anyhow::Context as _;

use std::path::PathBuf;
use std::time::Duration;

use crate::config::{Alerts, Characters, Colours, Column, LayoutName, ScreenConfig};
use crate::link::Connection;
use keymap::{Keymap, KeymapError};
use other_runs::Switching;
pub use panels::panel::{ANY_RUN, About, PANELS, SEARCH, Scrolled, TRAINING, TextPanel};
pub use panels::scene::Scene;
pub use panels::{Content, PanelId, Row};
pub use target::Targets;
pub use terminal::Extras;
use theme::{ColourDepth, Theme, is_console, locale_is_utf8};

/// The appearance of the screen and its keys in this session.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Colours and characters.
    pub theme: Theme,
    /// The initial arrangement of panels.
    pub layout: LayoutName,
    /// The keys and their actions.
    pub keymap: Keymap,
    /// Columns of the list of children; if empty, as many as fit.
    pub columns: Vec<Column>,
    /// How news is announced.
    pub alerts: Alerts,
    /// Whether mouse and title are used.
    pub extras: Extras,
    /// Time between two frames for progress, clock and measurements.
    pub tick: Duration,
    /// Leave the screen when the run is over, because another one follows.
    pub leave_when_over: bool,
    /// Whether another run can take the place of the one shown.
    pub switching: Switching,
    /// Run directories of searches that are drawn over the chart from the beginning.
    pub with: Vec<PathBuf>,
}

impl Settings {
    /// Settings from the configuration; what it leaves open is determined from the environment, as
    /// read by `variable`.
    ///
    /// # Errors
    /// [`KeymapError`] if `screen.keys` cannot be used.
    pub fn new(
        config: &ScreenConfig,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Settings, KeymapError> {
        let depth = match config.colours {
            Colours::Auto => ColourDepth::detect(&variable),
            Colours::None => ColourDepth::None,
            Colours::Sixteen => ColourDepth::Sixteen,
            Colours::Indexed => ColourDepth::Indexed,
            Colours::True => ColourDepth::True,
        };
        let ascii = match config.characters {
            Characters::Auto => !locale_is_utf8(&variable),
            Characters::Unicode => false,
            Characters::Ascii => true,
        };
        let theme = Theme::new(config.theme, depth, ascii);
        let is_console = config.characters == Characters::Auto && is_console(&variable);
        Ok(Settings {
            theme: match is_console && !ascii {
                true => theme.for_console(),
                false => theme,
            },
            layout: config.layout,
            keymap: Keymap::new(&config.keys)?,
            columns: config.columns.clone(),
            alerts: config.alerts,
            extras: Extras {
                mouse: config.mouse,
                title: config.title && title::exists(&variable),
            },
            tick: Duration::from_secs_f64(1.0 / config.refresh_rate),
            leave_when_over: false,
            switching: Switching::Free { watch: false },
            with: Vec::new(),
        })
    }
}

/// Why the screen was closed. The search may still be running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// The run had ended or could not be read any further, and the user closed the screen.
    Finished,
    /// The user asked for the run to stop, and it has.
    Stopped,
    /// The screen was closed and the search continues.
    Detached,
    /// The user closed the screen of a run that is unfinished but has no process working on it.
    Closed,
    /// The user wants the run to be resumed.
    Resume,
    /// The process received this signal (SIGTERM, SIGHUP or SIGINT).
    Signal(i32),
    /// The terminal is gone.
    TerminalLost,
}

/// A screen that was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Why.
    pub leave: Leave,
    /// The directory of the run that it showed last; or of the one that it was opened for, if that one
    /// is this program's own ([`Switching::FromHome`]).
    pub run: PathBuf,
}

/// Show the run on the terminal until the user leaves, the search is gone, or a signal arrives. The user
/// can have another run shown in its place.
///
/// The terminal is restored when this returns, and when it panics. While the screen is shown,
/// whatever any part of the process writes to standard output and standard error goes to the log
/// panel.
///
/// Children and moments that are not in memory are read from the run's journal.
///
/// # Errors
/// If standard output is not a terminal that can be drawn on.
pub fn run(connection: Connection, settings: &Settings) -> anyhow::Result<Left> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .context("cannot start the event loop of the screen")?;
    runtime.block_on(event_loop::run(connection, settings))
}

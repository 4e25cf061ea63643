//! What `nas-tui search` and `nas-tui train` share: beginning or resuming a run. On a terminal the
//! run is a separate process with the screen as its client; otherwise it runs in this process and
//! prints one plain line per event.

mod detached;
pub mod engine;
mod in_process;
mod opened;
mod screen;

use std::io::{IsTerminal, stdout};
use std::path::Path;

use super::config::{SettingsArgs, resolved};
use super::screen::{can_draw, say_dumb};
use super::table::terminal_width;
use super::{BadInput, Interrupted, say};
use crate::analysis::{RunSummary, Summary, TrainingSummary};
use crate::config::{Config, Options};
use crate::event::{FinishReason, RunKind};
use crate::foundation::text::folded;
use crate::runs::RunDirectory;
use crate::runs::directory::{kind_of, resume_command};
use crate::session::SessionError;
use opened::Opened;
pub use opened::{evaluator, evaluator_for, strategy};

/// How a run is shown.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ShowArgs {
    /// No screen: print one line per event to standard error and the summary to standard output
    #[arg(long)]
    pub headless: bool,
    /// Draw the screen with ASCII characters only (the default if the locale is not UTF-8)
    #[arg(long)]
    pub ascii: bool,
}

impl ShowArgs {
    /// Whether the run is to be shown on the screen: only a terminal can show it.
    pub fn wants_screen(&self) -> bool {
        !self.headless && can_draw()
    }
}

/// A run that this process is to begin or continue: its settings are valid and its directory is
/// locked.
pub struct Prepared {
    /// A search or a training.
    pub kind: RunKind,
    /// The validated settings.
    pub config: Config,
    /// Its directory, which this process has locked.
    pub directory: RunDirectory,
    /// Whether it is a new run, rather than one that continues.
    pub is_new: bool,
}

impl Prepared {
    /// A new run in `path`, or in a folder in `runs` whose name ends with `name`.
    pub fn begin(
        kind: RunKind,
        config: Config,
        path: Option<&Path>,
        name: &str,
    ) -> anyhow::Result<Prepared> {
        let directory = match path {
            Some(path) => RunDirectory::create(path),
            None => RunDirectory::create_in(Path::new("runs"), name),
        };
        Ok(Prepared {
            kind,
            config,
            directory: directory.map_err(|error| classify(error.into()))?,
            is_new: true,
        })
    }

    /// The run in `directory`, to be continued.
    pub fn resume(directory: RunDirectory, settings: &SettingsArgs) -> anyhow::Result<Prepared> {
        let SettingsArgs { set, seed, .. } = settings;
        let options = Options {
            run: Some(directory.config_path()),
            set: set.clone(),
            seed: *seed,
            ..Options::default()
        };
        let config = resolved(&options)?;
        Ok(Prepared {
            kind: kind_of(directory.path()),
            config,
            directory,
            is_new: false,
        })
    }

    /// The run in `path`, to be continued; it must be of this kind.
    pub fn resume_at(
        path: &Path,
        kind: RunKind,
        settings: &SettingsArgs,
    ) -> anyhow::Result<Prepared> {
        // Open the directory first: it locks the run and gives a better message if it is not one.
        let directory = RunDirectory::open(path).map_err(|error| classify(error.into()))?;
        let prepared = Prepared::resume(directory, settings)?;
        if prepared.kind == kind {
            return Ok(prepared);
        }
        let (path_text, noun) = (path.display(), prepared.kind.noun());
        let command = resume_command(path);
        Err(bad_input!(
            "{path_text} is a {noun}; continue it with: {command}"
        ))
    }

    fn open(self) -> anyhow::Result<Opened> {
        Opened::new(self)
    }
}

/// Begin or continue, with or without a screen.
pub fn run(prepared: Prepared, settings: &SettingsArgs, show: &ShowArgs) -> anyhow::Result<()> {
    if show.wants_screen() {
        return screen::run(prepared, settings, show.ascii);
    }
    if !show.headless && stdout().is_terminal() {
        say_dumb();
    }
    in_process::run(prepared)
}

/// How a run ended: the reason, and its summary as printed.
struct Farewell {
    reason: Option<FinishReason>,
    text: String,
}

/// The summary of a run that has ended, as printed; `None` if it has not.
///
/// # Errors
/// If its journal cannot be read.
pub fn ended_text(run: &Path) -> anyhow::Result<Option<String>> {
    let farewell = Farewell::of(run)?;
    Ok(farewell.reason.and(Some(farewell.text)))
}

/// Print the summary of a run; on a terminal, in lines that it need not break.
pub fn print_summary(text: &str) -> anyhow::Result<()> {
    let width = terminal_width().unwrap_or(usize::MAX);
    let lines: Vec<_> = text.lines().map(|line| folded(line, width)).collect();
    super::print(&(lines.join("\n") + "\n"))
}

impl Farewell {
    /// How the run in the directory `run` ended.
    fn of(run: &Path) -> anyhow::Result<Farewell> {
        let journal = run.join("journal.jsonl");
        Ok(match kind_of(run) {
            RunKind::Search => Summary::of_journal(&journal)?.into(),
            RunKind::Training => TrainingSummary::of_journal(&journal)?.into(),
        })
    }
}

impl From<Summary> for Farewell {
    fn from(summary: Summary) -> Farewell {
        Farewell {
            reason: summary.reason,
            text: summary.to_string(),
        }
    }
}

impl From<TrainingSummary> for Farewell {
    fn from(summary: TrainingSummary) -> Farewell {
        Farewell {
            reason: summary.reason,
            text: summary.to_string(),
        }
    }
}

/// Exit status 2 for errors that the user can fix, 1 for the rest.
pub fn classify(error: SessionError) -> anyhow::Error {
    if error.is_bad_input() {
        BadInput(error.into()).into()
    } else {
        error.into()
    }
}

/// A stopped run counts as interrupted.
fn outcome(reason: Option<FinishReason>, path: &Path) -> anyhow::Result<()> {
    match reason {
        Some(FinishReason::Stopped) if !path.exists() => {
            Err(Interrupted("stopped before it began: its directory was removed".to_owned()).into())
        }
        Some(FinishReason::Stopped) => {
            Err(Interrupted(format!("stopped; continue with: {}", resume_command(path))).into())
        }
        _ => Ok(()),
    }
}

/// What is printed for a complete run.
fn nothing_to_resume(ending: &Farewell, path: &Path) -> anyhow::Result<()> {
    say(&format!(
        "the run in {} is completed: there is nothing to resume",
        path.display()
    ));
    print_summary(&ending.text)
}

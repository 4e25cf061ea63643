//! What `nas-tui search` and `nas-tui train` share: a run that is begun or resumed. On a terminal
//! it is a process of its own, and the screen a client of it; without one it runs here, with one
//! plain line per event.

mod detached;
pub mod engine;
mod in_process;
mod opened;
mod screen;

use std::io::{IsTerminal, stdout};
use std::path::Path;

use super::config::SettingsArgs;
use super::{BadInput, Interrupted, OrBadInput, say};
use crate::analysis::{Summary, TrainingSummary};
use crate::config::{self, Config, Options};
use crate::event::FinishReason;
use crate::runs::RunDirectory;
use crate::runs::directory::{resume_command, subcommand_of};
use crate::session::SessionError;
use crate::space::Architecture;
use opened::Opened;

/// How a run is shown.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ShowArgs {
    /// No screen: print one line per event to standard error, the summary to standard output
    #[arg(long)]
    pub headless: bool,
    /// Draw the screen with ASCII characters only (the default where the locale is not UTF-8)
    #[arg(long)]
    pub ascii: bool,
}

impl ShowArgs {
    pub fn wants_screen(&self) -> bool {
        !self.headless && stdout().is_terminal()
    }
}

/// A run that is this process's to begin or to continue: its settings are valid, its directory is
/// locked.
pub struct Prepared {
    pub work: Work,
    pub config: Config,
    pub directory: RunDirectory,
    pub is_new: bool,
}

/// What a run does.
pub enum Work {
    Search,
    /// Train one network to the end.
    Training {
        /// Of a new run; an old one has it in its directory.
        architecture: Option<Architecture>,
        /// ARCH as the user gave it, where that is known.
        origin: Option<String>,
    },
}

impl Prepared {
    /// The run of `directory`, to be continued.
    pub fn resume(directory: RunDirectory, settings: &SettingsArgs) -> anyhow::Result<Prepared> {
        let SettingsArgs { set, seed, .. } = settings;
        let options = Options {
            file: Some(directory.config_path()),
            preset: None,
            set: set.clone(),
            seed: *seed,
        };
        let config = config::resolve(&options).or_bad_input()?;
        let is_training = directory.architecture_path().is_file();
        let work = if is_training {
            Work::Training {
                architecture: None,
                origin: None,
            }
        } else {
            Work::Search
        };
        Ok(Prepared {
            work,
            config,
            directory,
            is_new: false,
        })
    }

    fn open(self) -> anyhow::Result<Opened> {
        Opened::new(self)
    }
}

/// Begin or go on, with a screen or without.
pub fn run(prepared: Prepared, settings: &SettingsArgs, show: &ShowArgs) -> anyhow::Result<()> {
    if show.wants_screen() {
        screen::run(prepared, settings, show.ascii)
    } else {
        in_process::run(prepared)
    }
}

/// How a run has ended: why, and its summary as it is printed.
struct Ending {
    reason: Option<FinishReason>,
    text: String,
}

impl Ending {
    /// Of the run in the directory `run`.
    fn of(run: &Path) -> anyhow::Result<Ending> {
        let journal = run.join("journal.jsonl");
        if subcommand_of(run) == "train" {
            return Ok(TrainingSummary::of_journal(&journal)?.into());
        }
        Ok(Summary::of_journal(&journal)?.into())
    }
}

impl From<Summary> for Ending {
    fn from(summary: Summary) -> Ending {
        Ending {
            reason: summary.reason,
            text: summary.to_string(),
        }
    }
}

impl From<TrainingSummary> for Ending {
    fn from(summary: TrainingSummary) -> Ending {
        Ending {
            reason: summary.reason,
            text: summary.to_string(),
        }
    }
}

/// Exit status 2 for what the user can mend, 1 for the rest.
pub fn classify(error: SessionError) -> anyhow::Error {
    if error.is_bad_input() {
        BadInput(error.into()).into()
    } else {
        error.into()
    }
}

/// Of a new run that never began, nothing is left to be resumed.
fn discard_if_unstarted(is_new: bool, path: &Path) {
    if is_new {
        // What cannot be removed stays, and says itself that it failed.
        let _ = RunDirectory::discard_unstarted(path);
    }
}

/// A stopped run is an interrupted one.
fn outcome(reason: Option<FinishReason>, path: &Path) -> anyhow::Result<()> {
    match reason {
        Some(FinishReason::Stopped) if !path.exists() => {
            Err(Interrupted("stopped before it began: nothing is left of it".to_owned()).into())
        }
        Some(FinishReason::Stopped) => {
            Err(Interrupted(format!("stopped; continue with: {}", resume_command(path))).into())
        }
        _ => Ok(()),
    }
}

/// What is said of a complete run.
fn nothing_to_resume(ending: &Ending, path: &Path) -> anyhow::Result<()> {
    say(&format!(
        "the run in {} is complete: there is nothing to resume",
        path.display()
    ));
    super::print(&ending.text)
}

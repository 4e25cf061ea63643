//! `nas-tui search`: begin or resume a run. On a terminal the search is a process of its own, and the screen a client of
//! it; without one it runs here, with one plain line per event.

mod detached;
pub mod engine;
mod in_process;
mod screen;

use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::config::SettingsArgs;
use super::{BadInput, Interrupted, OrBadInput, say};
use crate::config::{self, Config, Options};
use crate::event::FinishReason;
use crate::report::Summary;
use crate::search::{RunDirectory, SearchError, Session};

#[derive(Debug, Default, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    settings: SettingsArgs,
    /// Run directory to create (default: runs/UTC-TIME-PRESET)
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    run: Option<PathBuf>,
    /// Continue the run in this directory from where it was, however it ended
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "preset"])]
    resume: Option<PathBuf>,
    /// No screen: print one line per event to standard error, the summary to standard output
    #[arg(long)]
    headless: bool,
    /// Draw the screen with ASCII characters only (the default where the locale is not UTF-8)
    #[arg(long)]
    ascii: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let prepared = Prepared::new(args)?;
    if args.headless || !stdout().is_terminal() { in_process::run(prepared) } else { screen::run(prepared, args) }
}

/// A run that is this process's to begin or to continue: its settings are valid, its directory is locked.
struct Prepared {
    config: Config,
    directory: RunDirectory,
    is_new: bool,
}

impl Prepared {
    fn new(args: &Args) -> anyhow::Result<Prepared> {
        let Some(path) = &args.resume else {
            let config = args.settings.resolve()?;
            let directory = match &args.run {
                Some(path) => RunDirectory::create(path),
                None => RunDirectory::create_in(&PathBuf::from("runs"), &config.preset),
            };
            return Ok(Prepared { config, directory: directory.map_err(|error| classify(error.into()))?, is_new: true });
        };
        // The directory first: its lock, and a better message where it is no run.
        let directory = RunDirectory::open(path).map_err(|error| classify(error.into()))?;
        Prepared::resume(directory, &args.settings)
    }

    fn resume(directory: RunDirectory, SettingsArgs { set, seed, .. }: &SettingsArgs) -> anyhow::Result<Prepared> {
        let options = Options { file: Some(directory.config_path()), preset: None, set: set.clone(), seed: *seed };
        let config = config::resolve(&options).or_bad_input()?;
        Ok(Prepared { config, directory, is_new: false })
    }

    fn open(self) -> anyhow::Result<Session> {
        let open = if self.is_new { Session::begin } else { Session::resume };
        open(self.config, self.directory).map_err(classify)
    }
}

/// The error of a search that failed. Of a new one that never began, nothing is left to be resumed.
fn failed(error: SearchError, is_new: bool, path: &Path) -> anyhow::Error {
    if is_new {
        // What cannot be removed stays, and says itself that it failed.
        let _ = RunDirectory::discard_unstarted(path);
    }
    classify(error)
}

/// Exit status 2 for what the user can mend, 1 for the rest.
fn classify(error: SearchError) -> anyhow::Error {
    if error.is_bad_input() { BadInput(error.into()).into() } else { error.into() }
}

/// A stopped run is an interrupted one.
fn outcome(summary: &Summary, path: &Path) -> anyhow::Result<()> {
    match summary.reason {
        Some(FinishReason::Stopped) => {
            Err(Interrupted(format!("stopped; continue with: nas-tui search --resume {}", path.display())).into())
        }
        _ => Ok(()),
    }
}

/// What is said of a complete run.
fn nothing_to_resume(summary: &Summary, path: &Path) -> anyhow::Result<()> {
    say(&format!("the run in {} is complete: there is nothing to resume", path.display()));
    super::print(&summary.to_string())
}

//! `nas-tui engine` (hidden): the process of a run whose screen is in another one. It runs in its
//! own session, so that it is not affected by what happens to the terminal.
//!
//! Standard input is the locked file of the run, handed over; standard output is a pipe for
//! `Word`s; standard error is the file `search.log` or `training.log`.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args as ClapArgs;
use serde::{Deserialize, Serialize};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::{Farewell, Prepared, classify, in_process, outcome};
use crate::cli::config::SettingsArgs;
use crate::cli::exit_code;
use crate::foundation::messages;
use crate::runs::RunDirectory;

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct Args {
    run: PathBuf,
    /// Whether the run is new: its settings are in its config.toml, and it is removed if it cannot
    /// begin.
    #[arg(long)]
    new: bool,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// What the run's process tells the program that started it, as long as that one is listening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word {
    /// Clients can connect.
    Serving,
    /// The run is complete: there is nothing to do.
    Complete,
    /// The run has ended with this exit status, and an error if there was one.
    Ended { code: u8, message: Option<String> },
}

pub(in crate::cli) fn run(args: &Args) -> anyhow::Result<()> {
    let (lock, mut starter) =
        take_standard_streams().context("cannot take the standard streams over")?;
    let result = work(args, lock, &mut starter);
    let word = match &result {
        Ok(()) => Word::Ended {
            code: 0,
            message: None,
        },
        Err(error) => Word::Ended {
            code: exit_code(error),
            message: Some(format!("{error:#}")),
        },
    };
    starter.say(&word);
    result
}

fn work(args: &Args, lock: File, starter: &mut Starter) -> anyhow::Result<()> {
    let directory = RunDirectory::adopt(&args.run, lock).map_err(|error| classify(error.into()))?;
    let prepared = Prepared {
        is_new: args.new,
        ..Prepared::resume(directory, &args.settings)?
    };
    let path: &Path = &args.run;
    let opened = prepared.open()?;
    if opened.is_complete {
        starter.say(&Word::Complete);
        return Ok(());
    }
    let join = in_process::start(opened, &[SIGINT, SIGTERM])?;
    starter.say(&Word::Serving);
    let Farewell { reason, .. } = join()?;
    outcome(reason, path)
}

/// The program that started this one.
struct Starter(File);

impl Starter {
    fn say(&mut self, word: &Word) {
        // The program may be gone: the screen was closed.
        let _ = messages::send(&mut self.0, word);
    }
}

/// Take over standard input and output and replace them by /dev/null and standard error, so that
/// what libraries print goes to the log.
fn take_standard_streams() -> io::Result<(File, Starter)> {
    let lock = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let starter = Starter(File::from(io::stdout().as_fd().try_clone_to_owned()?));
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok((lock, starter))
}

//! The command line: one file per subcommand, and the exit status of each outcome.

pub mod arch;
pub mod inspect;
pub mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Neural Architecture Search with reinforcement learning, run and watched in a terminal.
///
/// Without a subcommand: `nas-tui search`, with ./config.toml where there is one.
#[derive(Debug, Parser)]
#[command(name = "nas-tui", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

// Each subcommand is a file of this folder with `Args` and `run`.
#[derive(Debug, Subcommand)]
enum Command {
    Inspect(inspect::Args),
}

/// The user's command, configuration or input is at fault: exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
pub struct BadInput(pub anyhow::Error);

/// A signal or a user ended the work before its end; nothing is lost: exit status 130.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Interrupted(pub String);

/// Mark the error of a result as the user's to mend: exit status 2.
pub trait OrBadInput<T> {
    fn or_bad_input(self) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> OrBadInput<T> for Result<T, E> {
    fn or_bad_input(self) -> anyhow::Result<T> {
        self.map_err(|error| BadInput(error.into()).into())
    }
}

/// Parse the arguments, run the subcommand, print its error, return its exit status.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nas-tui: {error:#}");
            exit_status(&error)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        None => Ok(()),
        Some(command) => match command {
            Command::Inspect(args) => inspect::run(&args),
        },
    }
}

/// 1 failed, 2 bad usage, configuration or input, 130 interrupted.
fn exit_status(error: &anyhow::Error) -> ExitCode {
    if error.chain().any(|cause| cause.is::<BadInput>()) {
        ExitCode::from(2)
    } else if error.chain().any(|cause| cause.is::<Interrupted>()) {
        ExitCode::from(130)
    } else {
        ExitCode::FAILURE
    }
}

//! The command line: one file per subcommand, and the exit status of each outcome.

/// An error with this message that is the user's to fix: exit status 2.
macro_rules! bad_input {
    ($($message:tt)*) => {
        anyhow::Error::from($crate::cli::BadInput(anyhow::anyhow!($($message)*)))
    };
}

mod arch;
mod attach;
mod bench;
mod compare;
mod completions;
mod config;
mod data;
mod doctor;
#[cfg(feature = "torch")]
mod evaluate;
mod export;
mod inspect;
mod list;
mod note;
mod parsing;
#[cfg(feature = "torch")]
mod probe;
#[cfg(feature = "torch")]
mod rank;
mod reliability;
mod replay;
mod replicate;
mod report;
mod run;
mod screen;
mod search;
mod series;
#[cfg(feature = "torch")]
mod slurm_task;
mod snapshots;
mod study;
mod table;
#[cfg(feature = "torch")]
mod train;
mod verify;
mod weights;
#[cfg(feature = "torch")]
mod worker;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use clap::{Parser, Subcommand};
use serde::Serialize;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

use crate::foundation::{fault, text};

/// Neural Architecture Search with reinforcement learning, run and watched in a terminal.
///
/// Without a subcommand: `nas-tui search`, with ./config.toml if it exists.
#[derive(Debug, Parser)]
#[command(name = "nas-tui", version = crate::foundation::build_info::VERSION, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<CliCommand>,
}

// Each subcommand is a file in this folder with `Args` and `run`.
#[derive(Debug, Subcommand)]
enum CliCommand {
    /// Search for an architecture (the default)
    Search(search::Args),
    #[cfg(feature = "torch")]
    Train(train::Args),
    Attach(attach::Args),
    List(list::Args),
    Replay(replay::Args),
    Report(report::Args),
    Note(note::Args),
    /// Show or check settings
    Config(config::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    Bench(bench::Args),
    #[cfg(feature = "torch")]
    Evaluate(evaluate::Args),
    Compare(compare::Args),
    Verify(verify::Args),
    Reliability(reliability::Args),
    Replicate(replicate::Args),
    #[cfg(feature = "torch")]
    Rank(rank::Args),
    Inspect(inspect::Args),
    Export(export::Args),
    #[cfg(feature = "torch")]
    #[command(hide = true)]
    Worker(worker::Args),
    #[cfg(feature = "torch")]
    #[command(hide = true)]
    SlurmTask(slurm_task::Args),
    #[cfg(feature = "torch")]
    #[command(hide = true)]
    Probe(probe::Args),
    #[command(hide = true)]
    Engine(run::engine::Args),
    Data(data::Args),
    Doctor(doctor::Args),
}

/// The user's command, configuration or input is at fault: exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
pub struct BadInput(pub anyhow::Error);

/// An error that was already printed to standard error. Its exit status still counts.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
pub struct Told(pub anyhow::Error);

/// A signal or a user ended the work early, without loss: exit status 130.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Interrupted(pub String);

/// Marks the error of a result as caused by the user: exit status 2.
pub trait OrBadInput<T> {
    /// The same result with its error wrapped in [`BadInput`].
    ///
    /// # Errors
    /// The error of the result, if it is one.
    fn or_bad_input(self) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> OrBadInput<T> for Result<T, E> {
    fn or_bad_input(self) -> anyhow::Result<T> {
        self.map_err(|error| BadInput(error.into()).into())
    }
}

/// Write a result to standard output, without anything in it that a terminal would act on.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    write_out(&text::lines(text))
}

/// Write a path to standard output, in one line.
pub(crate) fn print_path(path: &std::path::Path) -> anyhow::Result<()> {
    print(&format!("{}\n", text::line(&path.display().to_string())))
}

/// Write a JSON text to standard output.
pub(crate) fn print_json_text(json: &str) -> anyhow::Result<()> {
    write_out(&text::json(json))
}

fn write_out(text: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    written(
        output
            .write_all(text.as_bytes())
            .and_then(|()| output.flush()),
    )
}

/// The outcome of writing a result to standard output. A reader that has seen enough (`| head`) is not an
/// error.
fn written(outcome: std::io::Result<()>) -> anyhow::Result<()> {
    match outcome {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("writing to standard output")
        }
        _ => Ok(()),
    }
}

/// Write `value` to standard output as one line of JSON.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print_json_text(&(serde_json::to_string(value).context("encoding the result")? + "\n"))
}

/// Write `value` to standard output as indented JSON.
pub(crate) fn print_pretty_json(value: &impl Serialize) -> anyhow::Result<()> {
    print_json_text(&pretty_json(value)?)
}

/// `value` as indented JSON, for a file or standard output.
pub(crate) fn pretty_json(value: &impl Serialize) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value).context("encoding the result")? + "\n")
}

/// Maximum number of characters of an error message.
const LONGEST_ERROR: usize = 4_000;

/// A flag that a signal to end the program sets; the second one ends the program at once.
pub(crate) fn interrupted() -> anyhow::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, interrupted.clone())
            .and_then(|_| signal_hook::flag::register(signal, interrupted.clone()))
            .context("cannot listen for signals")?;
    }
    Ok(interrupted)
}

/// Write a line to standard error, whether or not anyone reads it, without anything in it that a
/// terminal would act on. Whatever it contains, it is one message.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", text::message(text));
}

/// Write lines to standard error like [`say`], each with the indentation that it has.
fn say_lines(text: &str) {
    let _ = write!(std::io::stderr(), "{}", text::lines(text));
}

/// The program with these arguments, the first of which is its name: parse them, run the
/// subcommand, print its error, return its exit status.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    // Without a handler a file size limit (ulimit -f) would kill the process, the worker or the screen;
    // with one, exceeding it is a write error like a full disk. If it cannot be set, that is how it is.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
    #[cfg(feature = "torch")]
    crate::child::cuda::count_by_bus();
    let cli = match parsing::parse(arguments) {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The reader of standard error may have gone, but the exit status still matters.
            let (told, error) = error
                .downcast()
                .map_or_else(|error| (false, error), |Told(error)| (true, error));
            if !told {
                let text = format!("{error:#}");
                // It may quote a value of any length.
                let text = text::shortened(fault::without_stack(&text), LONGEST_ERROR);
                // The name of a file can contain line breaks.
                say(&format!("nas-tui: {}", text::line(text.trim_end())));
            }
            ExitCode::from(exit_code(&error))
        }
    }
}

/// Run `work`, which needs libtorch. Its errors are shortened for users, with a remedy if memory is
/// short.
#[cfg(feature = "torch")]
fn computing(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let text = match fault::caught(work) {
        Ok(Err(error)) if error.is::<tch::TchError>() => error.to_string(),
        Ok(done) => return done,
        Err(text) => text,
    };
    let text = fault::in_words(&text);
    let remedy = match fault::Fault::of(&text) {
        fault::Fault::Memory => {
            "; stop other programs that use this memory, or choose another device (--device)"
        }
        fault::Fault::Device => {
            "; `nas-tui doctor --train` tells whether the device works; choose another one with --device"
        }
        fault::Fault::Other => "",
    };
    Err(anyhow::anyhow!("{text}{remedy}"))
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        None => search::run(&search::Args::default()),
        Some(CliCommand::Search(args)) => search::run(&args),
        #[cfg(feature = "torch")]
        Some(CliCommand::Train(args)) => train::run(&args),
        Some(CliCommand::Attach(args)) => attach::run(&args),
        Some(CliCommand::List(args)) => list::run(&args),
        Some(CliCommand::Compare(args)) => compare::run(&args),
        Some(CliCommand::Verify(args)) => verify::run(&args),
        Some(CliCommand::Reliability(args)) => reliability::run(&args),
        Some(CliCommand::Replicate(args)) => replicate::run(&args),
        #[cfg(feature = "torch")]
        Some(CliCommand::Rank(args)) => rank::run(&args),
        Some(CliCommand::Replay(args)) => replay::run(&args),
        Some(CliCommand::Report(args)) => report::run(&args),
        Some(CliCommand::Note(args)) => note::run(&args),
        Some(CliCommand::Config(args)) => config::run(args),
        Some(CliCommand::Completions(args)) => completions::run(args),
        Some(CliCommand::Bench(args)) => bench::run(&args),
        Some(CliCommand::Data(args)) => data::run(args),
        Some(CliCommand::Doctor(args)) => doctor::run(&args),
        #[cfg(feature = "torch")]
        Some(CliCommand::Evaluate(args)) => computing(|| evaluate::run(&args)),
        Some(CliCommand::Inspect(args)) => inspect::run(&args),
        Some(CliCommand::Export(args)) => export::run(&args),
        #[cfg(feature = "torch")]
        Some(CliCommand::Worker(args)) => worker::run(&args),
        #[cfg(feature = "torch")]
        Some(CliCommand::SlurmTask(args)) => slurm_task::run(&args),
        #[cfg(feature = "torch")]
        Some(CliCommand::Probe(args)) => probe::run(&args),
        Some(CliCommand::Engine(args)) => run::engine::run(&args),
    }
}

/// 1 failed, 2 bad usage, configuration or input, 130 interrupted.
fn exit_code(error: &anyhow::Error) -> u8 {
    if error.chain().any(|cause| cause.is::<BadInput>()) {
        2
    } else if error.chain().any(|cause| cause.is::<Interrupted>()) {
        130
    } else {
        1
    }
}

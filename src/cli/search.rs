//! `nas-tui search`: begin or resume a run, on a screen or with one plain line per event.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use clap::Args as ClapArgs;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use tokio::sync::mpsc::UnboundedSender;

use super::config::SettingsArgs;
use super::{BadInput, Interrupted, OrBadInput};
use crate::config::{self, Config, Options, Strategy as StrategyName};
use crate::controller::Reinforce;
use crate::evaluate::Evaluator;
use crate::evaluate::local::LocalWorkers;
use crate::event::FinishReason;
use crate::link::{Command, Connection};
use crate::report::headless;
use crate::search::seeds::derive;
use crate::search::{Parts, Random, RunDirectory, SearchError, Session, Strategy};
use crate::tui::{self, Leave, ScreenOptions};

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
    let session = open(args)?;
    let path = session.directory().path().to_owned();
    if let Some(summary) = session.complete() {
        say(&format!("the run in {} is complete: there is nothing to resume", path.display()));
        return super::print(&summary.to_string());
    }
    let known = session.known_records();
    let connection = session.hub().connect().map_err(|error| classify(error.into()))?;
    stop_on_signals(session.hub().commands())?;
    say(&format!("run directory: {}", path.display()));
    let searching = session.start(parts()).map_err(classify)?;
    if args.headless || !stdout().is_terminal() {
        headless::watch(connection, known, &mut stderr());
    } else {
        watch_on_screen(connection, args.ascii, &path)?;
    }
    let summary = searching.join().map_err(|error| {
        if args.resume.is_none() {
            // What cannot be removed stays, and says itself that it failed.
            let _ = RunDirectory::discard_unstarted(&path);
        }
        classify(error)
    })?;
    super::print(&summary.to_string())?;
    match summary.reason {
        Some(FinishReason::Stopped) => {
            Err(Interrupted(format!("stopped; continue with: nas-tui search --resume {}", path.display())).into())
        }
        _ => Ok(()),
    }
}

/// Returns when the screen has been left; the search may go on.
fn watch_on_screen(connection: Connection, ascii: bool, path: &Path) -> anyhow::Result<()> {
    match tui::run(connection, ScreenOptions { ascii, ..ScreenOptions::default() }) {
        // Nothing is lost that the journal has; the workers end when their pipes close.
        Ok(Leave::Cancelled) => {
            let message = format!("left before the search had stopped; continue with: nas-tui search --resume {}", path.display());
            return Err(Interrupted(message).into());
        }
        Ok(Leave::Signal(_)) => say("stopping at a checkpoint; a second signal ends at once"),
        Ok(Leave::Finished | Leave::Stopped | Leave::Closed | Leave::TerminalLost) => {}
        Err(error) => say(&format!("{error:#}; the search goes on without a screen")),
    }
    Ok(())
}

fn open(args: &Args) -> anyhow::Result<Session> {
    let Some(path) = &args.resume else {
        let config = args.settings.resolve()?;
        let directory = match &args.run {
            Some(path) => RunDirectory::create(path),
            None => RunDirectory::create_in(&PathBuf::from("runs"), &config.preset),
        };
        return Session::begin(config, directory.map_err(|error| classify(error.into()))?).map_err(classify);
    };
    // The directory first: its lock, and a better message where it is no run.
    let directory = RunDirectory::open(path).map_err(|error| classify(error.into()))?;
    let SettingsArgs { set, seed, .. } = args.settings.clone();
    let config = config::resolve(&Options { file: Some(directory.config_path()), preset: None, set, seed }).or_bad_input()?;
    Session::resume(config, directory).map_err(classify)
}

/// A search over local worker processes.
fn parts() -> Parts {
    Parts {
        evaluator: Box::new(|config, reports| {
            let program = std::env::current_exe()?;
            let report = move |report| {
                // The search is over; what a worker still says is of no use.
                let _ = reports.send(report);
            };
            Ok(Box::new(LocalWorkers::start(config, program, report)) as Box<dyn Evaluator>)
        }),
        strategy: Box::new(|config, space| match config.search.strategy {
            StrategyName::Reinforce => Box::new(reinforce(config, space.decisions())) as Box<dyn Strategy>,
            StrategyName::Random => Box::new(Random::new(config.controller.baseline_decay)),
        }),
    }
}

fn reinforce(config: &Config, decisions: &[crate::space::Decision]) -> Reinforce {
    // The policy is tiny: a second thread costs more than it brings, and the workers need the cores.
    tch::set_num_threads(1);
    Reinforce::new(&config.controller, decisions, derive(config.search.seed, "controller", 0))
}

/// The first SIGINT, SIGTERM or SIGHUP stops the search as a client's stop does; the second ends the program at once.
fn stop_on_signals(commands: UnboundedSender<Command>) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot listen for signals")?;
    // Without a handler a file size limit (ulimit -f) kills; with one, the write that exceeds it is an error like a full disk.
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).context("cannot listen for SIGXFSZ")?;
    let listen = move || {
        let mut stopping = false;
        for _ in signals.forever() {
            if stopping {
                signal_hook::low_level::exit(130);
            }
            stopping = true;
            let _ = commands.send(Command::Stop);
        }
    };
    std::thread::Builder::new().name("nas-signals".to_owned()).spawn(listen).context("cannot start a thread")?;
    Ok(())
}

/// Exit status 2 for what the user can mend, 1 for the rest.
fn classify(error: SearchError) -> anyhow::Error {
    if error.is_bad_input() { BadInput(error.into()).into() } else { error.into() }
}

/// A line to standard error, whether or not anybody reads it.
fn say(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}

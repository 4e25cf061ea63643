//! A search in this process: what `--headless` runs, and the process behind a screen.

use std::io::stderr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use tokio::sync::mpsc::UnboundedSender;

use super::{Prepared, classify, failed, nothing_to_resume, outcome};
use crate::cli::say;
use crate::config::{Config, Strategy as StrategyName};
use crate::controller::Reinforce;
use crate::evaluate::Evaluator;
use crate::evaluate::local::LocalWorkers;
use crate::link::Command;
use crate::report::headless;
use crate::runs::registry;
use crate::search::seeds::derive;
use crate::search::{Parts, Random, Searching, Session, Strategy};

/// Search with one line per event.
pub fn run(prepared: Prepared) -> anyhow::Result<()> {
    let (is_new, path) = (prepared.is_new, prepared.directory.path().to_owned());
    let session = prepared.open()?;
    if let Some(summary) = session.complete() {
        return nothing_to_resume(&summary, &path);
    }
    let known = session.known_records();
    let connection = session.hub().connect().map_err(|error| classify(error.into()))?;
    say(&format!("run directory: {}", path.display()));
    let searching = start(session, &[SIGINT, SIGTERM, SIGHUP])?;
    headless::watch(connection, known, &mut stderr());
    let summary = searching.join().map_err(|error| failed(error, is_new, &path))?;
    crate::cli::print(&summary.to_string())?;
    outcome(&summary, &path)
}

/// Start a search that any client can find, watch and command. The first of `stopping` signals stops it as a client's stop
/// does, the second ends the program at once.
pub fn start(mut session: Session, stopping: &[i32]) -> anyhow::Result<Searching> {
    stop_on_signals(session.hub().commands(), stopping)?;
    // A run that `list` does not know can still be named.
    let _ = registry::register(session.directory().path());
    session.serve();
    session.start(parts()).map_err(classify)
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

fn stop_on_signals(commands: UnboundedSender<Command>, stopping: &[i32]) -> anyhow::Result<()> {
    let mut signals = Signals::new(stopping).context("cannot listen for signals")?;
    // Without a handler a hang-up kills, where it is not to stop the search.
    signal_hook::flag::register(SIGHUP, Arc::new(AtomicBool::new(false))).context("cannot listen for SIGHUP")?;
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

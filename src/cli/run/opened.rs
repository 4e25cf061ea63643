//! A run that this process has opened, whichever its work.

use std::path::PathBuf;

use super::{Ending, Prepared, classify};
use crate::config::{Config, Strategy as StrategyName};
use crate::controller::Reinforce;
use crate::evaluate::local::LocalWorkers;
use crate::evaluate::table::TableLookup;
use crate::evaluate::{Evaluator, Report};
use crate::event::RunKind;
use crate::foundation::seeds::derive;
use crate::link::Hub;
use crate::runs::RunDirectory;
use crate::search::Search;
use crate::session::{Session, SessionError, Work};
use crate::space::Space;
use crate::strategy::{Evolution, Random, Strategy};
use crate::training::Training;

/// Ready to be worked on, or complete.
pub struct Opened {
    pub is_complete: bool,
    /// Records that the journal held when the run was opened.
    pub known_records: u64,
    pub hub: Hub,
    pub path: PathBuf,
    start: Box<dyn FnOnce() -> anyhow::Result<Join>>,
}

/// Waits for the end of a run at work.
pub type Join = Box<dyn FnOnce() -> anyhow::Result<Ending>>;

impl Opened {
    pub fn new(prepared: Prepared) -> anyhow::Result<Opened> {
        let Prepared {
            kind,
            origin,
            config,
            directory,
            is_new,
        } = prepared;
        match kind {
            RunKind::Search => Opened::of(search(), config, directory, is_new),
            RunKind::Training => {
                let training = Training::of(&directory, origin).map_err(classify)?;
                Opened::of(training, config, directory, is_new)
            }
        }
    }

    fn of<W: Work<Summary: Into<Ending>>>(
        work: W,
        config: Config,
        directory: RunDirectory,
        is_new: bool,
    ) -> anyhow::Result<Opened> {
        let open = if is_new {
            Session::begin
        } else {
            Session::resume
        };
        let mut session = open(config, directory).map_err(classify)?;
        Ok(Opened {
            is_complete: session.is_complete(),
            known_records: session.known_records(),
            hub: session.hub(),
            path: session.directory().path().to_owned(),
            start: Box::new(|| {
                session.serve();
                let working = session.start(work).map_err(classify)?;
                Ok(Box::new(|| {
                    working.join().map(Into::into).map_err(classify)
                }))
            }),
        })
    }

    /// Let clients in other processes connect, then work on a thread of its own.
    pub fn start(self) -> anyhow::Result<Join> {
        (self.start)()
    }
}

/// What a search is put together from: here an evaluator and a strategy are listed.
fn search() -> Search {
    Search {
        evaluator: Box::new(|config, reports| {
            let report = move |report| {
                // The search is over; what a worker still says is of no use.
                let _ = reports.send(report);
            };
            evaluator(config, report)
        }),
        strategy: Box::new(strategy),
    }
}

/// A table where the settings name one, local worker processes otherwise.
fn evaluator(
    config: &Config,
    report: impl Fn(Report) + Send + 'static,
) -> Result<Box<dyn Evaluator>, SessionError> {
    Ok(match &config.search.table {
        Some(path) => Box::new(TableLookup::start(path, &config.space, report)),
        None => {
            let program = std::env::current_exe()?;
            Box::new(LocalWorkers::start(config, program, report))
        }
    })
}

fn strategy(config: &Config, space: &Space) -> Box<dyn Strategy> {
    match config.search.strategy {
        StrategyName::Reinforce => {
            let seed = derive(config.search.seed, "controller", 0);
            Box::new(Reinforce::new(&config.controller, space.decisions(), seed))
        }
        StrategyName::Random => Box::new(Random::new(config.controller.baseline_decay)),
        StrategyName::Evolution => Box::new(Evolution::new(&config.evolution)),
    }
}

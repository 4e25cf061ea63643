//! A run that this process has opened, whichever its work.

use std::path::Path;

use super::{Ending, Prepared, Work, classify, classify_training};
use crate::config::{Config, Strategy as StrategyName};
use crate::controller::Reinforce;
use crate::evaluate::local::LocalWorkers;
use crate::evaluate::table::TableLookup;
use crate::evaluate::{Evaluator, Report};
use crate::foundation::seeds::derive;
use crate::link::Hub;
use crate::search::{self, Parts, SearchError};
use crate::space::Space;
use crate::strategy::{Evolution, Random, Strategy};
use crate::training;

/// Ready to work, or complete.
pub enum Opened {
    Search(Box<search::Session>),
    Training(Box<training::Session>),
}

/// Waits for the end of a run at work.
pub type Join = Box<dyn FnOnce() -> anyhow::Result<Ending>>;

impl Opened {
    pub fn new(prepared: Prepared) -> anyhow::Result<Opened> {
        let Prepared {
            work,
            config,
            directory,
            is_new,
        } = prepared;
        Ok(match work {
            Work::Search => {
                let open = if is_new {
                    search::Session::begin
                } else {
                    search::Session::resume
                };
                Opened::Search(Box::new(open(config, directory).map_err(classify)?))
            }
            Work::Training {
                architecture: Some(architecture),
                origin,
            } if is_new => {
                let origin = origin.unwrap_or_else(|| architecture.name.clone());
                let session = training::Session::begin(config, directory, architecture, origin);
                Opened::Training(Box::new(session.map_err(classify_training)?))
            }
            Work::Training { origin, .. } => {
                let session = training::Session::resume(config, directory, origin);
                Opened::Training(Box::new(session.map_err(classify_training)?))
            }
        })
    }

    pub fn is_complete(&self) -> bool {
        match self {
            Opened::Search(session) => session.complete().is_some(),
            Opened::Training(session) => session.is_complete(),
        }
    }

    /// Records that the journal held when the run was opened.
    pub fn known_records(&self) -> u64 {
        match self {
            Opened::Search(session) => session.known_records(),
            Opened::Training(session) => session.known_records(),
        }
    }

    pub fn hub(&self) -> Hub {
        match self {
            Opened::Search(session) => session.hub(),
            Opened::Training(session) => session.hub(),
        }
    }

    pub fn path(&self) -> &Path {
        match self {
            Opened::Search(session) => session.directory().path(),
            Opened::Training(session) => session.directory().path(),
        }
    }

    /// Let clients in other processes connect, then work on a thread of its own.
    pub fn start(self) -> anyhow::Result<Join> {
        Ok(match self {
            Opened::Search(mut session) => {
                session.serve();
                let searching = session.start(parts()).map_err(classify)?;
                Box::new(|| searching.join().map(Ending::from).map_err(classify))
            }
            Opened::Training(mut session) => {
                session.serve();
                let working = session.start().map_err(classify_training)?;
                Box::new(|| working.join().map(Ending::from).map_err(classify_training))
            }
        })
    }
}

/// What a search is put together from: here an evaluator and a strategy are listed.
fn parts() -> Parts {
    Parts {
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
) -> Result<Box<dyn Evaluator>, SearchError> {
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

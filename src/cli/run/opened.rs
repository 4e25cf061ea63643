//! A run that this process has opened, whichever its work.

use std::path::Path;

use super::{Ending, Prepared, Work, classify, classify_training};
use crate::config::{Config, Strategy as StrategyName};
use crate::controller::Reinforce;
use crate::evaluate::Evaluator;
use crate::evaluate::local::LocalWorkers;
use crate::foundation::seeds::derive;
use crate::link::Hub;
use crate::search::{self, Parts, Random, Strategy};
use crate::space::Decision;
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
            StrategyName::Reinforce => {
                Box::new(reinforce(config, space.decisions())) as Box<dyn Strategy>
            }
            StrategyName::Random => Box::new(Random::new(config.controller.baseline_decay)),
        }),
    }
}

fn reinforce(config: &Config, decisions: &[Decision]) -> Reinforce {
    // The policy is tiny: a second thread costs more than it brings, and the workers need the
    // cores.
    tch::set_num_threads(1);
    Reinforce::new(
        &config.controller,
        decisions,
        derive(config.search.seed, "controller", 0),
    )
}

//! A run that this process has opened, of any kind.

use std::path::{Path, PathBuf};

use super::{Farewell, Prepared, classify};
use crate::config::Config;
use crate::evaluate::{self, Evaluator, Registered, Report};
use crate::event::RunKind;
use crate::link::Hub;
use crate::search::Search;
use crate::session::{Session, SessionError, Work, WorkError};
use crate::space::{self, Space};
use crate::strategy::{self, Strategy};
#[cfg(feature = "torch")]
use crate::training::Training;

/// Ready to be worked on, or complete.
pub struct Opened {
    pub is_complete: bool,
    /// Number of records in the journal when the run was opened.
    pub known_records: u64,
    pub hub: Hub,
    pub path: PathBuf,
    start: Box<dyn FnOnce() -> anyhow::Result<Join>>,
}

/// Waits for the end of a run in progress.
pub type Join = Box<dyn FnOnce() -> anyhow::Result<Farewell>>;

impl Opened {
    pub fn new(prepared: Prepared) -> anyhow::Result<Opened> {
        match prepared.kind {
            RunKind::Search => Opened::of(search(), prepared),
            #[cfg(not(feature = "torch"))]
            RunKind::Training => Err(classify(Lacking::Libtorch("a training").into())),
            #[cfg(feature = "torch")]
            RunKind::Training => {
                let training = Training::of(&prepared.directory).map_err(classify)?;
                Opened::of(training, prepared)
            }
        }
    }

    fn of<W: Work<Summary: Into<Farewell>>>(work: W, prepared: Prepared) -> anyhow::Result<Opened> {
        let open = if prepared.is_new {
            Session::begin
        } else {
            Session::resume
        };
        let mut session = open(prepared.config, prepared.directory).map_err(classify)?;
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

    /// Let clients in other processes connect, then work on a separate thread.
    pub fn start(self) -> anyhow::Result<Join> {
        (self.start)()
    }
}

/// Assembles a search.
fn search() -> Search {
    Search {
        evaluator: Box::new(|config, folder, reports| {
            let report = move |report| {
                // The search is over; further reports of a worker do not matter.
                let _ = reports.send(report);
            };
            evaluator(config, folder, report)
        }),
        strategy: Box::new(strategy),
    }
}

/// Start the evaluator that takes a run with these settings; it may keep files in `folder`.
pub fn evaluator(
    config: &Config,
    folder: &Path,
    report: impl Fn(Report) + Send + 'static,
) -> Result<Box<dyn Evaluator>, SessionError> {
    Ok((evaluator_for(config)?.start)(
        config,
        folder,
        Box::new(report),
    )?)
}

/// The evaluator of a run with these settings.
pub fn evaluator_for(config: &Config) -> Result<&'static Registered, SessionError> {
    evaluate::evaluator_for(config).ok_or_else(|| {
        let layer = &config.space.layer;
        let is_tabular = space::family::named(layer).is_ok_and(|family| family.is_tabular());
        match is_tabular {
            true => Lacking::Table(layer.clone()).into(),
            false => Lacking::Libtorch("the training of children").into(),
        }
    })
}

/// The strategy named in the settings, in its state before the first episode.
pub fn strategy(config: &Config, space: &Space) -> Result<Box<dyn Strategy>, SessionError> {
    Ok(strategy::named_in(config, space))
}

/// What the run needs and does not have.
#[derive(Debug, thiserror::Error)]
enum Lacking {
    #[error(
        "this nas-tui was built without libtorch, which {0} needs: use one that has it, or search a table (--table CSV)"
    )]
    Libtorch(&'static str),
    #[error(
        "the space {0} has no networks to train: name the CSV file that holds their accuracies with --table CSV \
         (docs/NASBENCH201.md says how to make one)"
    )]
    Table(String),
}

impl WorkError for Lacking {
    fn is_bad_input(&self) -> bool {
        true
    }
}

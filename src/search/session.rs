//! One process's turn at a run: open what is there, check that it fits together, start the search
//! on a thread of its own.

use std::panic::{self, AssertUnwindSafe};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::checkpoint::Checkpoint;
use super::engine::Engine;
use super::error::SearchError;
use super::inbox::Inbox;
use super::ledger::Ledger;
use crate::analysis::Summary;
use crate::config::Config;
use crate::data;
use crate::evaluate::{Evaluator, Report};
use crate::event::Level;
use crate::foundation::durable::in_file;
use crate::foundation::fault;
use crate::link::{Command, Hub, Server};
use crate::runs::RunDirectory;
use crate::session::Recorder;
use crate::session::recorder::Opened;
use crate::space::Space;
use crate::strategy::Strategy;

/// Starts the evaluator on the search's thread. It reports through the sender; the error is told to
/// the user.
pub type StartEvaluator = Box<
    dyn FnOnce(&Config, UnboundedSender<Report>) -> Result<Box<dyn Evaluator>, SearchError> + Send,
>;

/// Makes the strategy, as it is before the first episode, on the search's thread.
pub type MakeStrategy = Box<dyn FnOnce(&Config, &Space) -> Box<dyn Strategy> + Send>;

/// What a search is put together from. Both are made on the search's thread, because tensors never
/// cross threads.
pub struct Parts {
    pub evaluator: StartEvaluator,
    pub strategy: MakeStrategy,
}

/// A run that is ready to be searched (or already complete).
pub struct Session {
    config: Config,
    directory: RunDirectory,
    opening: Opening,
    recorder: Recorder<Ledger>,
    commands: UnboundedReceiver<Command>,
    /// Serves clients in other processes, if asked to.
    server: Option<Server>,
}

/// What was found when a run directory was opened.
#[derive(Debug, Default)]
pub(super) struct Opening {
    pub checkpoint: Option<Checkpoint>,
    /// What a user should know of it.
    pub notices: Vec<(Level, String)>,
}

/// A search at work.
pub struct Searching {
    /// Connects clients, also after the search is over.
    pub hub: Hub,
    thread: JoinHandle<Result<Summary, SearchError>>,
}

impl Session {
    /// Begin a new run in an empty directory.
    pub fn begin(config: Config, directory: RunDirectory) -> Result<Session, SearchError> {
        directory.write_config(&config.to_toml())?;
        let opened = Recorder::begin(directory.journal_path())?;
        Ok(Session::assemble(
            config,
            directory,
            opened,
            Opening::default(),
        ))
    }

    /// Continue the run in `directory`. `config` is what its config.toml says, changed at most in
    /// `workers` and `data.dir`.
    ///
    /// # Errors
    /// Where journal, checkpoint or settings are damaged or do not belong together. Nothing is
    /// repaired but a torn last line of the journal.
    pub fn resume(mut config: Config, directory: RunDirectory) -> Result<Session, SearchError> {
        let own = crate::config::read(&directory.config_path())?;
        refuse_other_settings(&own.to_toml(), &config)?;
        let (opened, torn) = Recorder::<Ledger>::resume(directory.journal_path())?;
        let recorder = &opened.0;
        let mut notices: Vec<(Level, String)> = torn
            .map(|text| (Level::Warning, text))
            .into_iter()
            .collect();
        let checkpoint = Checkpoint::load(&directory.checkpoint_path())?;
        match &checkpoint {
            Some(checkpoint) => check_checkpoint(checkpoint, &config, recorder.last_seq())?,
            None if recorder.ledger.checkpointed.is_some() => notices.push((
                Level::Warning,
                "the checkpoint is missing: computing it again from the journal (nothing is trained twice)".to_owned(),
            )),
            None => {}
        }
        keep_workers(&mut config, &recorder.ledger);
        Ok(Session::assemble(
            config,
            directory,
            opened,
            Opening {
                checkpoint,
                notices,
            },
        ))
    }

    fn assemble(
        config: Config,
        directory: RunDirectory,
        opened: Opened<Ledger>,
        mut opening: Opening,
    ) -> Session {
        opening.notices.extend(
            data::unread_files(&config.data).map(|unread| (Level::Warning, unread.to_string())),
        );
        let (recorder, commands) = opened;
        Session {
            config,
            directory,
            opening,
            recorder,
            commands,
            server: None,
        }
    }

    /// The summary, if every episode of the run is done and there is nothing to search.
    pub fn complete(&self) -> Option<Summary> {
        let ledger = &self.recorder.ledger;
        ledger.is_complete().then(|| ledger.tally.summary())
    }

    /// Records that the journal held when the run was opened.
    pub fn known_records(&self) -> u64 {
        self.recorder.last_seq()
    }

    pub fn directory(&self) -> &RunDirectory {
        &self.directory
    }

    pub fn hub(&self) -> Hub {
        self.recorder.hub.clone()
    }

    /// Let clients in other processes connect, from now until the search ends. Where no socket can
    /// be made, the run says so and goes on without.
    pub fn serve(&mut self) {
        match Server::start(self.hub()) {
            Ok(server) => self.server = Some(server),
            Err(error) => {
                let text = format!(
                    "no screen can command this search, they can only read its journal: no socket: {error}"
                );
                self.opening.notices.push((Level::Warning, text));
            }
        }
    }

    /// Start the search on its own thread.
    pub fn start(self, parts: Parts) -> Result<Searching, SearchError> {
        let hub = self.hub();
        let thread = thread::Builder::new()
            .name("nas-search".to_owned())
            .spawn(move || {
                let run = AssertUnwindSafe(|| self.run(parts));
                panic::catch_unwind(run)
                    .unwrap_or_else(|cause| Err(SearchError::Panicked(fault::text_of(&*cause))))
            })
            .map_err(|error| {
                in_file(
                    std::path::Path::new("nas-search"),
                    "cannot start the thread",
                    error,
                )
            })?;
        Ok(Searching { hub, thread })
    }

    fn run(self, parts: Parts) -> Result<Summary, SearchError> {
        if let Some(summary) = self.complete() {
            return Ok(summary);
        }
        let (inbox, reports) = Inbox::new(self.commands)?;
        let Session {
            config,
            directory,
            opening,
            recorder,
            server,
            ..
        } = self;
        let summary = Engine::new(config, directory, recorder, inbox).run(parts, reports, opening);
        // After the last record: until then clients can come.
        drop(server);
        summary
    }
}

impl Searching {
    /// Wait for the end. The summary says whether the run is complete or was stopped.
    pub fn join(self) -> Result<Summary, SearchError> {
        self.thread
            .join()
            .unwrap_or_else(|cause| Err(SearchError::Panicked(fault::text_of(&*cause))))
    }
}

fn check_checkpoint(
    checkpoint: &Checkpoint,
    config: &Config,
    last_seq: u64,
) -> Result<(), SearchError> {
    refuse_other_settings(&checkpoint.config, config)?;
    if checkpoint.journal_seq > last_seq {
        return Err(SearchError::JournalBehind {
            checkpoint: checkpoint.journal_seq,
            journal: last_seq,
        });
    }
    Ok(())
}

/// Where the settings leave workers and threads to the machine, keep what the run was begun with:
/// the number of threads decides the last bits of every sum.
fn keep_workers(config: &mut Config, ledger: &Ledger) {
    if let Some(started) = &ledger.started {
        config.workers.count.get_or_insert(started.workers);
        if let Some(threads) = started.threads {
            config.workers.threads.get_or_insert(threads);
        }
    }
}

/// An error unless `now` equals the settings `then` (TOML) in all that decides what the search
/// finds.
fn refuse_other_settings(then: &str, now: &Config) -> Result<(), SearchError> {
    // What only another strategy reads decides nothing.
    let evolves = now.search.strategy == crate::config::Strategy::Evolution;
    let is_free = |key: &str| is_free_to_change(key) || (!evolves && key.starts_with("evolution."));
    let changes = now.changes_since(then, is_free);
    if changes.is_empty() {
        Ok(())
    } else {
        Err(SearchError::OtherSettings { changes })
    }
}

/// Settings that decide nothing of what a search finds.
fn is_free_to_change(key: &str) -> bool {
    let sections = ["workers.", "screen.", "train.", "recipes."];
    sections.iter().any(|section| key.starts_with(section))
        || ["data.dir", "search.table"].contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, resolve};

    fn config(set: &[&str]) -> Config {
        resolve(&Options {
            set: set.iter().map(|text| (*text).to_owned()).collect(),
            ..Options::default()
        })
        .unwrap()
    }

    #[test]
    fn settings_that_decide_what_is_found_may_not_change_and_are_named() {
        let then = config(&[]).to_toml();
        let error = refuse_other_settings(&then, &config(&["search.reference=r"]))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("search.reference was absent and is \"r\""),
            "what the journal holds is of the first one: {error}"
        );
        let error = refuse_other_settings(&then, &config(&["search.seed=9", "child.epochs=5"]))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("search.seed was 1 and is 9")
                && error.contains("child.epochs was 2 and is 5"),
            "{error}"
        );
    }

    #[test]
    fn workers_the_place_of_the_data_and_the_screen_may_change() {
        let then = config(&["data.source=cifar10"]).to_toml();
        let free = [
            "workers.count=2",
            "workers.threads=3",
            "data.dir=\"/elsewhere\"",
            "screen.refresh_rate=2.0",
        ];
        let now = config(&[&["data.source=cifar10"], free.as_slice()].concat());
        refuse_other_settings(&then, &now).unwrap();
    }
}

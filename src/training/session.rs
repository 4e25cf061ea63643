//! One process's turn at a training: open what is there, check that it fits together, train on a
//! thread of its own.

use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc::UnboundedReceiver;

use super::TrainingError;
use super::checkpoint::Checkpoint;
use super::engine::Engine;
use super::ledger::Ledger;
use crate::analysis::TrainingSummary;
use crate::config::{Config, Decode};
use crate::data;
use crate::event::Level;
use crate::foundation::durable::{in_file, write_atomically};
use crate::foundation::fault;
use crate::link::{Command, Hub, Server};
use crate::runs::RunDirectory;
use crate::session::Recorder;
use crate::session::recorder::Opened;
use crate::space::file::DnaContext;
use crate::space::{Architecture, read_architecture};

/// A training that is ready to begin or to go on (or already complete).
pub struct Session {
    pub(super) config: Config,
    pub(super) directory: RunDirectory,
    pub(super) architecture: Architecture,
    /// ARCH as the user gave it.
    pub(super) origin: String,
    pub(super) recorder: Recorder<Ledger>,
    pub(super) commands: UnboundedReceiver<Command>,
    pub(super) checkpoint: Option<Checkpoint>,
    /// What a user should know of what was found.
    pub(super) notices: Vec<(Level, String)>,
    server: Option<Server>,
}

/// A training at work.
pub struct Working {
    thread: JoinHandle<Result<TrainingSummary, TrainingError>>,
}

impl Session {
    /// Begin a new run in an empty directory.
    pub fn begin(
        config: Config,
        directory: RunDirectory,
        architecture: Architecture,
        origin: String,
    ) -> Result<Session, TrainingError> {
        write_atomically(
            &directory.architecture_path(),
            architecture.to_json().as_bytes(),
        )?;
        directory.write_config(&config.to_toml())?;
        let opened = Recorder::begin(directory.journal_path())?;
        Ok(Session::assemble(
            config,
            directory,
            (architecture, origin),
            opened,
            None,
            Vec::new(),
        ))
    }

    /// Continue the training in `directory`. `config` is what its config.toml says, changed at most
    /// in what decides nothing.
    ///
    /// # Errors
    /// Where journal, checkpoint or settings are damaged or do not belong together. Nothing is
    /// repaired but a torn last line of the journal.
    pub fn resume(
        mut config: Config,
        directory: RunDirectory,
        origin: Option<String>,
    ) -> Result<Session, TrainingError> {
        let own = crate::config::read(&directory.config_path())?;
        refuse_other_settings(&own.to_toml(), &config)?;
        let context = DnaContext {
            decode: Decode::Literal,
            input: [3, 32, 32],
            classes: 10,
        };
        let architecture = read_architecture(&directory.architecture_path(), context)?;
        let (opened, torn) = Recorder::<Ledger>::resume(directory.journal_path())?;
        let mut notices: Vec<(Level, String)> = torn
            .map(|text| (Level::Warning, text))
            .into_iter()
            .collect();
        let checkpoint = Checkpoint::load(&directory.training_path())?;
        let ledger = &opened.0.ledger;
        match &checkpoint {
            Some(checkpoint) => refuse_other_settings(&checkpoint.header.config, &config)?,
            None if ledger.epochs_done() > 0 => notices.push((
                Level::Warning,
                "the checkpoint is missing: the training begins again with its first epoch"
                    .to_owned(),
            )),
            None => {}
        }
        let started = ledger.run.as_ref().map(|run| &run.started);
        let origin = started
            .map(|started| started.origin.clone())
            .or(origin)
            .unwrap_or_else(|| architecture.name.clone());
        if let Some(started) = started {
            // The number of threads decides the last bits of every sum.
            config.workers.threads.get_or_insert(started.threads);
        }
        Ok(Session::assemble(
            config,
            directory,
            (architecture, origin),
            opened,
            checkpoint,
            notices,
        ))
    }

    fn assemble(
        config: Config,
        directory: RunDirectory,
        (architecture, origin): (Architecture, String),
        (recorder, commands): Opened<Ledger>,
        checkpoint: Option<Checkpoint>,
        mut notices: Vec<(Level, String)>,
    ) -> Session {
        notices.extend(
            data::unread_files(&config.data).map(|unread| (Level::Warning, unread.to_string())),
        );
        Session {
            config,
            directory,
            architecture,
            origin,
            recorder,
            commands,
            checkpoint,
            notices,
            server: None,
        }
    }

    /// Whether the training is complete and there is nothing to do.
    pub fn is_complete(&self) -> bool {
        self.recorder.ledger.is_complete()
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

    /// Let clients in other processes connect, from now until the training ends. Where no socket
    /// can be made, the run says so and goes on without.
    pub fn serve(&mut self) {
        match Server::start(self.hub()) {
            Ok(server) => self.server = Some(server),
            Err(error) => {
                let text = format!(
                    "no screen can command this training, they can only read its journal: no socket: {error}"
                );
                self.notices.push((Level::Warning, text));
            }
        }
    }

    /// Start the training on its own thread.
    pub fn start(self) -> Result<Working, TrainingError> {
        let thread = thread::Builder::new()
            .name("nas-train".to_owned())
            .spawn(move || {
                let run = AssertUnwindSafe(|| self.run());
                panic::catch_unwind(run)
                    .unwrap_or_else(|cause| Err(TrainingError::Panicked(fault::text_of(&*cause))))
            })
            .map_err(|error| in_file(Path::new("nas-train"), "cannot start the thread", error))?;
        Ok(Working { thread })
    }

    fn run(mut self) -> Result<TrainingSummary, TrainingError> {
        let server = self.server.take();
        let summary = Engine::new(self).run();
        // After the last record: until then clients can come.
        drop(server);
        summary
    }
}

impl Working {
    /// Wait for the end. The summary says whether the training is complete or was stopped.
    pub fn join(self) -> Result<TrainingSummary, TrainingError> {
        self.thread
            .join()
            .unwrap_or_else(|cause| Err(TrainingError::Panicked(fault::text_of(&*cause))))
    }
}

/// An error unless `now` equals the settings `then` (TOML) in all that decides what the training
/// comes to.
fn refuse_other_settings(then: &str, now: &Config) -> Result<(), TrainingError> {
    let changes = now.changes_since(then, is_free_to_change);
    if changes.is_empty() {
        Ok(())
    } else {
        Err(TrainingError::OtherSettings { changes })
    }
}

/// Settings that decide nothing of what a training comes to: those of the machine, the screen and a
/// search.
fn is_free_to_change(key: &str) -> bool {
    let sections = [
        "workers.",
        "screen.",
        "controller.",
        "space.",
        "child.",
        "reward.",
    ];
    let keys = [
        "preset",
        "data.dir",
        "train.checkpoint_minutes",
        "train.data_on_device",
    ];
    let of_search = key.starts_with("search.") && key != "search.seed";
    of_search || keys.contains(&key) || sections.iter().any(|section| key.starts_with(section))
}

//! One process's session of a run of any kind: opens what is there, checks that it is consistent,
//! does the work on a separate thread while clients watch, and records how it ended.

pub mod error;
pub mod recorder;
pub mod run;
mod snapshots;
mod steering;
mod storage;
pub mod work;

pub use error::{Halt, SessionError, WorkError};
pub use recorder::{Begun, Ledger, Recorder};
pub use run::Run;
pub use steering::Instruction;
pub use work::{Checkpoint, Work};

use std::panic::{self, AssertUnwindSafe};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::config::{self, Config};
use crate::event::Level;
use crate::foundation::durable::write_json;
use crate::foundation::thread::spawn;
use crate::foundation::{fault, input};
use crate::journal::JournalError;
use crate::link::{Hub, Orders, Server};
use crate::runs::RunDirectory;
use crate::runs::directory::SUMMARY;
use crate::state::RunStatus;

/// A run that is ready to be worked on (or already complete).
pub struct Session<W: Work> {
    run: Run<W>,
    checkpoint: Option<W::Checkpoint>,
    orders: Orders,
    /// Serves clients in other processes, if requested.
    server: Option<Server>,
    /// Whether this session begins the run: nothing is left of it if it cannot.
    is_new: bool,
}

/// A run in progress.
pub struct Working<W: Work> {
    /// Connects clients, even after the work is over.
    pub hub: Hub,
    thread: JoinHandle<Result<W::Summary, SessionError>>,
}

impl<W: Work> Session<W> {
    /// Begin a new run in an empty directory.
    ///
    /// # Errors
    /// If the settings or the journal cannot be written.
    pub fn begin(config: Config, directory: RunDirectory) -> Result<Session<W>, SessionError> {
        directory.write_config(&config.to_toml())?;
        directory.make_checkpoint_folder()?;
        let opened = Recorder::begin(directory)?;
        Ok(Session {
            is_new: true,
            ..Session::assemble(config, opened, None, Vec::new())
        })
    }

    /// Continue the run in `directory`. `config` is the contents of its config.toml, changed at
    /// most in settings for which [`Work::is_free_to_change`].
    ///
    /// # Errors
    /// If journal, checkpoint or settings are damaged or inconsistent. Nothing is repaired except a
    /// torn last line of the journal.
    pub fn resume(mut config: Config, directory: RunDirectory) -> Result<Session<W>, SessionError> {
        let own = config::read(&directory.config_path())?;
        refuse_other_settings::<W>(&own.to_toml(), &config)?;
        let (opened, torn) = Recorder::<W::Ledger>::resume(directory)?;
        let recorder = &opened.0;
        recorder.directory().make_checkpoint_folder()?;
        let mut notices: Vec<String> = torn.into_iter().collect();
        let checkpoint = W::Checkpoint::find(recorder.directory())?;
        match &checkpoint {
            Some(checkpoint) => check_checkpoint::<W>(checkpoint, &config, recorder.last_seq())?,
            None if recorder.ledger.has_checkpoint() => {
                notices.push(W::CHECKPOINT_MISSING.to_owned());
            }
            None => {}
        }
        // If workers and threads are automatic, keep those that the run was begun with: the number
        // of threads affects the last bits of every sum.
        if let Some(begun) = recorder.ledger.begun() {
            config.workers.count = config.workers.count.or(begun.workers);
            config.workers.threads = config.workers.threads.or(begun.threads);
        }
        let session = Session::assemble(config, opened, checkpoint, notices);
        if session.is_complete() {
            session.complete_ending()?;
        }
        Ok(session)
    }

    /// What the process that completed the run could not do any more if it was killed after its last record: write the
    /// summary, remove its socket.
    fn complete_ending(&self) -> Result<(), SessionError> {
        let path = self.directory().path();
        Server::remove_left_behind(path);
        let summary = path.join(SUMMARY);
        let written = input::read(&summary, input::OWN).unwrap_or_default();
        let written: Value = serde_json::from_slice(&written).unwrap_or_default();
        if written["reason"] != "completed" {
            write_json(&summary, &self.summary()?)?;
        }
        Ok(())
    }

    fn assemble(
        config: Config,
        (recorder, orders): recorder::Recording<W::Ledger>,
        checkpoint: Option<W::Checkpoint>,
        notices: Vec<String>,
    ) -> Session<W> {
        let notices = notices
            .into_iter()
            .map(|text| (Level::Warning, text))
            .collect();
        Session {
            run: Run {
                config,
                recorder,
                notices,
                pauses: 0,
                held: None,
            },
            checkpoint,
            orders,
            server: None,
            is_new: false,
        }
    }

    /// Whether all of the run's work is done.
    pub fn is_complete(&self) -> bool {
        self.run.recorder.status() == RunStatus::Completed
    }

    /// The results of the run so far.
    ///
    /// # Errors
    /// If the journal cannot be read or is damaged.
    pub fn summary(&self) -> Result<W::Summary, JournalError> {
        self.run.summary()
    }

    /// Number of records in the journal when the run was opened.
    pub fn known_records(&self) -> u64 {
        self.run.recorder.last_seq()
    }

    /// The directory of the run.
    pub fn directory(&self) -> &RunDirectory {
        self.run.directory()
    }

    /// Connects clients in this process.
    pub fn hub(&self) -> Hub {
        self.run.recorder.hub.clone()
    }

    /// Let clients in other processes connect, from now until the work ends. If no socket can be
    /// created, the run says so and continues without one.
    pub fn serve(&mut self) {
        match Server::start(self.hub()) {
            Ok(server) => self.server = Some(server),
            Err(error) => {
                let text = format!(
                    "screens can read the journal of this {} but not control it: no socket: {error}",
                    W::NAME
                );
                self.run.notices.push((Level::Warning, text));
            }
        }
    }

    /// Do the work on a separate thread.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(self, work: W) -> Result<Working<W>, SessionError> {
        let hub = self.hub();
        let thread = spawn(W::THREAD, move || {
            panic::catch_unwind(AssertUnwindSafe(|| self.run_to_end(work)))
                .unwrap_or_else(|cause| Err(panicked::<W>(&*cause)))
        })?;
        Ok(Working { hub, thread })
    }

    fn run_to_end(mut self, work: W) -> Result<W::Summary, SessionError> {
        if self.is_complete() {
            return Ok(self.summary()?);
        }
        let ending = self
            .run
            .take_over(self.checkpoint.as_ref())
            .and_then(|()| work.work(&mut self.run, self.checkpoint, self.orders));
        let summary = self.run.finish(ending);
        if matches!(summary, Err(SessionError::Displaced { .. })) {
            // The server knows the socket by its former path.
            Server::remove_left_behind(self.run.directory().path());
        }
        if self.is_new {
            self.run.recorder.discard_if_unstarted();
        }
        // The run is closed with its last record; until then clients can connect.
        drop(self.run);
        drop(self.server);
        summary
    }
}

impl<W: Work> Working<W> {
    /// Wait for the end. The summary tells whether the run is complete or was stopped.
    ///
    /// # Errors
    /// The error that ended the work, if any.
    pub fn join(self) -> Result<W::Summary, SessionError> {
        self.thread
            .join()
            .unwrap_or_else(|cause| Err(panicked::<W>(&*cause)))
    }
}

fn panicked<W: Work>(cause: &(dyn std::any::Any + Send)) -> SessionError {
    SessionError::Panicked {
        work: W::NAME,
        cause: fault::text_of(cause),
    }
}

fn check_checkpoint<W: Work>(
    checkpoint: &W::Checkpoint,
    config: &Config,
    last_seq: u64,
) -> Result<(), SessionError> {
    refuse_other_settings::<W>(checkpoint.config(), config)?;
    if checkpoint.journal_seq() > last_seq {
        return Err(SessionError::JournalBehind {
            checkpoint: checkpoint.journal_seq(),
            journal: last_seq,
            without: W::WITHOUT_CHECKPOINT,
        });
    }
    Ok(())
}

/// Return an error unless `now` equals the settings `then` (TOML) in everything that affects the
/// results.
pub(crate) fn refuse_other_settings<W: Work>(then: &str, now: &Config) -> Result<(), SessionError> {
    let changes = now.changes_since(then, |key| W::is_free_to_change(key, now));
    if changes.is_empty() {
        Ok(())
    } else {
        Err(SessionError::OtherSettings { changes })
    }
}

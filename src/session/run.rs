//! A run open in this process, and the records that every kind of work writes about it.

use std::io;
use std::time::Instant;

use super::error::{Halt, SessionError};
use super::recorder::{Ledger, Recorder};
use super::work::Work;
use crate::config::Config;
use crate::event::{Compute, DataDescription, Event, FinishReason, Level};
use crate::foundation::build_info::VERSION;
use crate::foundation::fault;
use crate::foundation::host::host_name;
use crate::journal::JournalError;
use crate::runs::RunDirectory;
use crate::runs::directory::SUMMARY;

/// An open run: settings, directory, journal.
pub struct Run<W: Work> {
    /// The resolved settings, as in `config.toml`.
    pub config: Config,
    /// Run directory, ledger and hub.
    pub recorder: Recorder<W::Ledger>,
    /// Notices to the user about what was found, not recorded yet.
    pub notices: Vec<(Level, String)>,
    /// Number of the latest pause requested.
    pub(super) pauses: u64,
    /// The pause in force because nothing can be saved.
    pub(super) held: Option<Held>,
}

/// A pause until the run directory can be written again.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) since: Instant,
    pub(super) reason: String,
    /// Whether the work goes on then, or stays paused because a user paused it.
    pub(super) goes_on: bool,
}

impl<W: Work> Run<W> {
    /// What is known about the run's past.
    pub fn ledger(&self) -> &W::Ledger {
        &self.recorder.ledger
    }

    /// The run directory.
    pub fn directory(&self) -> &RunDirectory {
        self.recorder.directory()
    }

    /// Record an event.
    ///
    /// # Errors
    /// Those of [`Recorder::tell`].
    pub fn tell(&mut self, event: Event) -> io::Result<()> {
        self.recorder.tell(event)
    }

    /// Record a notice to the user.
    ///
    /// # Errors
    /// Those of [`Recorder::tell`].
    pub fn notice(&mut self, level: Level, message: impl Into<String>) -> io::Result<()> {
        self.recorder.notice(level, message)
    }

    /// Record that this process takes over the run, if an earlier one has started it.
    pub(super) fn take_over(&mut self, checkpoint: Option<&W::Checkpoint>) -> Result<(), Halt> {
        if self.ledger().begun().is_none() {
            return Ok(());
        }
        let (next_child, epoch) = W::KIND.fields_of(W::next_step(checkpoint));
        Ok(self.tell(Event::RunResumed {
            host: host_name(),
            pid: std::process::id(),
            version: VERSION.to_owned(),
            next_child,
            epoch,
            micro_batch: W::micro_batch(checkpoint, &self.config),
        })?)
    }

    /// Record that the run starts; or, if it has already started, reject different data and tell
    /// the user what else has changed. Then record the notices collected so far. `started` creates
    /// the first event of the run.
    ///
    /// # Errors
    ///
    /// [`SessionError::OtherData`] if the fingerprints differ; those of `started` and of
    /// [`Recorder::tell`].
    pub fn open(
        &mut self,
        data: &DataDescription,
        compute: Option<&Compute>,
        started: impl FnOnce(&mut Run<W>) -> Result<Event, SessionError>,
    ) -> Result<(), SessionError> {
        if self.ledger().begun().is_none() {
            let started = started(self)?;
            self.tell(started)?;
        } else {
            self.check_data(data)?;
            if let Some(compute) = compute {
                self.compare_machine(compute)?;
            }
        }
        for (level, message) in std::mem::take(&mut self.notices) {
            self.notice(level, message)?;
        }
        Ok(())
    }

    /// Reject data that differ from those at the start of the run.
    fn check_data(&self, now: &DataDescription) -> Result<(), SessionError> {
        let begun = self.recorder.ledger.begun();
        match begun.filter(|begun| begun.data.fingerprint != now.fingerprint) {
            None => Ok(()),
            Some(begun) => Err(SessionError::OtherData {
                then: name_of(begun.data),
                now: name_of(now),
            }),
        }
    }

    /// Continuing on another machine is allowed, but the results will differ slightly: tell the
    /// user. Conditions that were not recorded at the start of the run are not compared.
    fn compare_machine(&mut self, now: &Compute) -> io::Result<()> {
        let Some(begun) = self.ledger().begun() else {
            return Ok(());
        };
        let threads = begun.threads.map(|threads| threads.to_string());
        let compared = [
            ("threads", threads.as_deref(), &*now.threads.to_string()),
            ("device", begun.device, &now.device),
            ("libtorch", begun.libtorch, &now.libtorch),
        ];
        let differences: Vec<String> = compared
            .into_iter()
            .filter_map(|(what, then, now)| Some((what, then.filter(|then| *then != now)?, now)))
            .map(|(what, then, now)| {
                let consequence = W::OTHER_MACHINE;
                format!("{what}: {now}, but the run was begun with {then}; {consequence}")
            })
            .collect();
        differences
            .into_iter()
            .try_for_each(|text| self.notice(Level::Warning, text))
    }

    /// The results of the run so far.
    pub(super) fn summary(&self) -> Result<W::Summary, JournalError> {
        W::summary(&self.recorder.ledger, self.recorder.journal_path())
    }

    /// Record how the work ended, and write the summary.
    pub(super) fn finish(&mut self, ending: Result<(), Halt>) -> Result<W::Summary, SessionError> {
        let (reason, error) = match ending {
            Ok(()) => (FinishReason::Completed, None),
            Err(Halt::Stopped) => (FinishReason::Stopped, None),
            Err(Halt::Failed(error)) => (FinishReason::Failed, Some(error)),
        };
        let farewell = self.say_farewell(reason, error.as_ref());
        match error {
            // Report the first error; a full disk, for example, makes the final records fail as
            // well.
            Some(error) => Err(error),
            None => farewell,
        }
    }

    fn say_farewell(
        &mut self,
        reason: FinishReason,
        error: Option<&SessionError>,
    ) -> Result<W::Summary, SessionError> {
        if let Some(error) = error {
            self.recorder
                .notice(Level::Error, fault::with_causes(error))?;
        }
        let (children, epochs) = W::KIND.fields_of(self.ledger().steps_done());
        let event = Event::RunFinished {
            reason,
            children: children.unwrap_or(0),
            epochs,
            wall_seconds: self.recorder.seconds(),
        };
        self.recorder.tell(event)?;
        // A directory that was moved is complete at its new place, with a summary.
        let displaced = match self.save_all(reason) {
            Err(error @ SessionError::Displaced { .. }) => Some(error),
            saved => saved.map(|()| None)?,
        };
        let summary = self.summary()?;
        self.recorder.replace_json(SUMMARY, &summary)?;
        self.save_all(reason)?;
        self.recorder.close();
        displaced.map_or(Ok(summary), Err)
    }

    /// Wait until everything is written, unless the run has failed or is to stop now.
    ///
    /// # Errors
    /// [`SessionError::Unsaved`] or [`SessionError::Displaced`].
    fn save_all(&mut self, reason: FinishReason) -> Result<(), SessionError> {
        loop {
            let idle = match self.recorder.write_now() {
                Ok(()) => return Ok(()),
                Err(idle) => idle,
            };
            let stop = self.recorder.hub.stop_request();
            if reason == FinishReason::Failed || stop.is_requested_within(idle) {
                return Err(self.recorder.give_up());
            }
        }
    }
}

fn name_of(data: &DataDescription) -> String {
    let images = match data.train_images() + data.validation_images() {
        0 => String::new(),
        images => format!("{images} images, "),
    };
    format!("{}, {images}CRC-32 {}", data.spec, data.fingerprint)
}

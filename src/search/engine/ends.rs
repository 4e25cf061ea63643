//! The first and the last moments of a session: take the run over, wait for the workers, say
//! farewell.

use std::io;

use super::{Engine, Halt};
use crate::analysis::Summary;
use crate::config::Config;
use crate::evaluate::{Ready, Report};
use crate::event::{DataDescription, Event, FinishReason, Level, RunStarted};
use crate::foundation::host::host_name;
use crate::journal::JournalError;
use crate::link::Command;
use crate::search::SearchError;
use crate::search::checkpoint::Checkpoint;
use crate::search::inbox::Message;
use crate::search::reference::reference;
use crate::space::Space;

impl Engine {
    /// Note that this process takes over, and make good what the last one did but could not note.
    pub(super) fn resume_run(&mut self, checkpoint: Option<&Checkpoint>) -> Result<(), Halt> {
        let next_child = checkpoint.map_or(1, |checkpoint| checkpoint.next_child);
        let version = crate::foundation::build_info::VERSION.to_owned();
        self.recorder.tell(Event::RunResumed {
            host: host_name(),
            pid: std::process::id(),
            version,
            next_child: Some(next_child),
            epoch: None,
        })?;
        if let Some(checkpoint) = checkpoint.filter(|saved| {
            self.recorder
                .ledger
                .checkpointed
                .is_none_or(|last| last < saved.episode)
        }) {
            self.recorder.tell(Event::CheckpointSaved {
                episode: checkpoint.episode,
                next_child,
            })?;
        }
        match self.recorder.ledger.best() {
            Some(best) => Ok(self.directory.write_best(best)?),
            None => Ok(()),
        }
    }

    /// Wait until the workers have checked their data. Notices are told at once: measuring a GPU
    /// takes a while, and users must know what they wait for. What else comes in meanwhile is held
    /// back until `run_started` is written; but a stop is obeyed and an error is an error.
    pub(super) fn await_workers(&mut self) -> Result<(Ready, Vec<Message>), Halt> {
        let mut held = Vec::new();
        loop {
            match self.inbox.wait() {
                Message::Report(Report::Ready(ready)) => return Ok((ready, held)),
                Message::Report(Report::Fatal { message }) => {
                    return Err(SearchError::Unusable(message).into());
                }
                Message::Command(Command::Stop) => {
                    self.recorder.tell(Event::StopRequested)?;
                    return Err(Halt::Stopped);
                }
                // Once something is held back, what follows it must not overtake it.
                Message::Report(Report::Log { level, message }) if held.is_empty() => {
                    self.recorder.notice(level, message)?
                }
                Message::Silence => {
                    return Err(SearchError::Evaluator(
                        "the workers could not be started".to_owned(),
                    )
                    .into());
                }
                message => held.push(message),
            }
        }
    }

    pub(super) fn space(&self, ready: &Ready) -> Result<Space, SearchError> {
        let DataDescription { input, classes, .. } = &ready.data;
        let space = Space::new(&self.config.space, *input, classes.len())?;
        let search = &self.config.search;
        space.check_depth(search.depth(1))?;
        space.check_depth(search.depth(search.children()))?;
        Ok(space)
    }

    /// # Errors
    /// If the reference run cannot be read.
    pub(super) fn run_started(
        &self,
        ready: &Ready,
        space: &Space,
    ) -> Result<RunStarted, JournalError> {
        let Config {
            preset,
            search,
            child,
            reward,
            ..
        } = &self.config;
        let mut started = RunStarted {
            run: self.directory.name(),
            preset: preset.clone(),
            strategy: search.strategy.name().to_owned(),
            seed: search.seed,
            version: crate::foundation::build_info::VERSION.to_owned(),
            host: host_name(),
            pid: std::process::id(),
            libtorch: ready
                .compute
                .as_ref()
                .map(|compute| compute.libtorch.clone()),
            episodes: search.episodes,
            children_per_episode: search.children_per_episode,
            child_epochs: child.epochs,
            child_batch_size: Some(child.batch_size),
            reward_power: reward.power,
            reward_last_epochs: reward.last_epochs,
            workers: ready.workers,
            threads: ready.compute.as_ref().map(|compute| compute.threads),
            device: ready.compute.as_ref().map(|compute| compute.device.clone()),
            data: ready.data.clone(),
            decisions: space.decisions().to_vec(),
            decode: self.config.space.decode,
            reference: None,
        };
        if let Some(run) = &search.reference {
            started.reference = Some(Box::new(reference(run, &started, &self.config)?));
        }
        Ok(started)
    }

    /// Say so where the run cannot be held against the one that was asked for.
    pub(super) fn tell_of_reference(&mut self) -> Result<(), Halt> {
        let reference = self
            .recorder
            .ledger
            .started
            .as_ref()
            .and_then(|started| started.reference.as_deref());
        let Some((run, reason)) = reference
            .and_then(|reference| Some((&reference.run, reference.not_comparable.as_ref()?)))
        else {
            return Ok(());
        };
        let text = format!("this run is not comparable with {run} (search.reference): {reason}");
        Ok(self.recorder.notice(Level::Warning, text)?)
    }

    /// Other data is an error; other workers are the user's right, but the numbers will not be the
    /// same.
    pub(super) fn compare_workers(
        &mut self,
        started: &RunStarted,
        ready: &Ready,
    ) -> Result<(), Halt> {
        if started.data.fingerprint != ready.data.fingerprint {
            let name = |data: &DataDescription| {
                let images = match data.train_images + data.validation_images {
                    0 => String::new(),
                    images => format!("{images} images, "),
                };
                format!("{}, {images}CRC-32 {}", data.spec, data.fingerprint)
            };
            return Err(SearchError::OtherData {
                then: name(&started.data),
                now: name(&ready.data),
            }
            .into());
        }
        let Some(compute) = &ready.compute else {
            return Ok(());
        };
        let threads = started.threads.map(|threads| threads.to_string());
        let compared = [
            ("threads", threads, compute.threads.to_string()),
            ("device", started.device.clone(), compute.device.clone()),
            (
                "libtorch",
                started.libtorch.clone(),
                compute.libtorch.clone(),
            ),
        ];
        let differing = compared
            .into_iter()
            .filter_map(|(what, then, now)| Some((what, then?, now)))
            .filter(|(_, then, now)| then != now);
        for (what, then, now) in differing {
            let text = format!(
                "{what}: {now} where the run was begun with {then}; children trained from here on can differ in the last digits \
                 from an uninterrupted run's"
            );
            self.recorder.notice(Level::Warning, text)?;
        }
        Ok(())
    }

    /// Note how it ended, write the summary.
    pub(super) fn finish(mut self, ending: Result<(), Halt>) -> Result<Summary, SearchError> {
        let (reason, error) = match ending {
            Ok(()) => (FinishReason::Completed, None),
            Err(Halt::Stopped) => (FinishReason::Stopped, None),
            Err(Halt::Failed(error)) => (FinishReason::Failed, Some(error)),
        };
        let farewell = self.say_farewell(reason, error.as_ref());
        match error {
            // The first error is the one to mend; a full disk makes the farewell fail as well.
            Some(error) => Err(error),
            None => farewell
                .map(|()| self.recorder.ledger.tally.summary())
                .map_err(SearchError::from),
        }
    }

    fn say_farewell(
        &mut self,
        reason: FinishReason,
        error: Option<&SearchError>,
    ) -> io::Result<()> {
        if let Some(error) = error {
            self.recorder.notice(Level::Error, error.to_string())?;
        }
        let ledger = &self.recorder.ledger;
        let wall_seconds = ledger.tally.clock().seconds_until(jiff::Timestamp::now());
        let children = ledger.children_ended();
        self.recorder.tell(Event::RunFinished {
            reason,
            children,
            epochs: None,
            wall_seconds,
        })?;
        let json = self.recorder.ledger.tally.summary().to_json()?;
        self.directory.write_summary(&json)
    }
}

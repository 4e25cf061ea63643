//! The start of a session: take over the run, wait for the workers.

use super::Engine;
use crate::config::Config;
use crate::evaluate::{Ready, Report};
use crate::event::{DataDescription, Event, Level, RunStarted};
use crate::foundation::host::host_name;
use crate::journal::JournalError;
use crate::link::Command;
use crate::search::SearchError;
use crate::search::checkpoint::Checkpoint;
use crate::search::inbox::Message;
use crate::search::reference::reference;
use crate::session::Halt;
use crate::space::{Space, SpaceError};

impl Engine<'_> {
    /// Record that this process takes over, and complete what the last one did but could not
    /// record.
    pub(super) fn resume_run(&mut self, checkpoint: Option<&Checkpoint>) -> Result<(), Halt> {
        let next_child = checkpoint.map_or(1, |checkpoint| checkpoint.next_child);
        self.run.resumed(Some(next_child), None)?;
        if let Some(checkpoint) = checkpoint.filter(|saved| {
            self.run
                .ledger()
                .checkpointed
                .is_none_or(|last| last < saved.episode)
        }) {
            self.run.tell(Event::CheckpointSaved {
                episode: checkpoint.episode,
                next_child,
            })?;
        }
        match self.run.ledger().best() {
            Some(best) => Ok(self.run.directory.write_best(best)?),
            None => Ok(()),
        }
    }

    /// Wait until the workers have checked their data. Notices are passed on at once: measuring a
    /// GPU takes a while, and users must know what they are waiting for. Other messages are held
    /// until `run_started` has been written, except that a stop is obeyed and an error ends the
    /// wait.
    pub(super) fn await_workers(&mut self) -> Result<(Ready, Vec<Message>), Halt> {
        let mut held = Vec::new();
        loop {
            match self.inbox.wait() {
                Message::Report(Report::Ready(ready)) => return Ok((ready, held)),
                Message::Report(Report::Fatal { message }) => {
                    return Err(SearchError::Unusable(message).into());
                }
                Message::Command(Command::Stop) => {
                    return Err(self.run.stop());
                }
                // Once a message is held back, later ones must not overtake it.
                Message::Report(Report::Log { level, message }) if held.is_empty() => {
                    self.run.notice(level, message)?
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

    /// Record that the run begins, or what has changed since; then the notices.
    pub(super) fn open(&mut self, ready: &Ready, space: &Space) -> Result<(), Halt> {
        if self.run.ledger().started.is_none() {
            let started = self.run_started(ready, space)?;
            self.run.tell(Event::RunStarted(started))?;
            self.tell_of_reference()?;
            self.tell_of_controls()?;
        } else {
            self.run.check_data(&ready.data)?;
            if let Some(compute) = &ready.compute {
                self.run
                    .compare_machine(compute.threads, &compute.device, &compute.libtorch)?;
            }
        }
        Ok(self.run.tell_notices()?)
    }

    pub(super) fn space(&self, ready: &Ready) -> Result<Space, SpaceError> {
        let DataDescription { input, classes, .. } = &ready.data;
        let space = Space::new(&self.run.config.space, *input, classes.len())?;
        let search = &self.run.config.search;
        space.check_depth(search.depth(1))?;
        space.check_depth(search.depth(search.children()))?;
        Ok(space)
    }

    /// The event for the start of this run.
    ///
    /// # Errors
    /// If the reference run cannot be read.
    fn run_started(&self, ready: &Ready, space: &Space) -> Result<RunStarted, JournalError> {
        let Config {
            preset,
            search,
            child,
            reward,
            ..
        } = &self.run.config;
        let mut started = RunStarted {
            run: self.run.directory.name(),
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
            controls: search.controls() as usize,
            child_epochs: child.epochs,
            child_batch_size: Some(child.batch_size),
            reward_power: reward.power,
            reward_last_epochs: reward.last_epochs,
            workers: ready.workers,
            threads: ready.compute.as_ref().map(|compute| compute.threads),
            device: ready.compute.as_ref().map(|compute| compute.device.clone()),
            data: ready.data.clone(),
            heads: space.heads().to_vec(),
            decode: self.run.config.space.decode,
            reference: None,
        };
        if let Some(run) = &search.reference {
            started.reference = Some(Box::new(reference(run, &started, &self.run.config)?));
        }
        Ok(started)
    }

    /// Tell the user if the run cannot be compared with its reference.
    fn tell_of_reference(&mut self) -> Result<(), Halt> {
        let reference = self
            .run
            .ledger()
            .started
            .as_ref()
            .and_then(|started| started.reference.as_deref());
        let Some((run, reason)) = reference
            .and_then(|reference| Some((&reference.run, reference.not_comparable.as_ref()?)))
        else {
            return Ok(());
        };
        let text = format!("this run cannot be compared with {run} (search.reference): {reason}");
        Ok(self.run.notice(Level::Warning, text)?)
    }

    /// Say so where controls were asked for that would show nothing.
    fn tell_of_controls(&mut self) -> Result<(), Halt> {
        let search = &self.run.config.search;
        if search.controls() as usize == search.controls_per_episode {
            return Ok(());
        }
        let text = format!(
            "search.controls = {} is ignored: every child of the strategy random is drawn as a control would be",
            search.controls_per_episode
        );
        Ok(self.run.notice(Level::Info, text)?)
    }
}

//! User commands during a search: pause, stop, skip a child, train an edited one, note something on one.

use std::fmt::Display;

use super::{Crew, Effort, Halt, SearchEngine};
use crate::config::MOST_LAYERS;
use crate::event::{ChildQueued, Event, checked_note};
use crate::link::{Client, Command, Order};
use crate::search::episode::Child;
use crate::search::ledger::Ended;
use crate::session::Instruction;
use crate::space::{Dna, SpaceError};
use crate::strategy::{Origin, Proposal};

/// Maximum number of edited networks that wait for their training.
const MOST_EDITED: usize = 256;

impl SearchEngine<'_> {
    pub(super) fn obey(&mut self, order: Order, crew: &mut Crew) -> Result<(), Halt> {
        let Order { command, client } = order;
        match self.run.take(command)? {
            None => {}
            Some(Instruction::StandStill(number)) => crew.evaluator.pause(number),
            Some(Instruction::GoOn) => crew.evaluator.resume(),
            Some(Instruction::Own(command)) => self.obey_own(command, &client, crew)?,
        }
        Ok(())
    }

    /// Pause as long as nothing can be saved.
    pub(super) fn look_after(&mut self, crew: &mut Crew) -> Result<(), Halt> {
        match self.run.look_after()? {
            Some(Instruction::StandStill(number)) => crew.evaluator.pause(number),
            Some(Instruction::GoOn) => crew.evaluator.resume(),
            Some(Instruction::Own(_)) | None => {}
        }
        self.confirm_intended(crew);
        Ok(())
    }

    fn obey_own(&mut self, command: Command, client: &Client, crew: &mut Crew) -> Result<(), Halt> {
        match command {
            Command::StopAfterEpisode => self.stop_after_episode(true),
            Command::GoOnAfterEpisode => self.stop_after_episode(false),
            Command::Skip { child } => self.skip(child, client, crew),
            Command::Train { parent, dna } => self.queue_edited(parent, dna, client, crew),
            Command::Note { child, text } => self.note(child, &text, client),
            // The session handles what all runs have in common.
            Command::Pause | Command::Resume | Command::Stop | Command::Speed { .. } => Ok(()),
        }
    }

    fn stop_after_episode(&mut self, stop: bool) -> Result<(), Halt> {
        if self.stops_after_episode != stop {
            self.stops_after_episode = stop;
            self.run.tell(if stop {
                Event::EpisodeStopRequested
            } else {
                Event::EpisodeStopWithdrawn
            })?;
        }
        Ok(())
    }

    fn skip(&mut self, child: u64, client: &Client, crew: &mut Crew) -> Result<(), Halt> {
        if !self.submitted.contains(&child) {
            client.refuse(format!(
                "child {child} is neither in training nor waiting: there is nothing to skip"
            ));
            return Ok(());
        }
        if !self.run.ledger().is_skipped(child) {
            self.run.tell(Event::SkipRequested { child })?;
            crew.evaluator.skip(child);
        }
        Ok(())
    }

    /// Record a note on a child, on which nothing depends.
    fn note(&mut self, child: u64, text: &str, client: &Client) -> Result<(), Halt> {
        let ledger = self.run.ledger();
        let before = ledger.note(child).unwrap_or_default();
        let problem = match checked_note(text) {
            Err(error) => error.to_string(),
            Ok(_) if ledger.dna(child).is_none() && !ledger.is_edited(child) => {
                format!("there is no child {child}")
            }
            Ok("") if before.is_empty() => format!("child {child} has no note"),
            Ok(text) if text == before => format!("child {child} has this note already"),
            Ok(text) => {
                let text = text.to_owned();
                return Ok(self.run.tell(Event::ChildNoted { child, text })?);
            }
        };
        client.refuse(problem);
        Ok(())
    }

    /// Accept a network that a user has edited for training, or tell why it cannot be trained.
    fn queue_edited(
        &mut self,
        parent: u64,
        dna: Dna,
        client: &Client,
        crew: &mut Crew,
    ) -> Result<(), Halt> {
        let refuse = |why: &dyn Display| {
            client.refuse(format!(
                "the network edited from child {parent} cannot be trained: {why}"
            ));
        };
        let ledger = &self.run.ledger();
        if ledger.dna(parent).is_none() && !ledger.is_edited(parent) {
            refuse(&format_args!("there is no child {parent}"));
            return Ok(());
        }
        // Building an endless network would hold up the search.
        let layers = dna.0.len();
        if layers as i64 > MOST_LAYERS {
            refuse(&format_args!(
                "it has {layers} layers, and a child at most {MOST_LAYERS}"
            ));
            return Ok(());
        }
        if ledger.queued().count() >= MOST_EDITED {
            refuse(&format_args!(
                "{MOST_EDITED} edited networks are waiting already"
            ));
            return Ok(());
        }
        // Numbered after all children and controls of the search, which must not depend on users'
        // actions.
        let child = self.run.config.search.numbered() + ledger.edited() + 1;
        let episode = ledger.episode_started.max(1);
        match edited(child, episode, parent, dna, crew) {
            Ok(queued) => {
                self.run.tell(Event::ChildQueued(queued.clone()))?;
                self.submit(&Child::from(queued), crew);
            }
            Err(error) => refuse(&error),
        }
        Ok(())
    }

    /// Submit the edited children that an earlier session did not get to.
    pub(super) fn submit_queued(&mut self, crew: &mut Crew) {
        let queued: Vec<ChildQueued> = self.run.ledger().queued().cloned().collect();
        queued
            .into_iter()
            .for_each(|queued| self.submit(&Child::from(queued), crew));
    }

    /// Record the end of an edited child, which has no other consequences.
    pub(super) fn end_edited(
        &mut self,
        queued: ChildQueued,
        ended: Ended,
        effort: Effort,
    ) -> Result<(), Halt> {
        let event = self.end_of(&Child::from(queued), ended, effort);
        Ok(self.run.tell(event)?)
    }

    /// After the last episode: wait for the edited children, unless the run is to stop. A resume
    /// trains the rest.
    pub(super) fn finish_edited(&mut self, crew: &mut Crew) -> Result<(), Halt> {
        while self.run.ledger().queued().next().is_some() || !self.run.is_running() {
            if self.stops_after_episode {
                return Err(Halt::Stopped);
            }
            self.listen(crew)?;
            self.look_after(crew)?;
        }
        Ok(())
    }
}

fn edited(
    child: u64,
    episode: usize,
    parent: u64,
    dna: Dna,
    crew: &Crew,
) -> Result<ChildQueued, SpaceError> {
    let origin = Origin::Mutated { parent };
    let child = Child::new(child, episode, Proposal { dna, origin }, &crew.space)?;
    Ok(ChildQueued {
        child: child.number,
        episode,
        parent,
        dna: child.proposal.dna,
        design: child.design,
        params: child.params,
        macs: child.macs,
    })
}

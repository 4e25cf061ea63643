//! User commands during a search: pause, stop, skip a child, train an edited one.

use super::{Crew, Effort, Engine, Halt, Pace};
use crate::event::{ChildFinished, ChildQueued, Event, Level};
use crate::link::Command;
use crate::search::ledger::Ended;
use crate::space::{Dna, SpaceError};

impl Engine<'_> {
    pub(super) fn obey(&mut self, command: Command, crew: &mut Crew) -> Result<(), Halt> {
        match (command, self.pace) {
            (Command::Pause, Pace::Running) => {
                self.run.tell(Event::PauseRequested)?;
                self.pace = Pace::Pausing;
                self.pauses += 1;
                crew.evaluator.pause(self.pauses);
            }
            (Command::Resume, Pace::Pausing | Pace::Paused) => {
                crew.evaluator.resume();
                self.pace = Pace::Running;
                self.run.tell(Event::Resumed)?;
            }
            (Command::Stop, _) => {
                return Err(self.run.stop());
            }
            (Command::StopAfterEpisode, _) => self.stop_after_episode(true)?,
            (Command::GoOnAfterEpisode, _) => self.stop_after_episode(false)?,
            (Command::Skip { child }, _) => self.skip(child, crew)?,
            (Command::Train { parent, dna }, _) => self.queue_edited(parent, dna, crew)?,
            // Already requested, or only for a replay.
            (Command::Pause | Command::Resume | Command::Speed { .. }, _) => {}
        }
        Ok(())
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

    fn skip(&mut self, child: u64, crew: &mut Crew) -> Result<(), Halt> {
        if !self.submitted.contains(&child) {
            let text = format!(
                "child {child} is neither in training nor waiting: there is nothing to skip"
            );
            return Ok(self.run.notice(Level::Warning, text)?);
        }
        if !self.run.ledger().is_skipped(child) {
            self.run.tell(Event::SkipRequested { child })?;
            crew.evaluator.skip(child);
        }
        Ok(())
    }

    /// Whether a user ended the child before its last epoch.
    pub(super) fn was_cut_short(&self, child: u64, valid_accuracies: &[f64]) -> bool {
        self.run.ledger().is_skipped(child) && valid_accuracies.len() < self.run.config.child.epochs
    }

    /// Accept a network that a user has edited for training, or tell why it cannot be trained.
    fn queue_edited(&mut self, parent: u64, dna: Dna, crew: &mut Crew) -> Result<(), Halt> {
        let ledger = &self.run.ledger();
        if ledger.dna(parent).is_none() && !ledger.is_edited(parent) {
            let text = format!(
                "a network edited from child {parent} cannot be trained: there is no child {parent}"
            );
            return Ok(self.run.notice(Level::Warning, text)?);
        }
        // Numbered after all children and controls of the search, which must not depend on users'
        // actions.
        let child = self.run.config.search.numbered() + ledger.edited() + 1;
        let episode = ledger.episode_started.max(1);
        match edited(child, episode, parent, dna, crew) {
            Ok(queued) => {
                self.run.tell(Event::ChildQueued(queued.clone()))?;
                self.submit(child, &queued.design, crew);
            }
            Err(error) => {
                let text =
                    format!("the network edited from child {parent} cannot be trained: {error}");
                self.run.notice(Level::Warning, text)?;
            }
        }
        Ok(())
    }

    /// Submit the edited children that an earlier session did not get to.
    pub(super) fn submit_queued(&mut self, crew: &mut Crew) {
        let queued: Vec<ChildQueued> = self.run.ledger().queued().cloned().collect();
        queued
            .iter()
            .for_each(|queued| self.submit(queued.child, &queued.design, crew));
    }

    /// Record the end of an edited child, which has no other consequences.
    pub(super) fn end_edited(
        &mut self,
        queued: ChildQueued,
        ended: Ended,
        effort: Effort,
    ) -> Result<(), Halt> {
        let Effort { seconds, energy_wh } = effort;
        let ChildQueued {
            child,
            episode,
            dna,
            params,
            macs,
            ..
        } = queued;
        Ok(self.run.tell(match ended {
            Ended::Failed { reason, reward } => Event::ChildFailed {
                child,
                episode,
                reason,
                reward,
                seconds,
                control: false,
            },
            Ended::Excluded { reason } => Event::ChildExcluded {
                child,
                episode,
                reason,
                seconds,
                control: false,
            },
            Ended::Trained {
                accuracy,
                reward,
                valid_accuracies,
                test_accuracy,
            } => Event::ChildFinished(ChildFinished {
                child,
                episode,
                dna,
                accuracy,
                reward,
                params,
                macs,
                seconds,
                repeat_of: None,
                skipped: self.was_cut_short(child, &valid_accuracies),
                control: false,
                valid_accuracies,
                energy_wh,
                test_accuracy,
            }),
        })?)
    }

    /// After the last episode: wait for the edited children, unless the run is to stop. A resume
    /// trains the rest.
    pub(super) fn finish_edited(&mut self, crew: &mut Crew) -> Result<(), Halt> {
        while self.run.ledger().queued().next().is_some() || self.pace != Pace::Running {
            if self.stops_after_episode {
                return Err(Halt::Stopped);
            }
            let message = self.inbox.wait();
            self.hear(message, crew, &mut [])?;
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
    let design = crew.space.decode(&dna, &format!("child-{child}"))?;
    let (params, macs) = crew.space.size(&dna, &design)?;
    Ok(ChildQueued {
        child,
        episode,
        parent,
        dna,
        design,
        params,
        macs,
    })
}

//! User commands during a training: pause, resume, stop.

use super::{EngineState, TrainingEngine};
use crate::event::Level;
use crate::link::Command;
use crate::session::{Halt, Instruction};
use crate::train::{Fit, TrainError, synchronize};

impl TrainingEngine<'_> {
    /// Obey commands between two batches. Returns when the next batch may start.
    pub(super) fn obey(&mut self, fit: &Fit, progress: &mut EngineState) -> Result<(), Halt> {
        loop {
            let command = if self.run.is_running() {
                self.commands.try_recv().ok()
            } else {
                // The channel stays open because the recorder's own hub can send commands.
                let next = || self.commands.blocking_recv().or(Some(Command::Stop));
                progress.epoch.stand_still(next)
            };
            let Some(command) = command else {
                return Ok(());
            };
            match self.run.take(command)? {
                Some(Instruction::StandStill(number)) => {
                    progress.epoch.settle()?;
                    // Validation may be in progress, which the epoch does not know about.
                    synchronize(fit.device()).map_err(TrainError::from)?;
                    self.run.stands_still(number)?;
                }
                Some(Instruction::Own(command)) => self.refuse(&command)?,
                Some(Instruction::GoOn) | None => {}
            }
        }
    }

    /// Stop, if a client asked for it before there was anything to save.
    pub(super) fn stop_if_asked(&mut self) -> Result<(), Halt> {
        while let Ok(command) = self.commands.try_recv() {
            if command == Command::Stop {
                self.run.take(command)?;
            }
        }
        Ok(())
    }

    fn refuse(&mut self, command: &Command) -> Result<(), Halt> {
        let what = match command {
            Command::Skip { .. } => "skip a child",
            Command::StopAfterEpisode | Command::GoOnAfterEpisode => "stop after an episode",
            Command::Train { .. } => "train an edited child",
            // The session handles what all runs have in common.
            Command::Pause | Command::Resume | Command::Stop | Command::Speed { .. } => {
                return Ok(());
            }
        };
        Ok(self.run.notice(
            Level::Warning,
            format!("this run trains one network: it cannot {what}"),
        )?)
    }
}

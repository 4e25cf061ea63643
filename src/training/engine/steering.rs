//! User commands during a training: pause, resume, stop.

use std::time::{Duration, Instant};

use super::{EngineState, TrainingEngine};
use crate::event::Level;
use crate::link::Command;
use crate::session::{Halt, Instruction};
use crate::train::{Fit, TrainError, synchronize};

impl TrainingEngine<'_> {
    /// Obey commands between two batches of an epoch or of its validation. Returns when the next
    /// batch may start.
    pub(super) fn obey(&mut self, fit: &Fit, progress: &mut EngineState) -> Result<(), Halt> {
        let epoch = &mut progress.epoch;
        let mut stood_still = Duration::ZERO;
        let obeyed = self.obey_between(fit.device(), &mut stood_still, || epoch.settle());
        epoch.stood_still(stood_still);
        obeyed
    }

    /// Obey commands between two batches of any kind on `device`. Before a pause is reported, `settle`
    /// ends what is in progress. The time of pauses is added to `stood_still`.
    pub(super) fn obey_between(
        &mut self,
        device: tch::Device,
        stood_still: &mut Duration,
        mut settle: impl FnMut() -> Result<(), TrainError>,
    ) -> Result<(), Halt> {
        loop {
            let command = if self.run.is_running() {
                self.commands.try_recv().ok()
            } else {
                let before = Instant::now();
                // The channel stays open because the recorder's own hub can send commands.
                let next = self.commands.blocking_recv().or(Some(Command::Stop));
                *stood_still += before.elapsed();
                next
            };
            let Some(command) = command else {
                return Ok(());
            };
            match self.run.take(command)? {
                Some(Instruction::StandStill(number)) => {
                    settle()?;
                    // Batches may be in progress that the epoch does not know about.
                    synchronize(device).map_err(TrainError::from)?;
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

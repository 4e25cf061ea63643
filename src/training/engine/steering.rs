//! User commands during a training: pause, resume, stop.

use super::{Engine, Progress};
use crate::event::{Event, Level};
use crate::link::Command;
use crate::session::Halt;
use crate::train::{Fit, TrainError, synchronize};

impl Engine<'_> {
    /// Obey commands between two batches. Returns when the next batch may start.
    pub(super) fn obey(&mut self, fit: &Fit, progress: &mut Progress) -> Result<(), Halt> {
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Pause => self.stand_still(fit, progress)?,
                Command::Stop => return self.stop(fit, progress),
                other => self.refuse(&other)?,
            }
        }
        Ok(())
    }

    /// Stop, if a client asked for it before there was anything to save.
    pub(super) fn stop_if_asked(&mut self) -> Result<(), Halt> {
        while let Ok(command) = self.commands.try_recv() {
            if command == Command::Stop {
                return Err(self.run.stop());
            }
        }
        Ok(())
    }

    /// Wait until a client resumes the training.
    fn stand_still(&mut self, fit: &Fit, progress: &mut Progress) -> Result<(), Halt> {
        self.run.tell(Event::PauseRequested)?;
        progress.epoch.settle()?;
        // Validation may be in progress, which the epoch does not know about.
        synchronize(fit.device()).map_err(TrainError::from)?;
        self.run.tell(Event::Paused)?;
        loop {
            // The channel stays open because the recorder's own hub can send commands.
            match progress.epoch.stand_still(|| self.commands.blocking_recv()) {
                Some(Command::Resume) => return Ok(self.run.tell(Event::Resumed)?),
                Some(Command::Stop) | None => return self.stop(fit, progress),
                Some(Command::Pause) => {}
                Some(other) => self.refuse(&other)?,
            }
        }
    }

    fn stop(&mut self, fit: &Fit, progress: &mut Progress) -> Result<(), Halt> {
        self.run.tell(Event::StopRequested)?;
        self.save_within(fit, progress)?;
        Err(Halt::Stopped)
    }

    fn refuse(&mut self, command: &Command) -> Result<(), Halt> {
        let what = match command {
            Command::Skip { .. } => "skip a child",
            Command::StopAfterEpisode | Command::GoOnAfterEpisode => "stop after an episode",
            Command::Train { .. } => "train an edited child",
            Command::Speed { .. } => "change the speed of a replay",
            Command::Pause | Command::Resume | Command::Stop => return Ok(()),
        };
        Ok(self.run.notice(
            Level::Warning,
            format!("this run trains one network: it cannot {what}"),
        )?)
    }
}

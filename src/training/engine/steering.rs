//! What users ask of a training while it runs: pause, go on, stop.

use tokio::sync::mpsc::UnboundedReceiver;

use super::{Engine, Halt, Progress};
use crate::event::{Event, Level};
use crate::link::Command;
use crate::train::{Epoch, Fit, TrainError, synchronize};

/// What clients have commanded.
pub(super) struct Inbox(UnboundedReceiver<Command>);

impl Inbox {
    pub fn new(commands: UnboundedReceiver<Command>) -> Inbox {
        Inbox(commands)
    }

    /// The next command that is there already.
    pub fn poll(&mut self) -> Option<Command> {
        self.0.try_recv().ok()
    }
}

impl Engine {
    /// Do what clients ask for, between two batches. Returns when the next batch may start.
    pub(super) fn obey(
        &mut self,
        fit: &Fit,
        progress: &mut Progress,
        epoch: &mut Epoch,
        seconds: f64,
    ) -> Result<(), Halt> {
        while let Some(command) = self.inbox.poll() {
            match command {
                Command::Pause => self.stand_still(fit, progress, epoch, seconds)?,
                Command::Stop => return self.stop(fit, progress, epoch, seconds),
                other => self.refuse(&other)?,
            }
        }
        Ok(())
    }

    /// Whether a client said stop while there was nothing to be saved yet.
    pub(super) fn is_stopped(&mut self) -> Result<bool, Halt> {
        while let Some(command) = self.inbox.poll() {
            if command == Command::Stop {
                self.recorder.tell(Event::StopRequested)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Wait until a client says that the training may go on.
    fn stand_still(
        &mut self,
        fit: &Fit,
        progress: &mut Progress,
        epoch: &mut Epoch,
        seconds: f64,
    ) -> Result<(), Halt> {
        self.recorder.tell(Event::PauseRequested)?;
        epoch.settle().map_err(super::TrainingError::from)?;
        // Validation may be under way, which the epoch knows nothing of.
        synchronize(fit.device())
            .map_err(TrainError::from)
            .map_err(super::TrainingError::from)?;
        self.recorder.tell(Event::Paused)?;
        loop {
            // Whoever could send a command keeps the channel open: the recorder's own hub.
            match epoch.stand_still(|| self.inbox.0.blocking_recv()) {
                Some(Command::Resume) => return Ok(self.recorder.tell(Event::Resumed)?),
                Some(Command::Stop) | None => return self.stop(fit, progress, epoch, seconds),
                Some(Command::Pause) => {}
                Some(other) => self.refuse(&other)?,
            }
        }
    }

    fn stop(
        &mut self,
        fit: &Fit,
        progress: &mut Progress,
        epoch: &mut Epoch,
        seconds: f64,
    ) -> Result<(), Halt> {
        self.recorder.tell(Event::StopRequested)?;
        self.save_within(fit, progress, epoch, seconds)?;
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
        Ok(self.recorder.notice(
            Level::Warning,
            format!("this run trains one network: there is no way to {what}"),
        )?)
    }
}

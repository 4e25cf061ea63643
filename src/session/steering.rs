//! What clients ask of any run: to pause, to go on, to stop. The events that tell of it are written
//! here and nowhere else.

use std::io;

use super::error::Halt;
use super::run::Run;
use super::work::Work;
use crate::event::Event;
use crate::link::Command;
use crate::state::RunStatus;

/// What a command leaves for the work to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Instruction {
    /// Stand still where it can, and say so: [`Run::stands_still`], with this number.
    StandStill(u64),
    /// Go on after a pause.
    GoOn,
    /// A command of this kind of work alone.
    Own(Command),
}

impl<W: Work> Run<W> {
    /// Whether the work is to go on: no pause has been asked for, or it is over.
    pub fn is_running(&self) -> bool {
        self.recorder.status() == RunStatus::Running
    }

    /// Take a client's command: what remains for the work to do; nothing if it was asked for
    /// already, or only a replay can do it.
    ///
    /// # Errors
    /// [`Halt::Stopped`] if the client says stop; or if the journal cannot be written.
    pub fn take(&mut self, command: Command) -> Result<Option<Instruction>, Halt> {
        match (command, self.recorder.status()) {
            (Command::Stop, _) => {
                self.tell(Event::StopRequested)?;
                Err(Halt::Stopped)
            }
            (Command::Pause, RunStatus::Running) => {
                self.tell(Event::PauseRequested)?;
                self.pauses += 1;
                Ok(Some(Instruction::StandStill(self.pauses)))
            }
            (Command::Resume, RunStatus::Pausing | RunStatus::Paused) => {
                self.tell(Event::Resumed)?;
                Ok(Some(Instruction::GoOn))
            }
            (Command::Pause | Command::Resume | Command::Speed { .. }, _) => Ok(None),
            (own, _) => Ok(Some(Instruction::Own(own))),
        }
    }

    /// Note that the work stands still, as the order of this number asked. An answer to an earlier
    /// order, which was taken back, says nothing of this one.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn stands_still(&mut self, number: u64) -> io::Result<()> {
        if self.recorder.status() == RunStatus::Pausing && number == self.pauses {
            self.tell(Event::Paused)
        } else {
            Ok(())
        }
    }
}

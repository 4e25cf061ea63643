//! Commands of clients that every run accepts: pause, resume and stop. The events that report them
//! are written only here.

use std::io;

use super::error::Halt;
use super::run::Run;
use super::work::Work;
use crate::event::Event;
use crate::link::Command;
use crate::state::RunStatus;

/// What remains to be done by the work after a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Instruction {
    /// Pause at the next opportunity and report it with [`Run::stands_still`] and this number.
    StandStill(u64),
    /// Continue after a pause.
    GoOn,
    /// A command that only this kind of work accepts.
    Own(Command),
}

impl<W: Work> Run<W> {
    /// Whether the work should continue: no pause has been requested, or it is over.
    pub fn is_running(&self) -> bool {
        self.recorder.status() == RunStatus::Running
    }

    /// Accept a client's command. Returns what remains for the work to do; `None` if it was
    /// requested before, or if only a replay can do it.
    ///
    /// # Errors
    ///
    /// [`Halt::Stopped`] if the client requests a stop; or if the journal cannot be written.
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

    /// Note that the work has paused, as requested with this number. The answer to an earlier
    /// request, which was cancelled, is ignored.
    ///
    /// # Errors
    ///
    /// If the journal cannot be written.
    pub fn stands_still(&mut self, number: u64) -> io::Result<()> {
        if self.recorder.status() == RunStatus::Pausing && number == self.pauses {
            self.tell(Event::Paused)
        } else {
            Ok(())
        }
    }
}

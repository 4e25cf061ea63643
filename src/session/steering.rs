//! Commands of clients that every run accepts: pause, resume and stop. The events that report them
//! are written only here.

use std::io;
use std::time::{Duration, Instant};

use super::error::Halt;
use super::run::{Held, Run};
use super::work::Work;
use crate::event::{Event, Level};
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
        match (&command, self.recorder.status()) {
            (Command::Stop, _) => {
                self.tell(Event::StopRequested)?;
                Err(Halt::Stopped)
            }
            // The work stands still anyhow; this decides whether it stays so afterwards.
            (Command::Pause | Command::Resume, _) if self.held.is_some() => {
                let goes_on = command == Command::Resume;
                self.held.iter_mut().for_each(|held| held.goes_on = goes_on);
                Ok(None)
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
            _ => Ok(Some(Instruction::Own(command))),
        }
    }

    /// Time after which the work must call [`Run::look_after`], whatever it waits for.
    pub fn idle(&self) -> Duration {
        self.recorder.idle()
    }

    /// See to it that the run directory is in place and can be written to; the work calls this between
    /// its steps. If it is not, the work pauses until it is. Returns what the work must do about it.
    ///
    /// # Errors
    /// If an event cannot be recorded at all.
    pub fn look_after(&mut self) -> io::Result<Option<Instruction>> {
        let reason = self.recorder.look_after().map(str::to_owned);
        match (reason, self.held.take()) {
            (Some(reason), None) => self.hold(reason),
            (None, Some(held)) => self.release(&held),
            (_, held) => {
                self.held = held;
                Ok(None)
            }
        }
    }

    fn hold(&mut self, reason: String) -> io::Result<Option<Instruction>> {
        let goes_on = self.is_running();
        self.held = Some(Held {
            since: Instant::now(),
            reason,
            goes_on,
        });
        if !goes_on {
            return Ok(None);
        }
        self.tell(Event::PauseRequested)?;
        self.pauses += 1;
        Ok(Some(Instruction::StandStill(self.pauses)))
    }

    fn release(&mut self, held: &Held) -> io::Result<Option<Instruction>> {
        let text = format!(
            "everything is saved again; for {} s nothing could be saved: {}",
            held.since.elapsed().as_secs(),
            held.reason
        );
        self.notice(Level::Warning, text)?;
        let is_paused = matches!(
            self.recorder.status(),
            RunStatus::Pausing | RunStatus::Paused
        );
        if !(held.goes_on && is_paused) {
            return Ok(None);
        }
        self.tell(Event::Resumed)?;
        Ok(Some(Instruction::GoOn))
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

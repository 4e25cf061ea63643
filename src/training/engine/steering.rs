//! User commands during a training: pause, resume, stop.

use std::time::{Duration, Instant};

use super::{EngineState, TrainingEngine};
use crate::event::{Event, Measuring};
use crate::link::{Client, Command, Order};
use crate::session::{Halt, Instruction};
use crate::train::tick::Ticks;
use crate::train::{Fit, TrainError, synchronize};

/// Number of commands after which the next batch starts, even if there are more.
const MOST_AT_ONCE: usize = 64;

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
        let mut obeyed = 0;
        loop {
            if let Some(Instruction::StandStill(number)) = self.run.look_after()? {
                settle()?;
                synchronize(device).map_err(TrainError::from)?;
                self.run.stands_still(number)?;
            }
            let order = if !self.run.is_running() {
                let before = Instant::now();
                let (next, time) = (self.orders.next(), self.run.idle());
                let next = async { tokio::time::timeout(time, next).await };
                let next = self.runtime.block_on(next);
                *stood_still += before.elapsed();
                match next {
                    Ok(next) => next,
                    Err(_) => continue,
                }
            } else if obeyed < MOST_AT_ONCE {
                self.orders.poll()
            } else {
                self.orders.poll_stop()
            };
            // During a pause there always is one: the recorder's own hub can send commands.
            let Some(Order { command, client }) = order else {
                return Ok(());
            };
            obeyed += 1;
            match self.run.take(command)? {
                Some(Instruction::StandStill(number)) => {
                    settle()?;
                    // Batches may be in progress that the epoch does not know about.
                    synchronize(device).map_err(TrainError::from)?;
                    self.run.stands_still(number)?;
                }
                Some(Instruction::Own(command)) => refuse(&command, &client),
                Some(Instruction::GoOn) | None => {}
            }
        }
    }

    /// Tell clients how far a measurement on `device` has progressed: when it begins, and then as
    /// often as about steps.
    pub(super) fn measuring(
        &mut self,
        measuring: Measuring,
        device: tch::Device,
        ticks: &mut Ticks,
    ) -> Result<(), Halt> {
        if measuring.images == 0 || ticks.is_due() {
            synchronize(device).map_err(TrainError::from)?;
            self.run.tell(Event::Measuring(measuring))?;
            ticks.told();
        }
        Ok(())
    }

    /// Stop, if a client asked for it before there was anything to save.
    pub(super) fn stop_if_asked(&mut self) -> Result<(), Halt> {
        match self.orders.poll_stop() {
            Some(stop) => self.run.take(stop.command).map(drop),
            None => Ok(()),
        }
    }
}

/// Tell a client that only a search can do this.
fn refuse(command: &Command, client: &Client) {
    let what = match command {
        Command::Skip { .. } => "skip a child",
        Command::StopAfterEpisode | Command::GoOnAfterEpisode => "stop after an episode",
        Command::Train { .. } => "train an edited child",
        Command::Note { .. } => "keep a note on a child",
        // The session handles what all runs have in common.
        Command::Pause | Command::Resume | Command::Stop | Command::Speed { .. } => {
            return;
        }
    };
    client.refuse(format!("this run trains one network: it cannot {what}"));
}

//! The watch over the workers: those that talk nonsense or are overdue are stopped.

use std::time::{Duration, Instant};

use super::{Actor, ActorMessage, Flow, Pause};
use crate::config::ChildConfig;
use crate::evaluate::ChildJob;
use crate::evaluate::protocol::FromWorker;
use crate::evaluate::slot::Doing;
use crate::evaluate::validity::{self, Assignment};
use crate::evaluate::watch::BEAT;
use crate::space::Cost;

/// Multiply-accumulates per second on the slowest processor that is believed to train: one core, at
/// 1/20 of its usual speed.
const SLOWEST: f64 = 5e8;

/// The longest time that a batch of this child may honestly take, on the slowest of machines.
pub(super) fn longest_step(job: &ChildJob, config: &ChildConfig) -> Duration {
    let macs = Cost::of(&job.architecture).map_or(0, |cost| cost.macs);
    // Forward, and backward for the layers' inputs and weights.
    let work = 3.0 * macs as f64 * config.batch_size as f64;
    Duration::try_from_secs_f64(work / SLOWEST).unwrap_or(Duration::MAX)
}

impl Actor {
    /// Note that this thread is awake. If it has been absent, nobody is blamed for that.
    pub(super) fn wake(&mut self) {
        let now = Instant::now();
        if self.attention.wake(now).is_some() {
            self.grant();
        }
        if now.duration_since(self.looked) >= BEAT {
            self.looked = now;
            // Behind all messages that have arrived. This thread holds the receiver.
            let _ = self.to_self.send(ActorMessage::Look);
        }
    }

    /// Grant every worker its full time from now on.
    pub(super) fn grant(&mut self) {
        let now = Instant::now();
        let vigils = self
            .workers
            .iter_mut()
            .filter_map(|slot| slot.vigil.as_mut());
        vigils.for_each(|vigil| vigil.grant(now));
    }

    /// Stop the workers that are overdue.
    pub(super) fn look(&mut self) -> Flow {
        let now = Instant::now();
        for worker in 0..self.workers.len() {
            let slot = &self.workers[worker];
            let stands_still =
                self.pause != Pause::Running && slot.paused == Some(self.pause_number);
            let vigil = slot.vigil.as_ref().filter(|_| slot.process.is_some());
            if let Some(overdue) = vigil.and_then(|vigil| vigil.overdue(stands_still, now))
                && self.stop(worker, &overdue.to_string()) == Flow::End
            {
                return Flow::End;
            }
        }
        Flow::Continue
    }

    /// What is wrong with a message of a worker.
    pub(super) fn check(&self, worker: usize, message: &FromWorker) -> Result<(), String> {
        let doing = &self.workers[worker].doing;
        if matches!(message, FromWorker::Ready { .. }) && !matches!(doing, Doing::Starting) {
            return Err("said once more that it is ready".to_owned());
        }
        let task = match doing {
            Doing::Training { task, .. } => Some(task),
            _ => None,
        };
        let assignment = Assignment {
            worker,
            child: task.map(|task| task.job.child),
            epochs: self.settings.child.epochs,
            may_end_early: task.is_some_and(|task| task.skipped || task.job.stop.is_some()),
        };
        validity::check(message, &assignment).map_err(|nonsense| nonsense.to_string())
    }

    /// Note what a message tells about the worker's life and work.
    pub(super) fn note(&mut self, worker: usize, message: &FromWorker) {
        let now = Instant::now();
        let Some(vigil) = &mut self.workers[worker].vigil else {
            return;
        };
        match message {
            FromWorker::Beat { child, steps } => vigil.beat(*child, *steps, now),
            FromWorker::Progress(_) | FromWorker::Epoch(_) => vigil.report(now),
            FromWorker::Ready { .. } | FromWorker::Finished { .. } => {
                vigil.hear(now);
                vigil.rest(now);
            }
            FromWorker::Unusable { .. }
            | FromWorker::Broken { .. }
            | FromWorker::Paused { .. }
            | FromWorker::Log { .. } => vigil.hear(now),
        }
    }
}

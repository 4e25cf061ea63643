//! Workers that die, and their children: what is retried, and what is given up.

use std::time::Instant;

use super::{Actor, Flow};
use crate::evaluate::Report;
use crate::evaluate::placement::Placement;
use crate::evaluate::protocol::Breakdown;
use crate::evaluate::slot::{Doing, Task};
use crate::event::Level;
use crate::foundation::device::Device;
use crate::reward::{Outcome, SKIPPED};
use crate::space;
use crate::telemetry;
use crate::train::memory;

/// Number of times a child is tried before it is given up because its workers died.
const ATTEMPTS: u32 = 2;
/// A worker that dies this many times without completing a child in between is given up.
const FAILURES: u32 = 3;
/// When this many consecutive children are given up the run ends: the children are not to blame.
const LOST_CHILDREN: u32 = 3;
/// A child that needs less than this fraction (1/N) of the available memory cannot exhaust it by
/// itself.
const FAIR_PART: u64 = 8;
/// The end of the reason of a child that found no memory in two processes.
const TWICE: &str = "(in a new process as well)";
/// What a reason contains if the machine failed: its device, or other processes hold its memory. (Texts
/// of [`crate::train::TrainError`].)
const OF_MACHINE: [&str; 2] = ["the device failed", "nothing was allocated"];
/// What the reason of a failure begins with if a library or file of the machine may be broken.
const OF_ITS_FILES: [&str; 2] = ["libtorch failed: ", "a batch could not be prepared: "];

/// Why an outcome may say nothing about the child. On this machine it is all that can be known; another
/// one may train the child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The machine failed.
    Machine,
    /// The machine or the child: its workers died, or found no memory.
    Either,
}

/// Whether an outcome of [`super::Actor`] may say nothing about the child.
pub fn doubt(outcome: &Outcome) -> Option<Doubt> {
    let reason = match outcome {
        Outcome::Excluded { reason } if reason != SKIPPED => reason,
        Outcome::Failed { reason } if reason.ends_with(TWICE) => reason,
        Outcome::Failed { reason }
            if OF_ITS_FILES.iter().any(|words| reason.starts_with(words)) =>
        {
            return Some(Doubt::Machine);
        }
        _ => return None,
    };
    let is_of_machine = OF_MACHINE.iter().any(|words| reason.contains(words));
    Some(if is_of_machine {
        Doubt::Machine
    } else {
        Doubt::Either
    })
}

impl Actor {
    /// The process of a worker has ended by itself.
    pub(super) fn worker_died(&mut self, worker: usize) -> Flow {
        let slot = &mut self.workers[worker];
        let Some(process) = slot.process.take() else {
            return Flow::Continue;
        };
        let ending = process.reap();
        self.worker_lost(worker, ending)
    }

    /// Kill the process of a worker that did something it must not do: the rest of a sentence about
    /// it.
    pub(super) fn stop(&mut self, worker: usize, what: &str) -> Flow {
        let Some(process) = self.workers[worker].process.take() else {
            return Flow::Continue;
        };
        // It is killed when dropped. Should it not die, because the system does not let it, nothing
        // waits for it.
        drop(process);
        self.worker_lost(worker, format!("killed because it {what}"))
    }

    /// Replace a worker's process that is gone. `ending` tells how it ended, unless its own last
    /// words do.
    fn worker_lost(&mut self, worker: usize, ending: String) -> Flow {
        let slot = &mut self.workers[worker];
        let (cause, reason) = match slot.last_words.take() {
            Some((cause, reason)) => (Some(cause), reason),
            None => (None, ending),
        };
        let doing = std::mem::replace(&mut slot.doing, Doing::Starting);
        let was_starting = matches!(doing, Doing::Starting);
        // If the child is too large, that is not counted against its worker.
        slot.failures += u32::from(was_starting || cause != Some(Breakdown::Memory));
        // A worker that reports a failure at its very first start would report it again.
        let is_hopeless = slot.failures >= FAILURES || (cause.is_some() && !slot.has_started);
        if !(is_hopeless && was_starting) {
            (self.report)(Report::WorkerDied {
                worker,
                reason: reason.clone(),
            });
        }
        if let Doing::Training {
            mut task, since, ..
        } = doing
        {
            task.lost_on = Some(self.settings.placement.devices[worker]);
            if self.child_lost(task, since, cause, &reason) == Flow::End {
                return Flow::End;
            }
        }
        if is_hopeless {
            self.give_up(worker, reason)
        } else {
            self.start(worker)
        }
    }

    /// Continue without this worker; the run cannot continue without the last one.
    pub(super) fn give_up(&mut self, worker: usize, reason: String) -> Flow {
        let device = &self.settings.placement.devices[worker];
        let why = match self.workers[worker].has_started {
            // It was reported when it happened.
            true => format!("has died {FAILURES} times without having trained a child in between"),
            false => format!("cannot start: {reason}"),
        };
        let text = format!("worker {worker} ({device}) {why}");
        self.workers[worker].doing = Doing::GivenUp { reason };
        let (all, left) = (
            self.workers.len(),
            self.workers
                .iter()
                .filter(|worker| !worker.is_given_up())
                .count(),
        );
        if left == 0 {
            let message = self.why_nobody_works();
            return self.fatal(message);
        }
        self.log(
            Level::Warning,
            format!("{text}; the run continues with {left} of {all} workers"),
        );
        Flow::Continue
    }

    /// Each reason once, with the workers that gave it if they differ.
    fn why_nobody_works(&self) -> String {
        let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
        for (number, (worker, device)) in self
            .workers
            .iter()
            .zip(&self.settings.placement.devices)
            .enumerate()
        {
            let Doing::GivenUp { reason } = &worker.doing else {
                continue;
            };
            let name = format!("worker {number} ({device})");
            match reasons.iter_mut().find(|(other, _)| other == reason) {
                Some((_, names)) => names.push(name),
                None => reasons.push((reason, vec![name])),
            }
        }
        let remedy = if self.ready {
            ". Resume the run once the cause is fixed"
        } else {
            ""
        };
        match &reasons[..] {
            [(reason, _)] => format!("no worker can train: {reason}{remedy}"),
            several => {
                let each: Vec<String> = several
                    .iter()
                    .map(|(reason, names)| format!("{}: {reason}", names.join(", ")))
                    .collect();
                format!("no worker can train: {}{remedy}", each.join("; "))
            }
        }
    }

    /// Retry the child of a dead worker before all others; give it up the second time.
    fn child_lost(
        &mut self,
        task: Task,
        since: Instant,
        cause: Option<Breakdown>,
        reason: &str,
    ) -> Flow {
        let (child, seconds) = (task.job.child, since.elapsed().as_secs_f64());
        if task.skipped {
            self.exclude(child, SKIPPED.to_owned(), seconds);
        } else if task.attempt < ATTEMPTS {
            (self.report)(Report::Retried {
                child,
                reason: reason.to_owned(),
            });
            self.queue.push_front(Task {
                attempt: task.attempt + 1,
                ..task
            });
        } else if cause == Some(Breakdown::Memory) && self.needs_much(&task) {
            // In a process that kept nothing else, this is the child's own need.
            let outcome = Outcome::Failed {
                reason: format!("{reason} {TWICE}"),
            };
            self.end(child, outcome, seconds);
        } else if self.lost_children + 1 >= LOST_CHILDREN {
            return self.fatal(format!(
                "{LOST_CHILDREN} children in a row have each lost {ATTEMPTS} workers, the last one thus: {reason}. Resume the run \
                 once the cause is fixed"
            ));
        } else {
            self.lost_children += 1;
            self.exclude(
                child,
                format!("its worker died {ATTEMPTS} times: {reason}"),
                seconds,
            );
        }
        Flow::Continue
    }

    /// Whether the child needs a substantial part of its worker's memory, so that running out may
    /// be its own fault. A small child that finds no memory is a victim of whatever else is using
    /// it.
    fn needs_much(&self, task: &Task) -> bool {
        let Placement { devices, threads } = &self.settings.placement;
        let device = task.lost_on.unwrap_or(Device::Cpu);
        let sharing = devices
            .iter()
            .filter(|other| **other == device)
            .count()
            .max(1) as u64;
        let part = match device {
            Device::Cpu => Some(memory::fair_share(*threads as u64)),
            Device::Cuda(number) => {
                telemetry::cuda::total_memory(number).map(|total| total / sharing)
            }
        };
        let need = space::training_memory(
            &task.job.architecture,
            self.settings.child.batch_size,
            device,
        )
        .unwrap_or(u64::MAX);
        // The estimate leaves out what libtorch and cuDNN need for themselves. If the device's
        // memory is unknown, only a child that completed its training proves that there is some.
        part.map_or(self.has_trained, |part| need >= part / FAIR_PART)
    }

    /// End the child without anything to learn from it.
    pub(super) fn exclude(&self, child: u64, reason: String, seconds: f64) {
        self.end(child, Outcome::Excluded { reason }, seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DataError;
    use crate::train::TrainError;

    fn excluded(reason: &str) -> Option<Doubt> {
        doubt(&Outcome::Excluded {
            reason: reason.to_owned(),
        })
    }

    fn failed(reason: &str) -> Option<Doubt> {
        doubt(&Outcome::Failed {
            reason: reason.to_owned(),
        })
    }

    #[test]
    fn what_a_child_did_itself_or_a_user_wanted_is_beyond_doubt() {
        let diverged = TrainError::Diverged {
            epoch: 1,
            batch: 2,
            loss: f64::NAN,
        };
        let too_large = TrainError::Memory {
            needed: 1 << 50,
            available: 1 << 30,
        };
        assert_eq!(failed(&diverged.to_string()), None);
        assert_eq!(failed(&too_large.to_string()), None);
        assert_eq!(excluded(SKIPPED), None);
        let valid_accuracies = vec![0.5];
        assert_eq!(doubt(&Outcome::Trained { valid_accuracies }), None);
    }

    #[test]
    fn a_device_that_fails_or_memory_that_others_hold_is_the_machines_fault() {
        let lost = TrainError::DeviceLost("CUDA error: uncorrectable ECC error".to_owned());
        let taken = TrainError::Memory {
            needed: 2 << 30,
            available: 1 << 30,
        };
        let twice = |error: &TrainError| format!("its worker died {ATTEMPTS} times: {error}");
        assert_eq!(excluded(&twice(&lost)), Some(Doubt::Machine));
        assert_eq!(excluded(&twice(&taken)), Some(Doubt::Machine));
        assert_eq!(failed(&format!("{taken} {TWICE}")), Some(Doubt::Machine));
    }

    #[test]
    fn libraries_and_images_that_cannot_be_read_may_be_whole_on_another_machine() {
        let library = TrainError::Torch("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED".to_owned());
        let images = TrainError::Data(DataError::Torch("short read".to_owned()));
        for error in [library, images] {
            assert_eq!(failed(&error.to_string()), Some(Doubt::Machine), "{error}");
        }
    }

    #[test]
    fn whose_fault_other_deaths_are_is_not_known() {
        let killed = "its worker died 2 times: killed by SIGKILL";
        assert_eq!(excluded(killed), Some(Doubt::Either));
        let memory = TrainError::OutOfMemory("CUDA out of memory".to_owned());
        assert_eq!(failed(&format!("{memory} {TWICE}")), Some(Doubt::Either));
    }
}

//! What tasks say of themselves.

use serde::{Deserialize, Serialize};

use super::liveness::UNUSABLE;
use super::{Scheduler, TaskId, Training};
use crate::evaluate::Report;
use crate::event::{ChildEpoch, ChildProgress, Level};

/// Who gives a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// The task.
    pub task: TaskId,
    /// Which run of the task, by the name that it gave itself.
    pub attempt: &'a str,
    /// The machine it runs on.
    pub node: &'a str,
    /// Whether an earlier session may have heard it: then it is news only of what the task trains.
    pub is_past: bool,
}

/// A sign of life: a line of an attempt's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "sign", rename_all = "snake_case")]
pub enum Sign {
    /// Nothing but that it lives.
    Alive,
    /// It trains this child now, on this device.
    Started { child: u64, device: String },
    /// It repeats a child in a new process of its own.
    Retried { child: u64, reason: String },
    /// Progress of a child.
    Progress(ChildProgress),
    /// An epoch of a child.
    Epoch(ChildEpoch),
    /// It stands still for the pause with this number.
    Paused { number: u64 },
    /// A line for the run's log.
    Log { level: Level, message: String },
    /// It ends before its children are trained, which it has saved, and asks Slurm to start it again.
    Requeued,
    /// It ends without results for the reason given.
    Ended { reason: String },
    /// Nothing can be trained where it runs.
    Unusable { reason: String },
}

impl Scheduler {
    /// A task has given a sign.
    pub fn sign(&mut self, from: Source<'_>, sign: Sign) {
        let (now, id) = (self.now, from.task);
        let Some(task) = self.task(id).filter(|task| !task.is_over) else {
            return;
        };
        (task.sign, task.has_begun) = (now, true);
        task.is_seen |= !from.is_past;
        // Pauses are counted anew in each session.
        if let Sign::Paused { number } = sign
            && !from.is_past
        {
            task.paused = Some(number);
        }
        if !from.node.is_empty() && task.node.as_deref() != Some(from.node) {
            task.node = Some(from.node.to_owned());
            self.hear_of(from.node);
        }
        match sign {
            Sign::Alive | Sign::Paused { .. } => {}
            Sign::Log { .. } if from.is_past => {}
            Sign::Requeued => self.put_back(id),
            Sign::Started { child, device } => self.started(from, child, device),
            Sign::Retried { child, reason } => {
                if self.trains(from.attempt, child).is_some() {
                    self.stop_training(child);
                    let task = self.name_of(id);
                    let reason = format!("its Slurm task {task} repeats it: {reason}");
                    self.report(Report::Retried { child, reason });
                }
            }
            Sign::Progress(mut progress) => {
                if let Some(slot) = self.trains(from.attempt, progress.child) {
                    progress.worker = slot;
                    self.report(Report::Progress(progress));
                }
            }
            Sign::Epoch(mut epoch) => {
                if let Some(slot) = self.trains(from.attempt, epoch.child) {
                    epoch.worker = slot;
                    self.report(Report::Epoch(epoch));
                }
            }
            Sign::Log { level, message } => {
                let message = format!("task {} on {}: {message}", self.name_of(id), from.node);
                self.log(level, message);
            }
            Sign::Ended { reason } => {
                let reason = format!(
                    "its Slurm task {} on {} ended: {reason}",
                    self.name_of(id),
                    from.node
                );
                self.lose(id, &reason);
            }
            Sign::Unusable { reason } => self.unusable(from, &reason),
        }
    }

    /// The worker's number, if it is this attempt that trains the child.
    fn trains(&self, attempt: &str, child: u64) -> Option<usize> {
        let training = self.children.get(&child)?.training.as_ref()?;
        (training.attempt == attempt).then_some(training.slot)
    }

    /// A task waits in the queue again, and with it the child that it trained.
    pub(super) fn put_back(&mut self, id: TaskId) {
        if let Some(task) = self.task(id) {
            task.has_begun = false;
        }
        let is_its = |training: &Training| training.task == id;
        let children = self.children.iter();
        let children: Vec<u64> = children
            .filter(|(_, known)| known.training.as_ref().is_some_and(is_its))
            .map(|(child, _)| *child)
            .collect();
        let reason = format!(
            "its Slurm task {} waits in the queue again",
            self.name_of(id)
        );
        for child in children {
            self.stop_training(child);
            let reason = reason.clone();
            self.report(Report::Retried { child, reason });
        }
    }

    fn stop_training(&mut self, child: u64) {
        let known = self.children.get_mut(&child);
        if let Some(training) = known.and_then(|known| known.training.take()) {
            self.slots.remove(&training.slot);
        }
    }

    fn started(&mut self, from: Source<'_>, child: u64, device: String) {
        let now = self.now;
        let is_given = self
            .task(from.task)
            .is_some_and(|task| task.children.contains(&child));
        let Some(known) = self.children.get(&child).filter(|_| is_given) else {
            return;
        };
        if known
            .training
            .as_ref()
            .is_some_and(|training| training.attempt == from.attempt)
        {
            return;
        }
        if known.training.is_some() {
            let task = self.name_of(from.task);
            let reason = format!("its Slurm task {task} was started again on {}", from.node);
            self.stop_training(child);
            self.report(Report::Retried { child, reason });
        }
        let slot = (0..).find(|slot| !self.slots.contains(slot)).unwrap_or(0);
        self.slots.insert(slot);
        let Some(known) = self.children.get_mut(&child) else {
            return;
        };
        known.attempts += 1;
        known.training = Some(Training {
            attempt: from.attempt.to_owned(),
            task: from.task,
            slot,
            since: now,
        });
        let attempt = known.attempts;
        let task = self.name_of(from.task);
        self.report(Report::ChildStarted {
            child,
            worker: slot,
            device,
            attempt,
            host: Some(from.node.to_owned()),
            task: Some(task),
        });
    }

    fn unusable(&mut self, from: Source<'_>, reason: &str) {
        let (task, node) = (self.name_of(from.task), from.node);
        let reason = format!("its Slurm task {task} cannot train on {node}: {reason}");
        if !from.is_past {
            self.blame(node);
            self.unusable.insert(node.to_owned());
            if self.unusable.len() >= UNUSABLE && !self.has_begun_besides(from.task) {
                let message = format!(
                    "tasks on {UNUSABLE} nodes in a row could not train, the last one thus: {reason}. Resume the run once the cause is fixed"
                );
                return self.report(Report::Fatal { message });
            }
        }
        self.lose(from.task, &reason);
    }

    /// Whether another task has begun, which may be able to train.
    fn has_begun_besides(&self, id: TaskId) -> bool {
        self.batches.iter().any(|(number, batch)| {
            let mut tasks = batch.tasks.iter().enumerate();
            tasks.any(|(index, task)| {
                task.has_begun && !task.is_over && (*number, index) != (id.batch, id.index)
            })
        })
    }
}

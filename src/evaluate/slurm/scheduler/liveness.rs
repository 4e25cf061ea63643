//! Which tasks live, which are lost, and what becomes of their children.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Action, Scheduler, Task, TaskId};
use crate::evaluate::Report;
use crate::event::Level;

/// A longer time between two ticks means that this process was asleep: it has heard nothing because
/// it was not listening.
const SLEEP: Duration = Duration::from_secs(30);
/// A task that Slurm calls running, silent for this many grace periods (and at least
/// [`LEAST_SILENCE`]), is cancelled.
const SILENT_GRACES: u32 = 10;
const LEAST_SILENCE: Duration = Duration::from_secs(600);
/// Children in a row that are given up before the run ends: the children are not to blame.
const GIVEN_UP: u32 = 3;
/// Tasks in a row that cannot train at all before the run ends.
pub(super) const UNUSABLE: u32 = 5;

/// A task as Slurm lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Slurm's number of the array job.
    pub job: String,
    /// `PENDING`, `RUNNING`, ...
    pub state: String,
    /// Why it waits, in Slurm's words.
    pub reason: String,
}

impl Listed {
    /// Whether Slurm keeps it waiting for ever, because it could not be started.
    fn is_stuck(&self) -> bool {
        let reason = self.reason.to_ascii_lowercase().replace('_', " ");
        self.state == "PENDING"
            && (reason.contains("launch failed") || reason.contains("jobholdmaxrequeue"))
    }

    /// Whether it waits or runs.
    fn is_live(&self) -> bool {
        !self.is_stuck()
            && !matches!(
                self.state.as_str(),
                "BOOT_FAIL"
                    | "CANCELLED"
                    | "COMPLETED"
                    | "DEADLINE"
                    | "FAILED"
                    | "NODE_FAIL"
                    | "OUT_OF_MEMORY"
                    | "PREEMPTED"
                    | "REVOKED"
                    | "TIMEOUT"
            )
    }
}

/// What Slurm answered to the question for all tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing, or nothing that can be relied on.
    Unknown,
    /// The tasks that it knows.
    Tasks(BTreeMap<TaskId, Listed>),
}

impl Task {
    fn is_listed(&mut self, found: &Listed, now: Duration) {
        let runs_now = found.state == "RUNNING" && self.state != "RUNNING";
        // While it is suspended it can say nothing.
        if runs_now || found.state == "SUSPENDED" {
            self.sign = self.sign.max(now);
        }
        // Another run of it may follow.
        self.has_begun &= found.state != "PENDING";
        self.state.clone_from(&found.state);
    }

    /// Whether it has been absent and silent for `grace`, once it is not listed as alive.
    fn is_lost(&mut self, now: Duration, grace: Duration) -> bool {
        let absent = *self.absent.get_or_insert(now);
        now.saturating_sub(absent.max(self.sign)) >= grace
    }
}

impl Scheduler {
    /// Slurm has answered. Lack of an answer changes nothing.
    pub fn answer(&mut self, answer: &Answer) {
        let Answer::Tasks(listed) = answer else {
            return;
        };
        let now = self.now;
        let (mut lost, mut stuck, mut again) = (Vec::new(), Vec::new(), Vec::new());
        for (number, batch) in &mut self.batches {
            if batch.is_being_submitted {
                continue;
            }
            for (index, task) in batch
                .tasks
                .iter_mut()
                .enumerate()
                .filter(|(_, task)| !task.is_over)
            {
                let id = TaskId {
                    batch: *number,
                    index,
                };
                let found = listed.get(&id);
                if let Some(found) = found {
                    batch.job.get_or_insert_with(|| found.job.clone());
                    let had_begun = task.has_begun;
                    task.is_listed(found, now);
                    again.extend((had_begun && !task.has_begun).then_some(id));
                }
                if found.is_some_and(Listed::is_live) {
                    task.absent = None;
                } else if task.is_lost(now, self.rules.grace) {
                    stuck.extend(found.filter(|found| found.is_stuck()).map(|_| id));
                    lost.push(id);
                }
            }
        }
        self.has_accepted |= !listed.is_empty();
        again.into_iter().for_each(|id| self.put_back(id));
        if !stuck.is_empty() {
            self.actions.push(Action::Cancel(stuck));
        }
        for id in lost {
            let state = self
                .task(id)
                .map(|task| task.state.clone())
                .unwrap_or_default();
            let why = match state.as_str() {
                "" | "PENDING" | "RUNNING" => "is no longer known to Slurm".to_owned(),
                state => format!("ended ({state})"),
            };
            self.lose(
                id,
                &format!("its Slurm task {} {why} without a result", self.name_of(id)),
            );
        }
        self.share_out();
    }

    /// `4711_3`, or the batch if Slurm's number is not known.
    pub(super) fn name_of(&self, id: TaskId) -> String {
        match self.job_of(id.batch) {
            Some(job) => format!("{job}_{}", id.index),
            None => format!("{} of batch {}", id.index, id.batch),
        }
    }

    /// Give up a task, and submit its children again.
    pub(super) fn lose(&mut self, id: TaskId, reason: &str) {
        let Some(task) = self.task(id).filter(|task| !task.is_over) else {
            return;
        };
        let children = task.children.clone();
        let mut again = Vec::new();
        for child in children {
            if self.places.get(&child) != Some(&id) {
                continue;
            }
            self.places.remove(&child);
            let Some(known) = self.children.get_mut(&child) else {
                continue;
            };
            known.lost += 1;
            let (lost, is_skipped) = (known.lost, known.skipped.is_some());
            if let Some(training) = known.training.take() {
                self.slots.remove(&training.slot);
            }
            if is_skipped {
                self.exclude_skipped(child);
            } else if lost < self.rules.attempts {
                let reason = reason.to_owned();
                self.report(Report::Retried { child, reason });
                again.push(child);
            } else {
                self.give_up(child, lost, reason);
            }
        }
        again
            .iter()
            .rev()
            .for_each(|child| self.queue.push_front(*child));
        self.end_task(id);
    }

    fn give_up(&mut self, child: u64, lost: u32, reason: &str) {
        self.given_up += 1;
        if self.given_up >= GIVEN_UP {
            let message = format!(
                "{GIVEN_UP} children in a row have each lost {lost} tasks, the last one thus: {reason}. Resume the run once the \
                 cause is fixed"
            );
            return self.report(Report::Fatal { message });
        }
        self.exclude(child, format!("it lost {lost} tasks: {reason}"));
    }

    /// If this process was asleep, every task gets the full time again.
    pub(super) fn notice_sleep(&mut self, now: Duration) {
        if now.saturating_sub(self.now) < SLEEP {
            return;
        }
        for task in self.batches.values_mut().flat_map(|batch| &mut batch.tasks) {
            task.sign = now;
            task.absent = task.absent.map(|_| now);
        }
    }

    /// Cancel tasks that should run but have been silent for long.
    pub(super) fn end_silent(&mut self) {
        let limit = (self.rules.grace * SILENT_GRACES).max(LEAST_SILENCE);
        let mut silent = Vec::new();
        for (number, batch) in &self.batches {
            for (index, task) in batch.tasks.iter().enumerate() {
                let runs = task.has_begun || task.state == "RUNNING";
                if !task.is_over && runs && self.now.saturating_sub(task.sign) >= limit {
                    silent.push((
                        TaskId {
                            batch: *number,
                            index,
                        },
                        task.node.clone(),
                    ));
                }
            }
        }
        for (id, node) in silent {
            let place = node.map_or(String::new(), |node| format!(" on {node}"));
            let reason = format!(
                "its Slurm task {}{place} has given no sign of life for {} s",
                self.name_of(id),
                limit.as_secs()
            );
            self.log(Level::Warning, format!("{reason}: it is cancelled"));
            self.actions.push(Action::Cancel(vec![id]));
            self.lose(id, &reason);
        }
    }
}

//! Which tasks live, which are lost, and what becomes of their children.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::batches::FIRST_BACKOFF;
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
/// Children in a row that are given up before the run ends: the children are not to blame. If nothing could
/// be trained on [`UNUSABLE`] nodes in a row, and no task trains, the first one is enough.
const GIVEN_UP: u32 = 3;
/// Nodes in a row on which nothing can be trained before the run ends.
pub(super) const UNUSABLE: usize = 5;

/// A task as Slurm lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Slurm's number of the array job.
    pub job: String,
    /// `PENDING`, `RUNNING`, ...
    pub state: String,
    /// Why it waits, in Slurm's words.
    pub reason: String,
    /// Where it runs or ran; empty while it waits.
    pub node: String,
}

impl Listed {
    /// Whether Slurm keeps it waiting for ever, because it could not be started.
    fn is_stuck(&self) -> bool {
        let reason = self.reason.to_ascii_lowercase().replace('_', " ");
        self.state == "PENDING"
            && (reason.contains("launch failed") || reason.contains("jobholdmaxrequeue"))
    }

    /// Whether a user keeps it waiting.
    fn is_held(&self) -> bool {
        self.state == "PENDING" && self.reason == "JobHeldUser"
    }

    fn runs(&self) -> bool {
        self.is_live() && self.state != "PENDING"
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
    /// Slurm, which was asked at that time, lists it so.
    fn is_listed(&mut self, found: &Listed, now: Duration, asked: Duration) {
        if found.state == "PENDING" && self.has_begun && self.sign > asked {
            // It has begun since.
            return;
        }
        self.is_seen |= found.is_live();
        if !found.node.is_empty() && self.node.as_ref() != Some(&found.node) {
            self.node = Some(found.node.clone());
        }
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
    /// Slurm has answered what it was asked at that time. Lack of an answer changes nothing.
    pub fn answer(&mut self, answer: &Answer, asked: Duration) {
        let Answer::Tasks(listed) = answer else {
            return;
        };
        let (now, grace) = (self.now, self.rules.grace);
        let (mut lost, mut unwanted, mut again) = (Vec::new(), Vec::new(), Vec::new());
        let (mut held, mut nodes) = (BTreeSet::new(), BTreeSet::new());
        for (number, batch) in &mut self.batches {
            if batch.is_being_submitted {
                continue;
            }
            let mut running = 0;
            for (index, task) in batch.tasks.iter_mut().enumerate() {
                let id = TaskId {
                    batch: *number,
                    index,
                };
                let found = listed.get(&id);
                let lives = found.is_some_and(Listed::is_live);
                running += usize::from(found.is_some_and(Listed::runs));
                if task.is_over {
                    // It ends by itself, or was cancelled, which Slurm may not have heard.
                    if lives && now.saturating_sub(task.sign) >= grace {
                        task.sign = now;
                        unwanted.push(id);
                    }
                    continue;
                }
                if let Some(found) = found {
                    if batch.job.is_none() {
                        batch.job = Some(found.job.clone());
                        self.backoff = FIRST_BACKOFF;
                    }
                    let had_begun = task.has_begun;
                    task.is_listed(found, now, asked);
                    again.extend((had_begun && !task.has_begun).then_some(id));
                    held.extend(found.is_held().then_some(*number));
                    nodes.insert(found.node.as_str());
                }
                if lives {
                    task.absent = None;
                } else if task.is_lost(now, grace) {
                    unwanted.extend(found.filter(|found| found.is_stuck()).map(|_| id));
                    lost.push(id);
                }
            }
            // What Slurm was told is not known, but what it has let run.
            if batch.told.is_none() {
                batch.throttle = running.max(1);
            }
        }
        self.has_accepted |= !listed.is_empty();
        nodes.into_iter().for_each(|node| self.hear_of(node));
        again.into_iter().for_each(|id| self.put_back(id));
        if !unwanted.is_empty() {
            self.actions.push(Action::Cancel(unwanted));
        }
        if self.pause.is_none() {
            // The end of a pause has not reached Slurm.
            self.actions.extend(held.into_iter().map(Action::Release));
        }
        self.lose_absent(&lost);
        self.share_out();
    }

    /// Give up tasks that Slurm does not list as alive.
    fn lose_absent(&mut self, lost: &[TaskId]) {
        let mut unseen = BTreeSet::new();
        for id in lost {
            let Some(task) = self.task(*id).cloned() else {
                continue;
            };
            let what = match task.state.as_str() {
                "" | "PENDING" | "RUNNING" => "is no longer known to Slurm".to_owned(),
                state => format!("ended ({state})"),
            };
            let place = match &task.node {
                Some(node) => format!(" on {node}"),
                None => String::new(),
            };
            let mut reason = format!(
                "its Slurm task {}{place} {what} without a result",
                self.name_of(*id)
            );
            if task.is_seen && !task.has_begun {
                let TaskId { batch, index } = id;
                reason.push_str(&format!(
                    ", before the program began: slurm/batches/{batch}/task-{index}.out may say why"
                ));
                if matches!(task.state.as_str(), "FAILED" | "COMPLETED") {
                    self.blame(task.node.as_deref().unwrap_or_default());
                }
            }
            let before = self.queue.len();
            self.lose(*id, &reason);
            if !task.is_seen && self.queue.len() > before {
                unseen.insert(id.batch);
            }
        }
        for batch in unseen {
            let message = format!(
                "batch {batch}: Slurm has no such tasks; their children are submitted again"
            );
            self.log(Level::Info, message);
        }
    }

    /// `4711_3`, or the batch if Slurm's number is not known.
    pub(super) fn name_of(&self, id: TaskId) -> String {
        match self.job_of(id.batch) {
            Some(job) => format!("{job}_{}", id.index),
            None => format!("{} of batch {}", id.index, id.batch),
        }
    }

    /// Give up a task, and submit its children again. Their loss counts if it has waited or run: what
    /// Slurm never took, or an earlier session has seen the end of, has cost them nothing.
    pub(super) fn lose(&mut self, id: TaskId, reason: &str) {
        let Some(task) = self.task(id).filter(|task| !task.is_over) else {
            return;
        };
        let (children, is_seen) = (task.children.clone(), task.is_seen);
        let mut again = Vec::new();
        for child in children {
            if self.places.get(&child) != Some(&id) {
                continue;
            }
            self.places.remove(&child);
            let Some(known) = self.children.get_mut(&child) else {
                continue;
            };
            known.lost += u32::from(is_seen);
            let (lost, is_skipped) = (known.lost, known.skipped.is_some());
            let training = known.training.take();
            if let Some(training) = &training {
                self.slots.remove(&training.slot);
            }
            if is_skipped {
                self.exclude_skipped(child);
            } else if lost < self.rules.attempts {
                if is_seen || training.is_some() {
                    let reason = reason.to_owned();
                    self.report(Report::Retried { child, reason });
                }
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
        let trains = self.children.values().any(|known| known.training.is_some());
        if self.given_up >= GIVEN_UP || self.unusable.len() >= UNUSABLE && !trains {
            let message = format!(
                "{} children in a row have each lost {lost} tasks, the last one thus: {reason}. Resume the run once the cause is fixed",
                self.given_up
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
        self.give_time(now);
    }

    /// Whatever is waited for gets the full time again.
    pub(super) fn give_time(&mut self, now: Duration) {
        for task in self.batches.values_mut().flat_map(|batch| &mut batch.tasks) {
            task.sign = now;
            task.absent = task.absent.map(|_| now);
        }
        for known in self.children.values_mut() {
            known.skipped = known.skipped.map(|_| now);
        }
    }

    /// Cancel tasks that should run but have been silent for long.
    pub(super) fn end_silent(&mut self) {
        let limit = (self.rules.grace * SILENT_GRACES).max(LEAST_SILENCE);
        let mut silent = Vec::new();
        for (number, batch) in &self.batches {
            for (index, task) in batch.tasks.iter().enumerate() {
                let runs = self.awaits(task) && (task.has_begun || task.state == "RUNNING");
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

//! Making batches: how many children go into one, when it is submitted, and how many of its tasks may
//! run at a time.

use std::time::Duration;

use super::{Action, Batch, Scheduler, Submission, Task, TaskId};
use crate::evaluate::Report;
use crate::event::Level;

/// Time between two submissions: what is proposed in between goes together.
pub(super) const BETWEEN_SUBMISSIONS: Duration = Duration::from_secs(5);
/// Time between the first child that waits and its submission, for the same reason.
pub(super) const GATHERING: Duration = Duration::from_secs(1);
/// Time to wait after the first refusal; doubled after each further one.
pub(super) const FIRST_BACKOFF: Duration = Duration::from_secs(15);
const LONGEST_BACKOFF: Duration = Duration::from_secs(600);
/// Tasks that could not train on a node before it is avoided.
const BAD_TASKS: u32 = 2;

impl Scheduler {
    /// Submit the children that wait, if there is room for them.
    pub(super) fn make_batch(&mut self) {
        let is_busy = self.batches.values().any(|batch| batch.is_being_submitted);
        if self.queue.is_empty() || is_busy || self.pause.is_some() || self.now < self.submit_after
        {
            return;
        }
        let (live, _) = self.tasks();
        let free = self.rules.count.saturating_sub(self.in_use());
        let room = self
            .rules
            .most_tasks
            .saturating_sub(live)
            .min(self.rules.most_in_array);
        if free == 0 || room == 0 {
            return;
        }
        let most = room.saturating_mul(self.rules.children_per_task);
        let children: Vec<u64> = self.queue.drain(..most.min(self.queue.len())).collect();
        let tasks: Vec<Vec<u64>> = children
            .chunks(self.rules.children_per_task.max(1))
            .map(<[u64]>::to_vec)
            .collect();
        let number = self.next_batch;
        self.next_batch += 1;
        let throttle = free.min(tasks.len());
        for (index, of) in tasks.iter().enumerate() {
            let place = TaskId {
                batch: number,
                index,
            };
            self.places.extend(of.iter().map(|child| (*child, place)));
        }
        let now = self.now;
        let batch = Batch {
            tasks: tasks.iter().map(|of| Task::new(of.clone(), now)).collect(),
            job: None,
            is_being_submitted: true,
            throttle,
        };
        self.batches.insert(number, batch);
        let bad = self
            .bad_nodes
            .iter()
            .filter(|(_, times)| **times >= BAD_TASKS);
        let avoid = bad.map(|(node, _)| node.clone()).collect();
        self.actions.push(Action::Submit {
            batch: number,
            tasks,
            throttle,
            avoid,
        });
    }

    /// Tasks that may run at this moment.
    fn in_use(&self) -> usize {
        self.batches
            .values()
            .map(|batch| batch.throttle.min(batch.live()))
            .sum()
    }

    /// `sbatch` has answered.
    pub fn submitted(&mut self, number: u64, answer: Submission) {
        let now = self.now;
        let Some(batch) = self.batches.get_mut(&number) else {
            return;
        };
        batch.is_being_submitted = false;
        batch.tasks.iter_mut().for_each(|task| task.sign = now);
        self.submit_after = now + BETWEEN_SUBMISSIONS;
        match answer {
            Submission::Accepted(job) => {
                batch.job = Some(job);
                (self.has_accepted, self.last_refusal) = (true, None);
                self.backoff = FIRST_BACKOFF;
            }
            // Found by its name, or lost after the grace period.
            Submission::Unknown(reason) => self.log(
                Level::Warning,
                format!("it is not known whether Slurm took batch {number}, which is looked for: {reason}"),
            ),
            Submission::Refused(reason) => self.refused(number, reason),
            Submission::NotWritten(reason) => {
                self.withdraw(number);
                self.submit_after = now + FIRST_BACKOFF;
                self.warn_once(
                    reason.clone(),
                    format!("nothing can be submitted, which is tried again: {reason}"),
                );
            }
        }
        // It was submitted before the pause.
        if self.pause.is_some() && self.has_batch(number) {
            self.actions.push(Action::Hold(number));
        }
    }

    fn refused(&mut self, number: u64, reason: String) {
        if !self.has_accepted {
            let message = format!(
                "Slurm refuses the run's tasks: {reason}. Change slurm.options, then resume the run"
            );
            self.report(Report::Fatal { message });
            return;
        }
        let Some(tasks) = self.withdraw(number) else {
            return;
        };
        self.actions.push(Action::Close(number));
        // A limit on the number of jobs is met by a smaller batch.
        self.rules.most_in_array = (tasks / 2).max(1);
        self.submit_after = self.now + self.backoff;
        let wait = self.backoff.as_secs();
        self.backoff = (self.backoff * 2).min(LONGEST_BACKOFF);
        let message = format!(
            "Slurm refuses further tasks ({reason}); the next attempt, with fewer, is in {wait} s"
        );
        self.warn_once(reason, message);
    }

    /// Put the children of a batch that was not submitted back to the front of the queue; returns its
    /// number of tasks.
    fn withdraw(&mut self, number: u64) -> Option<usize> {
        let batch = self.batches.remove(&number)?;
        let children: Vec<u64> = (batch.tasks.iter())
            .flat_map(|task| task.children.clone())
            .collect();
        for child in children
            .iter()
            .rev()
            .filter(|child| self.children.contains_key(child))
        {
            self.places.remove(child);
            self.queue.push_front(*child);
        }
        Some(batch.tasks.len())
    }

    /// Log a failure to submit, unless the last one had the same reason.
    fn warn_once(&mut self, reason: String, message: String) {
        if self.last_refusal.as_ref() != Some(&reason) {
            self.log(Level::Warning, message);
            self.last_refusal = Some(reason);
        }
    }

    /// The number of tasks that may run at a time has changed.
    pub fn set_count(&mut self, count: usize) {
        if self.rules.count != count {
            self.rules.count = count;
            self.share_out();
        }
    }

    /// Share out what is free to the batches that can use it, oldest first; if more may run than the
    /// rules allow now, take it back, newest first. Slurm reads 0 as no limit, so that each batch
    /// keeps one.
    pub(super) fn share_out(&mut self) {
        let count = self.rules.count;
        let in_use = self.in_use();
        let (mut free, mut over) = (count.saturating_sub(in_use), in_use.saturating_sub(count));
        for (number, batch) in self
            .batches
            .iter_mut()
            .filter(|(_, batch)| batch.job.is_some())
        {
            let more = batch.live().saturating_sub(batch.throttle).min(free);
            if more > 0 {
                (free, batch.throttle) = (free - more, batch.throttle + more);
                self.actions.push(Action::Throttle {
                    batch: *number,
                    most: batch.throttle,
                });
            }
        }
        for (number, batch) in self
            .batches
            .iter_mut()
            .rev()
            .filter(|(_, batch)| batch.job.is_some())
        {
            let used = batch.throttle.min(batch.live());
            let less = used.saturating_sub(1).min(over);
            if less > 0 {
                (over, batch.throttle) = (over - less, used - less);
                self.actions.push(Action::Throttle {
                    batch: *number,
                    most: batch.throttle,
                });
            }
        }
    }
}

impl Batch {
    pub(super) fn live(&self) -> usize {
        self.tasks.iter().filter(|task| !task.is_over).count()
    }
}

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
/// Time to wait after the first refusal or lack of an answer; doubled after each further one.
pub(super) const FIRST_BACKOFF: Duration = Duration::from_secs(15);
const LONGEST_BACKOFF: Duration = Duration::from_secs(600);

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
        let room = self.rules.most_tasks.saturating_sub(live).min(self.array);
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
            told: Some(throttle),
        };
        self.batches.insert(number, batch);
        let avoid = self.avoided();
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
                batch.tasks.iter_mut().for_each(|task| task.is_seen = true);
                self.accepted();
            }
            // Found by its name, or submitted again after the grace period.
            Submission::Unknown(reason) => {
                self.back_off();
                let message = format!(
                    "it is not known whether Slurm took batch {number}, which is looked for: {reason}"
                );
                self.log(Level::Warning, message);
            }
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

    fn accepted(&mut self) {
        self.has_accepted = true;
        self.backoff = FIRST_BACKOFF;
        self.array = (self.array * 2).min(self.rules.most_in_array);
        if self.array == self.rules.most_in_array {
            self.last_refusal = None;
        }
    }

    /// Wait with the next submission, longer each time; returns the seconds.
    fn back_off(&mut self) -> u64 {
        let wait = self.backoff;
        self.submit_after = self.now + wait;
        self.backoff = (wait * 2).min(LONGEST_BACKOFF);
        wait.as_secs()
    }

    fn refused(&mut self, number: u64, reason: String) {
        let Some(tasks) = self.withdraw(number) else {
            return;
        };
        self.actions.push(Action::Close(number));
        // Too few nodes may be left without those that are avoided.
        if reason.to_ascii_lowercase().contains("node") && self.avoids_no_more() {
            let message = format!("Slurm refuses {tasks} tasks ({reason}); no node is avoided now");
            return self.warn_once(reason, message);
        }
        if tasks > 1 {
            // A limit on the number of tasks is met by a smaller array; whether any is taken, one task
            // shows soonest.
            self.array = if self.has_accepted { tasks / 2 } else { 1 };
            let message = format!(
                "Slurm refuses {tasks} tasks ({reason}); the next attempt is with {}",
                self.array
            );
            return self.warn_once(reason, message);
        }
        if !self.has_accepted {
            let message = format!(
                "Slurm refuses the run's tasks: {reason}. Change slurm.options, or slurm.gpus_per_task (0 on a cluster without GPUs), then resume the run"
            );
            return self.report(Report::Fatal { message });
        }
        let wait = self.back_off();
        let message =
            format!("Slurm refuses further tasks ({reason}); the next attempt is in {wait} s");
        self.warn_once(reason, message);
    }

    /// Put the children of a batch that was not submitted back to the front of the queue; returns its
    /// number of tasks.
    pub fn withdraw(&mut self, number: u64) -> Option<usize> {
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
        let is_known = |batch: &&mut Batch| batch.job.is_some();
        for batch in self.batches.values_mut().filter(is_known) {
            let more = batch.live().saturating_sub(batch.throttle).min(free);
            (free, batch.throttle) = (free - more, batch.throttle + more);
        }
        for batch in self.batches.values_mut().rev().filter(is_known) {
            let used = batch.throttle.min(batch.live());
            let less = used.saturating_sub(1).min(over);
            if less > 0 {
                (over, batch.throttle) = (over - less, used - less);
            }
        }
        for (number, batch) in &mut self.batches {
            let most = batch.throttle;
            if batch.job.is_some() && batch.told.replace(most) != Some(most) {
                let batch = *number;
                self.actions.push(Action::Throttle { batch, most });
            }
        }
    }

    /// Slurm may not have heard how many tasks may run at a time: it is told again after its next answer.
    pub fn repeat_throttles(&mut self) {
        self.batches
            .values_mut()
            .for_each(|batch| batch.told = None);
    }
}

impl Batch {
    pub(super) fn live(&self) -> usize {
        self.tasks.iter().filter(|task| !task.is_over).count()
    }
}

//! The ends of children and tasks.

use super::{Action, Child, Scheduler, Task, TaskId};
use crate::evaluate::Report;
use crate::reward::{Outcome, SKIPPED};

impl Scheduler {
    /// Forget a child, whose result this attempt has written if there is one; end the tasks that no one
    /// needs any more, and return what was known of it. The attempt ends by itself: every other one that
    /// has the child is cancelled, also a second one of the same task.
    pub(super) fn remove(&mut self, child: u64, by: Option<&str>) -> Option<Child> {
        let known = self.children.remove(&child)?;
        let training = known.training.as_ref();
        if let Some(training) = training {
            self.slots.remove(&training.slot);
        }
        self.queue.retain(|waiting| *waiting != child);
        let writer = training.filter(|training| Some(training.attempt.as_str()) == by);
        let writer = writer.map(|training| training.task);
        let trainer = training.map(|training| training.task);
        for task in self.places.remove(&child).into_iter().chain(trainer) {
            self.end_if_done(task, writer != Some(task));
        }
        Some(known)
    }

    /// A task is over when none of its children is waited for.
    pub(super) fn end_if_done(&mut self, id: TaskId, cancel: bool) {
        let is_needed = |task: &Task| {
            let waits =
                |child| self.children.contains_key(child) || self.places.get(child) == Some(&id);
            task.children.iter().any(waits)
        };
        let batch = self.batches.get(&id.batch);
        let task = batch.and_then(|batch| batch.tasks.get(id.index));
        if task.is_none_or(|task| task.is_over || is_needed(task)) {
            return;
        }
        if cancel {
            self.actions.push(Action::Cancel(vec![id]));
        }
        self.end_task(id);
    }

    /// The task no longer counts; its batch is closed with its last one.
    pub(super) fn end_task(&mut self, id: TaskId) {
        let Some(batch) = self.batches.get_mut(&id.batch) else {
            return;
        };
        let task = &mut batch.tasks[id.index];
        (task.is_over, task.sign) = (true, self.now);
        if batch.tasks.iter().all(|task| task.is_over) {
            self.batches.remove(&id.batch);
            self.actions.push(Action::Close(id.batch));
        }
    }

    /// End a child of which nothing is known.
    pub(super) fn exclude(&mut self, child: u64, reason: String) {
        let Some(known) = self.remove(child, None) else {
            return;
        };
        let since = known.training.map(|training| training.since);
        let seconds = since.map_or(0.0, |since| self.now.saturating_sub(since).as_secs_f64());
        self.report(Report::Finished {
            child,
            outcome: Outcome::Excluded { reason },
            seconds,
            energy_wh: None,
            test_accuracy: None,
        });
    }

    pub(super) fn exclude_skipped(&mut self, child: u64) {
        self.exclude(child, SKIPPED.to_owned());
    }
}

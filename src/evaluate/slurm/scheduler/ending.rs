//! The ends of children and tasks.

use super::{Action, Child, Scheduler, Task, TaskId};
use crate::evaluate::Report;
use crate::reward::{Outcome, SKIPPED};

impl Scheduler {
    /// Forget a child, end the tasks that no one needs any more, and return what was known of it.
    pub(super) fn remove(&mut self, child: u64) -> Option<Child> {
        let known = self.children.remove(&child)?;
        if let Some(training) = &known.training {
            self.slots.remove(&training.slot);
        }
        self.queue.retain(|waiting| *waiting != child);
        let by = known.training.as_ref().map(|training| training.task);
        if let Some(place) = self.places.remove(&child) {
            self.end_if_done(place, by != Some(place));
        }
        if let Some(task) = by {
            self.end_if_done(task, false);
        }
        Some(known)
    }

    /// A task is over when none of its children is waited for. It ends by itself if it knows; one
    /// that waits, or repeats what another has done, is cancelled.
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
        batch.tasks[id.index].is_over = true;
        if batch.tasks.iter().all(|task| task.is_over) {
            self.batches.remove(&id.batch);
            self.actions.push(Action::Close(id.batch));
        }
    }

    /// End a child of which nothing is known.
    pub(super) fn exclude(&mut self, child: u64, reason: String) {
        let Some(known) = self.remove(child) else {
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

//! What users ask for: pause, skip.

use std::time::Duration;

use super::{Action, Scheduler, TaskId};
use crate::evaluate::Report;

/// A pause that lasts longer gives the nodes back: running tasks are put into the queue, held.
const HOLD_AFTER: Duration = Duration::from_secs(600);

/// A pause in force.
#[derive(Debug, Clone)]
pub(super) struct Pause {
    number: u64,
    since: Duration,
    is_reported: bool,
    /// When running tasks are put back into the queue, unless they have been.
    hold_at: Option<Duration>,
}

impl Scheduler {
    /// Stand still: nothing is submitted or started, and running tasks stop at their next batch.
    pub fn pause(&mut self, number: u64) {
        let is_new = self.pause.is_none();
        let now = (self.now, Some(self.now + HOLD_AFTER));
        let (since, hold_at) = self
            .pause
            .as_ref()
            .map_or(now, |pause| (pause.since, pause.hold_at));
        self.pause = Some(Pause {
            number,
            since,
            is_reported: false,
            hold_at,
        });
        self.tell_tasks();
        if is_new {
            self.batches
                .keys()
                .for_each(|batch| self.actions.push(Action::Hold(*batch)));
        }
        self.settle_pause();
    }

    /// Continue.
    pub fn resume(&mut self) {
        if self.pause.take().is_some() {
            self.tell_tasks();
            self.give_time(self.now);
            let tasks = self.batches.values_mut().flat_map(|batch| &mut batch.tasks);
            tasks.for_each(|task| task.paused = None);
            self.batches
                .keys()
                .for_each(|batch| self.actions.push(Action::Release(*batch)));
        }
    }

    /// Report the pause once every running task has confirmed it, or had the time to.
    pub(super) fn settle_pause(&mut self) {
        let Some(pause) = &self.pause else {
            return;
        };
        let Pause {
            number,
            since,
            is_reported,
            hold_at,
        } = *pause;
        let age = self.now.saturating_sub(since);
        let mut running = Vec::new();
        let mut all_stand = true;
        for (batch, of) in &self.batches {
            for (index, task) in of
                .tasks
                .iter()
                .enumerate()
                .filter(|(_, task)| !task.is_over && task.has_begun)
            {
                running.push(TaskId {
                    batch: *batch,
                    index,
                });
                all_stand &= task.paused == Some(number);
            }
        }
        if !is_reported && (all_stand || age >= self.rules.grace) {
            self.report(Report::Paused { number });
        }
        let hold = hold_at.is_some_and(|at| self.now >= at);
        if hold && !running.is_empty() {
            self.actions.push(Action::RequeueHold(running));
        }
        if let Some(pause) = &mut self.pause {
            pause.is_reported |= all_stand || age >= self.rules.grace;
            pause.hold_at = hold_at.filter(|_| !hold);
        }
    }

    /// The run directory cannot be read or written: tasks can neither be heard nor hand in what they hold,
    /// so that none is given up for its silence or put back into the queue meanwhile.
    pub fn hear_nothing(&mut self) {
        let now = self.now;
        self.give_time(now);
        if let Some(at) = self.pause.as_mut().and_then(|pause| pause.hold_at.as_mut()) {
            *at = now + HOLD_AFTER;
        }
    }

    /// End a child: at once if no task trains it, otherwise at its next batch.
    pub fn skip(&mut self, child: u64) {
        let now = self.now;
        let Some(known) = self.children.get_mut(&child) else {
            return;
        };
        if known.training.is_none() {
            self.exclude_skipped(child);
        } else {
            known.skipped.get_or_insert(now);
        }
        self.skips.insert(child);
        self.tell_tasks();
    }

    /// Give up skipped children that their tasks have not ended in time; the tasks are cancelled.
    pub(super) fn end_skipped(&mut self) {
        let is_late = |skipped: Duration| self.now.saturating_sub(skipped) >= 2 * self.rules.grace;
        let children = self.children.iter();
        let late: Vec<u64> = children
            .filter(|(_, known)| known.skipped.is_some_and(is_late))
            .map(|(child, _)| *child)
            .collect();
        late.into_iter()
            .for_each(|child| self.exclude_skipped(child));
    }

    /// Whether a pause is in force.
    pub fn is_paused(&self) -> bool {
        self.pause.is_some()
    }

    /// Children that users have asked to end.
    pub fn skipped(&self) -> Vec<u64> {
        self.skips.iter().copied().collect()
    }

    fn tell_tasks(&mut self) {
        let skip = self.skips.clone();
        let pause = self.pause.as_ref().map(|pause| pause.number);
        self.actions.push(Action::Control { pause, skip });
    }
}

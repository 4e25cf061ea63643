//! What the workers of a search train, and what they have just trained.

use std::collections::BTreeSet;

use super::SearchRun;
use crate::state::TrainedChild;

impl SearchRun {
    /// The worker that trains a child, and how far it is.
    pub fn in_training(&self, child: u64) -> Option<(usize, &TrainedChild)> {
        let mut training = self.by_worker.iter();
        let (worker, training) = training.find(|(_, training)| training.child == child)?;
        Some((*worker, training))
    }

    /// The child that a worker trains or, while it has none but others wait, the one that it has just trained: the
    /// next one will begin at any moment, so that whatever follows the worker may stay where it is.
    pub fn of_worker(&self, worker: usize) -> Option<&TrainedChild> {
        let ended = || self.ended_by_worker.get(&worker).filter(|_| self.waits());
        self.by_worker.get(&worker).or_else(ended)
    }

    /// The numbers of the workers that have such a child, in order.
    pub fn workers(&self) -> BTreeSet<usize> {
        let known = self.by_worker.keys().chain(self.ended_by_worker.keys());
        let has_child = |worker: &usize| self.of_worker(*worker).is_some();
        known.copied().filter(has_child).collect()
    }

    /// Whether a child waits for a worker.
    pub(super) fn waits(&self) -> bool {
        let mut waiting = self.waiting.keys();
        waiting.any(|child| self.in_training(*child).is_none())
    }

    /// What is known of the training of a child that has ended, if it is the last one of its worker.
    pub fn just_ended(&self, child: u64) -> Option<&TrainedChild> {
        let mut ended = self.ended_by_worker.values();
        ended.find(|training| training.child == child)
    }

    /// What the workers train, and what those without a child have trained last.
    pub(in crate::state) fn trainings(&self) -> impl Iterator<Item = &TrainedChild> {
        self.by_worker.values().chain(self.ended_by_worker.values())
    }
}

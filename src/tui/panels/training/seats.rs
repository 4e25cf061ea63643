//! The workers in the order of their rows.

use std::collections::BTreeSet;

use crate::state::TrainedChild;
use crate::tui::panels::scene::Scene;

/// A worker, and the child that it trains or, between two of them, has just trained.
pub(super) struct Seat<'a> {
    pub(super) worker: usize,
    pub(super) training: Option<&'a TrainedChild>,
}

impl Seat<'_> {
    pub(super) fn child(&self) -> Option<u64> {
        self.training.map(|training| training.child)
    }
}

/// The workers that have a child and, where each worker of the run keeps its rows, those that have none at the
/// moment: nothing moves when a child ends.
pub(super) fn seats<'a>(scene: &Scene<'a>) -> Vec<Seat<'a>> {
    let search = scene.state.search();
    let is_kept = !scene.is_over() && scene.why_abandoned().is_none() && search.queue().is_none();
    let run = search.started.as_ref().filter(|_| is_kept);
    let kept = 0..run.map_or(0, |run| run.workers);
    let workers: BTreeSet<usize> = kept.chain(search.by_worker.keys().copied()).collect();
    let seat = |worker| Seat {
        worker,
        training: search.of_worker(worker),
    };
    workers.into_iter().map(seat).collect()
}

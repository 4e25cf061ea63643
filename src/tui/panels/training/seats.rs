//! The workers in the order of their rows.

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

/// The workers that have a child and, unless all are idle, the others too: nothing moves when a child ends.
pub(super) fn seats<'a>(scene: &Scene<'a>) -> Vec<Seat<'a>> {
    let search = scene.state.search();
    let mut workers = scene.workers();
    if !workers.is_empty() && scene.is_at_work() {
        workers.extend(&search.ready);
    }
    let seat = |worker| Seat {
        worker,
        training: search.of_worker(worker),
    };
    workers.into_iter().map(seat).collect()
}

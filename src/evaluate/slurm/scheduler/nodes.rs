//! Which nodes are avoided: those on which tasks fail because of the node.

use std::cmp::Reverse;
use std::time::Duration;

use super::{Action, Scheduler};

/// Tasks that fail because of a node before it is avoided.
const BAD_TASKS: u32 = 2;
/// Time after which it is tried again.
const AVOIDED: Duration = Duration::from_secs(3_600);

/// What is known of a node.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Node {
    /// Tasks that have failed because of it since its last result, and when the last one did.
    failures: u32,
    failed: Duration,
}

impl Scheduler {
    /// There is a node of this name.
    pub(super) fn hear_of(&mut self, node: &str) {
        if !node.is_empty() && !self.nodes.contains_key(node) {
            self.nodes.insert(node.to_owned(), Node::default());
        }
    }

    /// A task has failed because of the node that it ran on.
    pub(super) fn blame(&mut self, node: &str) {
        self.hear_of(node);
        let now = self.now;
        let Some(known) = self.nodes.get_mut(node) else {
            return;
        };
        known.failures += 1;
        known.failed = now;
        if known.failures >= BAD_TASKS {
            self.tell_avoided();
        }
    }

    /// A result has come from a node: what failed there before has been mended.
    pub(super) fn trust(&mut self, node: &str) {
        self.hear_of(node);
        let before = self.nodes.get_mut(node).map(std::mem::take);
        if before.is_some_and(|known| known.failures >= BAD_TASKS) {
            self.tell_avoided();
        }
    }

    /// Avoid no node from now on; returns whether any was avoided.
    pub(super) fn avoids_no_more(&mut self) -> bool {
        let some = !self.avoided().is_empty();
        let known = self.nodes.values_mut();
        known.for_each(|known| *known = Node::default());
        if some {
            self.tell_avoided();
        }
        some
    }

    /// The nodes to avoid, the worst first: of those heard of no more than half, but at least one.
    pub(super) fn avoided(&self) -> Vec<String> {
        let is_bad = |known: &Node| {
            known.failures >= BAD_TASKS && self.now.saturating_sub(known.failed) < AVOIDED
        };
        let mut bad: Vec<(&String, &Node)> = self
            .nodes
            .iter()
            .filter(|(_, known)| is_bad(known))
            .collect();
        bad.sort_by_key(|(_, known)| Reverse(known.failures));
        bad.truncate((self.nodes.len() / 2).max(1));
        bad.into_iter().map(|(node, _)| node.clone()).collect()
    }

    /// Tell Slurm so for the tasks that wait already. With the only node heard of this is not done: Slurm
    /// would hold tasks for which it has no node.
    fn tell_avoided(&mut self) {
        if self.nodes.len() < 2 {
            return;
        }
        let nodes = self.avoided();
        let known = self.batches.iter().filter(|(_, batch)| batch.job.is_some());
        let avoid = |batch: &u64| Action::Avoid {
            batch: *batch,
            nodes: nodes.clone(),
        };
        self.actions.extend(known.map(|(batch, _)| avoid(batch)));
    }
}

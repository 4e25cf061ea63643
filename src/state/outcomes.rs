//! The outcomes of a search's children: which of them count, and which one is best. Decided here
//! for the state, the ledger, the summary, the list of runs and reports.

use std::collections::BTreeSet;

use crate::event::{ChildFinished, Event};

/// The outcomes of a search so far. An edited child counts only as edited and is never the best
/// one; an excluded child counts only as sampled and excluded.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    /// Number of children of each kind.
    pub counts: Counts,
    /// The child with the highest accuracy; the earlier one wins ties.
    pub best: Option<ChildFinished>,
    /// Every edited child, whether or not it has ended.
    edited: BTreeSet<u64>,
}

/// Numbers of children that have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Sampled children, which include the next three kinds.
    pub sampled: usize,
    /// Children that took over the accuracy of an earlier child with the same architecture.
    pub repeats: usize,
    /// Children with reward 0 and no accuracy.
    pub failures: usize,
    /// Children about which nothing is known, with no reward.
    pub excluded: usize,
    /// Children that were stopped early (`early_stopping.below`).
    pub stopped: usize,
    /// Edited children.
    pub edited: usize,
}

impl Counts {
    /// Number of children with an outcome: trained, repeated or failed.
    pub fn evaluated(&self) -> usize {
        self.sampled - self.excluded
    }
}

/// The end of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Its number, from 1.
    pub child: u64,
    /// Whether a user edited the child, in which case its outcome counts nowhere.
    pub is_edited: bool,
    /// Whether it is the best child so far.
    pub is_best: bool,
}

impl Outcomes {
    /// Process the next event of the run; returns the end of a child, if it is one.
    pub fn apply(&mut self, event: &Event) -> Option<Ending> {
        let child = match event {
            Event::ChildQueued(queued) => {
                self.edited.insert(queued.child);
                return None;
            }
            Event::ChildFinished(ChildFinished { child, .. })
            | Event::ChildFailed { child, .. }
            | Event::ChildExcluded { child, .. } => *child,
            _ => return None,
        };
        let is_edited = self.is_edited(child);
        let is_best = !is_edited && self.count(event);
        self.counts.edited += usize::from(is_edited);
        Some(Ending {
            child,
            is_edited,
            is_best,
        })
    }

    /// Whether the child was edited by a user.
    pub fn is_edited(&self, child: u64) -> bool {
        self.edited.contains(&child)
    }

    /// Number of edited children, whether or not they have ended.
    pub fn edited(&self) -> u64 {
        self.edited.len() as u64
    }

    /// Count the end of a sampled child; returns whether it is the best one.
    fn count(&mut self, event: &Event) -> bool {
        self.counts.sampled += 1;
        self.counts.failures += usize::from(matches!(event, Event::ChildFailed { .. }));
        self.counts.excluded += usize::from(matches!(event, Event::ChildExcluded { .. }));
        let Event::ChildFinished(finished) = event else {
            return false;
        };
        self.counts.repeats += usize::from(finished.repeat_of.is_some());
        self.counts.stopped += usize::from(finished.stopped_early);
        let this = (finished.accuracy, finished.child);
        let best = self.best.as_ref().map(|best| (best.accuracy, best.child));
        let is_best = best.is_none_or(|best| is_better(this, best));
        if is_best {
            self.best = Some(finished.clone());
        }
        is_best
    }
}

/// Whether a child with this accuracy and number is better than another: it has a higher accuracy,
/// or the same accuracy and a lower number (workers finish in any order, and the best must not
/// depend on it).
pub fn is_better(this: (f64, u64), than: (f64, u64)) -> bool {
    this.0 > than.0 || (this.0 == than.0 && this.1 < than.1)
}

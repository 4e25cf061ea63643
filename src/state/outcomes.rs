//! What the children of a search come to: which of them count, and which one is best. Decided here
//! for the state, the ledger, the summary, the list of runs and reports.

use std::collections::BTreeSet;

use crate::event::{ChildFinished, Event};

/// The outcomes of a search so far. A child that a user edited counts as edited and nowhere else,
/// and is never the best one; an excluded child counts as sampled and excluded.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    /// How many there are of each kind.
    pub counts: Counts,
    /// The highest accuracy, by the earlier one of equals.
    pub best: Option<ChildFinished>,
    /// Every child that users edited, whether or not it has ended.
    edited: BTreeSet<u64>,
}

/// Children that have come to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Those that the search sampled; the next three are among them.
    pub sampled: usize,
    /// Those that took the accuracy of an earlier child with the same architecture.
    pub repeats: usize,
    /// Those with reward 0 and no accuracy.
    pub failures: usize,
    /// Those of which nothing is known, with no reward.
    pub excluded: usize,
    /// Those that a user edited.
    pub edited: usize,
}

impl Counts {
    /// Children that the search has an outcome of: trained, repeated or failed.
    pub fn evaluated(&self) -> usize {
        self.sampled - self.excluded
    }
}

/// The end of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Its number, from 1.
    pub child: u64,
    /// A user edited the child: its outcome counts nowhere.
    pub is_edited: bool,
    /// It is the best child so far.
    pub is_best: bool,
}

impl Outcomes {
    /// Take in the next event of the run: the end of a child, where it is one.
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

    /// Whether a user edited the child.
    pub fn is_edited(&self, child: u64) -> bool {
        self.edited.contains(&child)
    }

    /// How many children users have edited, whether or not they have ended.
    pub fn edited(&self) -> u64 {
        self.edited.len() as u64
    }

    /// Count the end of a sampled child: whether it is the best one.
    fn count(&mut self, event: &Event) -> bool {
        self.counts.sampled += 1;
        self.counts.failures += usize::from(matches!(event, Event::ChildFailed { .. }));
        self.counts.excluded += usize::from(matches!(event, Event::ChildExcluded { .. }));
        let Event::ChildFinished(finished) = event else {
            return false;
        };
        self.counts.repeats += usize::from(finished.repeat_of.is_some());
        let this = (finished.accuracy, finished.child);
        let best = self.best.as_ref().map(|best| (best.accuracy, best.child));
        let is_best = best.is_none_or(|best| is_better(this, best));
        if is_best {
            self.best = Some(finished.clone());
        }
        is_best
    }
}

/// Whether a child of this accuracy and number is better than the other one: a higher accuracy, or
/// the same by an earlier child (workers finish in any order; the best must not depend on it).
pub fn is_better(this: (f64, u64), than: (f64, u64)) -> bool {
    this.0 > than.0 || (this.0 == than.0 && this.1 < than.1)
}

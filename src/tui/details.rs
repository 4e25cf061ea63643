//! What the journal has told of children.

use std::collections::{BTreeSet, VecDeque};

use crate::state::{ChildDetail, ChildRow, RunState};

/// Children whose details are kept.
const KEPT: usize = 64;

/// Details of children, the newest last.
#[derive(Debug, Default)]
pub struct Details {
    kept: VecDeque<ChildDetail>,
    /// Children of which the journal does not tell.
    unreadable: BTreeSet<u64>,
}

impl Details {
    /// Keep what the journal told of a child, in place of the oldest of many.
    pub fn keep(&mut self, detail: ChildDetail) {
        self.kept
            .retain(|other| other.candidate.child != detail.candidate.child);
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(detail);
    }

    /// What is kept of a child.
    pub fn of(&self, child: u64) -> Option<&ChildDetail> {
        self.kept
            .iter()
            .find(|detail| detail.candidate.child == child)
    }

    /// The journal does not tell of a child: it need not be asked again.
    pub fn give_up(&mut self, child: u64) {
        self.unreadable.insert(child);
    }

    /// Whether there is no need to ask the journal for a child, or no use.
    pub fn has(&self, child: u64) -> bool {
        self.of(child).is_some() || self.unreadable.contains(&child)
    }
}

/// Everything that the state tells of a child that has not ended.
pub fn detail_in(state: &RunState, child: u64) -> Option<ChildDetail> {
    let candidate = state.search().waiting.get(&child)?.clone();
    let training = state.search().in_training(child);
    let epochs = training.map(|(_, training)| training.epochs.clone());
    Some(ChildDetail {
        candidate,
        epochs: epochs.unwrap_or_default(),
        row: None,
    })
}

/// The row of a child that has ended.
pub fn row_in(state: &RunState, child: u64) -> Option<&ChildRow> {
    let search = state.search();
    let waits = search.waiting.contains_key(&child);
    (!waits).then(|| search.ended(child)).flatten()
}

/// The highest number of a child that has been sampled.
pub fn newest_child(state: &RunState) -> u64 {
    let search = state.search();
    let ended = search.children.iter().rev().take(256).map(|row| row.child);
    let waiting = search.waiting.keys().next_back().copied();
    ended.chain(waiting).max().unwrap_or(0)
}

//! Details of children read from the journal.

use std::collections::{BTreeSet, VecDeque};

use crate::state::{ChildDetail, ChildRow, RunState};

/// Number of children whose details are kept.
const KEPT: usize = 64;

/// Details of children, newest last.
#[derive(Debug, Default)]
pub struct Details {
    kept: VecDeque<ChildDetail>,
    /// Children that the journal knows nothing about.
    unreadable: BTreeSet<u64>,
}

impl Details {
    /// Keep the details of a child, dropping the oldest if there are too many.
    pub fn keep(&mut self, detail: ChildDetail) {
        self.kept
            .retain(|other| other.candidate.child != detail.candidate.child);
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(detail);
    }

    /// The details kept of a child.
    pub fn of(&self, child: u64) -> Option<&ChildDetail> {
        self.kept
            .iter()
            .find(|detail| detail.candidate.child == child)
    }

    /// The details of a child from the state, with its choices if they had to be read from the journal;
    /// `None` if they have not been read yet.
    pub fn with_choices(&self, detail: ChildDetail) -> Option<ChildDetail> {
        let child = detail.candidate.child;
        if detail.candidate.has_choices() || self.unreadable.contains(&child) {
            return Some(detail);
        }
        let candidate = self.of(child)?.candidate.clone();
        Some(ChildDetail {
            candidate,
            ..detail
        })
    }

    /// Note that the journal knows nothing about a child, so that it is not requested again.
    pub fn give_up(&mut self, child: u64) {
        self.unreadable.insert(child);
    }

    /// Whether requesting a child from the journal is unnecessary or useless.
    pub fn has(&self, child: u64) -> bool {
        self.of(child).is_some() || self.unreadable.contains(&child)
    }
}

/// The details of a child that has not ended, or only just, from the state.
pub fn detail_in(state: &RunState, child: u64) -> Option<ChildDetail> {
    let search = state.search();
    let Some(candidate) = search.waiting.get(&child) else {
        let training = search.just_ended(child)?;
        return Some(ChildDetail {
            candidate: training.candidate.clone()?,
            epochs: training.epochs.clone(),
            row: search.ended(child).cloned(),
        });
    };
    let training = search.in_training(child);
    let epochs = training.map(|(_, training)| training.epochs.clone());
    Some(ChildDetail {
        candidate: candidate.clone(),
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

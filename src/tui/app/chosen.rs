//! The child that the panels show, and the details of children that the journal was asked for.

use std::collections::{BTreeSet, VecDeque};

use super::{App, Effect, Wanted};
use crate::event::Level;
use crate::export;
use crate::space::Dna;
use crate::state::{Candidate, ChildDetail, ChildRow, RunState};
use crate::tui::keymap::Action;

/// Children whose details are kept.
const KEPT: usize = 64;

/// Details of children, the newest last.
#[derive(Debug, Default)]
pub(super) struct Details {
    kept: VecDeque<ChildDetail>,
    /// Children of which the journal does not tell.
    unreadable: BTreeSet<u64>,
}

impl Details {
    pub fn keep(&mut self, detail: ChildDetail) {
        self.kept
            .retain(|other| other.candidate.child != detail.candidate.child);
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(detail);
    }

    fn of(&self, child: u64) -> Option<&ChildDetail> {
        self.kept
            .iter()
            .find(|detail| detail.candidate.child == child)
    }

    pub fn give_up(&mut self, child: u64) {
        self.unreadable.insert(child);
    }

    /// Whether there is no need to ask the journal for a child, or no use.
    fn has(&self, child: u64) -> bool {
        self.of(child).is_some() || self.unreadable.contains(&child)
    }
}

impl App {
    /// The child that DNA table and controller show: the chosen one; else the one in training on
    /// the chosen worker; else the last one that ended.
    pub fn shown_child(&self) -> Option<u64> {
        let state = self.state();
        let training = state
            .search()
            .training
            .get(&self.view.worker)
            .or_else(|| state.search().training.values().next());
        self.view
            .chosen
            .filter(|child| *child <= newest_child(state))
            .or_else(|| training.map(|training| training.child))
            .or_else(|| state.search().children.last().map(|row| row.child))
            .or_else(|| state.search().waiting.keys().next().copied())
    }

    /// Everything that is known of a child at the moment that is shown; none where the journal has
    /// to be asked first, and for a child of a later moment.
    pub fn detail(&self, child: u64) -> Option<ChildDetail> {
        let ended = || {
            self.row(child)
                .and_then(|_| self.details.of(child))
                .cloned()
        };
        detail_in(self.state(), child).or_else(ended)
    }

    pub(super) fn detail_of_live(&self, child: u64) -> Option<ChildDetail> {
        detail_in(&self.live, child)
    }

    /// The row of a child that has ended at the moment that is shown.
    pub fn row(&self, child: u64) -> Option<&ChildRow> {
        row_in(self.state(), child)
    }

    /// A child that is shown but not known.
    pub(super) fn wanted_child(&self) -> Option<Wanted> {
        let (one, other) = self.view.list.wanted(self.state()).unzip();
        let shown = [self.inspected_child(), self.shown_child(), one, other]
            .into_iter()
            .flatten();
        let mut unknown = shown.filter(|child| {
            !self.state().search().waiting.contains_key(child) && !self.details.has(*child)
        });
        unknown.find_map(|child| {
            let row = self.row(child).filter(|row| row.sampled_seq > 0)?;
            Some(Wanted::Child {
                child,
                sampled_seq: row.sampled_seq,
                ended_seq: Some(row.ended_seq),
            })
        })
    }

    /// Show the child before or after the one shown; after the newest one, follow the training
    /// again.
    pub(super) fn step_child(&mut self, forward: bool) {
        let Some(shown) = self.shown_child() else {
            return;
        };
        let state = self.state();
        // Numbers have gaps: those of edited children come after all that the search may still
        // sample.
        let known = || {
            state
                .search()
                .children
                .iter()
                .map(|row| row.child)
                .chain(state.search().waiting.keys().copied())
        };
        let next = if forward {
            known().filter(|child| *child > shown).min()
        } else {
            Some(
                known()
                    .filter(|child| *child < shown)
                    .max()
                    .unwrap_or(shown),
            )
        };
        self.view.dna_top = 0;
        self.view.chosen = next;
    }

    /// Show the child of another worker.
    pub(super) fn step_worker(&mut self, forward: bool) {
        let current = self.view.worker;
        let mut workers = self.state().search().training.keys().copied();
        let next = if forward {
            workers.find(|worker| *worker > current)
        } else {
            workers.rfind(|worker| *worker < current)
        };
        self.view.chosen = None;
        self.view.dna_top = 0;
        if let Some(worker) = next {
            self.view.worker = worker;
        }
    }

    /// Copy the network of the child shown, or the one that is trained, to the clipboard.
    pub(super) fn copy(&mut self, action: Action) -> Effect {
        let trained = self
            .live
            .training_run()
            .map(|run| &run.started.architecture);
        let (name, dna, architecture) = match (
            trained,
            self.child_at_hand().and_then(|child| self.detail(child)),
        ) {
            (Some(architecture), _) => (
                architecture.name.clone(),
                Dna::default(),
                architecture.clone(),
            ),
            (None, Some(detail)) => {
                let Candidate {
                    child,
                    dna,
                    architecture,
                    ..
                } = detail.candidate;
                (format!("child {child}"), dna, architecture)
            }
            (None, None) => {
                self.tell(Level::Info, "there is no child to copy yet");
                return Effect::Draw;
            }
        };
        let (text, what) = match action {
            Action::CopyJson => (export::json(&architecture), "network as JSON"),
            Action::CopyCode => match export::pytorch::module(&architecture) {
                Ok(text) => (text, "network as PyTorch code"),
                Err(error) => {
                    self.tell(Level::Warning, error.to_string());
                    return Effect::Draw;
                }
            },
            _ => (export::dna(&dna), "DNA"),
        };
        self.tell(
            Level::Info,
            format!("{name}: {what} copied ({} characters)", text.len()),
        );
        Effect::Copy(text)
    }
}

fn detail_in(state: &RunState, child: u64) -> Option<ChildDetail> {
    let candidate = state.search().waiting.get(&child)?.clone();
    let training = state
        .search()
        .training
        .values()
        .find(|training| training.child == child);
    let epochs = training
        .map(|training| training.epochs.clone())
        .unwrap_or_default();
    Some(ChildDetail {
        candidate,
        epochs,
        row: None,
    })
}

/// Children end nearly in the order of their numbers: the search begins where the child would be.
fn row_in(state: &RunState, child: u64) -> Option<&ChildRow> {
    if state.search().waiting.contains_key(&child) {
        return None;
    }
    let rows = &state.search().children;
    let guess = (child.saturating_sub(1) as usize).min(rows.len());
    let near = guess.saturating_sub(64)..(guess + 64).min(rows.len());
    let is_it = |row: &&ChildRow| row.child == child;
    rows[near]
        .iter()
        .find(is_it)
        .or_else(|| rows.iter().find(is_it))
}

/// The highest number of a child that has been sampled.
fn newest_child(state: &RunState) -> u64 {
    let ended = state
        .search()
        .children
        .iter()
        .rev()
        .take(256)
        .map(|row| row.child)
        .max()
        .unwrap_or(0);
    ended.max(
        state
            .search()
            .waiting
            .keys()
            .next_back()
            .copied()
            .unwrap_or(0),
    )
}

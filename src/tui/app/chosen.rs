//! The child shown in the panels.

use super::{App, Effect, Wanted};
use crate::event::Level;
use crate::export;
use crate::space::{Design, Dna};
use crate::state::{Candidate, ChildDetail};
use crate::tui::details::detail_in;
use crate::tui::keymap::Action;

impl App {
    /// The child shown in the panels.
    pub fn shown_child(&self) -> Option<u64> {
        self.scene().shown_child()
    }

    /// What is known about a child at the moment shown.
    pub fn detail(&self, child: u64) -> Option<ChildDetail> {
        self.scene().detail(child)
    }

    /// Process the details of a child read from the journal.
    pub fn take_detail(&mut self, detail: ChildDetail) {
        self.details.keep(detail);
        self.refresh_inspector();
    }

    /// Note that the journal cannot answer a request, so that it is not repeated.
    pub fn take_failure(&mut self, wanted: Wanted, problem: String) {
        match wanted {
            Wanted::Child { child, .. } => self.details.give_up(child),
            Wanted::State { .. } => self.return_to_the_present(),
        }
        self.tell(Level::Error, problem);
    }

    pub(super) fn detail_of_live(&self, child: u64) -> Option<ChildDetail> {
        detail_in(&self.live, child)
    }

    /// A child that is shown but not loaded yet.
    pub(super) fn wanted_child(&self) -> Option<Wanted> {
        let scene = self.scene();
        let panels = self.view.panels.iter();
        let in_panels = panels.flat_map(|panel| panel.wanted(&scene));
        let shown = [
            self.inspected_child(),
            scene.shown_child(),
            self.child_at_hand(),
        ];
        let shown = shown.into_iter().flatten().chain(in_panels);
        let search = self.state().search();
        let waiting = &search.waiting;
        let just_ended = |child: u64| search.just_ended(child)?.candidate.as_ref();
        let is_known = |child: u64| {
            let candidate = waiting.get(&child).or_else(|| just_ended(child));
            candidate.is_some_and(Candidate::has_choices)
        };
        let mut unknown = shown.filter(|child| !is_known(*child) && !self.details.has(*child));
        unknown.find_map(|child| {
            if let Some(candidate) = waiting.get(&child) {
                return Some(Wanted::Child {
                    child,
                    sampled_seq: candidate.seq,
                    ended_seq: None,
                });
            }
            let row = scene.row(child).filter(|row| row.sampled_seq > 0)?;
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
        // Numbers have gaps: edited children are numbered after all that the search may still
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
        self.choose(next);
    }

    /// Show a child in all panels; `None` means the one in training.
    pub(super) fn choose(&mut self, child: Option<u64>) {
        self.view.chosen = child;
        let panels = self.view.panels.iter_mut();
        panels.for_each(|panel| panel.child_chosen());
    }

    /// Show the child of another worker.
    pub(super) fn step_worker(&mut self, forward: bool) {
        let current = self.view.worker;
        let workers = self.scene().workers();
        let next = if forward {
            workers.range(current + 1..).next().copied()
        } else {
            workers.range(..current).next_back().copied()
        };
        self.choose(None);
        if let Some(worker) = next {
            self.view.worker = worker;
        }
    }

    /// Copy the network of the child shown, or the one in training, to the clipboard.
    pub(super) fn copy(&mut self, action: Action) -> Effect {
        let trained = self
            .live
            .training_run()
            .map(|run| &run.started.architecture);
        let child = self.child_at_hand();
        let (name, dna, architecture) = match (trained, child.and_then(|child| self.detail(child)))
        {
            (Some(architecture), _) => (
                architecture.name.clone(),
                Dna::default(),
                architecture.clone(),
            ),
            (None, Some(detail)) => {
                let Candidate {
                    child, dna, design, ..
                } = detail.candidate;
                let name = format!("child {child}");
                match design {
                    Design::Network(architecture) => (name, dna, architecture),
                    Design::Key(key) => return self.copy_cell(&name, &dna, &key, action),
                }
            }
            (None, None) => {
                let unread = child.map(|child| self.unread(child));
                self.tell(Level::Info, unread.unwrap_or_else(|| self.no_child()));
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

    /// Copy a child of a tabular space.
    fn copy_cell(&mut self, name: &str, dna: &Dna, key: &str, action: Action) -> Effect {
        let text = match action {
            Action::CopyJson | Action::CopyCode => key.to_owned(),
            _ => export::dna(dna),
        };
        self.tell(
            Level::Info,
            format!("{name}: copied ({} characters)", text.len()),
        );
        Effect::Copy(text)
    }
}

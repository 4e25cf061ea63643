//! The effects of keys in the inspector: each action changes the view, and may ask for something to
//! be done outside.

use std::borrow::Cow;

use ratatui::layout::Size;

use super::curves;
use super::draft::{Build, Draft};
use super::graph;
use super::relatives::Relatives;
use super::subject::{Subject, is_known};
use super::{InspectorView, Known, Tab};
use crate::event::Level;
use crate::export;
use crate::space::{Architecture, Dna, Space};
use crate::tui::keymap::Action;
use crate::tui::panels::scroll::Scroll;
use crate::tui::target::Part;

/// What remains to be done outside the inspector.
#[derive(Debug, Clone, PartialEq)]
pub enum InspectorEffect {
    /// Only draw.
    Draw,
    /// Tell the user.
    Tell {
        level: Level,
        text: String,
    },
    /// Put `text` on the clipboard; `what` describes it to the user.
    Copy {
        text: String,
        what: String,
    },
    /// Write texts to new files with these names or similar ones.
    Save(Vec<(String, String)>),
    /// Send [`Command::Train`](crate::link::Command::Train).
    Queue {
        parent: u64,
        dna: Dna,
    },
    Close,
}

/// The form in which a child is copied or saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextForm {
    Dna,
    Json,
    PyTorch,
}

impl InspectorView {
    /// Open `child`, whose part of the journal may not have been read yet: see
    /// [`InspectorView::refresh`].
    pub fn open(child: u64, known: &Known<'_>) -> InspectorView {
        let mut view = InspectorView {
            child,
            tab: Tab::Graph,
            rows: [0; Tab::ALL.len()],
            relatives: None,
            draft: None,
            twin: None,
            history: Vec::new(),
        };
        view.refresh(known);
        view
    }

    /// Update the view with what has become known about the child. Call this when its details have
    /// been read.
    pub fn refresh(&mut self, known: &Known<'_>) {
        let subject = Subject::of(self.child, known);
        let Some(dna) = &subject.dna else { return };
        if self.draft.is_none() {
            self.draft = Draft::of(dna);
        }
        let is_stale = self
            .relatives
            .as_ref()
            .is_none_or(|relatives| relatives.of != known.state.search().children.len());
        if self.tab == Tab::Relatives && is_stale {
            self.relatives = Some(Relatives::of(self.child, dna, subject.parent, known.state));
        }
    }

    /// Handle a key; `None` if it means the same as elsewhere. `size` is that of the area in which
    /// the inspector is drawn.
    pub fn act(
        &mut self,
        action: Action,
        known: &Known<'_>,
        size: Size,
    ) -> Option<InspectorEffect> {
        match action {
            Action::Back => return Some(InspectorEffect::Close),
            Action::NextTab => self.turn_to(1, known),
            Action::PreviousTab => self.turn_to(Tab::ALL.len() - 1, known),
            Action::Left => self.sideways(false, known),
            Action::Right => self.sideways(true, known),
            Action::Inspect if self.tab == Tab::Relatives => self.sideways(true, known),
            Action::Inspect => {}
            Action::More => return Some(self.step(true, known)),
            Action::Less => return Some(self.step(false, known)),
            Action::Reset => self.reset(),
            Action::Queue => return Some(self.queue(known)),
            Action::Copy => return Some(self.copy(TextForm::Dna, known)),
            Action::CopyJson => return Some(self.copy(TextForm::Json, known)),
            Action::CopyCode => return Some(self.copy(TextForm::PyTorch, known)),
            Action::Save => return Some(self.save(known)),
            action => self.scroll(Scroll::of(action)?, known, size),
        }
        Some(InspectorEffect::Draw)
    }

    /// Do what a click on one of its parts means: open the page, or select the row. The relative
    /// that is already selected is opened.
    pub fn click(&mut self, part: Part, known: &Known<'_>) {
        match (part, self.tab) {
            (Part::Page(page), _) => {
                self.tab = Tab::ALL[page.min(Tab::ALL.len() - 1)];
                self.refresh(known);
            }
            (Part::Row(row), Tab::Edit) => {
                self.draft.iter_mut().for_each(|draft| draft.go_to(row));
            }
            (Part::Row(row), Tab::Relatives) if row == self.row() => self.sideways(true, known),
            (Part::Row(row), _) if self.has_cursor() => self.rows[self.tab as usize] = row,
            _ => {}
        }
    }

    /// Whether a row of the open page is selected.
    pub(super) fn has_cursor(&self) -> bool {
        matches!(self.tab, Tab::Graph | Tab::Relatives | Tab::Edit)
    }

    fn turn_to(&mut self, further: usize, known: &Known<'_>) {
        self.tab = Tab::ALL[(self.tab as usize + further) % Tab::ALL.len()];
        self.refresh(known);
    }

    /// Select another row, or show other ones.
    pub fn scroll(&mut self, scroll: Scroll, known: &Known<'_>, size: Size) {
        let page = self.room(known, size).saturating_sub(3).max(1);
        if let (Tab::Edit, Some(draft)) = (self.tab, &mut self.draft) {
            draft.scroll(scroll, page);
            return;
        }
        let last = self.last_row(known, size);
        let row = &mut self.rows[self.tab as usize];
        *row = scroll.among(*row, page, last);
    }

    /// Whether up and down would change something in an inspector of `size`.
    pub fn scrolls(&self, known: &Known<'_>, size: Size) -> bool {
        self.tab == Tab::Edit || self.last_row(known, size) > 0
    }

    /// The last row that can be selected or, without a selection, the last that can be shown first.
    fn last_row(&self, known: &Known<'_>, size: Size) -> usize {
        let subject = Subject::of(self.child, known);
        let room = self.room(known, size);
        match self.tab {
            Tab::Graph => subject.architecture.map_or(0, |architecture| {
                graph::rows(&architecture).saturating_sub(1)
            }),
            // Totals and headings stay; a row per layer and the classifier scroll below them.
            Tab::Costs => {
                let rows = subject
                    .architecture
                    .map_or(0, |architecture| architecture.layers.len() + 1);
                (rows + 2).saturating_sub(room)
            }
            Tab::Curves => {
                let epochs = subject.epochs.len();
                (epochs + 1).saturating_sub(room - curves::chart_rows(epochs, room))
            }
            Tab::Relatives => self
                .relatives
                .as_ref()
                .map_or(0, |relatives| relatives.entries.len().saturating_sub(1)),
            Tab::Edit => 0,
        }
    }

    fn sideways(&mut self, right: bool, known: &Known<'_>) {
        let target = match (self.tab, right) {
            (Tab::Edit, _) => {
                self.draft
                    .iter_mut()
                    .for_each(|draft| draft.move_sideways(if right { 1 } else { -1 }));
                None
            }
            (Tab::Relatives, true) => {
                let chosen = self
                    .relatives
                    .as_ref()
                    .and_then(|relatives| relatives.entries.get(self.row()));
                let child = chosen.map(|relative| relative.row.child);
                self.history.extend(child.map(|_| self.child));
                child
            }
            (Tab::Relatives, false) => self.history.pop(),
            (_, true) => self
                .child
                .checked_add(1)
                .filter(|child| is_known(known.state, *child)),
            (_, false) => self
                .child
                .checked_sub(1)
                .filter(|child| is_known(known.state, *child)),
        };
        if let Some(child) = target {
            self.show(child, known);
        }
    }

    /// Show another child on the same tab.
    fn show(&mut self, child: u64, known: &Known<'_>) {
        self.child = child;
        self.rows = [0; Tab::ALL.len()];
        (self.relatives, self.draft, self.twin) = (None, None, None);
        self.refresh(known);
    }

    fn step(&mut self, larger: bool, known: &Known<'_>) -> InspectorEffect {
        let editing = self
            .draft
            .as_mut()
            .zip(known.state.search().started.as_ref())
            .filter(|_| self.tab == Tab::Edit);
        let Some((draft, run)) = editing else {
            return InspectorEffect::Draw;
        };
        if !draft.step(&run.heads, larger) {
            let end = if larger { "largest" } else { "smallest" };
            return tell(
                Level::Info,
                format!("{} is the {end} option", draft.current()),
            );
        }
        // Determined here and not while drawing, because there may be 100,000 children.
        self.twin = draft
            .is_edited()
            .then(|| draft.twin(&known.state.search().children))
            .flatten()
            .cloned();
        InspectorEffect::Draw
    }

    fn reset(&mut self) {
        if let (Tab::Edit, Some(draft)) = (self.tab, &mut self.draft) {
            draft.reset();
            self.twin = None;
        }
    }

    fn queue(&self, known: &Known<'_>) -> InspectorEffect {
        if self.tab != Tab::Edit {
            return tell(
                Level::Info,
                "only an edited child can be queued: change a value on the page Edit".to_owned(),
            );
        }
        let (Some(draft), Some(space)) = (&self.draft, self.space(known)) else {
            return tell(
                Level::Warning,
                "not queued: its DNA is not known here".to_owned(),
            );
        };
        match Build::of(draft.dna(), &space).problem() {
            _ if !draft.is_edited() => tell(
                Level::Info,
                "change a value first: this is the child as it was".to_owned(),
            ),
            Some(problem) => tell(Level::Warning, format!("not queued: {problem}")),
            None => InspectorEffect::Queue {
                parent: self.child,
                dna: draft.dna().clone(),
            },
        }
    }

    fn space(&self, known: &Known<'_>) -> Option<Space> {
        known.state.search().started.as_ref()?.space().ok()
    }

    /// A file name, and the network as PyTorch code (with the edits, on Edit).
    ///
    /// # Errors
    /// Why there is none.
    pub fn code(&self, known: &Known<'_>) -> Result<(String, String), String> {
        self.written(TextForm::PyTorch, known)
    }

    fn copy(&self, form: TextForm, known: &Known<'_>) -> InspectorEffect {
        match self.written(form, known) {
            Ok((what, text)) => InspectorEffect::Copy { text, what },
            Err(problem) => tell(Level::Warning, problem),
        }
    }

    fn save(&self, known: &Known<'_>) -> InspectorEffect {
        match [TextForm::Dna, TextForm::Json, TextForm::PyTorch]
            .into_iter()
            .map(|form| self.written(form, known))
            .collect()
        {
            Ok(files) => InspectorEffect::Save(files),
            Err(problem) => tell(Level::Warning, problem),
        }
    }

    /// A file name and the text of the child in one of its forms (with the edits, on Edit), or the
    /// reason why there is none.
    fn written(&self, form: TextForm, known: &Known<'_>) -> Result<(String, String), String> {
        let edited = self
            .draft
            .as_ref()
            .filter(|draft| self.tab == Tab::Edit && draft.is_edited());
        let name = format!(
            "child-{}{}",
            self.child,
            if edited.is_some() { "-edited" } else { "" }
        );
        let subject = Subject::of(self.child, known);
        let unknown = || "its network is not known here yet".to_owned();
        if form == TextForm::Dna {
            let dna = edited
                .map(|draft| draft.dna().clone())
                .or(subject.dna)
                .ok_or_else(unknown)?;
            return Ok((format!("{name}.dna.json"), export::dna(&dna)));
        }
        let architecture: Cow<'_, Architecture> = match edited {
            Some(draft) => {
                let space = self.space(known).ok_or_else(unknown)?;
                Cow::Owned(
                    space
                        .network(draft.dna(), &name)
                        .map_err(|error| error.to_string())?,
                )
            }
            None => subject.architecture.ok_or_else(unknown)?,
        };
        match form {
            TextForm::PyTorch => {
                let text =
                    export::pytorch::module(&architecture).map_err(|error| error.to_string())?;
                Ok((format!("{name}.py"), text))
            }
            _ => Ok((format!("{name}.json"), export::json(&architecture))),
        }
    }
}

fn tell(level: Level, text: String) -> InspectorEffect {
    InspectorEffect::Tell { level, text }
}

//! The inspector: everything about one child, and what it would be if it were different.
//!
//! ```text
//! Action -> act: InspectorView, InspectorEffect -> owner of the connection, the terminal and the files
//! RunState, ChildDetail -> subject -> a tab's content -> painter
//! ```

mod act;
mod costs;
mod curves;
mod draft;
mod edit;
pub mod graph;
mod rails;
mod relatives;
mod subject;
pub mod table;
#[cfg(test)]
mod tests;

pub use act::InspectorEffect;

use ratatui::layout::{Rect, Size};

use super::panel::{Hint, hints};
use super::{Content, Row, wrapped};
use crate::report::page::{CsvTable, tables};
use crate::state::{ChildDetail, ChildRow, RunState};
use crate::tui::format;
use crate::tui::keymap::Action;
use crate::tui::paint::Painter;
use crate::tui::target::{Part, Target};
use crate::tui::theme::{Glyphs, Role};
use draft::Draft;
use relatives::Relatives;
use subject::Subject;

/// Height from which on rows are left empty for readability.
const ROOMY: usize = 24;
/// Maximum number of rows for the note on a child, where there is room.
const NOTE_ROWS: usize = 3;

/// What the inspector shows and acts on.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The run at the moment shown.
    pub state: &'a RunState,
    /// Details of the child from the journal, once they have been read. (Details of another child
    /// are ignored.)
    pub detail: Option<&'a ChildDetail>,
    /// Whether the children that were last in training are no longer being trained.
    pub is_abandoned: bool,
}

/// A page of the inspector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Graph,
    Costs,
    Curves,
    Relatives,
    Edit,
}

impl Tab {
    /// In the order in which they are shown.
    pub const ALL: [Tab; 5] = [
        Tab::Graph,
        Tab::Costs,
        Tab::Curves,
        Tab::Relatives,
        Tab::Edit,
    ];

    fn name(self) -> &'static str {
        match self {
            Tab::Graph => "Graph",
            Tab::Costs => "Costs",
            Tab::Curves => "Curves",
            Tab::Relatives => "Relatives",
            Tab::Edit => "Edit",
        }
    }
}

/// What the user sees in the inspector.
#[derive(Debug, Clone)]
pub struct InspectorView {
    child: u64,
    tab: Tab,
    /// By tab: the selected row, or the first row shown if none is selected. (For Edit, the draft
    /// has it.)
    rows: [usize; Tab::ALL.len()],
    relatives: Option<Relatives>,
    draft: Option<Draft>,
    /// The first child that already has the edited DNA.
    twin: Option<ChildRow>,
    /// Children shown before, for going back.
    history: Vec<u64>,
}

impl InspectorView {
    /// The child shown.
    pub fn child(&self) -> u64 {
        self.child
    }

    /// What the page shown is about, for the footer.
    pub fn hints(&self) -> &'static [Hint] {
        match self.tab {
            Tab::Graph => hints!["layer": Up, Down; "other child": Left, Right],
            Tab::Costs | Tab::Curves => hints!["scroll": Up, Down; "other child": Left, Right],
            Tab::Relatives => hints!["choose": Up, Down; "open": Inspect; "back": Left],
            Tab::Edit => {
                hints!["choose": Left, Right, Up, Down; "change": More, Less; "undo": Reset; "train": Queue]
            }
        }
    }

    /// Whether what the page shown is about includes this.
    pub fn is_hinted(&self, action: Action) -> bool {
        let mut hints = self.hints().iter();
        hints.any(|hint| hint.actions.contains(&action))
    }

    /// The name of the page shown.
    pub fn page_name(&self) -> &'static str {
        self.tab.name()
    }

    /// What the open page shows as a table; `None` if it is no table, or is not known yet.
    pub fn table(&self, known: &Known<'_>) -> Option<CsvTable> {
        let subject = Subject::of(self.child, known);
        match self.tab {
            Tab::Graph | Tab::Costs => tables::layers(subject.architecture.as_deref()?),
            Tab::Curves if subject.epochs.is_empty() => None,
            Tab::Curves => Some(tables::child_epochs(subject.epochs)),
            Tab::Relatives => {
                let entries = &self.relatives.as_ref()?.entries;
                let rows = entries.iter().map(|relative| &relative.row);
                let distances = entries.iter().map(|relative| relative.distance.to_string());
                let notes = &known.state.search().notes;
                let table = tables::some_children("relatives", rows, notes);
                Some(table.with_first("edit_distance", distances))
            }
            Tab::Edit => None,
        }
    }

    /// The inspector in the painter's area.
    pub fn draw(&self, known: &Known<'_>, painter: &mut Painter<'_>) {
        let subject = Subject::of(self.child, known);
        let width = painter.width();
        painter.pieces(0, 0, &subject.facts(known, width));
        let note = self.note(known, painter.area().as_size(), painter.glyphs().ellipsis);
        for (row, y) in note.iter().zip(1..) {
            painter.pieces(0, y, row);
        }
        let tabs = 1 + note.len();
        self.draw_tabs(&mut painter.part(Rect {
            y: painter.area().y + tabs as u16,
            height: 1,
            ..painter.area()
        }));
        let area = content_area(painter.area(), note.len());
        let mut height = usize::from(area.height);
        let content = self.content(&subject, known, width, painter.glyphs());
        if self.tab == Tab::Curves && !subject.epochs.is_empty() {
            let planned = known.state.search().child_epochs();
            curves::draw(subject.epochs, planned, self.row(), &mut painter.part(area));
            height -= curves::chart_rows(subject.epochs.len(), height);
        } else {
            let (mut inside, top) = (painter.part(area), self.top(&content, height));
            content.draw(&mut inside, top);
            if self.has_cursor() {
                content.mark(&mut inside, top, |row| Some(Target::Part(Part::Row(row))));
            }
        }
        if let Some(position) = content.position(height, self.top(&content, height)) {
            painter.right(width, tabs, Role::Dim, &position);
        }
    }

    /// The note on the child in an inspector of `size`; no rows if there is none. One that is too long for
    /// them is read in the line in which it is written.
    fn note(&self, known: &Known<'_>, size: Size, ellipsis: &str) -> Vec<Row> {
        const LABEL: &str = "note ";
        let Some(note) = known.state.search().notes.of(self.child) else {
            return Vec::new();
        };
        let is_roomy = usize::from(size.height) >= ROOMY;
        let most = if is_roomy { NOTE_ROWS } else { 1 };
        let width = usize::from(size.width).saturating_sub(LABEL.len());
        let mut lines = format::wrap(note, width);
        if lines.len() > most {
            let rest = lines.split_off(most - 1).join(" ");
            lines.push(format::fit(&rest, width, ellipsis));
        }
        let labels = std::iter::once(LABEL).chain(std::iter::repeat("     "));
        let rows = labels.zip(lines);
        rows.map(|(label, line)| vec![(Role::Dim, label.to_owned()), (Role::Text, line)])
            .collect()
    }

    /// Number of rows for a tab's content in an inspector of `size`.
    fn room(&self, known: &Known<'_>, size: Size) -> usize {
        let area = Rect::new(0, 0, size.width, size.height);
        usize::from(content_area(area, self.note(known, size, "").len()).height)
    }

    fn draw_tabs(&self, painter: &mut Painter<'_>) {
        let mut x = 0;
        for tab in Tab::ALL {
            // Where text cannot be reversed or bold, brackets mark the open tab.
            let (role, text) = match tab == self.tab {
                true => (Role::Selected, format!("[{}]", tab.name())),
                false => (Role::Dim, format!(" {} ", tab.name())),
            };
            let end = painter.text(x, 0, role, &text);
            let page = Target::Part(Part::Page(tab as usize));
            painter.target((x, 0), (end - x, 1), page);
            x = end + 1;
        }
    }

    /// The content of the open tab, except for the charts of Curves.
    fn content(
        &self,
        subject: &Subject<'_>,
        known: &Known<'_>,
        width: usize,
        glyphs: &Glyphs,
    ) -> Content {
        let heads = known.state.search().heads();
        let content = match (self.tab, &subject.architecture) {
            (Tab::Graph, Some(architecture)) => {
                graph::content(architecture, self.row(), width, glyphs)
            }
            (Tab::Costs, Some(architecture)) => {
                costs::content(architecture, known.state, width, glyphs)
            }
            (Tab::Curves, _) if !subject.epochs.is_empty() => {
                curves::figures(subject.epochs, width)
            }
            (Tab::Curves, _) => notice(&no_epochs(subject, known), width),
            (Tab::Relatives, _) => match &self.relatives {
                Some(relatives) => {
                    let accuracy = subject.row.and_then(|row| row.accuracy);
                    relatives::content(relatives, accuracy, heads, self.row(), width, glyphs)
                }
                None => notice(&unknown(subject), width),
            },
            (Tab::Edit, _) => self.edit_content(subject, known, width, glyphs),
            (Tab::Graph | Tab::Costs, None) => notice(&unknown(subject), width),
        };
        with_failure(content, subject, known, width)
    }

    fn edit_content(
        &self,
        subject: &Subject<'_>,
        known: &Known<'_>,
        width: usize,
        glyphs: &Glyphs,
    ) -> Content {
        let Some(draft) = &self.draft else {
            return notice(&unknown(subject), width);
        };
        match known.state.search().started.as_ref().map(|run| run.space()) {
            None => notice("the run has not told its decisions yet", width),
            Some(Err(error)) => notice(&error.to_string(), width),
            Some(Ok(space)) => edit::content(draft, &space, self.twin.as_ref(), width, glyphs),
        }
    }

    /// The first row to show: the selected one is in the middle, if there is one.
    fn top(&self, content: &Content, height: usize) -> usize {
        let row = match (self.tab, &self.draft) {
            (Tab::Costs | Tab::Curves, _) => return self.row(),
            (Tab::Edit, Some(draft)) => draft.cursor().0,
            _ => self.row(),
        };
        row.saturating_sub(content.room(height) / 2)
            .min(content.last_top(height))
    }

    fn row(&self) -> usize {
        self.rows[self.tab as usize]
    }
}

/// The area below facts, `note_rows` rows of a note, and tabs.
fn content_area(area: Rect, note_rows: usize) -> Rect {
    let is_roomy = usize::from(area.height) >= ROOMY;
    let above = (2 + u16::from(is_roomy) + note_rows as u16).min(area.height);
    Rect {
        y: area.y + above,
        height: area.height - above,
        ..area
    }
}

fn notice(text: &str, width: usize) -> Content {
    wrapped(Role::Dim, text, width).into()
}

/// Why a child's network cannot be shown.
fn unknown(subject: &Subject<'_>) -> String {
    match subject.is_read {
        true if subject.dna.is_some() => {
            "it is looked up in a table: there is no network to show".to_owned()
        }
        true => "the journal tells nothing of its network".to_owned(),
        false => "reading the journal".to_owned(),
    }
}

/// Why there are no curves.
fn no_epochs(subject: &Subject<'_>, known: &Known<'_>) -> String {
    let repeated = subject.row.and_then(|row| row.repeat_of);
    match (subject.status, repeated) {
        (_, Some(earlier)) => {
            format!(
                "The same network as child {earlier}: it was not trained again, and has that child's accuracy."
            )
        }
        (subject::Standing::Waiting, _) => "It waits for a worker.".to_owned(),
        (subject::Standing::Training { .. }, _) => "Its first epoch is under way.".to_owned(),
        _ if !subject.is_read => "reading the journal".to_owned(),
        (subject::Standing::Failed, _) if subject.failure(known.state).is_none() => {
            "It failed before its first epoch was done.".to_owned()
        }
        (subject::Standing::Excluded, _) if subject.failure(known.state).is_none() => {
            "It is excluded, nothing is learned from it.".to_owned()
        }
        _ => "The journal has no epochs of it.".to_owned(),
    }
}

/// Put first why the child failed or was excluded.
fn with_failure(
    mut content: Content,
    subject: &Subject<'_>,
    known: &Known<'_>,
    width: usize,
) -> Content {
    if let Some(reason) = subject.failure(known.state) {
        let (role, words) = match subject.status {
            subject::Standing::Excluded => {
                (Role::Warning, "It is excluded, nothing is learned from it")
            }
            _ => (Role::Error, "It failed"),
        };
        let rows = wrapped(role, &format!("{words}: {reason}"), width);
        content.head.splice(0..0, rows.into_iter().take(2));
    }
    content
}

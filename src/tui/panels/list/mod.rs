//! All children of the run: a table to sort, filter and mark; two of them side by side; accuracy
//! against cost.
//!
//! [`ListView`] holds what the user selected; nothing here changes it while drawing.

mod columns;
mod compare;
mod export;
mod filter;
mod order;
mod pareto;
mod table;
mod view;
mod words;

#[cfg(test)]
mod tests;

pub use view::{ListMode, ListView};

use ratatui::layout::Rect;

use self::words::{beside_comparison, beside_table, count};

use super::PanelId;
use super::panel::{About, AtHand, Hint, LazyTable, PANELS, Panel, Response, SEARCH, hints};
use super::scene::Scene;
use super::scroll::Scroll;
use crate::config::{Column, LayoutName};
use crate::event::Level;
use crate::state::{ChildDetail, RunState};
use crate::tui::keymap::{Action, Binding, Scope, keys};
use crate::tui::paint::Painter;
use crate::tui::target::Part;
use crate::tui::text_line::Purpose;

/// The details of a child from the journal, if they have been read.
pub type DetailOf<'a> = &'a dyn Fn(u64) -> Option<ChildDetail>;

/// Draw the panel. `details` is called for the children of [`ListView::wanted`].
pub fn draw(
    painter: &mut Painter<'_>,
    state: &RunState,
    view: &ListView,
    focused: bool,
    details: DetailOf<'_>,
) {
    let area = super::inside(painter.area());
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let glyphs = painter.glyphs();
    match view.mode() {
        ListMode::Table => {
            let beside = beside_table(view, state, glyphs);
            super::title(
                painter,
                focused,
                "Children",
                &beside,
                table::position(view, height).as_deref(),
            );
            table::draw(&mut painter.part(area), state, view, focused);
        }
        ListMode::Pareto => {
            let plotted = view.order().points().len();
            let beside = count(plotted, state, " children");
            super::title(painter, focused, "Accuracy against MACs", &beside, None);
            pareto::draw(&mut painter.part(area), state, view);
        }
        ListMode::Compare => {
            let content = compare::content(view, state, details, glyphs, width);
            let position = content.position(height, view.compare_top());
            super::title(
                painter,
                focused,
                "Two children",
                &beside_comparison(view),
                position.as_deref(),
            );
            content.draw(&mut painter.part(area), view.compare_top());
        }
    }
}

const HERE: Scope = Scope::Panel(PanelId("children"));

/// The keys of this panel only.
const KEYS: &[Binding] = keys! {
    HERE ["s"] SortNext "children: sort by the next column" ("sort");
    HERE ["S"] SortPrevious "children: sort by the previous column";
    HERE ["r"] ReverseSort "children: reverse the order";
    HERE ["m"] Mark "children: mark" ("mark");
    HERE ["M"] ClearMarks "children: remove all marks";
    HERE ["c"] Compare "children: two marked ones side by side" ("compare");
    HERE ["v"] ChooseColumns "children: choose columns, as in accuracy macs time";
    HERE ["H"] PanLeft "children: columns further left";
    HERE ["L"] PanRight "children: columns further right";
    HERE ["p"] TogglePareto "children: accuracy against MACs" ("Pareto");
    HERE ["n"] Note "children: write a note on one, with #tags if you like" ("note");
};

#[linkme::distributed_slice(PANELS)]
static ABOUT: About = About {
    keys: KEYS,
    leads: &[LayoutName::Children],
    ..About::of::<ListView>("children", "Children", 50, SEARCH)
};

impl Panel for ListView {
    fn draw(&self, scene: &Scene<'_>, focused: bool, painter: &mut Painter<'_>) {
        draw(painter, scene.state, self, focused, &|child| {
            scene.detail(child)
        });
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>, area: Rect) -> Option<Response> {
        if action == Action::Back {
            let was_compared = self.mode() == ListMode::Compare;
            return match self.leave_mode() {
                true if was_compared => Some(self.after_comparison(scene)),
                true => Some(Response::Draw),
                false => self.clear_filter().then_some(Response::Draw),
            };
        }
        if !self.has_page_for(action) {
            let back = match self.mode() {
                ListMode::Pareto => Action::TogglePareto,
                _ => Action::Compare,
            };
            let text = format!(
                "that key is for the table, which {} shows again",
                scene.keymap.key_of(back)
            );
            return Some(Response::Tell(Level::Info, text));
        }
        let inside = super::inside(area);
        if let Action::PanLeft | Action::PanRight = action {
            let forward = action == Action::PanRight;
            let width = table::width_of_figures(usize::from(inside.width));
            columns::pan(self, forward, scene.state, width);
            return Some(Response::Draw);
        }
        let (before, was_compared) = (
            self.selected(scene.state),
            self.wanted(scene.state).is_some(),
        );
        if action == Action::Mark && before.is_none() {
            return Some(Response::Tell(
                Level::Info,
                "there is no child to mark".into(),
            ));
        }
        let height = inside.height;
        if !self.perform(action, scene.state, usize::from(height)) {
            return None;
        }
        if self.wanted(scene.state).is_some() {
            return Some(self.of_comparison(scene));
        }
        if was_compared {
            return Some(self.after_comparison(scene));
        }
        let chosen = self.selected(scene.state);
        let moves = Scroll::of(action).is_some() && self.mode() != ListMode::Compare;
        let moved = moves && chosen.is_some() && chosen != scene.chosen;
        Some(if moved {
            Response::Choose(chosen)
        } else if sorts(action) {
            self.after_sorting(scene)
        } else {
            Response::Draw
        })
    }

    fn word(&self, action: Action) -> Option<&'static str> {
        let back = match self.mode() {
            ListMode::Table => return None,
            ListMode::Pareto => Action::TogglePareto,
            ListMode::Compare => Action::Compare,
        };
        (action == back).then_some("table")
    }

    fn hints(&self) -> &'static [Hint] {
        match self.mode() {
            ListMode::Table => hints!["child": Up, Down; "filter": Search],
            ListMode::Pareto => hints!["along the front": Up, Down; "filter": Search],
            ListMode::Compare => hints!["child": Left, Right; "scroll": Up, Down],
        }
    }

    fn more_hints(&self) -> &'static [Hint] {
        hints!["open the child in the inspector": Inspect]
    }

    fn offers(&self, action: Action, scene: &Scene<'_>) -> bool {
        let is_compared = ListView::wanted(self, scene.state).is_some();
        let has_child = self.selected(scene.state).is_some();
        match (self.mode(), action) {
            (ListMode::Compare, Action::Left | Action::Right | Action::Note) => is_compared,
            (ListMode::Compare, Action::Up | Action::Down) => self.is_comparison_cut(scene),
            (ListMode::Pareto, Action::Up | Action::Down) => {
                !self.order().front().rows().is_empty()
            }
            (_, Action::Up | Action::Down | Action::Mark | Action::Note) if !has_child => false,
            _ => self.has_page_for(action),
        }
    }

    fn click(&mut self, part: Part, scene: &Scene<'_>, area: Rect) -> Option<Response> {
        let height = usize::from(super::inside(area).height);
        match part {
            Part::Heading(column) => {
                self.sort_by_heading(column, scene.state, height);
                Some(self.after_sorting(scene))
            }
            Part::Child(child) => {
                self.keep_view(height);
                Some(Response::Choose(Some(child)))
            }
            _ => None,
        }
    }

    fn wheel(&mut self, rows: isize, scene: &Scene<'_>, area: Rect) -> Option<Response> {
        let height = usize::from(super::inside(area).height);
        let scrolled = self.scroll_view(rows, scene.state, height);
        scrolled.then_some(Response::Draw)
    }

    /// Process the children that have ended, and put the cursor on the selected child, except while the
    /// cursor determines which children are compared.
    fn refresh(&mut self, scene: &Scene<'_>) {
        ListView::refresh(self, scene.state);
        if let Some(child) = scene.chosen.filter(|_| self.mode() != ListMode::Compare) {
            self.stand_on(child, scene.state);
        }
    }

    fn text(&self, purpose: Purpose) -> Option<&str> {
        match purpose {
            Purpose::Filter => Some(self.filter_text()),
            Purpose::Columns => Some(self.columns().text()),
            _ => None,
        }
    }

    fn words(&self, purpose: Purpose) -> Vec<&'static str> {
        match purpose {
            Purpose::Filter => filter::words(),
            Purpose::Columns => [&Column::ALL.map(Column::name)[..], &["depth"]].concat(),
            _ => Vec::new(),
        }
    }

    fn set_text(
        &mut self,
        purpose: Purpose,
        text: &str,
        _scene: &Scene<'_>,
    ) -> Result<Response, String> {
        let set = match purpose {
            Purpose::Columns => self.columns_mut().set(text),
            _ => self.set_filter(text).map_err(|error| error.to_string()),
        };
        set.map(|()| Response::Draw)
    }

    fn at_hand(&self, scene: &Scene<'_>) -> AtHand {
        match self.selected(scene.state) {
            Some(child) => AtHand::Child(child),
            None if self.filter_text().is_empty() => AtHand::Shown,
            None => AtHand::FilteredOut,
        }
    }

    fn wanted(&self, scene: &Scene<'_>) -> Vec<u64> {
        let compared = ListView::wanted(self, scene.state);
        compared.map_or(Vec::new(), |(one, other)| vec![one, other])
    }

    fn table<'a>(&'a self, scene: &'a Scene<'_>) -> Option<LazyTable<'a>> {
        if self.order().rows().is_empty() {
            return None;
        }
        Some(Box::new(move || export::table(self, scene.state)))
    }
}

/// Whether children can be filtered by this expression.
pub fn is_filter(text: &str) -> bool {
    matches!(filter::Filter::parse(text), Ok(Some(_)))
}

impl ListView {
    /// Whether a key is one of the page shown, not only of the table.
    fn has_page_for(&self, action: Action) -> bool {
        let marks = matches!(action, Action::Mark | Action::ClearMarks);
        let columns = matches!(
            action,
            Action::ChooseColumns | Action::PanLeft | Action::PanRight
        );
        match self.mode() {
            ListMode::Table => true,
            ListMode::Pareto => !sorts(action) && !columns,
            ListMode::Compare => !sorts(action) && !columns && !marks && action != Action::Search,
        }
    }

    /// Whether not all rows of the comparison fit.
    fn is_comparison_cut(&self, scene: &Scene<'_>) -> bool {
        let Some(area) = scene.areas().and_then(|areas| areas.of(ABOUT.id)) else {
            return false;
        };
        let inside = super::inside(area);
        let details = |child| scene.detail(child);
        let width = usize::from(inside.width);
        let content = compare::content(self, scene.state, &details, scene.glyphs(), width);
        content.last_top(usize::from(inside.height)) > 0
    }

    /// The other panels show the child of the comparison that keys are about.
    fn of_comparison(&self, scene: &Scene<'_>) -> Response {
        match self.selected(scene.state) {
            child if child == scene.shown_child() => Response::Draw,
            child => Response::Choose(child),
        }
    }

    /// Sorting puts the cursor on the first child: the other panels follow it if they show a chosen child.
    fn after_sorting(&self, scene: &Scene<'_>) -> Response {
        let chosen = self.selected(scene.state);
        match scene.chosen {
            Some(before) if chosen.is_some() && chosen != Some(before) => Response::Choose(chosen),
            _ => Response::Draw,
        }
    }

    /// The other panels show the child under the cursor again, unless they show the one in training.
    fn after_comparison(&self, scene: &Scene<'_>) -> Response {
        match scene.chosen {
            Some(_) => Response::Choose(self.selected(scene.state)),
            None => Response::Draw,
        }
    }
}

fn sorts(action: Action) -> bool {
    matches!(
        action,
        Action::SortNext | Action::SortPrevious | Action::ReverseSort
    )
}

//! What the user sees in the list of children: order, filter, cursor, marks and mode.

use super::columns::ChosenColumns;
use super::compare;
use super::filter::{Filter, FilterError, Flag};
use super::order::{Criteria, Order, SortKey, row_at};
use super::table;
use crate::state::{ChildRow, RunState};
use crate::tui::keymap::Action;
use crate::tui::panels::scroll::Scroll;

/// What the panel of the list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListMode {
    #[default]
    Table,
    Pareto,
    Compare,
}

/// The state of the list. [`ListView::refresh`] keeps it up to date with the run; drawing only
/// reads it.
#[derive(Debug, Clone, Default)]
pub struct ListView {
    mode: ListMode,
    criteria: Criteria,
    filter_text: String,
    columns: ChosenColumns,
    order: Order,
    /// The child under the cursor; `None` means the first one, whichever that is.
    cursor: Option<u64>,
    /// Its position in the order; `None` if the filter hides it.
    place: Option<usize>,
    /// First visible row of the table, and of a comparison.
    top: usize,
    /// Whether `top` holds even if the cursor is then out of view, after the wheel.
    is_scrolled: bool,
    compare_top: usize,
    /// Whether keys are about the second child of a comparison, not the first.
    is_second_chosen: bool,
    /// In the order of marking.
    marks: Vec<u64>,
}

impl ListView {
    /// Process the children that have ended since. Call this after records have been processed, and
    /// when the state is that of another moment. Cheap if nothing has changed.
    pub fn refresh(&mut self, state: &RunState) {
        if self.order.update(&self.criteria, state, &self.marks) {
            self.find_cursor(state);
        }
    }

    /// Put the cursor on a child that was selected elsewhere.
    pub fn stand_on(&mut self, child: u64, state: &RunState) {
        if self.cursor != Some(child) {
            self.cursor = Some(child);
            self.place = self.order.place_of(child, state);
            self.is_scrolled = false;
        }
    }

    /// Leave the view where it is when the cursor moves to another row of it.
    pub fn keep_view(&mut self, rows: usize) {
        self.top = self.top(table::room(self, rows));
    }

    /// Move the view and not the cursor; false if there is nothing to scroll. `rows` is the height
    /// of the panel below its title.
    pub fn scroll_view(&mut self, by: isize, state: &RunState, rows: usize) -> bool {
        match self.mode {
            ListMode::Table => {
                self.keep_view(rows);
                let last = self
                    .order
                    .rows()
                    .len()
                    .saturating_sub(table::room(self, rows));
                self.top = self.top.saturating_add_signed(by).min(last);
                self.is_scrolled = true;
            }
            ListMode::Compare => self.go(Scroll::By(by), state, rows),
            ListMode::Pareto => return false,
        }
        true
    }

    /// Sort by the column with this place among all; by the current one in the other direction.
    pub fn sort_by_heading(&mut self, column: usize, state: &RunState, rows: usize) {
        match SortKey::ALL.get(column) {
            Some(key) if *key == self.criteria.key => {
                self.perform(Action::ReverseSort, state, rows);
            }
            Some(key) => {
                self.sort_by(*key, state);
                self.follow_cursor(rows);
            }
            None => {}
        }
    }

    /// Return from a comparison or the front; false if the table is already shown.
    pub fn leave_mode(&mut self) -> bool {
        std::mem::take(&mut self.mode) != ListMode::Table
    }

    /// Handle a key; false if it means nothing here. `rows` is the height of the panel below its
    /// title.
    pub fn perform(&mut self, action: Action, state: &RunState, rows: usize) -> bool {
        self.refresh(state);
        match (action, Scroll::of(action)) {
            (_, Some(movement)) => self.go(movement, state, rows),
            (Action::SortNext, _) => self.sort_by_next(true, state),
            (Action::SortPrevious, _) => self.sort_by_next(false, state),
            (Action::ReverseSort, _) => {
                self.criteria.descending = !self.criteria.descending;
                self.show_sorted(state);
            }
            (Action::Mark, _) => self.mark(state),
            (Action::ClearMarks, _) => {
                self.marks.clear();
                self.marks_changed(state);
            }
            (Action::Compare, _) => {
                self.switch_to(ListMode::Compare);
                let second = self.compared(state).map(|(_, second)| second);
                self.is_second_chosen = second.is_some() && second == self.under_cursor(state);
            }
            (Action::TogglePareto, _) => self.switch_to(ListMode::Pareto),
            (Action::Left | Action::Right, _) if self.wanted(state).is_some() => {
                self.is_second_chosen = action == Action::Right;
            }
            _ => return false,
        }
        self.follow_cursor(rows);
        true
    }

    /// Show only the children for which the expression holds; all of them if it is empty.
    ///
    /// The order is updated by the next [`ListView::refresh`].
    ///
    /// # Errors
    /// If the text is not a valid expression. The filter is then unchanged.
    pub fn set_filter(&mut self, text: &str) -> Result<(), FilterError> {
        self.criteria.filter = Filter::parse(text)?;
        self.filter_text = text.trim().to_owned();
        // As if no child had been processed: the next refresh selects from scratch.
        self.order = Order::default();
        self.place = None;
        self.top = 0;
        Ok(())
    }

    /// The columns chosen.
    pub(super) fn columns(&self) -> &ChosenColumns {
        &self.columns
    }

    /// The columns chosen, to be changed.
    pub(super) fn columns_mut(&mut self) -> &mut ChosenColumns {
        &mut self.columns
    }

    /// Show all children again; false if they are already shown.
    pub fn clear_filter(&mut self) -> bool {
        let had_one = !self.filter_text.is_empty();
        // An empty text cannot be an invalid expression.
        had_one && self.set_filter("").is_ok()
    }

    /// The child that keys are about: in a comparison the one chosen of the two, otherwise the one under
    /// the cursor.
    pub fn selected(&self, state: &RunState) -> Option<u64> {
        match self.wanted(state) {
            Some((_, second)) if self.is_second_chosen => Some(second),
            Some((first, _)) => Some(first),
            None => self.under_cursor(state),
        }
    }

    /// The child under the cursor, or the first if the filter hides that one.
    fn under_cursor(&self, state: &RunState) -> Option<u64> {
        self.order
            .at(self.place.unwrap_or(0), state)
            .map(|row| row.child)
    }

    /// The two children of a comparison: the most accurate of those marked, or the marked one and the
    /// one under the cursor.
    pub fn compared(&self, state: &RunState) -> Option<(u64, u64)> {
        match self.marks.as_slice() {
            [] => None,
            [one] => self
                .under_cursor(state)
                .filter(|child| child != one)
                .map(|child| (*one, child)),
            [first, second] => Some((*first, *second)),
            marks => compare::best_two(marks, state),
        }
    }

    /// The children whose details the panel could show now if they were available.
    pub fn wanted(&self, state: &RunState) -> Option<(u64, u64)> {
        self.compared(state)
            .filter(|_| self.mode == ListMode::Compare)
    }

    /// What the panel shows now.
    pub fn mode(&self) -> ListMode {
        self.mode
    }

    /// The filter as typed by the user; empty if there is none.
    pub fn filter_text(&self) -> &str {
        &self.filter_text
    }

    /// Numbers of the marked children, in the order of marking.
    pub fn marks(&self) -> &[u64] {
        &self.marks
    }

    /// The column, and whether its largest value comes first.
    pub fn sort(&self) -> (SortKey, bool) {
        (self.criteria.key, self.criteria.descending)
    }

    pub(super) fn order(&self) -> &Order {
        &self.order
    }

    /// The position of the cursor in the order.
    pub(super) fn place(&self) -> usize {
        self.place.unwrap_or(0)
    }

    pub(super) fn compare_top(&self) -> usize {
        self.compare_top
    }

    pub(super) fn is_second_chosen(&self) -> bool {
        self.is_second_chosen
    }

    /// First row of the table in a panel with `room` rows: the cursor is in view, unless the wheel
    /// has moved the view away from it.
    pub(super) fn top(&self, room: usize) -> usize {
        let place = self.place();
        let top = self.top.min(self.order.rows().len().saturating_sub(room));
        if self.is_scrolled {
            return top;
        }
        top.min(place).max((place + 1).saturating_sub(room))
    }

    fn switch_to(&mut self, mode: ListMode) {
        self.mode = if self.mode == mode {
            ListMode::Table
        } else {
            mode
        };
        self.compare_top = 0;
    }

    fn sort_by_next(&mut self, forward: bool, state: &RunState) {
        let next = self.criteria.key.next(forward, self.order.energy_known());
        self.sort_by(next, state);
    }

    fn sort_by(&mut self, key: SortKey, state: &RunState) {
        self.criteria.key = key;
        self.criteria.descending = self.criteria.key.begins_descending();
        self.show_sorted(state);
    }

    fn rebuild(&mut self, state: &RunState) {
        self.order.rebuild(&self.criteria, state, &self.marks);
        self.find_cursor(state);
    }

    fn mark(&mut self, state: &RunState) {
        let Some(child) = self.under_cursor(state) else {
            return;
        };
        let before = self.marks.len();
        self.marks.retain(|mark| *mark != child);
        if self.marks.len() == before {
            self.marks.push(child);
        }
        self.marks_changed(state);
    }

    fn marks_changed(&mut self, state: &RunState) {
        if self
            .criteria
            .filter
            .as_ref()
            .is_some_and(|filter| filter.depends_on(Flag::Marked))
        {
            self.rebuild(state);
        }
    }

    /// Sorting serves to see what comes first.
    fn show_sorted(&mut self, state: &RunState) {
        self.order.rebuild(&self.criteria, state, &self.marks);
        self.cursor = self
            .cursor
            .and(self.order.at(0, state))
            .map(|row| row.child);
        self.top = 0;
        self.find_cursor(state);
    }

    /// After the order has changed, the cursor stays on its child, and that child at its height on
    /// the screen. Only at the top does the view stay at the top, where new children appear.
    fn find_cursor(&mut self, state: &RunState) {
        let before = self.place;
        self.place = match self.cursor {
            Some(child) => self.order.place_of(child, state),
            None => (!self.order.rows().is_empty()).then_some(0),
        };
        if let (Some(before), Some(now), true) = (before, self.place, self.top > 0) {
            self.top = (self.top + now).saturating_sub(before);
        }
    }

    fn follow_cursor(&mut self, rows: usize) {
        self.is_scrolled = false;
        self.top = self.top(table::room(self, rows));
    }

    fn go(&mut self, movement: Scroll, state: &RunState, rows: usize) {
        match self.mode {
            ListMode::Table => {
                let page = table::room(self, rows).saturating_sub(1).max(1);
                let last = self.order.rows().len().saturating_sub(1);
                let place = movement.among(self.place(), page, last);
                self.put_cursor(self.order.at(place, state), Some(place));
            }
            ListMode::Pareto => self.go_along_front(movement, state),
            ListMode::Compare => {
                // The heading stays.
                let last = compare::rows(self, state).saturating_sub(rows.saturating_sub(1));
                let page = rows.saturating_sub(2).max(1);
                self.compare_top = movement.among(self.compare_top, page, last);
            }
        }
    }

    /// Up and down go to the next child of the front with more and with fewer MACs.
    fn go_along_front(&mut self, movement: Scroll, state: &RunState) {
        let children = &state.search().children;
        let front = self.order.front();
        let last = front.rows().len().saturating_sub(1);
        let cursor = self.order.at(self.place(), state);
        let place = match cursor.and_then(|row| front.place_of(row.child, children)) {
            Some(place) => movement.among(place, 5, last),
            // From a child that is not on the front to its neighbours there.
            None => {
                let macs = cursor.map_or(0, |row| row.macs);
                let cheaper = front
                    .points(children)
                    .take_while(|point| point.macs <= macs);
                let above = cheaper.count();
                match movement {
                    Scroll::Top => 0,
                    Scroll::Bottom => last,
                    Scroll::By(rows) | Scroll::Pages(rows) if rows < 0 => above.saturating_sub(1),
                    _ => above.min(last),
                }
            }
        };
        let index = front.rows().get(place);
        let row = index.and_then(|index| row_at(state, *index));
        let place = row.and_then(|row| self.order.place_of(row.child, state));
        self.put_cursor(row, place);
    }

    fn put_cursor(&mut self, row: Option<&ChildRow>, place: Option<usize>) {
        if let (Some(row), Some(place)) = (row, place) {
            self.cursor = Some(row.child);
            self.place = Some(place);
        }
    }
}

//! What the list shows, as a table for a file.

use std::collections::HashSet;

use super::order::row_at;
use super::view::{ListMode, ListView};
use crate::report::page::CsvTable;
use crate::report::page::tables::some_children;
use crate::state::RunState;

/// The children that are shown, in their order: those of the filter, or the two that are compared.
/// Where the Pareto front is shown, the first column tells which of them are on it.
pub fn table(view: &ListView, state: &RunState) -> CsvTable {
    let (name, notes) = ("children", &state.search().notes);
    if view.mode() == ListMode::Compare {
        let two = view.compared(state).map(|(one, other)| [one, other]);
        let rows = two.into_iter().flatten();
        let rows = rows.filter_map(|child| state.search().ended(child));
        return some_children(name, rows, notes);
    }
    let indices = view.order().rows().iter();
    let shown = indices.filter_map(|index| Some((*index, row_at(state, *index)?)));
    let (indices, rows): (Vec<u32>, Vec<_>) = shown.unzip();
    let table = some_children(name, rows, notes);
    if view.mode() == ListMode::Table {
        return table;
    }
    let front: HashSet<u32> = view.order().front().rows().iter().copied().collect();
    let is_on_front = indices
        .iter()
        .map(|index| front.contains(index).to_string());
    table.with_first("pareto_front", is_on_front)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keymap::Action;
    use crate::tui::sample;

    const ROWS: usize = 10;

    fn view(state: &RunState) -> ListView {
        let mut view = ListView::default();
        view.refresh(state);
        view
    }

    fn column(table: &CsvTable, name: &str) -> Vec<String> {
        let place = table.head.iter().position(|head| *head == name).unwrap();
        table.rows.iter().map(|row| row[place].clone()).collect()
    }

    #[test]
    fn the_table_has_the_children_of_the_filter_in_the_order_of_the_list() {
        let state = sample::state_of(&sample::records());
        let mut view = view(&state);
        let all = column(&table(&view, &state), "child");
        assert_eq!(all.len(), state.search().children.len());
        view.set_filter("failed | acc<0.7").unwrap();
        view.perform(Action::SortNext, &state, ROWS);
        let some = table(&view, &state);
        let shown: Vec<u64> = view
            .order()
            .rows()
            .iter()
            .filter_map(|index| row_at(&state, *index))
            .map(|row| row.child)
            .collect();
        let numbers: Vec<String> = shown.iter().map(u64::to_string).collect();
        assert!(!numbers.is_empty() && numbers.len() < all.len());
        assert_eq!(column(&some, "child"), numbers);
        assert!(some.to_csv().is_ok());
    }

    #[test]
    fn the_front_is_marked_where_it_is_shown_and_a_comparison_has_two_children() {
        let state = sample::state_of(&sample::records());
        let mut view = view(&state);
        assert!(!table(&view, &state).head.contains(&"pareto_front"));
        view.perform(Action::TogglePareto, &state, ROWS);
        let front = column(&table(&view, &state), "pareto_front");
        let on_front = front.iter().filter(|cell| *cell == "true").count();
        assert_eq!(on_front, view.order().front().rows().len());
        view.perform(Action::TogglePareto, &state, ROWS);
        view.perform(Action::Mark, &state, ROWS);
        view.perform(Action::Down, &state, ROWS);
        view.perform(Action::Mark, &state, ROWS);
        view.perform(Action::Compare, &state, ROWS);
        assert_eq!(table(&view, &state).rows.len(), 2);
    }
}

//! The appearance of the list for the recorded run.

use std::collections::HashMap;
use std::sync::LazyLock;

mod columns;
mod cursor;

use insta::assert_snapshot;

use super::*;
pub use crate::analysis::front::tests::row;
use crate::event::Event;
use crate::journal::Archive;
use crate::state::{ChildRow, SearchRun};
use crate::tui::sample;

pub fn state_of(children: Vec<ChildRow>) -> RunState {
    RunState::from(SearchRun {
        children,
        ..SearchRun::default()
    })
}

fn demo() -> RunState {
    static DEMO: LazyLock<RunState> = LazyLock::new(|| sample::state_of(&sample::records()));
    DEMO.clone()
}

fn view(state: &RunState, filter: &str, actions: &[Action]) -> ListView {
    let mut view = ListView::default();
    view.set_filter(filter).unwrap();
    view.refresh(state);
    actions.iter().for_each(|action| {
        view.perform(*action, state, 18);
    });
    view
}

fn screen(
    state: &RunState,
    view: &ListView,
    size: (u16, u16),
    ascii: bool,
    details: DetailOf<'_>,
) -> String {
    sample::drawn(size, ascii, |painter| {
        draw(painter, state, view, true, details)
    })
}

fn drawn(state: &RunState, view: &ListView, size: (u16, u16)) -> String {
    screen(state, view, size, false, &|_| None)
}

const SIZES: [(u16, u16); 3] = [(78, 20), (118, 30), (60, 11)];

fn named(name: &str, (width, height): (u16, u16)) -> String {
    format!("{name}_{width}x{height}")
}

/// The details of every child of the recorded run.
fn all_details(state: &RunState) -> HashMap<u64, ChildDetail> {
    let mut archive = Archive::open(&sample::journal()).unwrap();
    let detail = |row: &ChildRow| {
        Some((
            row.child,
            archive
                .child(row.child, row.sampled_seq, Some(row.ended_seq))
                .unwrap()?,
        ))
    };
    state.search().children.iter().filter_map(detail).collect()
}

#[test]
fn the_table_begins_with_the_most_accurate_child() {
    let state = demo();
    for size in SIZES {
        assert_snapshot!(
            named("table", size),
            drawn(&state, &view(&state, "", &[]), size)
        );
    }
}

#[test]
fn children_without_accuracy_come_last_and_say_why() {
    let state = demo();
    assert_snapshot!(drawn(
        &state,
        &view(&state, "", &[Action::Bottom]),
        (78, 20)
    ));
}

#[test]
fn a_filter_is_shown_with_the_number_of_children_it_admits() {
    let state = demo();
    let marked = [
        Action::Down,
        Action::Mark,
        Action::Down,
        Action::Down,
        Action::Mark,
        Action::SortNext,
    ];
    for size in SIZES {
        assert_snapshot!(
            named("filtered", size),
            drawn(
                &state,
                &view(&state, "acc>78% & params<100k", &marked),
                size
            )
        );
    }
}

#[test]
fn energy_gets_a_column_and_edited_children_a_note_if_there_are_any() {
    let mut state = demo();
    state
        .search_mut()
        .unwrap()
        .children
        .iter_mut()
        .for_each(|row| row.energy_wh = Some(row.seconds * 0.011));
    state.search_mut().unwrap().children[90].parent = Some(12);
    state.search_mut().unwrap().children[91].skipped = true;
    let mut view = view(&state, "edited | skipped | best | repeat", &[]);
    assert_snapshot!("energy_78x20", drawn(&state, &view, (78, 20)));
    assert_snapshot!("energy_118x30", drawn(&state, &view, (118, 30)));
    // From accuracy back over child to energy: the column that the list is sorted by is shown at
    // any width.
    [Action::SortPrevious; 2].iter().for_each(|action| {
        view.perform(*action, &state, 10);
    });
    assert_snapshot!("energy_60x11", drawn(&state, &view, (60, 11)));
}

#[test]
fn without_unicode_the_table_is_ascii() {
    let state = demo();
    let view = view(&state, "", &[Action::Mark, Action::Down]);
    let screen = screen(&state, &view, (78, 20), true, &|_| None);
    assert!(screen.is_ascii());
    assert_snapshot!(screen);
}

#[test]
fn an_empty_list_says_so() {
    let empty = RunState::default();
    assert_snapshot!(
        "empty_78x20",
        drawn(&empty, &view(&empty, "", &[]), (78, 20))
    );
    let state = demo();
    assert_snapshot!(
        "no_match_78x20",
        drawn(&state, &view(&state, "acc>99%", &[]), (78, 20))
    );
    let pareto = view(&state, "acc>99%", &[Action::TogglePareto]);
    assert_snapshot!("pareto_no_match_78x20", drawn(&state, &pareto, (78, 20)));
    let compare = view(&state, "", &[Action::Compare]);
    assert_snapshot!("compare_none_78x20", drawn(&state, &compare, (78, 20)));
}

#[test]
fn two_marked_children_stand_side_by_side() {
    let state = demo();
    let details = all_details(&state);
    let actions = [
        Action::Mark,
        Action::PageDown,
        Action::Mark,
        Action::Compare,
    ];
    let view = view(&state, "", &actions);
    for size in SIZES {
        assert_snapshot!(
            named("compare", size),
            screen(&state, &view, size, false, &|child| details
                .get(&child)
                .cloned())
        );
    }
    assert_snapshot!("compare_unread_78x20", drawn(&state, &view, (78, 20)));
    let ascii = screen(&state, &view, (78, 30), true, &|child| {
        details.get(&child).cloned()
    });
    assert!(ascii.is_ascii());
    assert_snapshot!("compare_ascii_78x30", ascii);
}

#[test]
fn a_comparison_has_the_notes_on_its_children() {
    let mut state = demo();
    let mut view = view(&state, "", &[Action::Mark, Action::Down, Action::Mark]);
    view.perform(Action::Compare, &state, 18);
    let before = drawn(&state, &view, (78, 20));
    assert!(!before.contains("note"), "{before}");
    let text = "larger than it looks, train it longer".to_owned();
    let search = state.search_mut().unwrap();
    search.notes.apply(&Event::ChildNoted { child: 23, text });
    let shown = drawn(&state, &view, (78, 20));
    let note = shown.lines().find(|row| row.contains("note")).unwrap();
    assert!(note.contains("larger than it looks, …"), "{shown}");
    let remarks = shown.lines().find(|row| row.contains("remarks")).unwrap();
    assert!(remarks.contains("best"), "{shown}");
}

#[test]
fn a_comparison_scrolls_to_its_last_layer_and_no_further() {
    let state = demo();
    let details = all_details(&state);
    let mut view = view(
        &state,
        "",
        &[Action::Mark, Action::PageDown, Action::Compare],
    );
    view.perform(Action::Bottom, &state, 10);
    let end = screen(&state, &view, (60, 11), false, &|child| {
        details.get(&child).cloned()
    });
    assert_snapshot!("compare_end_60x11", end);
    view.perform(Action::PageDown, &state, 10);
    assert_eq!(
        screen(&state, &view, (60, 11), false, &|child| details
            .get(&child)
            .cloned()),
        end
    );
    view.perform(Action::Up, &state, 10);
    assert_ne!(
        screen(&state, &view, (60, 11), false, &|child| details
            .get(&child)
            .cloned()),
        end
    );
}

#[test]
fn the_front_is_a_staircase_with_its_members_listed() {
    let state = demo();
    let view = view(
        &state,
        "",
        &[Action::TogglePareto, Action::Up, Action::Mark, Action::Up],
    );
    for size in SIZES {
        assert_snapshot!(named("pareto", size), drawn(&state, &view, size));
    }
    let ascii = screen(&state, &view, (78, 20), true, &|_| None);
    assert!(ascii.is_ascii());
    assert_snapshot!("pareto_ascii_78x20", ascii);
}

#[test]
fn the_front_is_the_reports_and_holds_no_child_that_a_user_edited() {
    let mut state = demo();
    let best = state.search().best_child();
    let children = &mut state.search_mut().unwrap().children;
    let edited = children.iter().position(|row| Some(row.child) == best);
    children[edited.unwrap()].parent = Some(1);
    let view = view(&state, "", &[Action::TogglePareto]);
    let front = view.order().front();
    assert_eq!(
        front.place_of(best.unwrap(), &state.search().children),
        None
    );
    let points = front.points(&state.search().children);
    let points: Vec<(u64, f64)> = points.map(|point| (point.macs, point.accuracy)).collect();
    assert_eq!(
        points,
        crate::report::figures::pareto::Pareto::of(&state).front
    );
    assert!(drawn(&state, &view, (78, 20)).contains("edited, so not in the plot"));
}

#[test]
fn a_note_is_marked_in_any_width_and_shown_as_far_as_there_is_room() {
    let mut state = demo();
    for (child, text) in [(23, "#keep: größer"), (64, &*"long ".repeat(40))] {
        let text = text.trim().to_owned();
        let search = state.search_mut().unwrap();
        search.notes.apply(&Event::ChildNoted { child, text });
    }
    let view = view(&state, "", &[]);
    for (size, ascii) in [((118, 30), false), ((78, 20), false), ((60, 11), true)] {
        let shown = screen(&state, &view, size, ascii, &|_| None);
        let mark = if ascii { '*' } else { '¶' };
        assert_eq!(shown.matches(mark).count(), 2, "{shown}");
        assert!(shown.contains("best"), "{shown}");
    }
    let wide = drawn(&state, &view, (118, 30));
    assert!(wide.contains("best ¶ #keep: größer"), "{wide}");
    assert!(wide.contains("¶ long long") && wide.contains('…'), "{wide}");
    let mut noted = view.clone();
    noted.set_filter("#keep").unwrap();
    noted.refresh(&state);
    assert_eq!(noted.selected(&state), Some(23));
    let text = String::new();
    let search = state.search_mut().unwrap();
    search.notes.apply(&Event::ChildNoted { child: 23, text });
    noted.refresh(&state);
    assert_eq!(noted.selected(&state), None, "it has no note any more");
}

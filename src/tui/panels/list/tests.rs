//! The list over the recorded run: what its keys do, and what it looks like.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use insta::assert_snapshot;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::*;
pub use crate::analysis::front::tests::row;
use crate::config::ThemeName;
use crate::journal::Archive;
use crate::state::SearchRun;
use crate::tui::theme::{ColourDepth, Theme};

pub fn state_of(children: Vec<ChildRow>) -> RunState {
    RunState::from(SearchRun {
        children,
        ..SearchRun::default()
    })
}

fn journal() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl")
}

fn demo() -> RunState {
    static DEMO: LazyLock<RunState> = LazyLock::new(|| {
        Archive::open(&journal())
            .unwrap()
            .state_at(u64::MAX)
            .unwrap()
    });
    DEMO.clone()
}

fn view(state: &RunState, filter: &str, actions: &[ListAction]) -> ListView {
    let mut view = ListView::default();
    view.set_filter(filter).unwrap();
    view.refresh(state);
    actions
        .iter()
        .for_each(|action| view.act(*action, state, 18));
    view
}

fn screen(
    state: &RunState,
    view: &ListView,
    (width, height): (u16, u16),
    ascii: bool,
    details: Details<'_>,
) -> String {
    let theme = Theme::new(ThemeName::ColourBlind, ColourDepth::None, ascii);
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    let area = buffer.area;
    draw(
        &mut Painter::new(&mut buffer, area, &theme),
        state,
        view,
        true,
        details,
    );
    let line = |y: u16| {
        (0..width)
            .map(|x| buffer[(x, y)].symbol())
            .collect::<String>()
    };
    (0..height)
        .map(|y| line(y).trim_end().to_owned() + "\n")
        .collect()
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
    let mut archive = Archive::open(&journal()).unwrap();
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
fn what_ended_without_accuracy_comes_last_and_says_so() {
    let state = demo();
    assert_snapshot!(drawn(
        &state,
        &view(&state, "", &[ListAction::Bottom]),
        (78, 20)
    ));
}

#[test]
fn a_filter_is_shown_with_how_many_it_lets_through() {
    let state = demo();
    let marked = [
        ListAction::Down,
        ListAction::Mark,
        ListAction::Down,
        ListAction::Down,
        ListAction::Mark,
        ListAction::SortNext,
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
fn energy_has_a_column_and_edited_children_a_note_where_there_are_any() {
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
    // From accuracy back over child to energy: what it is sorted by has its column at any width.
    [ListAction::SortPrevious; 2]
        .iter()
        .for_each(|action| view.act(*action, &state, 10));
    assert_snapshot!("energy_60x11", drawn(&state, &view, (60, 11)));
}

#[test]
fn without_unicode_the_table_is_ascii() {
    let state = demo();
    let view = view(&state, "", &[ListAction::Mark, ListAction::Down]);
    let screen = screen(&state, &view, (78, 20), true, &|_| None);
    assert!(screen.is_ascii());
    assert_snapshot!(screen);
}

#[test]
fn nothing_to_show_is_said_in_words() {
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
    let pareto = view(&state, "acc>99%", &[ListAction::TogglePareto]);
    assert_snapshot!("pareto_no_match_78x20", drawn(&state, &pareto, (78, 20)));
    let compare = view(&state, "", &[ListAction::Compare]);
    assert_snapshot!("compare_none_78x20", drawn(&state, &compare, (78, 20)));
}

#[test]
fn two_marked_children_stand_side_by_side() {
    let state = demo();
    let details = all_details(&state);
    let actions = [
        ListAction::Mark,
        ListAction::PageDown,
        ListAction::Mark,
        ListAction::Compare,
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
fn a_comparison_scrolls_to_its_last_layer_and_no_further() {
    let state = demo();
    let details = all_details(&state);
    let mut view = view(
        &state,
        "",
        &[ListAction::Mark, ListAction::PageDown, ListAction::Compare],
    );
    view.act(ListAction::Bottom, &state, 10);
    let end = screen(&state, &view, (60, 11), false, &|child| {
        details.get(&child).cloned()
    });
    assert_snapshot!("compare_end_60x11", end);
    view.act(ListAction::PageDown, &state, 10);
    assert_eq!(
        screen(&state, &view, (60, 11), false, &|child| details
            .get(&child)
            .cloned()),
        end
    );
    view.act(ListAction::Up, &state, 10);
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
        &[
            ListAction::TogglePareto,
            ListAction::Up,
            ListAction::Mark,
            ListAction::Up,
        ],
    );
    for size in SIZES {
        assert_snapshot!(named("pareto", size), drawn(&state, &view, size));
    }
    let ascii = screen(&state, &view, (78, 20), true, &|_| None);
    assert!(ascii.is_ascii());
    assert_snapshot!("pareto_ascii_78x20", ascii);
}

#[test]
fn up_and_down_walk_along_the_front() {
    let state = demo();
    let mut view = view(&state, "", &[ListAction::TogglePareto, ListAction::Top]);
    let front: Vec<u64> = view
        .order()
        .front()
        .rows()
        .iter()
        .map(|index| state.search().children[*index as usize].child)
        .collect();
    let mut walked = vec![view.selected(&state).unwrap()];
    for _ in 1..front.len() {
        view.act(ListAction::Down, &state, 18);
        walked.push(view.selected(&state).unwrap());
    }
    assert!(front.len() > 3);
    assert_eq!(walked, front);
}

#[test]
fn the_cursor_stays_on_its_child_when_children_come_in_and_when_the_order_changes() {
    let whole = demo();
    let half = state_of(whole.search().children[..40].to_vec());
    let mut view = view(
        &half,
        "",
        &[ListAction::Down, ListAction::Down, ListAction::Down],
    );
    let child = view.selected(&half);
    view.refresh(&whole);
    assert_eq!(view.selected(&whole), child);
    for action in [
        ListAction::SortNext,
        ListAction::ReverseSort,
        ListAction::SortPrevious,
    ] {
        view.act(action, &whole, 18);
        assert_eq!(view.selected(&whole), child);
    }
}

#[test]
fn a_cursor_not_moved_yet_stays_on_the_first_child() {
    let whole = demo();
    let half = state_of(whole.search().children[..16].to_vec());
    let mut view = view(&half, "", &[]);
    assert_ne!(
        view.selected(&half),
        whole.search().outcomes.best.as_ref().map(|best| best.child)
    );
    view.refresh(&whole);
    assert_eq!(
        view.selected(&whole),
        whole.search().outcomes.best.as_ref().map(|best| best.child)
    );
}

#[test]
fn a_child_that_the_filter_hides_is_not_opened() {
    let state = demo();
    let mut view = view(&state, "", &[ListAction::Bottom]);
    let hidden = view.selected(&state);
    view.set_filter("!failed").unwrap();
    view.refresh(&state);
    assert!(view.selected(&state).is_some() && view.selected(&state) != hidden);
    view.set_filter("").unwrap();
    view.refresh(&state);
    assert_eq!(view.selected(&state), hidden);
}

#[test]
fn a_wrong_filter_leaves_the_list_as_it_was() {
    let state = demo();
    let mut view = view(&state, "acc>0.8", &[]);
    let before = drawn(&state, &view, (78, 20));
    assert!(view.set_filter("acc>").is_err());
    assert_eq!(drawn(&state, &view, (78, 20)), before);
}

#[test]
fn a_filter_by_marks_follows_them() {
    let state = demo();
    let mut view = view(
        &state,
        "",
        &[ListAction::Mark, ListAction::Down, ListAction::Mark],
    );
    view.set_filter("marked").unwrap();
    view.refresh(&state);
    assert_eq!(view.order().rows().len(), 2);
    view.act(ListAction::ClearMarks, &state, 18);
    assert_eq!(view.order().rows().len(), 0);
}

#[test]
fn one_marked_child_is_compared_with_the_one_at_the_cursor() {
    let state = demo();
    let view = view(
        &state,
        "",
        &[ListAction::Mark, ListAction::Down, ListAction::Compare],
    );
    let marked = state
        .search()
        .outcomes
        .best
        .as_ref()
        .map(|best| best.child)
        .unwrap();
    assert_eq!(
        view.wanted(&state),
        Some((marked, view.selected(&state).unwrap()))
    );
}

const ACTIONS: [ListAction; 13] = [
    ListAction::Up,
    ListAction::Down,
    ListAction::PageUp,
    ListAction::PageDown,
    ListAction::Top,
    ListAction::Bottom,
    ListAction::SortNext,
    ListAction::SortPrevious,
    ListAction::ReverseSort,
    ListAction::Mark,
    ListAction::ClearMarks,
    ListAction::Compare,
    ListAction::TogglePareto,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn any_actions_at_any_moment_on_any_size_are_safe(
        steps in proptest::collection::vec((proptest::sample::select(ACTIONS.to_vec()), 0usize..97), 1..40),
        filter in proptest::sample::select(vec!["", "acc>0.7", "best | marked", "!repeat & ep>2", "failed"]),
        width in 0u16..130,
        height in 0u16..40,
    ) {
        static DETAILS: LazyLock<HashMap<u64, ChildDetail>> = LazyLock::new(|| all_details(&demo()));
        let (whole, details) = (demo(), &*DETAILS);
        let mut list = ListView::default();
        list.set_filter(filter).unwrap();
        for (action, moment) in steps {
            let state = state_of(whole.search().children[..moment.min(whole.search().children.len())].to_vec());
            list.act(action, &state, usize::from(height).saturating_sub(1));
            screen(&state, &list, (width, height), false, &|child| details.get(&child).filter(|_| child % 3 > 0).cloned());
            // A list that has not been told of a change yet is drawn too.
            screen(&whole, &list, (width, height), false, &|child| details.get(&child).cloned());
            screen(&RunState::default(), &list, (width, height), true, &|_| None);
        }
    }
}

#[test]
fn a_list_can_be_put_on_a_child() {
    let state = demo();
    let mut view = view(&state, "", &[]);
    view.stand_on(40, &state);
    assert_eq!(view.selected(&state), Some(40));
    view.act(ListAction::ReverseSort, &state, 18);
    assert_eq!(view.selected(&state), Some(40));
}

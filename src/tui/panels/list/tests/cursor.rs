//! The effects of keys in the list: cursor, marks and filter, and arbitrary keys at arbitrary
//! moments.

use proptest::prelude::*;

use super::*;

#[test]
fn up_and_down_move_along_the_front() {
    let state = demo();
    let mut view = view(&state, "", &[Action::TogglePareto, Action::Top]);
    let front: Vec<u64> = view
        .order()
        .front()
        .rows()
        .iter()
        .map(|index| state.search().children[*index as usize].child)
        .collect();
    let mut walked = vec![view.selected(&state).unwrap()];
    for _ in 1..front.len() {
        view.perform(Action::Down, &state, 18);
        walked.push(view.selected(&state).unwrap());
    }
    assert!(front.len() > 3);
    assert_eq!(walked, front);
}

#[test]
fn sorting_goes_to_the_top() {
    let state = demo();
    let mut view = view(&state, "", &[Action::Bottom]);
    for action in [Action::SortNext, Action::ReverseSort, Action::SortPrevious] {
        view.perform(Action::PageDown, &state, 18);
        view.perform(action, &state, 18);
        let first = view.order().at(0, &state).map(|row| row.child);
        assert_eq!((view.selected(&state), view.top(18)), (first, 0));
    }
}

#[test]
fn the_cursor_stays_on_its_child_when_children_arrive() {
    let whole = demo();
    let half = state_of(whole.search().children[..40].to_vec());
    let mut view = view(&half, "", &[Action::Down, Action::Down, Action::Down]);
    let child = view.selected(&half);
    view.refresh(&whole);
    assert_eq!(view.selected(&whole), child);
}

#[test]
fn of_more_than_two_marked_children_the_most_accurate_are_compared() {
    let state = demo();
    let view = view(
        &state,
        "",
        &[
            Action::Mark,
            Action::Down,
            Action::Mark,
            Action::Bottom,
            Action::Mark,
            Action::Compare,
        ],
    );
    let child = |place| view.order().at(place, &state).map(|row| row.child);
    assert_eq!(view.wanted(&state), child(0).zip(child(1)));
    assert!(drawn(&state, &view, (78, 20)).contains("the 2 most accurate of 3 marked"));
}

#[test]
fn an_unmoved_cursor_stays_on_the_first_child() {
    let whole = demo();
    let half = state_of(whole.search().children[..16].to_vec());
    let mut view = view(&half, "", &[]);
    assert_ne!(view.selected(&half), whole.search().best_child());
    view.refresh(&whole);
    assert_eq!(view.selected(&whole), whole.search().best_child());
}

#[test]
fn a_child_that_the_filter_hides_is_not_opened() {
    let state = demo();
    let mut view = view(&state, "", &[Action::Bottom]);
    let hidden = view.selected(&state);
    view.set_filter("!failed").unwrap();
    view.refresh(&state);
    assert!(view.selected(&state).is_some() && view.selected(&state) != hidden);
    view.set_filter("").unwrap();
    view.refresh(&state);
    assert_eq!(view.selected(&state), hidden);
}

#[test]
fn a_wrong_filter_leaves_the_list_unchanged() {
    let state = demo();
    let mut view = view(&state, "acc>0.8", &[]);
    let before = drawn(&state, &view, (78, 20));
    assert!(view.set_filter("acc>").is_err());
    assert_eq!(drawn(&state, &view, (78, 20)), before);
}

#[test]
fn a_filter_by_marks_follows_them() {
    let state = demo();
    let mut view = view(&state, "", &[Action::Mark, Action::Down, Action::Mark]);
    view.set_filter("marked").unwrap();
    view.refresh(&state);
    assert_eq!(view.order().rows().len(), 2);
    view.perform(Action::ClearMarks, &state, 18);
    assert_eq!(view.order().rows().len(), 0);
}

#[test]
fn one_marked_child_is_compared_with_the_one_at_the_cursor() {
    let state = demo();
    let view = view(&state, "", &[Action::Mark, Action::Down, Action::Compare]);
    let marked = state.search().best_child().unwrap();
    assert_eq!(
        view.wanted(&state),
        Some((marked, view.selected(&state).unwrap()))
    );
}

fn any_action() -> impl Strategy<Value = Action> {
    use Action::{Bottom, Down, PageDown, PageUp, Top, Up};
    let own = KEYS.iter().map(|key| key.action);
    let common = [Up, Down, PageUp, PageDown, Top, Bottom];
    proptest::sample::select(own.chain(common).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn any_actions_at_any_moment_on_any_size_are_safe(
        steps in proptest::collection::vec((any_action(), 0usize..97), 1..40),
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
            list.perform(action, &state, usize::from(height).saturating_sub(1));
            screen(&state, &list, (width, height), false, &|child| details.get(&child).filter(|_| child % 3 > 0).cloned());
            // A list that has not been told of a change yet can be drawn too.
            screen(&whole, &list, (width, height), false, &|child| details.get(&child).cloned());
            screen(&RunState::default(), &list, (width, height), true, &|_| None);
        }
    }
}

#[test]
fn the_cursor_can_be_put_on_a_child() {
    let state = demo();
    let mut view = view(&state, "", &[]);
    view.stand_on(40, &state);
    assert_eq!(view.selected(&state), Some(40));
    view.perform(Action::Mark, &state, 18);
    assert_eq!((view.selected(&state), view.marks()), (Some(40), &[40][..]));
}

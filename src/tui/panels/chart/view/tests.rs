//! The effect of keys on the view.

use proptest::prelude::*;

use super::super::samples::{self, action};
use super::*;
use crate::state::RunState;

fn acted(state: &RunState, actions: &[Action]) -> (ChartView, Span) {
    let mut view = ChartView::default();
    actions
        .iter()
        .for_each(|action| samples::act(&mut view, *action, state, 40));
    let visible = view.visible(&Extent::of(state));
    (view, visible)
}

#[test]
fn from_the_middle_of_a_run_on_the_scale_no_longer_changes() {
    let whole = |newest| {
        let mut run = samples::started();
        run.episodes = 6;
        Extent::of_search(Some(&run), newest).whole().last
    };
    assert_eq!([1, 16, 17, 32].map(whole), [16, 16, 32, 32]);
    assert_eq!([33, 48, 80, 96].map(whole), [96; 4]);
    // Of 20,000 episodes a round number until then: 100, and 200.
    let whole = |newest| Extent::of(&samples::run(newest)).whole().last;
    assert_eq!([1_590, 1_610].map(whole), [1_600, 3_200]);
}

#[test]
fn zooming_in_keeps_the_newest_child_in_view_and_follows_it() {
    use Action::More;
    let (view, visible) = acted(&samples::run(100), &[More]);
    assert!(
        visible.contains(100) && visible.count() == 80,
        "{visible:?}"
    );
    let later = view.visible(&Extent::of(&samples::run(150)));
    assert!(later.contains(150) && later.count() == 80, "{later:?}");
}

#[test]
fn zooming_keeps_the_crosshair_where_it_is() {
    use Action::{Less, More, PageDown, Top};
    let (view, visible) = acted(&samples::run(100), &[Top, PageDown, PageDown, More, More]);
    assert_eq!(view.crosshair(), Some(33));
    assert_eq!(
        visible,
        Span {
            first: 25,
            last: 64
        }
    );
    assert_eq!(
        acted(&samples::run(100), &[More, Less]).0,
        ChartView::default()
    );
}

#[test]
fn a_window_without_the_newest_child_stays_and_follows_again_once_it_contains_it() {
    use Action::{More, PanLeft, PanRight};
    let (view, before) = acted(&samples::run(100), &[More, More, PanLeft]);
    assert!(!before.contains(100), "{before:?}");
    assert_eq!(view.visible(&Extent::of(&samples::run(150))), before);
    let (view, _) = acted(
        &samples::run(100),
        &[More, More, PanLeft, PanRight, PanRight],
    );
    assert!(view.visible(&Extent::of(&samples::run(150))).contains(150));
}

#[test]
fn the_crosshair_moves_by_a_column_and_pans_past_the_edge() {
    use Action::{Bottom, Left, More, Right, Top};
    let (view, _) = acted(&samples::run(100), &[Top, Right]);
    assert_eq!(view.crosshair(), Some(1 + 160 / 40));
    let (view, visible) = acted(&samples::run(100), &[Bottom, More, More, More, Top, Left]);
    assert_eq!((view.crosshair(), visible.first), (Some(1), 1));
    let (view, visible) = acted(&samples::run(100), &[Top, More, More, More, More, Bottom]);
    assert!(
        view.crosshair() == Some(100) && visible.contains(100),
        "{visible:?}"
    );
}

#[test]
fn beside_a_longer_run_the_crosshair_moves_by_a_column_and_reaches_its_end() {
    use Action::{Bottom, Left, Live, More, Right, Top};
    let alone = Extent::of(&samples::run(100));
    let extent = alone.beside(3_200);
    let mut view = ChartView::default();
    let mut after = |actions: &[Action]| {
        for action in actions {
            view.perform(*action, || extent, 40);
        }
        view.crosshair()
    };
    assert_eq!(
        after(&[Left]),
        Some(100),
        "its own newest child comes first"
    );
    assert_eq!(after(&[Top, Right]), Some(1 + 3_200 / 40));
    assert_eq!(after(&[Bottom]), Some(3_200));
    assert_eq!(after(&[More, Right]), Some(3_200), "zoomed in, too");
    assert_eq!(after(&[Live]), Some(100));
    assert!(view.point_at(2_000, &extent));
    assert_eq!(view.crosshair(), Some(2_000));
    // The longer run is no longer compared.
    view.perform(Left, || alone, 40);
    assert!(view.crosshair() < Some(100));
}

#[test]
fn the_crosshair_jumps_to_the_first_child_of_an_episode() {
    use Action::{Bottom, PageDown, PageUp, Top};
    let child = |actions: &[Action]| acted(&samples::run(40), actions).0.crosshair();
    assert_eq!(child(&[Top, PageDown]), Some(17));
    assert_eq!(child(&[Bottom, PageUp]), Some(33));
    assert_eq!(child(&[Bottom, PageUp, PageUp]), Some(17));
    assert_eq!(child(&[Bottom, PageDown]), Some(40));
}

#[test]
fn an_empty_run_has_no_crosshair() {
    assert_eq!(
        acted(&RunState::default(), &[Action::Bottom]).0.crosshair(),
        None
    );
}

proptest! {
    #[test]
    fn no_keys_lead_out_of_the_run(
        children in prop::collection::vec(prop_oneof![0u64..200, Just(100_000), Just(u64::MAX)], 0..6),
        moves in prop::collection::vec((action(), 0usize..100, 0u64..400, prop_oneof![Just(0u64), 1u64..500]), 0..40),
    ) {
        let mut view = ChartView::default();
        let mut state = samples::run(0);
        children.iter().for_each(|child| state.search_mut().unwrap().children.push(samples::row(*child, Some(0.5))));
        for (action, columns, child, beside) in moves {
            if child < 200 {
                state.search_mut().unwrap().children.push(samples::row(child, Some(0.5)));
            }
            let extent = Extent::of(&state).beside(beside);
            let (before, crosshair) = (view.visible(&extent), view.crosshair());
            view.perform(action, || extent, columns);
            let visible = view.visible(&extent);
            prop_assert!(visible.first >= 1 && visible.first <= visible.last && visible.last <= extent.whole().last.max(extent.end()));
            if view.is_zoomed() {
                prop_assert!(visible.last <= extent.end(), "{visible:?} {extent:?}");
                let follows = matches!(view.window, Window::Part { follows: true, .. });
                prop_assert!(!follows || visible.contains(extent.newest.max(1)), "{visible:?} {extent:?}");
            }
            if let Some(child) = view.crosshair() {
                let moved = crosshair != Some(child);
                prop_assert!(child >= 1 && (child <= extent.reach().max(1) || !moved));
                if !matches!(action, Action::Back | Action::ToggleScale | Action::ToggleQuantity) && child <= extent.reach() && before.contains(child) {
                    prop_assert!(visible.contains(child), "{child} left {visible:?} by {action:?}");
                }
            }
        }
    }
}

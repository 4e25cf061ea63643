//! The effects of keys in the inspector, and arbitrary keys on arbitrary networks.

use proptest::prelude::*;

use super::*;
use crate::space::lanes::tests::any_network;
use crate::tui::keymap::{Context, Keymap};

#[test]
fn only_an_edited_child_is_queued_under_its_parent() {
    let state = state(&journal());
    let known = known(&state, None);
    let (view, effect) = after(&edited(&[Key::Right, Key::More, Key::Queue]), 12, &known);
    let dna = view.draft.unwrap().dna().clone();
    assert_eq!(effect, InspectorEffect::Queue { parent: 12, dna });
    assert!(matches!(
        after(&edited(&[Key::Queue]), 12, &known).1,
        InspectorEffect::Tell { .. }
    ));
}

#[test]
fn a_child_is_copied_in_three_forms_and_saved_under_three_names() {
    let state = state(&journal());
    let known = known(&state, None);
    for (key, name, start) in [
        (Key::Copy, "child-12.dna.json", "{\n  \"dna\": [\n"),
        (
            Key::CopyJson,
            "child-12.json",
            "{\n  \"name\": \"child-12\"",
        ),
        (
            Key::CopyCode,
            "child-12.py",
            "\"\"\"child-12: 6 convolutional layers",
        ),
    ] {
        let InspectorEffect::Copy { text, what } = after(&[key], 12, &known).1 else {
            panic!("{key:?}")
        };
        assert!(what == name && text.starts_with(start), "{what}: {text}");
    }
    let InspectorEffect::Save(files) = after(&[Key::Save], 12, &known).1 else {
        panic!("not saved")
    };
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["child-12.dna.json", "child-12.json", "child-12.py"]);
}

#[test]
fn an_edited_child_is_copied_with_its_edits() {
    let state = state(&journal());
    let known = known(&state, None);
    let (view, effect) = after(&edited(&[Key::Right, Key::More, Key::Copy]), 12, &known);
    let dna = view.draft.unwrap().dna().clone();
    assert_eq!(
        effect,
        InspectorEffect::Copy {
            text: crate::export::dna(&dna),
            what: "child-12-edited.dna.json".to_owned()
        }
    );
}

#[test]
fn a_relative_can_be_opened_and_left_again() {
    let state = state(&journal());
    let known = known(&state, None);
    let mut view = after(
        &[Key::NextTab, Key::NextTab, Key::NextTab, Key::Right],
        12,
        &known,
    )
    .0;
    assert_ne!(view.child(), 12);
    view.act(Key::Left, &known, Size::new(76, 20));
    assert_eq!(view.child(), 12);
}

#[test]
fn left_and_right_step_through_the_children_and_stop_at_the_ends() {
    let state = state(&journal());
    let known = known(&state, None);
    assert_eq!(after(&[Key::Right], 12, &known).0.child(), 13);
    assert_eq!(after(&[Key::Left], 1, &known).0.child(), 1);
}

fn any_key() -> impl Strategy<Value = Key> {
    let keymap = Keymap::default();
    let keys = keymap
        .of(Context::Inspector)
        .map(|bound| bound.binding.action);
    proptest::sample::select(keys.collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_keys_on_any_network_in_any_size_are_safe(
        network in any_network(), keys in proptest::collection::vec(any_key(), 0..40), width in 0u16..140, height in 0u16..40,
        with_run in any::<bool>(),
    ) {
        let state = if with_run { state(&journal()) } else { RunState::default() };
        let detail = detail_of(network);
        let known = known(&state, Some(&detail));
        let mut view = InspectorView::open(1, &known);
        for key in keys {
            view.act(key, &known, Size::new(width, height));
            text(&view, &known, (width, height), false);
        }
    }
}

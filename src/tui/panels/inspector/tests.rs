//! The inspector drawn from a recorded run, and arbitrary keys on arbitrary networks.

mod keys;

use insta::assert_snapshot;
use ratatui::layout::Size;

use super::*;
use crate::config::Decode;
use crate::event::{Event, Record};
use crate::space::builtin::builtin;
use crate::space::{Architecture, Dna};
use crate::state::{Candidate, CandidateOrigin};
use crate::tui::keymap::Action as Key;
use crate::tui::sample::{self, records as journal, state_of as state};

/// Interiors of screens of 80x24, 120x40 and 60x15.
const SIZES: [(u16, u16); 3] = [(76, 20), (116, 34), (56, 11)];

/// What a journal contains about one child.
fn detail(child: u64) -> ChildDetail {
    let records = journal();
    let sampled = records.iter().find_map(|record| match &record.event {
        Event::ChildSampled(sampled) if sampled.child == child => {
            Some(Candidate::sampled(sampled, 1))
        }
        _ => None,
    });
    let epochs = records.iter().filter_map(|record| match &record.event {
        Event::ChildEpoch(epoch) if epoch.child == child => Some(epoch.clone()),
        _ => None,
    });
    let row = state(&records)
        .search()
        .children
        .clone()
        .into_iter()
        .find(|row| row.child == child);
    ChildDetail {
        candidate: sampled.unwrap(),
        epochs: epochs.collect(),
        row,
    }
}

/// Details of `architecture` without a run around it.
fn detail_of(architecture: Architecture) -> ChildDetail {
    let origin = CandidateOrigin::Sampled {
        log_prob: 0.0,
        entropy: 0.0,
        max_entropy: 0.0,
        choices: Vec::new(),
    };
    let candidate = Candidate {
        child: 1,
        episode: 1,
        dna: Dna::default(),
        design: crate::space::Design::Network(architecture),
        params: 0,
        macs: 0,
        origin,
        seq: 0,
    };
    ChildDetail {
        candidate,
        epochs: Vec::new(),
        row: None,
    }
}

fn nascnn15() -> ChildDetail {
    detail_of(
        builtin("nascnn15", Decode::Literal, [3, 32, 32], 10)
            .unwrap()
            .unwrap(),
    )
}

fn text(view: &InspectorView, known: &Known<'_>, size: (u16, u16), ascii: bool) -> String {
    sample::drawn(size, ascii, |painter| view.draw(known, painter))
}

/// What is known while the run is in progress.
fn known<'a>(state: &'a RunState, detail: Option<&'a ChildDetail>) -> Known<'a> {
    Known {
        state,
        detail,
        is_abandoned: false,
    }
}

/// The inspector of `child` after some keys.
fn after(keys: &[Key], child: u64, known: &Known<'_>) -> (InspectorView, InspectorEffect) {
    let mut view = InspectorView::open(child, known);
    let mut effect = InspectorEffect::Draw;
    for key in keys {
        let acted = view.act(*key, known, Size::new(76, 20));
        effect = acted.expect("a key of the inspector");
    }
    (view, effect)
}

fn snapshots(name: &str, view: &InspectorView, known: &Known<'_>) {
    for size in SIZES {
        assert_snapshot!(
            format!("{name}_{}x{}", size.0, size.1),
            text(view, known, size, false)
        );
    }
}

const EDIT: [Key; 1] = [Key::PreviousTab];

fn edited(keys: &[Key]) -> Vec<Key> {
    EDIT.iter().chain(keys).copied().collect()
}

#[test]
fn the_graph_of_a_chain() {
    let (state, detail) = (state(&journal()), detail(12));
    let known = known(&state, Some(&detail));
    snapshots(
        "graph",
        &after(&[Key::Down, Key::Down], 12, &known).0,
        &known,
    );
}

#[test]
fn the_graph_of_nascnn15() {
    let (state, detail) = (RunState::default(), nascnn15());
    let known = known(&state, Some(&detail));
    let view = after(&[Key::Down; 8], 1, &known).0;
    snapshots("nascnn15", &view, &known);
    assert_snapshot!("nascnn15_ascii_76x20", text(&view, &known, (76, 20), true));
}

#[test]
fn costs_layer_by_layer() {
    let (mut state, detail) = (state(&journal()[..1]), nascnn15());
    state
        .search_mut()
        .unwrap()
        .started
        .as_mut()
        .unwrap()
        .child_batch_size = Some(64);
    let known = known(&state, Some(&detail));
    snapshots("costs", &after(&[Key::NextTab], 1, &known).0, &known);
}

#[test]
fn memory_is_not_shown_if_the_run_did_not_record_its_batch_size() {
    let (state, detail) = (state(&journal()[..1]), nascnn15());
    let known = known(&state, Some(&detail));
    let shown = text(
        &after(&[Key::NextTab], 1, &known).0,
        &known,
        SIZES[0],
        false,
    );
    assert!(
        shown.contains("MACs per image") && !shown.contains("memory"),
        "{shown}"
    );
}

#[test]
fn learning_curves() {
    let (state, detail) = (state(&journal()), detail(12));
    let known = known(&state, Some(&detail));
    let view = after(&[Key::NextTab, Key::NextTab], 12, &known).0;
    snapshots("curves", &view, &known);
    assert_snapshot!("curves_ascii_76x20", text(&view, &known, (76, 20), true));
}

#[test]
fn relatives() {
    let state = state(&journal());
    let known = known(&state, None);
    snapshots(
        "relatives",
        &after(
            &[Key::NextTab, Key::NextTab, Key::NextTab, Key::Down],
            12,
            &known,
        )
        .0,
        &known,
    );
}

#[test]
fn an_edit_that_can_be_built() {
    let state = state(&journal());
    let known = known(&state, None);
    snapshots(
        "edit",
        &after(
            &edited(&[Key::Down, Key::Less, Key::Right, Key::More]),
            12,
            &known,
        )
        .0,
        &known,
    );
}

/// Keys that make child 12 unbuildable: every stride 2 and no padding.
fn impossible() -> Vec<Key> {
    let row = [
        Key::More,
        Key::More,
        Key::More,
        Key::Right,
        Key::Right,
        Key::More,
        Key::Right,
    ];
    let row = row
        .into_iter()
        .chain([Key::Less; 3])
        .chain([Key::Left; 3])
        .chain([Key::Down]);
    edited(&row.collect::<Vec<_>>().repeat(6))
}

#[test]
fn an_edit_that_cannot_be_built_says_why() {
    let state = state(&journal());
    let known = known(&state, None);
    let (mut view, _) = after(&impossible(), 12, &known);
    snapshots("edit_impossible", &view, &known);
    let effect = view.act(Key::Queue, &known, Size::new(76, 20));
    let Some(InspectorEffect::Tell { text, .. }) = effect else {
        panic!("queued")
    };
    assert!(text.starts_with("not queued: layer"), "{text}");
}

#[test]
fn until_the_journal_is_read_the_curves_say_so() {
    let state = state(&journal());
    let known = known(&state, None);
    let view = after(&[Key::NextTab, Key::NextTab], 12, &known).0;
    assert!(text(&view, &known, (76, 20), false).contains("reading the journal"));
}

#[test]
fn a_failed_child_tells_why() {
    let records = journal();
    let is_failed = |record: &&Record| matches!(record.event, Event::ChildFailed { .. });
    let Event::ChildFailed { child, reason, .. } = &records.iter().find(is_failed).unwrap().event
    else {
        unreachable!()
    };
    let state = state(&records);
    let known = known(&state, None);
    let drawn = text(
        &InspectorView::open(*child, &known),
        &known,
        (116, 34),
        false,
    );
    assert!(
        drawn.contains("FAILED") && drawn.contains(&reason[..20]),
        "{reason}\n{drawn}"
    );
}

#[test]
fn an_excluded_child_is_not_said_to_have_failed() {
    let mut records = journal();
    for record in &mut records {
        if let Event::ChildFailed {
            child,
            episode,
            seconds,
            ..
        } = record.event
        {
            record.event = Event::ChildExcluded {
                child,
                episode,
                reason: "skipped by a user".to_owned(),
                seconds,
                control: false,
            };
        }
    }
    let is_excluded = |record: &&Record| matches!(record.event, Event::ChildExcluded { .. });
    let Event::ChildExcluded { child, .. } = records.iter().find(is_excluded).unwrap().event else {
        unreachable!()
    };
    let state = state(&records);
    let known = known(&state, None);
    let drawn = text(
        &InspectorView::open(child, &known),
        &known,
        (116, 34),
        false,
    );
    assert!(
        drawn.contains("EXCLUDED") && !drawn.contains("failed"),
        "{drawn}"
    );
    assert!(
        drawn.contains("It is excluded, nothing is learned from it: skipped by a user"),
        "{drawn}"
    );
}

#[test]
fn a_child_in_training_shows_its_completed_epochs() {
    let records = journal();
    let is_epoch =
        |record: &Record| matches!(&record.event, Event::ChildEpoch(epoch) if epoch.epoch == 2);
    let until = records.iter().position(is_epoch).unwrap();
    let state = state(&records[..=until]);
    let Event::ChildEpoch(epoch) = &records[until].event else {
        unreachable!()
    };
    let known = known(&state, None);
    let view = after(&[Key::NextTab, Key::NextTab], epoch.child, &known).0;
    assert_snapshot!("training_76x20", text(&view, &known, (76, 20), false));
}

#[test]
fn the_note_stands_above_the_pages_in_a_row_or_where_there_is_room_in_a_few() {
    let (mut state, detail) = (state(&journal()), detail(12));
    let note = format!("#keep: {}", ["word"; 80].join(" "));
    let search = state.search_mut().unwrap();
    search.notes.apply(&Event::ChildNoted {
        child: 12,
        text: note,
    });
    let known = known(&state, Some(&detail));
    for (size, most) in [(SIZES[0], 1), (SIZES[1], NOTE_ROWS), (SIZES[2], 1)] {
        let (view, _) = after(&[], 12, &known);
        let shown = text(&view, &known, size, false);
        let shown: Vec<&str> = shown.lines().collect();
        assert!(shown[1].starts_with("note #keep: word"), "{shown:?}");
        assert!(shown[most].ends_with('…'), "{shown:?}");
        assert!(shown[1 + most].starts_with("[Graph]"), "{shown:?}");
    }
    let (other, _) = after(&[], 13, &known);
    assert!(!text(&other, &known, SIZES[0], false).contains("note"));
}

//! What follows a worker stays while it is between two children.

use super::room_tests::{app, drawn};
use crate::event::Event;
use crate::tui::panels::PanelId;
use crate::tui::sample;

#[test]
fn while_children_wait_that_of_the_worker_selected_stays_until_the_next_one_begins() {
    let records = sample::records();
    let mut app = app(&records[..1], 0, (200, 50));
    let (mut kept, mut stayed, mut left) = (None, 0, 0);
    for record in &records[1..] {
        let before = app.shown_child();
        app.take(record);
        let search = app.state().search();
        let waits = search.waiting.len() > search.by_worker.len();
        let shown = app.shown_child();
        match record.event {
            Event::ChildFinished(ref finished) if Some(finished.child) == before => {
                kept = before.filter(|_| waits);
                let stays = shown == before;
                assert_eq!(stays, waits || search.by_worker.is_empty(), "{finished:?}");
                // Nothing has to be read to show it.
                assert!(!stays || app.scene().detail(finished.child).is_some());
                assert!(!waits || app.wanted_child().is_none());
                *if stays { &mut stayed } else { &mut left } += 1;
            }
            Event::ChildStarted {
                child, worker: 0, ..
            } => {
                assert_eq!(shown, Some(child));
                kept = None;
            }
            _ => assert!(kept.is_none() || shown == kept, "{record:?}"),
        }
    }
    assert!(stayed > 30 && left > 1, "{stayed} {left}");
}

#[test]
fn a_child_that_failed_or_whose_worker_died_is_not_shown_as_if_it_were_trained() {
    let records = sample::records();
    let mut app = app(&records[..1], 0, (200, 50));
    let (mut seen, mut died) = (0, 0);
    for record in &records[1..] {
        app.take(record);
        if let Event::ChildFailed { child, .. } = record.event {
            seen += 1;
            assert_ne!(app.shown_child(), Some(child));
            let text = drawn(&app, PanelId("workers"), 55).unwrap();
            assert!(!text.contains(&format!("child {child} ")), "{text}");
        }
        if let Event::WorkerDied { worker, .. } = record.event {
            died += 1;
            let search = app.state().search();
            assert!(!search.ready.contains(&worker));
            assert!(!search.ended_by_worker.contains_key(&worker));
        }
    }
    assert_eq!((seen, died), (1, 3));
}

#[test]
fn each_worker_keeps_its_rows_while_another_trains() {
    let (records, workers) = (sample::records(), PanelId("workers"));
    let mut app = app(&records[..1], 0, (200, 50));
    let (mut idle, mut none) = (0, 0);
    for record in &records[1..] {
        app.take(record);
        let search = app.state().search();
        let (ready, training) = (search.ready.len(), search.by_worker.len());
        let text = drawn(&app, workers, 55).unwrap();
        if training == 0 || ready < 2 {
            none += usize::from(text.contains("no child in training"));
            continue;
        }
        let rows: Vec<&str> = text.lines().collect();
        let numbers = [1, 3].map(|row| rows[row].trim_start_matches(['▸', ' ']).chars().next());
        assert_eq!(numbers, [Some('0'), Some('1')], "{text}");
        assert!(text.contains("workers 2"), "{text}");
        idle += usize::from(text.contains("idle"));
    }
    assert!(idle > 2 && none > 5, "{idle} {none}");
}

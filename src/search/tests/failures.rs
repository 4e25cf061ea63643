//! Errors end the run with a message and keep what was reached, and the run can be resumed.

use std::path::PathBuf;
use std::time::Instant;

use super::fakes::{Behaviour, Run, event_names, parts};
use crate::event::{Event, FinishReason};
use crate::search::{Search, SearchError};
use crate::session::{SessionError, Working};

fn last_event(run: &Run) -> Event {
    run.records().last().unwrap().event.clone()
}

#[test]
fn workers_that_cannot_continue_fail_the_run_which_can_be_resumed() {
    let (plain, run) = (Run::new(&[]), Run::new(&[]));
    plain.search(&Behaviour::default()).unwrap();
    let error = run
        .search(&Behaviour {
            fatal_at: Some(6),
            ..Behaviour::default()
        })
        .unwrap_err();
    assert!(
        !error.is_bad_input() && error.to_string().contains("left the bus"),
        "{error}"
    );
    assert!(matches!(
        last_event(&run),
        Event::RunFinished {
            reason: FinishReason::Failed,
            ..
        }
    ));
    run.resume(&Behaviour::default()).unwrap();
    assert_eq!(run.outcome(), plain.outcome());
}

#[test]
fn a_run_with_unusable_data_begins_once_the_user_has_fixed_them() {
    let run = Run::new(&[]);
    // As if killed before it began.
    drop(run.begin());
    let error = run
        .resume(&Behaviour {
            unusable: true,
            ..Behaviour::default()
        })
        .unwrap_err();
    assert!(
        error.is_bad_input() && error.to_string().contains("truncated"),
        "{error}"
    );
    assert_eq!(event_names(&run.journal()), ["notice", "run_finished"]);
    assert_eq!(
        run.resume(&Behaviour::default())
            .unwrap()
            .children_evaluated,
        12
    );
    assert!(event_names(&run.journal()).contains(&"run_started".to_owned()));
}

#[test]
fn nothing_is_left_of_a_new_run_with_unusable_data() {
    let run = Run::new(&[]);
    let error = run
        .search(&Behaviour {
            unusable: true,
            ..Behaviour::default()
        })
        .unwrap_err();
    assert!(error.is_bad_input(), "{error}");
    assert!(!run.path().exists());
}

#[test]
fn a_depth_that_the_space_cannot_build_is_refused_before_anything_is_trained() {
    let behaviour = Behaviour::default();
    let run = Run::new(&[
        "space.kernels=[5]",
        "space.paddings=[0]",
        "search.initial_depth=4",
    ]);
    let error = run.search(&behaviour).unwrap_err();
    assert!(
        matches!(error.of_work(), Some(SearchError::Space(_))) && error.is_bad_input(),
        "{error}"
    );
    assert!(behaviour.jobs().is_empty());
}

#[test]
fn a_bug_in_the_program_ends_the_search_and_its_clients_are_told() {
    let run = Run::new(&["search.reuse=false"]);
    let session = run.begin();
    let mut client = session.hub().connect().unwrap();
    let searching = session
        .start(parts(&Behaviour {
            panic_at: Some(2),
            ..Behaviour::default()
        }))
        .unwrap();
    while client.records.blocking_recv().is_some() {}
    let error = searching.join().unwrap_err();
    assert!(
        error.to_string().contains("a panic that a test asked for"),
        "{error}"
    );
    assert_eq!(
        run.resume(&Behaviour::default())
            .unwrap()
            .children_evaluated,
        12
    );
}

/// A run in which a folder is in the place of best.json, so that the first new best cannot be written.
fn obstructed(run: &Run) -> (Working<Search>, PathBuf) {
    let session = run.begin();
    let (hub, obstacle) = (session.hub(), run.path().join("best.json"));
    std::fs::create_dir(&obstacle).unwrap();
    let working = session.start(parts(&Behaviour::default())).unwrap();
    let begin = Instant::now();
    while hub.blocked().is_none() {
        assert!(begin.elapsed().as_secs() < 60, "it does not wait");
        std::thread::yield_now();
    }
    assert!(hub.blocked().unwrap().contains("best.json"));
    (working, obstacle)
}

#[test]
fn a_run_that_cannot_write_a_file_waits_and_goes_on_when_it_can() {
    let (run, undisturbed) = (Run::new(&[]), Run::new(&[]));
    undisturbed.search(&Behaviour::default()).unwrap();
    let (working, obstacle) = obstructed(&run);
    std::fs::remove_dir(obstacle).unwrap();
    working.join().unwrap();
    assert_eq!(run.outcome(), undisturbed.outcome());
    let names = event_names(&run.journal());
    assert!(names.contains(&"paused".to_owned()) && names.contains(&"resumed".to_owned()));
}

#[test]
fn a_run_stopped_while_it_cannot_write_says_what_is_lost_and_is_resumed() {
    let (run, undisturbed) = (Run::new(&[]), Run::new(&[]));
    undisturbed.search(&Behaviour::default()).unwrap();
    let (working, obstacle) = obstructed(&run);
    working.hub.stop_request().request();
    let error = working.join().unwrap_err();
    assert!(
        matches!(&error, SessionError::Unsaved { reason, .. } if reason.contains("best.json")),
        "{error}"
    );
    assert!(!error.is_bad_input());
    std::fs::remove_dir(obstacle).unwrap();
    run.resume(&Behaviour::default()).unwrap();
    let mut outcome = run.outcome();
    // That of the stop, in the first episode.
    assert_eq!(outcome.checkpoints.remove(0), 0);
    assert_eq!(outcome, undisturbed.outcome());
}

//! Errors end the run with a message and keep what was reached, and the run can be resumed.

use super::fakes::{Behaviour, Run, event_names, parts};
use crate::event::{Event, FinishReason};
use crate::search::SearchError;

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
    let error = run
        .search(&Behaviour {
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

#[test]
fn a_run_whose_directory_cannot_be_written_to_fails_with_the_path() {
    let run = Run::new(&[]);
    let session = run.begin();
    // A folder in place of best.json: the first new best cannot be written.
    std::fs::create_dir(run.path().join("best.json")).unwrap();
    let error = session
        .start(parts(&Behaviour::default()))
        .unwrap()
        .join()
        .unwrap_err();
    assert!(
        !error.is_bad_input() && error.to_string().contains("best.json"),
        "{error}"
    );
    std::fs::remove_dir(run.path().join("best.json")).unwrap();
    assert_eq!(
        run.resume(&Behaviour::default())
            .unwrap()
            .children_evaluated,
        12
    );
}

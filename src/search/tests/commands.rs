//! Pause, resume and stop.

use std::sync::Arc;

use super::fakes::{Behaviour, Run, event_names, parts};
use crate::event::{Event, FinishReason, Record};
use crate::link::{Command, Connection};

/// The next record for which `wanted` returns true.
pub fn wait_for(connection: &mut Connection, wanted: impl Fn(&Event) -> bool) -> Arc<Record> {
    loop {
        let record = connection
            .records
            .blocking_recv()
            .expect("the search is still on");
        if wanted(&record.event) {
            return record;
        }
    }
}

#[test]
fn a_pause_is_acknowledged_and_nothing_is_learned_before_the_resume() {
    let run = Run::new(&["search.reuse=false"]);
    let session = run.begin();
    let mut client = session.hub().connect().unwrap();
    // Before anything else: the pause takes effect when the workers are ready.
    client.commands.send(Command::Pause).unwrap();
    let searching = session.start(parts(&Behaviour::default())).unwrap();
    wait_for(&mut client, |event| *event == Event::Paused);
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert!(
        client.records.try_recv().is_err(),
        "nothing happens while paused"
    );
    client.commands.send(Command::Resume).unwrap();
    let summary = searching.join().unwrap();
    assert_eq!(summary.reason, Some(FinishReason::Completed));
    let mut names = event_names(&run.journal());
    names.retain(|name| name != "worker_started");
    let at = |name: &str| names.iter().position(|other| other == name).unwrap();
    assert_eq!(
        names[at("pause_requested")..=at("episode_started")],
        ["pause_requested", "paused", "resumed", "episode_started"]
    );
}

#[test]
fn a_paused_run_equals_one_that_never_paused() {
    let (plain, paused) = (Run::new(&[]), Run::new(&[]));
    plain.search(&Behaviour::default()).unwrap();
    let session = paused.begin();
    let mut client = session.hub().connect().unwrap();
    let searching = session.start(parts(&Behaviour::default())).unwrap();
    for _ in 0..3 {
        if client.records.blocking_recv().is_none() {
            break;
        }
        client.commands.send(Command::Pause).unwrap();
        client.commands.send(Command::Pause).unwrap();
        client.commands.send(Command::Resume).unwrap();
    }
    searching.join().unwrap();
    assert_eq!(plain.outcome(), paused.outcome());
}

#[test]
fn a_stop_in_the_first_episode_saves_a_checkpoint_and_the_run_can_be_resumed() {
    let (plain, stopped) = (Run::new(&[]), Run::new(&[]));
    plain.search(&Behaviour::default()).unwrap();
    let session = stopped.begin();
    let mut client = session.hub().connect().unwrap();
    let searching = session
        .start(parts(&Behaviour {
            silent: vec![2, 3, 4],
            ..Behaviour::default()
        }))
        .unwrap();
    wait_for(&mut client, |event| {
        matches!(event, Event::ChildFinished(_))
    });
    client.commands.send(Command::Stop).unwrap();
    let summary = searching.join().unwrap();
    assert_eq!(summary.reason, Some(FinishReason::Stopped));
    let names = event_names(&stopped.journal());
    assert_eq!(
        names[names.len() - 3..],
        ["stop_requested", "checkpoint_saved", "run_finished"]
    );
    assert_eq!(stopped.checkpoint().unwrap().episode, 0);
    stopped.resume(&Behaviour::default()).unwrap();
    let (plain, mut stopped) = (plain.outcome(), stopped.outcome());
    assert_eq!(stopped.checkpoints.remove(0), 0);
    assert_eq!(plain, stopped);
}

#[test]
fn a_stop_while_paused_ends_the_run() {
    let run = Run::new(&[]);
    let session = run.begin();
    let mut client = session.hub().connect().unwrap();
    client.commands.send(Command::Pause).unwrap();
    let searching = session.start(parts(&Behaviour::default())).unwrap();
    wait_for(&mut client, |event| *event == Event::Paused);
    client.commands.send(Command::Stop).unwrap();
    assert_eq!(
        searching.join().unwrap().reason,
        Some(FinishReason::Stopped)
    );
    assert_eq!(
        run.resume(&Behaviour::default()).unwrap().reason,
        Some(FinishReason::Completed)
    );
}

#[test]
fn a_client_that_leaves_does_not_disturb_the_search() {
    let run = Run::new(&[]);
    let session = run.begin();
    drop(session.hub().connect().unwrap());
    assert_eq!(
        session
            .start(parts(&Behaviour::default()))
            .unwrap()
            .join()
            .unwrap()
            .children_evaluated,
        12
    );
}

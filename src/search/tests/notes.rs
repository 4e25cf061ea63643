//! Notes on children, during a search, between its sessions and after its end.

use super::commands::wait_for;
use super::fakes::{Behaviour, Run, parts};
use crate::event::{Event, Level};
use crate::link::{Command, Connection, state_of, write_note};

fn note(child: u64, text: &str) -> Command {
    let text = text.to_owned();
    Command::Note { child, text }
}

fn wait_for_end(client: &mut Connection, child: u64) {
    wait_for(
        client,
        |event| matches!(event, Event::ChildFinished(finished) if finished.child == child),
    );
}

fn wait_for_refusal(client: &mut Connection, text: &str) {
    wait_for(
        client,
        |event| matches!(event, Event::Notice { level: Level::Warning, message } if message.contains(text)),
    );
}

/// A search that child 2 holds up.
fn held() -> (Run, Behaviour) {
    let behaviour = Behaviour {
        silent: vec![2],
        ..Behaviour::default()
    };
    (Run::new(&["search.reuse=false"]), behaviour)
}

#[test]
fn a_note_is_recorded_once_and_known_in_the_next_session() {
    let (run, behaviour) = held();
    let session = run.begin();
    let mut client = session.hub().connect().unwrap();
    let searching = session.start(parts(&behaviour)).unwrap();
    wait_for_end(&mut client, 1);
    for (child, text) in [(1, "  #keep "), (2, "odd")] {
        client.commands.send(note(child, text)).unwrap();
        let text = text.trim().to_owned();
        wait_for(&mut client, |event| {
            *event
                == Event::ChildNoted {
                    child,
                    text: text.clone(),
                }
        });
    }
    client.commands.send(Command::Stop).unwrap();
    searching.join().unwrap();

    let session = run.open().unwrap();
    let mut client = session.hub().connect().unwrap();
    let searching = session.start(parts(&behaviour)).unwrap();
    client.commands.send(note(1, "#keep")).unwrap();
    wait_for_refusal(&mut client, "child 1 has this note already");
    client.commands.send(note(1, "")).unwrap();
    wait_for(
        &mut client,
        |event| matches!(event, Event::ChildNoted { child: 1, text } if text.is_empty()),
    );
    client.commands.send(Command::Stop).unwrap();
    searching.join().unwrap();
    let state = state_of(&run.path()).unwrap();
    let notes: Vec<(u64, &str)> = state.search().notes.all().collect();
    assert_eq!(notes, [(2, "odd")]);
}

#[test]
fn a_note_that_cannot_be_is_refused_and_not_recorded() {
    let (run, behaviour) = held();
    let session = run.begin();
    let mut client = session.hub().connect().unwrap();
    let searching = session.start(parts(&behaviour)).unwrap();
    wait_for_end(&mut client, 1);
    for (child, text, reason) in [
        (1, "x".repeat(501), "at most 500 characters"),
        (1, "two\nlines".to_owned(), "U+000A"),
        (99, "#keep".to_owned(), "there is no child 99"),
        (1, String::new(), "child 1 has no note"),
    ] {
        client.commands.send(note(child, &text)).unwrap();
        wait_for_refusal(&mut client, reason);
    }
    client.commands.send(Command::Stop).unwrap();
    searching.join().unwrap();
    let is_note = |event: &Event| matches!(event, Event::ChildNoted { .. });
    assert!(!run.records().iter().any(|record| is_note(&record.event)));
}

#[test]
fn a_search_with_notes_between_its_sessions_and_after_its_end_has_the_same_result() {
    let plain = Run::new(&["search.reuse=false"]);
    let expected = plain.search(&Behaviour::default()).unwrap();
    let (run, behaviour) = held();
    let session = run.begin();
    let mut client = session.hub().connect().unwrap();
    let searching = session.start(parts(&behaviour)).unwrap();
    wait_for_end(&mut client, 1);
    client.commands.send(Command::Stop).unwrap();
    searching.join().unwrap();
    write_note(&run.path(), 1, "#keep").unwrap();
    write_note(&run.path(), 2, "stopped while it was trained").unwrap();
    run.resume(&Behaviour::default()).unwrap();
    write_note(&run.path(), 3, "after the end").unwrap();
    let mut outcome = run.outcome();
    // That of the stop in the first episode.
    outcome.checkpoints.retain(|episode| *episode > 0);
    assert_eq!(outcome, plain.outcome());

    // The run is still complete: nothing is done again.
    let records = run.records().len();
    let again = run.resume(&Behaviour::default()).unwrap();
    assert_eq!(run.records().len(), records);
    assert_eq!(again.reason, expected.reason);
    assert_eq!(again.children_evaluated, expected.children_evaluated);
    assert_eq!(again.best, expected.best);
    let state = state_of(&run.path()).unwrap();
    assert_eq!(state.search().notes.all().count(), 3);
}

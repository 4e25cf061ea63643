//! Runs that cannot be resumed, and why.

use std::fs;

use super::fakes::{Behaviour, Run, config};
use super::resume::Original;
use crate::event::{Event, Record};
use crate::search::SearchError;
use crate::session::SessionError;

#[test]
fn a_child_that_comes_out_different_is_an_error_that_names_it() {
    let original = Original::new(&[], &Behaviour::default());
    let cut = original
        .cut(original.lines()[..8].concat().len(), 0)
        .unwrap();
    let journal = fs::read_to_string(cut.journal()).unwrap();
    let line = journal
        .lines()
        .position(|line| line.contains("child_sampled") && line.contains("\"child\":2,"))
        .unwrap();
    let changed: Vec<String> = journal
        .lines()
        .enumerate()
        .map(|(number, text)| if number == line { text.replacen("\"dna\":[[", "\"dna\":[[7,7,7,7],[", 1) } else { text.to_owned() } + "\n")
        .collect();
    fs::write(cut.journal(), changed.concat()).unwrap();
    let error = cut.resume(&Behaviour::default()).unwrap_err();
    assert!(
        matches!(
            error.of_work(),
            Some(SearchError::OtherChild { child: 2, .. })
        ),
        "{error}"
    );
}

#[test]
fn settings_changed_since_the_checkpoint_are_refused_by_name() {
    let original = Original::new(&[], &Behaviour::default());
    let bytes = original.lines()[..14].concat().len();
    let mut cut = original.cut(bytes, 1).unwrap();
    cut.config = config(&["child.epochs=3"]);
    fs::write(cut.path().join("config.toml"), cut.config.to_toml()).unwrap();
    let error = cut.open().err().expect("must be refused");
    assert!(
        error.is_bad_input() && error.to_string().contains("child.epochs was 2 and is 3"),
        "{error}"
    );
}

#[test]
fn a_damaged_checkpoint_is_an_error_and_never_a_silent_restart() {
    let run = Run::new(&[]);
    run.search(&Behaviour::default()).unwrap();
    let mut bytes = fs::read(run.checkpoint_path()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(run.checkpoint_path(), bytes).unwrap();
    let error = run.open().err().expect("must be refused");
    assert!(
        matches!(error, SessionError::Checkpoint(_)) && error.is_bad_input(),
        "{error}"
    );
}

#[test]
fn a_checkpoint_newer_than_its_journal_is_an_error() {
    let original = Original::new(&[], &Behaviour::default());
    let cut = original
        .cut(original.lines()[..5].concat().len(), 2)
        .unwrap();
    let error = cut.open().err().expect("must be refused");
    assert!(
        matches!(error, SessionError::JournalBehind { journal: 5, .. }),
        "{error}"
    );
}

#[test]
fn other_data_is_refused_and_another_number_of_threads_is_noticed() {
    let original = Original::new(&[], &Behaviour::default());
    let cut = || {
        original
            .cut(original.lines()[..9].concat().len(), 0)
            .unwrap()
    };
    let error = cut()
        .resume(&Behaviour {
            fingerprint: "deadbeef".into(),
            ..Behaviour::default()
        })
        .unwrap_err();
    assert!(
        matches!(error, SessionError::OtherData { .. }) && error.to_string().contains("deadbeef"),
        "{error}"
    );
    let cut = cut();
    cut.resume(&Behaviour {
        threads: 3,
        ..Behaviour::default()
    })
    .unwrap();
    let is_notice = |record: &Record| matches!(&record.event, Event::Notice { message, .. } if message.contains("threads: 3, but the run was begun with 1"));
    assert!(cut.records().iter().any(is_notice));
}

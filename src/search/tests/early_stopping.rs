//! Runs whose children can be stopped early, interrupted and resumed.

use super::fakes::Behaviour;
use super::resume::{Original, resume_after_every_line};
use super::unequal::equal;

const STOPPING: [&str; 4] = [
    "early_stopping.below=0.5",
    "search.reuse=never",
    "search.controls=1",
    "search.episodes=6",
];

#[test]
fn a_run_with_early_stopping_killed_after_any_line_and_resumed_equals_an_uninterrupted_one() {
    let behaviour = Behaviour {
        failing: vec![2],
        breaking: vec![15],
        workers: 2,
        ..Behaviour::default()
    };
    for strategy in ["search.strategy=reinforce", "search.strategy=evolution"] {
        let settings = [&STOPPING[..], &[strategy, "evolution.population=3"]].concat();
        let original = Original::new(&settings, &behaviour);
        assert!(original.journal.contains("\"stopped_early\":true"));
        resume_after_every_line(&original);
    }
}

/// The threshold comes from the episodes that had been learned from when a child was proposed.
#[test]
fn so_does_one_with_asynchronous_updates() {
    let behaviour = Behaviour {
        workers: 3,
        duration: Some(equal),
        ..Behaviour::default()
    };
    let settings = [&STOPPING[..], &["search.updates=asynchronous"]].concat();
    let original = Original::new(&settings, &behaviour);
    assert!(original.journal.contains("\"stopped_early\":true"));
    assert!(original.journal.contains("\"staleness\":1"));
    resume_after_every_line(&original);
}

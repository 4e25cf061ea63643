//! Episodes all of whose children fail: a run stops, unless failures are common in it, and a resume
//! tries them again.

use super::commands::wait_for;
use super::fakes::{Behaviour, Run, event_names, parts};
use super::resume::{Original, resume_after_every_line};
use crate::event::{Event, FinishReason, Level};
use crate::link::Command;

fn failing(children: impl IntoIterator<Item = u64>) -> Behaviour {
    Behaviour {
        failing: children.into_iter().collect(),
        ..Behaviour::default()
    }
}

fn ends_failed(run: &Run) -> bool {
    let last = run.records().last().map(|record| record.event.clone());
    matches!(
        last,
        Some(Event::RunFinished {
            reason: FinishReason::Failed,
            ..
        })
    )
}

fn count(run: &Run, name: &str) -> usize {
    let journal = std::fs::read_to_string(run.journal()).unwrap();
    journal.matches(&format!("\"event\":\"{name}\"")).count()
}

#[test]
fn a_run_all_of_whose_children_fail_stops_as_failed_and_a_resume_trains_them() {
    let settings = ["search.reuse=false"];
    let (plain, run) = (Run::new(&settings), Run::new(&settings));
    plain.search(&Behaviour::default()).unwrap();
    let error = run.search(&failing(1..=12)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "episode 1: none of its children has an accuracy (4 x the loss is not finite). Resume the run once the cause is fixed: it \
         then tries these 4 again. If the settings are the cause, begin a new run"
    );
    assert!(!error.is_bad_input() && ends_failed(&run));
    let told = |event: &Event| {
        matches!(event, Event::Notice { level: Level::Warning, message }
            if message.contains("failed: the loss is not finite"))
    };
    let notices = run.records();
    let notices = notices.iter().filter(|record| told(&record.event)).count();
    assert_eq!((notices, count(&run, "child_failed")), (4, 0));
    run.resume(&Behaviour::default()).unwrap();
    assert_eq!(run.outcome(), plain.outcome());
}

#[test]
fn so_does_one_whose_workers_break_in_the_middle() {
    let settings = ["search.reuse=false"];
    let (plain, run) = (Run::new(&settings), Run::new(&settings));
    plain.search(&Behaviour::default()).unwrap();
    let behaviour = Behaviour {
        failing: vec![6],
        breaking: vec![5, 7, 8],
        workers: 2,
        ..Behaviour::default()
    };
    for attempt in 0..2 {
        let error = match attempt {
            0 => run.search(&behaviour).unwrap_err(),
            _ => run.resume(&behaviour).unwrap_err(),
        };
        let text = error.to_string();
        assert!(
            text.contains("episode 2: none of its children has an accuracy (3 x its worker died 2 times; 1 x the loss"),
            "{text}"
        );
        assert!(ends_failed(&run));
    }
    run.resume(&Behaviour::default()).unwrap();
    assert_eq!(run.outcome(), plain.outcome());
}

#[test]
fn strategies_that_learn_from_each_child_and_asynchronous_updates_stop_too() {
    for settings in [
        &["search.strategy=evolution", "evolution.population=3"][..],
        &["search.strategy=local_search"],
        &["search.strategy=random"],
        &["search.updates=asynchronous"],
        &["search.controls=1"],
        &["search.reuse=mean"],
    ] {
        for workers in [1, 2, 3] {
            let run = Run::new(settings);
            let behaviour = Behaviour {
                workers,
                ..failing(1..=100)
            };
            let text = run.search(&behaviour).unwrap_err().to_string();
            assert!(
                text.starts_with("episode 1: none of"),
                "{settings:?}: {text}"
            );
            let summary = run
                .resume(&Behaviour {
                    workers,
                    ..Behaviour::default()
                })
                .unwrap();
            assert_eq!(
                (summary.children_evaluated, summary.failures),
                (12, 0),
                "{settings:?}"
            );
        }
    }
}

#[test]
fn a_space_most_of_whose_children_fail_is_searched_to_the_end() {
    let run = Run::new(&["search.reuse=false", "search.episodes=4"]);
    // The last episode has no success.
    let behaviour = failing([1, 2, 3, 5, 6, 8, 9, 10, 12, 13, 14, 15, 16]);
    let summary = run.search(&behaviour).unwrap();
    assert_eq!(summary.reason, Some(FinishReason::Completed));
    assert_eq!((summary.children_evaluated, summary.failures), (16, 13));
    assert_eq!(summary.episodes[3].mean_reward, 0.0);
}

#[test]
fn such_a_run_killed_after_any_line_and_resumed_equals_an_uninterrupted_one() {
    let settings = ["search.reuse=false", "search.episodes=4"];
    let behaviour = Behaviour {
        breaking: vec![11, 15],
        ..failing([1, 2, 3, 5, 6, 8, 9, 10, 12, 13, 14, 16])
    };
    resume_after_every_line(&Original::new(&settings, &behaviour));
}

#[test]
fn a_failure_is_recorded_as_soon_as_another_child_of_its_episode_succeeds() {
    let run = Run::new(&["search.reuse=false", "search.episodes=1"]);
    run.search(&failing([1])).unwrap();
    let ends: Vec<u64> = run
        .records()
        .into_iter()
        .filter_map(|record| match record.event {
            Event::ChildFinished(finished) => Some(finished.child),
            Event::ChildFailed { child, .. } => Some(child),
            _ => None,
        })
        .collect();
    assert_eq!(ends, [2, 1, 3, 4]);
}

#[test]
fn an_episode_whose_children_a_user_skips_is_no_failure() {
    let run = Run::new(&["search.reuse=false"]);
    let session = run.begin();
    let mut client = session.hub().connect().unwrap();
    let behaviour = Behaviour {
        unbegun: vec![1, 2, 3, 4],
        ..Behaviour::default()
    };
    let searching = session.start(parts(&behaviour)).unwrap();
    wait_for(
        &mut client,
        |event| matches!(event, Event::ChildSampled(sampled) if sampled.child == 4),
    );
    for child in 1..=4 {
        client.commands.send(Command::Skip { child }).unwrap();
    }
    let summary = searching.join().unwrap();
    assert_eq!(
        (summary.children_evaluated, summary.excluded_children),
        (8, 4)
    );
    assert!(event_names(&run.journal()).contains(&"episode_excluded".to_owned()));
}

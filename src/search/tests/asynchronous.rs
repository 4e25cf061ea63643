//! Asynchronous updates: the next episode begins while children of earlier ones are in training.

use super::fakes::{Behaviour, Run, parts};
use super::resume::{Original, resume_after_every_line, that_learn_from_each};
use super::unequal::{equal, unequal};
use crate::event::{ChildSampled, EpisodeFinished, Event, FinishReason};
use crate::link::Command;

const ASYNCHRONOUS: &str = "search.updates=asynchronous";

fn sampled(run: &Run) -> Vec<ChildSampled> {
    let sampled = |event| match event {
        Event::ChildSampled(sampled) => Some(sampled),
        _ => None,
    };
    let records = run.records().into_iter();
    records.filter_map(|record| sampled(record.event)).collect()
}

fn episodes(run: &Run) -> Vec<EpisodeFinished> {
    let finished = |event| match event {
        Event::EpisodeFinished(episode) => Some(episode),
        _ => None,
    };
    let records = run.records().into_iter();
    records
        .filter_map(|record| finished(record.event))
        .collect()
}

/// The share of the workers' time that is idle in a run on workers with unequal children, and its
/// mean staleness.
fn idle_and_staleness(updates: &str, workers: usize) -> (f64, f64) {
    let run = Run::new(&[
        updates,
        "search.reuse=never",
        "search.episodes=12",
        "search.children_per_episode=16",
    ]);
    let behaviour = Behaviour {
        workers,
        duration: Some(unequal),
        ..Behaviour::default()
    };
    let summary = run.search(&behaviour).unwrap();
    assert_eq!(summary.children_evaluated, 192);
    let idle = behaviour.clock.lock().unwrap().idle(workers);
    let children = sampled(&run);
    let staleness: usize = children.iter().map(|child| child.staleness).sum();
    (idle, staleness as f64 / children.len() as f64)
}

/// The table in docs/CONTROLLER.md.
#[test]
fn no_worker_waits_for_the_slowest_child_of_an_episode() {
    for workers in [2, 4, 8] {
        let (waiting, fresh) = idle_and_staleness("search.updates=synchronous", workers);
        let (free, stale) = idle_and_staleness(ASYNCHRONOUS, workers);
        println!(
            "{workers} workers: synchronous {waiting:.3} idle; asynchronous {free:.3} idle, staleness {stale:.2}"
        );
        assert_eq!(fresh, 0.0);
        assert!(stale > 0.0 && stale < 2.0, "{stale}");
        // What is left is the end of the run, when nothing remains to be proposed.
        assert!(
            free < waiting / 3.0,
            "{workers} workers: {free} and {waiting}"
        );
    }
}

#[test]
fn staleness_is_the_number_of_updates_between_the_policy_that_proposed_and_the_one_that_learns() {
    let run = Run::new(&[ASYNCHRONOUS, "search.reuse=never", "search.episodes=6"]);
    let behaviour = Behaviour {
        workers: 3,
        duration: Some(unequal),
        ..Behaviour::default()
    };
    run.search(&behaviour).unwrap();
    let mut updates = 0;
    let mut stale = Vec::new();
    for record in run.records() {
        match record.event {
            Event::ChildSampled(child) => {
                // Updates happen in the order of the episodes.
                assert_eq!(child.staleness, child.episode - 1 - updates);
                stale.push(child.staleness as f64);
            }
            Event::EpisodeFinished(episode) => {
                updates += 1;
                assert_eq!(episode.episode, updates);
                let of_episode = &stale[4 * (updates - 1)..4 * updates];
                let mean = of_episode.iter().sum::<f64>() / 4.0;
                assert_eq!(episode.staleness, Some(mean));
            }
            Event::RunStarted(started) => assert!(started.asynchronous),
            _ => {}
        }
    }
    assert!(stale.iter().any(|staleness| *staleness > 0.0));
}

#[test]
fn with_one_worker_both_kinds_of_updates_give_the_same_search() {
    let outcome = |updates| {
        let run = Run::new(&[updates, "search.controls=1"]);
        run.search(&Behaviour::default()).unwrap();
        let mut outcome = run.outcome();
        // They say how stale they were: not at all.
        outcome.episodes.clear();
        outcome
    };
    assert_eq!(outcome(ASYNCHRONOUS), outcome("search.updates=synchronous"));
}

#[test]
fn an_asynchronous_run_killed_after_any_line_and_resumed_equals_an_uninterrupted_one() {
    let behaviour = Behaviour {
        failing: vec![2, 7],
        breaking: vec![3, 14],
        workers: 3,
        duration: Some(equal),
        ..Behaviour::default()
    };
    for reuse in ["search.reuse=first", "search.reuse=mean"] {
        let settings = [
            ASYNCHRONOUS,
            reuse,
            "search.controls=1",
            "search.depth_every=6",
            "search.episodes=4",
        ];
        let original = Original::new(&settings, &behaviour);
        assert!(original.journal.contains("\"staleness\":1"));
        resume_after_every_line(&original);
    }
}

#[test]
fn so_does_one_whose_strategy_learns_from_each_child() {
    let behaviour = Behaviour {
        failing: vec![2, 7],
        breaking: vec![3],
        workers: 3,
        duration: Some(equal),
        ..Behaviour::default()
    };
    let [evolution, _, local_search] = that_learn_from_each();
    for mut settings in [evolution, local_search] {
        settings.push(ASYNCHRONOUS);
        resume_after_every_line(&Original::new(&settings, &behaviour));
    }
}

#[test]
fn a_stop_after_the_episode_ends_all_that_have_begun_and_loses_no_training() {
    let run = Run::new(&[ASYNCHRONOUS, "search.reuse=never", "search.episodes=6"]);
    let session = run.begin();
    let behaviour = Behaviour {
        workers: 6,
        ..Behaviour::default()
    };
    let mut client = session.hub().connect().unwrap();
    let commands = client.commands.clone();
    let held = Behaviour {
        silent: vec![1],
        ..behaviour.clone()
    };
    let searching = session.start(parts(&held)).unwrap();
    super::commands::wait_for(
        &mut client,
        |event| matches!(event, Event::ChildFinished(child) if child.child == 6),
    );
    commands.send(Command::StopAfterEpisode).unwrap();
    commands.send(Command::Skip { child: 1 }).unwrap();
    let summary = searching.join().unwrap();
    assert_eq!(summary.reason, Some(FinishReason::Stopped));
    let begun = sampled(&run).last().unwrap().episode;
    assert_eq!(summary.episodes.len(), begun, "all that have begun");
    assert!(begun < 6);
    assert_eq!(summary.children_evaluated as usize, 4 * begun);
    let summary = run.resume(&behaviour).unwrap();
    assert_eq!(summary.children_evaluated, 24);
    let learned: Vec<usize> = episodes(&run)
        .iter()
        .map(|episode| episode.episode)
        .collect();
    assert_eq!(learned, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn workers_that_are_added_while_a_search_runs_get_children() {
    let duration = |later_workers| {
        let behaviour = Behaviour {
            workers: 1,
            later_workers,
            duration: Some(equal),
            ..Behaviour::default()
        };
        let run = Run::new(&[ASYNCHRONOUS, "search.reuse=never"]);
        run.search(&behaviour).unwrap();
        behaviour.clock.lock().unwrap().end
    };
    assert_eq!(duration(Some(2)) * 2, duration(None));
}

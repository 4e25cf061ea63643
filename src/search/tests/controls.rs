//! The control arm: sampled and trained in addition to the search, which it does not affect.

use std::collections::{BTreeMap, BTreeSet};

use super::fakes::{Behaviour, Run, RunOutcome};
use crate::analysis::{RunSummary, Summary};
use crate::evaluate::EarlyStop;
use crate::event::{ChildSampled, Event, Level};
use crate::link::Command;
use crate::state::RunState;

/// The outcome of the children that the strategy proposed.
fn without_controls(mut outcome: RunOutcome, run: &Run) -> RunOutcome {
    let children = run.config.search.children();
    outcome.dna.retain(|child, _| *child <= children);
    outcome.ended.retain(|child, _| *child <= children);
    outcome
}

fn controls(run: &Run) -> Vec<ChildSampled> {
    let control = |event| match event {
        Event::ChildSampled(sampled) if sampled.control => Some(sampled),
        _ => None,
    };
    let records = run.records().into_iter();
    records.filter_map(|record| control(record.event)).collect()
}

#[test]
fn the_search_finds_and_learns_the_same_with_and_without_controls() {
    for strategy in ["search.strategy=reinforce", "search.strategy=evolution"] {
        for reuse in ["search.reuse=true", "search.reuse=false"] {
            let settings = [strategy, reuse, "evolution.population=3"];
            let run = |controls| Run::new(&[&settings[..], &[controls]].concat());
            let (with, without) = (run("search.controls=2"), run("search.controls=0"));
            let summaries = [&with, &without].map(|run| run.search(&Behaviour::default()).unwrap());
            assert_eq!(without_controls(with.outcome(), &with), without.outcome());
            let [with, without] = summaries;
            assert_eq!((with.control_children, without.control_children), (6, 0));
            let plain = Summary {
                run: without.run.clone(),
                control_children: 0,
                policy_lift: None,
                wall_seconds: without.wall_seconds,
                children_per_hour: without.children_per_hour,
                ..with
            };
            assert_eq!(plain, without);
        }
    }
}

#[test]
fn controls_have_the_depth_of_their_episode_and_numbers_after_all_children() {
    let run = Run::new(&["search.controls=2", "search.depth_every=4"]);
    run.search(&Behaviour::default()).unwrap();
    let controls = controls(&run);
    let found = controls
        .iter()
        .map(|child| (child.child, child.episode, child.dna.0.len()))
        .collect::<Vec<_>>();
    let expected = [
        (13, 1, 2),
        (14, 1, 2),
        (15, 2, 3),
        (16, 2, 3),
        (17, 3, 4),
        (18, 3, 4),
    ];
    assert_eq!(found, expected);
    let networks: BTreeSet<String> = controls.iter().map(|child| child.design.key()).collect();
    assert!(networks.len() > 3, "drawn with seeds of their own");
    assert!(controls.iter().all(|child| child.choices.is_empty()));
}

#[test]
fn a_control_is_trained_itself_and_no_child_repeats_it() {
    // Only two networks exist: every child after the second is a repeat.
    let one_choice = [
        "search.controls=1",
        "search.initial_depth=1",
        "space.kernels=[1]",
        "space.paddings=[0]",
    ];
    let run = Run::new(&one_choice);
    let behaviour = Behaviour::default();
    let summary = run.search(&behaviour).unwrap();
    assert!(summary.repeats >= 9);
    let jobs: BTreeSet<u64> = behaviour.jobs().into_iter().collect();
    assert!(jobs.is_superset(&BTreeSet::from([13, 14, 15])), "{jobs:?}");
    for record in run.records() {
        if let Event::ChildFinished(child) = record.event {
            assert!(!child.control || child.repeat_of.is_none());
            assert!(child.repeat_of.is_none_or(|earlier| earlier <= 12));
        }
    }
}

#[test]
fn a_control_counts_in_no_figure_of_the_search_even_if_it_is_the_best() {
    let run = Run::new(&["search.controls=1", "search.episodes=1"]);
    // The policy's children fail: every control is better.
    let behaviour = Behaviour {
        failing: vec![1, 2, 3, 4],
        ..Behaviour::default()
    };
    let summary = run.search(&behaviour).unwrap();
    assert_eq!(summary.best, None);
    assert_eq!((summary.children_evaluated, summary.failures), (4, 4));
    assert_eq!(summary.control_children, 1);
    let mut state = RunState::default();
    run.records().iter().for_each(|record| state.apply(record));
    assert_eq!(state.search().sampled().count(), 4);
    let control = state.search().children.iter().find(|row| row.control);
    assert!(control.is_some_and(|row| row.child == 5 && row.accuracy.is_some()));
    assert_eq!(state.search().episodes[0].mean_reward, 0.0);
}

#[test]
fn the_summary_compares_the_policy_with_its_controls() {
    let run = Run::new(&["search.controls=1", "search.episodes=5"]);
    let summary = run.search(&Behaviour::default()).unwrap();
    let lift = summary.policy_lift.unwrap();
    assert_eq!((lift.controls, lift.episodes), (4, 4));
    assert!(lift.ci95[0] < lift.difference && lift.difference < lift.ci95[1]);
    let json: serde_json::Value = serde_json::from_str(&summary.to_json().unwrap()).unwrap();
    assert_eq!(json["policy_lift"]["controls"], 4);
    let text = summary.to_string();
    assert!(
        text.contains("at equal depth (95 % ") && !text.contains("so far"),
        "{text}"
    );
    let without = Run::new(&["search.episodes=1"]);
    let summary = without.search(&Behaviour::default()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&summary.to_json().unwrap()).unwrap();
    assert!(json["policy_lift"].is_null() && json.get("policy_lift").is_some());
}

#[test]
fn controls_are_stopped_early_by_the_accuracy_that_stops_their_episodes_children_and_do_not_move_it()
 {
    let run = |controls| {
        let set = [
            "search.reuse=false",
            "search.episodes=6",
            "early_stopping.below=0.5",
        ];
        Run::new(&[&set[..], &[controls]].concat())
    };
    let (with, without) = (run("search.controls=2"), run("search.controls=0"));
    let behaviours = [Behaviour::default(), Behaviour::default()];
    with.search(&behaviours[0]).unwrap();
    without.search(&behaviours[1]).unwrap();
    assert_eq!(without_controls(with.outcome(), &with), without.outcome());
    let stops = |behaviour: &Behaviour| -> BTreeMap<u64, Option<EarlyStop>> {
        let jobs = behaviour.jobs.lock().unwrap();
        jobs.iter().map(|job| (job.child, job.stop)).collect()
    };
    let [mut with, without] = behaviours.each_ref().map(stops);
    let controls = with.split_off(&25);
    assert_eq!(with, without, "controls are not in the quantile");
    let of_episode = controls
        .iter()
        .map(|(child, stop)| ((child - 25) / 2 + 1, stop));
    for (episode, stop) in of_episode {
        assert_eq!(*stop, with[&(4 * episode)], "episode {episode}");
    }
    assert!(controls.values().flatten().count() >= 4);
}

#[test]
fn controls_with_random_search_are_ignored_and_the_user_is_told() {
    let run = Run::new(&["search.controls=2", "search.strategy=random"]);
    let summary = run.search(&Behaviour::default()).unwrap();
    assert_eq!(summary.control_children, 0);
    let told = |event: &Event| matches!(event, Event::Notice { level: Level::Info, message } if message.starts_with("search.controls = 2 is ignored"));
    assert!(run.records().iter().any(|record| told(&record.event)));
}

#[test]
fn edited_children_are_numbered_after_the_controls() {
    let run = Run::new(&["search.controls=1", "search.episodes=1"]);
    let session = run.begin();
    let client = session.hub().connect().unwrap();
    let behaviour = Behaviour {
        silent: vec![5],
        ..Behaviour::default()
    };
    let searching = session.start(super::fakes::parts(&behaviour)).unwrap();
    let mut records = client.records;
    let dna = loop {
        match &records.blocking_recv().unwrap().event {
            Event::ChildSampled(sampled) if sampled.control => break sampled.dna.clone(),
            _ => {}
        }
    };
    client
        .commands
        .send(Command::Train { parent: 5, dna })
        .unwrap();
    let queued = loop {
        if let Event::ChildQueued(queued) = &records.blocking_recv().unwrap().event {
            break queued.clone();
        }
    };
    assert_eq!((queued.child, queued.parent), (6, 5));
    client.commands.send(Command::Stop).unwrap();
    while records.blocking_recv().is_some() {}
    searching.join().unwrap();
}

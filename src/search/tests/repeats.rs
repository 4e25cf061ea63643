//! What becomes of children whose architecture was trained before (`search.reuse`).

use std::collections::BTreeMap;

use super::commands::wait_for;
use super::fakes::{Behaviour, Run, parts};
use super::loop_::finished;
use super::resume::{Original, resume_after_every_line};
use crate::event::{ChildFinished, Event};
use crate::link::Command;

/// Only four networks are possible, so that there are many repeats.
const TIGHT: [&str; 4] = [
    "space.kernels=[3]",
    "space.paddings=[1]",
    "search.reuse=mean",
    "search.reuse_limit=2",
];

/// The children with each network, in the order of their numbers.
fn by_network(run: &Run) -> Vec<Vec<ChildFinished>> {
    let mut networks: BTreeMap<String, Vec<ChildFinished>> = BTreeMap::new();
    let mut children = finished(run);
    children.sort_by_key(|child| child.child);
    for child in children {
        let network = child.dna.to_string();
        networks.entry(network).or_default().push(child);
    }
    networks.into_values().collect()
}

#[test]
fn with_mean_a_repeat_trains_again_and_the_mean_of_all_trainings_so_far_is_learned_from() {
    let (run, behaviour) = (Run::new(&TIGHT), Behaviour::default());
    let summary = run.search(&behaviour).unwrap();
    let networks = by_network(&run);
    let mut repeats = 0;
    for children in &networks {
        assert_eq!(children[0].mean, None);
        let first = &children[0];
        for (index, child) in children.iter().enumerate().skip(1) {
            let mean = child.mean.as_ref().unwrap();
            let second = children[1].own();
            let expected = (
                (first.accuracy + second.0) / 2.0,
                (first.reward + second.1) / 2.0,
            );
            assert_eq!((child.accuracy, child.reward), expected, "{child:?}");
            assert_eq!(mean.children, [first.child, children[1].child]);
            let is_repeat = index >= 2;
            assert_eq!(child.repeat_of, is_repeat.then_some(first.child));
            assert_eq!(mean.own_accuracy.is_none(), is_repeat);
            repeats += u64::from(is_repeat);
        }
        assert!(children.len() < 2 || children[1].own().0 != first.accuracy);
    }
    assert!(repeats > 1 && networks.len() > 1, "{repeats} repeats");
    // An evaluation is a training: repeats are free.
    assert_eq!(behaviour.jobs().len() as u64, 12 - repeats);
    let again = networks.iter().filter(|children| children.len() > 1);
    assert_eq!(
        (summary.repeats, summary.retrained),
        (repeats, again.count() as u64)
    );
    assert!(summary.to_string().contains("trained again"), "{summary}");
}

#[test]
fn what_is_learned_from_is_the_mean() {
    let run = Run::new(&[&TIGHT[..], &["search.episodes=1"]].concat());
    run.search(&Behaviour::default()).unwrap();
    let rewards = finished(&run).into_iter().map(|child| child.reward);
    let mean = rewards.sum::<f64>() / 4.0;
    let told = run
        .records()
        .into_iter()
        .find_map(|record| match record.event {
            Event::EpisodeFinished(episode) => Some(episode.mean_reward),
            _ => None,
        });
    assert!((told.unwrap() - mean).abs() < 1e-12);
}

#[test]
fn means_do_not_depend_on_the_order_in_which_workers_finish() {
    let (forwards, backwards) = (Run::new(&TIGHT), Run::new(&TIGHT));
    forwards.search(&Behaviour::default()).unwrap();
    let behaviour = Behaviour {
        backwards: true,
        ..Behaviour::default()
    };
    backwards.search(&behaviour).unwrap();
    assert_eq!(forwards.outcome(), backwards.outcome());
}

#[test]
fn a_run_with_means_killed_after_any_line_and_resumed_equals_an_uninterrupted_one() {
    let behaviour = Behaviour {
        failing: vec![2],
        breaking: vec![3],
        workers: 2,
        ..Behaviour::default()
    };
    for strategy in ["search.strategy=reinforce", "search.strategy=evolution"] {
        let settings = [
            strategy,
            "evolution.population=3",
            "search.controls=1",
            "search.episodes=4",
        ];
        let original = Original::new(&[&TIGHT[..], &settings].concat(), &behaviour);
        assert!(original.journal.contains("\"own_accuracy\""));
        assert!(original.journal.contains("\"repeat_of\""));
        resume_after_every_line(&original);
    }
}

#[test]
fn the_best_child_is_the_best_by_its_mean() {
    // With one network, its mean falls when its second training is worse than its first.
    let one = |seed: u64| {
        let seed = format!("search.seed={seed}");
        let settings = ["space.filters=[4]", "search.episodes=1", &seed];
        let run = Run::new(&[&TIGHT[..], &settings].concat());
        let summary = run.search(&Behaviour::default()).unwrap();
        (run, summary)
    };
    let (run, summary) = (1..20)
        .map(one)
        .find(|(run, _)| {
            let children = finished(run);
            children[1].own().0 < children[0].accuracy
        })
        .expect("a second training that is worse");
    let best = summary.best.unwrap();
    let children = finished(&run);
    assert_eq!(
        (best.child, best.accuracy, best.trainings),
        (2, children[1].accuracy, 2)
    );
    assert!(best.accuracy < children[0].accuracy);
    let text = std::fs::read_to_string(run.path().join("best.json")).unwrap();
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(written["child"], 2);
    assert_eq!(written["architecture"]["name"], "child-2");
}

#[test]
fn a_failed_training_counts_as_one_and_is_in_no_mean() {
    let plain = Run::new(&TIGHT);
    plain.search(&Behaviour::default()).unwrap();
    let many = by_network(&plain)
        .into_iter()
        .find(|children| children.len() > 2 && children[2].episode == 1 || children.len() > 3)
        .expect("a network of several children");
    let [first, second, third] = [many[0].child, many[1].child, many[2].child];
    let run = Run::new(&TIGHT);
    let behaviour = Behaviour {
        failing: vec![first],
        ..Behaviour::default()
    };
    run.search(&behaviour).unwrap();
    let children = finished(&run);
    let of = |number: u64| children.iter().find(|child| child.child == number);
    assert!(of(first).is_none(), "it failed");
    let second = of(second).unwrap();
    assert_eq!((second.mean.is_none(), second.repeat_of), (true, None));
    // What the search proposes later may differ, because it learned something else.
    if let Some(third) = of(third).filter(|third| third.episode == many[0].episode) {
        assert_eq!(third.repeat_of, Some(second.child));
        assert_eq!(third.reward, second.reward);
    }
}

#[test]
fn a_skipped_training_is_no_part_of_a_mean() {
    let one = ["space.filters=[4]", "search.episodes=1"];
    let run = Run::new(&[&TIGHT[..], &one].concat());
    let session = run.begin();
    let mut client = session.hub().connect().unwrap();
    let behaviour = Behaviour {
        silent: vec![1],
        ..Behaviour::default()
    };
    let searching = session.start(parts(&behaviour)).unwrap();
    wait_for(
        &mut client,
        |event| matches!(event, Event::ChildSampled(sampled) if sampled.child == 4),
    );
    client.commands.send(Command::Skip { child: 1 }).unwrap();
    searching.join().unwrap();
    let mut children = finished(&run);
    children.sort_by_key(|child| child.child);
    assert!(children[0].skipped && children[0].mean.is_none());
    assert_eq!(children[1].mean, None, "now the first of its network");
    let means = children[2..]
        .iter()
        .map(|child| child.mean.clone().unwrap());
    assert!(means.into_iter().all(|mean| mean.children == [2, 3]));
    assert_eq!(behaviour.jobs(), [1, 2, 3]);
}

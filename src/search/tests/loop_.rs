//! Sample, train, reward, learn.

use super::fakes::{Behaviour, Run, event_names, parts};
use crate::event::{ChildFinished, ChildSampled, Event};
use crate::foundation::seeds::derive;

pub fn finished(run: &Run) -> Vec<ChildFinished> {
    run.records()
        .into_iter()
        .filter_map(|record| {
            if let Event::ChildFinished(child) = record.event {
                Some(child)
            } else {
                None
            }
        })
        .collect()
}

fn sampled(run: &Run) -> Vec<ChildSampled> {
    run.records()
        .into_iter()
        .filter_map(|record| {
            if let Event::ChildSampled(child) = record.event {
                Some(child)
            } else {
                None
            }
        })
        .collect()
}

#[test]
fn a_run_samples_trains_learns_and_saves_episode_by_episode() {
    let run = Run::new(&["search.reuse=false", "search.episodes=2"]);
    let summary = run.search(&Behaviour::default()).unwrap();
    assert_eq!(
        (
            summary.children_evaluated,
            summary.episodes.len(),
            summary.repeats
        ),
        (8, 2, 0)
    );
    let mut expected = vec!["run_started", "worker_started"];
    for _ in 0..2 {
        expected.extend(["episode_started", "child_sampled"]);
        for _ in 0..4 {
            expected.extend(["child_started", "child_finished"]);
        }
        expected.extend(["episode_finished", "checkpoint_saved"]);
    }
    expected.push("run_finished");
    assert_eq!(event_names(&run.journal()), expected);
}

#[test]
fn notices_sent_while_workers_are_placed_are_passed_on_before_the_run_starts() {
    let run = Run::new(&["search.episodes=1"]);
    let session = run.begin();
    let mut client = session.hub().connect().unwrap();
    let searching = session
        .start(parts(&Behaviour {
            placing: true,
            ..Behaviour::default()
        }))
        .unwrap();
    let first = client.records.blocking_recv().unwrap();
    assert!(
        matches!(&first.event, Event::Notice { message, .. } if message.contains("being placed")),
        "{first:?}"
    );
    searching.join().unwrap();
    assert_eq!(
        event_names(&run.journal())[..3],
        ["notice", "run_started", "worker_started"]
    );
}

#[test]
fn unread_files_in_a_folder_are_reported_at_the_start() {
    let images = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(images.path().join("train/cat")).unwrap();
    std::fs::write(images.path().join("train/cat/photo.tiff"), "II*").unwrap();
    let run = Run::new(&[
        "search.episodes=1",
        &format!("data.source=folder:{}", images.path().display()),
    ]);
    run.search(&Behaviour::default()).unwrap();
    let told = |event: &Event| matches!(event, Event::Notice { message, .. } if message.contains("1 file is not read, the first "));
    assert_eq!(
        run.records()
            .iter()
            .filter(|record| told(&record.event))
            .count(),
        1
    );
}

#[test]
fn the_outcome_does_not_depend_on_the_order_in_which_workers_finish() {
    for reuse in ["search.reuse=true", "search.reuse=false"] {
        let (forwards, backwards) = (Run::new(&[reuse]), Run::new(&[reuse]));
        forwards.search(&Behaviour::default()).unwrap();
        backwards
            .search(&Behaviour {
                backwards: true,
                ..Behaviour::default()
            })
            .unwrap();
        assert_eq!(forwards.outcome(), backwards.outcome());
    }
}

#[test]
fn each_child_is_trained_with_the_seed_of_its_number() {
    let (run, behaviour) = (Run::new(&["search.seed=5"]), Behaviour::default());
    run.search(&behaviour).unwrap();
    assert!(
        behaviour
            .jobs
            .lock()
            .unwrap()
            .iter()
            .all(|job| job.seed == derive(5, "train", job.child))
    );
}

#[test]
fn equal_seeds_give_equal_runs_and_different_seeds_different_ones() {
    let runs = ["search.seed=1", "search.seed=1", "search.seed=2"].map(|seed| Run::new(&[seed]));
    let [one, same, other] = runs.each_ref().map(|run| {
        run.search(&Behaviour::default()).unwrap();
        run.outcome()
    });
    assert_eq!(one, same);
    assert_ne!(one.dna, other.dna);
}

#[test]
fn a_repeat_is_not_trained_and_takes_accuracy_and_reward_of_the_first() {
    let (run, behaviour) = (
        Run::new(&["space.kernels=[3]", "space.paddings=[1]"]),
        Behaviour::default(),
    );
    let summary = run.search(&behaviour).unwrap();
    let finished = finished(&run);
    let by_number = |child: u64| finished.iter().find(|other| other.child == child).unwrap();
    let repeats: Vec<&ChildFinished> = finished
        .iter()
        .filter(|child| child.repeat_of.is_some())
        .collect();
    assert!(repeats.len() >= 3, "the space is small enough for repeats");
    let sampled = sampled(&run);
    let architecture = |child: u64| {
        sampled
            .iter()
            .find(|other| other.child == child)
            .unwrap()
            .design
            .network()
            .unwrap()
    };
    for repeat in &repeats {
        let first = by_number(repeat.repeat_of.unwrap());
        assert!(first.child < repeat.child && first.repeat_of.is_none());
        assert_eq!(
            (first.accuracy, first.reward),
            (repeat.accuracy, repeat.reward)
        );
        assert!(architecture(first.child).same_network(architecture(repeat.child)));
        assert!(!behaviour.jobs().contains(&repeat.child));
        assert_eq!(repeat.seconds, 0.0);
    }
    assert!(
        repeats
            .iter()
            .any(|repeat| by_number(repeat.repeat_of.unwrap()).episode == repeat.episode),
        "within an episode"
    );
    assert!(
        repeats
            .iter()
            .any(|repeat| by_number(repeat.repeat_of.unwrap()).episode < repeat.episode),
        "across episodes"
    );
    assert_eq!(summary.repeats, repeats.len() as u64);
    let told: usize = run
        .records()
        .iter()
        .map(|record| {
            if let Event::EpisodeFinished(episode) = &record.event {
                episode.repeats
            } else {
                0
            }
        })
        .sum();
    assert_eq!(told, repeats.len());
}

#[test]
fn without_reuse_every_child_is_trained() {
    let (run, behaviour) = (
        Run::new(&["search.reuse=false", "search.episodes=6"]),
        Behaviour::default(),
    );
    assert_eq!(run.search(&behaviour).unwrap().repeats, 0);
    assert_eq!(behaviour.jobs(), (1..=24).collect::<Vec<_>>());
}

#[test]
fn depth_follows_the_schedule_even_within_an_episode() {
    let run = Run::new(&["search.depth_every=6"]);
    run.search(&Behaviour::default()).unwrap();
    let depths: Vec<usize> = sampled(&run)
        .iter()
        .map(|child| child.dna.depth())
        .collect();
    assert_eq!(depths, [2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3]);
    let told: Vec<usize> = run
        .records()
        .iter()
        .filter_map(|record| {
            if let Event::EpisodeStarted { depth, .. } = record.event {
                Some(depth)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(told, [2, 2, 3], "depth of an episode is its first child's");
}

#[test]
fn the_best_child_and_the_summary_are_in_the_run_directory() {
    let run = Run::new(&[]);
    let summary = run.search(&Behaviour::default()).unwrap();
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(run.path().join(name)).unwrap()).unwrap()
    };
    let (best, written) = (read("best.json"), read("summary.json"));
    assert_eq!(
        best["child"],
        serde_json::json!(summary.best.as_ref().unwrap().child)
    );
    assert_eq!(
        best["architecture"]["name"],
        format!("child-{}", best["child"])
    );
    for field in ["accuracy", "reward", "params", "macs", "dna", "episode"] {
        assert_eq!(best[field], written["best"][field], "{field}");
    }
    assert_eq!(written["reason"], "completed");
}

#[test]
fn a_child_that_fails_has_reward_zero_and_its_repeat_fails_for_the_same_reason() {
    // Only four networks are possible.
    let tight = ["space.kernels=[3]", "space.paddings=[1]"];
    let plain = Run::new(&tight);
    plain.search(&Behaviour::default()).unwrap();
    let within = finished(&plain).into_iter().find(|child| {
        child
            .repeat_of
            .is_some_and(|first| (first - 1) / 4 == (child.child - 1) / 4)
    });
    let (first, repeat) = within
        .map(|child| (child.repeat_of.unwrap(), child.child))
        .expect("a repeat within an episode");
    let run = Run::new(&tight);
    let summary = run
        .search(&Behaviour {
            failing: vec![first],
            ..Behaviour::default()
        })
        .unwrap();
    let failures: Vec<(u64, String, f64)> = run
        .records()
        .into_iter()
        .filter_map(|record| match record.event {
            Event::ChildFailed {
                child,
                reason,
                reward,
                ..
            } => Some((child, reason, reward)),
            _ => None,
        })
        .collect();
    assert!(
        failures.contains(&(first, "the loss is not finite".into(), 0.0)),
        "{failures:?}"
    );
    assert!(
        failures.contains(&(
            repeat,
            format!("repeat of child {first}: the loss is not finite"),
            0.0
        )),
        "{failures:?}"
    );
    assert_eq!(summary.failures, failures.len() as u64);
    assert_eq!(summary.children_evaluated, 12, "the search goes on");
}

#[test]
fn early_stopping_compares_with_earlier_episodes_and_says_what_it_stops() {
    let set = [
        "search.reuse=false",
        "search.episodes=6",
        "early_stopping.below=0.5",
    ];
    let run = Run::new(&set);
    let behaviour = Behaviour::default();
    let summary = run.search(&behaviour).unwrap();
    let jobs = behaviour.jobs.lock().unwrap().clone();
    // Four children an episode: from the fourth on there are at least ten earlier ones.
    assert!(jobs[..12].iter().all(|job| job.stop.is_none()));
    assert!(
        jobs[12..]
            .iter()
            .all(|job| job.stop.is_some_and(|stop| stop.after == 1))
    );
    for episode in jobs[12..].chunks(4) {
        assert!(
            episode.iter().all(|job| job.stop == episode[0].stop),
            "one threshold each"
        );
    }
    let stopped = finished(&run)
        .into_iter()
        .filter(|child| child.stopped_early);
    let stopped: Vec<ChildFinished> = stopped.collect();
    assert!(
        !stopped.is_empty() && stopped.len() < 12,
        "{}",
        stopped.len()
    );
    assert!(
        stopped
            .iter()
            .all(|child| child.valid_accuracies.len() == 1 && child.child > 12)
    );
    assert_eq!(summary.stopped_early, stopped.len() as u64);
    assert!(summary.to_string().contains("stopped early"));
    let is_on = |event: &Event| matches!(event, Event::Notice { message, .. } if message.contains("early stopping is on"));
    assert!(run.records().iter().any(|record| is_on(&record.event)));
}

#[test]
fn without_early_stopping_every_child_trains_to_its_end() {
    let run = Run::new(&["search.reuse=false", "search.episodes=4"]);
    let behaviour = Behaviour::default();
    let summary = run.search(&behaviour).unwrap();
    assert!(
        behaviour
            .jobs
            .lock()
            .unwrap()
            .iter()
            .all(|job| job.stop.is_none())
    );
    assert_eq!(summary.stopped_early, 0);
}

//! Children about which nothing is known.

use super::fakes::{Behaviour, Run, event_names};
use super::loop_::finished;
use crate::event::{EpisodeFinished, Event, Record};

fn episodes(run: &Run) -> Vec<EpisodeFinished> {
    let finished = |record: Record| {
        if let Event::EpisodeFinished(episode) = record.event {
            Some(episode)
        } else {
            None
        }
    };
    run.records().into_iter().filter_map(finished).collect()
}

#[test]
fn an_excluded_child_does_not_affect_learning_means_baseline_or_best() {
    let settings = ["search.reuse=false", "search.episodes=1"];
    let plain = Run::new(&settings);
    let all = plain.search(&Behaviour::default()).unwrap();
    let best = all.best.unwrap().child;
    let run = Run::new(&settings);
    let summary = run
        .search(&Behaviour {
            breaking: vec![best],
            ..Behaviour::default()
        })
        .unwrap();
    let rewards: Vec<f64> = finished(&plain)
        .iter()
        .filter(|child| child.child != best)
        .map(|child| child.reward)
        .collect();
    let [episode] = &episodes(&run)[..] else {
        panic!("one episode")
    };
    let mean = rewards.iter().sum::<f64>() / 3.0;
    assert!(
        (episode.mean_reward - mean).abs() < 1e-12
            && (episode.next_baseline.unwrap() - mean).abs() < 1e-12,
        "{episode:?}"
    );
    assert_eq!(
        (episode.advantages.len(), episode.failures, episode.excluded),
        (3, 0, 1)
    );
    assert_eq!(
        (
            summary.children_evaluated,
            summary.failures,
            summary.excluded_children
        ),
        (3, 0, 1)
    );
    assert!(
        summary
            .best
            .as_ref()
            .is_some_and(|other| other.child != best)
    );
    assert!(
        summary.to_string().contains("1 child excluded"),
        "{summary}"
    );
    // The strategy has learned only from the others: its state is that of one that never saw the
    // child.
    let (with, without) = (
        plain.checkpoint().unwrap().state,
        run.checkpoint().unwrap().state,
    );
    assert_ne!(with, without);
}

#[test]
fn an_episode_of_excluded_children_teaches_nothing_and_says_so() {
    // Workers break so often that this does not stop the run.
    let breaking = |breaking: &[u64]| Behaviour {
        breaking: breaking.to_vec(),
        ..Behaviour::default()
    };
    let run = Run::new(&["search.reuse=false", "search.episodes=2"]);
    let summary = run.search(&breaking(&[1, 2, 5, 6, 7, 8])).unwrap();
    let state_after_one = Run::new(&["search.reuse=false", "search.episodes=1"]);
    state_after_one.search(&breaking(&[1, 2])).unwrap();
    assert_eq!(
        run.checkpoint().unwrap().state,
        state_after_one.checkpoint().unwrap().state
    );
    assert_eq!((summary.episodes.len(), summary.excluded_children), (1, 6));
    let names = event_names(&run.journal());
    assert_eq!(
        names[names.len() - 3..],
        ["episode_excluded", "checkpoint_saved", "run_finished"]
    );
}

#[test]
fn an_excluded_child_is_never_repeated() {
    let tight = ["space.kernels=[3]", "space.paddings=[1]"];
    let plain = Run::new(&tight);
    plain.search(&Behaviour::default()).unwrap();
    let repeat = finished(&plain)
        .into_iter()
        .find(|child| child.repeat_of.is_some())
        .expect("a repeat");
    let (run, behaviour) = (
        Run::new(&tight),
        Behaviour {
            breaking: repeat.repeat_of.into_iter().collect(),
            ..Behaviour::default()
        },
    );
    run.search(&behaviour).unwrap();
    assert!(behaviour.jobs().contains(&repeat.child));
}

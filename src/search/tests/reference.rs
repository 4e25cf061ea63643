//! A run to compare with.

use super::fakes::{Behaviour, Run};
use crate::event::{Event, Level, Record};

#[test]
fn a_run_records_the_episodes_of_its_reference() {
    let reference = Run::new(&[]);
    let expected = reference.search(&Behaviour::default()).unwrap();
    let run = Run::new(&[&format!("search.reference={}", reference.path().display())]);
    run.search(&Behaviour::default()).unwrap();
    let Event::RunStarted(started) = run.records().remove(0).event else {
        panic!("run_started comes first")
    };
    let told = started.reference.unwrap();
    assert_eq!(
        (told.run.as_str(), told.episodes.len(), &told.not_comparable),
        ("run", 3, &None)
    );
    assert_eq!(
        told.episodes[2].mean_reward,
        expected.episodes[2].mean_reward
    );
}

#[test]
fn a_run_with_other_settings_than_its_reference_is_not_compared_with_it_and_says_why() {
    let reference = Run::new(&[
        "reward.power=2.0",
        "search.seed=7",
        "search.strategy=random",
    ]);
    reference.search(&Behaviour::default()).unwrap();
    let run = Run::new(&[&format!("search.reference={}", reference.path().display())]);
    let summary = run.search(&Behaviour::default()).unwrap();
    let Event::RunStarted(started) = run.records().remove(0).event else {
        panic!("run_started comes first")
    };
    let reason = started.reference.unwrap().not_comparable.unwrap();
    assert_eq!(
        reason, "reward.power is 2.0 there and 1.0 here",
        "seed and strategy may differ"
    );
    let warned = |record: &Record| {
        matches!(&record.event, Event::Notice { level: Level::Warning, message }
            if message.contains("cannot be compared") && message.contains(&reason))
    };
    assert_eq!(
        run.records().iter().filter(|record| warned(record)).count(),
        1
    );
    assert!(
        summary
            .to_string()
            .contains(&format!("not comparable: {reason}")),
        "{summary}"
    );
}

#[test]
fn a_run_with_other_images_than_its_reference_is_not_compared_with_it() {
    let reference = Run::new(&[]);
    reference
        .search(&Behaviour {
            fingerprint: "deadbeef".into(),
            ..Behaviour::default()
        })
        .unwrap();
    let run = Run::new(&[&format!("search.reference={}", reference.path().display())]);
    let held = run
        .search(&Behaviour::default())
        .unwrap()
        .reference
        .unwrap();
    assert!(
        held.not_comparable
            .is_some_and(|reason| reason.contains("CRC-32 deadbeef there"))
            && held.difference.is_none()
    );
}

#[test]
fn a_reference_whose_settings_are_lost_is_compared_by_its_journal() {
    let reference = Run::new(&["space.kernels=[3]", "search.seed=7"]);
    reference.search(&Behaviour::default()).unwrap();
    std::fs::remove_file(reference.path().join("config.toml")).unwrap();
    let run = Run::new(&[&format!("search.reference={}", reference.path().display())]);
    let held = run
        .search(&Behaviour::default())
        .unwrap()
        .reference
        .unwrap();
    assert!(
        held.not_comparable
            .is_some_and(|reason| reason.contains("the decisions of a layer"))
    );
}

use super::*;
use crate::event::ChildSampled;
use crate::space::{Architecture, Design, Layer};

fn sampled(child: u64, filters: usize) -> Event {
    let layer = Layer {
        kind: Default::default(),
        kernel: [3, 3],
        filters,
        stride: [1, 1],
        padding: [1, 1],
        inputs: vec![0],
    };
    Event::ChildSampled(ChildSampled {
        child,
        episode: 1,
        dna: Dna(vec![vec![3, filters as u32, 1, 1]]),
        design: Design::Network(Architecture {
            name: format!("child-{child}"),
            input: [1, 28, 28],
            classes: 10,
            layers: vec![layer],
            output: vec![1],
        }),
        params: 100,
        macs: 1000,
        log_prob: Some(-1.0),
        entropy: Some(1.0),
        max_entropy: Some(1.5),
        choices: Vec::new(),
        parent: None,
        staleness: 0,
        control: false,
    })
}

fn finished(child: u64, accuracy: f64, repeat_of: Option<u64>) -> Event {
    Event::ChildFinished(ChildFinished {
        child,
        episode: 1,
        dna: Dna(vec![vec![3, 8, 1, 1]]),
        accuracy,
        reward: accuracy,
        params: 100,
        macs: 1000,
        seconds: 1.0,
        repeat_of,
        mean: None,
        valid_accuracies: vec![accuracy],
        skipped: false,
        stopped_early: false,
        control: false,
        energy_wh: None,
        test_accuracy: None,
    })
}

fn episode(episode: usize, mean_reward: f64) -> Event {
    Event::EpisodeFinished(EpisodeFinished {
        episode,
        mean_reward,
        mean_accuracy: Some(mean_reward),
        best_accuracy: Some(mean_reward),
        baseline: Some(0.2),
        next_baseline: Some(0.3),
        advantages: vec![],
        entropy: Some(2.0),
        max_entropy: Some(2.5),
        loss: None,
        gradient_norm: None,
        repeats: 0,
        failures: 0,
        excluded: 0,
        staleness: None,
        seconds: 1.0,
    })
}

/// One event per second.
fn summary(events: Vec<Event>) -> Summary {
    let record = |(second, event)| Record {
        v: 1,
        seq: None,
        time: jiff::Timestamp::from_second(second as i64).unwrap(),
        event,
    };
    let mut tally = SearchTally::default();
    for record in events.into_iter().enumerate().map(record) {
        tally.apply(&record);
    }
    tally.summary()
}

#[test]
fn every_ended_child_counts_and_equal_networks_count_once() {
    let failed = Event::ChildFailed {
        child: 3,
        episode: 1,
        reason: "r".into(),
        reward: 0.0,
        seconds: 1.0,
        control: false,
    };
    let events = vec![
        sampled(1, 8),
        sampled(2, 8),
        sampled(3, 16),
        sampled(4, 24),
        finished(1, 0.5, None),
        finished(2, 0.5, Some(1)),
        failed,
    ];
    let summary = summary(events);
    assert_eq!(
        (
            summary.children_evaluated,
            summary.repeats,
            summary.failures
        ),
        (3, 1, 1)
    );
    assert_eq!(summary.unique_architectures, 2, "child 4 has not ended");
    assert_eq!(summary.wall_seconds, 6.0);
    assert_eq!(summary.children_per_hour, 3.0 * 600.0);
}

#[test]
fn the_best_child_is_the_earliest_of_the_most_accurate_whatever_finished_first() {
    let best = summary(vec![
        finished(3, 0.8, None),
        finished(1, 0.7, None),
        finished(2, 0.8, None),
    ])
    .best
    .unwrap();
    assert_eq!((best.child, best.accuracy), (2, 0.8));
}

#[test]
fn the_slope_needs_three_episodes() {
    assert_eq!(
        summary(vec![episode(1, 0.1), episode(2, 0.2)]).reward_slope,
        None
    );
    let slope = summary(vec![episode(1, 0.1), episode(2, 0.2), episode(3, 0.4)])
        .reward_slope
        .unwrap();
    assert!((slope.per_episode - 0.15).abs() < 1e-12);
}

#[test]
fn a_run_without_any_event_has_a_summary_of_finite_numbers() {
    let summary = summary(vec![]);
    assert_eq!(
        (summary.children_per_hour, summary.best.is_none()),
        (0.0, true)
    );
    assert!(summary.to_string().contains("none has an accuracy"));
}

#[test]
fn the_json_has_the_documented_fields() {
    let summary = summary(vec![
        sampled(1, 8),
        finished(1, 0.5, None),
        episode(1, 0.1),
        episode(2, 0.2),
        episode(3, 0.4),
    ]);
    let json: serde_json::Value = serde_json::from_str(&summary.to_json().unwrap()).unwrap();
    let documented = [
        (
            "",
            "preset strategy seed children_evaluated unique_architectures best episodes reward_slope wall_seconds children_per_hour",
        ),
        ("/best", "child episode accuracy reward params macs dna"),
        (
            "/episodes/0",
            "episode mean_reward baseline mean_accuracy best_accuracy entropy",
        ),
        ("/reward_slope", "per_episode ci95 p_value"),
    ];
    for (place, names) in documented {
        let object = json.pointer(place).unwrap();
        assert!(
            names
                .split(' ')
                .all(|name| object.get(name).is_some_and(|value| !value.is_null())),
            "{place}: {object}"
        );
    }
    assert_eq!(serde_json::from_value::<Summary>(json).unwrap(), summary);
}

#[test]
fn accuracy_and_reward_are_distinguished_in_the_text() {
    let mut summary = summary(vec![finished(1, 0.8456, None)]);
    summary.best.as_mut().unwrap().reward = 0.6046;
    assert!(
        summary
            .to_string()
            .contains("accuracy 84.56 %, reward 0.6046"),
        "{summary}"
    );
}

#[test]
fn numbers_in_the_text_have_their_digits_and_nouns_their_number() {
    let rewards =
        (1..=40).map(|number| 0.5 + 1e-5 * f64::from(number) + 1e-6 * f64::from(number % 3));
    let episodes = (1..)
        .zip(rewards)
        .map(|(number, reward)| episode(number, reward));
    let summary = Summary {
        failures: 1,
        repeats: 2,
        ..summary(episodes.collect())
    };
    let text = summary.to_string();
    assert!(text.contains(", 2 repeats, 1 failure; "), "{text}");
    let trend =
        "trend of the mean reward: +0.000009998 per episode (95 % +0.000009975 to +0.00001002";
    assert!(text.contains(trend), "{text}");
}

#[test]
fn the_trend_of_equal_rewards_is_0() {
    let episodes = (1..=6).map(|number| episode(number, 0.1));
    let text = summary(episodes.collect()).to_string();
    let trend = "trend of the mean reward: +0.0000 per episode (95 % +0.0000 to +0.0000";
    assert!(text.contains(trend), "{text}");
}

#[test]
fn a_duration_is_written_in_hours_minutes_and_seconds() {
    assert_eq!(
        [5.25, 125.0, 3723.0].map(duration),
        ["5.2 s", "2 min 05 s", "1 h 02 min 03 s"]
    );
}

use super::*;

fn question() -> ReplicationQuestion {
    ReplicationQuestion {
        preset: "demo".to_owned(),
        strategies: vec!["reinforce".to_owned(), "random".to_owned()],
        seeds: vec![1, 2, 3],
    }
}

/// A search whose children have rewards about `mean`, and its controls about 0.3.
fn search(strategy: &str, seed: u64, mean: f64, is_complete: bool) -> PastSearch {
    let around = |mean: f64, count: u64| -> Vec<f64> {
        let noise = |child: u64| ((child * 7 + seed * 3) % 5) as f64 * 0.01 - 0.02;
        (0..count).map(|child| mean + noise(child)).collect()
    };
    let arms = (1..=6).map(|episode| Arms {
        episode,
        depths: (6, 6),
        policy: around(mean, 8),
        controls: if strategy == "random" {
            Vec::new()
        } else {
            around(0.3, 1)
        },
    });
    PastSearch {
        result: ReplicatedSearch {
            strategy: strategy.to_owned(),
            seed,
            run: format!("{strategy}-{seed}"),
            is_complete,
            trainings: 48,
            best_accuracy: Some(mean + 0.1 + seed as f64 * 0.01),
            reward_slope: None,
        },
        arms: arms.collect(),
    }
}

fn searches(reinforce: f64, last_is_complete: bool) -> Vec<PastSearch> {
    let of_seed = |seed: u64| {
        let complete = seed < 3 || last_is_complete;
        [
            search("reinforce", seed, reinforce, complete),
            search("random", seed, 0.3, true),
        ]
    };
    (1..=3).flat_map(of_seed).collect()
}

#[test]
fn each_seed_is_compared_with_its_random_search_and_its_controls() {
    let found = Replication::of_searches(&question(), searches(0.4, true));
    assert_eq!((found.searches.len(), found.unfinished), (6, 0));
    let [lift] = &found.lifts[..] else {
        panic!("{found:?}")
    };
    assert_eq!(lift.strategy, "reinforce");
    for seed in &lift.seeds {
        let (random, controls) = (seed.lift.random.unwrap(), seed.lift.controls.unwrap());
        assert!((random.difference - 0.1).abs() < 1e-12);
        // Eight random children in each of the five episodes that count, and one control.
        assert_eq!((random.controls, controls.controls), (40, 5));
        assert!(random.ci95[0] > 0.0 && random.p_value < 0.001);
    }
}

#[test]
fn together_are_all_episodes_of_all_seeds() {
    let lift = &Replication::of_searches(&question(), searches(0.4, true)).lifts[0];
    let together = lift.together.random.unwrap();
    assert_eq!((together.episodes, together.controls), (15, 120));
    assert!((together.difference - 0.1).abs() < 1e-12);
    let over_seeds = lift.over_seeds.unwrap();
    assert!((over_seeds.mean - 0.1).abs() < 1e-12);
    let best = lift.best_accuracy.unwrap();
    assert!((best.mean - 0.1).abs() < 1e-12);
}

#[test]
fn without_any_advantage_no_lift_is_found() {
    let lift = &Replication::of_searches(&question(), searches(0.3, true)).lifts[0];
    assert!(lift.together.random.unwrap().p_value > 0.05);
}

#[test]
fn an_unfinished_search_is_in_no_comparison() {
    let found = Replication::of_searches(&question(), searches(0.4, false));
    assert_eq!(found.unfinished, 1);
    let seeds: Vec<u64> = found.lifts[0].seeds.iter().map(|seed| seed.seed).collect();
    assert_eq!(seeds, [1, 2]);
    assert_eq!(found.lifts[0].together.random.unwrap().episodes, 10);
}

#[test]
fn searches_of_the_same_seed_follow_each_other() {
    let question = question();
    let order: Vec<_> = question.searches().take(3).collect();
    assert_eq!(order, [("reinforce", 1), ("random", 1), ("reinforce", 2)]);
}

//! Searches of a small table with fast and exact strategies.

use std::fmt::Write;

use super::*;
use crate::config::{Options, resolve};
use crate::strategy::{Evolution, Learned, Origin, Proposal, Random, StrategyState};

/// A table of every cell in which cells with later names are better; test accuracies fall as
/// validation accuracies rise.
fn table(space: &Space) -> Table {
    let keys = space.keys().unwrap();
    let mut text = "arch,valid_accuracy_12ep,test_accuracy_200ep\n".to_owned();
    for (number, key) in keys.iter().enumerate() {
        let validation = 90.0 * number as f64 / keys.len() as f64;
        writeln!(text, "{key},{validation},{}", 100.0 - validation).unwrap();
    }
    read(&text)
}

fn read(text: &str) -> Table {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Table::read(file.path()).unwrap()
}

fn config() -> Config {
    resolve(&Options {
        preset: Some("nasbench201".to_owned()),
        set: vec!["search.children_per_episode=16".to_owned()],
        ..Options::default()
    })
    .unwrap()
}

fn space(config: &Config) -> Space {
    Space::new(&config.space, [0, 0, 0], 0).unwrap()
}

fn limits(evaluations: usize) -> SearchLimits {
    SearchLimits {
        evaluations,
        repeats_in_a_row: 50,
    }
}

fn searched(strategy: &mut dyn Strategy, evaluations: usize) -> Trajectory {
    let config = config();
    let space = space(&config);
    search(
        &config,
        strategy,
        &space,
        &table(&space),
        limits(evaluations),
    )
    .unwrap()
}

#[test]
fn the_best_child_by_validation_counts_and_its_test_accuracy_is_reported() {
    let found = searched(&mut Random::default(), 40).found;
    assert!(found.len() >= 40);
    assert!(found.is_sorted_by(|one, next| one.validation <= next.validation));
    for found in found {
        assert!((found.validation + found.test - 1.0).abs() < 1e-9);
    }
}

#[test]
fn a_strategy_that_learns_from_each_child_stops_at_its_last_evaluation() {
    let config = config();
    let mut evolution = Evolution::new(&config.evolution);
    let found = searched(&mut evolution, 37).found;
    assert_eq!(found.len(), 37);
    assert!(found[36].validation > found[9].validation);
    assert!(evolution.members() > 0, "it has heard of its children");
}

/// Alternates between two cells, and records what it is told.
#[derive(Default)]
struct Stuck {
    proposed: u64,
    learned: Vec<f64>,
}

impl Strategy for Stuck {
    fn propose(&mut self, _: &Space, _: usize, _: u64) -> Result<Proposal, StrategyError> {
        self.proposed += 1;
        let operation = (self.proposed % 2) as u32;
        Ok(Proposal {
            dna: crate::space::Dna(vec![vec![0, 0, 0, 0, 0, operation]]),
            origin: Origin::Uniform,
        })
    }

    fn learn(&mut self, _: &[Proposal], rewards: &[Reward]) -> Result<Learned, StrategyError> {
        self.learned
            .extend(rewards.iter().map(|reward| reward.value));
        Ok(Learned::default())
    }

    fn state(&self) -> StrategyState {
        unreachable!("a search in memory saves nothing")
    }

    fn restore(&mut self, _: &StrategyState) -> Result<(), StrategyError> {
        unreachable!("a search in memory restores nothing")
    }
}

#[test]
fn a_search_that_only_repeats_itself_ends_with_what_it_has_found() {
    let mut stuck = Stuck::default();
    let trajectory = searched(&mut stuck, 1_000);
    assert_eq!(trajectory.found.len(), 2);
    assert_eq!(trajectory.after(1_000), trajectory.found[1]);
    // 2 evaluations and 50 repeats end in the fourth episode of 16.
    assert_eq!(stuck.proposed, 64);
}

#[test]
fn repeats_have_the_reward_of_the_child_they_repeat() {
    let mut stuck = Stuck::default();
    searched(&mut stuck, 10);
    assert_eq!(stuck.learned[0], stuck.learned[2]);
    assert_eq!(stuck.learned[1], stuck.learned[15]);
    assert_ne!(stuck.learned[0], stuck.learned[1]);
}

#[test]
fn a_child_without_a_row_ends_the_search_with_its_name() {
    let (config, table) = (
        config(),
        read("arch,valid_accuracy_12ep,test_accuracy_200ep\nx,1,2\n"),
    );
    let space = space(&config);
    let error = search(&config, &mut Random::default(), &space, &table, limits(5)).unwrap_err();
    assert!(
        error.to_string().contains("has no row in the table"),
        "{error}"
    );
}

//! A run that searches a table, and the same search in memory.

use std::fmt::Write;
use std::sync::{Arc, Mutex};

use super::fakes::Run;
use crate::config::{Config, Options, StrategyFacts, resolve};
use crate::evaluate::table::{Table, TableLookup};
use crate::event::Event;
use crate::search::Search;
use crate::search::tabular::{self, SearchLimits};
use crate::space::Space;
use crate::strategy::{self, Learned, Proposal, Reward, Strategy, StrategyError, StrategyState};

/// A strategy whose calls are written down.
struct Recorded {
    strategy: Box<dyn Strategy>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Recorded {
    fn note(&self, call: String) {
        self.calls.lock().unwrap().push(call);
    }
}

impl Strategy for Recorded {
    fn propose(
        &mut self,
        space: &Space,
        depth: usize,
        seed: u64,
    ) -> Result<Proposal, StrategyError> {
        let proposal = self.strategy.propose(space, depth, seed)?;
        self.note(format!("{proposal:?}"));
        Ok(proposal)
    }

    fn learns_from_each(&self) -> bool {
        self.strategy.learns_from_each()
    }

    fn child_ended(
        &mut self,
        child: u64,
        proposal: &Proposal,
        reward: f64,
    ) -> Result<(), StrategyError> {
        self.note(format!("child {child} {proposal:?} {reward:?}"));
        self.strategy.child_ended(child, proposal, reward)
    }

    fn learn(
        &mut self,
        proposals: &[Proposal],
        rewards: &[Reward],
    ) -> Result<Learned, StrategyError> {
        self.note(format!("{proposals:?} {rewards:?}"));
        self.strategy.learn(proposals, rewards)
    }

    fn state(&self) -> StrategyState {
        self.strategy.state()
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        self.strategy.restore(state)
    }
}

/// Twenty episodes of 16 cells, among which are repeats.
fn run(strategy: &str) -> Run {
    let root = tempfile::tempdir().unwrap();
    let table = root.path().join("table.csv");
    let settings = [
        "search.episodes=20".to_owned(),
        "search.children_per_episode=16".to_owned(),
        "evolution.population=4".to_owned(),
        "evolution.sample=4".to_owned(),
        "predictor.initial=8".to_owned(),
        "predictor.networks=2".to_owned(),
        "predictor.candidates=5".to_owned(),
        // So that the controller repeats itself soon.
        "controller.learning_rate=0.1".to_owned(),
        format!("search.strategy={strategy}"),
        format!("search.table={}", table.display()),
    ];
    let config = resolve(&Options {
        preset: Some("nasbench201".to_owned()),
        set: settings.to_vec(),
        ..Options::default()
    })
    .unwrap();
    let mut text = "arch,valid_accuracy_12ep,test_accuracy_200ep\n".to_owned();
    let keys = space(&config).keys().unwrap();
    for (number, key) in keys.iter().enumerate() {
        let percent = 90.0 * number as f64 / keys.len() as f64;
        writeln!(text, "{key},{percent},{percent}").unwrap();
    }
    std::fs::write(table, text).unwrap();
    Run { root, config }
}

fn space(config: &Config) -> Space {
    Space::new(&config.space, [0, 0, 0], 0).unwrap()
}

#[test]
fn a_run_and_a_search_in_memory_propose_repeat_and_learn_the_same() {
    let mut repeats = 0;
    for facts in StrategyFacts::all() {
        let run = run(facts.name);
        let space = space(&run.config);
        let strategy = strategy::named_in(&run.config, &space);
        let table = run.config.search.table.clone().unwrap();
        let (in_run, in_memory) = (Arc::default(), Arc::default());

        let calls = Arc::clone(&in_run);
        let search = Search {
            evaluator: Box::new(|config, _, reports| {
                let path = config.search.table.clone().unwrap();
                let report = move |report| drop(reports.send(report));
                Ok(Box::new(TableLookup::start(&path, &config.space, report)))
            }),
            strategy: Box::new(move |config, space| {
                let strategy = strategy::named_in(config, space);
                Ok(Box::new(Recorded { strategy, calls }))
            }),
        };
        run.begin().start(search).unwrap().join().unwrap();
        let evaluated = run
            .records()
            .into_iter()
            .filter_map(|record| match record.event {
                Event::ChildFinished(child) if child.repeat_of.is_none() => Some(child.child),
                _ => None,
            });

        let mut strategy = Recorded {
            strategy,
            calls: Arc::clone(&in_memory),
        };
        let limits = SearchLimits {
            evaluations: 60,
            repeats_in_a_row: 1_000,
        };
        let table = Table::read(&table).unwrap();
        let found = tabular::search(&run.config, &mut strategy, &space, &table, limits)
            .unwrap()
            .found;

        let (in_run, in_memory) = (in_run.lock().unwrap(), in_memory.lock().unwrap());
        let both = in_run.len().min(in_memory.len());
        assert!(both > 60, "{both} calls");
        assert_eq!(in_run[..both], in_memory[..both]);
        let evaluated: Vec<u64> = evaluated.collect();
        let found: Vec<u64> = found.iter().map(|found| found.child).collect();
        repeats += 320 - evaluated.len();
        let both = evaluated.len().min(found.len());
        assert_eq!(evaluated[..both], found[..both]);
    }
    assert!(repeats > 100, "{repeats}");
}

//! Runs the searches, as many at a time as there are threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use super::plan::BenchmarkPlan;
use crate::analysis::benchmark::{Searches, Trajectory};
use crate::cli::run;
use crate::config::Config;
use crate::search::tabular;

/// Search with every strategy and every seed. A thread makes each strategy that it uses, because
/// tensors never cross threads.
pub fn search(plan: &BenchmarkPlan) -> anyhow::Result<Vec<Searches>> {
    let total = plan.configs.len() * plan.seeds.len();
    let mut found: Vec<Option<Trajectory>> = vec![None; total];
    let progress = progress(total as u64);
    let next = AtomicUsize::new(0);
    let (sender, results) = channel();
    std::thread::scope(|scope| {
        for _ in 0..plan.threads {
            let sender = sender.clone();
            scope.spawn(|| work(plan, &next, sender));
        }
        drop(sender);
        for (number, trajectory) in results {
            // An error ends the other threads once the receiver is gone.
            found[number] = Some(trajectory?);
            progress.inc(1);
        }
        anyhow::Ok(())
    })?;
    progress.finish_and_clear();
    let trajectories: Option<Vec<Trajectory>> = found.into_iter().collect();
    let trajectories = trajectories.context("a thread has ended before its searches")?;
    let each = trajectories.chunks(plan.seeds.len());
    let searches = plan
        .configs
        .iter()
        .zip(each)
        .map(|(config, each)| Searches {
            strategy: config.search.strategy.name.to_owned(),
            trajectories: each.to_vec(),
        });
    Ok(searches.collect())
}

/// Do one search after another until none are left.
fn work(
    plan: &BenchmarkPlan,
    next: &AtomicUsize,
    results: Sender<(usize, anyhow::Result<Trajectory>)>,
) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(config) = plan.configs.get(number / plan.seeds.len()) else {
            return;
        };
        let seed = plan.seeds[number % plan.seeds.len()];
        let trajectory = one(plan, config, seed);
        if results.send((number, trajectory)).is_err() {
            return;
        }
    }
}

fn one(plan: &BenchmarkPlan, config: &Config, seed: u64) -> anyhow::Result<Trajectory> {
    let mut config = config.clone();
    config.search.seed = seed;
    let search = || {
        let mut strategy = run::strategy(&config, &plan.space)?;
        let strategy = strategy.as_mut();
        let found = tabular::search(&config, strategy, &plan.space, &plan.table, plan.limits)?;
        anyhow::Ok(found)
    };
    search().with_context(|| format!("{}, seed {seed}", config.search.strategy.name))
}

/// Drawn on a terminal only.
fn progress(searches: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{pos} of {len} searches, {eta} left {wide_bar}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(searches).with_style(style)
}

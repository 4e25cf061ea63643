//! The plan of a comparison: settings, space, table, seeds, all checked before the first search.

use std::path::Path;

use anyhow::{Context, anyhow, bail};

use super::{Args, Half};
use crate::cli::OrBadInput;
use crate::config::{self, Config, Options};
use crate::evaluate::table::Table;
use crate::foundation::host;
use crate::search::tabular::SearchLimits;
use crate::space::Space;

/// What the searches have in common.
pub struct BenchmarkPlan {
    /// Settings of each strategy's searches, except for the seed.
    pub configs: Vec<Config>,
    pub(super) space: Space,
    pub(super) table: Table,
    pub(super) seeds: Vec<u64>,
    /// Numbers of evaluations to report, ascending.
    pub evaluations: Vec<usize>,
    pub(super) limits: SearchLimits,
    /// Number of searches at a time.
    pub threads: usize,
}

impl BenchmarkPlan {
    /// Check the arguments.
    ///
    /// # Errors
    /// Bad settings, strategies, table or numbers (exit status 2).
    pub fn new(args: &Args) -> anyhow::Result<BenchmarkPlan> {
        BenchmarkPlan::checked(args).or_bad_input()
    }

    fn checked(args: &Args) -> anyhow::Result<BenchmarkPlan> {
        let configs = configs(args)?;
        // Rows of a table need no images; networks do.
        let space = Space::new(&configs[0].space, [0, 0, 0], 0)
            .ok()
            .filter(|space| space.keys().is_some())
            .with_context(|| {
                format!(
                    "--space {}: its children are networks to be trained, not rows of a table: choose a tabular space (nasbench201), or \
                     compare searches that train with `nas-tui replicate`",
                    args.space
                )
            })?;
        let table = Table::read(&args.table)?;
        table.check_complete(&space)?;
        let evaluations = evaluations(args, &space)?;
        let most = evaluations.last().copied().unwrap_or(1);
        let seeds = seeds(args)?;
        let searches = configs.len() * seeds.len();
        let cores = host::cores();
        let threads = args.threads.map_or(cores, |threads| threads as usize);
        Ok(BenchmarkPlan {
            configs,
            space,
            table,
            seeds,
            evaluations,
            limits: SearchLimits {
                evaluations: most,
                repeats_in_a_row: args.repeats as usize,
            },
            threads: threads.min(searches),
        })
    }
}

/// The settings of each strategy: those of the preset named like the space, or of the file, with
/// the changes from the command line.
fn configs(args: &Args) -> anyhow::Result<Vec<Config>> {
    let mut configs: Vec<Config> = Vec::new();
    for strategy in &args.strategies {
        let config = settings(args, strategy)?;
        if config.preset != args.space {
            bail!(
                "--space {}: the settings of --config start from the preset {}; choose that one",
                args.space,
                config.preset
            );
        }
        if configs
            .iter()
            .any(|other| other.search.strategy == config.search.strategy)
        {
            bail!("--strategies: {strategy} is named twice");
        }
        configs.push(config);
    }
    Ok(configs)
}

fn settings(args: &Args, strategy: &str) -> anyhow::Result<Config> {
    let assign = |key: &str, value: String| format!("{key}={}", toml::Value::String(value));
    let own = [
        assign("search.table", path_text(&args.table)),
        assign("search.strategy", strategy.to_owned()),
    ];
    let preset = match &args.config {
        Some(_) => None,
        None => Some(args.space.clone()),
    };
    let options = Options {
        file: args.config.clone(),
        preset,
        set: args.set.iter().cloned().chain(own).collect(),
        ..Options::default()
    };
    config::resolve(&options).with_context(|| format!("the settings of {strategy}"))
}

fn path_text(path: &Path) -> String {
    path.display().to_string()
}

fn evaluations(args: &Args, space: &Space) -> anyhow::Result<Vec<usize>> {
    let mut counts: Vec<usize> = args
        .evaluations
        .iter()
        .map(|count| *count as usize)
        .collect();
    counts.sort_unstable();
    counts.dedup();
    let children = space.keys().map_or(0, |keys| keys.len());
    match counts.last() {
        Some(most) if *most > children => bail!(
            "--evaluations {most}: the space has {children} children, and an evaluation is a distinct one"
        ),
        _ => Ok(counts),
    }
}

fn seeds(args: &Args) -> anyhow::Result<Vec<u64>> {
    let end = args.first_seed.checked_add(args.seeds).ok_or_else(|| {
        anyhow!(
            "--first-seed {}: must leave room for {} seeds",
            args.first_seed,
            args.seeds
        )
    })?;
    let seeds = (args.first_seed..end).filter(|seed| match args.half {
        None => true,
        Some(Half::Tune) => seed % 2 == 0,
        Some(Half::Report) => seed % 2 == 1,
    });
    let seeds: Vec<u64> = seeds.collect();
    if seeds.is_empty() {
        bail!("--half leaves no seeds: use at least 2 with --seeds");
    }
    Ok(seeds)
}

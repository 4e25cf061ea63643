//! `nas-tui bench search`: strategies compared on a table, each over many seeds.

mod output;
mod plan;
mod work;

use std::path::PathBuf;
use std::time::Instant;

use clap::ValueEnum;

use plan::BenchmarkPlan;

/// Compare strategies on a table: many searches of each, in parallel and in memory.
///
/// A search is that of `nas-tui search --preset SPACE --table CSV` with the same settings and seed.
/// An evaluation is a distinct child; a child that repeats an earlier one takes its reward, costs
/// nothing and is counted. The result of a search is the test accuracy of the child with the best
/// reward so far. Every pair of strategies is compared by Wilcoxon's signed-rank test over the
/// seeds, with Holm's correction for all pairs and numbers of evaluations.
///
/// Printed is a table; with --out, DIR gets results.csv, comparisons.csv, searches.csv (what each
/// search had found), strategies.svg and settings.toml. --json prints one object: results
/// [{strategy, evaluations, seeds, mean_test, std_test, mean_regret, mean_validation,
/// mean_children, ended_early}], comparisons [{evaluations, a, b, difference, a_better, b_better,
/// p_value, p_holm}]. Accuracies are in percent, differences and regrets (distance from the best
/// test accuracy of the table) in percentage points.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Tabular space, which is also the preset that the settings start from
    #[arg(long, value_name = "NAME", default_value = "nasbench201")]
    space: String,

    /// CSV file with the accuracies of all children (docs/NASBENCH201.md)
    #[arg(long, value_name = "CSV")]
    table: PathBuf,

    /// Strategies to compare, separated by commas
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "reinforce,ppo,random,evolution,local_search"
    )]
    strategies: Vec<String>,

    /// Numbers of evaluations after which results are read, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "100,300,1000",
          value_parser = at_least_one())]
    evaluations: Vec<u64>,

    /// Searches of each strategy
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = at_least_one())]
    seeds: u64,

    /// Seed of the first search; the others follow
    #[arg(long, value_name = "N", default_value_t = 1)]
    first_seed: u64,

    /// Use only half of the seeds: choose settings with tune (even seeds), report them with report
    /// (odd seeds)
    #[arg(long, value_name = "HALF")]
    half: Option<Half>,

    /// A search with this many consecutive repeats has converged and ends; what it has found counts
    /// for the remaining evaluations
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = at_least_one())]
    repeats: u64,

    /// Settings file to start from
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Change one setting of all searches, as in --set controller.learning_rate=0.01; may be given
    /// several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// Number of searches at a time [default: one per core]
    #[arg(long, value_name = "N", value_parser = at_least_one())]
    threads: Option<u64>,

    /// Folder to write CSV files and the figure to
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Which of the seeds are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Half {
    /// Even ones
    Tune,
    /// Odd ones
    Report,
}

fn at_least_one() -> clap::builder::RangedU64ValueParser<u64> {
    clap::value_parser!(u64).range(1..=1_000_000)
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let plan = BenchmarkPlan::new(args)?;
    let began = Instant::now();
    let searches = work::search(&plan)?;
    output::tell(args, &plan, &searches, began.elapsed())
}

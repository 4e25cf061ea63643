//! Prints and writes the results of a comparison.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use super::plan::BenchmarkPlan;
use super::{Args, Half};
use crate::analysis::benchmark::{BenchmarkRow, Searches, StrategyComparison, comparisons, rows};
use crate::analysis::statistics::p_text;
use crate::cli::table::{TableColumn, table};
use crate::foundation::durable::write_atomically;
use crate::foundation::numbers::{count, duration};
use crate::report::figures::Form;
use crate::report::figures::strategies::{StrategyCurves, draw};

/// The output of --json.
#[derive(Serialize)]
struct BenchmarkOutput {
    results: Vec<BenchmarkRow>,
    comparisons: Vec<StrategyComparison>,
}

/// Write the files of `--out`, then print.
pub fn tell(
    args: &Args,
    plan: &BenchmarkPlan,
    searches: &[Searches],
    took: Duration,
) -> anyhow::Result<()> {
    let results = BenchmarkOutput {
        results: rows(searches, &plan.evaluations, plan.table.best_test()),
        comparisons: comparisons(searches, &plan.evaluations),
    };
    if let Some(folder) = &args.out {
        write(folder, plan, searches, &results)
            .with_context(|| format!("writing to {}", folder.display()))?;
    }
    if args.json {
        return crate::cli::print_json(&results);
    }
    crate::cli::print(&text(args, plan, &results, took))
}

fn write(
    folder: &Path,
    plan: &BenchmarkPlan,
    searches: &[Searches],
    results: &BenchmarkOutput,
) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let put = |name: &str, bytes: &[u8]| write_atomically(&folder.join(name), bytes);
    put("results.csv", &csv(&results.results)?)?;
    put("comparisons.csv", &csv(&results.comparisons)?)?;
    put("searches.csv", &csv(&found(plan, searches))?)?;
    let curves = StrategyCurves::of(searches, plan.limits.evaluations, plan.table.best_test());
    let title = "Test accuracy of the best child by reward, by strategy and evaluations";
    put(
        "strategies.svg",
        draw(&curves, Form::Wide, title).as_bytes(),
    )?;
    put("settings.toml", plan.configs[0].to_toml().as_bytes())?;
    Ok(())
}

fn csv<T: Serialize>(rows: &[T]) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    Ok(writer.into_inner()?)
}

/// A line of searches.csv: what one search had found after a number of evaluations. In percent.
#[derive(Serialize)]
struct SearchLine<'a> {
    strategy: &'a str,
    seed: u64,
    evaluations: usize,
    children: u64,
    validation: f64,
    test: f64,
}

fn found<'a>(plan: &'a BenchmarkPlan, searches: &'a [Searches]) -> Vec<SearchLine<'a>> {
    let lines = searches.iter().flat_map(|searches| {
        searches.trajectories.iter().flat_map(move |trajectory| {
            plan.evaluations.iter().map(move |evaluations| {
                let found = trajectory.after(*evaluations);
                SearchLine {
                    strategy: &searches.strategy,
                    seed: trajectory.seed,
                    evaluations: *evaluations,
                    children: found.child,
                    validation: 100.0 * found.validation,
                    test: 100.0 * found.test,
                }
            })
        })
    });
    lines.collect()
}

const ROWS: [TableColumn; 7] = [
    TableColumn::right("evaluations"),
    TableColumn::left("strategy"),
    TableColumn::right("test accuracy"),
    TableColumn::right("regret"),
    TableColumn::right("validation"),
    TableColumn::right("children"),
    TableColumn::right("ended early"),
];

const PAIRS: [TableColumn; 7] = [
    TableColumn::right("evaluations"),
    TableColumn::left("a"),
    TableColumn::left("b"),
    TableColumn::right("a - b"),
    TableColumn::right("a better"),
    TableColumn::right("b better"),
    TableColumn::right("Holm"),
];

fn text(args: &Args, plan: &BenchmarkPlan, results: &BenchmarkOutput, took: Duration) -> String {
    let (first, last) = (plan.seeds[0], plan.seeds[plan.seeds.len() - 1]);
    let which = match args.half {
        None => "",
        Some(Half::Tune) => ", even ones",
        Some(Half::Report) => ", odd ones",
    };
    let mut text = format!(
        "{}, {}: {} searches of each strategy (seeds {first} to {last}{which}), {}\n\
         Test accuracy of the child with the best reward so far: mean ± standard deviation over the seeds, percent; regret: \
         distance from {:.2}, the best of the table\n\n",
        args.space,
        args.table.display(),
        plan.seeds.len(),
        duration(took.as_secs_f64()),
        100.0 * plan.table.best_test(),
    );
    let lines: Vec<[String; 7]> = results.results.iter().map(line_of_row).collect();
    text += &table(&ROWS, &lines, usize::MAX);
    if !results.comparisons.is_empty() {
        text += "\nPairs over the same seeds: mean difference in percentage points, seeds with the better child, Wilcoxon's \
                 signed-rank test with Holm's correction\n\n";
        let lines: Vec<[String; 7]> = results.comparisons.iter().map(line_of_pair).collect();
        text += &table(&PAIRS, &lines, usize::MAX);
    }
    text
}

fn line_of_row(row: &BenchmarkRow) -> [String; 7] {
    [
        count(row.evaluations as u64),
        row.strategy.clone(),
        format!("{:.2} ± {:.2}", row.mean_test, row.std_test),
        format!("{:.2}", row.mean_regret),
        format!("{:.2}", row.mean_validation),
        format!("{:.1}", row.mean_children),
        row.ended_early.to_string(),
    ]
}

fn line_of_pair(pair: &StrategyComparison) -> [String; 7] {
    [
        count(pair.evaluations as u64),
        pair.a.clone(),
        pair.b.clone(),
        format!("{:+.2}", pair.difference),
        pair.a_better.to_string(),
        pair.b_better.to_string(),
        p_text(pair.p_holm),
    ]
}

//! `nas-tui list`: the runs there are.

use anyhow::Context;
use clap::Args as ClapArgs;

use super::table::{Column, table as draw};
use crate::runs::{self, RunInfo};

/// List runs: those in ./runs and those that your searches began elsewhere
///
/// A run is at work as long as a process holds its lock. `dead` is a run that is not over but that nobody works on:
/// `nas-tui search --resume RUN` continues it.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Print a JSON array of all that is known of each run
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let runs = runs::survey();
    if args.json {
        return super::print(&(serde_json::to_string_pretty(&runs).context("encoding the list")? + "\n"));
    }
    super::print(&table(&runs))
}

/// One line for each run.
pub(super) fn table(runs: &[RunInfo]) -> String {
    if runs.is_empty() {
        return "no runs in ./runs, and none that your searches began elsewhere\n".to_owned();
    }
    let left = |title| Column { title, right: false, wraps: false };
    let right = |title| Column { title, right: true, wraps: false };
    let columns = [
        left("run"),
        left("state"),
        left("preset"),
        left("strategy"),
        right("episode"),
        right("children"),
        right("best accuracy"),
        left("started (UTC)"),
        left("where"),
    ];
    let rows: Vec<[String; 9]> = runs.iter().map(row).collect();
    draw(&columns, &rows, usize::MAX)
}

fn row(run: &RunInfo) -> [String; 9] {
    [
        run.name.clone(),
        run.status.word().to_owned(),
        run.preset.clone(),
        run.strategy.clone(),
        format!("{}/{}", run.episode, run.episodes),
        format!("{}/{}", run.children, run.planned_children),
        run.best_accuracy.map_or_else(|| "none".to_owned(), |accuracy| format!("{accuracy:.4}")),
        run.started.map_or_else(String::new, |time| time.strftime("%Y-%m-%d %H:%M").to_string()),
        match &run.holder {
            Some(holder) => format!("{} ({holder})", run.path.display()),
            None => run.path.display().to_string(),
        },
    ]
}

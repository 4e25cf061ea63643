//! `nas-tui list`: list the runs.

use clap::Args as ClapArgs;

use super::table::{TableColumn, table as draw, terminal_width};
use crate::analysis::selection::BEST_IS_OPTIMISTIC;
use crate::link;
use crate::runs::{RunInfo, WorkInfo};

/// List runs: those in ./runs and those you began elsewhere
///
/// A run is in progress as long as a process holds its lock. A `dead` run is unfinished, but no
/// process is working on it: `nas-tui search --resume RUN`, or `nas-tui train --resume RUN` for a
/// training, continues it. An `unreadable` run has a damaged journal; the line says where and how.
///
/// A `blocked` run is paused because it cannot write to its directory (the disk is full, the folder was
/// moved); the line says why, and it goes on by itself when it can.
///
/// `policy lift` is how far the reward of a search's policy is above that of random children of equal
/// depth, if the search has controls and the terminal has room; `so far` until the search is completed.
/// The best accuracy of a search is the highest of many on one set of validation images, and so
/// optimistic.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Print a JSON array of everything known about each run
    ///
    /// For each: name, path, status, kind, best_accuracy (on the validation images), started,
    /// changed, holder. If kind is `search`: preset, strategy, episode, episodes, children,
    /// planned_children, policy_lift (null, or difference, ci95, p_value, controls, episodes). If it
    /// is `training`: network, recipe, epoch, epochs, test_accuracy. If its journal is damaged, also
    /// unreadable: where and how. If it cannot write to its directory, also blocked: why.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let runs = link::survey();
    if args.json {
        return super::print_pretty_json(&runs);
    }
    super::print(&table(&runs, terminal_width().unwrap_or(usize::MAX)))
}

/// Where the policy lift is among the columns.
const LIFT: usize = 8;

/// One line for each run, and what a best accuracy is worth. Lines of more than `width` columns do
/// without the policy lift.
pub(super) fn table(runs: &[RunInfo], width: usize) -> String {
    if runs.is_empty() {
        return "no runs in ./runs, and none you began elsewhere\n".to_owned();
    }
    let has_best = runs.iter().any(|run| run.best_accuracy.is_some());
    let mut text = lines(runs, width);
    if has_best {
        text += BEST_IS_OPTIMISTIC;
        text.push('\n');
    }
    text
}

/// One line for each run below the titles of the columns.
fn lines(runs: &[RunInfo], width: usize) -> String {
    let (left, right) = (TableColumn::left, TableColumn::right);
    let mut columns = vec![
        left("run"),
        left("state"),
        left("kind"),
        left("preset or network"),
        left("strategy or recipe"),
        left("progress"),
        right("children"),
        right("best accuracy"),
        left("policy lift"),
        right("test"),
        left("started (UTC)"),
        left("where"),
    ];
    let mut rows: Vec<Vec<String>> = runs.iter().map(row).collect();
    let text = draw(&columns, &rows, usize::MAX);
    let is_known = rows.iter().any(|row| !row[LIFT].is_empty());
    if is_known && text.lines().all(|line| line.chars().count() <= width) {
        return text;
    }
    columns.remove(LIFT);
    rows.iter_mut().for_each(|row| drop(row.remove(LIFT)));
    draw(&columns, &rows, usize::MAX)
}

fn row(run: &RunInfo) -> Vec<String> {
    let (method, test) = match &run.work {
        WorkInfo::Search { strategy, .. } => (strategy.clone(), String::new()),
        WorkInfo::Training {
            recipe,
            test_accuracy,
            ..
        } => (recipe.clone(), accuracy(*test_accuracy)),
    };
    vec![
        run.name.clone(),
        run.word().to_owned(),
        run.work.kind().noun().to_owned(),
        run.work.subject().to_owned(),
        method,
        run.work.progress(),
        run.work.children(),
        accuracy(run.best_accuracy),
        run.work.lift(run.status),
        test,
        run.started.map_or_else(String::new, |time| {
            time.strftime("%Y-%m-%d %H:%M").to_string()
        }),
        match run.remark() {
            Some(remark) => format!("{} ({remark})", run.path.display()),
            None => run.path.display().to_string(),
        },
    ]
}

fn accuracy(value: Option<f64>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| format!("{value:.4}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::RunStatus;

    fn run(best_accuracy: Option<f64>) -> RunInfo {
        RunInfo {
            name: "net".to_owned(),
            path: "runs/net".into(),
            status: RunStatus::Completed,
            work: WorkInfo::Training {
                network: "net".to_owned(),
                recipe: "plateau".to_owned(),
                epoch: 3,
                epochs: 3,
                test_accuracy: None,
            },
            best_accuracy,
            started: None,
            changed: None,
            holder: None,
            blocked: None,
            unreadable: None,
        }
    }

    #[test]
    fn a_best_accuracy_is_called_optimistic_below_the_table_in_80_columns() {
        let with = table(&[run(Some(0.9)), run(None)], 200);
        assert_eq!(with.lines().count(), 4);
        let last = with.lines().last().unwrap();
        assert!(last.starts_with("Best accuracy: ") && last.ends_with("optimistic"));
        assert!(last.len() <= 80);
        assert!(!table(&[run(None)], 200).contains("optimistic"));
    }
}

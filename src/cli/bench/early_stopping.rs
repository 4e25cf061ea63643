//! `nas-tui bench early-stopping`: the cost of stopping children early.

use std::path::{Path, PathBuf};

use anyhow::bail;
use serde::Serialize;

use crate::analysis::early_stopping::{Assessment, LearningCurve, Rule, assess_all, assess_run};
use crate::cli::OrBadInput;
use crate::cli::table::{self, TableColumn};
use crate::evaluate::table::Table;
use crate::event::Event;
use crate::journal::Reader;
use crate::runs;

/// Measure what stopping children early would have cost: how many of the best it discards
///
/// For each RUN, from its journal: had the search stopped each child whose validation accuracy
/// after so many epochs was below a quantile of the earlier episodes' children at that moment, how
/// many children, epochs and children of the best tenth by final accuracy would have been stopped?
/// Children that users ended or edited, repeats and failures are left out. With --table: the same
/// for all children of a table, whose validation accuracy after 12 epochs decides and whose test
/// accuracy after 200 epochs is the outcome.
///
/// Kendall's tau between the accuracy at the decision and the outcome is given for all children and
/// for the best tenth. --json prints one object: measured [{of, epochs, rules [{after, below,
/// children, stopped, epochs_saved, top, top_stopped, top_stopped_ci95, best_stopped, tau,
/// tau_top}]}]; epochs_saved is a share of all epochs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run directories, or names in the list of runs
    #[arg(value_name = "RUN", required_unless_present = "table")]
    runs: Vec<PathBuf>,

    /// CSV file with the accuracies of a tabular space (docs/NASBENCH201.md)
    #[arg(long, value_name = "CSV")]
    table: Option<PathBuf>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Quantiles of the rules.
const BELOW: [f64; 3] = [0.25, 0.5, 0.75];
/// Epochs of the two accuracies in a table.
const TABLE_EPOCHS: (usize, usize) = (12, 200);

#[derive(Serialize)]
struct All {
    measured: Vec<Measured>,
}

/// Results of the rules for one run or table.
#[derive(Serialize)]
struct Measured {
    of: String,
    epochs: usize,
    rules: Vec<Assessment>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let of_runs = args.runs.iter().map(|run| of_run(run));
    let of_table = args.table.iter().map(|path| of_table(path));
    let measured = of_runs.chain(of_table).collect::<anyhow::Result<Vec<_>>>();
    let all = All {
        measured: measured.or_bad_input()?,
    };
    if args.json {
        return crate::cli::print_json(&all);
    }
    let texts: Vec<String> = all.measured.iter().map(text).collect();
    crate::cli::print(&texts.join("\n"))
}

fn of_run(run: &Path) -> anyhow::Result<Measured> {
    let folder = runs::find(run)?;
    let (epochs, children) = children_of(&folder.join("journal.jsonl"))?;
    if epochs < 2 || children.is_empty() {
        bail!(
            "{}: no child was trained to the end of at least 2 epochs, so there is nothing to stop early",
            folder.display()
        );
    }
    let rules = (1..epochs).flat_map(|after| BELOW.map(|below| Rule { after, below }));
    Ok(Measured {
        of: folder.display().to_string(),
        epochs,
        rules: rules
            .map(|rule| assess_run(&children, epochs, rule))
            .collect(),
    })
}

/// The number of epochs of a run's children, and the sampled children that were trained completely.
fn children_of(journal: &Path) -> anyhow::Result<(usize, Vec<LearningCurve>)> {
    let (mut epochs, mut children) = (0, Vec::new());
    let mut sampled = std::collections::HashSet::new();
    for record in Reader::open(journal)? {
        match record?.event {
            Event::RunStarted(started) => epochs = started.child_epochs,
            Event::ChildSampled(child) => drop(sampled.insert(child.child)),
            Event::ChildFinished(child) if child.stopped_early => bail!(
                "{}: this search stopped children early (early_stopping.below), and what they would have reached is unknown; \
                 name a run without",
                journal.display()
            ),
            Event::ChildFinished(child)
                if child.repeat_of.is_none()
                    && child.valid_accuracies.len() == epochs
                    && sampled.contains(&child.child) =>
            {
                children.push(LearningCurve {
                    episode: child.episode,
                    accuracies: child.valid_accuracies,
                    outcome: child.accuracy,
                });
            }
            _ => {}
        }
    }
    Ok((epochs, children))
}

fn of_table(path: &Path) -> anyhow::Result<Measured> {
    let (decided, epochs) = TABLE_EPOCHS;
    // The accuracy at the decision stands for all epochs until then.
    let table = Table::read(path)?;
    let trained = table.rows().map(|row| LearningCurve {
        episode: 1,
        accuracies: vec![row.validation; decided],
        outcome: row.test,
    });
    let children: Vec<LearningCurve> = trained.collect();
    let rules = BELOW.map(|below| Rule {
        after: decided,
        below,
    });
    Ok(Measured {
        of: path.display().to_string(),
        epochs,
        rules: rules.map(|rule| assess_all(&children, epochs, rule)).into(),
    })
}

const COLUMNS: [TableColumn; 8] = [
    TableColumn::right("after epoch"),
    TableColumn::right("below quantile"),
    TableColumn::right("stopped"),
    TableColumn::right("epochs saved"),
    TableColumn::right("best tenth stopped"),
    TableColumn::right("best stopped"),
    TableColumn::right("tau"),
    TableColumn::right("tau of best tenth"),
];

fn text(measured: &Measured) -> String {
    let children = measured.rules.first().map_or(0, |rule| rule.children);
    let rows: Vec<[String; 8]> = measured.rules.iter().map(row).collect();
    format!(
        "{}: {children} children of {} epochs\n{}",
        measured.of,
        measured.epochs,
        table::table(&COLUMNS, &rows, usize::MAX)
    )
}

fn row(found: &Assessment) -> [String; 8] {
    let tau = |tau: Option<f64>| tau.map_or("-".to_owned(), |tau| format!("{tau:+.2}"));
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    // A share of a few in thousands would round to zero.
    let bound = |share: f64| match 100.0 * share {
        small if small < 1.0 => format!("{small:.1} %"),
        bound => format!("{bound:.0} %"),
    };
    let [low, high] = found.top_stopped_ci95;
    [
        found.rule.after.to_string(),
        percent(found.rule.below),
        found.stopped.to_string(),
        percent(found.epochs_saved),
        format!(
            "{} of {} (95 % {} to {})",
            found.top_stopped,
            found.top,
            bound(low),
            bound(high)
        ),
        if found.best_stopped { "yes" } else { "no" }.to_owned(),
        tau(found.tau),
        tau(found.tau_top),
    ]
}

//! `nas-tui list`: list the runs.

use clap::Args as ClapArgs;

use super::snapshots;
use super::table::{TableColumn, table as draw, terminal_width};
use unicode_width::UnicodeWidthStr;

use crate::analysis::selection::BEST_IS_OPTIMISTIC;
use crate::foundation::{numbers, text};
use crate::link;
use crate::runs::{RunInfo, WorkInfo, distinct_names, remedy};
use crate::tui::format::{fit, wrap};

/// List runs: those in ./runs and those you began elsewhere
///
/// Those at work come first, the latest begun at the top; then the others, the last to change first.
///
/// A run is in progress as long as a process holds its lock. A `dead` run is unfinished, but no
/// process is working on it: `nas-tui search --resume RUN`, or `nas-tui train --resume RUN` for a
/// training, continues it. An `unreadable` run has a damaged journal, or something else in its place;
/// the line says what is wrong, and `nas-tui report RUN --out DIR` how to mend it, if that is known.
///
/// A `blocked` run is paused because it cannot write to its directory (the disk is full, the folder was
/// moved); the line says why, and it goes on by itself when it can.
///
/// On a narrow terminal the less important columns are left out; all of which any run has something are
/// there if the output goes elsewhere.
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
    /// is `training`: network, recipe, epoch, epochs, test_accuracy. If its journal is damaged, or not
    /// in its place, also unreadable: where and how. If it cannot write to its directory, also blocked:
    /// why.
    ///
    /// status is starting, running, pausing, paused, blocked, stopping, stopped, failed, dead, unreadable
    /// or finished (completed as planned).
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let runs = link::survey();
    if args.json {
        super::print_pretty_json(&runs)?;
    } else {
        super::print(&table(&runs, terminal_width().unwrap_or(usize::MAX)))?;
    }
    let readable = runs.iter().filter(|run| run.unreadable.is_none());
    snapshots::renew(readable.map(|run| run.path.as_path()));
    Ok(())
}

/// A column of the list: its title, whether it holds numbers, and its rank: where room is short, those
/// with a low rank come first, and those with none are always there.
const COLUMNS: [(&str, bool, usize); 12] = [
    ("run", false, 0),
    ("state", false, 0),
    ("kind", false, 6),
    ("preset/network", false, 1),
    ("strategy or recipe", false, 7),
    ("progress", false, 0),
    ("children", true, 2),
    ("best accuracy", true, 0),
    ("policy lift", false, 8),
    ("test", true, 3),
    ("changed (UTC)", false, 4),
    ("where", false, 5),
];
/// The places of some of them.
const NAME: usize = 0;
const LIFT: usize = 8;
const TEST: usize = 9;
const WHERE: usize = 11;
/// The text for a missing value.
const NONE: &str = "none";
/// Maximum width of the other names, which may come from anybody's journal; longer ones are cut.
const LONGEST: usize = 60;
/// Minimum width of a name that is cut.
const SHORTEST_NAME: usize = 12;

/// One line for each run, and what a best accuracy is worth. If `width` is too small for all columns,
/// the least important ones are left out, and what must be said about a run stands below it.
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

/// The columns that there is room for, by their places.
fn shown(rows: &[Vec<String>], width: usize) -> Vec<usize> {
    // Of what no run has a column says nothing.
    let has = |column: usize| {
        let mut rows = rows.iter();
        rows.any(|row| !["", NONE].contains(&row[column].as_str()))
    };
    let mut candidates: Vec<usize> = (0..COLUMNS.len()).collect();
    candidates.retain(|column| ![LIFT, TEST].contains(column) || has(*column));
    candidates.sort_by_key(|column| COLUMNS[*column].2);
    let mut shown: Vec<usize> = Vec::new();
    for column in candidates {
        let mut more = shown.clone();
        more.push(column);
        more.sort_unstable();
        if COLUMNS[column].2 == 0 || widest(&drawn(&more, rows, width)) <= width {
            shown = more;
        }
    }
    shown
}

/// One line for each run below the titles of the columns.
fn lines(runs: &[RunInfo], width: usize) -> String {
    let mut rows: Vec<Vec<String>> = runs.iter().map(row).collect();
    let mut shown = shown(&rows, width);
    if !shown.contains(&WHERE) {
        // Without their places, runs of the same name could not be told apart.
        for (row, name) in rows.iter_mut().zip(distinct_names(runs)) {
            row[NAME] = name;
        }
        shown = self::shown(&rows, width);
    }
    let mut text = drawn(&shown, &rows, width);
    let over = widest(&text).saturating_sub(width);
    if over > 0 {
        let longest = rows.iter().map(|row| row[NAME].width()).max().unwrap_or(0);
        let room = longest.saturating_sub(over).max(SHORTEST_NAME);
        rows.iter_mut()
            .for_each(|row| row[NAME] = fit(&row[NAME], room, "..."));
        text = drawn(&shown, &rows, width);
    }
    if shown.contains(&WHERE) {
        return text;
    }
    let mut lines = text.lines();
    let mut all = lines
        .next()
        .map_or(Vec::new(), |titles| vec![titles.to_owned()]);
    for (line, run) in lines.zip(runs) {
        all.push(line.to_owned());
        let trouble = run.unreadable.as_ref().or(run.blocked.as_ref());
        all.extend(
            trouble
                .into_iter()
                .flat_map(|trouble| below(trouble, width)),
        );
    }
    all.join("\n") + "\n"
}

fn drawn(shown: &[usize], rows: &[Vec<String>], width: usize) -> String {
    let columns: Vec<TableColumn> = shown
        .iter()
        .map(|column| match COLUMNS[*column] {
            (title, true, _) => TableColumn::right(title),
            (title, false, _) => TableColumn::left(title),
        })
        .collect();
    let cells = |row: &Vec<String>| -> Vec<String> {
        shown.iter().map(|column| row[*column].clone()).collect()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
    draw(&columns, &rows, width)
}

fn widest(text: &str) -> usize {
    text.lines().map(UnicodeWidthStr::width).max().unwrap_or(0)
}

/// What is wrong with a run, on lines of its own.
fn below(trouble: &str, width: usize) -> Vec<String> {
    let trouble = text::line(trouble);
    let (words, command) = remedy(&trouble);
    let lines = wrap(words, width.saturating_sub(2)).into_iter();
    // A command that is broken over several lines cannot be copied.
    lines
        .chain(command.map(str::to_owned))
        .map(|line| format!("  {line}"))
        .collect()
}

fn row(run: &RunInfo) -> Vec<String> {
    let (method, test) = match &run.work {
        WorkInfo::Search { strategy, .. } => (strategy.clone(), String::new()),
        WorkInfo::Training {
            recipe,
            test_accuracy,
            ..
        } => (
            recipe.clone(),
            test_accuracy.map_or_else(|| NONE.to_owned(), numbers::accuracy),
        ),
    };
    let cut = |name: &str| fit(name, LONGEST, "...");
    vec![
        run.name.clone(),
        run.word().to_owned(),
        run.work.kind().noun().to_owned(),
        cut(run.work.subject()),
        cut(&method),
        run.work.progress(),
        run.work.children(),
        run.best_in_words(numbers::accuracy),
        run.work.lift(run.status),
        test,
        run.changed.map_or_else(String::new, |time| {
            time.strftime("%Y-%m-%d %H:%M").to_string()
        }),
        match run.remark() {
            Some(remark) => format!("{} ({remark})", run.path.display()),
            None => run.path.display().to_string(),
        },
    ]
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

    fn named(name: &str) -> RunInfo {
        RunInfo {
            name: name.to_owned(),
            path: format!("/srv/some/where/runs/{name}").into(),
            ..run(Some(0.8456))
        }
    }

    #[test]
    fn the_list_fits_80_columns_and_writes_accuracies_as_the_screen_does() {
        let long = "n".repeat(70);
        for names in [
            &["2026-11-24T13-12-59Z-paper-pooling", "net"][..],
            &[long.as_str()],
        ] {
            let runs: Vec<RunInfo> = names.iter().map(|name| named(name)).collect();
            let narrow = lines(&runs, 80);
            assert!(narrow.lines().all(|line| line.len() <= 80), "{narrow}");
            assert!(
                narrow.contains("84.56 %") && narrow.contains("epoch 3/3"),
                "{narrow}"
            );
            let wide = lines(&runs, usize::MAX);
            assert!(
                wide.contains("/srv/some") && wide.contains("plateau"),
                "{wide}"
            );
        }
    }

    #[test]
    fn the_list_says_when_a_run_last_changed_because_that_is_its_order() {
        let changed = RunInfo {
            started: Some("2026-11-24T13:12:59Z".parse().unwrap()),
            changed: Some("2026-11-30T20:07:58Z".parse().unwrap()),
            ..named("net")
        };
        let text = lines(&[changed], 200);
        assert!(
            text.contains("changed (UTC)") && text.contains("2026-11-30 20:07"),
            "{text}"
        );
        assert!(!text.contains("13:12"), "{text}");
    }

    #[test]
    fn runs_of_the_same_name_are_told_apart_where_there_is_no_room_for_places() {
        let runs = [
            "/data/night",
            "/srv/old/night",
            "/srv/new/night",
            "/srv/new/day",
        ];
        let runs = runs.map(|path| RunInfo {
            path: path.into(),
            ..named(path.rsplit('/').next().unwrap())
        });
        let text = lines(&runs, 60);
        let names: Vec<&str> = (text.lines().skip(1))
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(
            names,
            ["data/night", "old/night", "new/night", "day"],
            "{text}"
        );
        assert!(
            lines(&runs, 200).contains("\nnight "),
            "their places say it"
        );
    }

    #[test]
    fn why_a_run_is_blocked_stands_below_it_where_room_is_short() {
        let blocked = RunInfo {
            status: RunStatus::Blocked,
            blocked: Some("cannot write journal.jsonl: No space left on device".to_owned()),
            ..named("net")
        };
        let text = lines(&[blocked, named("other")], 60);
        let rows: Vec<&str> = text.lines().collect();
        assert!(
            rows[1].starts_with("net ") && rows[3].starts_with("other "),
            "{text}"
        );
        assert_eq!(
            rows[2],
            "  cannot write journal.jsonl: No space left on device"
        );
    }

    #[test]
    fn of_a_run_that_cannot_be_read_nothing_is_said_as_if_known_and_its_remedy_can_be_copied() {
        let command = "mv runs/a/journal.jsonl runs/a/journal.jsonl.other && \
                       mv runs/a/journal.jsonl.rescued runs/a/journal.jsonl";
        let unreadable = RunInfo {
            status: RunStatus::Dead,
            work: WorkInfo::Search {
                preset: String::new(),
                strategy: String::new(),
                episode: 0,
                episodes: 0,
                children: 0,
                planned_children: 0,
                policy_lift: None,
            },
            best_accuracy: None,
            unreadable: Some(format!(
                "the journal of this run is elsewhere. Put it back with: {command}"
            )),
            ..named("a")
        };
        let text = lines(&[unreadable, named("b")], 60);
        let rows: Vec<&str> = text.lines().collect();
        let cells: Vec<&str> = rows[1].split_whitespace().collect();
        assert_eq!(cells, ["a", "unreadable"], "{text}");
        assert_eq!(rows[rows.len() - 2], format!("  {command}"), "{text}");
    }

    #[test]
    fn test_accuracies_have_a_column_only_if_a_run_has_one() {
        let mut tested = named("b");
        if let WorkInfo::Training { test_accuracy, .. } = &mut tested.work {
            *test_accuracy = Some(0.8);
        }
        assert!(!lines(&[named("a")], usize::MAX).contains(" test "));
        let both = lines(&[named("a"), tested], usize::MAX);
        assert!(
            both.contains(" test ") && both.contains("80.00 %"),
            "{both}"
        );
    }
}

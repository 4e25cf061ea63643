//! Searches with a table, as users run them: nothing is trained, and every strategy works.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nas_tui::analysis::{RunSummary, Summary};
use nas_tui::config::{Decode, SpaceConfig, StrategyFacts};
use nas_tui::event::{Event, Record};
use nas_tui::foundation::seeds::derive;
use nas_tui::space::{Design, Dna, Space};

fn space() -> Space {
    let config = SpaceConfig {
        layer: "nasbench201".to_owned(),
        kernels: vec![],
        filters: vec![],
        strides: vec![],
        paddings: vec![],
        decode: Decode::Literal,
    };
    Space::new(&config, [0, 0, 0], 0).unwrap()
}

/// A table of every cell in `folder`: accuracies that grow with the number of 3x3 convolutions,
/// with some reproducible noise.
pub fn write_table(folder: &Path) -> PathBuf {
    let mut text = "arch,valid_accuracy_12ep,test_accuracy_200ep\n".to_owned();
    for (number, key) in (0..).zip(space().keys().unwrap()) {
        let convolutions = key.matches("nor_conv_3x3").count() as f64;
        let noise = derive(1, "table", number) as f64 / u64::MAX as f64;
        let validation = 40.0 + 8.0 * convolutions + 5.0 * noise;
        writeln!(text, "{key},{validation:.3},{:.3}", validation + 5.0).unwrap();
    }
    let path = folder.join("table.csv");
    std::fs::write(&path, text).unwrap();
    path
}

pub fn nas_tui(arguments: &[&str]) -> Output {
    let state = std::env::temp_dir().join("nas-tui-test-state");
    Command::new(env!("CARGO_BIN_EXE_nas-tui"))
        .args(arguments)
        .env("XDG_STATE_HOME", state)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Search `table` with a strategy, as a new run in `run`.
fn search(run: &Path, table: &Path, strategy: &str) -> Output {
    let set = format!("search.strategy={strategy}");
    let (run, table) = (run.to_str().unwrap(), table.to_str().unwrap());
    let arguments = ["search", "--headless", "--preset", "nasbench201"];
    let own = [
        "--table",
        table,
        "--run",
        run,
        "--set",
        &set,
        "--set",
        "search.episodes=8",
    ];
    nas_tui(&[arguments.as_slice(), &own].concat())
}

/// A search of the preset that the table `search` takes, with these settings.
fn search_with(run: &Path, table: &Path, state: &Path, set: &[&str]) -> Output {
    let (run, table) = (run.to_str().unwrap(), table.to_str().unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    command.args(["search", "--headless", "--preset", "nasbench201"]);
    command.args(["--table", table, "--run", run, "--set", "search.episodes=4"]);
    command.args(set.iter().flat_map(|set| ["--set", set]));
    command.env("XDG_STATE_HOME", state).current_dir(state);
    command.stdin(Stdio::null()).output().unwrap()
}

#[test]
fn reference_auto_finds_an_equal_random_run_or_refuses_with_the_difference_and_a_command() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let table = write_table(root);
    let auto = "search.reference=auto";
    let refused = search_with(&root.join("early"), &table, root, &[auto]);
    assert_eq!(refused.status.code(), Some(2));
    let message = text(&refused.stderr);
    assert!(
        message.contains("no completed run of the strategy random"),
        "{message}"
    );
    assert!(!root.join("early").exists(), "nothing is left behind");

    let random = search_with(
        &root.join("chance"),
        &table,
        root,
        &["search.strategy=random"],
    );
    assert!(random.status.success(), "{}", text(&random.stderr));
    let other = search_with(&root.join("other"), &table, root, &[auto, "reward.power=2"]);
    assert_eq!(other.status.code(), Some(2));
    let message = text(&other.stderr);
    assert!(
        message.contains("reward.power is 1.0 there and 2.0 here"),
        "{message}"
    );
    assert!(
        message.contains("--set search.strategy=random --set reward.power=2.0"),
        "{message}"
    );

    let compared = search_with(&root.join("learned"), &table, root, &[auto]);
    assert!(compared.status.success(), "{}", text(&compared.stderr));
    let reference = events(&root.join("learned"))
        .into_iter()
        .find_map(|event| match event {
            Event::RunStarted(run) => run.reference,
            _ => None,
        });
    let reference = reference.unwrap();
    assert_eq!(
        (reference.run.as_str(), reference.not_comparable),
        ("chance", None)
    );
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn events(run: &Path) -> Vec<Event> {
    let records = nas_tui::journal::read(&run.join("journal.jsonl")).unwrap();
    records
        .into_iter()
        .map(|record: Record| record.event)
        .collect()
}

/// DNA, accuracy and test accuracy of every child, in the order of the journal.
fn children(run: &Path) -> Vec<(u64, String, String)> {
    let of = |event| match event {
        Event::ChildFinished(child) => {
            let accuracies = format!(
                "{} {:?} {:?}",
                child.accuracy, child.test_accuracy, child.repeat_of
            );
            Some((child.child, child.dna.to_string(), accuracies))
        }
        _ => None,
    };
    events(run).into_iter().filter_map(of).collect()
}

#[test]
fn every_strategy_searches_a_table_headless_and_trains_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let table = write_table(folder.path());
    for strategy in StrategyFacts::all() {
        let (has_policy, strategy) = (strategy.has_policy, strategy.name);
        let run = folder.path().join(strategy);
        let output = search(&run, &table, strategy);
        assert!(
            output.status.success(),
            "{strategy}: {}",
            text(&output.stderr)
        );
        let printed = text(&output.stdout);
        assert!(
            printed.contains("completed") && printed.contains("test accuracy"),
            "{printed}"
        );
        assert_eq!(children(&run).len(), 64, "{strategy}");
        for event in events(&run) {
            match event {
                Event::RunStarted(started) => {
                    assert_eq!(started.strategy, strategy);
                    assert_eq!(
                        (started.libtorch, started.device, started.threads),
                        (None, None, None)
                    );
                    assert!(
                        started.data.spec.ends_with("table.csv"),
                        "{}",
                        started.data.spec
                    );
                }
                Event::ChildSampled(child) => {
                    assert!(matches!(child.design, Design::Key(_)));
                    assert_eq!(child.log_prob.is_some(), has_policy || strategy == "random");
                }
                Event::ChildFinished(child) => {
                    let test = child.test_accuracy.expect("the table has it");
                    assert!((test - child.accuracy - 0.05).abs() < 1e-9);
                    assert_eq!(child.reward, child.accuracy);
                }
                Event::WorkerStarted { .. } | Event::ChildEpoch(_) => {
                    panic!("{strategy}: {event:?}")
                }
                _ => {}
            }
        }
    }
}

#[test]
fn the_same_seed_and_table_give_the_same_run() {
    let folder = tempfile::tempdir().unwrap();
    let table = write_table(folder.path());
    let runs = ["one", "two"].map(|name| folder.path().join(name));
    for run in &runs {
        assert!(search(run, &table, "evolution").status.success());
    }
    assert_eq!(children(&runs[0]), children(&runs[1]));
    let summary = Summary::of_journal(&runs[0].join("journal.jsonl")).unwrap();
    let best = summary.best.unwrap();
    assert!(
        best.accuracy > 0.75,
        "evolution finds cells of 3x3 convolutions: {}",
        best.accuracy
    );
}

#[test]
fn a_run_over_a_table_is_listed_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let table = write_table(folder.path());
    let run = folder.path().join("run");
    assert!(search(&run, &table, "evolution").status.success());
    let out = folder.path().join("report");
    let report = nas_tui(&[
        "report",
        run.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(report.status.success(), "{}", text(&report.stderr));
    let page = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let page = page.filter(|path| path.extension().is_some_and(|end| end == "html"));
    let page = std::fs::read_to_string(page.last().unwrap()).unwrap();
    for part in [
        "looked up in a table",
        "edge 0-1",
        "nor_conv_3x3",
        "test accuracy",
    ] {
        assert!(page.contains(part), "no {part:?} in the report");
    }
    let inspect = nas_tui(&["inspect", &format!("{}:child-1", run.display())]);
    assert_eq!(inspect.status.code(), Some(2));
    assert!(
        text(&inspect.stderr).contains("looked up in a table"),
        "{}",
        text(&inspect.stderr)
    );
}

#[test]
fn a_bad_table_ends_the_command_with_the_place_of_the_error_and_leaves_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let table = write_table(folder.path());
    let whole = std::fs::read_to_string(&table).unwrap();
    let first = whole.lines().nth(1).unwrap();
    let bad = [
        (
            whole.replace("valid_accuracy_12ep", "validation"),
            "table.csv:1: ",
            "no column",
        ),
        (
            format!("{whole}{first}\n"),
            "table.csv:15627: ",
            "remove one of the two lines",
        ),
        (
            whole
                .lines()
                .take(15_625)
                .fold(String::new(), |text, line| text + line + "\n"),
            "table.csv:15625: ",
            "none for 1 of",
        ),
    ];
    for (content, place, remedy) in bad {
        std::fs::write(&table, content).unwrap();
        let run = folder.path().join("run");
        let output = search(&run, &table, "random");
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(
            message.contains(place) && message.contains(remedy),
            "{message}"
        );
        assert!(!run.exists(), "a run that never began is left");
    }
}

#[test]
fn a_table_and_a_space_of_networks_do_not_go_together() {
    let message = |arguments: &[&str]| {
        let output = nas_tui(&[&["search", "--headless"], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    let without = message(&["--preset", "nasbench201"]);
    assert!(without.contains("--table CSV"), "{without}");
    let with = message(&["--preset", "demo", "--table", "table.csv"]);
    assert!(
        with.contains("search.table") && with.contains("--preset nasbench201"),
        "{with}"
    );
}

/// The published table, if this machine has it.
#[test]
fn the_published_table_is_complete_and_has_the_spaces_sizes() {
    let folder = std::env::var_os("NAS_TUI_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let path = folder.join("nasbench201_cifar10.csv");
    let Ok(published) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no {}", path.display());
        return;
    };
    let (space, operations) = (space(), nas_tui::space::nasbench201::OPERATIONS);
    let table = nas_tui::evaluate::table::Table::read(&path).unwrap();
    table.check_complete(&space).unwrap();
    for line in published.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let edges = fields[1].split(['|', '+']).filter(|edge| !edge.is_empty());
        let operation = |edge: &str| {
            operations
                .iter()
                .position(|name| edge.split('~').next() == Some(name))
        };
        let gene = edges.map(|edge| operation(edge).unwrap() as u32).collect();
        let dna = Dna(vec![gene]);
        let design = space.decode(&dna, "x").unwrap();
        assert_eq!(design.key(), fields[1]);
        let expected = (fields[5].parse().unwrap(), fields[6].parse().unwrap());
        assert_eq!(space.size(&dna, &design).unwrap(), expected, "{line}");
    }
}

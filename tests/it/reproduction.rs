//! The commands of docs/REPRODUCTION.md and docs/BENCHMARK.md, each at a size that takes seconds.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::scripts::write_batches;
use crate::tables::{text, write_table};

/// The commands that a document shows, one a line, without the program's name.
fn commands(document: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let page = std::fs::read_to_string(path).unwrap();
    let lines = page.lines();
    let of_line = |line: &str| line.strip_prefix("    nas-tui ").map(str::to_owned);
    lines.filter_map(of_line).collect()
}

/// The words of a command as a shell splits it: what stands between quotes is one.
fn words(command: &str) -> Vec<String> {
    let parts = command.split('\'').enumerate();
    let words = parts.flat_map(|(place, part)| match place % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

/// What the command must print at its end.
fn run(folder: &Path, arguments: &[String], expected: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_nas-tui"))
        .args(arguments)
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = text(&output.stdout);
    assert!(
        output.status.success() && printed.contains(expected),
        "nas-tui {}\n{printed}\n{}",
        arguments.join(" "),
        text(&output.stderr)
    );
}

const SMALL_SEARCH: [&str; 12] = [
    "data.limit=200",
    "data.validation=100",
    "search.episodes=1",
    "search.children_per_episode=2",
    "search.initial_depth=2",
    "child.epochs=1",
    "child.batch_size=50",
    "reward.last_epochs=1",
    "space.filters=[4,8]",
    "workers.count=1",
    "workers.threads=1",
    "workers.device=cpu",
];

const SMALL_TRAINING: [&str; 7] = [
    "data.limit=40",
    "data.validation=20",
    "recipes.cosine.epochs=2",
    "recipes.cosine.batch_size=20",
    "recipes.night.stages=[{ epochs = 1, size = 16, crop_pixels = 2 }, { epochs = 1, size = 32, crop_pixels = 4 }]",
    "workers.threads=1",
    "workers.device=cpu",
];

#[test]
fn every_command_of_the_page_on_the_reproduction_runs_and_prints_its_figures() {
    let folder = tempfile::tempdir().unwrap();
    write_batches(folder.path());
    let batch = |name: &str| folder.path().join(name);
    std::fs::copy(batch("data_batch_5.bin"), batch("test_batch.bin")).unwrap();
    let commands = commands("docs/REPRODUCTION.md");
    let count = |name: &str| {
        commands
            .iter()
            .filter(|line| line.starts_with(name))
            .count()
    };
    assert!(
        count("search ") >= 3 && count("train ") >= 2 && count("replicate ") == 2,
        "{commands:#?}"
    );
    for command in &commands {
        let spec = format!("cifar10:{}", folder.path().display());
        let command = command
            .replace("cifar10:DIR", &spec)
            .replace("--seeds 5", "--seeds 1");
        let words = words(&command).into_iter();
        // A later --set wins.
        let (small, expected): (&[&str], _) = match command.split(' ').next() {
            Some("search") => (&SMALL_SEARCH, "best child"),
            Some("train") => (&SMALL_TRAINING, "best validation accuracy"),
            Some("replicate") => (&SMALL_SEARCH, "Lift of reinforce"),
            _ => continue,
        };
        let set = small
            .iter()
            .flat_map(|setting| ["--set".to_owned(), (*setting).to_owned()]);
        run(
            folder.path(),
            &words.chain(set).collect::<Vec<_>>(),
            expected,
        );
    }
}

#[test]
fn every_command_of_the_page_on_the_benchmark_runs_and_prints_its_table() {
    let folder = tempfile::tempdir().unwrap();
    write_table(folder.path());
    let commands = commands("docs/BENCHMARK.md");
    assert!(
        commands
            .iter()
            .any(|command| command.starts_with("bench search "))
    );
    for command in commands {
        let mut words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        for (option, small) in [
            ("--table", "table.csv"),
            ("--seeds", "2"),
            ("--evaluations", "20,40"),
        ] {
            match words.iter().position(|word| word == option) {
                Some(place) => small.clone_into(&mut words[place + 1]),
                // Early stopping is assessed on the whole table, and has no seeds.
                None if words[1] == "search" => words.extend([option, small].map(str::to_owned)),
                None => {}
            }
        }
        let expected = if words[1] == "search" {
            "regret"
        } else {
            "epochs saved"
        };
        if !words.contains(&"RUN".to_owned()) {
            run(folder.path(), &words, expected);
        }
    }
}

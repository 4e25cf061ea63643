//! `nas-tui train` as its users run it: real images, kill -9, signals, too little memory, test
//! images read once.

mod blocked;
mod initial;
mod range_test;
mod resuming;
mod stages;
mod stopping;
mod test_images;

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nas_tui::classification::ClassificationReport;
use nas_tui::event::{Event, FinishReason, Record, TestFinished, TrainingEpoch};
use nas_tui::link::{self, Command as Asked, LinkStatus};
use nas_tui::{analysis, journal};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::process::{Pid, Signal, kill_process};

/// Four epochs over 300 of the embedded images, six batches each.
const TINY: [&str; 6] = [
    "data.limit=300",
    "data.validation=100",
    "train.recipe=cosine",
    "recipes.cosine.epochs=4",
    "recipes.cosine.batch_size=50",
    "workers.threads=1",
];

/// Two layers, the second of which also reads the image.
const NETWORK: &str = r#"{
  "name": "tiny", "input": [1, 28, 28], "classes": 10,
  "layers": [
    {"kernel": [3, 3], "filters": 8, "stride": [2, 2], "padding": [1, 1], "inputs": [0]},
    {"kernel": [3, 3], "filters": 8, "stride": [1, 1], "padding": [1, 1], "inputs": [0, 1]}
  ],
  "output": [2]
}"#;

struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    fn new() -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tiny.json"), NETWORK).unwrap();
        Workspace { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn nas_tui(&self, arguments: &[&str], set: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
        command
            .args(arguments)
            .args(set.iter().flat_map(|setting| ["--set", setting]))
            .current_dir(self.folder.path());
        command.env("XDG_STATE_HOME", self.path("state"));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// A new training of the tiny network in the folder `run`, with additional settings `set`.
    fn train(&self, run: &str, set: &[&str]) -> Command {
        self.nas_tui(
            &["train", "tiny.json", "--headless", "--run", run],
            &[&TINY[..], set].concat(),
        )
    }

    fn resume(&self, run: &str) -> Command {
        self.nas_tui(&["train", "--headless", "--resume", run], &[])
    }

    /// A new training, or the next session of an existing one.
    fn go_on(&self, run: &str, set: &[&str]) -> Command {
        if self.path(run).join("config.toml").is_file() {
            self.resume(run)
        } else {
            self.train(run, set)
        }
    }

    fn records(&self, run: &str) -> Vec<Record> {
        journal::read(&self.path(run).join("journal.jsonl")).unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn assert_ok(output: &Output) {
    assert!(
        output.status.success(),
        "{:?}\n{}",
        output.status,
        text(&output.stderr)
    );
}

/// The epochs that count: a resume voids those that are repeated.
fn epochs(records: &[Record]) -> Vec<TrainingEpoch> {
    let mut epochs: Vec<TrainingEpoch> = Vec::new();
    for record in records {
        match &record.event {
            Event::TrainingEpoch(epoch) => epochs.push(epoch.clone()),
            Event::RunResumed {
                epoch: Some(epoch), ..
            } => epochs.retain(|done| done.epoch < *epoch),
            _ => {}
        }
    }
    epochs
}

/// The figures without any times.
fn figures(epochs: &[TrainingEpoch]) -> Vec<[f64; 6]> {
    let figures = |e: &TrainingEpoch| {
        [
            e.epoch as f64,
            e.train_loss,
            e.train_accuracy,
            e.valid_loss,
            e.valid_accuracy,
            e.learning_rate,
        ]
    };
    epochs.iter().map(figures).collect()
}

fn test_of(records: &[Record]) -> Option<TestFinished> {
    records.iter().find_map(|record| {
        if let Event::TestFinished(test) = &record.event {
            Some(*test.clone())
        } else {
            None
        }
    })
}

fn wait_for_line(run: &Path, text: &str) {
    let begin = Instant::now();
    while !fs::read_to_string(run.join("journal.jsonl")).is_ok_and(|journal| journal.contains(text))
    {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "no {text} in {}",
            run.display()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

impl Workspace {
    fn records_if_any(&self, run: &str) -> Vec<Record> {
        journal::read(&self.path(run).join("journal.jsonl")).unwrap_or_default()
    }
}

impl Workspace {
    fn evaluate(&self, arguments: &[&str]) -> ClassificationReport {
        let output = self
            .nas_tui(&[&["evaluate", "--json"], arguments].concat(), &[])
            .output()
            .unwrap();
        assert_ok(&output);
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

#[test]
fn if_memory_is_insufficient_the_micro_batch_is_halved_and_the_training_continues() {
    let workspace = Workspace::new();
    let wide = NETWORK
        .replace("\"filters\": 8", "\"filters\": 64")
        .replace("\"stride\": [2, 2]", "\"stride\": [1, 1]");
    fs::write(
        workspace.path("tiny.json"),
        wide.replace("[3, 3], \"filters\"", "[1, 1], \"filters\"")
            .replace("[1, 1], \"inputs\"", "[0, 0], \"inputs\""),
    )
    .unwrap();
    // A batch of 1,000 needs about 2 GiB: more than this process may map, less than the machine
    // has.
    let set = [
        "data.limit=1000",
        "recipes.cosine.epochs=1",
        "recipes.cosine.batch_size=1000",
        "recipes.cosine.warmup_epochs=0",
    ];
    let plain = workspace.train("run", &set);
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg("ulimit -v 1500000; exec \"$0\" \"$@\"")
        .arg(plain.get_program())
        .args(plain.get_args());
    command
        .current_dir(workspace.folder.path())
        .env("XDG_STATE_HOME", workspace.path("state"));
    let output = command.output().unwrap();
    assert_ok(&output);
    let records = workspace.records("run");
    let reduced: Vec<usize> = records
        .iter()
        .filter_map(|record| {
            if let Event::MicroBatchReduced { micro_batch, .. } = record.event {
                Some(micro_batch)
            } else {
                None
            }
        })
        .collect();
    assert!(
        !reduced.is_empty() && reduced.is_sorted_by(|one, other| one > other),
        "{reduced:?}\n{}",
        text(&output.stderr)
    );
    assert_eq!(epochs(&records).len(), 1);
}

#[test]
fn bf16_and_both_memory_orders_learn_like_float32() {
    let workspace = Workspace::new();
    let losses: Vec<f64> = [
        &[][..],
        &["train.precision=bf16"],
        &["train.channels_last=on"],
        &["train.channels_last=off"],
    ]
    .iter()
    .enumerate()
    .map(|(number, set)| {
        let run = number.to_string();
        assert_ok(&workspace.train(&run, set).output().unwrap());
        epochs(&workspace.records(&run)).last().unwrap().train_loss
    })
    .collect();
    assert!(
        (losses[0] - losses[1]).abs() < 0.05 && losses[0] != losses[1],
        "{losses:?}"
    );
    assert!(
        (losses[0] - losses[2]).abs() < 0.02 && (losses[0] - losses[3]).abs() < 0.02,
        "{losses:?}"
    );
}

#[test]
fn early_stopping_ends_a_training_and_the_best_epoch_is_kept() {
    let workspace = Workspace::new();
    // Patience of one epoch, and a rate that is soon too small for improvement.
    let set = [
        "train.recipe=plateau",
        "recipes.plateau.epochs=80",
        "recipes.plateau.early_stopping=1",
        "recipes.plateau.patience=0",
        "recipes.plateau.batch_size=50",
    ];
    assert_ok(&workspace.train("run", &set).output().unwrap());
    let done = epochs(&workspace.records("run"));
    let best = done
        .iter()
        .map(|epoch| epoch.valid_accuracy)
        .fold(0.0, f64::max);
    let first_best = done
        .iter()
        .position(|epoch| epoch.valid_accuracy == best)
        .unwrap();
    assert!(
        done.len() < 80 && done.len() == first_best + 2,
        "{} epochs, the best is number {}",
        done.len(),
        first_best + 1
    );
    assert_eq!(
        test_of(&workspace.records("run")).unwrap().epoch,
        first_best + 1
    );
}

#[test]
fn a_network_for_other_images_is_refused_before_anything_is_written() {
    let workspace = Workspace::new();
    let output = workspace
        .train("run", &["data.source=cifar10:nowhere"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!workspace.path("run").exists(), "{}", text(&output.stderr));
}

//! Searches whose children a real Slurm trains, with real faults: nodes, daemons and the engine are killed.
//! `make test-slurm` starts one; without one these tests are skipped with the reason.

mod faults;
mod steering;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nas_tui::event::{Event, Record};
use nas_tui::journal;
use serde_json::Value;

/// On four nodes of one CPU each.
const SLURM: [&str; 4] = [
    "workers.evaluator=slurm",
    "workers.count=4",
    "slurm.gpus_per_task=0",
    "slurm.grace_seconds=20",
];

/// Whether there is a Slurm to test with.
fn slurm_runs() -> bool {
    let reason = if std::env::var_os("NAS_TUI_SLURM").is_none() {
        "NAS_TUI_SLURM is not set: `make test-slurm` starts a Slurm"
    } else if !script(&["status"]).is_ok_and(|works| works) {
        "Slurm does not answer"
    } else {
        return true;
    };
    eprintln!("skipped: {reason}");
    false
}

/// Run `scripts/slurm.sh`, or ask whether the controller works.
fn script(arguments: &[&str]) -> std::io::Result<bool> {
    if arguments == ["status"] {
        let output = Command::new("scontrol").arg("ping").output()?;
        return Ok(String::from_utf8_lossy(&output.stdout).contains("is UP"));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/slurm.sh");
    let status = Command::new(path)
        .args(arguments)
        .stdout(Stdio::null())
        .status()?;
    Ok(status.success())
}

fn fault(arguments: &[&str]) {
    assert!(script(arguments).unwrap(), "{arguments:?}");
}

/// A search that runs, killed with this value.
struct Search {
    child: Child,
    run: PathBuf,
}

impl Search {
    fn start(run: &Path, set: &[&[&str]], path: Option<&Path>) -> Search {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
        command.args(["search", "--headless"]);
        match run.join("config.toml").is_file() {
            true => command.arg("--resume").arg(run),
            false => command.arg("--run").arg(run),
        };
        command.args(
            set.iter()
                .flat_map(|some| some.iter())
                .flat_map(|setting| ["--set", setting]),
        );
        if let Some(path) = path {
            let before = std::env::var("PATH").unwrap();
            command.env("PATH", format!("{}:{before}", path.display()));
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Search {
            child,
            run: run.to_owned(),
        }
    }

    /// Wait for a record that the test is interested in.
    fn wait_for<T>(&mut self, what: &str, find: impl Fn(&[Record]) -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            if let Some(found) = find(&records(&self.run)) {
                return found;
            }
            assert!(begin.elapsed() < Duration::from_secs(300), "no {what}");
            assert_eq!(
                self.child.try_wait().unwrap(),
                None,
                "it ended without {what}"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A child that a task trains right now, on another node than `except`, of which it has completed so
    /// many epochs.
    fn in_training(&mut self, epochs: usize, except: Option<&str>) -> InTraining {
        let run = self.run.clone();
        self.wait_for("training", |_| {
            let at_work = at_work(&run).into_iter();
            let mut fitting = at_work.filter(|training| training.epochs >= epochs);
            fitting.find(|training| Some(&*training.node) != except)
        })
    }

    fn end(mut self) {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "{status}");
                return;
            }
            assert!(
                begin.elapsed() < Duration::from_secs(540),
                "it does not end"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A child in training, by the word of its task.
#[derive(Debug, Clone)]
struct InTraining {
    child: u64,
    /// Its machine.
    node: String,
    /// Slurm's name of its task.
    task: String,
    /// Epochs of this attempt.
    epochs: usize,
}

/// What the tasks whose processes live are training. The search learns of it later.
fn at_work(run: &Path) -> Vec<InTraining> {
    let Ok(attempts) = std::fs::read_dir(run.join("slurm/attempts")) else {
        return Vec::new();
    };
    let training = attempts.flatten().filter_map(|entry| {
        let text = std::fs::read_to_string(entry.path()).ok()?;
        let mut lines = text
            .lines()
            .map_while(|line| serde_json::from_str::<Value>(line).ok());
        let began = lines.next()?;
        if !Path::new(&format!("/proc/{}", began["pid"])).exists() {
            return None;
        }
        let (mut child, mut epochs) = (None, 0);
        for sign in lines {
            match sign["sign"].as_str() {
                Some("started") => (child, epochs) = (sign["child"].as_u64(), 0),
                Some("epoch") => epochs += 1,
                _ => {}
            }
        }
        Some(InTraining {
            child: child.filter(|child| !has_result(run, *child))?,
            node: began["node"].as_str()?.to_owned(),
            task: began["task"].as_str()?.to_owned(),
            epochs,
        })
    });
    training.collect()
}

/// Whether a task has written a result of a child, taken or not.
fn has_result(run: &Path, child: u64) -> bool {
    let waits = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with(&format!("result-{child}."))
    };
    let inbox = std::fs::read_dir(run.join("slurm/inbox")).unwrap();
    inbox.flatten().any(waits) || run.join(format!("slurm/results/{child}.json")).is_file()
}

fn records(run: &Path) -> Vec<Record> {
    let path = run.join("journal.jsonl");
    if path.is_file() {
        journal::read(&path).unwrap_or_default()
    } else {
        Vec::new()
    }
}

/// How often each child ended, with its accuracies.
fn ends(records: &[Record]) -> BTreeMap<u64, (u32, Vec<f64>)> {
    let mut ends: BTreeMap<u64, (u32, Vec<f64>)> = BTreeMap::new();
    for record in records {
        match &record.event {
            Event::ChildFinished(finished) => {
                let end = ends.entry(finished.child).or_default();
                (end.0, end.1) = (end.0 + 1, finished.valid_accuracies.clone());
            }
            Event::ChildFailed { child, reason, .. }
            | Event::ChildExcluded { child, reason, .. } => {
                panic!("child {child}: {reason}")
            }
            _ => {}
        }
    }
    ends
}

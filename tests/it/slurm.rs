//! Searches whose children a real Slurm trains, with real faults: nodes, daemons and the engine are killed.
//! `make test-slurm` starts one; without one these tests are skipped with the reason.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nas_tui::event::{Event, Record};
use nas_tui::journal;

/// Two episodes of 32 children of two layers on the embedded images.
const SMALL: [&str; 14] = [
    "data.limit=600",
    "data.validation=200",
    "search.episodes=2",
    "search.children_per_episode=32",
    "search.controls=0",
    "search.initial_depth=2",
    "search.depth_step=0",
    "search.reuse=never",
    "space.filters=[8,16]",
    "child.epochs=12",
    "child.batch_size=25",
    "reward.last_epochs=1",
    "workers.threads=1",
    "workers.device=cpu",
];

/// On four nodes of one CPU each.
const SLURM: [&str; 5] = [
    "workers.evaluator=slurm",
    "workers.count=4",
    "slurm.gpus_per_task=0",
    "slurm.children_per_task=4",
    "slurm.grace_seconds=20",
];

const CHILDREN: usize = 64;

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

    /// The machine of a task that trains a child right now, not `except`.
    fn node_at_work(&mut self, after: usize) -> String {
        self.wait_for("training", |records| {
            if ends(records).len() < after {
                return None;
            }
            records.iter().rev().find_map(|record| match &record.event {
                Event::ChildStarted { child, host, .. } if !ends(records).contains_key(child) => {
                    host.clone()
                }
                _ => None,
            })
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

/// What the same search gives with workers of this machine.
fn control(folder: &Path) -> BTreeMap<u64, (u32, Vec<f64>)> {
    let run = folder.join("control");
    Search::start(&run, &[&SMALL, &["workers.count=2"]], None).end();
    ends(&records(&run))
}

fn check(run: &Path, control: &BTreeMap<u64, (u32, Vec<f64>)>) {
    let ends = ends(&records(run));
    assert_eq!(ends.len(), CHILDREN, "nothing is lost");
    assert!(
        ends.values().all(|(times, _)| *times == 1),
        "nothing is counted twice"
    );
    assert_eq!(ends, *control, "the same accuracies as on this machine");
}

#[test]
fn a_search_survives_the_loss_of_nodes_daemons_and_the_controller() {
    if !slurm_runs() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("faults");
    let mut search = Search::start(&run, &[&SMALL, &SLURM], None);
    let node = search.node_at_work(4);
    fault(&["kill-node", &node]);
    eprintln!("killed the node {node}");
    let daemon = search.node_at_work(12);
    fault(&["kill-daemon", &daemon]);
    eprintln!("killed the daemon of {daemon}");
    search.node_at_work(20);
    fault(&["kill-controller"]);
    eprintln!("killed the controller");
    std::thread::sleep(Duration::from_secs(20));
    fault(&["start-controller"]);
    fault(&["start-daemon", &node]);
    if daemon != node {
        fault(&["start-daemon", &daemon]);
    }
    search.end();
    let retried = records(&run)
        .iter()
        .filter(|record| matches!(record.event, Event::ChildRetried { .. }))
        .count();
    eprintln!("{retried} children were retried");
    assert!(retried > 0, "the killed node trained a child");
    check(&run, &control(folder.path()));
}

/// An `sbatch` that submits and then kills the engine before it can know.
fn killing_sbatch(folder: &Path, times: u32) -> PathBuf {
    let path = folder.join("bin");
    fs::create_dir_all(&path).unwrap();
    let real =
        String::from_utf8(Command::new("which").arg("sbatch").output().unwrap().stdout).unwrap();
    let count = folder.join("killed");
    let text = format!(
        "#!/bin/bash\nout=$({} \"$@\") || exit 1\necho x >> {count}\nif [ $(wc -l < {count}) -le {times} ]; then kill -9 $PPID; fi\necho \"$out\"\n",
        real.trim(),
        count = count.display()
    );
    let file = path.join("sbatch");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn an_engine_killed_between_sbatch_and_its_record_finds_its_job_by_name() {
    if !slurm_runs() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("killed-engine");
    let path = killing_sbatch(folder.path(), 1);
    let mut search = Search::start(&run, &[&SMALL, &SLURM], Some(&path));
    assert!(!search.child.wait().unwrap().success());
    let manifest = run.join("slurm/batches/1/manifest.jsonl");
    assert!(manifest.is_file() && !run.join("slurm/batches/1/job").is_file());
    // Results arrive while no engine runs.
    let results = || {
        fs::read_dir(run.join("slurm/inbox"))
            .unwrap()
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("result-"))
    };
    let begin = Instant::now();
    while results().count() < 8 {
        assert!(begin.elapsed() < Duration::from_secs(200), "no results");
        std::thread::sleep(Duration::from_millis(200));
    }
    Search::start(&run, &[], None).end();
    check(&run, &control(folder.path()));
    let batches = fs::read_dir(run.join("slurm/batches")).unwrap().count();
    assert_eq!(
        batches, 2,
        "one array for each episode: nothing was submitted twice"
    );
}

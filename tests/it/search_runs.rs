//! The program as its users run it: real workers, real images, kill -9, signals, full disks.

mod blocked;
mod displaced;
mod failing_device;
mod failures;
mod lost_files;
mod stopping;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use nas_tui::event::{Event, FinishReason, Record};
use nas_tui::foundation::seeds::derive;
use nas_tui::journal;
use nas_tui::search::checkpoint::SearchCheckpoint;
use nas_tui::strategy::StrategyState;
use rustix::process::{Pid, Signal, kill_process_group};

/// Three episodes of four children of two layers and a control, one epoch over 200 images each.
const TINY: [&str; 13] = [
    "data.limit=200",
    "data.validation=100",
    "search.episodes=3",
    "search.children_per_episode=4",
    "search.controls=1",
    "search.initial_depth=2",
    "search.depth_every=100",
    "space.filters=[4,8]",
    "child.epochs=1",
    "child.batch_size=50",
    "reward.last_epochs=1",
    "workers.count=2",
    "workers.threads=1",
];

/// `nas-tui search --headless` in its own process group.
fn search(arguments: &[&str], set: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    command
        .args(["search", "--headless"])
        .args(arguments)
        .process_group(0);
    command.args(set.iter().flat_map(|setting| ["--set", setting]));
    command.env(
        "XDG_STATE_HOME",
        std::env::temp_dir().join("nas-tui-test-state"),
    );
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn new_run(path: &Path) -> Command {
    search(&["--run", path.to_str().unwrap()], &TINY)
}

fn resume(path: &Path) -> Command {
    search(&["--resume", path.to_str().unwrap()], &[])
}

/// A new run, or the next session of an existing one.
fn go_on(path: &Path) -> Command {
    if path.join("config.toml").is_file() {
        resume(path)
    } else {
        new_run(path)
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn signal_group(child: &Child, signal: Signal) {
    kill_process_group(Pid::from_child(child), signal).unwrap();
}

/// Wait until the journal has a line that contains `text`.
fn wait_for_line(path: &Path, text: &str) {
    let begin = Instant::now();
    while !fs::read_to_string(path.join("journal.jsonl"))
        .is_ok_and(|journal| journal.contains(text))
    {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "no {text} in {}",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The results of a run, which must not depend on how often it was interrupted.
#[derive(Debug, PartialEq)]
struct Found {
    dna: BTreeMap<u64, String>,
    accuracies: BTreeMap<u64, (f64, f64, Option<u64>)>,
    baselines: Vec<(f64, Option<f64>, Option<f64>)>,
    controller: StrategyState,
}

fn records(path: &Path) -> Vec<Record> {
    journal::read(&path.join("journal.jsonl")).unwrap()
}

fn found(path: &Path) -> Found {
    let controller = SearchCheckpoint::load(&path.join("checkpoint/search.safetensors"))
        .unwrap()
        .unwrap()
        .state;
    let mut found = Found {
        dna: BTreeMap::new(),
        accuracies: BTreeMap::new(),
        baselines: Vec::new(),
        controller,
    };
    for record in records(path) {
        match record.event {
            Event::ChildSampled(child) => {
                assert!(
                    found
                        .dna
                        .insert(child.child, child.dna.to_string())
                        .is_none(),
                    "child {} was sampled twice",
                    child.child
                );
            }
            Event::ChildFinished(child) => {
                let values = (child.accuracy, child.reward, child.repeat_of);
                assert!(
                    found.accuracies.insert(child.child, values).is_none(),
                    "child {} finished twice",
                    child.child
                );
            }
            Event::ChildFailed { child, reason, .. } => panic!("child {child} failed: {reason}"),
            Event::EpisodeFinished(episode) => {
                found
                    .baselines
                    .push((episode.mean_reward, episode.baseline, episode.next_baseline))
            }
            _ => {}
        }
    }
    found
}

fn assert_ok(output: &Output) {
    assert!(
        output.status.success(),
        "{:?}\n{}",
        output.status,
        stderr(output)
    );
}

#[test]
fn a_run_killed_at_20_random_moments_and_resumed_equals_an_uninterrupted_one() {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole");
    let begin = Instant::now();
    assert_ok(&new_run(&whole).output().unwrap());
    let duration = begin.elapsed();
    let expected = found(&whole);
    assert_eq!(expected.accuracies.len(), 12 + 3);
    assert!(
        expected.controller.tensors.len() > 5,
        "the controller is part of the checkpoint"
    );

    let (mut kills, mut at_work, mut runs) = (0, 0, 0);
    let mut path = root.path().join("killed-0");
    for attempt in 0.. {
        if kills == 20 {
            break;
        }
        assert!(
            attempt < 100,
            "{kills} kills in {attempt} attempts: the moments are too late"
        );
        let mut child = go_on(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moment = derive(20, "kill", attempt) as f64 / u64::MAX as f64;
        std::thread::sleep(duration.mul_f64(moment));
        signal_group(&child, Signal::KILL);
        let status = child.wait().unwrap();
        if status.signal() == Some(Signal::KILL.as_raw()) {
            kills += 1;
            // Only count kills after the program has finished loading and trained something.
            at_work += u32::from(has_worked(&path));
            continue;
        }
        // It finished before the moment came: the remaining moments are for another run.
        assert!(status.success(), "{status:?}");
        assert_eq!(found(&path), expected, "run {runs}, {kills} kills");
        runs += 1;
        path = root.path().join(format!("killed-{runs}"));
    }
    assert_ok(&go_on(&path).output().unwrap());
    assert_eq!(found(&path), expected, "run {runs}");
    assert!(
        at_work >= 3,
        "only {at_work} of {kills} kills came while children were trained"
    );
}

/// Whether the last session in the journal has started a child.
fn has_worked(path: &Path) -> bool {
    let journal = fs::read_to_string(path.join("journal.jsonl")).unwrap_or_default();
    let session = journal.rfind("\"event\":\"run_resumed\"").unwrap_or(0);
    journal[session..].contains("\"event\":\"child_started\"")
}

#[test]
fn a_search_prints_events_to_stderr_and_its_summary_to_stdout_and_writes_its_files() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let output = new_run(&path).output().unwrap();
    assert_ok(&output);
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr(&output),
    );
    assert!(
        stdout.contains("best child:") && stdout.contains("trend of the mean reward"),
        "{stdout}"
    );
    assert!(
        stderr.contains("episode 3: mean reward") && stderr.contains("child 12:"),
        "{stderr}"
    );
    for file in [
        "config.toml",
        "journal.jsonl",
        "checkpoint/search.safetensors",
        "best.json",
        "summary.json",
    ] {
        assert!(path.join(file).is_file(), "{file}");
    }
    let summary: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(path.join("summary.json")).unwrap()).unwrap();
    assert_eq!(
        (&summary["children_evaluated"], &summary["preset"]),
        (&12.into(), &"demo".into())
    );
    assert_eq!(summary["control_children"], 3);
    assert!(stderr.contains("child 15 (control): accuracy"), "{stderr}");

    let before = fs::read(path.join("journal.jsonl")).unwrap();
    let again = resume(&path).output().unwrap();
    assert_ok(&again);
    assert!(String::from_utf8_lossy(&again.stderr).contains("is complete"));
    assert_eq!(fs::read(path.join("journal.jsonl")).unwrap(), before);
}

#[test]
fn the_program_alone_searches_with_the_config_toml_of_its_folder() {
    let root = tempfile::tempdir().unwrap();
    let settings: Vec<(&str, &str)> = TINY
        .iter()
        .filter_map(|setting| setting.split_once('='))
        .collect();
    let lines: Vec<String> = settings
        .iter()
        .map(|(key, value)| format!("{key} = {value}\n"))
        .collect();
    fs::write(
        root.path().join("config.toml"),
        lines.concat() + "search.strategy = \"random\"\n",
    )
    .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_nas-tui"))
        .current_dir(root.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_ok(&output);
    let runs: Vec<PathBuf> = fs::read_dir(root.path().join("runs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(
        runs.len() == 1 && runs[0].to_str().unwrap().ends_with("Z-demo"),
        "{runs:?}"
    );
    let controller = SearchCheckpoint::load(&runs[0].join("checkpoint/search.safetensors"))
        .unwrap()
        .unwrap()
        .state;
    assert_eq!(controller.strategy, "random");
}

fn stop_with(signal: Signal) -> (tempfile::TempDir, PathBuf, ExitStatus, String) {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut command = new_run(&path);
    // Long enough to be stopped.
    command.args([
        "--set",
        "search.episodes=200",
        "--set",
        "search.reuse=false",
    ]);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    wait_for_line(&path, "\"event\":\"child_finished\"");
    signal_group(&child, signal);
    let mut text = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    (root, path, child.wait().unwrap(), text)
}

#[test]
fn a_signal_stops_the_search_with_a_checkpoint_and_exit_status_130() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let (_root, path, status, text) = stop_with(signal);
        assert_eq!(status.code(), Some(130), "{signal:?}: {text}");
        assert!(text.contains("--resume"), "{text}");
        let is_stopped = |record: &Record| {
            matches!(
                record.event,
                Event::RunFinished {
                    reason: FinishReason::Stopped,
                    ..
                }
            )
        };
        assert!(is_stopped(records(&path).last().unwrap()));
        assert!(path.join("checkpoint/search.safetensors").is_file());
    }
}

#[test]
fn readers_that_go_away_do_not_stop_the_search() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut child = new_run(&path).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(found(&path).accuracies.len(), 12 + 3);
}

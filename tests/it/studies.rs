//! `reliability`, `verify`, `rank`, `replicate` and `train --seeds` as users run them: with real workers, real
//! images, kill -9 and the same command again.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;

/// Three episodes of four children of two layers, one epoch over 200 images each; complete
/// trainings take two epochs.
const TINY: [&str; 15] = [
    "data.limit=200",
    "data.validation=100",
    "search.episodes=3",
    "search.children_per_episode=4",
    "search.initial_depth=2",
    "search.depth_every=100",
    "space.filters=[4,8]",
    "child.epochs=1",
    "child.batch_size=50",
    "reward.last_epochs=1",
    "workers.count=2",
    "workers.threads=1",
    "train.recipe=cosine",
    "recipes.cosine.epochs=2",
    "recipes.cosine.batch_size=50",
];

/// One layer.
const NETWORK: &str = r#"{
  "name": "tiny", "input": [1, 28, 28], "classes": 10,
  "layers": [{"kernel": [3, 3], "filters": 8, "stride": [2, 2], "padding": [1, 1], "inputs": [0]}],
  "output": [1]
}"#;

struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    fn new() -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        Workspace { folder }
    }

    /// A workspace with a completed search in `run`.
    fn with_run(strategy: &str) -> Workspace {
        let workspace = Workspace::new();
        let strategy = format!("search.strategy={strategy}");
        let set = [&TINY[..], &[&strategy]].concat();
        let search = ["search", "--headless", "--run", "run"];
        ended(workspace.nas_tui(&search, &set).output().unwrap());
        workspace
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn json(&self, name: &str) -> Value {
        json(&fs::read(self.path(name)).unwrap())
    }

    fn nas_tui(&self, arguments: &[&str], set: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
        command
            .args(arguments)
            .args(set.iter().flat_map(|setting| ["--set", setting]))
            .current_dir(self.folder.path())
            .env("XDG_STATE_HOME", self.path("state"))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn ended(output: Output) -> Output {
    assert!(output.status.success(), "{}", stderr(&output));
    output
}

fn refused(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    stderr(&output)
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Number of trainings that have ended according to a file with a set of trainings.
fn ends(file: &Path) -> usize {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.matches("\"outcome\"").count()
}

fn kill_all(mut process: Child) {
    kill_process_group(Pid::from_child(&process), Signal::KILL).unwrap();
    process.wait().unwrap();
}

/// The results of the trainings, without the time that they took.
fn outcomes(mut trials: Value) -> Value {
    for trial in trials["trials"].as_array_mut().unwrap() {
        trial["end"].as_object_mut().unwrap().remove("seconds");
    }
    trials["trials"].take()
}

#[test]
fn a_killed_reliability_study_gives_the_same_result_and_trains_nothing_twice() {
    let workspace = Workspace::new();
    let command = |out: &str| {
        let arguments = [
            "reliability",
            "--networks",
            "3",
            "--trainings",
            "2",
            "--json",
        ];
        let mut command = workspace.nas_tui(&arguments, &TINY);
        command.args(["--out", out]);
        command
    };
    let whole = json(&ended(command("whole").output().unwrap()).stdout);
    let process = command("killed").spawn().unwrap();
    let file = workspace.path("killed/trials.json");
    wait_until("no training has ended", || ends(&file) >= 2);
    kill_all(process);
    let before = ends(&file);
    let output = ended(command("killed").output().unwrap());
    let said = stderr(&output);
    assert!(
        before == 6 || said.contains(&format!("{before} of 6 trainings are done")),
        "{said}"
    );
    assert_eq!(json(&output.stdout), whole);
    assert_eq!(
        outcomes(workspace.json("killed/trials.json")),
        outcomes(workspace.json("whole/trials.json"))
    );
    assert_eq!(whole["networks"].as_array().unwrap().len(), 3);
    assert_eq!(workspace.json("whole/result.json"), whole);
}

#[test]
fn ctrl_c_keeps_completed_trainings_and_says_how_to_continue() {
    let workspace = Workspace::new();
    let arguments = [
        "reliability",
        "--networks",
        "4",
        "--trainings",
        "8",
        "--out",
        "study",
    ];
    let process = workspace.nas_tui(&arguments, &TINY).spawn().unwrap();
    let file = workspace.path("study/trials.json");
    wait_until("no training has ended", || ends(&file) >= 1);
    kill_process(Pid::from_child(&process), Signal::INT).unwrap();
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(stderr(&output).contains("the same command continues"));
    assert!(ends(&file) >= 1);
}

#[test]
fn the_reliability_of_a_log_is_computed_from_its_columns() {
    let workspace = Workspace::new();
    fs::write(
        workspace.path("log.csv"),
        "episode,reward\n1,0.5\n2,0.7\n1,0.6\n2,0.9\n",
    )
    .unwrap();
    let log = ["reliability", "--csv", "log.csv", "--group", "episode"];
    let command = |rest: &[&str]| workspace.nas_tui(&[&log[..], rest].concat(), &[]);
    let output = ended(command(&["--reward", "reward", "--json"]).output().unwrap());
    let correlation = &json(&output.stdout)["reliability"]["intraclass_correlation"];
    assert!((correlation.as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-12);
    let error = refused(command(&["--reward", "gain"]));
    assert!(error.contains("episode, reward"), "{error}");
}

#[test]
fn a_final_policy_is_compared_with_chance_across_a_kill_and_the_report_shows_it() {
    let workspace = Workspace::with_run("reinforce");
    let arguments = ["verify", "run", "--children", "3", "--json"];
    let file = workspace.path("run/verify/episode-3-depth-2/trials.json");
    let process = workspace.nas_tui(&arguments, &[]).spawn().unwrap();
    wait_until("no training has ended", || ends(&file) >= 1);
    kill_all(process);
    let output = ended(workspace.nas_tui(&arguments, &[]).output().unwrap());
    let found = json(&output.stdout);
    for arm in ["policy", "uniform"] {
        assert_eq!(found[arm]["rewards"].as_array().unwrap().len(), 3);
    }
    assert_eq!((&found["depth"], &found["episode"]), (&2.into(), &3.into()));
    assert!(found["lift"]["ci95"][0].is_f64(), "{found}");
    ended(
        workspace
            .nas_tui(&["report", "run", "--out", "report"], &[])
            .output()
            .unwrap(),
    );
    let page = fs::read_to_string(workspace.path("report/report.html")).unwrap();
    assert!(page.contains("policy minus uniform at depth 2"));
}

#[test]
fn a_run_without_a_trained_policy_cannot_be_verified() {
    let workspace = Workspace::with_run("random");
    let error = refused(workspace.nas_tui(&["verify", "run"], &[]));
    assert!(error.contains("random has no policy"), "{error}");
    let error = refused(workspace.nas_tui(&["verify", "nowhere"], &[]));
    assert!(error.contains("there is no run"), "{error}");
}

#[test]
fn the_best_and_random_children_are_trained_completely_and_ranked() {
    let workspace = Workspace::with_run("random");
    let arguments = ["rank", "run", "--top", "2", "--random", "2", "--json"];
    let process = workspace.nas_tui(&arguments, &[]).spawn().unwrap();
    let begun = || {
        let runs = fs::read_dir(workspace.path("run/rank"))
            .into_iter()
            .flatten();
        runs.flatten()
            .any(|run| run.path().join("weights.safetensors").is_file())
    };
    wait_until("no training has begun", begun);
    kill_all(process);
    // The training that was in progress has died with its parent.
    std::thread::sleep(Duration::from_millis(200));
    let found = json(&ended(workspace.nas_tui(&arguments, &[]).output().unwrap()).stdout);
    let children = found["children"].as_array().unwrap();
    assert_eq!((children.len(), &found["unfinished"]), (4, &0.into()));
    for child in children {
        assert_eq!(child["epochs"], 2);
        assert!(child["final_accuracy"].is_f64(), "{found}");
    }
    for run in fs::read_dir(workspace.path("run/rank")).unwrap() {
        let journal = run.unwrap().path().join("journal.jsonl");
        let text = fs::read_to_string(journal).unwrap_or_default();
        assert!(!text.contains("test_finished"), "{text}");
    }
    let more = ["rank", "run", "--top", "3", "--json"];
    let extended = json(&ended(workspace.nas_tui(&more, &[]).output().unwrap()).stdout);
    assert_eq!(extended["children"].as_array().unwrap().len(), 5);
    assert_eq!(extended["unfinished"], 0);
    let kept = extended["children"].as_array().unwrap().iter();
    let kept = kept.filter(|child| {
        let same = |other: &&Value| other["child"] == child["child"];
        let before = children.iter().find(same);
        before.is_some_and(|before| before["final_accuracy"] == child["final_accuracy"])
    });
    assert_eq!(kept.count(), 4);
    let other = ["rank", "run", "--top", "2"];
    let error = refused(workspace.nas_tui(&other, &[]));
    assert!(error.contains("--top 3 --random 2 or more"), "{error}");
}

#[test]
fn a_killed_replication_is_continued_and_equals_separate_searches() {
    let workspace = Workspace::with_run("random");
    let command = |set: &[&str]| {
        let arguments = ["replicate", "--seeds", "2", "--out", "set", "--json"];
        workspace.nas_tui(&arguments, &[&TINY[..], set].concat())
    };
    let process = command(&[]).spawn().unwrap();
    let second = workspace.path("set/random-1/journal.jsonl");
    wait_until("the second search has not begun", || second.is_file());
    kill_all(process);
    let found = json(&ended(command(&[]).output().unwrap()).stdout);
    assert_eq!(
        (&found["unfinished"], &found["preset"]),
        (&0.into(), &"demo".into())
    );
    let runs: Vec<_> = found["searches"].as_array().unwrap().iter().collect();
    assert!(
        runs.iter().all(|run| run["trainings"].as_u64() > Some(0)),
        "{found}"
    );
    let rewards = |run: &str| {
        let summary = workspace.json(&format!("{run}/summary.json"));
        let episodes = summary["episodes"].as_array().unwrap().iter();
        episodes
            .map(|one| one["mean_reward"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(rewards("set/random-1"), rewards("run"));
    let seeds = found["lifts"][0]["seeds"].as_array().unwrap();
    assert_eq!((seeds.len(), &seeds[0]["seed"]), (2, &1.into()));
    assert!(seeds[0]["random"]["ci95"][0].is_f64(), "{found}");
    assert_eq!(workspace.json("set/result.json"), found);
    assert!(workspace.path("set/lift-reinforce.svg").is_file());
    let error = refused(command(&["search.episodes=4"]));
    assert!(error.contains("search.episodes was 3 and is 4"), "{error}");
}

#[test]
fn a_network_is_trained_with_several_seeds_in_separate_runs_and_resumed() {
    let workspace = Workspace::new();
    fs::write(workspace.path("tiny.json"), NETWORK).unwrap();
    let begin = [
        "train",
        "tiny.json",
        "--seeds",
        "2",
        "--headless",
        "--run",
        "set",
    ];
    let process = workspace.nas_tui(&begin, &TINY).spawn().unwrap();
    let first = workspace.path("set/seed-1/weights.safetensors");
    wait_until("the first training has not begun", || first.is_file());
    kill_process(Pid::from_child(&process), Signal::TERM).unwrap();
    let output = process.wait_with_output().unwrap();
    let error = stderr(&output);
    if output.status.code() != Some(0) {
        assert_eq!(output.status.code(), Some(130), "{error}");
        assert!(error.contains("nas-tui train --resume set"), "{error}");
    }
    let resume = ["train", "--headless", "--resume", "set"];
    ended(workspace.nas_tui(&resume, &[]).output().unwrap());
    let summary = workspace.json("set/summary.json");
    assert_eq!(summary["kind"], "seeds");
    let trainings = summary["trainings"].as_array().unwrap();
    assert!(trainings.iter().all(|one| one["is_complete"] == true));
    assert_eq!(summary["valid_accuracy"]["count"], 2);
    let seeds = ["set/seed-1", "set/seed-2"].map(|run| {
        let summary = workspace.json(&format!("{run}/summary.json"));
        summary["seed"].as_u64()
    });
    assert_eq!(seeds, [Some(1), Some(2)]);

    let journal = workspace.path("set/seed-1/journal.jsonl");
    let before = fs::read(&journal).unwrap();
    let more = begin.map(|word| if word == "2" { "3" } else { word });
    let error = refused(workspace.nas_tui(&more, &[&TINY[..], &["data.validation=70"]].concat()));
    assert!(error.contains("data.validation was"), "{error}");
    ended(workspace.nas_tui(&more, &TINY).output().unwrap());
    let summary = workspace.json("set/summary.json");
    assert_eq!(summary["valid_accuracy"]["count"], 3);
    assert!(
        fs::read(&journal).unwrap() == before,
        "seed 1 was trained again"
    );
    let error = refused(workspace.nas_tui(&begin, &TINY));
    assert!(
        error.contains("the trainings of 3 seeds from 1 on"),
        "{error}"
    );
}

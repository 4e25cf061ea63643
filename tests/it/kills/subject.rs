//! The runs that are killed, and one session of a run.

use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::tables::write_table;

/// Time that workers have to die after the engine.
const TIME_TO_DIE: Duration = Duration::from_secs(30);

/// How a session ended.
pub enum End {
    Finished,
    Killed,
    /// It should have finished. What it said instead.
    Failed(String),
}

/// A kind of run that is killed.
pub struct Subject {
    pub name: &'static str,
    subcommand: &'static str,
    /// Arguments of a new run.
    begin: Vec<String>,
    root: TempDir,
}

/// Two layers, the second of which also reads the image.
const NETWORK: &str = r#"{
  "name": "tiny", "input": [1, 28, 28], "classes": 10,
  "layers": [
    {"kernel": [3, 3], "filters": 4, "stride": [2, 2], "padding": [1, 1], "inputs": [0]},
    {"kernel": [3, 3], "filters": 4, "stride": [2, 2], "padding": [1, 1], "inputs": [0, 1]}
  ],
  "output": [2]
}"#;

impl Subject {
    /// A search of a table, the cheapest: the engine alone.
    pub fn table() -> Subject {
        let root = new_root();
        let table = write_table(root.path());
        let table = [
            "--preset",
            "nasbench201",
            "--table",
            table.to_str().unwrap(),
        ];
        let set = [
            "search.episodes=3",
            "search.children_per_episode=4",
            "search.controls=1",
        ];
        Subject::new("table", "search", &table, &set, root)
    }

    /// A search whose children two workers train.
    pub fn workers() -> Subject {
        let set = [
            "data.limit=100",
            "data.validation=50",
            "search.episodes=3",
            "search.children_per_episode=3",
            "search.controls=1",
            "search.initial_depth=2",
            "search.depth_every=100",
            "space.filters=[4,8]",
            "child.epochs=2",
            "child.batch_size=25",
            "reward.last_epochs=1",
            "workers.count=2",
            "workers.threads=1",
        ];
        Subject::new("workers", "search", &[], &set, new_root())
    }

    /// A training with a checkpoint after almost every batch.
    pub fn training() -> Subject {
        let root = new_root();
        let network = root.path().join("tiny.json");
        fs::write(&network, NETWORK).unwrap();
        let set = [
            "data.limit=150",
            "data.validation=50",
            "train.recipe=cosine",
            "train.checkpoint_minutes=0.00001",
            "recipes.cosine.epochs=3",
            "recipes.cosine.batch_size=50",
            "workers.threads=1",
        ];
        Subject::new(
            "training",
            "train",
            &[network.to_str().unwrap()],
            &set,
            root,
        )
    }

    fn new(
        name: &'static str,
        subcommand: &'static str,
        arguments: &[&str],
        set: &[&str],
        root: TempDir,
    ) -> Subject {
        let set = set.iter().flat_map(|set| ["--set", *set]);
        let begin = arguments.iter().copied().chain(set);
        Subject {
            name,
            subcommand,
            begin: begin.map(str::to_owned).collect(),
            root,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Begin the run in `folder`, or continue it, and wait for its end. The engine is killed just before the step
    /// `at`; 0 is no step.
    pub fn session(&self, folder: &Path, at: u64, whole_group: bool) -> End {
        fs::create_dir_all(folder).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
        command.args([self.subcommand, "--headless"]);
        if folder.join("run/config.toml").is_file() {
            command.args(["--resume", "run"]);
        } else {
            command.args(["--run", "run"]).args(&self.begin);
        }
        command
            .current_dir(folder)
            .process_group(0)
            .env("XDG_STATE_HOME", folder.join("state"))
            .env("LD_PRELOAD", self.path("kill_at.so"))
            .env("KILL_AT", at.to_string())
            .env("KILL_LOG", folder.join("steps"));
        if whole_group {
            command.env("KILL_GROUP", "1");
        }
        let printed = folder.join("stderr");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&printed).unwrap());
        let mut child = command.spawn().unwrap();
        let status = child.wait().unwrap();
        let survivors = survivors(child.id());
        if !survivors.is_empty() {
            return End::Failed(format!("processes outlive the engine: {survivors:?}"));
        }
        if status.success() {
            return End::Finished;
        }
        if at > 0 && status.signal() == Some(Signal::KILL.as_raw()) {
            return End::Killed;
        }
        let printed = fs::read_to_string(printed).unwrap();
        End::Failed(format!("{status}: {}", printed.trim_end()))
    }

    /// System call and file of each step of the last session in `folder`.
    pub fn steps(&self, folder: &Path) -> Vec<String> {
        let steps = fs::read_to_string(folder.join("steps")).unwrap_or_default();
        let outer = folder.file_name().unwrap().to_string_lossy();
        let name = |line: &str| {
            let (_, name) = line.split_once(' ')?;
            let (call, file) = name.rsplit_once(' ')?;
            // Alike in all cases: the folder around the run, and the run in the list of the user's runs.
            let (stem, end) = file.split_once('.').unwrap_or((file, ""));
            let is_listed = stem.len() == 16 && u64::from_str_radix(stem, 16).is_ok();
            Some(match () {
                () if is_listed => format!("{call} HASH.{end}"),
                () if file == outer => format!("{call} FOLDER"),
                () => name.to_owned(),
            })
        };
        steps.lines().filter_map(name).collect()
    }
}

/// A folder with the library that kills.
fn new_root() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kill_at.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-Wall", "-Werror", "-O1", "-o"]);
    compiler
        .arg(root.path().join("kill_at.so"))
        .args([source.as_os_str(), "-ldl".as_ref()]);
    let output = compiler.output().expect("a C compiler, `cc`");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    root
}

/// The processes of a group that are still alive after their time to die.
fn survivors(group: u32) -> Vec<String> {
    let begin = Instant::now();
    loop {
        let alive = members(group);
        if alive.is_empty() || begin.elapsed() > TIME_TO_DIE {
            return alive;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The processes of a group, as in `/proc/PID/stat`.
fn members(group: u32) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap();
    let texts =
        processes.filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("stat")).ok());
    texts
        .filter(|text| {
            // After the name, which may contain anything: state, parent, group.
            let fields = text.rsplit_once(") ").map_or("", |(_, fields)| fields);
            let mut fields = fields.split(' ');
            let (state, group_of) = (fields.next(), fields.nth(1));
            !matches!(state, Some("Z" | "X")) && group_of == Some(&group.to_string())
        })
        .collect()
}

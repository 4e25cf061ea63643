//! Clients that send commands without pause, over the socket of a real engine: the run goes on as if
//! there were none, and ends when it is told to.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Program, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nas_tui::event::{Event, Record};
use nas_tui::journal;
use nas_tui::link::{self, Command};
use rustix::process::{Pid, Signal, kill_process};

const PATIENCE: Duration = Duration::from_secs(120);

/// More children than will ever be trained.
const SEARCH: [&str; 11] = [
    "data.limit=200",
    "data.validation=100",
    "search.episodes=500",
    "search.initial_depth=2",
    "search.depth_every=100000",
    "search.reuse=false",
    "space.filters=[4,8]",
    "child.epochs=1",
    "reward.last_epochs=1",
    "workers.count=1",
    "workers.threads=1",
];

/// More epochs than will ever be trained.
const TRAINING: [&str; 6] = [
    "data.limit=300",
    "data.validation=100",
    "train.recipe=cosine",
    "recipes.cosine.epochs=100000",
    "recipes.cosine.batch_size=50",
    "workers.threads=1",
];

const NETWORK: &str = r#"{"name": "tiny", "input": [1, 28, 28], "classes": 10, "layers": [
    {"kernel": [3, 3], "filters": 8, "stride": [2, 2], "padding": [1, 1], "inputs": [0]}
], "output": [1]}"#;

/// A headless run that begins with `arguments`.
fn begin(folder: &Path, arguments: &[&str], settings: &[&str]) -> (Child, PathBuf) {
    let child = Program::new(env!("CARGO_BIN_EXE_nas-tui"))
        .args(arguments)
        .args(["--headless", "--run", "run"])
        .args(settings.iter().flat_map(|setting| ["--set", setting]))
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let run = folder.join("run");
    wait_until("the socket", || run.join("control.sock").exists());
    (child, run)
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "{what} does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn count(run: &Path, is_counted: impl Fn(&Event) -> bool) -> usize {
    let records = journal::read(&run.join("journal.jsonl")).unwrap_or_default();
    let counted = |record: &&Record| is_counted(&record.event);
    records.iter().filter(counted).count()
}

/// Most memory that a process has used, in MiB.
fn peak_memory(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kibibytes.parse::<u64>().unwrap() / 1024
}

/// Clients that send `line` without pause. They connect again whenever they are disconnected.
struct Flood {
    ends: Arc<AtomicBool>,
    /// Bytes sent.
    sent: Arc<AtomicU64>,
    clients: Vec<JoinHandle<()>>,
}

impl Flood {
    fn begin(run: &Path, lines: &'static [&'static str]) -> Flood {
        let (ends, sent) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let clients = lines.iter().map(|line| {
            let (ends, sent) = (ends.clone(), sent.clone());
            let socket = run.join("control.sock");
            std::thread::spawn(move || {
                while !ends.load(Ordering::Relaxed) {
                    // Any error: the other end has hung up.
                    let _ = flood(&socket, line, &ends, &sent);
                    std::thread::sleep(Duration::from_millis(20));
                }
            })
        });
        Flood {
            clients: clients.collect(),
            ends,
            sent,
        }
    }

    fn end(self) {
        self.ends.store(true, Ordering::Relaxed);
        self.clients
            .into_iter()
            .for_each(|client| client.join().unwrap());
    }
}

fn flood(socket: &Path, line: &str, ends: &AtomicBool, sent: &AtomicU64) -> std::io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_write_timeout(Some(Duration::from_millis(100)))?;
    stream.write_all(b"{\"hello\":{\"protocol\":\"nas-tui\",\"version\":1,\"watch\":false}}\n")?;
    let mut answers = stream.try_clone()?;
    // What is never read would end the connection.
    std::thread::spawn(move || while matches!(answers.read(&mut [0; 65536]), Ok(1..)) {});
    let lines = format!("{line}\n").repeat(200);
    let mut rest = lines.as_bytes();
    while !ends.load(Ordering::Relaxed) {
        match stream.write(rest) {
            Ok(bytes) => {
                sent.fetch_add(bytes as u64, Ordering::Relaxed);
                rest = &rest[bytes..];
                if rest.is_empty() {
                    rest = lines.as_bytes();
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    stream.shutdown(std::net::Shutdown::Both)
}

/// Another client's pause is heard, and the run stands still until it is resumed.
fn pause_and_resume(run: &Path) {
    let client = link::attach(run, false).unwrap();
    client.commands.send(Command::Pause).unwrap();
    wait_until("the pause", || {
        count(run, |event| *event == Event::Paused) > 0
    });
    client.commands.send(Command::Resume).unwrap();
    wait_until("the end of the pause", || {
        count(run, |event| *event == Event::Resumed) > 0
    });
}

/// SIGTERM ends the run within seconds.
fn terminate(mut child: Child) {
    let begin = Instant::now();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_search_goes_on_and_ends_when_told_to_under_a_flood_of_commands() {
    let folder = tempfile::tempdir().unwrap();
    let (child, run) = begin(folder.path(), &["search"], &SEARCH);
    let children = || count(&run, |event| matches!(event, Event::ChildFinished(_)));
    wait_until("the first child", || children() > 0);
    let memory = peak_memory(&child);
    let flood = Flood::begin(
        &run,
        &[
            "{\"command\":{\"skip\":{\"child\":9999}}}",
            "{\"command\":{\"train\":{\"parent\":9999,\"dna\":[[3,4,1,1]]}}}",
            "{\"command\":\"go_on_after_episode\"}",
        ],
    );
    wait_until("the flood", || flood.sent.load(Ordering::Relaxed) > 100_000);
    pause_and_resume(&run);
    let before = children();
    wait_until("five more children", || children() >= before + 5);
    let grown = peak_memory(&child) - memory;
    assert!(grown < 100, "{grown} MiB more than before the flood");
    terminate(child);
    flood.end();
    let void = |event: &Event| {
        matches!(event, Event::Notice { message, .. } if message.contains("9999"))
            || matches!(event, Event::ChildQueued(_) | Event::SkipRequested { .. })
    };
    assert_eq!(count(&run, void), 0, "nothing void is recorded");
    assert_eq!(count(&run, |event| *event == Event::StopRequested), 1);
}

#[test]
fn so_does_a_training() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tiny.json"), NETWORK).unwrap();
    let (child, run) = begin(folder.path(), &["train", "tiny.json"], &TRAINING);
    let epochs = || count(&run, |event| matches!(event, Event::TrainingEpoch(_)));
    wait_until("the first epoch", || epochs() > 0);
    let memory = peak_memory(&child);
    let flood = Flood::begin(&run, &["{\"command\":{\"skip\":{\"child\":1}}}"; 2]);
    wait_until("the flood", || flood.sent.load(Ordering::Relaxed) > 100_000);
    pause_and_resume(&run);
    let before = epochs();
    wait_until("two more epochs", || epochs() >= before + 2);
    let grown = peak_memory(&child) - memory;
    assert!(grown < 200, "{grown} MiB more than before the flood");
    terminate(child);
    flood.end();
    let void = |event: &Event| matches!(event, Event::Notice { message, .. } if message.contains("cannot skip"));
    assert_eq!(count(&run, void), 0, "nothing void is recorded");
}

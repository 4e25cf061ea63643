//! Searches and screens as separate processes: what ends together, who sees what, and who may do
//! what.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as Program, Output, Stdio};
use std::time::{Duration, Instant};

use nas_tui::event::{ChildFinished, ChildQueued, Event, FinishReason, Record};
use nas_tui::foundation::host::host_name;
use nas_tui::journal;
use nas_tui::link::{self, Command, Connection, LinkStatus};
use rustix::process::{Pid, Signal, kill_process};

use super::terminal::{Terminal, engine};

const PATIENCE: Duration = Duration::from_secs(120);

/// Two episodes of three children of two layers with 200 images each; children of 200 epochs, so
/// that there is enough time.
const SMALL: [&str; 15] = [
    "data.limit=200",
    "data.validation=100",
    "search.episodes=2",
    "search.children_per_episode=3",
    "search.controls=0",
    "search.initial_depth=2",
    "search.depth_every=100",
    "search.reuse=false",
    "space.filters=[4,8]",
    "child.epochs=2",
    "child.batch_size=50",
    "reward.last_epochs=1",
    "workers.count=1",
    "workers.threads=1",
    "search.strategy=random",
];

fn nas_tui(folder: &Path, arguments: &[&str]) -> Program {
    let mut program = Program::new(env!("CARGO_BIN_EXE_nas-tui"));
    program
        .args(arguments)
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder.join("state"));
    program
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    program
}

fn output(folder: &Path, arguments: &[&str]) -> Output {
    nas_tui(folder, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "{what} does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn is_alive(pid: i32) -> bool {
    // A process that has ended but has not been waited for is a zombie.
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !status.is_empty() && !status.contains(") Z ")
}

/// Process ids of a run's workers, according to its journal.
fn workers(run: &Path) -> Vec<i32> {
    let pid = |record: Record| {
        if let Event::WorkerStarted { pid, .. } = record.event {
            pid.map(|pid| pid as i32)
        } else {
            None
        }
    };
    journal::read(&run.join("journal.jsonl"))
        .unwrap()
        .into_iter()
        .filter_map(pid)
        .collect()
}

fn signal(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    (folder, run)
}

#[test]
fn a_killed_screen_leaves_the_search_running_and_another_takes_its_place() {
    let (folder, run) = folder();
    let mut first = Terminal::search(folder.path());
    first.wait_for("RUNNING");
    let pid = engine(&run).unwrap();
    first.signal(Signal::KILL);
    first.wait_exit();
    // A search that dies with its screen would do so at once.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(engine(&run), Some(pid));
    assert!(workers(&run).into_iter().all(is_alive));

    let second = output(folder.path(), &["search", "--headless", "--resume", "run"]);
    assert_eq!(second.status.code(), Some(2));
    assert!(
        text(&second.stderr).contains(&format!("pid {pid} on {}", host_name())),
        "{}",
        text(&second.stderr)
    );

    let mut again = Terminal::start(&["attach", "run"], folder.path(), 80, 24);
    again.wait_for("RUNNING");
    again.keys("q");
    again.wait_for("Leave the screen?");
    again.keys("s");
    assert_eq!(again.wait_exit(), 130);
    again.assert_restored();
    again.wait_for("search --resume run");
    wait_until("the end of the search and its workers", || {
        !is_alive(pid) && !workers(&run).into_iter().any(is_alive)
    });
    assert!(!run.join("control.sock").exists());
}

#[test]
fn all_screens_show_the_same_and_one_that_only_watches_commands_nothing() {
    let (folder, run) = folder();
    let mut first = Terminal::search(folder.path());
    first.wait_for("RUNNING");
    let mut second = Terminal::start(&["attach", "run"], folder.path(), 80, 24);
    let mut watcher = Terminal::start(&["attach", "run", "--watch"], folder.path(), 80, 24);
    second.wait_for("RUNNING");
    watcher.wait_for("RUNNING");
    second.keys(" ");
    first.wait_for("PAUSED");
    watcher.wait_for("PAUSED");
    watcher.keys(" ");
    std::thread::sleep(Duration::from_secs(1));
    assert!(first.contents().contains("PAUSED"), "{}", first.contents());
    first.keys(" ");
    second.wait_for("RUNNING");
    second.keys("q");
    second.wait_for("Leave the screen?");
    second.keys("s");
    assert_eq!(second.wait_exit(), 130);
    first.wait_for("STOPPED");
    first.keys("q");
    assert_eq!(first.wait_exit(), 130);
    assert_eq!(engine(&run), None);
}

#[test]
fn the_screen_of_a_killed_search_says_so_and_offers_to_resume_it() {
    let (folder, run) = folder();
    let mut screen = Terminal::search(folder.path());
    screen.wait_for("RUNNING");
    let pid = engine(&run).unwrap();
    signal(pid, Signal::KILL);
    screen.wait_for("DEAD");
    screen.wait_for("no process is working on this run");
    wait_until("the end of the workers", || {
        !workers(&run).into_iter().any(is_alive)
    });
    screen.signal(Signal::TERM);
    assert_eq!(screen.wait_exit(), 130);

    let list: serde_json::Value =
        serde_json::from_slice(&output(folder.path(), &["list", "--json"]).stdout).unwrap();
    assert_eq!(
        (&list[0]["name"], &list[0]["status"]),
        (&"run".into(), &"dead".into())
    );
    let table = text(&output(folder.path(), &["list"]).stdout);
    assert!(table.contains("dead") && table.contains("demo"), "{table}");
    let mut dead = Terminal::start(&["attach", "run"], folder.path(), 80, 24);
    dead.wait_for("DEAD");
    dead.wait_for("no process is working on this run");
    dead.keys("q");
    dead.wait_for("yes: resume it here");
    dead.keys("y");
    dead.wait_for("RUNNING");
    dead.wait_for("resumed on");
    assert!(engine(&run).is_some());
}

#[test]
fn a_search_that_cannot_begin_says_why_on_the_terminal_and_leaves_nothing_behind() {
    let (folder, run) = folder();
    let arguments = [
        "search",
        "--run",
        "run",
        "--set",
        "data.source=folder:/nonexistent/images",
    ];
    let mut terminal = Terminal::start(&arguments, folder.path(), 80, 24);
    assert_eq!(terminal.wait_exit(), 2);
    terminal.wait_for("/nonexistent/images");
    terminal.assert_restored();
    assert!(!run.exists());
}

#[test]
fn without_a_terminal_attach_lists_the_runs_and_asks_for_a_name() {
    let (folder, _) = folder();
    let answer = output(folder.path(), &["attach"]);
    assert_eq!(answer.status.code(), Some(2));
    assert!(
        text(&answer.stdout).contains("no runs")
            && text(&answer.stderr).contains("nas-tui attach RUN")
    );
    let answer = output(folder.path(), &["attach", "nowhere"]);
    assert_eq!(answer.status.code(), Some(2));
    assert!(
        text(&answer.stderr).contains("there is no run nowhere"),
        "{}",
        text(&answer.stderr)
    );
}

#[test]
fn a_recorded_run_is_picked_watched_and_replayed() {
    let (folder, _) = folder();
    let run = folder.path().join("runs/recorded");
    fs::create_dir_all(&run).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl");
    fs::copy(fixture, run.join("journal.jsonl")).unwrap();
    let mut picker = Terminal::start(&["attach"], folder.path(), 80, 24);
    picker.wait_for("recorded");
    picker.wait_for("completed");
    picker.keys("\r");
    picker.wait_for("COMPLETED");
    picker.keys("q");
    picker.wait_for("children per hour");
    assert_eq!(picker.wait_exit(), 0);
    picker.assert_restored();
    let mut replay = Terminal::start(
        &["replay", "recorded", "--speed", "100000"],
        folder.path(),
        80,
        24,
    );
    replay.wait_for("run completed");
    replay.keys("q");
    assert_eq!(replay.wait_exit(), 0);
    replay.assert_restored();
}

/// The next record for which `wanted` returns true.
fn wait_for(client: &mut Connection, wanted: impl Fn(&Event) -> bool) -> Record {
    loop {
        let record = client.records.blocking_recv().expect("a connection lasts");
        if wanted(&record.event) {
            return (*record).clone();
        }
    }
}

/// A headless search with a client.
fn headless(
    folder: &Path,
    run: &Path,
    arguments: &[&str],
    set: &[&str],
) -> (std::process::Child, Connection) {
    let mut program = nas_tui(folder, &["search", "--headless"]);
    program
        .args(arguments)
        .args(set.iter().flat_map(|setting| ["--set", setting]));
    let child = program
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the socket", || run.join("control.sock").exists());
    let client = link::attach(run, false).unwrap();
    let live = LinkStatus::Live { watch_only: false };
    wait_until("the run to be read", || *client.status.borrow() == live);
    (child, client)
}

/// Skip `child` once it has completed an epoch; returns its result.
fn skip_after_an_epoch(client: &mut Connection, child: u64) -> ChildFinished {
    let of_child =
        |event: &Event| matches!(event, Event::ChildEpoch(epoch) if epoch.child == child);
    wait_for(client, of_child);
    client.commands.send(Command::Skip { child }).unwrap();
    let finished = wait_for(client, |event| matches!(event, Event::ChildFinished(_)));
    let Event::ChildFinished(finished) = finished.event else {
        unreachable!()
    };
    finished
}

/// Ask the run to stop after its episode, and to train child 1 once more as if edited; returns the
/// queued child.
fn stop_after_episode_with_an_edit(client: &mut Connection) -> ChildQueued {
    let sampled = wait_for(client, |event| matches!(event, Event::ChildSampled(_)));
    let Event::ChildSampled(sampled) = sampled.event else {
        unreachable!()
    };
    client.commands.send(Command::StopAfterEpisode).unwrap();
    client
        .commands
        .send(Command::Train {
            parent: 1,
            dna: sampled.dna,
        })
        .unwrap();
    let queued = wait_for(client, |event| matches!(event, Event::ChildQueued(_)));
    let Event::ChildQueued(queued) = queued.event else {
        unreachable!()
    };
    queued
}

/// The run's next session: the edited child is trained first, and the screen follows the run into
/// it.
fn finish_in_a_second_session(folder: &Path, run: &Path, client: &mut Connection) {
    let (mut search, mut again) = headless(folder, run, &["--resume", "run"], &[]);
    wait_for(client, |event| matches!(event, Event::RunResumed { .. }));
    wait_for(&mut again, |event| {
        matches!(event, Event::RunResumed { .. })
    });
    for child in [7, 4, 5, 6] {
        assert_eq!(skip_after_an_epoch(&mut again, child).child, child);
    }
    wait_for(&mut again, |event| {
        matches!(
            event,
            Event::RunFinished {
                reason: FinishReason::Completed,
                ..
            }
        )
    });
    assert_eq!(search.wait().unwrap().code(), Some(0));
}

#[test]
fn children_are_skipped_and_edited_and_the_run_stops_after_its_episode_and_is_resumed() {
    let (folder, run) = folder();
    let mut settings = SMALL.to_vec();
    settings.extend(["child.epochs=100000", "data.limit=50"]);
    let (mut search, mut client) = headless(folder.path(), &run, &["--run", "run"], &settings);
    let queued = stop_after_episode_with_an_edit(&mut client);
    assert_eq!((queued.child, queued.parent), (7, 1));
    // Child 2 has not begun; 1 and 3 have completed an epoch.
    client.commands.send(Command::Skip { child: 2 }).unwrap();
    let excluded = wait_for(&mut client, |event| {
        matches!(event, Event::ChildExcluded { .. })
    });
    assert!(
        matches!(excluded.event, Event::ChildExcluded { child: 2, reason, .. } if reason.contains("skipped by a user"))
    );
    for child in [1, 3] {
        let finished = skip_after_an_epoch(&mut client, child);
        assert!(
            finished.child == child && finished.skipped && finished.accuracy > 0.0,
            "{finished:?}"
        );
    }
    let end = wait_for(&mut client, |event| {
        matches!(event, Event::RunFinished { .. })
    });
    assert!(
        matches!(
            end.event,
            Event::RunFinished {
                reason: FinishReason::Stopped,
                children: 3,
                ..
            }
        ),
        "{end:?}"
    );
    assert_eq!(search.wait().unwrap().code(), Some(130));

    finish_in_a_second_session(folder.path(), &run, &mut client);
    let summary: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["excluded_children"], 1);
    assert_eq!(
        (&summary["children_evaluated"], &summary["edited_children"]),
        (&5.into(), &1.into())
    );
}

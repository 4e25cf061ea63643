//! Worker processes that are stopped (SIGSTOP), alone or with their whole group.

use std::os::unix::process::CommandExt;

use nas_tui::config::{Options, resolve};
use nas_tui::event::{Event, Record};
use nas_tui::runs::RunDirectory;
use nas_tui::search::Search;
use nas_tui::session::Session;
use nas_tui::strategy;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::*;

/// Silence is noticed soon; everything else may take its time on a busy machine.
fn impatient() -> Deadlines {
    Deadlines {
        silence: Duration::from_secs(8),
        ..Deadlines::default()
    }
}

fn stop(pid: u32) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
}

#[test]
fn a_stopped_worker_is_killed_and_its_child_is_trained_by_another_with_the_same_result() {
    let mut watched = Watched::start(WorkerSettings {
        deadlines: impatient(),
        ..settings(1, 4)
    });
    watched.workers.submit(job(1));
    watched.wait(is_progress);
    let stopped = watched.pids[0];
    stop(stopped);
    let died = watched.wait(|report| matches!(report, Report::WorkerDied { .. }));
    assert!(
        matches!(&died, Report::WorkerDied { worker: 0, reason }
            if reason == "killed because it gave no sign of life for 8 s"),
        "{died:?}"
    );
    assert!(!Path::new(&format!("/proc/{stopped}")).exists());
    watched.wait(|report| matches!(report, Report::Retried { child: 1, .. }));
    assert_eq!(watched.outcome_of(1), undisturbed(1, 4));
}

#[test]
fn a_worker_that_is_stopped_in_a_pause_is_replaced_and_the_others_stand_still_in_peace() {
    let mut watched = Watched::start(WorkerSettings {
        deadlines: Deadlines {
            step: Duration::from_secs(6),
            first_step: Duration::from_secs(60),
            slowdown: 0,
            ..impatient()
        },
        ..settings(2, 1000)
    });
    watched.workers.submit(job(1));
    watched.workers.submit(job(2));
    for wanted in [1, 2] {
        watched.wait(
            |report| matches!(report, Report::Progress(progress) if progress.child == wanted),
        );
    }
    watched.workers.pause(1);
    watched.wait(|report| matches!(report, Report::Paused { number: 1 }));
    stop(watched.pids[1]);
    // Longer than any deadline, but for the start's.
    let died = watched.wait(|report| matches!(report, Report::WorkerDied { .. }));
    assert!(
        matches!(&died, Report::WorkerDied { worker: 1, .. }),
        "{died:?}"
    );
    watched.wait(|report| matches!(report, Report::WorkerStarted { worker: 1, .. }));
    watched.workers.resume();
    let lost = |report: &Report| matches!(report, Report::WorkerDied { .. });
    let again = watched
        .wait(|report| lost(report) || matches!(report, Report::ChildStarted { attempt: 2, .. }));
    assert!(!lost(&again), "{again:?}");
}

/// A search of one episode in this process, whose workers have short deadlines.
fn search_in(path: &Path) {
    let set = [
        "data.limit=640",
        "data.validation=200",
        "search.episodes=1",
        "search.children_per_episode=4",
        "search.controls=0",
        "search.initial_depth=2",
        "search.reuse=false",
        "child.epochs=4",
        "workers.count=2",
        "workers.threads=1",
    ];
    let set = set.map(str::to_owned).to_vec();
    let config = resolve(&Options {
        set,
        ..Options::default()
    })
    .unwrap();
    let search = Search {
        evaluator: Box::new(|config, _, reports| {
            let settings = WorkerSettings {
                data: config.data.clone(),
                child: config.child.clone(),
                deadlines: impatient(),
                ..settings(2, 1)
            };
            let report = move |report| drop(reports.send(report));
            let workers = LocalWorkers::start_placed(Ok(settings), program(), report);
            Ok(Box::new(workers))
        }),
        strategy: Box::new(|config, space| Ok(strategy::named_in(config, space))),
    };
    let directory = RunDirectory::create(path).unwrap();
    let session = Session::begin(config, directory).unwrap();
    session.start(search).unwrap().join().unwrap();
}

fn records(path: &Path) -> Vec<Record> {
    nas_tui::journal::read(&path.join("journal.jsonl")).unwrap_or_default()
}

/// Wait for a record for which `wanted` returns something.
#[track_caller]
fn wait_in<T>(path: &Path, wanted: impl Fn(&Event) -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = records(path)
            .iter()
            .find_map(|record| wanted(&record.event))
        {
            return found;
        }
        assert!(Instant::now() < deadline, "the awaited record comes");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn deaths(path: &Path) -> Vec<String> {
    let reason = |record: Record| match record.event {
        Event::WorkerDied { reason, .. } => Some(reason),
        _ => None,
    };
    records(path).into_iter().filter_map(reason).collect()
}

#[test]
fn a_search_goes_on_when_one_of_its_workers_is_stopped() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    std::thread::scope(|scope| {
        let searching = scope.spawn(|| search_in(&path));
        wait_in(&path, |event| {
            matches!(event, Event::ChildStarted { .. }).then_some(())
        });
        let pid = wait_in(&path, |event| match event {
            Event::WorkerStarted { pid, .. } => *pid,
            _ => None,
        });
        stop(pid);
        searching.join().unwrap();
    });
    assert_eq!(
        deaths(&path),
        ["killed because it gave no sign of life for 8 s"]
    );
    let ends = records(&path);
    let is_end = |record: &&Record| matches!(record.event, Event::ChildFinished(_));
    assert_eq!(ends.iter().filter(is_end).count(), 4);
}

#[test]
#[ignore = "run by no_worker_is_killed_for_the_sleep_of_the_whole_group, in a process of its own"]
fn a_search_in_the_folder_of_a_variable() {
    let path = std::env::var_os("NAS_TUI_TEST_RUN").expect("the other test sets it");
    search_in(Path::new(&path));
}

#[test]
fn no_worker_is_killed_for_the_sleep_of_the_whole_group() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let mut search = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "workers::stopped::a_search_in_the_folder_of_a_variable",
        ])
        .env("NAS_TUI_TEST_RUN", &path)
        .process_group(0)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_in(&path, |event| {
        matches!(event, Event::ChildStarted { .. }).then_some(())
    });
    for _ in 0..2 {
        kill_process_group(Pid::from_child(&search), Signal::STOP).unwrap();
        // Longer than the deadline for silence.
        std::thread::sleep(Duration::from_secs(12));
        kill_process_group(Pid::from_child(&search), Signal::CONT).unwrap();
        std::thread::sleep(Duration::from_secs(1));
    }
    assert!(search.wait().unwrap().success());
    assert_eq!(deaths(&path), Vec::<String>::new());
}

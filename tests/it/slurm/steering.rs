//! A search is paused, skipped, stopped and resumed, and its tasks are warned and put back into the queue.

use nas_tui::link::{self, Command as Order};
use rustix::process::{Pid, Signal, kill_process};

use super::*;

/// Enough children for all that happens to them, each of which takes long enough.
const CHILDREN: u64 = 32;
const LONG: [&str; 14] = [
    "data.limit=600",
    "data.validation=200",
    "search.episodes=1",
    "search.children_per_episode=32",
    "search.controls=0",
    "search.initial_depth=2",
    "search.depth_step=0",
    "search.reuse=never",
    "space.filters=[8,16]",
    "child.epochs=240",
    "child.batch_size=25",
    "reward.last_epochs=1",
    "workers.threads=1",
    "workers.device=cpu",
];

fn slurm(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn find<T>(records: &[Record], of: impl Fn(&Event) -> Option<T>) -> Option<T> {
    records.iter().rev().find_map(|record| of(&record.event))
}

/// Do something to a task that trains a child, which must not have ended by then.
fn hit(search: &mut Search, except: Option<u64>, what: impl Fn(&str)) -> u64 {
    loop {
        let InTraining { child, task, .. } = search.in_training(2, None);
        if Some(child) == except {
            std::thread::sleep(Duration::from_millis(100));
            continue;
        }
        what(&task);
        if !has_result(&search.run, child) {
            eprintln!("child {child} of task {task}");
            return child;
        }
    }
}

/// A task is warned of its time limit.
fn warn(search: &mut Search) -> u64 {
    let child = hit(search, None, |task| {
        slurm("scancel", &["--batch", "--signal=USR1", task]);
    });
    search.wait_for("notice of the queue", |records| {
        (retries(records, child) > 0).then_some(())
    });
    child
}

/// An administrator, or a job of higher priority, puts a running task back into the queue.
fn put_back(search: &mut Search, except: u64) -> u64 {
    hit(search, Some(except), |task| {
        slurm("scontrol", &["requeue", task]);
    })
}

fn retries(records: &[Record], child: u64) -> usize {
    let is_of_child = |record: &&Record| matches!(record.event, Event::ChildRetried { child: of, .. } if of == child);
    records.iter().filter(is_of_child).count()
}

/// While the search is paused nothing is trained, and what waits does not start.
fn pause_and_resume(search: &mut Search) {
    search.in_training(1, None);
    let client = link::attach(&search.run, false).unwrap();
    client.commands.send(Order::Pause).unwrap();
    let paused = search.wait_for("pause", |records| {
        let is_pause = |record: &&Record| record.event == Event::Paused;
        records.iter().find(is_pause).and_then(|record| record.seq)
    });
    std::thread::sleep(Duration::from_secs(5));
    let after = records(&search.run);
    let after = after.iter().filter(|record| record.seq > Some(paused));
    let ended = after.filter(|record| matches!(record.event, Event::ChildFinished(_)));
    assert_eq!(ended.count(), 0, "no child ends in a pause");
    client.commands.send(Order::Resume).unwrap();
    search.wait_for("end of the pause", |records| {
        find(records, |event| (*event == Event::Resumed).then_some(()))
    });
    eprintln!("paused and resumed");
}

/// A child in training ends with the accuracies of its completed epochs.
fn skip(search: &mut Search) -> u64 {
    let child = loop {
        let InTraining { child, .. } = search.in_training(2, None);
        // A task that is being put back into the queue lives for a moment; its child would be excluded.
        if has_epoch(&records(&search.run), child) {
            break child;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let client = link::attach(&search.run, false).unwrap();
    client.commands.send(Order::Skip { child }).unwrap();
    search.wait_for("end of the skipped child", |records| {
        find(records, |event| match event {
            Event::ChildFinished(finished) if finished.child == child => Some(()),
            _ => None,
        })
    });
    eprintln!("skipped child {child}");
    child
}

/// Whether the search knows of an epoch in the present attempt of a child.
fn has_epoch(records: &[Record], child: u64) -> bool {
    let latest = find(records, |event| match event {
        Event::ChildEpoch(epoch) if epoch.child == child => Some(true),
        Event::ChildRetried { child: of, .. } if *of == child => Some(false),
        _ => None,
    });
    latest.unwrap_or(false)
}

/// Stop the search; its tasks go on, and their results wait for the next one.
fn stop_and_resume(mut search: Search) -> Search {
    search.in_training(1, None);
    terminate(&mut search);
    let ended = ends(&records(&search.run));
    let begin = Instant::now();
    let is_late = |child| !ended.contains_key(&child) && has_result(&search.run, child);
    while !(1..=CHILDREN).any(is_late) {
        assert!(
            begin.elapsed() < Duration::from_secs(300),
            "no task goes on"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    eprintln!("stopped; a result came without it");
    Search::start(&search.run.clone(), &[&["slurm.cancel_on_stop=true"]], None)
}

/// Stop the search with its tasks.
fn cancel_and_resume(mut search: Search) -> Search {
    // Its tasks go on all the while.
    let own = search.child.id();
    search.wait_for("resumption", |records| {
        find(records, |event| {
            matches!(event, Event::RunResumed { pid, .. } if *pid == own).then_some(())
        })
    });
    search.in_training(1, None);
    terminate(&mut search);
    wait_until_cancelled(&search.run);
    eprintln!("stopped, and the tasks cancelled");
    Search::start(&search.run.clone(), &[], None)
}

fn terminate(search: &mut Search) {
    kill_process(Pid::from_child(&search.child), Signal::TERM).unwrap();
    assert_eq!(search.child.wait().unwrap().code(), Some(130));
}

fn wait_until_cancelled(run: &Path) {
    let name = std::fs::read_to_string(run.join("slurm/run")).unwrap();
    let begin = Instant::now();
    let live = || {
        let all = slurm("squeue", &["-h", "-r", "-t", "PD,R", "-o", "%j"]);
        all.lines().filter(|job| job.starts_with(&name)).count()
    };
    while live() > 0 {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "{} tasks are left",
            live()
        );
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn a_search_that_is_steered_while_its_tasks_are_put_back_comes_to_the_same_accuracies() {
    if !slurm_runs() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (run, whole) = (folder.path().join("steered"), folder.path().join("control"));
    let mut search = Search::start(
        &run,
        &[&LONG, &SLURM, &["slurm.cancel_on_stop=false"]],
        None,
    );
    // Before tasks are put back: a child that waits in the queue is not ended but excluded.
    let skipped = skip(&mut search);
    let warned = warn(&mut search);
    let put_back = put_back(&mut search, warned);
    pause_and_resume(&mut search);
    let search = cancel_and_resume(stop_and_resume(search));
    search.end();
    let told = records(&run);
    let goes_on = format!("child {warned} goes on where it was saved");
    let is_told = find(&told, |event| match event {
        Event::Notice { message, .. } => message.contains(&goes_on).then_some(()),
        _ => None,
    });
    assert!(is_told.is_some(), "{goes_on}");
    assert!(
        retries(&told, put_back) > 0,
        "child {put_back} was put back"
    );
    Search::start(&whole, &[&LONG, &["workers.count=2"]], None).end();
    let (mut own, mut control) = (ends(&told), ends(&records(&whole)));
    assert!(own.len() as u64 == CHILDREN && own.values().all(|(times, _)| *times == 1));
    let (_, begun) = own.remove(&skipped).unwrap();
    let (_, whole) = control.remove(&skipped).unwrap();
    assert!(
        whole.starts_with(&begun),
        "a skipped child keeps its completed epochs"
    );
    assert_eq!(own, control, "the same accuracies as on this machine");
    let left = std::fs::read_dir(run.join("slurm/checkpoints")).unwrap();
    assert_eq!(left.count(), 0, "no checkpoint is left");
}

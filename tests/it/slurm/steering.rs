//! A search is paused, skipped, stopped and resumed, and its tasks are warned and put back into the queue.

use nas_tui::link::{self, Command as Order};
use rustix::process::{Pid, Signal, kill_process};

use super::*;

/// Children that take long enough for something to happen to them, and more of them than will be trained.
const LONG: [&str; 14] = [
    "data.limit=600",
    "data.validation=200",
    "search.episodes=1",
    "search.children_per_episode=60",
    "search.controls=0",
    "search.initial_depth=2",
    "search.depth_step=0",
    "search.reuse=never",
    "space.filters=[8,16]",
    "child.epochs=80",
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

/// A task that is warned of its time limit saves its child, asks to be started again, and goes on.
fn warn(search: &mut Search) {
    loop {
        let InTraining { child, task, .. } = search.in_training(2, None);
        slurm("scancel", &["--batch", "--signal=USR1", &task]);
        let goes_on = format!("child {child} goes on where it was saved");
        // It may have ended before the signal came.
        let is_saved = search.wait_for("second attempt", |records| {
            let told = find(records, |event| match event {
                Event::Notice { message, .. } => message.contains(&goes_on).then_some(true),
                _ => None,
            });
            told.or_else(|| ends(records).contains_key(&child).then_some(false))
        });
        if is_saved {
            return eprintln!("{task} was warned, and child {child} went on");
        }
    }
}

/// An administrator, or a job of higher priority, puts a running task back into the queue.
fn put_back(search: &mut Search) {
    let retries = |records: &[Record], child: u64| {
        let of_child = |record: &&Record| matches!(record.event, Event::ChildRetried { child: of, .. } if of == child);
        records.iter().filter(of_child).count()
    };
    loop {
        let InTraining { child, task, .. } = search.in_training(2, None);
        let before = retries(&records(&search.run), child);
        slurm("scontrol", &["requeue", &task]);
        let is_put_back = search.wait_for("notice of the queue", |records| {
            let is_retried = (retries(records, child) > before).then_some(true);
            is_retried.or_else(|| ends(records).contains_key(&child).then_some(false))
        });
        if is_put_back {
            return eprintln!("{task} of child {child} was put back into the queue");
        }
    }
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
    std::thread::sleep(Duration::from_secs(10));
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
    let InTraining { child, .. } = search.in_training(2, None);
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

/// Stop the search; its tasks go on, and their results wait for the next one. Returns that, and children
/// whose results came while there was none.
fn stop_and_resume(mut search: Search) -> (Search, Vec<u64>) {
    search.in_training(1, None);
    terminate(&mut search);
    let ended = ends(&records(&search.run));
    let begin = Instant::now();
    let late = || {
        let unfinished = (1..=60).filter(|child| !ended.contains_key(child));
        unfinished.filter(|child| has_result(&search.run, *child))
    };
    while late().count() == 0 {
        assert!(
            begin.elapsed() < Duration::from_secs(300),
            "no task goes on"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    let late: Vec<u64> = late().collect();
    eprintln!("stopped; the results of children {late:?} came without it");
    let resumed = Search::start(&search.run.clone(), &[&["slurm.cancel_on_stop=true"]], None);
    (resumed, late)
}

fn terminate(search: &mut Search) {
    kill_process(Pid::from_child(&search.child), Signal::TERM).unwrap();
    assert_eq!(search.child.wait().unwrap().code(), Some(130));
}

/// A stopped search leaves nothing in the queue, whatever number of arrays it has submitted.
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

/// What these children come to with workers of this machine.
fn control_of(children: &BTreeMap<u64, (u32, Vec<f64>)>) -> BTreeMap<u64, (u32, Vec<f64>)> {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("control");
    let mut search = Search::start(&run, &[&LONG, &["workers.count=2"]], None);
    search.wait_for("control", |records| {
        let mut ends = ends(records);
        ends.retain(|child, _| children.contains_key(child));
        (ends.len() == children.len()).then_some(ends)
    })
}

#[test]
fn a_search_that_is_steered_while_its_tasks_are_put_back_comes_to_the_same_accuracies() {
    if !slurm_runs() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("steered");
    let mut search = Search::start(
        &run,
        &[&LONG, &SLURM, &["slurm.cancel_on_stop=false"]],
        None,
    );
    warn(&mut search);
    put_back(&mut search);
    pause_and_resume(&mut search);
    let skipped = skip(&mut search);
    let (mut search, late) = stop_and_resume(search);
    // Those that were put back, too: they are the first ones.
    search.wait_for("ends of the first children", |records| {
        let ends = ends(records);
        let mut wanted = (1..=4).chain(late.iter().copied());
        wanted.all(|child| ends.contains_key(&child)).then_some(())
    });
    terminate(&mut search);
    wait_until_cancelled(&run);
    let mut ends = ends(&records(&run));
    assert!(ends.values().all(|(times, _)| *times == 1));
    let mut control = control_of(&ends);
    let (_, whole) = control.remove(&skipped).unwrap();
    let (_, begun) = ends.remove(&skipped).unwrap();
    assert!(
        whole.starts_with(&begun),
        "a skipped child keeps its completed epochs"
    );
    assert_eq!(ends, control, "the same accuracies as on this machine");
    for child in ends.keys() {
        let checkpoint = run.join(format!("slurm/checkpoints/{child}.safetensors"));
        assert!(!checkpoint.exists(), "a child that has ended leaves none");
    }
}

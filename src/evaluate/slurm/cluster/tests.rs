mod ending;

use std::fs;
use std::sync::{Arc, Mutex};

use super::*;
use crate::config::{Options, resolve};
use crate::evaluate::slurm::attempts::{BETWEEN_PASSES, Began};
use crate::evaluate::slurm::scheduler::{Sign, Submission, TaskId};
use crate::space::{Architecture, Layer};

/// A job that no Slurm can have: what is really asked for it is refused.
const JOB: &str = "nas-tui-test";

/// The thread's part for the run in a folder, and what it asks of Slurm.
fn bridge(run: &Path) -> (Bridge, Receiver<Request>) {
    let set = ["workers.evaluator=slurm", "workers.count=10"];
    let mut config = resolve(&Options {
        set: set.map(str::to_owned).to_vec(),
        ..Options::default()
    })
    .unwrap();
    config.slurm.options = vec!["--exclude=n99".to_owned()];
    let data = DataDescription {
        spec: "test".to_owned(),
        images: None,
        fingerprint: "c0ffee".to_owned(),
    };
    let limits = Limits {
        array: 100,
        jobs: 1_000,
    };
    let (to_slurm, requests) = channel();
    let folder = Folder::open(run).unwrap();
    let (program, saved) = (PathBuf::from("/nas-tui"), run.join("config.toml"));
    let bridge = Bridge::take_over(config, folder, program, saved, data, limits, to_slurm);
    (bridge.unwrap(), requests)
}

fn job(child: u64) -> ChildJob {
    let layer = Layer {
        kind: Default::default(),
        kernel: [3, 3],
        filters: 4,
        stride: [1, 1],
        padding: [1, 1],
        inputs: vec![0],
    };
    ChildJob {
        child,
        seed: 1,
        architecture: Architecture {
            name: "one".to_owned(),
            input: [1, 8, 8],
            classes: 4,
            layers: vec![layer],
            output: vec![1],
        },
        stop: None,
    }
}

/// A run of which an earlier session has submitted batch 1, with so many children, one per task.
fn submitted_before(run: &Path, children: u64) {
    let (bridge, _) = bridge(run);
    let tasks: Vec<Vec<ChildJob>> = (1..=children).map(|child| vec![job(child)]).collect();
    let folder = &bridge.folder;
    folder
        .write_batch(&bridge.settings(1), &tasks, "#!/bin/sh\n")
        .unwrap();
    folder.write_job(1, JOB).unwrap();
}

/// What an attempt of a task has written.
fn write_attempt(folder: &Folder, index: usize, attempt: &str, time_ms: u64, signs: &[Sign]) {
    let began = Began {
        node: format!("n{index}"),
        pid: 1,
        task: format!("{JOB}_{index}"),
        time_ms,
    };
    let mut text = serde_json::to_string(&began).unwrap();
    for sign in signs {
        text.push('\n');
        text.push_str(&serde_json::to_string(sign).unwrap());
    }
    text.push('\n');
    let id = TaskId { batch: 1, index };
    fs::write(folder.attempt(id, attempt), text).unwrap();
    folder.announce(id, attempt).unwrap();
}

fn unusable() -> Sign {
    let reason = "no GPU".to_owned();
    Sign::Unusable { reason }
}

fn started(child: u64) -> Sign {
    let device = "cpu".to_owned();
    Sign::Started { child, device }
}

/// Where reports go, and those that have come.
fn listener() -> (Reports, Arc<Mutex<Vec<Report>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let here = heard.clone();
    let report = move |report: Report| here.lock().unwrap().push(report);
    (Box::new(report), heard)
}

fn is_fatal(report: &Report) -> bool {
    matches!(report, Report::Fatal { .. })
}

#[test]
fn a_run_that_bad_nodes_have_ended_can_be_resumed_and_trains_the_same_children_again() {
    let run = tempfile::tempdir().unwrap();
    submitted_before(run.path(), 5);
    let folder = Folder::open(run.path()).unwrap();
    (0..5).for_each(|index| write_attempt(&folder, index, &format!("a{index}"), 1, &[unusable()]));
    let (mut bridge, requests) = bridge(run.path());
    let (report, heard) = listener();
    (1..=5).for_each(|child| bridge.submit(job(child), &report));
    bridge.read_files(&report);
    bridge.scheduler.tick(Duration::from_secs(5));
    bridge.act(&report);
    bridge.take(Message::Recorded(2), &report);
    assert!(!heard.lock().unwrap().iter().any(is_fatal));
    let submits = |request: Request| matches!(request, Request::Submit { batch: 2, .. });
    assert!(requests.try_iter().any(submits));
    assert!(bridge.folder.is_closed(1));
}

#[test]
fn a_run_that_bad_nodes_end_cancels_its_tasks() {
    let run = tempfile::tempdir().unwrap();
    submitted_before(run.path(), 6);
    let (mut bridge, _requests) = bridge(run.path());
    let (report, heard) = listener();
    (1..=6).for_each(|child| bridge.submit(job(child), &report));
    for index in 0..5 {
        write_attempt(
            &bridge.folder,
            index,
            &format!("a{index}"),
            1,
            &[unusable()],
        );
    }
    let (_sender, messages) = channel();
    bridge.work(&messages, &report);
    assert!(heard.lock().unwrap().iter().any(is_fatal));
    assert!(bridge.folder.is_closed(1), "nothing of it is left");
}

#[test]
fn of_two_attempts_of_a_task_the_later_one_trains_the_child_after_a_resume() {
    for later in ["a", "b"] {
        let run = tempfile::tempdir().unwrap();
        submitted_before(run.path(), 1);
        let folder = Folder::open(run.path()).unwrap();
        for attempt in ["a", "b"] {
            let (time, signs) = match attempt == later {
                true => (200, vec![started(1)]),
                false => (100, vec![started(1), Sign::Requeued]),
            };
            write_attempt(&folder, 0, attempt, time, &signs);
        }
        let (mut bridge, _requests) = bridge(run.path());
        let (report, heard) = listener();
        bridge.submit(job(1), &report);
        bridge.read_files(&report);
        bridge.act(&report);
        let heard = heard.lock().unwrap();
        assert!(
            matches!(&heard[..], [Report::ChildStarted { attempt: 1, .. }]),
            "{later}: {heard:?}"
        );
    }
}

#[test]
fn a_stop_while_sbatch_is_under_way_cancels_the_job_once_it_is_known() {
    let run = tempfile::tempdir().unwrap();
    let (mut bridge, _requests) = bridge(run.path());
    let (report, _heard) = listener();
    bridge.submit(job(1), &report);
    bridge.scheduler.tick(Duration::from_secs(5));
    bridge.act(&report);
    bridge.take(Message::Recorded(1), &report);
    let (sender, messages) = channel();
    let answer = Submission::Accepted(JOB.to_owned());
    let reply = Reply::Submitted { batch: 1, answer };
    sender.send(Message::Slurm(reply)).unwrap();
    bridge.shut_down(&messages, &report);
    assert_eq!(bridge.numbers.get(&1).map(String::as_str), Some(JOB));
    assert!(bridge.folder.is_closed(1));
}

fn is_submission(request: Request) -> bool {
    matches!(request, Request::Submit { batch: 1, .. })
}

/// A run in which child 7 is to be submitted as batch 1.
fn intending(run: &Path, report: &Reports) -> (Bridge, Receiver<Request>) {
    let (mut bridge, requests) = bridge(run);
    bridge.submit(job(7), report);
    bridge.scheduler.tick(Duration::from_secs(5));
    bridge.act(report);
    (bridge, requests)
}

#[test]
fn sbatch_is_asked_only_once_the_journal_has_the_intent() {
    let run = tempfile::tempdir().unwrap();
    let (report, heard) = listener();
    let (mut bridge, requests) = intending(run.path(), &report);
    let intent = Report::BatchIntended {
        batch: 1,
        job: bridge.name_of(1),
        tasks: 1,
        children: vec![7],
    };
    assert_eq!(*heard.lock().unwrap(), [intent]);
    assert!(!requests.try_iter().any(is_submission));
    bridge.take(Message::Recorded(1), &report);
    assert!(requests.try_iter().any(is_submission));
    bridge.take(Message::Recorded(1), &report);
    assert!(!requests.try_iter().any(is_submission), "only once");
}

#[test]
fn sbatch_is_asked_only_once_the_manifest_is_written_whole() {
    for is_in_the_way in [true, false] {
        let run = tempfile::tempdir().unwrap();
        let (report, _heard) = listener();
        let (mut bridge, requests) = intending(run.path(), &report);
        if is_in_the_way {
            fs::create_dir(bridge.folder.batch(1).join("manifest.jsonl.tmp")).unwrap();
        }
        bridge.take(Message::Recorded(1), &report);
        assert_eq!(requests.try_iter().any(is_submission), !is_in_the_way);
        let (known, _) = bridge.folder.open_batches().unwrap();
        let intended: Vec<_> = known
            .iter()
            .map(|known| (&known.tasks, &known.job))
            .collect();
        match is_in_the_way {
            true => assert_eq!(intended, []),
            false => assert_eq!(intended, [(&vec![vec![7]], &None)]),
        }
    }
}

#[test]
fn a_batch_whose_intent_is_not_in_the_journal_when_the_search_ends_is_not_submitted() {
    let run = tempfile::tempdir().unwrap();
    let (report, _heard) = listener();
    let (mut first, requests) = intending(run.path(), &report);
    let (_sender, messages) = channel();
    first.shut_down(&messages, &report);
    assert_eq!(requests.try_iter().count(), 0);
    assert_eq!(first.scheduler.all_batches().count(), 0);
    // The journal may have the number all the same, so that it is not given to another batch.
    let (mut second, _requests) = bridge(run.path());
    let (report, heard) = listener();
    second.submit(job(7), &report);
    second.scheduler.tick(Duration::from_secs(5));
    second.act(&report);
    let heard = heard.lock().unwrap();
    assert!(
        matches!(&heard[..], [Report::BatchIntended { batch: 2, .. }]),
        "{heard:?}"
    );
}

#[test]
fn a_batch_whose_children_have_all_been_skipped_by_then_is_not_submitted() {
    let run = tempfile::tempdir().unwrap();
    let (report, _heard) = listener();
    let (mut bridge, requests) = intending(run.path(), &report);
    bridge.take(Message::Skip(7), &report);
    bridge.act(&report);
    bridge.take(Message::Recorded(1), &report);
    assert!(!requests.try_iter().any(is_submission));
}

#[test]
fn what_could_not_be_written_for_the_tasks_is_written_when_it_can_be() {
    let run = tempfile::tempdir().unwrap();
    submitted_before(run.path(), 1);
    let (mut bridge, _requests) = bridge(run.path());
    let (report, _heard) = listener();
    let obstacle = bridge.folder.path().join("control.json.tmp");
    fs::create_dir(&obstacle).unwrap();
    bridge.write_control(Some(3), vec![7], &report);
    let control = bridge.folder.path().join("control.json");
    assert!(!control.exists());
    fs::remove_dir(&obstacle).unwrap();
    bridge.probe(&report);
    let expected = Control {
        pause: Some(3),
        skip: vec![7],
    };
    let written = fs::read_to_string(control).unwrap();
    assert_eq!(serde_json::from_str::<Control>(&written).unwrap(), expected);
}

#[test]
fn tasks_that_wait_are_kept_from_a_bad_node_and_from_those_that_the_user_excludes() {
    let run = tempfile::tempdir().unwrap();
    submitted_before(run.path(), 1);
    let (bridge, requests) = bridge(run.path());
    bridge.avoid(1, &["n7".to_owned()]);
    let Ok(Request::Tell { program, arguments }) = requests.try_recv() else {
        panic!("nothing is told");
    };
    let expected = ["update", "JobId=nas-tui-test", "ExcNodeList=n99,n7"];
    assert_eq!(
        (program, &arguments[..]),
        ("scontrol", &expected.map(str::to_owned)[..])
    );
}

#[test]
fn a_copy_of_a_run_leaves_the_tasks_of_the_other_one_alone() {
    let place = tempfile::tempdir().unwrap();
    let (run, copy) = (place.path().join("run"), place.path().join("copy"));
    fs::create_dir(&run).unwrap();
    fs::create_dir(&copy).unwrap();
    submitted_before(&run, 1);
    let folder = Folder::open(&copy).unwrap();
    fs::create_dir(folder.batch(1)).unwrap();
    for file in ["run", "batches/1/manifest.jsonl", "batches/1/job"] {
        let (from, to) = (run.join("slurm").join(file), folder.path().join(file));
        fs::copy(from, to).unwrap();
    }
    let (bridge, _requests) = bridge(&copy);
    assert_eq!(bridge.scheduler.all_batches().count(), 0);
    assert!(folder.is_closed(1));
}

#[test]
fn a_number_of_tasks_that_is_changed_while_the_search_runs_reaches_the_search_too() {
    let run = tempfile::tempdir().unwrap();
    let (mut bridge, _requests) = bridge(run.path());
    let (report, _heard) = listener();
    let at_a_time = bridge.at_a_time.clone();
    assert_eq!(at_a_time.load(Ordering::Relaxed), 10);
    let edited = bridge.config.to_toml().replace("count = 10", "count = 20");
    fs::write(&bridge.saved, edited).unwrap();
    bridge.follow_settings(&report);
    assert_eq!(at_a_time.load(Ordering::Relaxed), 20);
}

#[test]
fn a_child_that_is_submitted_late_after_a_resume_is_shown_in_training_all_the_same() {
    let run = tempfile::tempdir().unwrap();
    submitted_before(run.path(), 1);
    let folder = Folder::open(run.path()).unwrap();
    write_attempt(&folder, 0, "a", 1, &[started(1)]);
    let (mut bridge, _requests) = bridge(run.path());
    let (report, heard) = listener();
    bridge.read_files(&report);
    bridge.submit(job(1), &report);
    std::thread::sleep(BETWEEN_PASSES);
    bridge.read_files(&report);
    bridge.act(&report);
    let heard = heard.lock().unwrap();
    assert!(
        matches!(&heard[..], [Report::ChildStarted { .. }]),
        "{heard:?}"
    );
}

#[test]
fn a_result_that_cannot_be_read_at_the_moment_is_not_put_aside() {
    let run = tempfile::tempdir().unwrap();
    let (mut bridge, _requests) = bridge(run.path());
    let (report, heard) = listener();
    let inbox = bridge.folder.path().join("inbox");
    // The system refuses to read a folder.
    fs::create_dir(inbox.join("result-1.a.json")).unwrap();
    fs::write(inbox.join("result-2.b.json"), "{").unwrap();
    bridge.read_files(&report);
    assert_eq!(heard.lock().unwrap().len(), 2, "both are told");
    assert!(inbox.join("result-1.a.json").exists());
    assert!(!inbox.join("result-2.b.json").exists());
}

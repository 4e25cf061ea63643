//! Machines on which a task cannot train.

use super::*;

#[test]
fn a_task_with_a_gpu_that_libtorch_does_not_see_trains_nothing_instead_of_using_the_cpu() {
    let run = Run::new(&[job(1)], json!({"device": "auto", "gpus": 1}));
    let mut task = run.start(&[]);
    assert!(!task.end().success());
    assert_eq!((task.count("started"), task.count("unusable")), (0, 1));
    let signs = task.signs();
    let reason = signs.iter().find_map(|sign| sign["reason"].as_str());
    assert!(
        reason.is_some_and(
            |reason| reason.contains("slurm.gpus_per_task is 1, but libtorch sees no GPU here")
        ),
        "{reason:?}"
    );
    assert_eq!(run.result(1), None);
}

/// Kill the process that trains child 1, once it has made progress in this attempt at it.
fn kill_worker(task: &Task, attempt: usize) {
    until("start of the child", || {
        (task.count("started") == attempt).then_some(())
    });
    let epochs = task.epochs().len();
    until("an epoch", || (task.epochs().len() > epochs).then_some(()));
    let workers = children_of(task.process.id());
    assert_eq!(workers.len(), 1, "{workers:?}");
    let worker = Pid::from_raw(i32::try_from(workers[0]).unwrap()).unwrap();
    kill_process(worker, Signal::KILL).unwrap();
}

#[test]
fn a_child_whose_workers_are_killed_twice_is_left_to_another_task_with_its_checkpoint() {
    let run = Run::new(&[job(1)], json!({}));
    let mut task = run.start(&["--save-every", "1"]);
    until("checkpoint", || run.saved());
    kill_worker(&task, 1);
    until("second attempt", || {
        (task.count("retried") == 1).then_some(())
    });
    kill_worker(&task, 2);
    assert!(!task.end().success());
    let signs = task.signs();
    let reason = signs.last().and_then(|sign| sign["reason"].as_str());
    assert_eq!(task.count("ended"), 1, "{signs:?}");
    assert!(
        reason.is_some_and(|reason| reason.contains("child 1: its worker died 2 times")
            && reason.contains("SIGKILL")),
        "{reason:?}"
    );
    assert_eq!(run.result(1), None, "nothing is known of the child");
    assert!(run.saved().is_some(), "another task goes on with it");
}

#[test]
fn a_child_that_diverges_has_failed_wherever_it_is_trained() {
    let mut run = Run::new(&[job(1)], json!({}));
    run.settings.child.learning_rate = 1e30;
    run.write_manifest(&[job(1)], json!({}));
    let mut task = run.start(&[]);
    assert!(task.end().success());
    let result = run.result(1).unwrap();
    assert_eq!(result["outcome"]["outcome"], "failed");
    assert_eq!(result.get("doubtful"), None);
}

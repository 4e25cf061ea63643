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

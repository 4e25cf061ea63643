//! What `sbatch` answers.

use super::*;

fn refused() -> Submission {
    Submission::Refused("Job violates accounting/QOS policy".to_owned())
}

/// The next submission: when, its batch, and how many tasks it has.
fn next(scheduler: &mut Scheduler) -> (u64, u64, usize) {
    let from = scheduler.now.as_secs();
    for second in from..from + 2_000 {
        scheduler.tick(Duration::from_secs(second));
        for action in scheduler.take_actions() {
            if let Action::Submit { batch, tasks, .. } = action {
                return (second, batch, tasks.len());
            }
        }
    }
    panic!("nothing is submitted");
}

#[test]
fn the_first_array_may_be_larger_than_the_users_limit() {
    let mut scheduler = submitted_with(60);
    scheduler.submitted(1, refused());
    let mut sizes = Vec::new();
    for _ in 0..6 {
        let (_, batch, size) = next(&mut scheduler);
        sizes.push(size);
        scheduler.submitted(batch, Submission::Accepted(batch.to_string()));
    }
    assert_eq!(sizes, [1, 2, 4, 8, 16, 29], "all of the 60");
}

#[test]
fn options_with_which_not_even_one_task_is_taken_end_the_run_at_once() {
    let mut scheduler = submitted_with(60);
    scheduler.submitted(1, refused());
    let (second, batch, size) = next(&mut scheduler);
    assert_eq!((second, size), (7, 1));
    scheduler.submitted(batch, refused());
    let actions = scheduler.take_actions();
    assert!(fatal(&actions).is_some_and(|told| told.contains("slurm.options")));
    assert!(
        actions.contains(&Action::Close(batch)),
        "a resume does not wait for it"
    );
}

#[test]
fn later_refusals_halve_the_array_at_once_and_wait_only_when_one_task_is_refused() {
    let mut scheduler = submitted_with(4);
    scheduler.submitted(1, Submission::Accepted("1".to_owned()));
    scheduler.set_count(100);
    (5..=12).for_each(|child| scheduler.submit(child));
    let mut tried = Vec::new();
    for _ in 0..5 {
        let (second, batch, size) = next(&mut scheduler);
        tried.push((second, size));
        scheduler.submitted(batch, refused());
    }
    let expected = [(7, 8), (12, 4), (17, 2), (22, 1), (37, 1)];
    assert_eq!(tried, expected);
    let (second, batch, size) = next(&mut scheduler);
    assert_eq!((second, size), (67, 1));
    scheduler.submitted(batch, Submission::Accepted("9".to_owned()));
    assert_eq!(next(&mut scheduler), (72, batch + 1, 2), "it grows again");
}

#[test]
fn a_refusal_is_told_once_while_arrays_are_small() {
    let mut scheduler = submitted_with(4);
    scheduler.submitted(1, Submission::Accepted("1".to_owned()));
    scheduler.set_count(100);
    (5..=12).for_each(|child| scheduler.submit(child));
    scheduler.take_actions();
    let mut told = 0;
    for answer in [refused(), Submission::Accepted("2".to_owned()), refused()] {
        let (_, batch, _) = next(&mut scheduler);
        scheduler.submitted(batch, answer);
        told += reports(&mut scheduler).len();
    }
    assert_eq!(told, 1);
}

#[test]
fn children_of_arrays_that_slurm_may_not_have_taken_lose_nothing_and_are_tried_again_later_each_time()
 {
    let mut scheduler = submitted();
    let mut gaps = Vec::new();
    let mut batch = 1;
    for _ in 0..5 {
        let before = scheduler.now.as_secs();
        scheduler.submitted(batch, Submission::Unknown("timed out".to_owned()));
        // Slurm answers, and knows nothing of it.
        for second in (before..before + 70).step_by(10) {
            pass(&mut scheduler, second, &[]);
            hear(&mut scheduler, &[]);
        }
        scheduler.take_actions();
        let (second, number, size) = next(&mut scheduler);
        assert_eq!(size, 2);
        gaps.push(second - before);
        batch = number;
    }
    assert!(gaps.is_sorted() && gaps[4] >= 240, "{gaps:?}");
    scheduler.submitted(batch, Submission::Accepted("4711".to_owned()));
    assert!(scheduler.children.values().all(|known| known.lost == 0));
}

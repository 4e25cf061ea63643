//! Limits: of time, and of the number of tasks.

use super::*;

/// What is submitted in so many seconds: the batches, each with the children of its tasks. Slurm takes them all.
fn submissions(scheduler: &mut Scheduler, seconds: u64) -> Vec<(u64, Vec<Vec<u64>>)> {
    let from = scheduler.now.as_secs();
    let mut submitted = Vec::new();
    for second in from..=from + seconds {
        scheduler.tick(Duration::from_secs(second));
        for action in scheduler.take_actions() {
            if let Action::Submit { batch, tasks, .. } = action {
                scheduler.submitted(batch, Submission::Accepted(batch.to_string()));
                submitted.push((batch, tasks));
            }
        }
    }
    submitted
}

/// Number of tasks in each batch.
fn sizes(submitted: &[(u64, Vec<Vec<u64>>)]) -> Vec<usize> {
    submitted.iter().map(|(_, tasks)| tasks.len()).collect()
}

#[test]
fn no_more_tasks_wait_and_run_than_the_run_may_have_however_many_may_run_and_wait_for_it() {
    for children_per_task in [1, 3] {
        let rules = Rules {
            children_per_task,
            most_tasks: 5,
            ..rules(100)
        };
        let mut scheduler = Scheduler::new(rules, 1);
        let children = 12 * children_per_task as u64;
        (1..=children).for_each(|child| scheduler.submit(child));
        let first = submissions(&mut scheduler, 60);
        assert_eq!(sizes(&first), [5], "all that it may have, and no more");
        let mut ended = 0;
        for (_, tasks) in &first {
            for child in tasks[..2].iter().flatten() {
                scheduler.finished(*child, "a", "n1");
                ended += 1;
            }
        }
        assert_eq!(ended, 2 * children_per_task);
        let second = submissions(&mut scheduler, 60);
        assert_eq!(sizes(&second), [2], "as many as have ended");
        assert_eq!(scheduler.tasks().0, 5);
    }
}

#[test]
fn tasks_of_earlier_sessions_count_among_those_that_the_run_may_have() {
    let rules = Rules {
        most_tasks: 5,
        ..rules(100)
    };
    let mut scheduler = Scheduler::new(rules, 1);
    let tasks = (1..=4).map(|child| vec![child]).collect();
    scheduler.adopt(1, tasks, Some("4711".to_owned()));
    (1..=12).for_each(|child| scheduler.submit(child));
    let submitted = submissions(&mut scheduler, 60);
    assert_eq!(submitted, [(2, vec![vec![5]])]);
}

#[test]
fn a_child_whose_tasks_end_at_their_time_limit_is_submitted_again_and_excluded_after_its_last_attempt()
 {
    let mut scheduler = accepted_with(1);
    let reason = "its time limit came before its children were trained, 4 times";
    for batch in 1..=3 {
        let from = Source {
            task: TaskId { batch, index: 0 },
            attempt: &batch.to_string(),
            node: "n1",
            is_past: false,
        };
        scheduler.sign(from, started(1));
        scheduler.take_actions();
        let sign = Sign::Ended {
            reason: reason.to_owned(),
        };
        scheduler.sign(from, sign);
        let told = reports(&mut scheduler);
        if batch < 3 {
            assert!(
                matches!(&told[..], [Report::Retried { child: 1, reason: why }] if why.ends_with(reason)),
                "{told:?}"
            );
            let again = submissions(&mut scheduler, 20);
            assert_eq!(again, [(batch + 1, vec![vec![1]])]);
            continue;
        }
        let [
            Report::Finished {
                child: 1,
                outcome: Outcome::Excluded { reason: why },
                ..
            },
        ] = &told[..]
        else {
            panic!("{told:?}");
        };
        assert!(
            why.starts_with("it lost 3 tasks: ") && why.ends_with(reason),
            "{why}"
        );
    }
    assert_eq!(submissions(&mut scheduler, 60), []);
}

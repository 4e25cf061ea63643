//! What a session finds of earlier ones.

use super::*;

/// A session that finds so many children, one per task, in batch 1, and wants them trained.
fn resumed(children: u64, attempts: u32) -> Scheduler {
    let rules = Rules {
        attempts,
        ..rules(children as usize)
    };
    let mut scheduler = Scheduler::new(rules, 1);
    let tasks = (1..=children).map(|child| vec![child]).collect();
    scheduler.adopt(1, tasks, Some("4711".to_owned()));
    (1..=children).for_each(|child| scheduler.submit(child));
    scheduler
}

/// A task said this before the session began.
fn said(scheduler: &mut Scheduler, index: usize, sign: Sign) {
    let from = Source {
        task: id(index),
        attempt: &index.to_string(),
        node: &format!("n{index}"),
        is_past: true,
    };
    scheduler.sign(from, sign);
}

#[test]
fn what_ended_a_run_does_not_end_it_again_and_has_cost_its_children_nothing() {
    let mut scheduler = resumed(6, 1);
    for index in 0..5 {
        said(&mut scheduler, index, unusable());
    }
    let reason = "its time limit came".to_owned();
    said(&mut scheduler, 5, Sign::Ended { reason });
    let actions = pass(&mut scheduler, 20, &[]);
    let [Action::Close(1), Action::Submit { tasks, avoid, .. }] = &actions[..] else {
        panic!("{actions:?}");
    };
    assert_eq!((tasks.len(), avoid.len()), (6, 0));
}

#[test]
fn tasks_that_have_ended_while_no_search_ran_have_cost_their_children_nothing() {
    let mut scheduler = resumed(4, 1);
    let mut actions = Vec::new();
    for second in (0..100).step_by(10) {
        actions.extend(pass(&mut scheduler, second, &[]));
        hear(&mut scheduler, &["FAILED"; 4]);
        actions.extend(scheduler.take_actions());
    }
    assert_eq!(fatal(&actions), None);
    let again =
        |action: &Action| matches!(action, Action::Submit { tasks, .. } if tasks.len() == 4);
    assert!(actions.iter().any(again), "{actions:?}");
    assert!(scheduler.avoided().is_empty());
}

#[test]
fn a_child_in_training_is_shown_so_and_old_lines_of_the_log_are_not_told_again() {
    let mut scheduler = resumed(2, 3);
    said(&mut scheduler, 0, Sign::Alive);
    said(&mut scheduler, 0, started(1));
    let message = "hello".to_owned();
    let level = Level::Info;
    said(&mut scheduler, 0, Sign::Log { level, message });
    assert!(matches!(
        &reports(&mut scheduler)[..],
        [Report::ChildStarted { child: 1, .. }]
    ));
}

#[test]
fn a_pause_of_an_earlier_session_confirms_none_of_this_one() {
    let mut scheduler = resumed(2, 3);
    said(&mut scheduler, 0, Sign::Paused { number: 1 });
    scheduler.pause(1);
    scheduler.tick(4 * SECOND);
    assert_eq!(reports(&mut scheduler), []);
    say(&mut scheduler, 0, "0", Sign::Paused { number: 1 });
    scheduler.tick(6 * SECOND);
    assert_eq!(reports(&mut scheduler), [Report::Paused { number: 1 }]);
}

#[test]
fn slurm_is_told_how_many_tasks_of_a_batch_found_may_run() {
    let mut scheduler = resumed(4, 3);
    hear(
        &mut scheduler,
        &["RUNNING", "PENDING", "PENDING", "PENDING"],
    );
    let throttle = Action::Throttle { batch: 1, most: 4 };
    assert_eq!(scheduler.take_actions(), [throttle]);
    hear(
        &mut scheduler,
        &["RUNNING", "PENDING", "PENDING", "PENDING"],
    );
    assert_eq!(scheduler.take_actions(), [], "it is told once");
}

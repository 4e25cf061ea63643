//! Orders to Slurm that are lost, and news that is old.

use super::*;

fn cancels(actions: &[Action], index: usize) -> bool {
    actions
        .iter()
        .any(|action| matches!(action, Action::Cancel(tasks) if tasks.contains(&id(index))))
}

#[test]
fn an_answer_from_before_a_task_began_does_not_take_its_child_from_it() {
    let mut scheduler = accepted();
    let asked = scheduler.now;
    pass(&mut scheduler, 12, &[]);
    say(&mut scheduler, 0, "a", started(1));
    scheduler.take_actions();
    scheduler.answer(&listed(&["PENDING", "PENDING"]), asked);
    assert_eq!(reports(&mut scheduler), []);
    // Of the next one it is news.
    hear(&mut scheduler, &["PENDING", "PENDING"]);
    assert!(matches!(
        &reports(&mut scheduler)[..],
        [Report::Retried { child: 1, .. }]
    ));
}

#[test]
fn a_number_of_tasks_that_slurm_may_not_have_heard_is_told_again() {
    let mut scheduler = accepted();
    scheduler.set_count(1);
    let throttle = [Action::Throttle { batch: 1, most: 1 }];
    assert_eq!(scheduler.take_actions(), throttle);
    hear(&mut scheduler, &["RUNNING", "PENDING"]);
    assert_eq!(scheduler.take_actions(), []);
    scheduler.repeat_throttles();
    hear(&mut scheduler, &["RUNNING", "PENDING"]);
    assert_eq!(scheduler.take_actions(), throttle);
}

#[test]
fn tasks_that_slurm_still_holds_after_a_pause_are_released_again() {
    let mut scheduler = accepted();
    let held = |scheduler: &mut Scheduler| {
        let Answer::Tasks(mut tasks) = listed(&["RUNNING", "PENDING"]) else {
            return Vec::new();
        };
        let task = tasks.get_mut(&id(1)).unwrap();
        task.reason = "JobHeldUser".to_owned();
        let now = scheduler.now;
        scheduler.answer(&Answer::Tasks(tasks), now);
        scheduler.take_actions()
    };
    scheduler.pause(1);
    scheduler.take_actions();
    assert_eq!(held(&mut scheduler), [], "as they should be");
    scheduler.resume();
    scheduler.take_actions();
    assert_eq!(held(&mut scheduler), [Action::Release(1)]);
}

#[test]
fn a_task_that_goes_on_although_nobody_needs_it_is_cancelled_again() {
    let mut scheduler = accepted();
    say(&mut scheduler, 0, "a", started(1));
    scheduler.skip(2);
    assert!(cancels(&scheduler.take_actions(), 1));
    for (second, again) in [(30, false), (70, true), (80, false), (140, true)] {
        pass(&mut scheduler, second, &[(0, "a")]);
        hear(&mut scheduler, &["RUNNING", "RUNNING"]);
        assert_eq!(cancels(&scheduler.take_actions(), 1), again, "{second}");
    }
}

#[test]
fn a_second_attempt_of_the_task_whose_first_one_has_trained_the_child_is_cancelled() {
    for (by, is_cancelled) in [("a", true), ("b", false)] {
        let mut scheduler = accepted();
        say(&mut scheduler, 0, "a", started(1));
        say(&mut scheduler, 0, "b", started(1));
        scheduler.take_actions();
        assert!(scheduler.finished(1, by, "n1"));
        let actions = scheduler.take_actions();
        assert_eq!(cancels(&actions, 0), is_cancelled, "{by}");
    }
}

#[test]
fn a_run_directory_that_cannot_be_used_makes_no_task_silent() {
    let mut scheduler = accepted();
    say(&mut scheduler, 0, "a", started(1));
    scheduler.take_actions();
    let mut actions = Vec::new();
    for second in (10..2_000).step_by(10) {
        scheduler.hear_nothing();
        actions.extend(pass(&mut scheduler, second, &[]));
        hear(&mut scheduler, &["RUNNING", "RUNNING"]);
    }
    assert!(!cancels(&actions, 0), "{actions:?}");
    let actions = pass(&mut scheduler, 2_700, &[]);
    assert!(cancels(&actions, 0), "it is heard again, and says nothing");
}

#[test]
fn a_pause_in_which_nothing_can_be_saved_puts_no_task_back() {
    let mut scheduler = accepted();
    say(&mut scheduler, 0, "a", started(1));
    scheduler.pause(1);
    let mut actions = Vec::new();
    for second in (10..2_000).step_by(10) {
        scheduler.hear_nothing();
        actions.extend(pass(&mut scheduler, second, &[]));
    }
    let is_held = |action: &Action| matches!(action, Action::RequeueHold(_));
    assert!(!actions.iter().any(is_held));
    let actions = pass(&mut scheduler, 2_700, &[(0, "a")]);
    assert!(actions.iter().any(is_held), "ten minutes after it can");
}

#[test]
fn in_a_pause_neither_silence_nor_a_skip_that_waits_ends_a_task() {
    let mut scheduler = accepted();
    say(&mut scheduler, 0, "a", started(1));
    say(&mut scheduler, 1, "b", started(2));
    scheduler.skip(2);
    scheduler.pause(1);
    scheduler.take_actions();
    let mut actions = pass(&mut scheduler, 3_000, &[]);
    scheduler.resume();
    actions.extend(pass(&mut scheduler, 3_100, &[]));
    assert!(
        !cancels(&actions, 0) && !cancels(&actions, 1),
        "{actions:?}"
    );
    let actions = pass(&mut scheduler, 3_200, &[]);
    assert!(cancels(&actions, 1), "two grace periods after the pause");
}

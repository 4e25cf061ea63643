use super::*;
use crate::reward::{Outcome, SKIPPED};

mod limits;
mod nodes;
mod orders;
mod refusals;
mod take_over;

const SECOND: Duration = Duration::from_secs(1);

fn rules(count: usize) -> Rules {
    Rules {
        count,
        children_per_task: 1,
        grace: 60 * SECOND,
        attempts: 3,
        most_in_array: 100,
        most_tasks: 100,
    }
}

/// So many children, one per task, in batch 1, which Slurm does not know yet.
fn submitted_with(children: u64) -> Scheduler {
    let mut scheduler = Scheduler::new(rules(children as usize), 1);
    (1..=children).for_each(|child| scheduler.submit(child));
    scheduler.tick(2 * SECOND);
    let actions = scheduler.take_actions();
    assert!(
        matches!(&actions[..], [Action::Submit { batch: 1, .. }]),
        "{actions:?}"
    );
    scheduler
}

fn submitted() -> Scheduler {
    submitted_with(2)
}

/// The same, as job 4711.
fn accepted_with(children: u64) -> Scheduler {
    let mut scheduler = submitted_with(children);
    scheduler.submitted(1, Submission::Accepted("4711".to_owned()));
    assert_eq!(scheduler.take_actions(), []);
    scheduler
}

fn accepted() -> Scheduler {
    accepted_with(2)
}

fn id(index: usize) -> TaskId {
    TaskId { batch: 1, index }
}

/// The task says this, in its run of that name.
fn say(scheduler: &mut Scheduler, index: usize, attempt: &str, sign: Sign) {
    let from = Source {
        task: id(index),
        attempt,
        node: "n1",
        is_past: false,
    };
    scheduler.sign(from, sign);
}

/// The same on a node, in a run named after the task.
fn say_on(scheduler: &mut Scheduler, node: &str, index: usize, sign: Sign) {
    let from = Source {
        task: id(index),
        attempt: &index.to_string(),
        node,
        is_past: false,
    };
    scheduler.sign(from, sign);
}

fn unusable() -> Sign {
    let reason = "no GPU".to_owned();
    Sign::Unusable { reason }
}

/// Whether the run has ended by itself, and why.
fn fatal(actions: &[Action]) -> Option<&str> {
    actions.iter().find_map(|action| match action {
        Action::Report(report) => match &**report {
            Report::Fatal { message } => Some(message.as_str()),
            _ => None,
        },
        _ => None,
    })
}

fn started(child: u64) -> Sign {
    Sign::Started {
        child,
        device: "cpu".to_owned(),
    }
}

fn listed(states: &[&str]) -> Answer {
    let task = |(index, state): (usize, &&str)| {
        let found = Listed {
            job: "4711".to_owned(),
            state: (*state).to_owned(),
            reason: "None".to_owned(),
            node: if *state == "PENDING" { "" } else { "n1" }.to_owned(),
        };
        (id(index), found)
    };
    Answer::Tasks(states.iter().enumerate().map(task).collect())
}

/// Slurm is asked, and answers at once.
fn hear(scheduler: &mut Scheduler, states: &[&str]) {
    let now = scheduler.now;
    scheduler.answer(&listed(states), now);
}

/// Let the time pass in steps in which the process is not asleep, while the tasks live.
fn pass(scheduler: &mut Scheduler, until: u64, alive: &[(usize, &str)]) -> Vec<Action> {
    let mut actions = Vec::new();
    let from = scheduler.now.as_secs();
    for second in (from..=until).step_by(10) {
        for (index, attempt) in alive {
            say(scheduler, *index, attempt, Sign::Alive);
        }
        scheduler.tick(Duration::from_secs(second));
        actions.extend(scheduler.take_actions());
    }
    actions
}

fn reports(scheduler: &mut Scheduler) -> Vec<Report> {
    let told = |action| match action {
        Action::Report(report) => Some(*report),
        _ => None,
    };
    scheduler
        .take_actions()
        .into_iter()
        .filter_map(told)
        .collect()
}

#[test]
fn a_pause_holds_what_waits_and_is_reported_when_all_that_runs_stands() {
    let mut scheduler = accepted();
    say(&mut scheduler, 0, "a", started(1));
    scheduler.take_actions();
    scheduler.pause(1);
    let asked = Action::Control {
        pause: Some(1),
        skip: BTreeSet::new(),
    };
    assert_eq!(scheduler.take_actions(), [asked, Action::Hold(1)]);
    say(&mut scheduler, 0, "a", Sign::Paused { number: 1 });
    scheduler.tick(4 * SECOND);
    assert_eq!(reports(&mut scheduler), [Report::Paused { number: 1 }]);
    scheduler.resume();
    assert_eq!(scheduler.take_actions().pop(), Some(Action::Release(1)));
}

#[test]
fn a_long_pause_gives_the_nodes_of_running_tasks_back_once() {
    let mut scheduler = accepted();
    say(&mut scheduler, 0, "a", started(1));
    scheduler.pause(1);
    say(&mut scheduler, 0, "a", Sign::Paused { number: 1 });
    let actions = pass(&mut scheduler, 590, &[(0, "a")]);
    assert!(
        !actions
            .iter()
            .any(|action| matches!(action, Action::RequeueHold(_)))
    );
    let actions = pass(&mut scheduler, 1_000, &[(0, "a")]);
    let held: Vec<&Action> = (actions.iter())
        .filter(|action| matches!(action, Action::RequeueHold(_)))
        .collect();
    assert_eq!(held, [&Action::RequeueHold(vec![id(0)])]);
}

#[test]
fn a_batch_that_slurm_takes_during_a_pause_is_held_too() {
    let mut scheduler = submitted();
    scheduler.pause(1);
    scheduler.take_actions();
    scheduler.submitted(1, Submission::Accepted("4711".to_owned()));
    assert_eq!(scheduler.take_actions(), [Action::Hold(1)]);
}

#[test]
fn a_child_whose_task_waits_in_the_queue_again_is_not_shown_in_training_and_then_in_its_second_attempt()
 {
    for by_its_word in [true, false] {
        let mut scheduler = accepted();
        say(&mut scheduler, 0, "a", started(1));
        say(&mut scheduler, 1, "b", started(2));
        scheduler.take_actions();
        if by_its_word {
            say(&mut scheduler, 0, "a", Sign::Requeued);
        } else {
            hear(&mut scheduler, &["PENDING", "RUNNING"]);
        }
        let reason = "its Slurm task 4711_0 waits in the queue again".to_owned();
        assert_eq!(
            reports(&mut scheduler),
            [Report::Retried { child: 1, reason }]
        );
        hear(&mut scheduler, &["PENDING", "RUNNING"]);
        assert_eq!(reports(&mut scheduler), [], "it is told once");
        say(&mut scheduler, 0, "c", started(1));
        assert!(matches!(
            &reports(&mut scheduler)[..],
            [Report::ChildStarted {
                child: 1,
                attempt: 2,
                ..
            }]
        ));
    }
}

#[test]
fn children_of_a_batch_that_cannot_be_written_down_wait_until_it_can_be() {
    let mut scheduler = submitted();
    for batch in 1..=5 {
        scheduler.submitted(batch, Submission::NotWritten("the disk is full".to_owned()));
        let told = reports(&mut scheduler).len();
        assert_eq!(told, usize::from(batch == 1), "it is told once");
        let now = scheduler.now.as_secs();
        let soon = pass(&mut scheduler, now + 10, &[]);
        assert_eq!(soon, [], "not tried without end");
        let actions = pass(&mut scheduler, now + 20, &[]);
        let [
            Action::Submit {
                batch: next, tasks, ..
            },
        ] = &actions[..]
        else {
            panic!("{actions:?}");
        };
        assert_eq!((*next, &tasks[..]), (batch + 1, &[vec![1], vec![2]][..]));
    }
    scheduler.submitted(6, Submission::Accepted("4711".to_owned()));
    assert_eq!(
        (reports(&mut scheduler), scheduler.tasks()),
        (vec![], (2, 0))
    );
}

#[test]
fn a_skipped_child_that_waits_ends_at_once_and_one_in_training_when_its_task_has_ended_it() {
    let mut scheduler = accepted();
    say(&mut scheduler, 0, "a", started(1));
    scheduler.take_actions();
    scheduler.skip(2);
    let actions = scheduler.take_actions();
    let skipped = |action: &Action| match action {
        Action::Report(report) => matches!(
            &**report,
            Report::Finished { child: 2, outcome: Outcome::Excluded { reason }, .. } if reason == SKIPPED
        ),
        _ => false,
    };
    assert!(actions.iter().any(skipped), "{actions:?}");
    assert!(
        actions.contains(&Action::Cancel(vec![id(1)])),
        "{actions:?}"
    );
    scheduler.skip(1);
    assert_eq!(reports(&mut scheduler), [], "it is asked for its end");
    let actions = pass(&mut scheduler, 200, &[(0, "a")]);
    let cancelled = actions.contains(&Action::Cancel(vec![id(0)]));
    assert!(
        cancelled,
        "it has not ended it in two grace periods: {actions:?}"
    );
}

#[test]
fn a_running_task_that_is_silent_for_long_is_cancelled_but_not_one_that_slurm_has_suspended() {
    for (state, is_cancelled) in [("RUNNING", true), ("SUSPENDED", false)] {
        let mut scheduler = accepted();
        say(&mut scheduler, 0, "a", started(1));
        let mut actions = Vec::new();
        for minute in 0..15 {
            actions.extend(pass(&mut scheduler, 60 * minute, &[(1, "b")]));
            hear(&mut scheduler, &[state, "RUNNING"]);
        }
        let cancel = Action::Cancel(vec![id(0)]);
        assert_eq!(actions.contains(&cancel), is_cancelled, "{state}");
    }
}

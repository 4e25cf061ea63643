//! Nodes on which tasks fail.

use super::*;

/// What is said of the nodes to avoid.
fn avoided(actions: &[Action]) -> Vec<&[String]> {
    let avoids = actions.iter().filter_map(|action| match action {
        Action::Avoid { batch: 1, nodes } => Some(nodes.as_slice()),
        _ => None,
    });
    avoids.collect()
}

#[test]
fn one_bad_node_does_not_end_the_run_and_is_avoided_also_by_tasks_that_wait_already() {
    let mut scheduler = accepted_with(10);
    say_on(&mut scheduler, "good", 9, Sign::Alive);
    let mut actions = Vec::new();
    for index in 0..8 {
        say_on(&mut scheduler, "bad", index, unusable());
        actions.extend(scheduler.take_actions());
    }
    assert_eq!(fatal(&actions), None);
    assert_eq!(avoided(&actions)[0], ["bad"]);
    let actions = pass(&mut scheduler, 20, &[]);
    let [Action::Submit { tasks, avoid, .. }] = &actions[..] else {
        panic!("{actions:?}");
    };
    assert_eq!((tasks.len(), &avoid[..]), (8, &["bad".to_owned()][..]));
}

#[test]
fn if_nothing_can_be_trained_on_five_nodes_the_run_ends_unless_another_task_has_begun() {
    for other in [None, Some(Sign::Alive), Some(started(10))] {
        let mut scheduler = accepted_with(10);
        let is_general = other.is_none();
        if let Some(sign) = other {
            say_on(&mut scheduler, "good", 9, sign);
        }
        let mut actions = Vec::new();
        for index in 0..5 {
            assert_eq!(fatal(&actions), None);
            say_on(&mut scheduler, &format!("n{index}"), index, unusable());
            actions.extend(scheduler.take_actions());
        }
        assert_eq!(fatal(&actions).is_some(), is_general, "{actions:?}");
    }
}

#[test]
fn no_child_is_excluded_for_nodes_on_which_nothing_can_be_trained() {
    let mut scheduler = accepted_with(10);
    say_on(&mut scheduler, "slow", 9, Sign::Alive);
    for index in 0..5 {
        if index == 4 {
            scheduler.rules.attempts = 1;
        }
        say_on(&mut scheduler, &format!("n{index}"), index, unusable());
    }
    let actions = scheduler.take_actions();
    assert!(fatal(&actions).is_some(), "{actions:?}");
    let excludes = |action: &Action| match action {
        Action::Report(report) => matches!(**report, Report::Finished { .. }),
        _ => false,
    };
    assert!(!actions.iter().any(excludes), "{actions:?}");
}

#[test]
fn a_node_that_a_result_comes_from_is_not_avoided_any_more() {
    let mut scheduler = accepted_with(10);
    say_on(&mut scheduler, "good", 9, Sign::Alive);
    say_on(&mut scheduler, "bad", 0, started(1));
    (1..3).for_each(|index| say_on(&mut scheduler, "bad", index, unusable()));
    scheduler.take_actions();
    assert!(scheduler.finished(1, "0", "bad"));
    assert_eq!(avoided(&scheduler.take_actions()), [&[] as &[String]]);
}

#[test]
fn never_more_than_half_of_the_nodes_heard_of_are_avoided_and_of_one_only_by_new_arrays() {
    let mut scheduler = accepted_with(10);
    (0..2).for_each(|index| say_on(&mut scheduler, "n0", index, unusable()));
    assert_eq!(scheduler.avoided(), ["n0"]);
    assert!(avoided(&scheduler.take_actions()).is_empty());
    (2..4).for_each(|index| say_on(&mut scheduler, "n1", index, unusable()));
    (4..7).for_each(|index| say_on(&mut scheduler, "n2", index, unusable()));
    say_on(&mut scheduler, "n3", 9, Sign::Alive);
    assert_eq!(scheduler.avoided(), ["n2", "n0"]);
}

#[test]
fn if_slurm_has_no_nodes_left_none_is_avoided() {
    let mut scheduler = accepted_with(4);
    (0..2).for_each(|index| say_on(&mut scheduler, "n0", index, unusable()));
    let actions = pass(&mut scheduler, 20, &[]);
    assert!(
        actions.iter().any(
            |action| matches!(action, Action::Submit { batch: 2, avoid, .. } if avoid.len() == 1)
        ),
        "{actions:?}"
    );
    let refusal = "Requested node configuration is not available";
    scheduler.submitted(2, Submission::Refused(refusal.to_owned()));
    let actions = pass(&mut scheduler, 40, &[]);
    assert!(
        actions.iter().any(|action| matches!(action, Action::Submit { batch: 3, avoid, tasks, .. } if avoid.is_empty() && tasks.len() == 2)),
        "{actions:?}"
    );
}

#[test]
fn a_node_on_which_the_program_cannot_begin_is_avoided_and_the_output_is_named() {
    let mut scheduler = accepted_with(3);
    say_on(&mut scheduler, "good", 2, Sign::Alive);
    let states = ["FAILED", "FAILED", "RUNNING"];
    hear(&mut scheduler, &states);
    let mut actions = pass(&mut scheduler, 60, &[(2, "2")]);
    hear(&mut scheduler, &states);
    actions.extend(pass(&mut scheduler, 70, &[(2, "2")]));
    hear(&mut scheduler, &states);
    actions.extend(scheduler.take_actions());
    assert_eq!(avoided(&actions)[0], ["n1"], "{actions:?}");
    let names_output = |action: &Action| match action {
        Action::Report(report) => matches!(
            &**report,
            Report::Retried { child: 1, reason } if reason.contains("4711_0 on n1 ended (FAILED)")
                && reason.contains("slurm/batches/1/task-0.out")
        ),
        _ => false,
    };
    assert!(actions.iter().any(names_output), "{actions:?}");
}

#[test]
fn a_node_is_tried_again_after_an_hour_and_avoided_again_after_one_more_failure() {
    let mut scheduler = accepted_with(4);
    (0..2).for_each(|index| say_on(&mut scheduler, "n0", index, unusable()));
    pass(&mut scheduler, 3_500, &[]);
    assert_eq!(scheduler.avoided(), ["n0"]);
    pass(&mut scheduler, 3_700, &[]);
    assert!(scheduler.avoided().is_empty());
    say_on(&mut scheduler, "n0", 2, unusable());
    assert_eq!(scheduler.avoided(), ["n0"]);
}

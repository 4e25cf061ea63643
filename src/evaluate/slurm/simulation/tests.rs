use super::*;

#[test]
fn a_thousand_tasks_train_every_child_once() {
    let count = Simulation::new(NONE, 1_000, 1).run(2_500, 1_000);
    check(&count, 2_500, 1_000);
    assert_eq!((count.retried, count.excluded), (0, 0));
}

#[test]
fn a_thousand_tasks_on_nodes_that_die_with_answers_that_are_lost_train_every_child_once() {
    let faults = Faults {
        node: 10,
        daemon: 10,
        forgotten: 300,
        silence: 300,
        doubt: 100,
        ..NONE
    };
    let count = Simulation::new(faults, 1_000, 1).run(2_500, 1_000);
    check(&count, 2_500, 1_000);
    assert!(count.retried > 100, "{count:?}");
}

#[test]
fn an_engine_that_is_killed_every_few_minutes_takes_over_what_it_finds() {
    let faults = Faults {
        node: 5,
        daemon: 5,
        forgotten: 300,
        silence: 200,
        doubt: 100,
        ..NONE
    };
    let mut simulation = Simulation::new(faults, 1_000, 1);
    simulation.kill_every = 203;
    let count = simulation.run(2_500, 1_000);
    check(&count, 2_500, 1_000);
}

#[test]
fn an_episode_of_many_short_children_goes_in_few_arrays() {
    let mut simulation = Simulation::new(NONE, 1_000, 4);
    simulation.cluster.training = (20, 40);
    let count = simulation.run(8_000, 8_000);
    check(&count, 8_000, 1_000);
    assert!(
        count.submissions <= 8,
        "{} arrays for 2,000 tasks",
        count.submissions
    );
}

#[test]
fn a_user_who_may_have_fewer_tasks_than_an_episode_has_children_trains_them_all() {
    let mut simulation = Simulation::new(NONE, 200, 1);
    simulation.cluster.limit = 150;
    let count = simulation.run(600, 600);
    check(&count, 600, 150);
    assert_eq!((count.retried, count.excluded), (0, 0));
}

#[test]
fn a_run_has_all_tasks_that_the_cluster_leaves_it_and_never_more() {
    // As with MaxJobCount = 120, and settings that would run 200 at a time.
    let mut simulation = Simulation::new(NONE, 200, 1);
    simulation.rules.most_tasks = 60;
    simulation.scheduler = Scheduler::new(simulation.rules.clone(), 1);
    let count = simulation.run(300, 300);
    check(&count, 300, 60);
    assert_eq!((count.most_tasks, count.most_running), (60, 60));
    assert_eq!((count.retried, count.excluded), (0, 0));
}

#[test]
fn bad_nodes_that_take_the_next_task_at_once_cost_no_child_and_end_no_run() {
    let mut simulation = Simulation::new(NONE, 200, 1);
    simulation.cluster.bad = (0..4).map(|node| format!("bad{node}")).collect();
    let count = simulation.run(600, 200);
    check(&count, 600, 200);
    assert_eq!(count.excluded, 0);
    assert!(count.retried > 0, "{count:?}");
}

#[test]
fn a_controller_that_hardly_takes_jobs_costs_no_child_and_ends_no_run() {
    let faults = Faults { doubt: 800, ..NONE };
    let count = Simulation::new(faults, 200, 1).run(600, 200);
    check(&count, 600, 200);
    assert_eq!((count.retried, count.excluded), (0, 0));
}

#[test]
fn a_long_pause_gives_the_nodes_back_and_everything_goes_on_after_it_also_if_orders_are_not_heard()
{
    for unheard in [0, 300] {
        let mut simulation = Simulation::new(Faults { unheard, ..NONE }, 200, 1);
        simulation.pause = Some((400, 1_600));
        let count = simulation.run(400, 200);
        check(&count, 400, 200);
        assert_eq!(count.excluded, 0);
        assert!(count.held > 0 || unheard > 0, "{count:?}");
    }
}

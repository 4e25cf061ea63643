//! Children are saved: from time to time, before the end of the task, and in users' pauses.

use super::*;

/// The epoch in which child 1 goes on, by the word of its task.
fn goes_on(task: &Task) -> usize {
    let start = "child 1 goes on where it was saved: epoch ";
    until("word of a checkpoint", || {
        let signs = task.signs();
        let mut messages = signs.iter().filter_map(|sign| sign["message"].as_str());
        let place = messages.find_map(|message| message.strip_prefix(start))?;
        place.split(',').next()?.parse().ok()
    })
}

#[test]
fn a_task_that_has_saved_twice_saves_again_when_it_is_warned_and_its_child_goes_on_from_there() {
    let run = Run::new(&[job(1)], json!({}));
    let mut first = run.start(&["--save-every", "1"]);
    let mut saved = None;
    for _ in 0..2 {
        saved = until("checkpoint", || {
            let now = run.saved()?;
            (Some(now) != saved).then_some(Some(now))
        });
    }
    let said = first.epochs().last().map_or(0, |(epoch, _)| *epoch);
    let warned = first.epoch_after(said);
    first.signal(Signal::USR1);
    assert!(first.end().success());
    let requeues = fs::read_to_string(run.path("batches/1/requeues-0")).unwrap();
    assert_eq!(requeues.lines().count(), 1);

    let mut second = run.start(&[]);
    let place = goes_on(&second);
    assert!(
        place > warned,
        "warned after epoch {warned}, it goes on in epoch {place}"
    );
    second.epoch_after(place);
    run.ask(None, &[1]);
    assert!(second.end().success());
    let epochs = second.epochs();
    let accuracies: Vec<f64> = epochs.iter().map(|(_, [accuracy, ..])| *accuracy).collect();
    let result = run.result(1).unwrap();
    assert_eq!(result["outcome"]["valid_accuracies"], json!(accuracies));
    assert_eq!(result["skipped"], true, "no one takes it for a whole one");
    assert_eq!(epochs, run.undisturbed(epochs.len()), "bit for bit");
}

/// Wait until the task has confirmed so many pauses, and check that it stands still then.
fn assert_stands_still(task: &Task, pauses: usize) {
    until("pause", || (task.count("paused") == pauses).then_some(()));
    let epochs = task.epochs().len();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(task.epochs().len(), epochs, "it stands still");
}

#[test]
fn a_pause_with_the_number_of_an_earlier_one_is_confirmed_once_the_child_is_saved_again() {
    let run = Run::new(&[job(1)], json!({}));
    let task = run.start(&[]);
    task.epoch_after(0);
    for pauses in 1..=3 {
        let before = run.saved();
        run.ask(Some(1), &[]);
        until("pause", || (task.count("paused") == pauses).then_some(()));
        assert_ne!(run.saved(), before, "it is saved before it says so");
        assert_stands_still(&task, pauses);
        // The task must have seen the end of this pause before the next one is asked for.
        let epochs = task.epochs().len();
        run.ask(None, &[]);
        task.epoch_after(epochs);
    }
}

#[test]
fn a_pause_goes_on_while_the_file_that_asks_for_it_cannot_be_read() {
    let run = Run::new(&[job(1)], json!({}));
    let task = run.start(&[]);
    let epoch = task.epoch_after(0);
    run.ask(Some(1), &[]);
    assert_stands_still(&task, 1);
    let epochs = task.epochs().len();
    fs::write(run.path("control.json"), "{").unwrap();
    // Longer than the time between two looks.
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(task.epochs().len(), epochs, "the pause goes on");
    run.ask(None, &[]);
    task.epoch_after(epoch.max(epochs));
}

#[test]
fn a_task_whose_time_limit_comes_once_more_than_it_may_be_started_again_leaves_its_saved_child_to_another()
 {
    let run = Run::new(&[job(1)], json!({"requeues": 1}));
    for limit in 1..=2 {
        let mut task = run.start(&[]);
        let from = if limit == 1 { 0 } else { goes_on(&task) };
        task.epoch_after(from);
        task.signal(Signal::USR1);
        let may_go_on = limit == 1;
        assert_eq!(task.end().success(), may_go_on, "time limit {limit}");
        let said = (task.count("requeued"), task.count("ended"));
        assert_eq!(said, if may_go_on { (1, 0) } else { (0, 1) });
        if !may_go_on {
            let last = task.signs().pop().unwrap();
            let reason = "its time limit came before its children were trained, 2 times";
            assert_eq!(last["reason"], reason);
        }
    }
    let asked = fs::read_to_string(run.path("bin/scontrol.calls")).unwrap();
    assert_eq!(asked, "requeue 4711_0\n", "once, as allowed");
    assert_eq!(run.result(1), None, "that is no result");
    assert!(run.saved().is_some(), "another task goes on with it");
}

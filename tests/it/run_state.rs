//! What must be true of a run's state whatever events arrive.

use jiff::Timestamp;
use nas_tui::event::{ChildFinished, Event, FinishReason, Level, Record};
use nas_tui::space::Dna;
use nas_tui::state::{LogLine, RunState, RunStatus};
use proptest::prelude::*;

fn finished(child: u64, accuracy: f64) -> Event {
    Event::ChildFinished(ChildFinished {
        child,
        episode: 1,
        dna: Dna::default(),
        accuracy,
        reward: accuracy.powi(3),
        params: 1,
        macs: 1,
        seconds: 1.0,
        repeat_of: None,
        mean: None,
        valid_accuracies: vec![accuracy],
        skipped: false,
        stopped_early: false,
        control: false,
        energy_wh: None,
        test_accuracy: None,
    })
}

fn apply(state: &mut RunState, second: i64, event: Event) {
    let time = Timestamp::from_second(1_800_000_000 + second).expect("a time of this century");
    state.apply(&Record {
        v: 1,
        seq: Some(state.last_seq + 1),
        time,
        event,
    });
}

fn notice() -> Event {
    Event::Notice {
        level: Level::Info,
        message: "still here".to_owned(),
    }
}

fn resumed() -> Event {
    Event::RunResumed {
        host: "h".to_owned(),
        pid: 1,
        version: "1".to_owned(),
        next_child: Some(1),
        epoch: None,
        micro_batch: None,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a time of this century")
}

#[test]
fn time_in_pauses_is_not_working_time() {
    let mut state = RunState::default();
    apply(&mut state, 0, notice());
    apply(&mut state, 10, Event::PauseRequested);
    apply(&mut state, 11, Event::Paused);
    assert_eq!(state.clock.seconds_until(at(500)), 11.0);
    apply(&mut state, 111, Event::Resumed);
    assert_eq!(state.clock.seconds_until(at(121)), 21.0);
}

#[test]
fn time_between_a_killed_process_and_the_next_is_not_working_time() {
    let mut state = RunState::default();
    apply(&mut state, 0, notice());
    apply(&mut state, 60, notice());
    apply(&mut state, 10_060, resumed());
    assert_eq!(state.clock.seconds_until(at(10_070)), 70.0);
}

#[test]
fn a_run_stopped_while_paused_counts_time_again_once_it_is_resumed() {
    let mut state = RunState::default();
    apply(&mut state, 0, notice());
    apply(&mut state, 10, Event::Paused);
    apply(
        &mut state,
        20,
        Event::RunFinished {
            reason: FinishReason::Stopped,
            children: 0,
            epochs: None,
            wall_seconds: 1.0,
        },
    );
    apply(&mut state, 50, resumed());
    assert_eq!(state.status, RunStatus::Running);
    assert_eq!(state.clock.seconds_until(at(55)), 15.0);
}

proptest! {
    #[test]
    fn the_best_child_does_not_depend_on_the_order_in_which_workers_finish(
        accuracies in proptest::collection::vec(0u32..20, 1..30), seed in any::<u64>(),
    ) {
        let mut children: Vec<(u64, f64)> = (1..).zip(accuracies.iter().map(|a| f64::from(*a) / 20.0)).collect();
        let best = |children: &[(u64, f64)]| {
            let mut state = RunState::default();
            children.iter().for_each(|(child, accuracy)| apply(&mut state, *child as i64, finished(*child, *accuracy)));
            prop_assert_eq!(state.search().children.len(), children.len());
            Ok(state.search().outcomes.best.as_ref().map(|best| (best.child, best.accuracy)))
        };
        let in_order = best(&children)?;
        children.sort_by_key(|(child, _)| child.wrapping_mul(seed | 1) % 1_009);
        prop_assert_eq!(best(&children)?, in_order);
    }

    #[test]
    fn working_time_never_shrinks_as_the_clock_advances(steps in proptest::collection::vec((0i64..100, 0usize..4), 1..40)) {
        let mut state = RunState::default();
        let (mut now, mut before) = (0, 0.0);
        for (seconds, event) in steps {
            now += seconds;
            let event = [notice(), Event::Paused, Event::Resumed, resumed()][event].clone();
            let killed = matches!(event, Event::RunResumed { .. });
            // A process that was killed did not work until its successor began: its time ends with
            // its last event.
            if killed {
                before = state.now.map_or(before, |last| state.clock.seconds_until(last));
            }
            apply(&mut state, now, event);
            let worked = state.clock.seconds_until(at(now));
            prop_assert!(worked >= before && worked <= now as f64, "{worked:?} after {before:?} at {now}");
            before = worked;
        }
    }

    #[test]
    fn the_log_keeps_the_newest_lines_and_counts_the_others(lines in 0usize..4_500) {
        let mut state = RunState::default();
        (0..lines).for_each(|_| apply(&mut state, 0, notice()));
        prop_assert!(state.log.len() <= 2_000);
        prop_assert_eq!(state.log.len() as u64 + state.log_dropped, lines as u64);
    }
}

#[test]
fn what_the_reader_of_a_journal_says_is_in_the_log_and_no_work_of_the_run() {
    let mut state = RunState::default();
    apply(&mut state, 0, resumed());
    apply(&mut state, 8, notice());
    state.apply(&Record {
        v: 1,
        seq: None,
        time: at(9_000),
        event: notice(),
    });
    assert_eq!(state.log.back().map(|line| line.time), Some(at(9_000)));
    assert_eq!(state.now, Some(at(8)));
    assert_eq!(state.clock.seconds(), 8.0);
}

#[test]
fn a_run_is_blocked_from_the_tick_that_says_so_to_the_next_record() {
    let mut state = RunState::default();
    let say = |state: &mut RunState, seq: Option<u64>, event: Event| {
        state.apply(&Record {
            v: 1,
            seq,
            time: at(0),
            event,
        });
    };
    let blocked = |after| Event::StorageBlocked {
        after,
        reason: "No space left".to_owned(),
    };
    say(&mut state, Some(1), resumed());
    say(&mut state, None, blocked(1));
    say(&mut state, None, blocked(1));
    assert_eq!(state.status_now(), RunStatus::Blocked);
    let lines = |state: &RunState| {
        let told = |line: &&LogLine| line.contains("No space left");
        state.log.iter().filter(told).count()
    };
    assert_eq!(lines(&state), 1, "repeated ticks are one line");
    say(&mut state, Some(2), notice());
    assert_eq!(state.status_now(), RunStatus::Running);
    say(&mut state, None, blocked(1));
    assert_eq!(state.status_now(), RunStatus::Running, "a late tick");
}

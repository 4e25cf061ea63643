//! Tests of the player: its pace, its commands and where it begins.

use super::*;

/// A run of notices with these times in milliseconds.
fn run(times: &[i64]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let line = |(index, time): (usize, &i64)| {
        let time = jiff::Timestamp::from_millisecond(1_795_515_300_000 + time).unwrap();
        let event = Event::Notice {
            level: Level::Info,
            message: String::new(),
        };
        serde_json::to_string(&Record {
            v: 1,
            seq: Some(index as u64 + 1),
            time,
            event,
        })
        .unwrap()
            + "\n"
    };
    std::fs::write(
        folder.path().join("journal.jsonl"),
        times.iter().enumerate().map(line).collect::<String>(),
    )
    .unwrap();
    folder
}

fn record(second: i64, event: Event) -> Record {
    Record {
        v: 1,
        seq: Some(1),
        time: jiff::Timestamp::from_second(second).unwrap(),
        event,
    }
}

/// The time that a replay takes to its record number 3, from before it begins: its own clock runs as soon
/// as it has.
fn time_of_three(run: &Path, pace: Pace, speed: f64) -> Duration {
    let begin = Instant::now();
    take(&mut replay(run, pace, speed, 0.0).unwrap(), 3);
    begin.elapsed()
}

/// Take this many records and return the time it took.
fn take(connection: &mut Connection, count: usize) -> Duration {
    let begin = Instant::now();
    (0..count).for_each(|_| drop(connection.records.blocking_recv().expect("a record")));
    begin.elapsed()
}

#[test]
fn records_follow_at_their_recorded_intervals_divided_by_the_speed() {
    let run = run(&[0, 100, 400]);
    let slow = time_of_three(run.path(), Pace::Recorded, 2.0);
    assert!(slow >= Duration::from_millis(200), "{slow:?}");
    let fast = time_of_three(run.path(), Pace::Recorded, 1_000.0);
    assert!(fast < slow, "{fast:?}");
}

#[test]
fn a_replay_can_begin_in_the_middle_of_the_run() {
    let mut connection = replay_sample(Pace::Recorded, 1e9, 0.5).unwrap();
    let state = connection.state.take().unwrap();
    assert_eq!(state.search().outcomes.counts.sampled, 80);
    let next = connection.records.blocking_recv().unwrap();
    assert_eq!(next.seq, Some(state.last_seq + 1));
}

#[test]
fn standstills_are_shortened_and_a_clock_set_back_does_no_harm() {
    let seconds = |last: Event, next: Event, time| {
        gap(Pace::Recorded, &record(0, last), &record(time, next)).as_secs_f64()
    };
    assert_eq!(seconds(Event::PauseRequested, Event::Paused, 60), 60.0);
    assert_eq!(seconds(Event::Paused, Event::Resumed, 3_600), 2.0);
    assert_eq!(seconds(Event::Paused, Event::StopRequested, 1), 1.0);
    let resumed = Event::RunResumed {
        host: String::new(),
        pid: 1,
        version: String::new(),
        next_child: Some(1),
        epoch: None,
        micro_batch: None,
    };
    assert_eq!(seconds(Event::StopRequested, resumed, 86_400), 2.0);
    let text = "#keep".to_owned();
    let note = Event::ChildNoted { child: 3, text };
    assert_eq!(seconds(note.clone(), note, 86_400), 2.0);
    assert_eq!(
        seconds(Event::PauseRequested, Event::StopRequested, -5),
        0.0
    );
}

#[test]
fn a_rate_ignores_the_recorded_times() {
    let run = run(&[0, 3_600_000, 7_200_000]);
    let took = time_of_three(run.path(), Pace::Rate(100.0), 1.0);
    assert!(
        took >= Duration::from_millis(20) && took < Duration::from_secs(10),
        "{took:?}"
    );
}

#[test]
fn a_pause_holds_the_records_and_the_speed_can_be_changed() {
    let run = run(&[0, 1_000_000, 1_000_001]);
    let mut connection = replay(run.path(), Pace::Recorded, 1.0, 0.0).unwrap();
    take(&mut connection, 1);
    connection.commands.send(Command::Pause).unwrap();
    connection
        .commands
        .send(Command::Speed { factor: 1e9 })
        .unwrap();
    let begin = Instant::now();
    while *connection.status.borrow()
        != (LinkStatus::Replay {
            speed: FASTEST,
            paused: true,
            ended: false,
        })
    {
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "{:?}",
            connection.status.borrow()
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_millis(50));
    assert!(connection.records.try_recv().is_err());
    connection.commands.send(Command::Stop).unwrap();
    connection.commands.send(Command::Resume).unwrap();
    assert!(take(&mut connection, 2) < Duration::from_secs(10));
    while !matches!(
        *connection.status.borrow(),
        LinkStatus::Replay { ended: true, .. }
    ) {
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "{:?}",
            connection.status.borrow()
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(!connection.records.is_closed(), "it stays at its end");
}

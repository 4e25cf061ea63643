//! Replays a journal: its records at their recorded pace, or faster, through the same kind of
//! connection as a live run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::watch;

use super::error::AttachError;
use super::orders::{self, Orders};
use super::recording::Recording;
use super::{Command, Connection, LinkStatus};
use crate::event::{Event, Level, Record, VERSION};
use crate::foundation::thread::spawn;
use crate::journal::{JournalError, Reader};
use crate::runs::journal_of;

/// Number of records buffered for the client: few, so that a pause takes effect at once.
const CAPACITY: usize = 64;
/// Maximum time for which a standstill of the run (a pause, the time between two sessions) is
/// replayed.
const LONGEST_STANDSTILL: Duration = Duration::from_secs(2);
/// Lowest speed.
const SLOWEST: f64 = 0.01;
const FASTEST: f64 = 100_000.0;

/// The pace of the records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// According to their times.
    Recorded,
    /// This many records per second, whatever their times.
    Rate(f64),
}

/// Replay the run in the directory `run`, `speed` times as fast as `pace`. `Pause`, `Resume` and
/// `Speed` control it; other commands are ignored. At its end the connection lasts until it is
/// dropped.
///
/// # Errors
/// [`AttachError`]: the folder contains no run, the journal cannot be read, or no thread can be
/// started.
pub fn replay(run: &Path, pace: Pace, speed: f64) -> Result<Connection, AttachError> {
    start(run.to_owned(), journal_of(run)?, None, pace, speed)
}

/// Replay the search that is recorded in this program, in the same way.
///
/// # Errors
/// [`AttachError`]: there is no memory for its journal, or no thread can be started.
pub fn replay_sample(pace: Pace, speed: f64) -> Result<Connection, AttachError> {
    let recording = Recording::unpack()?;
    let journal = recording.journal();
    start("sample".into(), journal, Some(recording), pace, speed)
}

/// Replay this journal. A `recording` is kept as long as the client may read it.
fn start(
    run: PathBuf,
    journal: PathBuf,
    recording: Option<Recording>,
    pace: Pace,
    speed: f64,
) -> Result<Connection, AttachError> {
    let at_journal = JournalError::at(&journal);
    let reader = Reader::open(&journal)?;
    let (sender, records) = channel(CAPACITY);
    let (commands, inbox) = orders::queue();
    let speed = within_range(speed);
    let (status, watched) = watch::channel(LinkStatus::Replay {
        speed,
        paused: false,
        ended: false,
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(&at_journal)?;
    let player = Player {
        pace,
        speed,
        paused: false,
        ended: false,
        sender,
        inbox,
        status,
        runtime,
    };
    let play = move || {
        player.play(reader);
        drop(recording);
    };
    spawn("nas-player", play).map_err(at_journal)?;
    Ok(Connection {
        state: None,
        records,
        commands,
        status: watched,
        run,
        journal,
    })
}

fn within_range(speed: f64) -> f64 {
    if speed.is_finite() {
        speed.clamp(SLOWEST, FASTEST)
    } else {
        1.0
    }
}

struct Player {
    pace: Pace,
    speed: f64,
    paused: bool,
    ended: bool,
    sender: Sender<Arc<Record>>,
    inbox: Orders,
    status: watch::Sender<LinkStatus>,
    runtime: Runtime,
}

/// The client has gone.
struct Gone;

impl Player {
    fn play(mut self, mut reader: Reader) {
        let mut last: Option<Arc<Record>> = None;
        loop {
            let record = match reader.next().transpose() {
                Ok(Some(record)) => record,
                Ok(None) => break,
                Err(error) => {
                    let event = Event::Notice {
                        level: Level::Error,
                        message: error.to_string(),
                    };
                    Record {
                        v: VERSION,
                        seq: None,
                        time: jiff::Timestamp::now(),
                        event,
                    }
                }
            };
            let damaged = record.seq.is_none();
            let wait = last
                .as_ref()
                .map_or(Duration::ZERO, |last| gap(self.pace, last, &record));
            let record = Arc::new(record);
            last = Some(record.clone());
            if self.wait(wait).is_err() || self.send(record).is_err() {
                return;
            }
            if damaged {
                break;
            }
        }
        self.rest();
    }

    /// Let `recorded` time pass at the current speed, obeying commands meanwhile.
    fn wait(&mut self, recorded: Duration) -> Result<(), Gone> {
        let mut left = recorded;
        loop {
            while let Some(order) = self.inbox.poll() {
                self.obey(&order.command);
            }
            if self.sender.is_closed() {
                return Err(Gone);
            }
            if !self.paused && left.is_zero() {
                return Ok(());
            }
            let begin = Instant::now();
            let pause = if self.paused {
                Duration::MAX
            } else {
                left.div_f64(self.speed)
            };
            let speed = self.speed;
            let command = self.hear(pause)?;
            if !self.paused {
                left = if command.is_some() {
                    left.saturating_sub(begin.elapsed().mul_f64(speed))
                } else {
                    Duration::ZERO
                };
            }
            if let Some(command) = command {
                self.obey(&command);
            }
        }
    }

    /// The next command within `time`.
    fn hear(&mut self, time: Duration) -> Result<Option<Command>, Gone> {
        let Player { runtime, inbox, .. } = self;
        match runtime.block_on(async { tokio::time::timeout(time, inbox.next()).await }) {
            Ok(Some(order)) => Ok(Some(order.command)),
            Ok(None) => Err(Gone),
            Err(_) => Ok(None),
        }
    }

    fn send(&mut self, record: Arc<Record>) -> Result<(), Gone> {
        match self.sender.try_send(record) {
            Ok(()) => Ok(()),
            // The screen is behind: its commands have to wait as well.
            Err(TrySendError::Full(record)) => self.sender.blocking_send(record).map_err(|_| Gone),
            Err(TrySendError::Closed(_)) => Err(Gone),
        }
    }

    fn obey(&mut self, command: &Command) {
        match command {
            Command::Pause => self.paused = true,
            Command::Resume => self.paused = false,
            Command::Speed { factor } => self.speed = within_range(*factor),
            _ => return,
        }
        self.tell();
    }

    fn tell(&self) {
        self.status.send_replace(LinkStatus::Replay {
            speed: self.speed,
            paused: self.paused,
            ended: self.ended,
        });
    }

    /// Stay after the last record, until the client goes.
    fn rest(&mut self) {
        self.ended = true;
        self.tell();
        while let Some(order) = self.runtime.block_on(self.inbox.next()) {
            self.obey(&order.command);
        }
    }
}

/// Time to wait after `last` before playing `next`, at speed 1.
fn gap(pace: Pace, last: &Record, next: &Record) -> Duration {
    if let Pace::Rate(rate) = pace {
        return Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::ZERO);
    }
    let time = Duration::try_from(next.time.duration_since(last.time)).unwrap_or(Duration::ZERO);
    // A note can be written days after everything else.
    let stood_still = matches!(last.event, Event::Paused | Event::RunFinished { .. })
        || matches!(
            next.event,
            Event::Resumed | Event::RunResumed { .. } | Event::ChildNoted { .. }
        );
    if stood_still {
        time.min(LONGEST_STANDSTILL)
    } else {
        time
    }
}

#[cfg(test)]
mod tests {
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

    /// Take this many records and return the time it took.
    fn take(connection: &mut Connection, count: usize) -> Duration {
        let begin = Instant::now();
        (0..count).for_each(|_| drop(connection.records.blocking_recv().expect("a record")));
        begin.elapsed()
    }

    #[test]
    fn records_follow_at_their_recorded_intervals_divided_by_the_speed() {
        let run = run(&[0, 100, 400]);
        let slow = take(&mut replay(run.path(), Pace::Recorded, 2.0).unwrap(), 3);
        assert!(slow >= Duration::from_millis(200), "{slow:?}");
        let fast = take(&mut replay(run.path(), Pace::Recorded, 1_000.0).unwrap(), 3);
        assert!(fast < slow, "{fast:?}");
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
        let took = take(&mut replay(run.path(), Pace::Rate(100.0), 1.0).unwrap(), 3);
        assert!(
            took >= Duration::from_millis(20) && took < Duration::from_secs(10),
            "{took:?}"
        );
    }

    #[test]
    fn a_pause_holds_the_records_and_the_speed_can_be_changed() {
        let run = run(&[0, 1_000_000, 1_000_001]);
        let mut connection = replay(run.path(), Pace::Recorded, 1.0).unwrap();
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
}

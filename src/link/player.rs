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
use crate::state::RunState;

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

/// Replay the run in the directory `run`, `speed` times as fast as `pace`, beginning when a fraction
/// `from` of it is over. `Pause`, `Resume` and `Speed` control it; other commands are ignored. At its
/// end the connection lasts until it is dropped.
///
/// # Errors
/// [`AttachError`]: the folder contains no run, the journal cannot be read, or no thread can be
/// started.
pub fn replay(run: &Path, pace: Pace, speed: f64, from: f64) -> Result<Connection, AttachError> {
    let journal = journal_of(run)?;
    start((run.to_owned(), journal), None, (pace, speed), from)
}

/// Replay the search that is recorded in this program, in the same way.
///
/// # Errors
/// [`AttachError`]: there is no memory for its journal, or no thread can be started.
pub fn replay_sample(pace: Pace, speed: f64, from: f64) -> Result<Connection, AttachError> {
    let recording = Recording::unpack()?;
    let journal = recording.journal();
    start(
        ("sample".into(), journal),
        Some(recording),
        (pace, speed),
        from,
    )
}

/// Replay this run with this journal. A `recording` is kept as long as the client may read it.
fn start(
    (run, journal): (PathBuf, PathBuf),
    recording: Option<Recording>,
    (pace, speed): (Pace, f64),
    from: f64,
) -> Result<Connection, AttachError> {
    let at_journal = JournalError::at(&journal);
    let mut reader = Reader::open(&journal)?;
    let state = match from > 0.0 {
        true => Some(Box::new(state_at(&mut reader, from)?)),
        false => None,
    };
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
        state,
        records,
        commands,
        status: watched,
        run,
        journal,
    })
}

/// Read the journal until this fraction of the run is over.
fn state_at(reader: &mut Reader, fraction: f64) -> Result<RunState, JournalError> {
    let mut state = RunState::default();
    while state.fraction_done().unwrap_or(0.0) < fraction {
        match reader.next().transpose()? {
            Some(record) => state.apply(&record),
            None => break,
        }
    }
    Ok(state)
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
mod tests;

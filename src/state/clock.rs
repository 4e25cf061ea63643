//! A run's working time: the time spanned by its records, without pauses and without the gaps
//! between its sessions.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::event::{Event, Record};

/// Working time so far. A session is one process: it starts with `run_started` or `run_resumed`.
/// The clock stops from `paused` to `resumed`, after `run_finished`, and from a session's last
/// record (a killed one writes no `run_finished`) to the next session's first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Clock {
    worked: SignedDuration,
    last: Option<Timestamp>,
    stands: bool,
    /// Whether the last session has not recorded its end.
    is_open: bool,
    /// Whether an earlier one has not.
    is_cut_off: bool,
}

impl Clock {
    /// Process the next record of the run.
    pub fn apply(&mut self, record: &Record) {
        // A note can be written when no process works on the run.
        if let Event::ChildNoted { .. } = record.event {
            return;
        }
        match record.event {
            Event::RunResumed { .. } => {
                self.stands = false;
                self.is_cut_off |= self.is_open;
            }
            _ => self.advance(record.time),
        }
        match record.event {
            Event::RunStarted(_) | Event::TrainingStarted(_) | Event::RunResumed { .. } => {
                self.is_open = true;
            }
            Event::RunFinished { .. } => self.is_open = false,
            _ => {}
        }
        match record.event {
            Event::Paused | Event::RunFinished { .. } => self.stands = true,
            Event::Resumed => self.stands = false,
            _ => {}
        }
        self.last = Some(record.time);
    }

    /// Seconds worked until the last record.
    pub fn seconds(&self) -> f64 {
        self.worked.as_secs_f64()
    }

    /// Whether a session before the last one ended without a record of its end, so that more was worked
    /// than the records tell.
    pub fn is_cut_off(&self) -> bool {
        self.is_cut_off
    }

    /// Seconds worked until `now`, which belongs to the session of the last record.
    pub fn seconds_until(&self, now: Timestamp) -> f64 {
        let mut clock = self.clone();
        clock.advance(now);
        clock.seconds()
    }

    fn advance(&mut self, time: Timestamp) {
        let Some(last) = self.last.filter(|_| !self.stands) else {
            return;
        };
        // A wall clock that was set back must not make the run shorter.
        self.worked = self
            .worked
            .saturating_add(time.duration_since(last).max(SignedDuration::ZERO));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds_of(events: &[(i64, Event)]) -> f64 {
        let mut clock = Clock::default();
        for (second, event) in events {
            let time = Timestamp::from_second(*second).unwrap();
            clock.apply(&Record {
                v: 1,
                seq: None,
                time,
                event: event.clone(),
            });
        }
        clock.seconds()
    }

    fn session() -> Event {
        Event::RunResumed {
            host: "h".into(),
            pid: 1,
            version: "0".into(),
            next_child: Some(1),
            epoch: None,
            micro_batch: None,
        }
    }

    #[test]
    fn pauses_and_the_gaps_between_sessions_are_not_work() {
        let events = [
            (100, Event::StopRequested),
            (110, Event::PauseRequested),
            (111, Event::Paused),
            (500, Event::Resumed),
            (520, Event::StopRequested),
            (9_000, session()),
            (9_005, Event::StopRequested),
        ];
        assert_eq!(seconds_of(&events), 11.0 + 20.0 + 5.0);
    }

    #[test]
    fn a_session_killed_while_paused_does_not_pause_the_next() {
        assert_eq!(
            seconds_of(&[
                (0, Event::Paused),
                (50, session()),
                (57, Event::StopRequested)
            ]),
            7.0
        );
    }

    #[test]
    fn a_session_that_was_killed_makes_the_working_time_a_lower_bound_and_a_recorded_end_does_not()
    {
        let finished = || Event::RunFinished {
            reason: crate::event::FinishReason::Stopped,
            children: 0,
            epochs: None,
            wall_seconds: 0.0,
        };
        let is_cut_off = |events: &[Event]| {
            let mut clock = Clock::default();
            for event in events {
                clock.apply(&Record {
                    v: 1,
                    seq: None,
                    time: Timestamp::UNIX_EPOCH,
                    event: event.clone(),
                });
            }
            clock.is_cut_off()
        };
        assert!(!is_cut_off(&[session(), finished(), session()]));
        assert!(is_cut_off(&[session(), session(), finished()]));
    }

    #[test]
    fn a_note_is_not_work_whenever_it_is_written() {
        let note = || Event::ChildNoted {
            child: 3,
            text: "#keep".into(),
        };
        let events = [
            (0, Event::StopRequested),
            (4, note()),
            (10, Event::StopRequested),
            // The session was killed.
            (5_000, note()),
            (9_000, session()),
            (9_005, Event::StopRequested),
            (9_500, note()),
        ];
        assert_eq!(seconds_of(&events), 15.0);
    }

    #[test]
    fn a_wall_clock_set_back_subtracts_nothing() {
        assert_eq!(
            seconds_of(&[
                (100, Event::StopRequested),
                (40, Event::StopRequested),
                (42, Event::StopRequested)
            ]),
            2.0
        );
    }

    #[test]
    fn the_present_counts_unless_the_run_is_paused() {
        let mut clock = Clock::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        clock.apply(&Record {
            v: 1,
            seq: None,
            time: at(0),
            event: session(),
        });
        assert_eq!(clock.seconds_until(at(3)), 3.0);
        clock.apply(&Record {
            v: 1,
            seq: None,
            time: at(4),
            event: Event::Paused,
        });
        assert_eq!(clock.seconds_until(at(60)), 4.0);
    }
}

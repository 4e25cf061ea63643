//! A run without a screen: one plain line per event.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::event::{Event, Level, Record};
use crate::foundation::text;
use crate::link::Connection;
use crate::state::{describe, paused_because};

/// How long nothing is printed before a tick is.
const SILENCE: Duration = Duration::from_secs(20);

/// Print what happens until the search is over, except for the first `known` records, which an
/// earlier session has printed. Of a measurement that takes long, some ticks are printed. Whatever happens to `output` (a closed pipe, a full disk), the
/// search continues. Returns the last error that was printed.
pub fn watch(mut connection: Connection, known: u64, output: &mut impl Write) -> Option<String> {
    let (mut told, mut blocked, mut printed_at) = (None, None, Instant::now());
    while let Some(record) = connection.records.blocking_recv() {
        if record.seq.is_some_and(|seq| seq <= known) {
            continue;
        }
        // This is repeated as long as it lasts.
        if let Event::StorageBlocked { reason, .. } = &record.event
            && blocked.replace(reason.clone()).as_ref() == Some(reason)
        {
            continue;
        }
        if record.seq.is_some() {
            blocked = None;
        }
        let tick = || tick(&record).filter(|_| printed_at.elapsed() >= SILENCE);
        if let Some(line) = line(&record).or_else(tick) {
            printed_at = Instant::now();
            // No one is reading any more, so no one misses the line.
            let printed = writeln!(output, "{line}").and_then(|()| output.flush());
            if let (
                Ok(()),
                Event::Notice {
                    level: Level::Error,
                    message,
                },
            ) = (printed, &record.event)
            {
                told = Some(message.clone());
            }
        }
    }
    told
}

/// `2026-11-24T10:15:00Z child 3: ...`; `None` for ticks.
pub fn line(record: &Record) -> Option<String> {
    let (level, text) = match &record.event {
        // The screen shows a table for this; here it is a line.
        Event::ChildSampled(child) => (
            Level::Info,
            format!(
                "child {}{}: sampled {}, {} parameters, {} MACs",
                child.child,
                if child.control { " (control)" } else { "" },
                child.dna,
                child.params,
                child.macs
            ),
        ),
        Event::StorageBlocked { reason, .. } => (Level::Error, paused_because(reason)),
        event => describe(event)?,
    };
    let mark = match level {
        Level::Info => "",
        Level::Warning => "warning: ",
        Level::Error => "error: ",
    };
    Some(timed(record, &format!("{mark}{text}")))
}

/// `2026-11-24T10:15:00Z validating 1,280/5,000`; `None` for other events.
fn tick(record: &Record) -> Option<String> {
    match &record.event {
        Event::Measuring(measuring) => Some(timed(record, &measuring.text())),
        _ => None,
    }
}

fn timed(record: &Record, text: &str) -> String {
    let second = jiff::Timestamp::from_second(record.time.as_second()).unwrap_or(record.time);
    text::line(&format!("{second} {text}")).into_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::mpsc::channel;
    use tokio::sync::watch;

    use super::*;
    use crate::event::{Measured, Measuring};
    use crate::link::LinkStatus;

    fn record(event: Event) -> Record {
        Record {
            v: 1,
            seq: Some(1),
            time: jiff::Timestamp::from_millisecond(1_795_515_300_123).unwrap(),
            event,
        }
    }

    #[test]
    fn an_event_is_one_line_with_time_and_level() {
        let notice = Event::Notice {
            level: Level::Warning,
            message: "first\nsecond".into(),
        };
        assert_eq!(
            line(&record(notice)).unwrap(),
            "2026-11-24T10:15:00Z warning: first second"
        );
        assert_eq!(
            line(&record(Event::Paused)).unwrap(),
            "2026-11-24T10:15:00Z paused"
        );
    }

    #[test]
    fn a_loss_that_has_diverged_has_six_digits_and_a_power_of_ten() {
        let epoch = serde_json::json!({
            "event": "child_epoch", "child": 1, "worker": 0, "epoch": 1, "epochs": 2, "train_loss": 1.0111999e27,
            "train_accuracy": 0.1, "valid_loss": 2.0, "valid_accuracy": 0.1, "learning_rate": 100.0,
            "images_per_second": 400.0, "seconds": 0.25,
        });
        let line = line(&record(serde_json::from_value(epoch).unwrap())).unwrap();
        assert!(
            line.contains("loss 1.0112e27, accuracy 0.1000 train"),
            "{line}"
        );
    }

    #[test]
    fn a_measurement_is_a_line_with_its_images_and_other_ticks_are_none() {
        let measuring = Event::Measuring(Measuring {
            what: Measured::Validation,
            images: 1_280,
            of: 5_000,
        });
        assert_eq!(
            tick(&record(measuring)).unwrap(),
            "2026-11-24T10:15:00Z validating 1,280/5,000"
        );
        assert_eq!(tick(&record(Event::Paused)), None);
    }

    #[test]
    fn a_run_that_is_blocked_says_so_once() {
        let (sender, records) = channel(9);
        let (commands, _inbox) = crate::link::orders::queue();
        let (_, status) = watch::channel(LinkStatus::Ended);
        for reason in ["full", "full", "read-only"] {
            let blocked = Event::StorageBlocked {
                after: 0,
                reason: reason.into(),
            };
            let tick = Record {
                seq: None,
                ..record(blocked)
            };
            sender.try_send(Arc::new(tick)).unwrap();
        }
        drop(sender);
        let mut output = Vec::new();
        let connection = Connection {
            state: None,
            records,
            commands,
            status,
            run: "run".into(),
            journal: "run/journal.jsonl".into(),
        };
        watch(connection, 0, &mut output);
        assert_eq!(
            String::from_utf8(output).unwrap(),
            "2026-11-24T10:15:00Z error: paused until it can save: full\n\
             2026-11-24T10:15:00Z error: paused until it can save: read-only\n"
        );
    }

    struct BrokenPipe;

    impl Write for BrokenPipe {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_broken_pipe_does_not_end_the_watch() {
        let (sender, records) = channel(3);
        let (commands, _orders) = crate::link::orders::queue();
        let (_, status) = watch::channel(LinkStatus::Ended);
        let sent = Arc::new(record(Event::Paused));
        for _ in 0..3 {
            sender.try_send(sent.clone()).unwrap();
        }
        drop(sender);
        watch(
            Connection {
                state: None,
                records,
                commands,
                status,
                run: "run".into(),
                journal: "run/journal.jsonl".into(),
            },
            0,
            &mut BrokenPipe,
        );
        assert_eq!(Arc::strong_count(&sent), 1, "every record was taken");
    }
}

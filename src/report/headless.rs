//! A run without a screen: one plain line per event.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::event::{Event, Level, Record};
use crate::foundation::text;
use crate::link::{Connection, LinkStatus};
use crate::state::{RunState, describe, paused_because};

/// How long nothing is printed before a tick is.
const SILENCE: Duration = Duration::from_secs(20);

/// Number of lines printed about what happened before a run was attached to.
const EARLIER: usize = 40;

/// Print what happens until the search is over, except for the first `known` records, which an
/// earlier session has printed. Of a measurement that takes long, some ticks are printed. Whatever happens to `output` (a closed pipe, a full disk), the
/// search continues. Returns the last error that was printed.
pub fn watch(mut connection: Connection, known: u64, output: &mut impl Write) -> Option<String> {
    let mut printer = Printer::new(output);
    while let Some(record) = connection.records.blocking_recv() {
        if record.seq.is_none_or(|seq| seq > known) {
            printer.print(&record);
        }
    }
    printer.told
}

/// Print the last lines of what has happened in a run, and what happens from now on, until no process
/// is working on it or its replay has ended. Returns what is at the other end by then.
///
/// # Errors
/// If nothing can be waited for, for lack of resources.
pub fn follow(mut connection: Connection, output: &mut impl Write) -> io::Result<LinkStatus> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut printer = Printer::new(output);
    let mut before = Some(connection.state.take().unwrap_or_default());
    if matches!(*connection.status.borrow(), LinkStatus::Replay { .. }) {
        before.take().iter().for_each(|state| printer.recall(state));
    }
    loop {
        let status = connection.status_after(|record| match &mut before {
            Some(state) => state.apply(record),
            None => printer.print(record),
        });
        if !matches!(status, LinkStatus::Reading { .. }) {
            before.take().iter().for_each(|state| printer.recall(state));
        }
        if let LinkStatus::Ended
        | LinkStatus::Dead { .. }
        | LinkStatus::Lost { .. }
        | LinkStatus::Damaged { .. }
        | LinkStatus::Replay { ended: true, .. } = status
        {
            return Ok(status);
        }
        let Connection {
            records,
            status: changing,
            ..
        } = &mut connection;
        let arrived = runtime.block_on(async {
            tokio::select! {
                record = records.recv() => record.map(Some),
                changed = changing.changed() => changed.ok().map(|()| None),
            }
        });
        match (arrived, &mut before) {
            (Some(Some(record)), Some(state)) => state.apply(&record),
            (Some(Some(record)), None) => printer.print(&record),
            (Some(None), _) => {}
            (None, _) => return Ok(status),
        }
    }
}

/// Prints records as lines.
struct Printer<'a, W> {
    output: &'a mut W,
    /// The last error printed.
    told: Option<String>,
    /// Why the run cannot save, if that has been printed.
    blocked: Option<String>,
    printed_at: Instant,
}

impl<W: Write> Printer<'_, W> {
    fn new(output: &mut W) -> Printer<'_, W> {
        Printer {
            output,
            told: None,
            blocked: None,
            printed_at: Instant::now(),
        }
    }

    fn print(&mut self, record: &Record) {
        // This is repeated as long as it lasts.
        if let Event::StorageBlocked { reason, .. } = &record.event
            && self.blocked.replace(reason.clone()).as_ref() == Some(reason)
        {
            return;
        }
        if record.seq.is_some() {
            self.blocked = None;
        }
        let tick = || tick(record).filter(|_| self.printed_at.elapsed() >= SILENCE);
        let Some(line) = line(record).or_else(tick) else {
            return;
        };
        self.printed_at = Instant::now();
        if let (
            true,
            Event::Notice {
                level: Level::Error,
                message,
            },
        ) = (self.write(&line), &record.event)
        {
            self.told = Some(message.clone());
        }
    }

    /// Print the last lines of the log of a run.
    fn recall(&mut self, state: &RunState) {
        let earlier = state.log.len().saturating_sub(EARLIER);
        for line in state.log.range(earlier..) {
            let text = marked(line.level, &line.text.get());
            self.write(&timed(line.time, &text));
        }
    }

    /// Whether the line has been written. If no one is reading any more, no one misses it.
    fn write(&mut self, line: &str) -> bool {
        let written = writeln!(self.output, "{line}");
        written.and_then(|()| self.output.flush()).is_ok()
    }
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
    Some(timed(record.time, &marked(level, &text)))
}

fn marked(level: Level, text: &str) -> String {
    let mark = match level {
        Level::Info => "",
        Level::Warning => "warning: ",
        Level::Error => "error: ",
    };
    format!("{mark}{text}")
}

/// `2026-11-24T10:15:00Z validating 1,280/5,000`; `None` for other events.
fn tick(record: &Record) -> Option<String> {
    match &record.event {
        Event::Measuring(measuring) => Some(timed(record.time, &measuring.text())),
        _ => None,
    }
}

fn timed(time: jiff::Timestamp, text: &str) -> String {
    let second = jiff::Timestamp::from_second(time.as_second()).unwrap_or(time);
    text::line(&format!("{second} {text}")).into_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::mpsc::channel;
    use tokio::sync::watch;

    use super::*;
    use crate::event::{Measured, Measuring};
    use crate::link::Pace;

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
            line.contains("loss 1.0112e27, accuracy 10.00 % train"),
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

    fn of_fixture(link: impl Fn(&std::path::Path) -> Connection) -> (LinkStatus, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let journal = include_str!("../../tests/fixtures/journal-demo.jsonl");
        std::fs::write(folder.path().join("journal.jsonl"), journal).unwrap();
        let mut output = Vec::new();
        let status = follow(link(folder.path()), &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        (status, text.lines().map(str::to_owned).collect())
    }

    #[test]
    fn of_a_run_that_is_over_the_last_lines_are_printed() {
        let (status, lines) = of_fixture(|run| crate::link::attach(run, true).unwrap());
        assert_eq!((status, lines.len()), (LinkStatus::Ended, EARLIER));
        assert!(lines[EARLIER - 1].contains(" run completed: "), "{lines:?}");
    }

    #[test]
    fn of_a_replay_every_line_is_printed() {
        let fast = |run: &std::path::Path| crate::link::replay(run, Pace::Recorded, 1e5, 0.0);
        let (status, lines) = of_fixture(|run| fast(run).unwrap());
        assert!(matches!(status, LinkStatus::Replay { ended: true, .. }));
        let sampled = lines.iter().filter(|line| line.contains(": sampled "));
        assert!(sampled.count() > EARLIER, "{lines:?}");
        assert!(
            lines.last().unwrap().contains(" run completed: "),
            "{lines:?}"
        );
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

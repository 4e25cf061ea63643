//! The loop: waits for whatever comes first, lets the `App` take it in, and draws when something changed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use crossterm::event::{Event as TerminalEvent, EventStream};
use futures_util::StreamExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, MissedTickBehavior};

use super::Leave;
use super::ansi::Tty;
use super::app::{App, Effect};
use super::capture::line_pipe;
use super::display::{self, Display};
use super::signals::SignalStream;
use super::terminal::{Guard, Terminal};
use super::theme::Theme;
use crate::event::{Level, Record};
use crate::link::{Connection, LinkStatus};
use crate::telemetry::Telemetry;

/// Least time between two frames that only bring news. (What a key changes is drawn at once.)
const NEWS_INTERVAL: Duration = Duration::from_millis(250);
/// The clock, progress within an epoch and measurements are drawn this often.
const TICK: Duration = Duration::from_secs(1);
/// The machine is measured this often.
const MEASURE_INTERVAL: Duration = Duration::from_secs(2);
/// Records taken in before keys are looked at again.
const RECORDS_AT_ONCE: usize = 5_000;
/// How long measurements are still drawn after the search stands still, so that its effect is seen.
const SETTLING_TICKS: u32 = 5;

/// When the next frame is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Never,
    /// With the next tick of the clock.
    Tick,
    /// Soon, with all other news that come in meanwhile.
    News,
    Now,
}

struct Screen {
    app: App,
    connection: Connection,
    connected: bool,
    status_known: bool,
    telemetry: Telemetry,
    display: Display<Terminal>,
    guard: Guard,
    due: Due,
    drawn_at: Instant,
    still_ticks: u32,
}

pub async fn run(connection: Connection, theme: Theme) -> anyhow::Result<Leave> {
    let terminal = Terminal::of_stdout().context("cannot open the screen")?;
    let (pipe, mut lines) = line_pipe().context("cannot make a pipe for the log panel")?;
    let mut signals = SignalStream::start().context("cannot watch signals")?;
    let telemetry = Telemetry::start(MEASURE_INTERVAL).context("cannot start measuring")?;
    let size = terminal.size().context("cannot read the size of the terminal")?;
    let app = App::new(theme, TimeZone::system(), size, Timestamp::now());
    let guard = Guard::enter(&terminal, pipe).context("cannot take over the terminal")?;
    let display = Display::new(terminal, !theme.glyphs.braille);
    let mut screen = Screen {
        app,
        connection,
        connected: true,
        status_known: true,
        telemetry,
        display,
        guard,
        due: Due::Now,
        drawn_at: Instant::now(),
        still_ticks: 0,
    };
    let leave = screen.run(&mut lines, &mut signals).await;
    drop(screen);
    print_unseen(&mut lines).await;
    leave
}

/// Print what came too late for the log panel.
async fn print_unseen(lines: &mut Receiver<String>) {
    while let Ok(Some(line)) = tokio::time::timeout(Duration::from_millis(50), lines.recv()).await {
        eprintln!("{line}");
    }
}

impl Screen {
    async fn run(&mut self, lines: &mut Receiver<String>, signals: &mut SignalStream) -> anyhow::Result<Leave> {
        let mut events = EventStream::new();
        let mut clock = tokio::time::interval(TICK);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if self.due == Due::Now && !self.draw() {
                return Ok(Leave::TerminalLost);
            }
            let effect = tokio::select! {
                biased;
                signal = signals.next() => self.signal(signal),
                event = events.next() => self.terminal_event(event),
                _ = clock.tick() => self.tick(),
                record = self.connection.records.recv(), if self.connected => self.records(record),
                changed = self.connection.status.changed(), if self.status_known => self.status(changed.is_ok()),
                line = recv_line(lines) => self.line(line),
                () = wait_for_frame(self.due, self.drawn_at) => {
                    self.due = Due::Now;
                    Effect::Nothing
                }
            };
            if let Some(leave) = self.handle(effect).or_else(|| self.app.done()) {
                return Ok(leave);
            }
        }
    }

    fn handle(&mut self, effect: Effect) -> Option<Leave> {
        match effect {
            Effect::Nothing => {}
            Effect::Draw => self.due = Due::Now,
            Effect::Repaint => self.repaint(),
            Effect::Suspend => {
                if self.guard.suspend().is_err() {
                    return Some(Leave::TerminalLost);
                }
                self.repaint();
            }
            Effect::Send(command) => {
                // A search that is gone cannot be commanded; its records end too, which is handled there.
                let _ = self.connection.commands.send(command);
                self.due = Due::Now;
            }
            Effect::Leave(leave) => return Some(leave),
        }
        None
    }

    fn signal(&mut self, signal: i32) -> Effect {
        if signal != libc::SIGCONT {
            return Effect::Leave(Leave::Signal(signal));
        }
        match self.guard.retake() {
            Ok(()) => Effect::Repaint,
            Err(_) => Effect::Leave(Leave::TerminalLost),
        }
    }

    fn terminal_event(&mut self, event: Option<io::Result<TerminalEvent>>) -> Effect {
        match event {
            Some(Ok(TerminalEvent::Key(key))) => self.app.key(&key),
            Some(Ok(TerminalEvent::Resize(..))) => Effect::Draw,
            Some(Ok(_)) => Effect::Nothing,
            Some(Err(_)) | None => Effect::Leave(Leave::TerminalLost),
        }
    }

    /// Take in this record and all that wait behind it.
    fn records(&mut self, record: Option<Arc<Record>>) -> Effect {
        let Some(first) = record else {
            // The screen stays: what it shows is still true, and the status says that nothing will follow.
            self.connected = false;
            return Effect::Nothing;
        };
        let mut next = Some(first);
        for _ in 0..RECORDS_AT_ONCE {
            let Some(record) = next else { break };
            self.due = self.due.max(if record.event.is_tick() { Due::Tick } else { Due::News });
            self.app.take(&record);
            next = self.connection.records.try_recv().ok();
        }
        if let Some(record) = next {
            self.app.take(&record);
        }
        Effect::Nothing
    }

    /// What is at the other end has changed; `known` until there is nobody left to say so.
    fn status(&mut self, known: bool) -> Effect {
        self.status_known = known;
        let status = self.connection.status.borrow_and_update().clone();
        let run = self.connection.run.display();
        let text = match status {
            LinkStatus::Dead => format!("no process works on this run any more; continue it with: nas-tui search --resume {run}"),
            LinkStatus::Journal { holder } => {
                format!("the search cannot be reached ({holder}): reading its journal, without commands")
            }
            LinkStatus::Live { .. } => "connected to the search".to_owned(),
            LinkStatus::Ended | LinkStatus::Replay { .. } => return Effect::Nothing,
        };
        self.app.note(Level::Warning, text, Timestamp::now());
        Effect::Draw
    }

    fn line(&mut self, line: String) -> Effect {
        self.app.note(Level::Warning, line, Timestamp::now());
        self.due = self.due.max(Due::News);
        Effect::Nothing
    }

    /// A second has passed: clock, progress and measurements.
    fn tick(&mut self) -> Effect {
        self.measurements();
        if self.app.stands_still() {
            self.still_ticks = self.still_ticks.saturating_add(1);
        } else {
            self.still_ticks = 0;
        }
        if self.still_ticks <= SETTLING_TICKS || self.due >= Due::Tick { Effect::Draw } else { Effect::Nothing }
    }

    fn measurements(&mut self) {
        // A thread that has nothing more to say (no NVML) has closed its channel: what it said last still counts.
        if self.telemetry.gpu.has_changed().unwrap_or(true) {
            let status = self.telemetry.gpu.borrow_and_update().clone();
            self.app.view.take_gpu(status, Timestamp::now());
        }
        if self.telemetry.host.has_changed().unwrap_or(true) {
            let status = self.telemetry.host.borrow_and_update().clone();
            self.app.view.take_host(status);
        }
    }

    fn repaint(&mut self) {
        self.display.forget();
        self.due = Due::Now;
    }

    /// Draw; false if the terminal is gone.
    fn draw(&mut self) -> bool {
        self.due = Due::Never;
        self.drawn_at = Instant::now();
        self.app.view.now = Timestamp::now();
        let Ok(size) = self.display.size() else { return false };
        self.app.view.size = size;
        let mut frame = display::blank(size);
        self.app.draw(&mut frame);
        self.display.show(frame, self.app.scrolling_rows()).is_ok()
    }
}

/// A captured line. Never ends.
async fn recv_line(lines: &mut Receiver<String>) -> String {
    match lines.recv().await {
        Some(line) => line,
        None => std::future::pending().await,
    }
}

/// Until the frame that is due for news; forever if none is.
async fn wait_for_frame(due: Due, drawn_at: Instant) {
    match due {
        Due::News => tokio::time::sleep_until(drawn_at + NEWS_INTERVAL).await,
        _ => std::future::pending().await,
    }
}

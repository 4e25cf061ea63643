//! The event loop: waits for whatever comes first, passes it to the `App`, and draws if something
//! changed.

mod outside;

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
use super::Settings;
use super::ansi::Tty;
use super::app::Alert;
use super::app::{App, Effect};
use super::capture::{line_pipe, print_unseen, recv_line};
use super::display::{self, Display};
use super::palette::settings_of;
use super::reading::{JournalAnswer, JournalReading};
use super::signals::SignalStream;
use super::target::Targets;
use super::terminal::{Guard, Terminal};
use crate::config::Alerts;
use crate::event::{Level, Record};
use crate::link::orders::Unsent;
use crate::link::{Connection, LinkStatus};
use crate::runs::directory::{kind_of, resume_command};
use crate::telemetry::Telemetry;
use outside::{Away, program_end, run_directory};

/// Maximum number of frames for news between two ticks of the clock. (The effect of a key is drawn
/// at once.)
const NEWS_PER_TICK: u32 = 4;
/// Interval between measurements of the machine.
const MEASURE_INTERVAL: Duration = Duration::from_secs(2);
/// Number of records processed before keys are checked again.
const RECORDS_AT_ONCE: usize = 5_000;
/// Number of ticks for which measurements are still drawn after the search has stopped, so that the
/// effect is visible.
const SETTLING_TICKS: u32 = 5;

/// When the next frame is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Never,
    /// At the next tick of the clock.
    Tick,
    /// Soon, together with all other news that arrives meanwhile.
    News,
    Now,
}

struct Screen {
    app: App,
    connection: Connection,
    connected: bool,
    status_known: bool,
    telemetry: Telemetry,
    reading: JournalReading,
    display: Display<Terminal>,
    /// What can be clicked in the frame shown.
    targets: Targets,
    /// Keys and other events of the terminal; `None` while another program has it.
    events: Option<EventStream>,
    /// Who has the terminal; `None` if the screen has it.
    away: Option<Away>,
    /// The last alert while another program had the terminal.
    missed: Option<Alert>,
    guard: Guard,
    due: Due,
    drawn_at: Instant,
    still_ticks: u32,
    alerts: Alerts,
    tick: Duration,
    leave_when_over: bool,
}

/// See [`run`](super::run).
pub async fn run(connection: Connection, settings: &Settings) -> anyhow::Result<Leave> {
    let terminal = Terminal::of_stdout().context("cannot open the screen")?;
    let (pipe, mut lines) = line_pipe().context("cannot make a pipe for the log panel")?;
    let mut signals = SignalStream::start().context("cannot watch signals")?;
    let telemetry = Telemetry::start(MEASURE_INTERVAL).context("cannot start measuring")?;
    let reading = JournalReading::start(Some(connection.journal.clone()))
        .context("cannot start a thread that reads the journal")?;
    let size = terminal
        .size()
        .context("cannot read the size of the terminal")?;
    let app = App::new(settings, TimeZone::system(), size, Timestamp::now());
    let guard =
        Guard::enter(&terminal, pipe, settings.extras).context("cannot take over the terminal")?;
    let display = Display::new(terminal, settings.theme.glyphs.ascii);
    let status = connection.status.borrow().clone();
    let mut screen = Screen {
        app,
        connection,
        connected: true,
        status_known: true,
        telemetry,
        reading,
        display,
        targets: Targets::default(),
        events: None,
        away: None,
        missed: None,
        guard,
        due: Due::Now,
        drawn_at: Instant::now(),
        still_ticks: 0,
        alerts: settings.alerts,
        tick: settings.tick,
        leave_when_over: settings.leave_when_over,
    };
    screen.app.resume_command = resume_command(&screen.connection.run);
    screen.app.expect(kind_of(&screen.connection.run));
    screen.app.start_from(screen.connection.state.take());
    screen.app.settings = settings_of(&screen.connection.run);
    let config = run_directory(&screen.connection).map(|run| run.join("config.toml"));
    screen.app.config = config.filter(|path| path.is_file());
    screen.app.take_link(status.clone());
    if screen.is_reading() {
        // Most journals are read at once: the first frame is already true.
        screen.due = Due::News;
    }
    if matches!(status, LinkStatus::Dead { .. }) {
        screen.note_link(&status);
    }
    let leave = screen.run(&mut lines, &mut signals).await;
    drop(screen);
    print_unseen(&mut lines).await;
    leave
}

impl Screen {
    async fn run(
        &mut self,
        lines: &mut Receiver<String>,
        signals: &mut SignalStream,
    ) -> anyhow::Result<Leave> {
        self.events = Some(EventStream::new());
        let mut clock = tokio::time::interval(self.tick);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if self.due == Due::Now && self.away.is_none() && !self.draw() {
                return Ok(Leave::TerminalLost);
            }
            let effect = tokio::select! {
                biased;
                signal = signals.next() => self.signal(signal),
                event = next_event(&mut self.events) => self.terminal_event(event),
                () = program_end(&mut self.away) => self.program_ended(),
                _ = clock.tick() => self.tick(),
                record = self.connection.records.recv(), if self.connected => self.records(record),
                answer = self.reading.answer() => self.answer(answer),
                changed = self.connection.status.changed(), if self.status_known => self.status(changed.is_ok()),
                line = recv_line(lines) => self.line(line),
                () = wait_for_frame(self.due, self.drawn_at, self.tick) => {
                    self.due = Due::Now;
                    Effect::Nothing
                }
            };
            self.reading.ask(self.app.wanted());
            self.call_the_user();
            if let Some(leave) = self.handle(effect).or_else(|| self.done()) {
                return Ok(leave);
            }
        }
    }

    /// Whether the screen has served its purpose.
    fn done(&self) -> Option<Leave> {
        if self.away.is_some() {
            return None;
        }
        let over = || (self.leave_when_over && self.app.is_over()).then_some(Leave::Finished);
        self.app.done().or_else(over)
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
                // A search that has gone cannot be commanded; its records end too, which is handled
                // there.
                if let Err(error @ Unsent::Full) = self.connection.commands.send(command) {
                    self.app.tell(Level::Warning, error.to_string());
                }
                self.due = Due::Now;
            }
            Effect::Copy(text) => {
                self.copy(&text);
                self.due = Due::Now;
            }
            Effect::Save(files) => {
                self.save(&files);
                self.due = Due::Now;
            }
            Effect::Export(export) => {
                self.export(&export);
                self.due = Due::Now;
            }
            Effect::Open(document) => {
                let effect = self.open(document);
                return self.handle(effect);
            }
            Effect::Leave(leave) => return Some(leave),
        }
        None
    }

    fn signal(&mut self, signal: i32) -> Effect {
        if self.away.is_some() {
            return self.signal_away(signal);
        }
        if signal != signal_hook::consts::SIGCONT {
            return Effect::Leave(Leave::Signal(signal));
        }
        match self.guard.retake() {
            Ok(()) => Effect::Repaint,
            Err(_) => Effect::Leave(Leave::TerminalLost),
        }
    }

    fn terminal_event(&mut self, event: Option<io::Result<TerminalEvent>>) -> Effect {
        if self.away.is_some() {
            return self.any_key(event);
        }
        match event {
            Some(Ok(TerminalEvent::Key(key))) => self.app.key(&key),
            Some(Ok(TerminalEvent::Mouse(mouse))) => self.app.mouse(&mouse, &self.targets),
            Some(Ok(TerminalEvent::Resize(..))) => Effect::Draw,
            Some(Ok(_)) => Effect::Nothing,
            Some(Err(_)) | None => Effect::Leave(Leave::TerminalLost),
        }
    }

    /// Process this record and all that are waiting behind it.
    fn records(&mut self, record: Option<Arc<Record>>) -> Effect {
        let Some(first) = record else {
            // The screen stays: what it shows is still true, and the status says that nothing will
            // follow.
            self.connected = false;
            return Effect::Nothing;
        };
        let mut next = Some(first);
        for _ in 0..RECORDS_AT_ONCE {
            let Some(record) = next else { break };
            self.due = self
                .due
                .max(if record.event.is_tick() || self.is_reading() {
                    Due::Tick
                } else {
                    Due::News
                });
            self.app.take(&record);
            next = self.connection.records.try_recv().ok();
        }
        if let Some(record) = next {
            self.app.take(&record);
        }
        Effect::Nothing
    }

    /// Whether the journal is still being read. Its frames only tell how far, so they can wait.
    fn is_reading(&self) -> bool {
        matches!(self.app.link, LinkStatus::Reading { .. })
    }

    /// Process an answer from the journal.
    fn answer(&mut self, answer: JournalAnswer) -> Effect {
        match answer {
            JournalAnswer::Child(detail) => self.app.take_detail(*detail),
            JournalAnswer::State(past) => self.app.take_past(past),
            JournalAnswer::Failed { wanted, problem } => self.app.take_failure(wanted, problem),
        }
        Effect::Draw
    }

    /// Process a change at the other end; `known` is false once no one is left to report it.
    fn status(&mut self, known: bool) -> Effect {
        self.status_known = known;
        let status = self.connection.status.borrow_and_update().clone();
        if !matches!(status, LinkStatus::Reading { .. }) {
            // What was sent before the status changed must be known before that is shown.
            while let Ok(record) = self.connection.records.try_recv() {
                self.app.take(&record);
            }
        }
        let was_reading = self.is_reading();
        self.app.take_link(status.clone());
        if was_reading && self.is_reading() {
            return Effect::Nothing;
        }
        // What is found after reading is no news, unless something must be done about it.
        if was_reading && !matches!(status, LinkStatus::Dead { .. }) {
            return Effect::Draw;
        }
        self.note_link(&status)
    }

    /// Add the state of the other end to the log.
    fn note_link(&mut self, status: &LinkStatus) -> Effect {
        if let Some(text) = self.app.words_of(status) {
            self.app.note(Level::Warning, text, Timestamp::now());
        }
        Effect::Draw
    }

    fn line(&mut self, line: String) -> Effect {
        self.app.note(Level::Warning, line, Timestamp::now());
        self.due = self.due.max(Due::News);
        Effect::Nothing
    }

    /// A second has passed: update clock, progress and measurements.
    fn tick(&mut self) -> Effect {
        self.measurements();
        if self.app.stands_still() {
            self.still_ticks = self.still_ticks.saturating_add(1);
        } else {
            self.still_ticks = 0;
        }
        let is_settling = self.still_ticks <= SETTLING_TICKS;
        if is_settling || self.due >= Due::Tick || self.display.title.is_late() {
            Effect::Draw
        } else {
            Effect::Nothing
        }
    }

    fn measurements(&mut self) {
        self.telemetry.watch_run(&self.app.live.processes);
        // A thread that has nothing more to report (no NVML) has closed its channel: its last
        // report still counts.
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

    /// Draw; returns false if the terminal is gone.
    fn draw(&mut self) -> bool {
        self.due = Due::Never;
        self.drawn_at = Instant::now();
        self.app.view.now = Timestamp::now();
        let Ok(size) = self.display.size() else {
            return false;
        };
        self.app.view.size = size;
        self.app.refresh();
        let mut frame = display::blank(size);
        self.targets = self.app.draw(&mut frame);
        self.display.title.set(self.app.title());
        self.display.show(frame, self.app.scrolling_rows()).is_ok()
    }
}

/// The next event of the terminal; never, while another program has it.
async fn next_event(events: &mut Option<EventStream>) -> Option<io::Result<TerminalEvent>> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}

/// Wait for the frame that is due for news; forever if none is.
async fn wait_for_frame(due: Due, drawn_at: Instant, tick: Duration) {
    match due {
        Due::News => tokio::time::sleep_until(drawn_at + tick / NEWS_PER_TICK).await,
        _ => std::future::pending().await,
    }
}

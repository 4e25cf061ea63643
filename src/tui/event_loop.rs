//! The event loop: waits for whatever comes first, passes it to the `App`, and draws if something
//! changed.

mod outside;
mod succession;
mod whole_log;

use std::io;
use std::time::Duration;

use anyhow::Context as _;
use crossterm::event::{Event as TerminalEvent, EventStream};
use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, MissedTickBehavior};

use super::ansi::Tty;
use super::app::{Alert, Effect};
use super::capture::{line_pipe, print_unseen, recv_line};
use super::display::{self, Display};
use super::other_runs::{Attached, Company, Heard, News, Reason};
use super::signals::SignalStream;
use super::target::Targets;
use super::terminal::{Guard, Terminal};
use super::visit::{Due, Visit};
use super::{Leave, Left, Settings};
use crate::event::Level;
use crate::link::Connection;
use crate::telemetry::Telemetry;
use outside::{Away, program_end};
use succession::Successor;

/// Maximum number of frames for news between two ticks of the clock. (The effect of a key is drawn
/// at once.)
const NEWS_PER_TICK: u32 = 4;
/// Interval between measurements of the machine.
const MEASURE_INTERVAL: Duration = Duration::from_secs(2);
/// Number of ticks for which measurements are still drawn after the search has stopped, so that the
/// effect is visible.
const SETTLING_TICKS: u32 = 5;

struct Screen {
    /// The run that is shown.
    visit: Visit,
    /// The run that this program began, while another one is shown.
    home: Option<Visit>,
    /// The run that is to be shown in its place.
    successor: Successor<Attached>,
    /// When the run shown took the place of another one; `None` if the user saw that at once.
    succeeded: Option<Instant>,
    /// The runs that the one shown is compared with.
    company: Company,
    telemetry: Telemetry,
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
    settings: Settings,
}

/// See [`run`](super::run).
pub async fn run(connection: Connection, settings: &Settings) -> anyhow::Result<Left> {
    let terminal = Terminal::of_stdout().context("cannot open the screen")?;
    let (pipe, mut lines) = line_pipe().context("cannot make a pipe for the log panel")?;
    let mut signals = SignalStream::start().context("cannot watch signals")?;
    let telemetry = Telemetry::start(MEASURE_INTERVAL).context("cannot start measuring")?;
    let company = Company::start().context("cannot start a thread that looks for other runs")?;
    let size = terminal
        .size()
        .context("cannot read the size of the terminal")?;
    let (mut visit, due) = Visit::begin(Attached::new(connection), settings, size)
        .context("cannot start a thread that reads the journal")?;
    visit.invite(settings);
    let guard =
        Guard::enter(&terminal, pipe, settings.extras).context("cannot take over the terminal")?;
    let display = Display::new(terminal, settings.theme.glyphs.ascii);
    let mut screen = Screen {
        visit,
        home: None,
        successor: Successor::none(),
        succeeded: None,
        company,
        telemetry,
        display,
        targets: Targets::default(),
        events: None,
        away: None,
        missed: None,
        guard,
        due,
        drawn_at: Instant::now(),
        still_ticks: 0,
        settings: settings.clone(),
    };
    let left = screen.run(&mut lines, &mut signals).await;
    drop(screen);
    print_unseen(&mut lines).await;
    left
}

impl Screen {
    async fn run(
        &mut self,
        lines: &mut Receiver<String>,
        signals: &mut SignalStream,
    ) -> anyhow::Result<Left> {
        self.events = Some(EventStream::new());
        let mut clock = tokio::time::interval(self.settings.tick);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if self.due == Due::Now && self.away.is_none() && !self.draw() {
                return Ok(self.left(Leave::TerminalLost));
            }
            let effect = tokio::select! {
                biased;
                signal = signals.next() => self.signal(signal),
                event = next_event(&mut self.events) => self.terminal_event(event),
                () = program_end(&mut self.away) => self.program_ended(),
                _ = clock.tick() => self.tick(),
                arrival = self.visit.arrival() => {
                    let (effect, due) = self.visit.take(arrival);
                    self.due = self.due.max(due);
                    effect
                }
                heard = self.company.hear() => self.hear(heard),
                line = recv_line(lines) => self.line(line),
                () = wait_for_frame(self.due, self.drawn_at, self.settings.tick) => {
                    self.due = Due::Now;
                    Effect::Nothing
                }
            };
            self.call_the_user();
            if let Some(leave) = self.handle(effect).or_else(|| self.done()) {
                return Ok(self.left(leave));
            }
            self.show_successor();
            self.visit.ask();
            let neighbours = &mut self.visit.app.neighbours;
            self.company.keep_up_with(neighbours);
        }
    }

    /// The screen was left for this reason.
    fn left(&self, leave: Leave) -> Left {
        let visit = self.home.as_ref().unwrap_or(&self.visit);
        let run = visit.run().to_owned();
        Left { leave, run }
    }

    /// Whether the screen has served its purpose.
    fn done(&self) -> Option<Leave> {
        if self.away.is_some() {
            return None;
        }
        let app = &self.visit.app;
        let over = || (self.settings.leave_when_over && app.is_over()).then_some(Leave::Finished);
        app.done().or_else(over)
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
                self.command(command);
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
            Effect::Show(run) => self.attach_to(run),
            Effect::LeaveFromHome => {
                self.go_home();
                self.visit.app.neighbours.home = None;
                let effect = self.visit.app.ask_to_quit();
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
            Some(Ok(TerminalEvent::Key(key))) => self.visit.app.key(&key),
            Some(Ok(TerminalEvent::Mouse(mouse))) => self.visit.app.mouse(&mouse, &self.targets),
            Some(Ok(TerminalEvent::Paste(text))) => self.visit.app.paste(&text),
            Some(Ok(TerminalEvent::Resize(..))) => Effect::Draw,
            Some(Ok(_)) => Effect::Nothing,
            Some(Err(_)) | None => Effect::Leave(Leave::TerminalLost),
        }
    }

    /// Process what is heard of other runs.
    fn hear(&mut self, heard: Heard) -> Effect {
        let neighbours = &mut self.visit.app.neighbours;
        match heard {
            Heard::Record(place, record) => {
                if self.company.take(place, record, &mut neighbours.others) {
                    self.due = self.due.max(Due::Tick);
                }
                return Effect::Nothing;
            }
            Heard::News(News::Listed(listed)) => self.visit.app.take_list(listed),
            Heard::News(News::Attached { reason, attached }) => match reason {
                Reason::Show => self.arrive(*attached),
                Reason::Compare => self.company.follow(*attached, &mut neighbours.others),
            },
            Heard::News(News::Failed {
                run,
                reason,
                problem,
            }) => {
                match reason {
                    Reason::Compare => neighbours.others.lose(&run, problem.clone()),
                    Reason::Show if !self.successor.fail(&run) => return Effect::Nothing,
                    Reason::Show => {}
                }
                self.visit.app.tell(Level::Error, problem);
            }
        }
        Effect::Draw
    }

    fn line(&mut self, line: String) -> Effect {
        self.visit.app.note(Level::Warning, line, Timestamp::now());
        self.due = self.due.max(Due::News);
        Effect::Nothing
    }

    /// A second has passed: update clock, progress and measurements.
    fn tick(&mut self) -> Effect {
        // Not every terminal that hangs up sends this process a signal, and the reader of keys never
        // returns from one, busy all the time.
        if self.away.is_none() && self.display.size().is_err() {
            return Effect::Leave(Leave::TerminalLost);
        }
        self.measurements();
        self.home.iter_mut().for_each(Visit::catch_up);
        if self.company.look(&mut self.visit.app.neighbours.others) {
            self.due = self.due.max(Due::Tick);
        }
        if self.visit.app.stands_still() {
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
        self.telemetry.watch_run(&self.visit.app.live.processes);
        // A thread that has nothing more to report (no NVML) has closed its channel: its last
        // report still counts.
        if self.telemetry.gpu.has_changed().unwrap_or(true) {
            let status = self.telemetry.gpu.borrow_and_update().clone();
            self.visit.app.view.take_gpu(status, Timestamp::now());
        }
        if self.telemetry.host.has_changed().unwrap_or(true) {
            let status = self.telemetry.host.borrow_and_update().clone();
            self.visit.app.view.take_host(status);
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
        self.visit.app.view.now = Timestamp::now();
        let Ok(size) = self.display.size() else {
            return false;
        };
        self.visit.app.view.size = size;
        self.visit.app.refresh();
        let mut frame = display::blank(size);
        self.targets = self.visit.app.draw(&mut frame);
        self.display.title.set(self.visit.app.title());
        self.display
            .show(frame, self.visit.app.scrolling_rows())
            .is_ok()
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

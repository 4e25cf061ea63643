//! A list of runs to choose one from, on the whole screen.

use std::path::PathBuf;

use anyhow::Context as _;
use crossterm::event::{Event as TerminalEvent, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::StreamExt;
use jiff::Timestamp;
use ratatui::buffer::Buffer;

use super::capture::line_pipe;
use super::display::{self, Display};
use super::paint::Painter;
use super::signals::SignalStream;
use super::terminal::{Guard, Terminal};
use super::theme::{Role, Theme};
use crate::runs::{self, RunInfo};

/// What a key does to the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Open,
    Leave,
    Stay,
}

/// The list and what is chosen in it.
struct Picker {
    runs: Vec<RunInfo>,
    selected: usize,
    theme: Theme,
}

/// Let the user choose a run; none if they choose none. The terminal is in its former state afterwards.
///
/// # Errors
/// If standard output is not a terminal that can be drawn on.
pub fn choose(theme: Theme) -> anyhow::Result<Option<PathBuf>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().context("cannot start the event loop")?;
    let mut picker = Picker { runs: runs::survey(), selected: 0, theme };
    runtime.block_on(picker.choose())
}

impl Picker {
    async fn choose(&mut self) -> anyhow::Result<Option<PathBuf>> {
        let terminal = Terminal::of_stdout().context("cannot open the screen")?;
        let (pipe, _lines) = line_pipe().context("cannot make a pipe for what libraries print")?;
        let mut signals = SignalStream::start().context("cannot watch signals")?;
        let guard = Guard::enter(&terminal, pipe).context("cannot take over the terminal")?;
        let mut display = Display::new(terminal, !self.theme.glyphs.braille);
        let mut events = EventStream::new();
        loop {
            let size = display.size().context("cannot read the size of the terminal")?;
            let mut frame = display::blank(size);
            self.draw(&mut frame, Timestamp::now());
            display.show(frame, None).context("the terminal is gone")?;
            let event = tokio::select! {
                signal = signals.next() => {
                    if signal != libc::SIGCONT {
                        return Ok(None);
                    }
                    guard.retake().context("the terminal is gone")?;
                    display.forget();
                    continue;
                }
                event = events.next() => event,
            };
            match event {
                Some(Ok(TerminalEvent::Key(key))) => match self.key(&key) {
                    Choice::Open => return Ok(self.runs.get(self.selected).map(|run| run.path.clone())),
                    Choice::Leave => return Ok(None),
                    Choice::Stay => {}
                },
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(None),
            }
        }
    }

    fn key(&mut self, key: &KeyEvent) -> Choice {
        if key.kind == KeyEventKind::Release {
            return Choice::Stay;
        }
        let last = self.runs.len().saturating_sub(1);
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Choice::Leave,
            KeyCode::Char('q') | KeyCode::Esc => return Choice::Leave,
            KeyCode::Enter => return if self.runs.is_empty() { Choice::Stay } else { Choice::Open },
            KeyCode::Down | KeyCode::Char('j') => self.selected = (self.selected + 1).min(last),
            KeyCode::Up | KeyCode::Char('k') => self.selected = self.selected.saturating_sub(1),
            KeyCode::Home | KeyCode::Char('g') => self.selected = 0,
            KeyCode::End | KeyCode::Char('G') => self.selected = last,
            KeyCode::Char('r') => {
                self.runs = runs::survey();
                self.selected = self.selected.min(self.runs.len().saturating_sub(1));
            }
            _ => {}
        }
        Choice::Stay
    }

    /// Draw the list. Changes nothing.
    fn draw(&self, frame: &mut Buffer, now: Timestamp) {
        let area = frame.area;
        let mut screen = Painter::new(frame, area, &self.theme);
        screen.text(1, 0, Role::Title, "Runs");
        let head = line("run", "state", "preset", "episode", "children", "best", "changed");
        screen.text(1, 1, Role::Dim, &head);
        if self.runs.is_empty() {
            screen.text(1, 2, Role::Text, "none in ./runs, and none that your searches began elsewhere");
        }
        // Title, head and keys.
        let rows = screen.height().saturating_sub(3);
        let top = (self.selected + 1).saturating_sub(rows);
        for (y, (index, run)) in self.runs.iter().enumerate().skip(top).take(rows).enumerate() {
            let mark = if index == self.selected { ">" } else { " " };
            let role = match (index == self.selected, run.status.is_live()) {
                (true, _) => Role::Selected,
                (false, true) => Role::Text,
                (false, false) => Role::Dim,
            };
            screen.text(0, 2 + y, role, &format!("{mark}{}", row(run, now)));
        }
        let keys = "Enter watch   j/k or arrows choose   r look again   q leave";
        screen.text(1, screen.height().saturating_sub(1), Role::Dim, keys);
    }
}

fn row(run: &RunInfo, now: Timestamp) -> String {
    let best = run.best_accuracy.map_or_else(|| "none".to_owned(), |accuracy| format!("{accuracy:.4}"));
    let changed = run.changed.map_or_else(String::new, |time| format!("{} ago", age(now.duration_since(time).as_secs_f64())));
    let (episode, children) = (format!("{}/{}", run.episode, run.episodes), format!("{}/{}", run.children, run.planned_children));
    line(&run.name, run.status.word(), &run.preset, &episode, &children, &best, &changed)
}

fn line(name: &str, state: &str, preset: &str, episode: &str, children: &str, best: &str, changed: &str) -> String {
    format!("{name:<30.30} {state:<8} {preset:<9.9} {episode:>7} {children:>9} {best:>6} {changed}")
}

/// A time in one unit: `5 s`, `3 min`, `2 h`, `4 d`.
fn age(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

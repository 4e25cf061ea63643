//! A full-screen list of runs to choose from.

use std::path::PathBuf;

use anyhow::Context as _;
use crossterm::event::{
    Event as TerminalEvent, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers,
    MouseButton, MouseEvent, MouseEventKind,
};
use futures_util::StreamExt;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use unicode_width::UnicodeWidthStr;

use super::capture::line_pipe;
use super::display::{self, Display};
use super::format;
use super::paint::Painter;
use super::signals::SignalStream;
use super::target::{Part, Target, Targets};
use super::terminal::{Extras, Guard, Terminal};
use super::theme::{Role, Theme};
use crate::analysis::selection::BEST_IS_OPTIMISTIC;
use crate::foundation::text;
use crate::link;
use crate::runs::{RunInfo, distinct_names};

/// The effect of a key or a click on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyEffect {
    Open,
    Leave,
    Stay,
}

/// The list and its selection.
struct Picker {
    runs: Vec<RunInfo>,
    selected: usize,
    theme: Theme,
    extras: Extras,
}

/// Let the user choose a run, also with the mouse; `None` if they choose none. The terminal is
/// restored afterwards.
///
/// # Errors
/// If standard output is not a terminal that can be drawn on.
pub fn choose(theme: Theme, mouse: bool) -> anyhow::Result<Option<PathBuf>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .context("cannot start the event loop")?;
    let mut picker = Picker {
        runs: link::survey(),
        selected: 0,
        theme,
        extras: Extras {
            mouse,
            title: false,
        },
    };
    runtime.block_on(picker.choose())
}

impl Picker {
    async fn choose(&mut self) -> anyhow::Result<Option<PathBuf>> {
        let terminal = Terminal::of_stdout().context("cannot open the screen")?;
        let (pipe, _lines) = line_pipe().context("cannot make a pipe for what libraries print")?;
        let mut signals = SignalStream::start().context("cannot watch signals")?;
        let guard =
            Guard::enter(&terminal, pipe, self.extras).context("cannot take over the terminal")?;
        let mut display = Display::new(terminal, self.theme.glyphs.ascii);
        let mut events = EventStream::new();
        loop {
            let size = display
                .size()
                .context("cannot read the size of the terminal")?;
            let mut frame = display::blank(size);
            let targets = self.draw(&mut frame, Timestamp::now());
            display.show(frame, None).context("the terminal is gone")?;
            let event = tokio::select! {
                signal = signals.next() => {
                    if signal != signal_hook::consts::SIGCONT {
                        return Ok(None);
                    }
                    guard.retake().context("the terminal is gone")?;
                    display.forget();
                    continue;
                }
                event = events.next() => event,
            };
            let effect = match event {
                Some(Ok(TerminalEvent::Key(key))) => self.key(&key),
                Some(Ok(TerminalEvent::Mouse(mouse))) => self.mouse(&mouse, &targets),
                Some(Ok(_)) => KeyEffect::Stay,
                Some(Err(_)) | None => KeyEffect::Leave,
            };
            match effect {
                KeyEffect::Open => {
                    return Ok(self.runs.get(self.selected).map(|run| run.path.clone()));
                }
                KeyEffect::Leave => return Ok(None),
                KeyEffect::Stay => {}
            }
        }
    }

    fn key(&mut self, key: &KeyEvent) -> KeyEffect {
        if key.kind == KeyEventKind::Release {
            return KeyEffect::Stay;
        }
        let last = self.runs.len().saturating_sub(1);
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                return KeyEffect::Leave;
            }
            KeyCode::Char('q') | KeyCode::Esc => return KeyEffect::Leave,
            KeyCode::Enter => {
                return if self.runs.is_empty() {
                    KeyEffect::Stay
                } else {
                    KeyEffect::Open
                };
            }
            KeyCode::Down | KeyCode::Char('j') => self.selected = (self.selected + 1).min(last),
            KeyCode::Up | KeyCode::Char('k') => self.selected = self.selected.saturating_sub(1),
            KeyCode::Home | KeyCode::Char('g') => self.selected = 0,
            KeyCode::End | KeyCode::Char('G') => self.selected = last,
            KeyCode::Char('r') => {
                self.runs = link::survey();
                self.selected = self.selected.min(self.runs.len().saturating_sub(1));
            }
            _ => {}
        }
        KeyEffect::Stay
    }

    /// A click selects a run, or opens it if it is selected; the wheel selects other ones.
    fn mouse(&mut self, mouse: &MouseEvent, targets: &Targets) -> KeyEffect {
        let last = self.runs.len().saturating_sub(1);
        match mouse.kind {
            MouseEventKind::ScrollDown => self.selected = (self.selected + 1).min(last),
            MouseEventKind::ScrollUp => self.selected = self.selected.saturating_sub(1),
            MouseEventKind::Down(MouseButton::Left) => {
                let at = Position::new(mouse.column, mouse.row);
                match targets.at(at) {
                    Some((_, Target::Part(Part::Row(run)))) if run == self.selected => {
                        return KeyEffect::Open;
                    }
                    Some((_, Target::Part(Part::Row(run)))) => self.selected = run,
                    _ => {}
                }
            }
            _ => {}
        }
        KeyEffect::Stay
    }

    /// Draw the list, without changing anything; returns what can be clicked.
    fn draw(&self, frame: &mut Buffer, now: Timestamp) -> Targets {
        let (area, mut targets) = (frame.area, Targets::default());
        let mut screen = Painter::new(frame, area, &self.theme).marking(&mut targets);
        screen.text(1, 0, Role::Title, "Runs");
        if self.runs.iter().any(|run| run.best_accuracy.is_some()) {
            let (width, ellipsis) = (screen.width(), screen.glyphs().ellipsis);
            let caveat = format::fit(BEST_IS_OPTIMISTIC, width.saturating_sub(6), ellipsis);
            screen.text(6, 0, Role::Dim, &caveat);
        }
        let mut lines = lines(
            &self.runs,
            now,
            screen.width().saturating_sub(1),
            screen.glyphs().ellipsis,
        );
        screen.text(1, 1, Role::Dim, &lines.remove(0));
        if self.runs.is_empty() {
            screen.text(
                1,
                2,
                Role::Text,
                "none in ./runs, and none you began elsewhere",
            );
        }
        let (role, note) = self.note(screen.width().saturating_sub(1));
        // Most of the rows are for the runs.
        let most = (screen.height() / 3).max(1);
        let note = &note[..note.len().min(most)];
        // One row each for title and heading.
        let rows = screen.height().saturating_sub(2 + note.len());
        let top = (self.selected + 1).saturating_sub(rows);
        for (y, (index, run)) in self
            .runs
            .iter()
            .enumerate()
            .skip(top)
            .take(rows)
            .enumerate()
        {
            let mark = if index == self.selected { ">" } else { " " };
            let role = match (index == self.selected, run.status.is_live()) {
                (true, _) => Role::Selected,
                (false, true) => Role::Text,
                (false, false) => Role::Dim,
            };
            screen.text(0, 2 + y, role, &format!("{mark}{}", lines[index]));
            let width = screen.width();
            screen.target((0, 2 + y), (width, 1), Target::Part(Part::Row(index)));
        }
        let below = screen.height().saturating_sub(note.len());
        for (y, line) in note.iter().enumerate() {
            screen.text(1, below + y, role, line);
        }
        targets
    }

    /// What stands below the list: why the selected run cannot be read, or the keys.
    fn note(&self, width: usize) -> (Role, Vec<String>) {
        let selected = self.runs.get(self.selected);
        match selected.and_then(|run| run.unreadable.as_deref()) {
            Some(reason) => (
                Role::Warning,
                format::wrap(&format::without_error_number(reason), width),
            ),
            None => (
                Role::Dim,
                vec!["Enter watch   j/k or arrows choose   r look again   q leave".to_owned()],
            ),
        }
    }
}

/// The columns. Numbers are aligned to the right.
const TITLES: [&str; 8] = [
    "run",
    "state",
    "preset/network",
    "progress",
    "children",
    "best accuracy",
    "policy lift",
    "changed",
];
const IS_NUMBER: [bool; 8] = [false, false, false, false, true, true, false, false];
/// Columns that a narrow screen leaves out, in this order: preset or network (most names end with
/// it), children, and the policy lift, which is also left out if no run has one.
const DISPENSABLE: [usize; 3] = [2, 4, LIFT];
/// Columns that it also leaves out if no name has to be cut then: the time, and the progress.
const FOR_NAMES: [usize; 2] = [7, 3];
const LIFT: usize = 6;

/// The heading, then each run, in lines of `width` columns; if that is not enough, names are cut.
pub(super) fn lines(runs: &[RunInfo], now: Timestamp, width: usize, ellipsis: &str) -> Vec<String> {
    let rows: Vec<[String; 8]> = std::iter::once(TITLES.map(str::to_owned))
        .chain(
            runs.iter()
                .zip(distinct_names(runs))
                .map(|(run, name)| row(run, name, now)),
        )
        .collect();
    let mut widths: [usize; 8] = std::array::from_fn(|column| {
        rows.iter()
            .map(|row| row[column].width())
            .max()
            .unwrap_or(0)
    });
    // A column that is left out has no width.
    let needed = |widths: &[usize; 8]| {
        widths
            .iter()
            .filter(|width| **width > 0)
            .map(|width| width + 1)
            .sum::<usize>()
            - 1
    };
    if rows[1..].iter().all(|row| row[LIFT].is_empty()) {
        widths[LIFT] = 0;
    }
    for column in DISPENSABLE {
        if needed(&widths) > width {
            widths[column] = 0;
        }
    }
    let mut fewest = widths;
    FOR_NAMES.iter().for_each(|column| fewest[*column] = 0);
    for column in FOR_NAMES {
        if needed(&widths) > width && needed(&fewest) <= width {
            widths[column] = 0;
        }
    }
    widths[0] -= needed(&widths).saturating_sub(width).min(widths[0] - 1);
    let line = |row: &[String; 8]| {
        let cells = (0..8).filter(|column| widths[*column] > 0).map(|column| {
            let (text, width) = (
                format::fit(&row[column], widths[column], ellipsis),
                widths[column],
            );
            if IS_NUMBER[column] {
                text::right(&text, width)
            } else {
                text::left(&text, width)
            }
        });
        cells.collect::<Vec<_>>().join(" ")
    };
    rows.iter().map(line).collect()
}

fn row(run: &RunInfo, name: String, now: Timestamp) -> [String; 8] {
    [
        name,
        run.word().to_owned(),
        run.work.subject().to_owned(),
        run.work.progress(),
        run.work.children(),
        run.best_in_words(format::accuracy),
        run.work.lift(run.status),
        run.changed.map_or_else(String::new, |time| {
            format!("{} ago", age(now.duration_since(time).as_secs_f64()))
        }),
    ]
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

#[cfg(test)]
mod tests;

//! The screen without a terminal: takes records, keys and measurements, and draws; all I/O is in `event_loop`.

use crossterm::event::{KeyEvent, KeyEventKind};
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::keymap::{self, Action, Context, Key};
use super::layout::{self, Areas};
use super::paint::{self, Painter};
use super::panels::{self, Content};
use super::theme::{Role, Theme};
use super::view::{Answer, Overlay, Panel, Quantity, Question, View};
use super::{Leave, panels::dna};
use crate::event::{Event, Level, Record, VERSION};
use crate::link::Command;
use crate::state::{Phase, RunState};

/// What is left to do by whoever holds the terminal and the connection.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Nothing,
    /// Something visible changed.
    Draw,
    /// Draw every cell: the terminal may show something else.
    Repaint,
    Suspend,
    Send(Command),
    Leave(Leave),
}

/// All that the screen knows.
pub struct App {
    pub state: RunState,
    pub view: View,
    pub theme: Theme,
    pub time_zone: TimeZone,
    /// The user has asked from this screen for the run to stop.
    stop_asked: bool,
}

impl App {
    pub fn new(theme: Theme, time_zone: TimeZone, size: Size, now: jiff::Timestamp) -> App {
        App { state: RunState::default(), view: View::new(size, now), theme, time_zone, stop_asked: false }
    }

    /// Take in one record of the run.
    pub fn take(&mut self, record: &Record) {
        if let Event::ChildFinished(_) | Event::ChildFailed { .. } = record.event
            && let Some((worker, training, true)) = dna::shown(&self.state, &self.view)
        {
            self.view.last_training = Some((worker, training.clone()));
        }
        self.state.apply(record);
    }

    /// Put a line of another program part into the log, as if the search had noticed it.
    pub fn note(&mut self, level: Level, message: String, time: jiff::Timestamp) {
        let event = Event::Notice { level, message };
        self.state.apply(&Record { v: VERSION, seq: None, time, event });
    }

    /// Whether the screen has done what it was opened for: the stop that was asked for here has come.
    pub fn done(&self) -> Option<Leave> {
        (self.stop_asked && self.finished()).then_some(Leave::Stopped)
    }

    pub fn finished(&self) -> bool {
        matches!(self.state.phase, Phase::Finished(_))
    }

    /// Whether nothing can happen without the user: then nothing is drawn without one either.
    pub fn stands_still(&self) -> bool {
        self.finished() || self.state.phase == Phase::Paused
    }

    /// Where keys go now.
    pub fn context(&self) -> Context {
        match (self.view.question, self.view.overlay) {
            (Some(_), _) => Context::Question,
            (None, Some(_)) => Context::Overlay,
            (None, None) => Context::Panels,
        }
    }

    /// Do what a key asks for.
    pub fn key(&mut self, event: &KeyEvent) -> Effect {
        if event.kind == KeyEventKind::Release {
            return Effect::Nothing;
        }
        keymap::action(self.context(), Key::of(event)).map_or(Effect::Nothing, |action| self.perform(action))
    }

    fn perform(&mut self, action: Action) -> Effect {
        match action {
            Action::TogglePause => return self.toggle_pause(),
            Action::Quit => return self.quit(),
            Action::Repaint => return Effect::Repaint,
            Action::Suspend => return Effect::Suspend,
            Action::Answer => return self.answer(self.view.answer),
            Action::AnswerStop => return self.answer(Answer::Stop),
            Action::AnswerCancel => return self.answer(Answer::Cancel),
            Action::NextAnswer => {
                self.view.answer = if self.view.answer == Answer::Stop { Answer::Cancel } else { Answer::Stop };
            }
            Action::ToggleHelp => self.toggle_overlay(Overlay::Help),
            Action::ToggleBest => self.toggle_overlay(Overlay::Best),
            Action::ToggleAxis => {
                self.view.quantity = if self.view.quantity == Quantity::Reward { Quantity::Accuracy } else { Quantity::Reward };
            }
            Action::FocusNext => self.view.focus = self.view.focus.next(),
            Action::FocusPrevious => self.view.focus = self.view.focus.previous(),
            Action::ToggleMaximised => self.view.maximised = !self.view.maximised,
            Action::Back if self.view.overlay.is_some() => self.view.overlay = None,
            Action::Back => self.view.maximised = false,
            Action::PreviousChild => self.choose_worker(false),
            Action::NextChild => self.choose_worker(true),
            Action::Up => self.scroll(Scroll::By(-1)),
            Action::Down => self.scroll(Scroll::By(1)),
            Action::PageUp => self.scroll(Scroll::Pages(-1)),
            Action::PageDown => self.scroll(Scroll::Pages(1)),
            Action::Top => self.scroll(Scroll::Top),
            Action::Bottom => self.scroll(Scroll::Bottom),
        }
        Effect::Draw
    }

    /// Ask the search; the screen shows the change when the search says so.
    fn toggle_pause(&self) -> Effect {
        match self.state.phase {
            Phase::Running => Effect::Send(Command::Pause),
            Phase::Pausing | Phase::Paused => Effect::Send(Command::Resume),
            Phase::Starting | Phase::Stopping | Phase::Finished(_) => Effect::Nothing,
        }
    }

    fn quit(&mut self) -> Effect {
        if self.finished() {
            return Effect::Leave(Leave::Finished);
        }
        let stopping = self.stop_asked || self.state.phase == Phase::Stopping;
        self.view.question = Some(if stopping { Question::Leave } else { Question::Stop });
        self.view.answer = Answer::Cancel;
        Effect::Draw
    }

    fn answer(&mut self, answer: Answer) -> Effect {
        match (self.view.question.take(), answer) {
            (Some(Question::Stop), Answer::Stop) if self.finished() => Effect::Leave(Leave::Finished),
            (Some(Question::Stop), Answer::Stop) => {
                self.stop_asked = true;
                Effect::Send(Command::Stop)
            }
            (Some(Question::Leave), Answer::Stop) => Effect::Leave(Leave::Cancelled),
            _ => Effect::Draw,
        }
    }

    fn toggle_overlay(&mut self, overlay: Overlay) {
        self.view.overlay = if self.view.overlay == Some(overlay) { None } else { Some(overlay) };
        self.view.overlay_top = 0;
    }

    fn choose_worker(&mut self, forward: bool) {
        let Some((current, ..)) = dna::shown(&self.state, &self.view) else { return };
        let mut workers = self.state.training.keys().copied();
        let chosen = if forward { workers.find(|worker| *worker > current) } else { workers.rfind(|worker| *worker < current) };
        if let Some(worker) = chosen {
            self.view.worker = worker;
            self.view.dna_top = 0;
        }
    }

    pub fn areas(&self) -> Option<Areas> {
        layout::areas(self.view.size, self.view.focus, self.view.maximised, dna::rows(&self.state))
    }

    fn scroll(&mut self, scroll: Scroll) {
        let Some(areas) = self.areas() else { return };
        if let Some(overlay) = self.view.overlay {
            let area = overlay_inside(self.overlay_area(self.view.size, overlay));
            let content = self.overlay_content(overlay, usize::from(area.width));
            self.view.overlay_top = scroll.apply(self.view.overlay_top, &content, usize::from(area.height));
            return;
        }
        let Some(area) = areas.of(self.view.focus).map(panels::inside) else { return };
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        match self.view.focus {
            Panel::Chart => {}
            Panel::Dna => {
                self.view.dna_top = scroll.apply(self.view.dna_top, &dna::content(self, width, height), height);
            }
            Panel::Gpu => {
                self.view.gpu_top = scroll.apply(self.view.gpu_top, &panels::machine::content(self, width, height), height);
            }
            Panel::Log => self.scroll_log(scroll, width, height),
        }
    }

    fn scroll_log(&mut self, scroll: Scroll, width: usize, height: usize) {
        let newest = self.state.log_dropped + (self.state.log.len() as u64).saturating_sub(1);
        // Where all lines fit there is nothing to scroll.
        let Some(first) = panels::log::first_end(self, width, height) else {
            self.view.log_end = None;
            return;
        };
        let end = self.view.log_end.unwrap_or(newest);
        let page = height.saturating_sub(1).max(1) as u64;
        let end = match scroll {
            Scroll::By(rows) => end.saturating_add_signed(rows as i64),
            Scroll::Pages(pages) => end.saturating_add_signed(pages as i64 * page as i64),
            Scroll::Top => first,
            Scroll::Bottom => newest,
        };
        self.view.log_end = (end < newest).then(|| end.max(first)).filter(|end| *end < newest);
    }

    /// Area of an overlay: centred, no larger than it needs, between header and footer.
    fn overlay_area(&self, size: Size, overlay: Overlay) -> Rect {
        let width = match overlay {
            Overlay::Help => 72,
            Overlay::Best => 96,
        };
        let width = size.width.saturating_sub(4).min(width);
        let content = self.overlay_content(overlay, usize::from(width.saturating_sub(4)));
        let rows = size.height.saturating_sub(4);
        let height = rows.min((content.head.len() + content.body.len() + 2).min(usize::from(u16::MAX)) as u16);
        Rect::new((size.width - width) / 2, 2 + (rows - height) / 2, width, height)
    }

    fn overlay_content(&self, overlay: Overlay, width: usize) -> Content {
        match overlay {
            Overlay::Help => panels::help::content(),
            Overlay::Best => panels::best::content(self, width),
        }
    }

    /// Draw everything. Changes nothing.
    pub fn draw(&self, frame: &mut Buffer) {
        let area = frame.area;
        let mut screen = Painter::new(frame, area, &self.theme);
        let areas = layout::areas(area.as_size(), self.view.focus, self.view.maximised, dna::rows(&self.state));
        let Some(areas) = areas else {
            self.draw_too_small(&mut screen);
            return;
        };
        self.draw_panels(&areas, &mut screen);
        if let Some(overlay) = self.view.overlay {
            self.draw_overlay(overlay, &mut screen);
        }
        if let Some(question) = self.view.question {
            panels::question::draw(self, question, &mut screen);
        }
    }

    /// Rows whose text moves up as a whole: those of the log, where it has the whole width.
    pub fn scrolling_rows(&self) -> Option<std::ops::Range<u16>> {
        let areas = self.areas().filter(|_| self.view.overlay.is_none() && self.view.question.is_none())?;
        let log = areas.of(Panel::Log).filter(|area| area.width == self.view.size.width)?;
        Some(log.y + 1..log.bottom())
    }

    fn draw_too_small(&self, screen: &mut Painter<'_>) {
        let Size { width, height } = layout::SMALLEST;
        let (phase, role) = panels::header::phase(self.state.phase);
        screen.text(0, 0, role, phase);
        let needed = format!("needs {width} x {height} characters");
        for (y, line) in super::format::wrap(&needed, screen.width()).iter().enumerate() {
            screen.text(0, 1 + y, Role::Text, line);
        }
    }

    fn draw_panels(&self, areas: &Areas, screen: &mut Painter<'_>) {
        for separator in &areas.separators {
            let mut line = screen.part(*separator);
            for y in 0..line.height() {
                let row = line.area().y + y as u16;
                let title = |right: bool| areas.panels.iter().any(|(_, area)| area.y == row && (area.x > separator.x) == right);
                let glyphs = line.glyphs();
                line.text(
                    0,
                    y,
                    Role::Dim,
                    match (title(false), title(true)) {
                        (true, true) if y == 0 => glyphs.junctions[0],
                        (true, false) => glyphs.junctions[1],
                        (false, true) => glyphs.junctions[2],
                        (true, true) => glyphs.junctions[3],
                        (false, false) => glyphs.vertical,
                    },
                );
            }
        }
        panels::header::draw(self, &mut screen.part(areas.header));
        panels::footer::draw(self, &mut screen.part(areas.footer));
        if let Some(tabs) = areas.tabs {
            self.draw_tabs(&mut screen.part(tabs));
        }
        for (panel, area) in &areas.panels {
            let mut painter = screen.part(*area);
            match panel {
                Panel::Chart => panels::chart::draw(self, &mut painter),
                Panel::Dna => panels::dna::draw(self, &mut painter),
                Panel::Gpu => panels::machine::draw(self, &mut painter),
                Panel::Log => panels::log::draw(self, &mut painter),
            }
        }
    }

    fn draw_tabs(&self, painter: &mut Painter<'_>) {
        let mut x = 1;
        for panel in Panel::ALL {
            let role = if panel == self.view.focus { Role::Selected } else { Role::Text };
            x = painter.text(x, 0, role, &format!(" {} ", panel_name(panel))) + 1;
        }
    }

    fn draw_overlay(&self, overlay: Overlay, screen: &mut Painter<'_>) {
        let area = self.overlay_area(screen.area().as_size(), overlay);
        let mut painter = screen.part(area);
        paint::frame(
            &mut painter,
            match overlay {
                Overlay::Help => "Keys",
                Overlay::Best => "Best architecture",
            },
        );
        let inside = overlay_inside(area);
        let content = self.overlay_content(overlay, usize::from(inside.width));
        content.draw(&mut painter.part(inside), self.view.overlay_top);
        if let Some(position) = content.position(usize::from(inside.height), self.view.overlay_top) {
            let (width, height) = (painter.width(), painter.height());
            painter.right(width.saturating_sub(2), height.saturating_sub(1), Role::Focus, &format!(" {position} "));
        }
    }
}

fn panel_name(panel: Panel) -> &'static str {
    match panel {
        Panel::Chart => "Chart",
        Panel::Dna => "DNA",
        Panel::Gpu => "GPU",
        Panel::Log => "Log",
    }
}

fn overlay_inside(area: Rect) -> Rect {
    Rect::new(area.x + 2, area.y + 1, area.width.saturating_sub(4), area.height.saturating_sub(2))
}

/// How far a key scrolls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scroll {
    By(isize),
    Pages(isize),
    Top,
    Bottom,
}

impl Scroll {
    /// The first row shown after scrolling from `top`.
    fn apply(self, top: usize, content: &Content, height: usize) -> usize {
        let page = content.room(height).saturating_sub(1).max(1) as isize;
        let last = content.last_top(height);
        let top = match self {
            Scroll::By(rows) => top.min(last).saturating_add_signed(rows),
            Scroll::Pages(pages) => top.min(last).saturating_add_signed(pages * page),
            Scroll::Top => 0,
            Scroll::Bottom => last,
        };
        top.min(last)
    }
}

//! The mouse: what a click means where it is made, drags along a plot, and the wheel.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{App, Effect};
use crate::tui::panels::PanelId;
use crate::tui::panels::panel::{Panel, Response};
use crate::tui::panels::scene::Scene;
use crate::tui::panels::scroll::Scroll;
use crate::tui::plot::Span;
use crate::tui::target::{Part, Target, Targets};
use crate::tui::text_line::Purpose;

/// Rows per notch of the wheel.
const NOTCH: isize = 3;

impl App {
    /// Handle the mouse on a screen that shows these targets.
    pub fn mouse(&mut self, event: &MouseEvent, targets: &Targets) -> Effect {
        let at = Position::new(event.column, event.row);
        let effect = match event.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                self.view.message = None;
                self.press(at, targets)
            }
            MouseEventKind::Drag(MouseButton::Left) => self.drag(at, targets),
            MouseEventKind::ScrollUp => self.wheel(-NOTCH, targets.panel_at(at)),
            MouseEventKind::ScrollDown => self.wheel(NOTCH, targets.panel_at(at)),
            MouseEventKind::Up(_) => {
                self.view.plot_held = None;
                Effect::Nothing
            }
            _ => Effect::Nothing,
        };
        self.refresh();
        effect
    }

    fn press(&mut self, at: Position, targets: &Targets) -> Effect {
        self.view.plot_held = None;
        let Some((area, target)) = targets.at(at) else {
            return Effect::Draw;
        };
        if let Some(line) = &self.view.text {
            // A line being typed is ended with its keys, not by a slip of the hand; but an entry of
            // the palette can be taken.
            return match (line.purpose, target) {
                (Purpose::Palette, Target::Part(Part::Row(entry))) => {
                    self.view.entry = entry;
                    self.take_entry()
                }
                _ => Effect::Draw,
            };
        }
        let in_inspector = self.view.inspector.is_some();
        match target {
            Target::Nothing => {}
            Target::Action(action) => return self.act(action, None),
            Target::Part(part) if self.view.runs.is_some() => return self.click_in_runs(part),
            Target::Part(part) if in_inspector => return self.click_in_inspector(part),
            target => {
                if let Some(panel) = targets.panel_at(at) {
                    self.click(panel, target, (at, area));
                }
            }
        }
        Effect::Draw
    }

    /// A click on something in a panel, which focuses the panel. What was already selected in the
    /// focused panel is opened.
    fn click(&mut self, panel: PanelId, target: Target, (at, area): (Position, Rect)) {
        let selected = (self.view.focus == panel).then(|| self.child_at_hand());
        let selected = selected.flatten();
        self.view.focus = panel;
        match target {
            Target::Part(Part::Child(child)) if selected == Some(child) => self.inspect(selected),
            Target::Part(part) => {
                let understood = self.click_part(panel, part);
                if let (Part::Child(child), false) = (part, understood) {
                    self.choose(Some(child));
                }
            }
            Target::Worker(worker) => {
                let training = self.state().search().of_worker(worker);
                let child = training.map(|training| training.child);
                if child.is_some() && selected == child {
                    self.inspect(child);
                } else {
                    self.choose(None);
                    self.view.worker = worker;
                }
            }
            Target::Numbers(span) => {
                self.view.plot_held = Some(area);
                self.click_part(panel, number(at, area, span));
            }
            Target::Nothing | Target::Panel(_) | Target::Action(_) => {}
        }
    }

    /// The crosshair follows the mouse while the button is held down, outside the plot too.
    fn drag(&mut self, at: Position, targets: &Targets) -> Effect {
        let held = self.view.plot_held;
        let Some((area, span)) = held.and_then(|area| Some((area, targets.numbers_in(area)?)))
        else {
            return Effect::Nothing;
        };
        if self.click_part(self.view.focus, number(at, area, span)) {
            Effect::Draw
        } else {
            Effect::Nothing
        }
    }

    /// Scroll what is under the mouse, wherever the focus is.
    fn wheel(&mut self, rows: isize, panel: Option<PanelId>) -> Effect {
        if self.view.question.is_some() {
            return Effect::Nothing;
        }
        if self.view.help.is_some() {
            self.scroll_help(Scroll::By(rows));
            return Effect::Draw;
        }
        if self.view.runs.is_some() {
            self.scroll_runs(Scroll::By(rows));
            return Effect::Draw;
        }
        if self.view.inspector.is_some() {
            return self.wheel_in_inspector(Scroll::By(rows));
        }
        // One that was shown in the last frame may have no area by now.
        let is_shown = |panel: &PanelId| self.scene().shows(*panel);
        let scrolled = panel.filter(is_shown).is_some_and(|panel| {
            self.ask_panel(panel, |panel, scene, area| panel.wheel(rows, scene, area))
        });
        if scrolled {
            Effect::Draw
        } else {
            Effect::Nothing
        }
    }

    fn click_part(&mut self, panel: PanelId, part: Part) -> bool {
        self.ask_panel(panel, |panel, scene, area| panel.click(part, scene, area))
    }

    /// Have a panel do something in its area, and do what it asks for; false if it means nothing
    /// there.
    pub(super) fn ask_panel(
        &mut self,
        panel: PanelId,
        ask: impl FnOnce(&mut dyn Panel, &Scene<'_>, Rect) -> Option<Response>,
    ) -> bool {
        let area = self.areas().and_then(|areas| areas.of(panel));
        let mut panels = std::mem::take(&mut self.view.panels);
        let scene = self.scene();
        let response = ask(panels.get_mut(panel), &scene, area.unwrap_or(Rect::ZERO));
        self.view.panels = panels;
        let understood = response.is_some();
        self.respond(response.unwrap_or(Response::Draw));
        understood
    }
}

/// The number that a column of a plot stands for; the nearest one beside the plot.
fn number(at: Position, plot: Rect, span: Span) -> Part {
    let last = plot.width.saturating_sub(1);
    let column = at.x.saturating_sub(plot.x).min(last);
    Part::Number(span.at(column.into(), plot.width.into()))
}

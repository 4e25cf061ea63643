//! Lines of text: the filter of the children, the search in the log.

use crossterm::event::KeyEvent;

use super::{App, Effect};
use crate::config::LayoutName;
use crate::event::RunKind;
use crate::tui::panels::PanelId;
use crate::tui::text_line::{Purpose, TextLine};

impl App {
    /// Start typing what to find in the focused panel, or else in the children, or in the log of a
    /// training.
    pub(super) fn begin_typing(&mut self) {
        if self.purpose_here().is_none() {
            self.show_layout(match self.kind() {
                RunKind::Training => LayoutName::Log,
                RunKind::Search => LayoutName::Children,
            });
        }
        if let Some(purpose) = self.purpose_here() {
            self.begin_text(purpose);
        }
    }

    /// What is found in the focused panel by typing.
    fn purpose_here(&self) -> Option<Purpose> {
        let focused = self.view.panels.get(self.view.focus);
        let mut purposes = [Purpose::Search, Purpose::Filter].into_iter();
        purposes.find(|purpose| focused.text(*purpose).is_some())
    }

    /// Start typing the text that a panel has for this purpose.
    pub(super) fn begin_text(&mut self, purpose: Purpose) {
        let text = |panel: PanelId| self.view.panels.get(panel).text(purpose);
        let text = self.panel_with(purpose).and_then(text);
        self.view.text = text.map(|text| TextLine::new(purpose, text));
    }

    fn panel_with(&self, purpose: Purpose) -> Option<PanelId> {
        let mut all = PanelId::all().into_iter();
        all.find(|panel| self.view.panels.get(*panel).text(purpose).is_some())
    }

    pub(super) fn type_key(&mut self, key: &KeyEvent) -> Effect {
        let known = self.view.text.as_mut().is_some_and(|line| line.key(key));
        if known { Effect::Draw } else { Effect::Nothing }
    }

    pub(super) fn accept_text(&mut self) -> Effect {
        let Some(mut line) = self.view.text.take() else {
            return Effect::Nothing;
        };
        let Some(panel) = self.panel_with(line.purpose) else {
            return Effect::Draw;
        };
        let mut panels = std::mem::take(&mut self.view.panels);
        let accepted = panels
            .get_mut(panel)
            .set_text(line.purpose, &line.text(), &self.scene());
        self.view.panels = panels;
        match accepted {
            Ok(response) => self.respond(response),
            Err(problem) => {
                line.problem = Some(problem);
                self.view.text = Some(line);
            }
        }
        Effect::Draw
    }
}

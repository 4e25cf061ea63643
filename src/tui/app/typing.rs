//! Lines of text: the filter of the children, the search in the log, notes.

use std::collections::BTreeSet;

use crossterm::event::KeyEvent;

use super::{App, Effect};
use crate::config::{Column, LayoutName};
use crate::event::{Level, RunKind};
use crate::tui::keymap::{Action, Context};
use crate::tui::panels::PanelId;
use crate::tui::panels::panel::Response;
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

    /// The panel that has a text for this purpose.
    pub(super) fn panel_with(&self, purpose: Purpose) -> Option<PanelId> {
        let mut all = PanelId::all().into_iter();
        all.find(|panel| self.view.panels.get(*panel).text(purpose).is_some())
    }

    pub(super) fn type_key(&mut self, key: &KeyEvent) -> Effect {
        if !self.view.text.as_mut().is_some_and(|line| line.key(key)) {
            return Effect::Nothing;
        }
        self.view.entry = 0;
        self.preview();
        Effect::Draw
    }

    /// Text that is pasted goes into the line that is open; it is never taken for keys.
    pub fn paste(&mut self, text: &str) -> Effect {
        self.view.message = None;
        let Some(line) = &mut self.view.text else {
            let mut text = "pasted text is not taken for keys".to_owned();
            if let Context::Panel(_) = self.context() {
                let key = |action| self.keymap.key_of(action);
                let [find, all] = [Action::Search, Action::Palette].map(key);
                text += &format!("; {find} and {all} open a line for it");
            }
            self.tell(Level::Info, text);
            return Effect::Draw;
        };
        line.paste(text);
        self.view.entry = 0;
        self.preview();
        self.refresh();
        Effect::Draw
    }

    /// Show at once what the line typed so far filters; a text that is not valid yet changes nothing, and the
    /// line says why.
    pub(super) fn preview(&mut self) {
        let Some(line) = &self.view.text else { return };
        let (purpose, text) = (line.purpose, line.text());
        if matches!(
            purpose,
            Purpose::Filter | Purpose::LogFilter | Purpose::Columns
        ) {
            let doubt = self.set_text(purpose, &text).err();
            if let Some(line) = &mut self.view.text {
                line.doubt = doubt;
            }
        }
    }

    /// Close the line of text; what it filtered is as before.
    pub(super) fn discard_text(&mut self) {
        if let Some(line) = self.view.text.take()
            && line.purpose != Purpose::Search
        {
            let _ = self.set_text(line.purpose, &line.original);
        }
    }

    /// Recall a text typed before or after, or go to the entry above or below.
    pub(super) fn recall(&mut self, older: bool) {
        let Some(line) = &mut self.view.text else {
            return;
        };
        if line.purpose == Purpose::Palette {
            return self.step_entry(!older);
        }
        let typed = self.view.typed.get(&line.purpose.of_any_child());
        line.recall(typed.map_or(&[], Vec::as_slice), older);
        self.preview();
    }

    /// Complete the word at the cursor, or go to the entry below.
    pub(super) fn complete(&mut self) {
        let Some(mut line) = self.view.text.take() else {
            return;
        };
        let is_palette = line.purpose == Purpose::Palette;
        if !is_palette {
            let mut words: Vec<&str> = self.words(line.purpose);
            words.extend(self.tags(line.purpose));
            line.complete(&words);
        }
        self.view.text = Some(line);
        if is_palette {
            self.step_entry(true);
        }
        self.preview();
    }

    /// The words that texts for this purpose are made of.
    pub(super) fn words(&self, purpose: Purpose) -> Vec<&'static str> {
        let panel = self.panel_with(purpose);
        panel.map_or_else(Vec::new, |panel| self.view.panels.get(panel).words(purpose))
    }

    /// Show these columns of the list of children.
    pub(super) fn begin_with_columns(&mut self, columns: &[Column]) {
        let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
        // The settings were checked: no name is unknown or comes twice.
        let _ = self.set_text(Purpose::Columns, &names.join(" "));
    }

    /// The tags that a text for this purpose can contain.
    fn tags(&self, purpose: Purpose) -> BTreeSet<&str> {
        match purpose {
            Purpose::Filter | Purpose::Note(_) => self.live.search().notes.tags(),
            _ => BTreeSet::new(),
        }
    }

    /// Keep a text so that it can be recalled.
    pub(super) fn remember(&mut self, purpose: Purpose, text: &str) {
        let typed = self.view.typed.entry(purpose.of_any_child()).or_default();
        if !text.is_empty() && typed.last().is_none_or(|last| last != text) {
            typed.push(text.to_owned());
        }
    }

    /// Have the panel that has a text for this purpose use this one.
    fn set_text(&mut self, purpose: Purpose, text: &str) -> Result<Response, String> {
        let Some(panel) = self.panel_with(purpose) else {
            return Ok(Response::Draw);
        };
        let mut panels = std::mem::take(&mut self.view.panels);
        let set = panels.get_mut(panel).set_text(purpose, text, &self.scene());
        self.view.panels = panels;
        set
    }

    pub(super) fn accept_text(&mut self) -> Effect {
        let Some(mut line) = self.view.text.take() else {
            return Effect::Nothing;
        };
        if line.purpose == Purpose::Palette {
            self.view.text = Some(line);
            return self.take_entry();
        }
        if let Purpose::Note(child) = line.purpose {
            return self.accept_note(child, line);
        }
        match self.set_text(line.purpose, &line.text()) {
            Ok(response) => {
                self.remember(line.purpose, &line.text());
                self.respond(response);
            }
            Err(problem) => {
                line.problem = Some(problem);
                self.view.text = Some(line);
            }
        }
        Effect::Draw
    }
}

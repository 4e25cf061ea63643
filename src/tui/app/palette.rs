//! The palette: opening it, selecting in it, and doing what was selected.

use super::{App, Effect};
use crate::config::LayoutName;
use crate::event::Level;
use crate::tui::keymap::Scope;
use crate::tui::paint::Painter;
use crate::tui::palette::{Choice, Entry, Surroundings, found};
use crate::tui::panels;
use crate::tui::text_line::{Purpose, TextLine};

impl App {
    pub(super) fn open_palette(&mut self) {
        self.view.help = None;
        self.view.entry = 0;
        self.neighbours.is_list_wanted |= self.neighbours.is_list_old(self.view.now);
        self.view.text = Some(TextLine::new(Purpose::Palette, ""));
    }

    /// The entries that fit what has been typed; `None` unless the palette is open.
    pub(super) fn palette(&self) -> Option<Vec<Entry>> {
        let line = self.view.text.as_ref()?;
        if line.purpose != Purpose::Palette {
            return None;
        }
        let around = Surroundings {
            page: self.page_context(),
            filters: &self.words(Purpose::Filter),
            settings: &self.settings,
            obstacles: &self.obstacles(),
        };
        Some(found(&self.scene(), around, &line.text()))
    }

    /// What is selected in the palette, if it is open.
    pub(super) fn selected_choice(&self) -> Option<Choice> {
        let entry = self.palette()?.into_iter().nth(self.view.entry)?;
        Some(entry.choice)
    }

    /// Select the entry for this again, among entries that have changed.
    pub(super) fn select_choice(&mut self, choice: &Choice) {
        let entries = self.palette().unwrap_or_default();
        let place = entries.iter().position(|entry| entry.choice == *choice);
        self.view.entry = place.unwrap_or(0);
    }

    pub(super) fn draw_palette(&self, screen: &mut Painter<'_>) {
        if let Some(entries) = self.palette() {
            let mut painter = screen.part(self.list_area());
            panels::palette::draw(&entries, self.view.entry, &mut painter);
        }
    }

    /// Select the entry above or below; after the last comes the first.
    pub(super) fn step_entry(&mut self, below: bool) {
        let count = self.palette().map_or(0, |entries| entries.len());
        let step = if below { 1 } else { count.saturating_sub(1) };
        self.view.entry = (self.view.entry + step) % count.max(1);
    }

    /// Close the palette and do what is selected in it.
    pub(super) fn take_entry(&mut self) -> Effect {
        let entries = self.palette().unwrap_or_default();
        self.view.text = None;
        let Some(entry) = entries.into_iter().nth(self.view.entry) else {
            return Effect::Draw;
        };
        if let Some(reason) = entry.obstacle {
            self.tell(Level::Warning, reason);
            return Effect::Draw;
        }
        match entry.choice {
            Choice::Act(action, scope) => {
                self.go_to(scope);
                return self.perform(action);
            }
            Choice::Focus(panel) => self.go_to(Scope::Panel(panel)),
            Choice::Inspect(child) => {
                self.view.runs = None;
                self.inspect(Some(child));
            }
            Choice::Setting(text) => self.tell(Level::Info, text),
            Choice::Show(run) => return self.show_run(run),
            Choice::Compare(folder) => {
                let listed = self.neighbours.listed.as_ref();
                if let Some(place) = listed.and_then(|listed| listed.place_of(&folder)) {
                    self.toggle_other(place);
                }
            }
            Choice::Filter(text) => {
                (self.view.inspector, self.view.runs) = (None, None);
                let list = self.panel_with(Purpose::Filter);
                match list.filter(|list| self.scene().shows(*list)) {
                    Some(list) => self.view.focus = list,
                    None => self.show_layout(LayoutName::Children),
                }
                self.begin_text(Purpose::Filter);
                self.view.text = self.view.text.take().map(|line| line.with(&text));
                self.preview();
            }
        }
        Effect::Draw
    }

    /// Go where keys of this scope apply.
    fn go_to(&mut self, scope: Scope) {
        if !scope.holds_in(self.page_context()) {
            (self.view.inspector, self.view.runs) = (None, None);
        }
        if let Scope::Panel(panel) = scope {
            self.view.focus = panel;
        }
    }
}

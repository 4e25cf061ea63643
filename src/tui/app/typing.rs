//! Lines of text: the filter of the children, the search in the log.

use crossterm::event::KeyEvent;

use super::{App, Effect};
use crate::config::LayoutName;
use crate::event::Level;
use crate::event::RunKind;
use crate::tui::panels::log;
use crate::tui::text_line::{Purpose, TextLine};
use crate::tui::view::Panel;

impl App {
    /// Open a line for what the focused panel can look for; elsewhere, for the children, or the log
    /// of a training.
    pub(super) fn begin_typing(&mut self) {
        if self.view.focus == Panel::Log {
            self.view.text = Some(TextLine::new(Purpose::Search, &self.view.log.query));
            return;
        }
        if self.kind() == RunKind::Training {
            self.show_layout(LayoutName::Log);
            self.view.text = Some(TextLine::new(Purpose::Search, &self.view.log.query));
            return;
        }
        if self.view.focus != Panel::Children {
            self.show_layout(LayoutName::Children);
        }
        self.view.text = Some(TextLine::new(Purpose::Filter, &self.filter_text()));
    }

    pub(super) fn begin_log_filter(&mut self) {
        self.view.text = Some(TextLine::new(Purpose::LogFilter, &self.view.log.filter));
    }

    pub(super) fn type_key(&mut self, key: &KeyEvent) -> Effect {
        let known = self.view.text.as_mut().is_some_and(|line| line.key(key));
        if known { Effect::Draw } else { Effect::Nothing }
    }

    pub(super) fn accept_text(&mut self) -> Effect {
        let Some(line) = self.view.text.take() else {
            return Effect::Nothing;
        };
        match line.purpose {
            Purpose::Search => {
                self.view.log.query = line.text();
                if !self.view.log.query.is_empty() && !self.find_in_log(false) {
                    self.tell(
                        Level::Info,
                        format!("the log has no line with \"{}\"", self.view.log.query),
                    );
                }
            }
            Purpose::LogFilter => {
                self.view.log.filter = line.text();
                self.view.log.end = None;
            }
            Purpose::Filter => {
                if let Err(problem) = self.set_filter(&line.text()) {
                    let mut line = line;
                    line.problem = Some(problem);
                    self.view.text = Some(line);
                }
            }
        }
        Effect::Draw
    }

    /// Scroll the log to the next line that has the text searched for; false if there is none.
    pub(super) fn find_in_log(&mut self, forward: bool) -> bool {
        let found = log::find(self, forward);
        if found.is_some() {
            self.view.log.end = found;
        }
        found.is_some()
    }

    /// The next line found, later or earlier than the last one shown.
    pub(super) fn find_again(&mut self, later: bool) {
        if !self.find_in_log(later) {
            self.tell(Level::Info, "nothing found");
        }
    }

    /// Leave out one more level of the log; after errors alone, show all again.
    pub(super) fn next_level(&mut self) {
        self.view.log.least = match self.view.log.least {
            Level::Info => Level::Warning,
            Level::Warning => Level::Error,
            Level::Error => Level::Info,
        };
        self.view.log.end = None;
    }

    fn filter_text(&self) -> String {
        self.view.list.filter_text().to_owned()
    }

    fn set_filter(&mut self, text: &str) -> Result<(), String> {
        self.view
            .list
            .set_filter(text)
            .map_err(|error| error.to_string())
    }
}

//! Lines of text: the filter of the children, the search in the log.

use crossterm::event::KeyEvent;

use super::{App, Effect};
use crate::config::LayoutName;
use crate::event::Level;
use crate::event::RunKind;
use crate::tui::panels::PanelId;
use crate::tui::text_line::{Purpose, TextLine};

impl App {
    /// Start typing what to find in the focused panel, or else in the children, or in the log of a
    /// training.
    pub(super) fn begin_typing(&mut self) {
        if self.view.focus == PanelId::Log {
            self.view.text = Some(TextLine::new(Purpose::Search, &self.view.panels.log.query));
            return;
        }
        if self.kind() == RunKind::Training {
            self.show_layout(LayoutName::Log);
            self.view.text = Some(TextLine::new(Purpose::Search, &self.view.panels.log.query));
            return;
        }
        if self.view.focus != PanelId::Children {
            self.show_layout(LayoutName::Children);
        }
        self.view.text = Some(TextLine::new(
            Purpose::Filter,
            self.view.panels.list.filter_text(),
        ));
    }

    pub(super) fn begin_log_filter(&mut self) {
        self.view.text = Some(TextLine::new(
            Purpose::LogFilter,
            &self.view.panels.log.filter,
        ));
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
                let mut log = std::mem::take(&mut self.view.panels.log);
                log.query = line.text();
                if !log.query.is_empty() && !log.find_next(self.state(), false) {
                    self.tell(
                        Level::Info,
                        format!("the log has no line with \"{}\"", log.query),
                    );
                }
                self.view.panels.log = log;
            }
            Purpose::LogFilter => {
                self.view.panels.log.filter = line.text();
                self.view.panels.log.end = None;
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

    fn set_filter(&mut self, text: &str) -> Result<(), String> {
        self.view
            .panels
            .list
            .set_filter(text)
            .map_err(|error| error.to_string())
    }
}

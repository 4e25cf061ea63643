//! Focus, arrangements, and how far keys scroll.

use super::App;
use crate::config::LayoutName;
use crate::event::RunKind;
use crate::tui::keymap::Action;
use crate::tui::layout::{self, Areas};
use crate::tui::panels::{self, Content, help, training_run};
use crate::tui::view::Panel;

/// How far a key scrolls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scroll {
    By(isize),
    Pages(isize),
    Top,
    Bottom,
}

impl Scroll {
    pub(super) fn of(action: Action) -> Option<Scroll> {
        Some(match action {
            Action::Up => Scroll::By(-1),
            Action::Down => Scroll::By(1),
            Action::PageUp => Scroll::Pages(-1),
            Action::PageDown => Scroll::Pages(1),
            Action::Top => Scroll::Top,
            Action::Bottom | Action::Live => Scroll::Bottom,
            _ => return None,
        })
    }

    /// The first row shown after scrolling from `top`.
    pub fn apply(self, top: usize, content: &Content, height: usize) -> usize {
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

impl App {
    pub fn areas(&self) -> Option<Areas> {
        layout::areas(
            self.view.size,
            self.stage(),
            self.view.layout,
            self.view.focus,
            self.view.maximised,
        )
    }

    pub(super) fn navigate(&mut self, action: Action) {
        let in_panels = self.view.help.is_none() && self.view.inspector.is_none();
        match action {
            Action::LayoutOverview => self.show_layout(LayoutName::Overview),
            Action::LayoutLearning => self.show_layout(LayoutName::Learning),
            Action::LayoutChildren => self.show_layout(LayoutName::Children),
            Action::LayoutNetwork => self.show_layout(LayoutName::Network),
            Action::LayoutMachine => self.show_layout(LayoutName::Machine),
            Action::LayoutLog => self.show_layout(LayoutName::Log),
            Action::FocusNext => self.view.focus = self.view.focus.next(self.kind()),
            Action::FocusPrevious => self.view.focus = self.view.focus.previous(self.kind()),
            Action::Maximise => self.view.maximised = !self.view.maximised,
            Action::Live if self.in_the_past() => self.return_to_the_present(),
            Action::Back => self.back(),
            action if in_panels && self.perform_in_panel(action) => {}
            Action::Left | Action::Right if in_panels && self.kind() == RunKind::Training => {}
            Action::Left | Action::Right if in_panels => self.step_child(action == Action::Right),
            action => {
                if let Some(scroll) = Scroll::of(action) {
                    self.scroll(scroll);
                }
            }
        }
    }

    pub(super) fn show_layout(&mut self, name: LayoutName) {
        self.view.layout = name;
        self.view.focus = layout::main_panel(name, self.kind());
        self.view.maximised = false;
    }

    /// Leave what was opened last.
    fn back(&mut self) {
        let in_list = |app: &mut App| {
            app.view.focus == Panel::Children
                && (app.view.list.leave_mode() || app.view.list.clear_filter())
        };
        if self.view.help.take().is_some() || self.leave_crosshair() || in_list(self) {
        } else if self.in_the_past() {
            self.return_to_the_present();
        } else if self.view.focus == Panel::Log && self.clear_log_texts() {
        } else if self.view.maximised {
            self.view.maximised = false;
        } else {
            self.view.chosen = None;
        }
    }

    /// Show and mark the log as it is; false where nothing was filtered or searched for.
    fn clear_log_texts(&mut self) -> bool {
        let log = &mut self.view.log;
        let had = !log.filter.is_empty() || !log.query.is_empty();
        log.filter.clear();
        log.query.clear();
        had
    }

    fn scroll(&mut self, scroll: Scroll) {
        let Some(areas) = self.areas() else { return };
        if let Some(top) = self.view.help {
            let area = self.overlay_inside();
            let content = help::content(self, usize::from(area.width));
            self.view.help = Some(scroll.apply(top, &content, usize::from(area.height)));
            return;
        }
        let Some(area) = areas.of(self.view.focus).map(panels::inside) else {
            return;
        };
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        match self.view.focus {
            Panel::Chart | Panel::Children | Panel::Curves | Panel::Network => {}
            Panel::Progress => {
                let content = training_run::progress::content(self, width);
                self.view.training.progress_top =
                    scroll.apply(self.view.training.progress_top, &content, height);
            }
            Panel::Layers => {
                let content = training_run::layers::content(self, width);
                self.view.training.layers_top =
                    scroll.apply(self.view.training.layers_top, &content, height);
            }
            Panel::Test => {
                let content = training_run::test_result::content(self, width);
                self.view.training.test_top =
                    scroll.apply(self.view.training.test_top, &content, height);
            }
            Panel::Training => match scroll {
                Scroll::By(rows) | Scroll::Pages(rows) => self.step_worker(rows > 0),
                Scroll::Top | Scroll::Bottom => {}
            },
            Panel::Dna => {
                self.view.dna_top = scroll.apply(
                    self.view.dna_top,
                    &panels::dna::content(self, width, height),
                    height,
                );
            }
            Panel::Controller => {
                let content = panels::controller::content(self, width, height);
                self.view.controller_top = scroll.apply(self.view.controller_top, &content, height);
            }
            Panel::Machine => {
                self.view.machine_top = scroll.apply(
                    self.view.machine_top,
                    &panels::machine::content(self, width, height),
                    height,
                );
            }
            Panel::Log => self.view.log.end = panels::log::scrolled(self, scroll, width, height),
        }
    }
}

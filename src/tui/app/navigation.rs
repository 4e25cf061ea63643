//! Focus, arrangements, and scrolling.

use super::App;
use crate::config::LayoutName;
use crate::event::{Level, RunKind};
use crate::tui::keymap::{Action, Context};
use crate::tui::layout;
use crate::tui::panels::panel::{AtHand, Response};
use crate::tui::panels::scroll::Scroll;
use crate::tui::panels::{PanelId, help};

impl App {
    pub(super) fn navigate(&mut self, action: Action) {
        let in_panels = matches!(self.context(), Context::Panel(_));
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
                    self.scroll_help(scroll);
                }
            }
        }
    }

    pub(super) fn show_layout(&mut self, name: LayoutName) {
        self.view.layout = name;
        self.view.focus = layout::main_panel(name, self.kind());
        self.view.maximised = false;
    }

    /// Leave whatever was opened last.
    fn back(&mut self) {
        if self.view.help.take().is_some() || self.perform_in_panel(Action::Back) {
        } else if self.in_the_past() {
            self.return_to_the_present();
        } else if self.view.maximised {
            self.view.maximised = false;
        } else {
            self.view.chosen = None;
        }
    }

    /// Perform an action in the focused panel; false if it means nothing there.
    pub(super) fn perform_in_panel(&mut self, action: Action) -> bool {
        self.perform_in(self.view.focus, action)
    }

    /// Show another quantity in the chart, whichever panel has the focus, or say why that is not possible.
    pub(super) fn change_quantity(&mut self) {
        if let Some(reason) = self.scene().why_not(Action::ToggleQuantity) {
            return self.tell(Level::Info, reason);
        }
        self.perform_in(self.scene().chart_panel(), Action::ToggleQuantity);
    }

    fn perform_in(&mut self, panel: PanelId, action: Action) -> bool {
        self.ask_panel(panel, |panel, scene, area| panel.act(action, scene, area))
    }

    /// Do what a panel asks for.
    pub(super) fn respond(&mut self, response: Response) {
        match response {
            Response::Draw => {}
            Response::Choose(child) => self.choose(child),
            Response::StepWorker { forward } => self.step_worker(forward),
            Response::Tell(level, text) => self.tell(level, text),
        }
    }

    /// The child that Enter opens: the one at the focused panel's cursor or, if it has no cursor, the
    /// one shown in the panels.
    pub(super) fn child_at_hand(&self) -> Option<u64> {
        let scene = self.scene();
        match self.view.panels.get(self.view.focus).at_hand(&scene) {
            AtHand::Shown => scene.shown_child(),
            AtHand::Child(child) => Some(child),
            AtHand::FilteredOut => None,
        }
    }

    /// Why there is no child at hand.
    pub(super) fn no_child(&self) -> String {
        let scene = self.scene();
        match self.view.panels.get(self.view.focus).at_hand(&scene) {
            AtHand::FilteredOut => {
                let key = self.keymap.key_of(Action::Search);
                format!("the filter shows no child: {key} changes it")
            }
            _ => "there is no child yet".to_owned(),
        }
    }

    /// Why nothing but its figures is known of a child.
    pub(super) fn unread(&self, child: u64) -> String {
        match self.details.has(child) {
            true => format!("child {child} cannot be read from the journal"),
            false => format!("child {child} is being read"),
        }
    }

    pub(super) fn scroll_help(&mut self, scroll: Scroll) {
        let Some(top) = self.view.help else { return };
        let area = self.overlay_inside();
        let content = help::content(&self.scene(), &self.page(), usize::from(area.width));
        self.view.help = Some(scroll.apply(top, &content, usize::from(area.height)));
    }
}

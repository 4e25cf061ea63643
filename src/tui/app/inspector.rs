//! The inspector: the meaning of keys in it, and their effects.

use ratatui::layout::{Rect, Size};

use super::{App, Effect};
use crate::event::Level;
use crate::link::Command;
use crate::state::ChildDetail;
use crate::tui::keymap::Action;
use crate::tui::paint::Painter;
use crate::tui::panels;
use crate::tui::panels::inspector::{InspectorEffect, InspectorView, Known};
use crate::tui::panels::scroll::Scroll;
use crate::tui::target::Part;

impl App {
    /// Open the inspector on a child.
    pub(super) fn inspect(&mut self, child: Option<u64>) {
        let Some(child) = child else {
            self.tell(Level::Info, self.no_child());
            return;
        };
        let detail = self.detail(child);
        let inspector = InspectorView::open(child, &self.known(detail.as_ref()));
        self.view.inspector = Some(inspector);
    }

    /// The child in the inspector, if it is open.
    pub(super) fn inspected_child(&self) -> Option<u64> {
        self.view.inspector.as_ref().map(InspectorView::child)
    }

    /// Perform an action in the inspector; `None` if it means the same as elsewhere.
    pub(super) fn perform_in_inspector(&mut self, action: Action) -> Option<Effect> {
        // Nothing that the inspector could ask for first would make it possible.
        if action == Action::Queue
            && let Some(reason) = self.scene().why_not(action)
        {
            self.tell(Level::Warning, reason);
            return Some(Effect::Draw);
        }
        let effect =
            self.with_inspector(|inspector, known, size| inspector.act(action, known, size))??;
        Some(self.follow(effect))
    }

    /// A click on a part of the inspector.
    pub(super) fn click_in_inspector(&mut self, part: Part) -> Effect {
        self.with_inspector(|inspector, known, _| inspector.click(part, known));
        Effect::Draw
    }

    /// The wheel, anywhere on the inspector.
    pub(super) fn wheel_in_inspector(&mut self, scroll: Scroll) -> Effect {
        self.with_inspector(|inspector, known, size| inspector.scroll(scroll, known, size));
        Effect::Draw
    }

    /// Do what the inspector asks for.
    fn follow(&mut self, effect: InspectorEffect) -> Effect {
        match effect {
            InspectorEffect::Draw => Effect::Draw,
            InspectorEffect::Tell { level, text } => {
                self.tell(level, text);
                Effect::Draw
            }
            InspectorEffect::Copy { text, what } => {
                self.tell(
                    Level::Info,
                    format!("{what} copied ({} characters)", text.len()),
                );
                Effect::Copy(text)
            }
            InspectorEffect::Save(files) => Effect::Save(files),
            InspectorEffect::Queue { parent, dna } => {
                self.tell(
                    Level::Info,
                    format!("asked for child {parent}, as edited, to be trained"),
                );
                self.command(Command::Train { parent, dna })
            }
            InspectorEffect::Close => {
                self.view.inspector = None;
                Effect::Draw
            }
        }
    }

    pub(super) fn known<'a>(&'a self, detail: Option<&'a ChildDetail>) -> Known<'a> {
        Known {
            state: self.state(),
            detail,
            is_abandoned: self.scene().why_abandoned().is_some(),
        }
    }

    /// Update the inspector with what has become known about its child.
    pub(super) fn refresh_inspector(&mut self) {
        let _ = self.with_inspector(|inspector, known, _| inspector.refresh(known));
    }

    fn with_inspector<T>(
        &mut self,
        change: impl FnOnce(&mut InspectorView, &Known<'_>, Size) -> T,
    ) -> Option<T> {
        let mut inspector = self.view.inspector.take()?;
        let (detail, size) = (
            self.detail(inspector.child()),
            panels::inside(self.inspector_area()).as_size(),
        );
        let result = change(&mut inspector, &self.known(detail.as_ref()), size);
        self.view.inspector = Some(inspector);
        Some(result)
    }

    /// The area of the inspector: everything between header and footer.
    pub(super) fn inspector_area(&self) -> Rect {
        self.areas().map_or(Rect::ZERO, |areas| {
            let top = areas.header.bottom();
            Rect {
                y: top,
                height: areas.footer.y.saturating_sub(top),
                ..areas.header
            }
        })
    }

    pub(super) fn draw_inspector(&self, inspector: &InspectorView, screen: &mut Painter<'_>) {
        let detail = self.detail(inspector.child());
        let area = self.inspector_area();
        panels::title(
            &mut screen.part(area),
            true,
            "Inspector",
            &panels::Row::new(),
            None,
        );
        inspector.draw(
            &self.known(detail.as_ref()),
            &mut screen.part(panels::inside(area)),
        );
    }
}

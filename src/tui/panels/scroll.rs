//! Scrolling by keys.

use super::Content;
use crate::tui::keymap::Action;

/// How far a key scrolls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scroll {
    By(isize),
    Pages(isize),
    Top,
    Bottom,
}

impl Scroll {
    /// How far an action scrolls; `None` if it does not scroll.
    pub fn of(action: Action) -> Option<Scroll> {
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
        let page = content.room(height).saturating_sub(1).max(1);
        self.among(top, page, content.last_top(height))
    }

    /// The position among `0..=last` after scrolling from `place`, with `page` positions per page.
    pub fn among(self, place: usize, page: usize, last: usize) -> usize {
        let place = place.min(last);
        let place = match self {
            Scroll::By(rows) => place.saturating_add_signed(rows),
            Scroll::Pages(pages) => place.saturating_add_signed(pages * page as isize),
            Scroll::Top => 0,
            Scroll::Bottom => last,
        };
        place.min(last)
    }
}

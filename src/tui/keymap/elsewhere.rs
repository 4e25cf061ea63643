//! What a key means that means nothing in the focused panel.

use super::{Binding, Key, Keymap, Scope};
use crate::event::RunKind;
use crate::tui::panels::PanelId;

impl Keymap {
    /// What a key means that panels of this kind of run have, and panels of the other kind; each with the first
    /// such panel.
    pub fn in_panels(&self, key: Key, kind: RunKind) -> [Option<(PanelId, &'static Binding)>; 2] {
        let first = |own: bool| {
            let mut bound = self.bound.iter().filter(|bound| bound.keys.contains(&key));
            bound.find_map(|bound| match bound.binding.scope {
                Scope::Panel(panel) if panel.is_of(kind) == own => Some((panel, bound.binding)),
                _ => None,
            })
        };
        [true, false].map(first)
    }

    /// What a key means in the inspector.
    pub fn in_inspector(&self, key: Key) -> Option<&'static Binding> {
        let mut bound = self.bound.iter().filter(|bound| bound.keys.contains(&key));
        let bound = bound.find(|bound| bound.binding.scope == Scope::Inspector)?;
        Some(bound.binding)
    }
}

//! The panels that there are. Each registers itself in [`PANELS`].

use super::panel::{About, PANELS, Panel};
use crate::event::RunKind;

/// The id of a panel, used by arrangements, keys and the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PanelId(pub &'static str);

impl PanelId {
    /// Every panel, in the order of Tab.
    pub fn all() -> Vec<PanelId> {
        let mut all: Vec<&About> = PANELS.iter().collect();
        all.sort_by_key(|about| (about.place, about.id.0));
        all.into_iter().map(|about| about.id).collect()
    }

    /// The fixed properties of the panel.
    ///
    /// # Panics
    /// If there is no such panel. The ids in arrangements and in the facts of panels are tested.
    pub fn about(self) -> &'static About {
        let about = PANELS.iter().find(|about| about.id == self);
        about.unwrap_or_else(|| panic!("no file registers a panel {self:?}"))
    }

    /// Its name in the tabs.
    pub fn name(self) -> &'static str {
        self.about().name
    }

    /// Whether runs of this kind have it.
    pub fn is_of(self, kind: RunKind) -> bool {
        self.about().runs.contains(&kind)
    }

    /// The panels of a run, in the order of Tab.
    pub fn of(kind: RunKind) -> Vec<PanelId> {
        let mut all = PanelId::all();
        all.retain(|panel| panel.is_of(kind));
        all
    }

    /// The next panel.
    pub fn next(self, kind: RunKind) -> PanelId {
        self.after(kind, 1)
    }

    /// The previous panel.
    pub fn previous(self, kind: RunKind) -> PanelId {
        self.after(kind, PanelId::of(kind).len() - 1)
    }

    fn after(self, kind: RunKind, steps: usize) -> PanelId {
        let panels = PanelId::of(kind);
        let index = panels.iter().position(|panel| *panel == self).unwrap_or(0);
        panels[(index + steps) % panels.len()]
    }
}

/// Panels with their state, in the order of Tab; by default none.
#[derive(Debug, Default)]
pub struct Panels(Vec<(PanelId, Box<dyn Panel>)>);

impl Panels {
    /// Every panel, as it is at first.
    pub fn new() -> Panels {
        let all = PanelId::all().into_iter();
        Panels(all.map(|id| (id, (id.about().make)())).collect())
    }

    /// Every panel.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Panel> {
        self.0.iter().map(|(_, panel)| panel.as_ref())
    }

    /// Every panel, mutable.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Box<dyn Panel>> {
        self.0.iter_mut().map(|(_, panel)| panel)
    }

    fn place(&self, id: PanelId) -> usize {
        let place = self.0.iter().position(|(known, _)| *known == id);
        place.unwrap_or_else(|| panic!("no file registers a panel {id:?}"))
    }

    /// The panel with this id.
    ///
    /// # Panics
    /// As [`PanelId::about`].
    pub fn get(&self, id: PanelId) -> &dyn Panel {
        self.0[self.place(id)].1.as_ref()
    }

    /// The panel with this id, mutable for handling keys.
    ///
    /// # Panics
    /// As [`PanelId::about`].
    pub fn get_mut(&mut self, id: PanelId) -> &mut dyn Panel {
        let place = self.place(id);
        self.0[place].1.as_mut()
    }
}

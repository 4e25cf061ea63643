//! What the keys of the page shown mean, for the last row and the help.

use crate::tui::keymap::{Action, Context};
use crate::tui::panels::inspector::InspectorView;
use crate::tui::panels::panel::{Hint, hints};
use crate::tui::panels::scene::Scene;
use crate::tui::panels::{Panels, runs};

/// What the list of runs is about, and the settings in which they differ.
const RUNS: &[Hint] = hints!["choose": Up, Down; "settings": Differences];
const DIFFERENCES: &[Hint] = hints!["scroll": Up, Down; "runs": Runs];

/// What the help is about.
const HELP: &[Hint] = hints!["scroll": Up, Down; "page": PageUp, PageDown];

/// What comes after the hints of a panel of which not all rows fit.
const SCROLL: &[Hint] = hints!["scroll": Up, Down];

/// Where keys go now, and what decides which of them mean something there.
pub struct Page<'a> {
    /// Where keys go.
    pub context: Context,
    /// The panels, one of which may have the focus.
    pub panels: &'a Panels,
    /// The inspector, if it is open, and whether there is something to scroll or to select on its page.
    pub inspector: Option<(&'a InspectorView, bool)>,
    /// The page about other runs, if one is open, and whether there is more of it than is in view.
    pub runs: Option<(runs::Page, bool)>,
}

impl Page<'_> {
    /// What the page is about.
    pub fn hints(&self) -> &'static [Hint] {
        match self.context {
            Context::Panel(panel) => self.panels.get(panel).hints(),
            Context::Inspector => self
                .inspector
                .map_or(&[], |(inspector, _)| inspector.hints()),
            Context::Runs => match self.runs {
                Some((runs::Page::Differences, _)) => DIFFERENCES,
                _ => RUNS,
            },
            Context::Help => HELP,
            _ => &[],
        }
    }

    /// Up and down, where all that they do is to scroll and there is something to scroll to.
    pub fn scroll_hints(&self, scene: &Scene<'_>) -> &'static [Hint] {
        let Context::Panel(panel) = self.context else {
            return &[];
        };
        let area = scene.areas().and_then(|areas| areas.of(panel));
        let panel = self.panels.get(panel);
        match area.is_some_and(|area| panel.is_cut(scene, area)) {
            true => SCROLL,
            false => &[],
        }
    }

    /// What else of the keys of all panels means something particular there.
    pub fn more_hints(&self) -> &'static [Hint] {
        match self.context {
            Context::Panel(panel) => self.panels.get(panel).more_hints(),
            _ => &[],
        }
    }

    /// The word of the focused panel for what `action` would do there, if that varies.
    pub fn word(&self, action: Action) -> Option<&'static str> {
        match self.context {
            Context::Panel(panel) => self.panels.get(panel).word(action),
            _ => None,
        }
    }

    /// Whether `action` means something there now.
    pub fn offers(&self, action: Action, scene: &Scene<'_>) -> bool {
        match self.context {
            Context::Panel(panel) => self.panels.get(panel).offers(action, scene),
            Context::Runs => self.runs.is_none_or(|(page, is_longer)| match action {
                // There it would seem to pause the selected run.
                Action::TogglePause => false,
                Action::Runs => page != runs::Page::List,
                Action::Differences | Action::OpenRun | Action::Mark | Action::LookAgain => {
                    page != runs::Page::Differences
                }
                Action::Up | Action::Down => page == runs::Page::List || is_longer,
                _ => true,
            }),
            Context::Inspector => {
                let moves = matches!(action, Action::Up | Action::Down);
                !moves || self.inspector.is_none_or(|(_, scrolls)| scrolls)
            }
            _ => true,
        }
    }
}

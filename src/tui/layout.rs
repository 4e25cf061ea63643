//! The area of each panel on a screen of a given size, in each arrangement.

mod plans;
mod spare;

use ratatui::layout::{Rect, Size};

use super::panels::PanelId;
use crate::config::LayoutName;
use crate::event::RunKind;

/// The smallest screen on which panels are drawn.
pub const SMALLEST: Size = Size {
    width: 60,
    height: 15,
};

const HEADER_ROWS: u16 = 2;
const FOOTER_ROWS: u16 = 1;
/// Minimum size of a panel: a title and three rows, and columns for a short table.
const LEAST: Size = Size {
    width: 36,
    height: 4,
};

/// Minimum height of a panel that needs no more: a title and two rows.
const SHORTEST: u16 = 3;

/// How many rows a panel in so many columns needs for what it shows, its title included; `None` if it
/// uses any number. This must not depend on what changes within seconds: with it, panels would move.
pub type Needs<'a> = &'a dyn Fn(PanelId, u16) -> Option<u16>;

/// The parts of the screen. A panel's area includes its title row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Areas {
    /// The two rows at the top.
    pub header: Rect,
    /// A row that lists all panels, if only one is shown.
    pub tabs: Option<Rect>,
    /// The visible panels and their areas, in the order in which the focus moves.
    pub panels: Vec<(PanelId, Rect)>,
    /// Columns between panels.
    pub separators: Vec<Rect>,
    /// The row of keys and messages at the bottom.
    pub footer: Rect,
}

impl Areas {
    /// Area of `panel`, if it is shown.
    pub fn of(&self, panel: PanelId) -> Option<Rect> {
        self.panels
            .iter()
            .find(|(shown, _)| *shown == panel)
            .map(|(_, area)| *area)
    }
}

/// What the screen shows, as far as it affects the arrangement of panels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Several networks are sampled and trained.
    Search,
    /// One network is trained.
    Training,
    /// A training whose test images have been classified.
    Tested,
}

/// A division of an area into parts with their shares.
enum Division {
    One(PanelId),
    Rows(&'static [(u16, Division)]),
    Columns(&'static [(u16, Division)]),
}

use Division::{Columns, One, Rows};
use plans::plans;

/// The main panel of an arrangement.
pub fn main_panel(layout: LayoutName, kind: RunKind) -> PanelId {
    let panels = PanelId::of(kind);
    let leads = |panel: &&PanelId| panel.about().leads.contains(&layout);
    *panels.iter().find(leads).unwrap_or(&panels[0])
}

/// What determines the areas of panels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrangement {
    /// Size of the screen.
    pub size: Size,
    /// Which set of arrangements applies.
    pub stage: Stage,
    /// The arrangement chosen by the user.
    pub layout: LayoutName,
    /// The panel that receives keys; shown alone if the arrangement has no room for it.
    pub focus: PanelId,
    /// Whether only the focused panel is shown.
    pub maximised: bool,
}

impl Arrangement {
    /// The parts of the screen; `None` if it is too small. If the arrangement has no room for the
    /// focused panel, it is shown alone.
    pub fn areas(&self, needs: Needs<'_>) -> Option<Areas> {
        let size = self.size;
        if !self.fits(SMALLEST) {
            return None;
        }
        let rows = |y, height| Rect::new(0, y, size.width, height);
        let footer = rows(size.height - FOOTER_ROWS, FOOTER_ROWS);
        let middle = rows(HEADER_ROWS, footer.y - HEADER_ROWS);
        let mut areas = Areas {
            header: rows(0, HEADER_ROWS),
            footer,
            ..Areas::default()
        };
        if let Some(plan) = self.plan(middle) {
            divide(plan, middle, needs, &mut areas);
            return Some(areas);
        }
        areas.tabs = Some(rows(middle.y, 1));
        let below = rows(middle.y + 1, middle.height - 1);
        areas.panels.push((self.focus, below));
        Some(areas)
    }

    fn fits(&self, from: Size) -> bool {
        self.size.width >= from.width && self.size.height >= from.height
    }

    /// The richest division of the middle of the screen in which every panel is large enough and the
    /// focused one is shown. What the panels need does not decide which of them are shown.
    fn plan(&self, middle: Rect) -> Option<&'static Division> {
        let plans = plans(self.layout, self.stage).iter();
        let mut plans = plans.filter(|(from, _)| !self.maximised && self.fits(*from));
        let suits = |plan: &Division| {
            let mut areas = Areas::default();
            divide(plan, middle, &|_, _| None, &mut areas);
            let large_enough = |(_, area): &(PanelId, Rect)| {
                area.width >= LEAST.width && area.height >= LEAST.height
            };
            areas.of(self.focus).is_some() && areas.panels.iter().all(large_enough)
        };
        plans.find(|(_, plan)| suits(plan)).map(|(_, plan)| plan)
    }
}

fn divide(plan: &Division, area: Rect, needs: Needs<'_>, areas: &mut Areas) {
    match plan {
        One(panel) => areas.panels.push((*panel, area)),
        Rows(parts) => {
            let heights = spare::heights(parts, area.as_size(), needs);
            let mut y = area.y;
            for ((_, part), height) in parts.iter().zip(heights) {
                divide(part, Rect { y, height, ..area }, needs, areas);
                y += height;
            }
        }
        Columns(parts) => {
            let shares: Vec<u16> = parts.iter().map(|(share, _)| *share).collect();
            let mut x = area.x;
            for ((_, part), width) in parts.iter().zip(lengths(&shares, area.width, 1)) {
                if x > area.x {
                    let (x, width) = (x - 1, 1);
                    areas.separators.push(Rect { x, width, ..area });
                }
                divide(part, Rect { x, width, ..area }, needs, areas);
                x += width + 1;
            }
        }
    }
}

/// The length of each part of `length` by its share, with `gap` between them.
fn lengths(shares: &[u16], length: u16, gap: u16) -> Vec<u16> {
    let sum = |shares: &[u16]| shares.iter().map(|share| u32::from(*share)).sum::<u32>();
    let whole = sum(shares).max(1);
    let gaps = (shares.len() as u16).saturating_sub(1);
    let free = u32::from(length.saturating_sub(gap * gaps));
    let end = |count: usize| free * sum(&shares[..count]) / whole;
    let length = |place: usize| (end(place + 1) - end(place)) as u16;
    (0..shares.len()).map(length).collect()
}

#[cfg(test)]
mod tests;

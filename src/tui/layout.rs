//! The area of each panel on a screen of a given size, in each arrangement.

mod plans;

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

/// The panel of the children in training.
const WORKERS: PanelId = PanelId("workers");

/// The parts of the screen. A panel's area includes its title row.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Number of workers, if known: rows that their panel does not need go to the panel beside it.
    pub workers: Option<usize>,
}

impl Arrangement {
    /// The parts of the screen; `None` if it is too small. If the arrangement has no room for the
    /// focused panel, it is shown alone.
    pub fn areas(&self) -> Option<Areas> {
        let size = self.size;
        let fits = |from: &Size| size.width >= from.width && size.height >= from.height;
        if !fits(&SMALLEST) {
            return None;
        }
        let rows = |y, height| Rect::new(0, y, size.width, height);
        let footer = rows(size.height - FOOTER_ROWS, FOOTER_ROWS);
        let middle = rows(HEADER_ROWS, footer.y - HEADER_ROWS);
        let mut areas = Areas {
            header: rows(0, HEADER_ROWS),
            tabs: None,
            panels: Vec::new(),
            separators: Vec::new(),
            footer,
        };
        let plans = plans(self.layout, self.stage).iter();
        for (_, plan) in plans.filter(|(from, _)| !self.maximised && fits(from)) {
            divide(plan, middle, self.workers, &mut areas);
            let large_enough = |(_, area): &(PanelId, Rect)| {
                area.width >= LEAST.width && area.height >= LEAST.height
            };
            if areas.of(self.focus).is_some() && areas.panels.iter().all(large_enough) {
                return Some(areas);
            }
            areas.panels.clear();
            areas.separators.clear();
        }
        areas.tabs = Some(rows(middle.y, 1));
        let below = rows(middle.y + 1, middle.height - 1);
        areas.panels.push((self.focus, below));
        Some(areas)
    }
}

fn divide(plan: &Division, area: Rect, workers: Option<usize>, areas: &mut Areas) {
    match plan {
        One(panel) => areas.panels.push((*panel, area)),
        Rows(parts) => {
            let shares = shares(parts, area.height, 0);
            let mut heights: Vec<u16> = shares.iter().map(|(_, height)| *height).collect();
            share_spare_rows(parts, &mut heights, workers);
            let mut y = area.y;
            for ((_, part), height) in parts.iter().zip(heights) {
                divide(part, Rect { y, height, ..area }, workers, areas);
                y += height;
            }
        }
        Columns(parts) => {
            for ((_, part), (x, width)) in parts.iter().zip(shares(parts, area.width, 1)) {
                let x = area.x + x;
                if x > area.x {
                    let (x, width) = (x - 1, 1);
                    areas.separators.push(Rect { x, width, ..area });
                }
                divide(part, Rect { x, width, ..area }, workers, areas);
            }
        }
    }
}

/// Give the rows that the children in training do not need (two each, and at least those of the result
/// of a run) to the panel below them, or else to that above. Their number is that of the workers, which
/// is constant, so that nothing moves when a child ends.
fn share_spare_rows(parts: &[(u16, Division)], heights: &mut [u16], workers: Option<usize>) {
    let is_theirs = |(_, part): &(u16, Division)| matches!(part, One(panel) if *panel == WORKERS);
    let (Some(place), Some(workers)) = (parts.iter().position(is_theirs), workers) else {
        return;
    };
    let beside = if place + 1 < parts.len() {
        place + 1
    } else {
        place.saturating_sub(1)
    };
    let needed = u16::try_from(1 + 2 * workers)
        .unwrap_or(u16::MAX)
        .max(LEAST.height + 1);
    let spare = heights[place].saturating_sub(needed);
    if beside != place {
        heights[place] -= spare;
        heights[beside] += spare;
    }
}

/// Start and length of each part of `length`, with `gap` between them.
fn shares(parts: &[(u16, Division)], length: u16, gap: u16) -> Vec<(u16, u16)> {
    let whole = parts
        .iter()
        .map(|(share, _)| u32::from(*share))
        .sum::<u32>()
        .max(1);
    let free = u32::from(length.saturating_sub(gap * (parts.len() as u16 - 1)));
    let mut before = 0;
    let place = |(index, (share, _)): (usize, &(u16, Division))| {
        let from = free * before / whole;
        before += u32::from(*share);
        let to = free * before / whole;
        (from as u16 + gap * index as u16, (to - from) as u16)
    };
    parts.iter().enumerate().map(place).collect()
}

#[cfg(test)]
mod tests;

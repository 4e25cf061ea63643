//! The area of each panel on a screen of a given size, in each arrangement.

mod search;
mod training;

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
enum Plan {
    One(PanelId),
    Rows(&'static [(u16, Plan)]),
    Columns(&'static [(u16, Plan)]),
}

use PanelId::{Chart, Children, Dna, Log, Machine};
use Plan::{Columns, One, Rows};

/// Arrangements from the richest to the simplest: the first one whose panels are all large enough
/// is used. Each gives the size from which it applies.
fn plans(layout: LayoutName, stage: Stage) -> &'static [(Size, Plan)] {
    match stage {
        Stage::Search => search::plans(layout),
        Stage::Training => training::plans(layout, false),
        Stage::Tested => training::plans(layout, true),
    }
}

/// The main panel of an arrangement.
pub fn main_panel(layout: LayoutName, kind: RunKind) -> PanelId {
    match (layout, kind) {
        (LayoutName::Overview | LayoutName::Learning, RunKind::Search) => Chart,
        (LayoutName::Overview | LayoutName::Learning, RunKind::Training) => PanelId::Curves,
        (LayoutName::Children, RunKind::Search) => Children,
        (LayoutName::Children, RunKind::Training) => PanelId::Test,
        (LayoutName::Network, RunKind::Search) => Dna,
        (LayoutName::Network, RunKind::Training) => PanelId::Network,
        (LayoutName::Machine, _) => Machine,
        (LayoutName::Log, _) => Log,
    }
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
    /// The parts of the screen; `None` if it is too small.
    pub fn areas(&self) -> Option<Areas> {
        areas(
            self.size,
            self.stage,
            self.layout,
            self.focus,
            self.maximised,
        )
    }
}

/// Divide a screen of `size`; `None` if it is too small. If the arrangement has no room for the
/// focused panel, it is shown alone.
pub fn areas(
    size: Size,
    stage: Stage,
    layout: LayoutName,
    focus: PanelId,
    maximised: bool,
) -> Option<Areas> {
    if size.width < SMALLEST.width || size.height < SMALLEST.height {
        return None;
    }
    let header = Rect::new(0, 0, size.width, HEADER_ROWS);
    let footer = Rect::new(0, size.height - FOOTER_ROWS, size.width, FOOTER_ROWS);
    let middle = Rect::new(
        0,
        HEADER_ROWS,
        size.width,
        size.height - HEADER_ROWS - FOOTER_ROWS,
    );
    let mut areas = Areas {
        header,
        tabs: None,
        panels: Vec::new(),
        separators: Vec::new(),
        footer,
    };
    if !maximised {
        for (_, plan) in plans(layout, stage)
            .iter()
            .filter(|(from, _)| middle.width >= from.width && middle.height + 3 >= from.height)
        {
            divide(plan, middle, &mut areas);
            let large_enough = |(_, area): &(PanelId, Rect)| {
                area.width >= LEAST.width && area.height >= LEAST.height
            };
            if areas.of(focus).is_some()
                && areas.panels.iter().all(large_enough)
                && areas.panels.len() > 1
            {
                return Some(areas);
            }
            areas.panels.clear();
            areas.separators.clear();
        }
    }
    areas.tabs = Some(Rect {
        height: 1,
        ..middle
    });
    areas.panels.push((
        focus,
        Rect {
            y: middle.y + 1,
            height: middle.height - 1,
            ..middle
        },
    ));
    Some(areas)
}

fn divide(plan: &Plan, area: Rect, areas: &mut Areas) {
    match plan {
        One(panel) => areas.panels.push((*panel, area)),
        Rows(parts) => {
            for (part, (y, height)) in parts.iter().zip(shares(parts, area.height, 0)) {
                divide(
                    &part.1,
                    Rect {
                        y: area.y + y,
                        height,
                        ..area
                    },
                    areas,
                );
            }
        }
        Columns(parts) => {
            for (index, (part, (x, width))) in
                parts.iter().zip(shares(parts, area.width, 1)).enumerate()
            {
                if index > 0 {
                    areas.separators.push(Rect {
                        x: area.x + x - 1,
                        width: 1,
                        ..area
                    });
                }
                divide(
                    &part.1,
                    Rect {
                        x: area.x + x,
                        width,
                        ..area
                    },
                    areas,
                );
            }
        }
    }
}

/// Start and length of each part of `length`, with `gap` between them.
fn shares(parts: &[(u16, Plan)], length: u16, gap: u16) -> Vec<(u16, u16)> {
    let whole = parts
        .iter()
        .map(|(share, _)| u32::from(*share))
        .sum::<u32>()
        .max(1);
    let free = u32::from(length.saturating_sub(gap * (parts.len() as u16 - 1)));
    let mut before = 0;
    let mut placed = Vec::with_capacity(parts.len());
    for (index, (share, _)) in parts.iter().enumerate() {
        let (from, to) = (
            free * before / whole,
            free * (before + u32::from(*share)) / whole,
        );
        before += u32::from(*share);
        placed.push((from as u16 + gap * index as u16, (to - from) as u16));
    }
    placed
}

#[cfg(test)]
mod tests;

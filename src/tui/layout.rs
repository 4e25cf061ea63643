//! Where each panel lies on a screen of a given size, in each arrangement.

mod training;

use ratatui::layout::{Rect, Size};

use super::panels::PanelId;
use crate::config::LayoutName;
use crate::event::RunKind;

/// The smallest screen on which the panels are drawn.
pub const SMALLEST: Size = Size {
    width: 60,
    height: 15,
};

const HEADER_ROWS: u16 = 2;
const FOOTER_ROWS: u16 = 1;
/// A panel is not made smaller than this: a title and three rows, and columns for a short table.
const LEAST: Size = Size {
    width: 36,
    height: 4,
};

/// The parts of the screen. A panel's area includes its title row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Areas {
    pub header: Rect,
    /// A row that names all panels, where only one is shown.
    pub tabs: Option<Rect>,
    pub panels: Vec<(PanelId, Rect)>,
    /// Columns between panels.
    pub separators: Vec<Rect>,
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

/// What the screen is of, as far as the arrangement of its panels depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Search,
    Training,
    /// A training whose test images have been classified.
    Tested,
}

/// A division of an area: parts with their shares of it.
enum Plan {
    One(PanelId),
    Rows(&'static [(u16, Plan)]),
    Columns(&'static [(u16, Plan)]),
}

use PanelId::{Chart, Children, Controller, Dna, Log, Machine, Training};
use Plan::{Columns, One, Rows};

/// Arrangements from the richest to the plainest: the first one whose panels are all large enough
/// is taken. Each says from which size on it is used.
const OVERVIEW: &[(Size, Plan)] = &[
    (
        Size {
            width: 150,
            height: 40,
        },
        Rows(&[
            (
                78,
                Columns(&[
                    (50, Rows(&[(58, One(Chart)), (42, One(Controller))])),
                    (
                        50,
                        Rows(&[(22, One(Training)), (46, One(Dna)), (32, One(Machine))]),
                    ),
                ]),
            ),
            (22, One(Log)),
        ]),
    ),
    (
        Size {
            width: 100,
            height: 36,
        },
        Rows(&[
            (
                76,
                Columns(&[
                    (50, Rows(&[(58, One(Chart)), (42, One(Controller))])),
                    (
                        50,
                        Rows(&[(20, One(Training)), (48, One(Dna)), (32, One(Machine))]),
                    ),
                ]),
            ),
            (24, One(Log)),
        ]),
    ),
    (
        Size {
            width: 100,
            height: 26,
        },
        Rows(&[
            (
                72,
                Columns(&[
                    (54, One(Chart)),
                    (46, Rows(&[(60, One(Dna)), (40, One(Machine))])),
                ]),
            ),
            (28, One(Log)),
        ]),
    ),
    (
        Size {
            width: 76,
            height: 21,
        },
        Rows(&[
            (52, Columns(&[(54, One(Chart)), (46, One(Dna))])),
            (20, One(Machine)),
            (28, One(Log)),
        ]),
    ),
    (
        Size {
            width: 60,
            height: 30,
        },
        Rows(&[
            (30, One(Chart)),
            (30, One(Dna)),
            (20, One(Machine)),
            (20, One(Log)),
        ]),
    ),
];

const LEARNING: &[(Size, Plan)] = &[
    (
        Size {
            width: 120,
            height: 20,
        },
        Columns(&[(55, One(Chart)), (45, One(Controller))]),
    ),
    (
        Size {
            width: 60,
            height: 24,
        },
        Rows(&[(55, One(Chart)), (45, One(Controller))]),
    ),
    (
        Size {
            width: 60,
            height: 12,
        },
        One(Chart),
    ),
];

const CHILDREN: &[(Size, Plan)] = &[
    (
        Size {
            width: 150,
            height: 20,
        },
        Columns(&[
            (55, One(Children)),
            (45, Rows(&[(60, One(Dna)), (40, One(Controller))])),
        ]),
    ),
    (
        Size {
            width: 60,
            height: 12,
        },
        One(Children),
    ),
];

const NETWORK: &[(Size, Plan)] = &[
    (
        Size {
            width: 120,
            height: 20,
        },
        Columns(&[
            (50, Rows(&[(30, One(Training)), (70, One(Dna))])),
            (50, One(Controller)),
        ]),
    ),
    (
        Size {
            width: 60,
            height: 20,
        },
        Rows(&[(30, One(Training)), (70, One(Dna))]),
    ),
    (
        Size {
            width: 60,
            height: 12,
        },
        One(Dna),
    ),
];

const MACHINE: &[(Size, Plan)] = &[
    (
        Size {
            width: 60,
            height: 20,
        },
        Rows(&[(62, One(Machine)), (38, One(Training))]),
    ),
    (
        Size {
            width: 60,
            height: 12,
        },
        One(Machine),
    ),
];

const LOG: &[(Size, Plan)] = &[(
    Size {
        width: 60,
        height: 12,
    },
    One(Log),
)];

fn plans(layout: LayoutName, stage: Stage) -> &'static [(Size, Plan)] {
    if stage != Stage::Search {
        return training::plans(layout, stage == Stage::Tested);
    }
    match layout {
        LayoutName::Overview => OVERVIEW,
        LayoutName::Learning => LEARNING,
        LayoutName::Children => CHILDREN,
        LayoutName::Network => NETWORK,
        LayoutName::Machine => MACHINE,
        LayoutName::Log => LOG,
    }
}

/// The panel that an arrangement is about.
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

/// What decides where panels lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrangement {
    /// Of the screen.
    pub size: Size,
    pub stage: Stage,
    pub layout: LayoutName,
    pub focus: PanelId,
    pub maximised: bool,
}

impl Arrangement {
    /// The parts of the screen; none if it is too small.
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

/// Split a screen of `size`; none if it is too small. A focused panel that the arrangement has no
/// room for is shown alone.
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LAYOUTS: [LayoutName; 6] = [
        LayoutName::Overview,
        LayoutName::Learning,
        LayoutName::Children,
        LayoutName::Network,
        LayoutName::Machine,
        LayoutName::Log,
    ];

    const STAGES: [(Stage, RunKind); 3] = [
        (Stage::Search, RunKind::Search),
        (Stage::Training, RunKind::Training),
        (Stage::Tested, RunKind::Training),
    ];

    fn shown(width: u16, height: u16, (stage, kind): (Stage, RunKind)) -> Vec<PanelId> {
        let layout = LayoutName::Overview;
        let areas = areas(
            Size::new(width, height),
            stage,
            layout,
            main_panel(layout, kind),
            false,
        )
        .expect("large enough");
        areas.panels.iter().map(|(panel, _)| *panel).collect()
    }

    #[test]
    fn a_screen_too_small_has_no_panels() {
        assert_eq!(
            areas(
                Size::new(59, 15),
                Stage::Search,
                LayoutName::Overview,
                Chart,
                false
            ),
            None
        );
        assert!(areas(SMALLEST, Stage::Search, LayoutName::Overview, Chart, false).is_some());
    }

    #[test]
    fn a_large_screen_shows_everything_at_once() {
        assert_eq!(
            shown(200, 50, STAGES[0]),
            [Chart, Controller, Training, Dna, Machine, Log]
        );
        assert!(STAGES.iter().all(|stage| shown(120, 40, *stage).len() == 6));
    }

    #[test]
    fn an_ordinary_terminal_shows_four_panels_and_each_of_the_others_alone() {
        assert_eq!(shown(80, 24, STAGES[0]), [Chart, Dna, Machine, Log]);
        for ((stage, _), panel) in STAGES.into_iter().flat_map(|stage| {
            PanelId::of(stage.1)
                .into_iter()
                .map(move |panel| (stage, panel))
        }) {
            let areas = areas(Size::new(80, 24), stage, LayoutName::Overview, panel, false)
                .expect("large enough");
            assert!(areas.of(panel).is_some(), "{panel:?}");
        }
    }

    #[test]
    fn the_test_takes_the_place_of_the_progress_once_there_is_one() {
        assert_eq!(
            shown(80, 24, STAGES[1]),
            [PanelId::Curves, PanelId::Progress, Machine, Log]
        );
        assert_eq!(
            shown(80, 24, STAGES[2]),
            [PanelId::Curves, PanelId::Test, Machine, Log]
        );
    }

    proptest! {
        #[test]
        fn panels_never_overlap_and_the_focused_one_is_always_there(
            width in 60u16..300, height in 15u16..120, maximised: bool, layout in 0usize..6, focus in 0usize..7, stage in 0usize..3,
        ) {
            let (stage, kind) = STAGES[stage];
            let focus = PanelId::of(kind)[focus];
            let areas = areas(Size::new(width, height), stage, LAYOUTS[layout], focus, maximised).expect("large enough");
            prop_assert!(areas.of(focus).is_some());
            let all: Vec<Rect> = areas.panels.iter().map(|(_, area)| *area)
                .chain(areas.separators.iter().copied())
                .chain(areas.tabs).collect();
            for (index, one) in all.iter().enumerate() {
                prop_assert!(one.height >= 1 && one.right() <= width && one.bottom() < height);
                prop_assert!(all[..index].iter().all(|other| one.intersection(*other).is_empty()), "{:?}", areas);
            }
            let covered: u32 = all.iter().map(|area| area.area()).sum();
            prop_assert_eq!(covered, u32::from(width) * u32::from(height - 3), "{:?}", areas);
            prop_assert!(areas.panels.iter().all(|(_, area)| area.height >= LEAST.height && area.width >= LEAST.width), "{:?}", areas);
        }
    }
}

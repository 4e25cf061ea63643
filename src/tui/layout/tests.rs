//! Arrangements at many sizes.

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

fn overview((width, height): (u16, u16), stage: Stage, focus: PanelId) -> Option<Areas> {
    let arrangement = Arrangement {
        size: Size::new(width, height),
        stage,
        layout: LayoutName::Overview,
        focus,
        maximised: false,
    };
    arrangement.areas(&nothing_known)
}

fn nothing_known(_: PanelId, _: u16) -> Option<u16> {
    None
}

fn shown(width: u16, height: u16, (stage, kind): (Stage, RunKind)) -> Vec<PanelId> {
    let main = main_panel(LayoutName::Overview, kind);
    let areas = overview((width, height), stage, main).expect("large enough");
    areas.panels.iter().map(|(panel, _)| *panel).collect()
}

#[test]
fn a_screen_too_small_has_no_panels() {
    assert_eq!(overview((59, 15), Stage::Search, PanelId("chart")), None);
    assert!(overview((60, 15), Stage::Search, PanelId("chart")).is_some());
}

#[test]
fn a_large_screen_shows_everything_at_once() {
    assert_eq!(
        shown(200, 50, STAGES[0]),
        [
            "chart",
            "controller",
            "workers",
            "dna",
            "leaderboard",
            "machine",
            "log"
        ]
        .map(PanelId)
    );
    assert!(STAGES.iter().all(|stage| shown(120, 40, *stage).len() == 6));
}

#[test]
fn an_ordinary_terminal_shows_four_panels_and_each_of_the_others_alone() {
    assert_eq!(
        shown(80, 24, STAGES[0]),
        ["chart", "dna", "machine", "log"].map(PanelId)
    );
    for ((stage, _), panel) in STAGES.into_iter().flat_map(|stage| {
        PanelId::of(stage.1)
            .into_iter()
            .map(move |panel| (stage, panel))
    }) {
        let areas = overview((80, 24), stage, panel).expect("large enough");
        assert!(areas.of(panel).is_some(), "{panel:?}");
    }
}

/// Height of the panels one below the other in this layout of a search, of which these needs are known.
fn heights(
    layout: LayoutName,
    size: (u16, u16),
    needs: &[(&str, u16)],
) -> Vec<(&'static str, u16)> {
    let arrangement = Arrangement {
        size: size.into(),
        stage: Stage::Search,
        layout,
        focus: main_panel(layout, RunKind::Search),
        maximised: false,
    };
    let need = |panel: PanelId, _| {
        let mut known = needs.iter().filter(|(name, _)| *name == panel.0);
        known.next().map(|(_, need)| *need)
    };
    let areas = arrangement.areas(&need).expect("large enough");
    let heights = areas.panels.iter();
    heights
        .map(|(panel, area)| (panel.0, area.height))
        .collect()
}

#[test]
fn rows_that_few_workers_do_not_need_go_to_the_panel_beside_them() {
    let heights = |workers| {
        let needs = &[("machine", 40), ("workers", workers)][usize::from(workers == 0) * 2..];
        heights(LayoutName::Machine, (80, 24), needs)
    };
    assert_eq!(heights(0), [("machine", 13), ("workers", 8)]);
    assert_eq!(heights(3), [("machine", 18), ("workers", 3)]);
    assert_eq!(heights(7), [("machine", 14), ("workers", 7)]);
    assert_eq!(heights(17), [("machine", 13), ("workers", 8)]);
}

#[test]
fn the_panel_that_lacks_fewest_rows_is_completed_first() {
    let plan = |needs| heights(LayoutName::Overview, (120, 40), needs);
    let of = |all: &[(&str, u16)], panel| all.iter().find(|(name, _)| *name == panel).unwrap().1;
    let before = plan(&[]);
    let [workers, dna, machine] = ["workers", "dna", "machine"].map(|panel| of(&before, panel));
    let after = plan(&[("workers", 4), ("dna", dna + 9), ("machine", machine + 1)]);
    assert_eq!(of(&after, "workers"), 4);
    assert_eq!(of(&after, "machine"), machine + 1);
    assert_eq!(of(&after, "dna"), dna + workers - 4 - 1);
    assert_eq!(of(&after, "chart"), of(&before, "chart"));
}

#[test]
fn rows_that_no_panel_needs_go_to_those_that_use_any_number() {
    let all = heights(LayoutName::Overview, (200, 50), &[("machine", 7)]);
    let rows = |panel| all.iter().find(|(name, _)| *name == panel).unwrap().1;
    assert_eq!(rows("machine"), 7);
    assert_eq!(rows("leaderboard") + 7, rows("chart") + rows("controller"));
}

#[test]
fn the_test_replaces_the_progress_once_there_is_one() {
    assert_eq!(
        shown(80, 24, STAGES[1]),
        ["curves", "progress", "machine", "log"].map(PanelId)
    );
    assert_eq!(
        shown(80, 24, STAGES[2]),
        ["curves", "test", "machine", "log"].map(PanelId)
    );
}

/// The panels in a plan.
fn panels_of(plan: &Division) -> Vec<PanelId> {
    match plan {
        One(panel) => vec![*panel],
        Rows(parts) | Columns(parts) => {
            let parts = parts.iter().flat_map(|(_, part)| panels_of(part));
            parts.collect()
        }
    }
}

#[test]
fn arrangements_contain_only_panels_of_the_kind_of_run() {
    for (stage, kind) in STAGES {
        for layout in LAYOUTS {
            let shown = plans(layout, stage).iter();
            for panel in shown.flat_map(|(_, plan)| panels_of(plan)) {
                assert!(
                    PanelId::of(kind).contains(&panel),
                    "{panel:?} in {layout:?}"
                );
            }
        }
    }
}

#[test]
fn each_layout_has_one_main_panel() {
    for (kind, layout) in STAGES
        .iter()
        .flat_map(|(_, kind)| LAYOUTS.map(|layout| (*kind, layout)))
    {
        let panels = PanelId::of(kind).into_iter();
        let leading = panels.filter(|panel| panel.about().leads.contains(&layout));
        assert_eq!(leading.collect::<Vec<_>>(), [main_panel(layout, kind)]);
    }
}

#[test]
fn ids_and_places_are_unique_and_known() {
    let all = PanelId::all();
    for (index, panel) in all.iter().enumerate() {
        let about = panel.about();
        assert!(
            !all[..index]
                .iter()
                .any(|other| other == panel || other.about().place == about.place)
        );
        assert!(
            about.after_test.is_none_or(|next| all.contains(&next)),
            "{panel:?}"
        );
    }
}

/// The parts of each division of a plan into rows, with their shares.
fn rows_of(plan: &'static Division, found: &mut Vec<&'static [(u16, Division)]>) {
    match plan {
        One(_) => {}
        Rows(parts) => {
            found.push(parts);
            parts.iter().for_each(|(_, part)| rows_of(part, found));
        }
        Columns(parts) => parts.iter().for_each(|(_, part)| rows_of(part, found)),
    }
}

/// A need for each panel, from a few random numbers: none for every third.
fn some_need(seed: u16, panel: PanelId, width: u16) -> Option<u16> {
    let letters = panel.0.bytes().map(u16::from);
    let number = letters.fold(seed, |sum, letter| {
        sum.wrapping_mul(31).wrapping_add(letter)
    });
    (number % 3 > 0).then_some(2 + number / 3 % 40 + width % 2)
}

proptest! {
    #[test]
    fn no_panel_is_cut_above_or_below_one_with_rows_that_it_does_not_need(
        width in 60u16..260, height in 15u16..100, layout in 0usize..6, stage in 0usize..3, seed: u16,
    ) {
        let (stage, kind) = STAGES[stage];
        let layout = LAYOUTS[layout];
        let (focus, maximised) = (main_panel(layout, kind), false);
        let size = Size::new(width, height);
        let arrangement = Arrangement { size, stage, layout, focus, maximised };
        let need = |panel, width| some_need(seed, panel, width);
        let areas = arrangement.areas(&need).expect("large enough");
        let middle = Rect::new(0, HEADER_ROWS, width, height - HEADER_ROWS - FOOTER_ROWS);
        let mut divisions = Vec::new();
        arrangement.plan(middle).iter().for_each(|plan| rows_of(plan, &mut divisions));
        let spare = |panel: PanelId, area: Rect| {
            need(panel, area.width).map_or(0, |need| area.height.saturating_sub(need.max(SHORTEST)))
        };
        for parts in divisions {
            let panels = parts.iter().filter_map(|(_, part)| match part {
                One(panel) => Some((*panel, areas.of(*panel).expect("a panel of the plan"))),
                _ => None,
            });
            let panels: Vec<(PanelId, Rect)> = panels.collect();
            if panels.len() < parts.len() {
                continue;
            }
            let is_cut = |(panel, area): &(PanelId, Rect)| need(*panel, area.width).is_some_and(|need| area.height < need);
            if panels.iter().any(is_cut) {
                prop_assert!(panels.iter().all(|(panel, area)| spare(*panel, *area) == 0), "{:?}", panels);
            }
            // Of the same rows: a part of one row more may by rounding be one row less.
            let shares: Vec<u16> = parts.iter().map(|(share, _)| *share).collect();
            let height = panels.iter().map(|(_, area)| area.height).sum();
            for ((panel, area), before) in panels.iter().zip(lengths(&shares, height, 0)) {
                let keeps = need(*panel, area.width).is_some_and(|need| area.height >= need.max(SHORTEST).min(before));
                prop_assert!(area.height >= before || keeps, "{:?} {:?}", panel, areas);
            }
        }
    }

    #[test]
    fn panels_never_overlap_and_the_focused_one_is_always_visible(
        width in 60u16..300, height in 15u16..120, maximised: bool, layout in 0usize..6, focus in 0usize..7, stage in 0usize..3,
        seed: u16,
    ) {
        let (stage, kind) = STAGES[stage];
        let focus = PanelId::of(kind)[focus];
        let arrangement = Arrangement { size: Size::new(width, height), stage, layout: LAYOUTS[layout], focus, maximised };
        let areas = arrangement.areas(&|panel, width| some_need(seed, panel, width)).expect("large enough");
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
        prop_assert!(areas.panels.iter().all(|(_, area)| area.height >= SHORTEST && area.width >= LEAST.width), "{:?}", areas);
    }
}

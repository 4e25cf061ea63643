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
        workers: None,
    };
    arrangement.areas()
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

#[test]
fn rows_that_few_workers_do_not_need_go_to_the_panel_beside_them() {
    let height = |workers| {
        let arrangement = Arrangement {
            size: Size::new(80, 24),
            stage: Stage::Search,
            layout: LayoutName::Machine,
            focus: PanelId("machine"),
            maximised: false,
            workers,
        };
        let areas = arrangement.areas().expect("large enough");
        let rows = |panel| areas.of(panel).map(|area| area.height);
        (rows(PanelId("machine")).unwrap(), rows(WORKERS).unwrap())
    };
    assert_eq!(height(None), (13, 8));
    assert_eq!(height(Some(1)), (16, 5));
    assert_eq!(height(Some(3)), (14, 7));
    assert_eq!(height(Some(8)), (13, 8), "they share it as before");
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

proptest! {
    #[test]
    fn panels_never_overlap_and_the_focused_one_is_always_visible(
        width in 60u16..300, height in 15u16..120, maximised: bool, layout in 0usize..6, focus in 0usize..7, stage in 0usize..3,
        workers in proptest::option::of(0usize..100),
    ) {
        let (stage, kind) = STAGES[stage];
        let focus = PanelId::of(kind)[focus];
        let arrangement = Arrangement { size: Size::new(width, height), stage, layout: LAYOUTS[layout], focus, maximised, workers };
        let areas = arrangement.areas().expect("large enough");
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

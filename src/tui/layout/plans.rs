//! The arrangements of the panels of a search and of a training. After a test, it replaces what is
//! less important by then.

use ratatui::layout::Size;

use super::{Division, PanelId, Stage};
use crate::config::LayoutName;

/// A plan in the notation of its layout: `[58 Chart, 42 Log]` are rows, `(54 Chart | 46 Dna)` are
/// columns, each part with its share.
macro_rules! plan {
    ($panel:ident) => {
        Division::One(PanelId::$panel)
    };
    ([$($share:literal $part:tt),+]) => {
        Division::Rows(&[$(($share, plan!($part))),+])
    };
    (($($share:literal $part:tt)|+)) => {
        Division::Columns(&[$(($share, plan!($part))),+])
    };
}

/// Plans, each with the smallest screen for which it is used.
macro_rules! arrangements {
    ($($width:literal x $height:literal $plan:tt)*) => {
        &[$((Size { width: $width, height: $height }, plan!($plan))),*]
    };
}

/// Arrangements from the richest to the simplest: the first one whose panels are all large enough is
/// used. If there is none, the panel in focus is shown alone.
pub fn plans(layout: LayoutName, stage: Stage) -> &'static [(Size, Division)] {
    match (layout, stage) {
        (LayoutName::Overview, _) => overview(stage),
        (LayoutName::Learning, Stage::Search) => arrangements! {
            120 x 40 (55 [55 Chart, 45 Effects] | 45 Controller)
            120 x 20 (55 Chart | 45 Controller)
            60 x 24 [55 Chart, 45 Controller]
        },
        (LayoutName::Learning, _) => arrangements! {
            120 x 20 (65 Curves | 35 Progress)
            60 x 24 [58 Curves, 42 Progress]
        },
        (LayoutName::Children, Stage::Search) => arrangements! {
            150 x 20 (55 Children | 45 [60 Dna, 40 Controller])
        },
        (LayoutName::Network, Stage::Search) => arrangements! {
            120 x 20 (50 [30 Workers, 70 Dna] | 50 Controller)
            60 x 20 [30 Workers, 70 Dna]
        },
        (LayoutName::Network, _) => arrangements! {
            150 x 20 (54 Network | 46 Layers)
            60 x 40 [54 Network, 46 Layers]
        },
        (LayoutName::Machine, Stage::Search) => arrangements! { 60 x 20 [62 Machine, 38 Workers] },
        (LayoutName::Machine, _) => arrangements! { 60 x 20 [56 Machine, 44 Progress] },
        (LayoutName::Children | LayoutName::Log, _) => &[],
    }
}

/// Everything that fits.
fn overview(stage: Stage) -> &'static [(Size, Division)] {
    match stage {
        Stage::Search => arrangements! {
            150 x 40 [
                78 (50 [58 Chart, 42 Controller] | 50 [22 Workers, 46 Dna, 32 Machine]),
                22 Log
            ]
            100 x 36 [
                76 (50 [58 Chart, 42 Controller] | 50 [20 Workers, 48 Dna, 32 Machine]),
                24 Log
            ]
            100 x 26 [72 (54 Chart | 46 [60 Dna, 40 Machine]), 28 Log]
            76 x 21 [52 (54 Chart | 46 Dna), 20 Machine, 28 Log]
            60 x 30 [30 Chart, 30 Dna, 20 Machine, 20 Log]
        },
        Stage::Training => arrangements! {
            150 x 40 [
                80 (54 [46 Curves, 54 Network] | 46 [32 Progress, 46 Layers, 22 Machine]),
                20 Log
            ]
            100 x 36 [
                78 (54 [54 Curves, 46 Network] | 46 [40 Progress, 36 Layers, 24 Machine]),
                22 Log
            ]
            100 x 26 [74 (56 Curves | 44 [62 Progress, 38 Machine]), 26 Log]
            76 x 21 [58 (54 Curves | 46 Progress), 19 Machine, 23 Log]
            60 x 30 [34 Curves, 30 Progress, 16 Machine, 20 Log]
        },
        Stage::Tested => arrangements! {
            150 x 40 [
                82 (46 [46 Curves, 32 Progress, 22 Machine] | 54 [70 Test, 30 Network]),
                18 Log
            ]
            100 x 36 [
                82 (50 [44 Curves, 34 Progress, 22 Machine] | 50 [72 Test, 28 Network]),
                18 Log
            ]
            100 x 26 [76 (48 [62 Curves, 38 Machine] | 52 Test), 24 Log]
            76 x 21 [58 (50 Curves | 50 Test), 19 Machine, 23 Log]
            60 x 30 [32 Curves, 36 Test, 14 Machine, 18 Log]
        },
    }
}

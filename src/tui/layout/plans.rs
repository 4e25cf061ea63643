//! The arrangements of the panels of a search and of a training. After a test, it replaces what is
//! less important by then.

use ratatui::layout::Size;

use super::{Division, PanelId, Stage};
use crate::config::LayoutName;

/// A plan in the notation of its layout: `[58 "chart", 42 "log"]` are rows, `(54 "chart" |
/// 46 "dna")` are columns, each part with its share.
macro_rules! plan {
    ($panel:literal) => {
        Division::One(PanelId($panel))
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
            120 x 40 (50 "chart" | 50 [42 "controller", 58 "effects"])
            120 x 20 (55 "chart" | 45 "controller")
            60 x 24 [55 "chart", 45 "controller"]
        },
        (LayoutName::Learning, _) => arrangements! {
            120 x 20 (65 "curves" | 35 "progress")
            60 x 24 [58 "curves", 42 "progress"]
        },
        (LayoutName::Children, Stage::Search) => arrangements! {
            150 x 20 (55 "children" | 45 [60 "dna", 40 "controller"])
        },
        (LayoutName::Network, Stage::Search) => arrangements! {
            120 x 20 (50 [30 "workers", 70 "dna"] | 50 "controller")
            60 x 20 [30 "workers", 70 "dna"]
        },
        (LayoutName::Network, _) => arrangements! {
            150 x 20 (54 "network" | 46 "layers")
            60 x 40 [54 "network", 46 "layers"]
        },
        (LayoutName::Machine, Stage::Search) => {
            arrangements! { 60 x 20 [62 "machine", 38 "workers"] }
        }
        (LayoutName::Machine, _) => arrangements! { 60 x 20 [56 "machine", 44 "progress"] },
        (LayoutName::Children | LayoutName::Log, _) => &[],
    }
}

/// Everything that fits.
fn overview(stage: Stage) -> &'static [(Size, Division)] {
    match stage {
        Stage::Search => arrangements! {
            180 x 44 [
                78 (
                    42 [58 "chart", 42 "controller"]
                    | 28 [22 "workers", 78 "dna"]
                    | 30 [54 "leaderboard", 46 "machine"]
                ),
                22 "log"
            ]
            150 x 40 [
                78 (50 [58 "chart", 42 "controller"] | 50 [22 "workers", 46 "dna", 32 "machine"]),
                22 "log"
            ]
            100 x 36 [
                76 (50 [58 "chart", 42 "controller"] | 50 [20 "workers", 48 "dna", 32 "machine"]),
                24 "log"
            ]
            100 x 26 [72 (54 "chart" | 46 [60 "dna", 40 "machine"]), 28 "log"]
            76 x 21 [52 (54 "chart" | 46 "dna"), 20 "machine", 28 "log"]
            60 x 30 [30 "chart", 30 "dna", 20 "machine", 20 "log"]
        },
        Stage::Training => arrangements! {
            150 x 40 [
                80 (54 [46 "curves", 54 "network"] | 46 [32 "progress", 46 "layers", 22 "machine"]),
                20 "log"
            ]
            100 x 36 [
                78 (54 [54 "curves", 46 "network"] | 46 [40 "progress", 36 "layers", 24 "machine"]),
                22 "log"
            ]
            100 x 26 [74 (56 "curves" | 44 [62 "progress", 38 "machine"]), 26 "log"]
            76 x 21 [58 (54 "curves" | 46 "progress"), 19 "machine", 23 "log"]
            60 x 30 [34 "curves", 30 "progress", 16 "machine", 20 "log"]
        },
        Stage::Tested => arrangements! {
            150 x 40 [
                82 (46 [46 "curves", 32 "progress", 22 "machine"] | 54 [70 "test", 30 "network"]),
                18 "log"
            ]
            100 x 36 [
                82 (50 [44 "curves", 34 "progress", 22 "machine"] | 50 [72 "test", 28 "network"]),
                18 "log"
            ]
            100 x 26 [76 (48 [62 "curves", 38 "machine"] | 52 "test"), 24 "log"]
            76 x 21 [58 (50 "curves" | 50 "test"), 19 "machine", 23 "log"]
            60 x 30 [32 "curves", 36 "test", 14 "machine", 18 "log"]
        },
    }
}

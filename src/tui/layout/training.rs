//! The arrangements of a training's panels. Once there is a test, it replaces what is then less
//! important.

use ratatui::layout::Size;

use super::PanelId::{Curves, Layers, Log, Machine, Network, Progress, Test};
use super::Plan::{self, Columns, One, Rows};
use crate::config::LayoutName;

/// The arrangements of a training, richest first; `tested` once there is a test to show.
pub fn plans(layout: LayoutName, tested: bool) -> &'static [(Size, Plan)] {
    match layout {
        LayoutName::Overview if tested => TESTED,
        LayoutName::Overview => OVERVIEW,
        LayoutName::Learning => LEARNING,
        LayoutName::Children => TEST,
        LayoutName::Network => NETWORK,
        LayoutName::Machine => MACHINE,
        LayoutName::Log => LOG,
    }
}

const OVERVIEW: &[(Size, Plan)] = &[
    (
        Size {
            width: 150,
            height: 40,
        },
        Rows(&[
            (
                80,
                Columns(&[
                    (54, Rows(&[(46, One(Curves)), (54, One(Network))])),
                    (
                        46,
                        Rows(&[(32, One(Progress)), (46, One(Layers)), (22, One(Machine))]),
                    ),
                ]),
            ),
            (20, One(Log)),
        ]),
    ),
    (
        Size {
            width: 100,
            height: 36,
        },
        Rows(&[
            (
                78,
                Columns(&[
                    (54, Rows(&[(54, One(Curves)), (46, One(Network))])),
                    (
                        46,
                        Rows(&[(40, One(Progress)), (36, One(Layers)), (24, One(Machine))]),
                    ),
                ]),
            ),
            (22, One(Log)),
        ]),
    ),
    (
        Size {
            width: 100,
            height: 26,
        },
        Rows(&[
            (
                74,
                Columns(&[
                    (56, One(Curves)),
                    (44, Rows(&[(62, One(Progress)), (38, One(Machine))])),
                ]),
            ),
            (26, One(Log)),
        ]),
    ),
    (
        Size {
            width: 76,
            height: 21,
        },
        Rows(&[
            (58, Columns(&[(54, One(Curves)), (46, One(Progress))])),
            (19, One(Machine)),
            (23, One(Log)),
        ]),
    ),
    (
        Size {
            width: 60,
            height: 30,
        },
        Rows(&[
            (34, One(Curves)),
            (30, One(Progress)),
            (16, One(Machine)),
            (20, One(Log)),
        ]),
    ),
];

const TESTED: &[(Size, Plan)] = &[
    (
        Size {
            width: 150,
            height: 40,
        },
        Rows(&[
            (
                82,
                Columns(&[
                    (
                        46,
                        Rows(&[(46, One(Curves)), (32, One(Progress)), (22, One(Machine))]),
                    ),
                    (54, Rows(&[(70, One(Test)), (30, One(Network))])),
                ]),
            ),
            (18, One(Log)),
        ]),
    ),
    (
        Size {
            width: 100,
            height: 36,
        },
        Rows(&[
            (
                82,
                Columns(&[
                    (
                        50,
                        Rows(&[(44, One(Curves)), (34, One(Progress)), (22, One(Machine))]),
                    ),
                    (50, Rows(&[(72, One(Test)), (28, One(Network))])),
                ]),
            ),
            (18, One(Log)),
        ]),
    ),
    (
        Size {
            width: 100,
            height: 26,
        },
        Rows(&[
            (
                76,
                Columns(&[
                    (48, Rows(&[(62, One(Curves)), (38, One(Machine))])),
                    (52, One(Test)),
                ]),
            ),
            (24, One(Log)),
        ]),
    ),
    (
        Size {
            width: 76,
            height: 21,
        },
        Rows(&[
            (58, Columns(&[(50, One(Curves)), (50, One(Test))])),
            (19, One(Machine)),
            (23, One(Log)),
        ]),
    ),
    (
        Size {
            width: 60,
            height: 30,
        },
        Rows(&[
            (32, One(Curves)),
            (36, One(Test)),
            (14, One(Machine)),
            (18, One(Log)),
        ]),
    ),
];

const LEARNING: &[(Size, Plan)] = &[
    (
        Size {
            width: 120,
            height: 20,
        },
        Columns(&[(65, One(Curves)), (35, One(Progress))]),
    ),
    (
        Size {
            width: 60,
            height: 24,
        },
        Rows(&[(58, One(Curves)), (42, One(Progress))]),
    ),
    (
        Size {
            width: 60,
            height: 12,
        },
        One(Curves),
    ),
];

const TEST: &[(Size, Plan)] = &[(
    Size {
        width: 60,
        height: 12,
    },
    One(Test),
)];

const NETWORK: &[(Size, Plan)] = &[
    (
        Size {
            width: 150,
            height: 20,
        },
        Columns(&[(54, One(Network)), (46, One(Layers))]),
    ),
    (
        Size {
            width: 60,
            height: 40,
        },
        Rows(&[(54, One(Network)), (46, One(Layers))]),
    ),
    (
        Size {
            width: 60,
            height: 12,
        },
        One(Network),
    ),
];

const MACHINE: &[(Size, Plan)] = &[
    (
        Size {
            width: 60,
            height: 20,
        },
        Rows(&[(56, One(Machine)), (44, One(Progress))]),
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

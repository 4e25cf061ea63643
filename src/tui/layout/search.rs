//! The arrangements of a search's panels.

use ratatui::layout::Size;

use super::PanelId::{Chart, Children, Controller, Dna, Effects, Log, Machine, Training};
use super::Plan::{self, Columns, One, Rows};
use crate::config::LayoutName;

/// The arrangements of a search, richest first.
pub fn plans(layout: LayoutName) -> &'static [(Size, Plan)] {
    match layout {
        LayoutName::Overview => OVERVIEW,
        LayoutName::Learning => LEARNING,
        LayoutName::Children => CHILDREN,
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
            height: 40,
        },
        Columns(&[
            (55, Rows(&[(55, One(Chart)), (45, One(Effects))])),
            (45, One(Controller)),
        ]),
    ),
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

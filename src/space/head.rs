//! The heads of a space: what each decides about a layer, from which options, and what it and its
//! values are called.

use serde::{Deserialize, Serialize};

use super::nasbench201::OPERATIONS;

/// What is decided about a layer, and from which values: one softmax of the controller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// What the head decides.
    pub kind: HeadKind,
    /// The values that it picks from, in the order of its outputs; `choices` in the journal.
    #[serde(rename = "choices")]
    pub options: Vec<u32>,
}

/// What a head decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadKind {
    /// Side of a square kernel, pixels.
    Kernel,
    /// Height of a kernel, pixels.
    KernelHeight,
    /// Width of a kernel, pixels.
    KernelWidth,
    /// Output channels of a layer.
    Filters,
    /// Stride along both axes.
    Stride,
    /// Stride along the height.
    StrideHeight,
    /// Stride along the width.
    StrideWidth,
    /// Zeros on each side, along both axes.
    Padding,
    /// Operation of the edge from node 0 to node 1 of a cell (`nasbench201`); so are the others.
    Edge01,
    /// From node 0 to node 2.
    Edge02,
    /// From node 1 to node 2.
    Edge12,
    /// From node 0 to node 3.
    Edge03,
    /// From node 1 to node 3.
    Edge13,
    /// From node 2 to node 3.
    Edge23,
}

impl HeadKind {
    /// Key of the setting that lists its options; none where they are the space's own.
    pub(super) fn setting(self) -> Option<&'static str> {
        use HeadKind::*;
        match self {
            Kernel | KernelHeight | KernelWidth => Some("space.kernels"),
            Filters => Some("space.filters"),
            Stride | StrideHeight | StrideWidth => Some("space.strides"),
            Padding => Some("space.paddings"),
            Edge01 | Edge02 | Edge12 | Edge03 | Edge13 | Edge23 => None,
        }
    }

    /// In words, and in at most 7 columns.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            HeadKind::Kernel => ("kernel", "kernel"),
            HeadKind::KernelHeight => ("kernel height", "k.high"),
            HeadKind::KernelWidth => ("kernel width", "k.wide"),
            HeadKind::Filters => ("filters", "filters"),
            HeadKind::Stride => ("stride", "stride"),
            HeadKind::StrideHeight => ("stride height", "s.high"),
            HeadKind::StrideWidth => ("stride width", "s.wide"),
            HeadKind::Padding => ("padding", "pad"),
            HeadKind::Edge01 => ("edge 0-1", "0-1"),
            HeadKind::Edge02 => ("edge 0-2", "0-2"),
            HeadKind::Edge12 => ("edge 1-2", "1-2"),
            HeadKind::Edge03 => ("edge 0-3", "0-3"),
            HeadKind::Edge13 => ("edge 1-3", "1-3"),
            HeadKind::Edge23 => ("edge 2-3", "2-3"),
        }
    }

    /// What it decides, in words.
    pub fn name(self) -> &'static str {
        self.names().0
    }

    /// The same for a narrow column.
    pub fn short_name(self) -> &'static str {
        self.names().1
    }

    /// What a value of its gene stands for: the number itself, or the name of an operation.
    pub fn label(self, value: u32) -> String {
        match self.setting() {
            Some(_) => value.to_string(),
            None => OPERATIONS
                .get(value as usize)
                .map_or_else(|| value.to_string(), |name| (*name).to_owned()),
        }
    }
}

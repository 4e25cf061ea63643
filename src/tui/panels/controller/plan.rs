//! How the controller's probabilities are laid out: a row per layer or, for a cell, whose decisions all
//! have the same options, a row per decision.

use std::ops::Range;

use crate::space::{Head, HeadKind, Values};

/// Columns per option: only a shade, or a percentage.
const NARROW_CELL: usize = 3;
pub const WIDE_CELL: usize = 5;
/// Columns for the number of a layer.
pub const NUMBER: usize = 3;

/// How the probabilities are laid out, such that none is cut.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// A row per layer, and the decisions side by side, in as many blocks one below the other as they
    /// need.
    Layers {
        /// Columns of a probability.
        cell: usize,
        /// What stands in each block.
        blocks: Vec<Vec<Part>>,
    },
    /// A row per decision, and a column with a name for each option.
    Decisions {
        /// Columns of a probability.
        cell: usize,
        /// The names of the decisions.
        decisions: Vec<&'static str>,
        /// The names of the options.
        options: Vec<String>,
    },
}

/// A head in a block, or some options of one that is wider than a block.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Index of the head.
    pub head: usize,
    /// Indices of its options or, for connections, of earlier layers.
    pub options: Range<usize>,
    /// Columns of each option.
    pub cell: usize,
    /// Columns of all of it, with the gap after it.
    pub width: usize,
}

impl Plan {
    /// The plan for children with these decisions and so many layers.
    pub fn of(heads: &[Head], depth: usize, width: usize) -> Plan {
        if let Some(plan) = by_decision(heads, depth, width) {
            return plan;
        }
        let plans = [WIDE_CELL, NARROW_CELL].map(|cell| {
            let blocks = blocks(heads, depth, cell, width);
            Plan::Layers { cell, blocks }
        });
        let is_whole =
            |plan: &&Plan| matches!(plan, Plan::Layers { blocks, .. } if blocks.len() == 1);
        let whole = plans.iter().find(is_whole).cloned();
        let [_, narrow] = plans;
        whole.unwrap_or(narrow)
    }

    /// Number of its rows with their headings, for so many layers.
    pub fn rows(&self, depth: usize) -> usize {
        match self {
            Plan::Layers { blocks, .. } => blocks.len() * (2 + depth),
            Plan::Decisions { decisions, .. } => 1 + decisions.len(),
        }
    }
}

/// A row per decision, if there is one layer of several decisions with the same named options, and
/// their names fit.
fn by_decision(heads: &[Head], depth: usize, width: usize) -> Option<Plan> {
    let (first, others) = heads.split_first()?;
    let is_like_first =
        |head: &Head| head.kind.values == first.kind.values && head.options == first.options;
    let is_named = matches!(first.kind.values, Values::Named(_));
    if depth != 1 || others.is_empty() || !is_named || !others.iter().all(is_like_first) {
        return None;
    }
    let whole: Vec<String> = labels(first).collect();
    let brief = brief(&whole);
    let plan = |cell, name: fn(HeadKind) -> &'static str, options: &[String]| Plan::Decisions {
        cell,
        decisions: heads.iter().map(|head| name(head.kind)).collect(),
        options: options.to_vec(),
    };
    let plans = [
        plan(WIDE_CELL, HeadKind::name, &whole),
        plan(WIDE_CELL, HeadKind::name, &brief),
        plan(WIDE_CELL, HeadKind::short_name, &brief),
        plan(NARROW_CELL, HeadKind::short_name, &brief),
    ];
    let fits = |plan: &Plan| match plan {
        Plan::Decisions {
            cell,
            decisions,
            options,
        } => {
            let columns = options.iter().map(|option| 1 + option.len().max(*cell));
            longest(decisions) + columns.sum::<usize>() <= width
        }
        Plan::Layers { .. } => false,
    };
    plans.into_iter().find(fits)
}

/// The options of a head in words.
pub fn labels(head: &Head) -> impl Iterator<Item = String> {
    head.options.iter().map(|option| head.kind.label(*option))
}

/// Short forms of names that are made of several parts: `nor_3x3` for `nor_conv_3x3`, `skip` for
/// `skip_connect`. The names themselves if two would become the same.
fn brief(names: &[String]) -> Vec<String> {
    let short = |name: &String| match name.split('_').collect::<Vec<_>>().as_slice() {
        [first, _, .., last] => format!("{first}_{last}"),
        [first, ..] => (*first).to_owned(),
        [] => String::new(),
    };
    let brief: Vec<String> = names.iter().map(short).collect();
    let is_unique = |(place, name): (usize, &String)| !brief[..place].contains(name);
    match brief.iter().enumerate().all(is_unique) {
        true => brief,
        false => names.to_vec(),
    }
}

/// Columns of the longest of these.
pub fn longest(texts: &[&str]) -> usize {
    texts.iter().map(|text| text.len()).max().unwrap_or(0)
}

/// The heads in as few blocks as possible, in order.
fn blocks(heads: &[Head], depth: usize, cell: usize, width: usize) -> Vec<Vec<Part>> {
    let room = width.saturating_sub(NUMBER);
    let mut blocks: Vec<Vec<Part>> = vec![Vec::new()];
    let mut left = room;
    for part in (0..heads.len()).flat_map(|head| parts(heads, head, depth, cell, room)) {
        // The gap after the last one need not fit.
        let wanted = part.width - 1;
        if wanted > left && blocks.last().is_some_and(|block| !block.is_empty()) {
            blocks.push(Vec::new());
            left = room;
        }
        left = left.saturating_sub(part.width);
        if let Some(block) = blocks.last_mut() {
            block.push(part);
        }
    }
    blocks
}

/// A head, in parts if it is wider than `room`.
fn parts(heads: &[Head], head: usize, depth: usize, cell: usize, room: usize) -> Vec<Part> {
    let kind = heads[head].kind;
    let (count, cell, least) = match kind.values {
        // Connections take one column each.
        Values::Connection => (depth.saturating_sub(1), 1, kind.short_name().len()),
        Values::Named(_) => {
            let longest = labels(&heads[head]).map(|label| label.len() + 1).max();
            (heads[head].options.len(), cell.max(longest.unwrap_or(0)), 0)
        }
        Values::Listed(_) => (heads[head].options.len(), cell, 0),
    };
    let most = (room / cell).max(1);
    let part = |from: usize| {
        let options = from..count.min(from + most);
        Part {
            head,
            width: (options.len() * cell).max(least) + 1,
            options,
            cell,
        }
    };
    match count {
        0 => vec![part(0)],
        _ => (0..count).step_by(most).map(part).collect(),
    }
}

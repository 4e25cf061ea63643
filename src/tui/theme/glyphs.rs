//! The characters of the screen, on a UTF-8 and on an ASCII terminal.

/// Characters that differ between a UTF-8 and an ASCII terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// Whether charts are drawn with Braille dots, eight to a cell.
    pub braille: bool,
    /// Marks text that was cut off.
    pub ellipsis: &'static str,
    /// Between facts in one row.
    pub separator: &'static str,
    /// The rule beside a panel's title.
    pub rule: &'static str,
    /// The same for the focused panel.
    pub heavy_rule: &'static str,
    /// Between columns, and the crosshair of a chart.
    pub vertical: &'static str,
    /// The filled part of a bar.
    pub bar_full: &'static str,
    /// The rest of a bar.
    pub bar_empty: &'static str,
    /// Marks the row at the cursor.
    pub marker: &'static str,
    /// Ascending order.
    pub up: &'static str,
    /// Descending order.
    pub down: &'static str,
    /// The keys that step to the previous and next child.
    pub left_right: &'static str,
    /// Between the factors of a size or a speed.
    pub times: &'static str,
    /// Before an estimate.
    pub about: &'static str,
    /// Before a deviation.
    pub plus_minus: &'static str,
    /// Unit of temperature.
    pub degree: &'static str,
    /// The vertical axis.
    pub axis: &'static str,
    /// A labelled value on the vertical axis.
    pub axis_tick: &'static str,
    /// Where the axes meet.
    pub axis_corner: &'static str,
    /// The horizontal axis.
    pub floor: &'static str,
    /// Between two episodes, and at a child whose number is below.
    pub floor_tick: &'static str,
    /// At a labelled value of the horizontal axis.
    pub floor_label: &'static str,
    /// A child that failed, or a layer that cannot be built.
    pub failed: &'static str,
    /// Shades of a probability: for infeasible options, then from small to large.
    pub shades: [&'static str; 5],
    /// One child, in a legend.
    pub child: &'static str,
    /// The mean of an episode.
    pub mean: &'static str,
    /// The baseline.
    pub baseline: &'static str,
    /// The best so far.
    pub best: &'static str,
    /// The smoothed curve.
    pub smooth: &'static str,
    /// The range between the quartiles of an episode.
    pub band: &'static str,
    /// Another run.
    pub reference: &'static str,
    /// The child under the crosshair.
    pub chosen: &'static str,
    /// The epoch with the best weights.
    pub star: &'static str,
    /// A child that the user marked.
    pub marked: &'static str,
    /// The child or epoch at the cursor of a plot.
    pub here: &'static str,
    /// Beside two things that differ.
    pub differs: &'static str,
    /// From empty to full, for a history in one row.
    pub levels: [&'static str; 9],
    /// Corners of a box: upper left, upper right, lower left, lower right.
    pub corners: [&'static str; 4],
    /// Where rules meet a vertical line: from both sides at its top, from the left, from the right,
    /// from both.
    pub junctions: [&'static str; 4],
    /// Between a value and what it turns into.
    pub becomes: &'static str,
    /// For networks drawn as graphs.
    pub rails: Rails,
}

/// Characters of a network drawn as a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rails {
    /// The input image.
    pub image: &'static str,
    /// A layer whose output is read.
    pub layer: &'static str,
    /// A layer whose output is not read.
    pub unread: &'static str,
    /// The linear classifier at the end.
    pub classifier: &'static str,
    /// A lane that passes a row.
    pub vertical: &'static str,
    /// A connection between two lanes.
    pub horizontal: &'static str,
    /// A lane that continues, joined to its right, to both sides, to its left.
    pub joins: [&'static str; 3],
    /// The same for a lane that ends.
    pub ends: [&'static str; 3],
}

pub(super) const UNICODE: Glyphs = Glyphs {
    braille: true,
    ellipsis: "…",
    separator: "·",
    rule: "─",
    heavy_rule: "━",
    vertical: "│",
    bar_full: "━",
    bar_empty: "─",
    marker: "▸",
    up: "↑",
    down: "↓",
    left_right: "←→",
    times: "×",
    about: "≈",
    plus_minus: "±",
    degree: "°C",
    axis: "│",
    axis_tick: "┤",
    axis_corner: "└",
    floor: "─",
    floor_tick: "┴",
    floor_label: "┬",
    failed: "×",
    shades: ["·", "░", "▒", "▓", "█"],
    child: "⠂",
    mean: "●",
    baseline: "╌",
    best: "─",
    smooth: "~",
    band: "░",
    reference: "┈",
    chosen: "◆",
    star: "★",
    marked: "◆",
    here: "◉",
    differs: "≠",
    levels: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    corners: ["┌", "┐", "└", "┘"],
    junctions: ["┬", "┤", "├", "┼"],
    becomes: "→",
    rails: Rails {
        image: "◇",
        layer: "●",
        unread: "○",
        classifier: "■",
        vertical: "│",
        horizontal: "─",
        joins: ["├", "┼", "┤"],
        ends: ["╰", "┴", "╯"],
    },
};

pub(super) const ASCII: Glyphs = Glyphs {
    braille: false,
    ellipsis: "...",
    separator: "-",
    rule: "-",
    heavy_rule: "=",
    vertical: "|",
    bar_full: "#",
    bar_empty: ".",
    marker: ">",
    up: "^",
    down: "v",
    left_right: "<>",
    times: "x",
    about: "~",
    plus_minus: "+-",
    degree: "C",
    axis: "|",
    axis_tick: "+",
    axis_corner: "+",
    floor: "-",
    floor_tick: "+",
    floor_label: "|",
    failed: "x",
    shades: [".", "-", "=", "+", "#"],
    child: ".",
    mean: "o",
    baseline: "-",
    best: "=",
    smooth: "~",
    band: ":",
    reference: "+",
    chosen: "@",
    star: "*",
    marked: "+",
    here: "@",
    differs: "!",
    levels: [" ", ".", ".", ":", ":", "-", "=", "#", "#"],
    corners: ["+", "+", "+", "+"],
    junctions: ["+", "+", "+", "+"],
    becomes: ">",
    rails: Rails {
        image: "@",
        layer: "O",
        unread: "o",
        classifier: "#",
        vertical: "|",
        horizontal: "-",
        joins: ["+", "+", "+"],
        ends: ["'", "'", "'"],
    },
};

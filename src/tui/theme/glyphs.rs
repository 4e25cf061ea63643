//! The characters of the screen, on a UTF-8 and on an ASCII terminal.

/// A set of characters, and how each is shown in a UTF-8 and in an ASCII terminal.
macro_rules! characters {
    ($(#[$about:meta])* $name:ident {
        $($(#[$doc:meta])* $field:ident: $type:ty = $unicode:expr, $ascii:expr;)+
    }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)+
        }

        impl $name {
            pub(super) const UNICODE: $name = $name { $($field: $unicode,)+ };
            pub(super) const ASCII: $name = $name { $($field: $ascii,)+ };
        }
    };
}

characters! {
    /// Characters that differ between a UTF-8 and an ASCII terminal.
    Glyphs {
        /// Whether nothing but ASCII characters may be sent.
        ascii: bool = false, true;
        /// Whether charts are drawn with Braille dots, eight to a cell.
        braille: bool = true, false;
        /// Marks text that was cut off.
        ellipsis: &'static str = "…", "...";
        /// Between facts in one row.
        separator: &'static str = "·", "-";
        /// The rule beside a panel's title.
        rule: &'static str = "─", "-";
        /// The same for the focused panel.
        heavy_rule: &'static str = "━", "=";
        /// Between columns, and the crosshair of a chart.
        vertical: &'static str = "│", "|";
        /// The filled part of a bar.
        bar_full: &'static str = "━", "#";
        /// The rest of a bar.
        bar_empty: &'static str = "─", ".";
        /// Marks the row at the cursor.
        marker: &'static str = "▸", ">";
        /// Ascending order.
        up: &'static str = "↑", "^";
        /// Descending order.
        down: &'static str = "↓", "v";
        /// The arrow keys: left, right, up, down.
        arrows: [&'static str; 4] = ["←", "→", "↑", "↓"], ["Left", "Right", "Up", "Down"];
        /// The keys that step to the previous and next child.
        left_right: &'static str = "←→", "<>";
        /// Between the factors of a size or a speed.
        times: &'static str = "×", "x";
        /// Before an estimate.
        about: &'static str = "≈", "~";
        /// Before a lower bound.
        at_least: &'static str = "≥", ">=";
        /// Before a deviation.
        plus_minus: &'static str = "±", "+-";
        /// Unit of temperature.
        degree: &'static str = "°C", "C";
        /// The vertical axis.
        axis: &'static str = "│", "|";
        /// A labelled value on the vertical axis.
        axis_tick: &'static str = "┤", "+";
        /// Where the axes meet.
        axis_corner: &'static str = "└", "+";
        /// The horizontal axis.
        floor: &'static str = "─", "-";
        /// Between two episodes, and at a child whose number is below.
        floor_tick: &'static str = "┴", "+";
        /// At a labelled value of the horizontal axis.
        floor_label: &'static str = "┬", "|";
        /// A child that failed, or a layer that cannot be built.
        failed: &'static str = "×", "x";
        /// Shades of a probability: for infeasible options, then from small to large.
        shades: [&'static str; 5] = ["·", "░", "▒", "▓", "█"], [".", "-", "=", "+", "#"];
        /// One child, in a legend.
        child: &'static str = "⠂", ".";
        /// A control, which is drawn hollow.
        control: &'static str = "○", "c";
        /// The running mean of the controls.
        control_mean: &'static str = "┄", ",";
        /// The mean of an episode.
        mean: &'static str = "●", "o";
        /// The baseline.
        baseline: &'static str = "╌", "-";
        /// The best so far.
        best: &'static str = "─", "=";
        /// The smoothed curve.
        smooth: &'static str = "~", "~";
        /// The range between the quartiles of an episode.
        band: &'static str = "░", ":";
        /// Another run.
        reference: &'static str = "┈", "+";
        /// The child under the crosshair.
        chosen: &'static str = "◆", "@";
        /// Where the size of the images changes.
        boundary: &'static str = "┊", ":";
        /// The epoch with the best weights.
        star: &'static str = "★", "*";
        /// A child that the user marked.
        marked: &'static str = "◆", "+";
        /// Before the note on a child.
        noted: &'static str = "¶", "*";
        /// The child or epoch at the cursor of a plot.
        here: &'static str = "◉", "@";
        /// Beside two things that differ.
        differs: &'static str = "≠", "!";
        /// From empty to full, for a history in one row.
        levels: [&'static str; 9] =
            [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
            [" ", ".", ".", ":", ":", "-", "=", "#", "#"];
        /// Corners of a box: upper left, upper right, lower left, lower right.
        corners: [&'static str; 4] = ["┌", "┐", "└", "┘"], ["+", "+", "+", "+"];
        /// Where rules meet a vertical line: from both sides at its top, from the left, from the right,
        /// from both.
        junctions: [&'static str; 4] = ["┬", "┤", "├", "┼"], ["+", "+", "+", "+"];
        /// In a row of names, for those that are left out before and after the others.
        left_out: [&'static str; 2] = ["‹", "›"], ["<", ">"];
        /// Between a value and what it turns into.
        becomes: &'static str = "→", ">";
        /// For networks drawn as graphs.
        rails: Rails = Rails::UNICODE, Rails::ASCII;
    }
}

characters! {
    /// Characters of a network drawn as a graph.
    Rails {
        /// The input image.
        image: &'static str = "◇", "@";
        /// A layer whose output is read.
        layer: &'static str = "●", "O";
        /// A layer whose output is not read.
        unread: &'static str = "○", "o";
        /// The linear classifier at the end.
        classifier: &'static str = "■", "#";
        /// A lane that passes a row.
        vertical: &'static str = "│", "|";
        /// A connection between two lanes.
        horizontal: &'static str = "─", "-";
        /// A lane that continues, joined to its right, to both sides, to its left.
        joins: [&'static str; 3] = ["├", "┼", "┤"], ["+", "+", "+"];
        /// The same for a lane that ends.
        ends: [&'static str; 3] = ["╰", "┴", "╯"], ["'", "'", "'"];
    }
}

impl Glyphs {
    /// For the Linux console, whose fonts have lines, blocks and arrows, but neither Braille nor most
    /// symbols.
    pub(super) const CONSOLE: Glyphs = Glyphs {
        ascii: false,
        separator: "·",
        rule: "─",
        heavy_rule: "═",
        vertical: "│",
        bar_full: "█",
        bar_empty: "░",
        up: "↑",
        down: "↓",
        arrows: Glyphs::UNICODE.arrows,
        left_right: "←→",
        plus_minus: "±",
        degree: "°C",
        axis: "│",
        axis_tick: "┤",
        axis_corner: "└",
        floor: "─",
        floor_tick: "┴",
        floor_label: "┬",
        shades: Glyphs::UNICODE.shades,
        best: "─",
        band: "░",
        levels: [" ", ".", ".", "▄", "▄", "▄", "█", "█", "█"],
        corners: Glyphs::UNICODE.corners,
        junctions: Glyphs::UNICODE.junctions,
        becomes: "→",
        rails: Rails {
            vertical: "│",
            horizontal: "─",
            joins: ["├", "┼", "┤"],
            ends: ["└", "┴", "┘"],
            ..Rails::ASCII
        },
        ..Glyphs::ASCII
    };
}

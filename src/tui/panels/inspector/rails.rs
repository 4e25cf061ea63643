//! The lanes of a network as characters: two columns per lane.
//!
//! A lane that a layer reads is joined to its row (`├ ┼ ┤`, or `╰ ┴ ╯` where it ends); a lane that
//! the row only crosses is not interrupted (`│`) and interrupts the row. The layers that the
//! selected one reads and is read by are highlighted.

use crate::space::lanes::{LaneRow, Lanes, Wire};
use crate::tui::panels::Row;
use crate::tui::theme::{Rails, Role};

/// Number of columns for `count` lanes.
pub fn width(count: usize) -> usize {
    (2 * count).saturating_sub(1)
}

/// The characters of row `number`, with the connections of layer `chosen` (if any) highlighted.
pub fn row(lanes: &Lanes, number: usize, chosen: Option<usize>, rails: &Rails) -> Row {
    let drawing = RailRow {
        lanes,
        number,
        row: &lanes.rows[number],
        chosen,
        rails,
    };
    let mut pieces = Row::new();
    for lane in 0..lanes.count {
        pieces.push(drawing.at(lane));
        if lane + 1 < lanes.count {
            pieces.push(drawing.after(lane));
        }
    }
    pieces
}

struct RailRow<'a> {
    lanes: &'a Lanes,
    number: usize,
    row: &'a LaneRow,
    chosen: Option<usize>,
    rails: &'a Rails,
}

impl RailRow<'_> {
    /// The character in a lane.
    fn at(&self, lane: usize) -> (Role, String) {
        let rails = self.rails;
        if lane == self.row.lane {
            let last = self.lanes.rows.len() - 1;
            let glyph = match self.number {
                0 => rails.image,
                number if number == last => rails.classifier,
                _ if self.row.is_read => rails.layer,
                _ => rails.unread,
            };
            let role = if self.chosen == Some(self.number) {
                Role::Selected
            } else {
                Role::Child
            };
            return (role, glyph.to_owned());
        }
        let Some(wire) = self.row.wires[lane] else {
            return self.across_free(lane);
        };
        let role = self.role(self.wire_stands_out(wire));
        if !wire.read {
            return (role, rails.vertical.to_owned());
        }
        let [left, both, right] = if wire.ends { rails.ends } else { rails.joins };
        let glyph = match (lane > 0 && self.is_joined(lane - 1), self.is_joined(lane)) {
            (true, true) => both,
            (true, false) => right,
            _ => left,
        };
        (role, glyph.to_owned())
    }

    /// The character in a free lane: the row's line, if it continues on both sides.
    fn across_free(&self, lane: usize) -> (Role, String) {
        if lane > 0 && self.is_joined(lane - 1) && self.is_joined(lane) {
            self.after(lane)
        } else {
            (Role::Dim, " ".to_owned())
        }
    }

    /// The character between a lane and the next one.
    fn after(&self, lane: usize) -> (Role, String) {
        if !self.is_joined(lane) {
            return (Role::Dim, " ".to_owned());
        }
        // The selected layer's own row and, in its readers' rows, the way from its lane to the
        // reader.
        let from_chosen = |source: usize| {
            let Some(tap) = self
                .reads()
                .find(|(_, wire)| wire.source == source)
                .map(|(tap, _)| tap)
            else {
                return false;
            };
            let (from, to) = (tap.min(self.row.lane), tap.max(self.row.lane));
            (from..to).contains(&lane)
        };
        let stands_out = self
            .chosen
            .is_some_and(|chosen| chosen == self.number || from_chosen(chosen));
        (self.role(stands_out), self.rails.horizontal.to_owned())
    }

    /// Whether the row's line runs between `lane` and the next one.
    fn is_joined(&self, lane: usize) -> bool {
        let ends = || self.reads().map(|(tap, _)| tap).chain([self.row.lane]);
        let (first, last) = (ends().min().unwrap_or(0), ends().max().unwrap_or(0));
        (first..last).contains(&lane)
    }

    fn reads(&self) -> impl Iterator<Item = (usize, Wire)> {
        self.row
            .wires
            .iter()
            .enumerate()
            .filter_map(|(lane, wire)| wire.filter(|wire| wire.read).map(|wire| (lane, wire)))
    }

    /// Whether a wire carries the selected layer's output or, above it, one of its inputs.
    fn wire_stands_out(&self, wire: Wire) -> bool {
        let Some(chosen) = self.chosen else {
            return false;
        };
        let reads = || {
            self.lanes.rows[chosen]
                .wires
                .iter()
                .flatten()
                .any(|other| other.source == wire.source && other.read)
        };
        wire.source == chosen || (self.number <= chosen && reads())
    }

    fn role(&self, stands_out: bool) -> Role {
        if stands_out { Role::Mean } else { Role::Dim }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::ThemeName;
    use crate::space::Architecture;
    use crate::space::lanes::{inputs, tests::any_network};
    use crate::tui::theme::{ColourDepth, Theme};

    fn rails(ascii: bool) -> Rails {
        Theme::new(ThemeName::default(), ColourDepth::None, ascii)
            .glyphs
            .rails
    }

    fn text(network: &Architecture, rails: &Rails) -> Vec<String> {
        let lanes = Lanes::of(network).unwrap();
        let line = |number| {
            row(&lanes, number, Some(1), rails)
                .into_iter()
                .map(|(_, text)| text)
                .collect::<String>()
        };
        (0..lanes.rows.len()).map(line).collect()
    }

    fn network(layers: &[&[usize]], output: &[usize]) -> Architecture {
        let layer = |inputs: &&[usize]| crate::space::Layer {
            kind: Default::default(),
            kernel: [1, 1],
            filters: 2,
            stride: [1, 1],
            padding: [0, 0],
            inputs: inputs.to_vec(),
        };
        let layers = layers.iter().map(layer).collect();
        Architecture {
            name: "x".into(),
            input: [1, 8, 8],
            classes: 3,
            layers,
            output: output.to_vec(),
        }
    }

    /// Read the drawing as a person does: follow each row's line from the layer to both sides, and
    /// take the lanes joined to it.
    fn connections(lines: &[String], rails: &Rails) -> Vec<Vec<usize>> {
        let mut carried: Vec<Option<usize>> = Vec::new();
        let mut read = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let cells: Vec<String> = line.chars().map(String::from).collect();
            let is_layer = |cell: &&str| {
                [rails.image, rails.layer, rails.unread, rails.classifier].contains(cell)
            };
            let layer = cells
                .iter()
                .step_by(2)
                .position(|cell| is_layer(&cell.as_str()))
                .unwrap();
            carried.resize(cells.len().div_ceil(2), None);
            let mut taps: Vec<usize> = carried[layer].into_iter().collect();
            let is_line = |cell: &String| cell == rails.horizontal;
            let joins = |lane: usize| {
                ![rails.vertical, rails.horizontal].contains(&cells[2 * lane].as_str())
            };
            for lane in (0..layer)
                .rev()
                .take_while(|lane| is_line(&cells[2 * lane + 1]) && cells[2 * lane] != " ")
            {
                taps.extend(carried[lane].filter(|_| joins(lane)));
            }
            for lane in (layer + 1..carried.len())
                .take_while(|lane| is_line(&cells[2 * lane - 1]) && cells[2 * lane] != " ")
            {
                taps.extend(carried[lane].filter(|_| joins(lane)));
            }
            for (lane, carried) in carried.iter_mut().enumerate() {
                let cell = cells[2 * lane].as_str();
                if lane == layer {
                    *carried = (cell != rails.unread && cell != rails.classifier).then_some(number);
                } else if rails.ends.contains(&cell) || cell == " " {
                    *carried = None;
                }
            }
            taps.sort_unstable();
            read.push(taps);
        }
        read
    }

    #[test]
    fn a_lane_that_is_read_is_joined_and_one_that_is_only_crossed_is_not() {
        let network = network(&[&[0], &[1], &[0, 2], &[1, 0, 3], &[1, 4]], &[5]);
        assert_eq!(
            text(&network, &rails(false)),
            [
                "◇    ",
                "├─●  ",
                "│ ├─●",
                "├─│─●",
                "╰─┼─●",
                "  ╰─●",
                "    ■",
            ]
        );
    }

    #[test]
    fn ascii_joins_and_ends_can_be_told_apart() {
        let network = network(&[&[0], &[1], &[0, 2], &[1, 0, 3], &[1, 4]], &[5]);
        assert_eq!(
            text(&network, &rails(true))[3..],
            ["+-|-O", "'-+-O", "  '-O", "    #"]
        );
    }

    proptest! {
        #[test]
        fn every_connection_can_be_read_from_the_drawing_once(network in any_network(), ascii in any::<bool>()) {
            let rails = rails(ascii);
            let drawn = connections(&text(&network, &rails), &rails);
            for (drawn, wanted) in drawn.into_iter().zip(inputs(&network)) {
                let mut wanted = wanted.to_vec();
                wanted.sort_unstable();
                prop_assert_eq!(drawn, wanted);
            }
        }
    }
}

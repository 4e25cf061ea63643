//! The lanes of a network's connections when it is drawn from top to bottom, one row per layer:
//! pure layout.
//!
//! Every output that is read has one lane, straight down from its layer to its last reader; other
//! readers branch off on the way. A layer is at the top of its own lane: that of an input that ends
//! there, so that a chain is one line, or the leftmost free one. A lane is free again from the row
//! after its end.

use super::Architecture;

/// The rows of a network: the image, its layers, the classifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lanes {
    /// The rows by number: 0 is the image, the last one the classifier.
    pub rows: Vec<LaneRow>,
    /// Number of lanes side by side.
    pub count: usize,
}

/// One layer's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneRow {
    /// The lane of the layer.
    pub lane: usize,
    /// Whether its output is read.
    pub is_read: bool,
    /// By lane: the output that comes down to this row; `None` if the lane is free.
    pub wires: Vec<Option<Wire>>,
}

/// The output of a layer above, where it passes a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wire {
    /// Number of the layer whose output it is.
    pub source: usize,
    /// Whether the row's layer reads it.
    pub read: bool,
    /// Whether it ends here, because no layer below reads it.
    pub ends: bool,
}

impl Lanes {
    /// The layout of `architecture`, whose layers must read only earlier ones (see
    /// [`Architecture::check`]); otherwise `None`.
    pub fn of(architecture: &Architecture) -> Option<Lanes> {
        architecture.check().ok()?;
        Some(Lanes::of_inputs(&inputs(architecture)))
    }

    /// `inputs` by row: numbers of earlier rows.
    fn of_inputs(inputs: &[&[usize]]) -> Lanes {
        let last_reader = last_readers(inputs);
        let mut live: Vec<LaneState> = Vec::new();
        let mut rows = Vec::with_capacity(inputs.len());
        let mut is_input = vec![false; inputs.len()];
        for (number, inputs) in inputs.iter().enumerate() {
            inputs.iter().for_each(|&input| is_input[input] = true);
            let wires: Vec<Option<Wire>> = live
                .iter()
                .map(|state| state.wire(number, &is_input, &last_reader))
                .collect();
            inputs.iter().for_each(|&input| is_input[input] = false);
            let lane = place(number, &wires, &live);
            for (state, wire) in live.iter_mut().zip(&wires) {
                if wire.is_some_and(|wire| wire.ends) {
                    *state = LaneState::Free { from: number + 1 };
                }
            }
            live.resize(live.len().max(lane + 1), LaneState::Free { from: 0 });
            let is_read = last_reader[number].is_some();
            // Directly below a layer that is not read, another layer in the same lane would seem to
            // read it.
            live[lane] = if is_read {
                LaneState::Output { source: number }
            } else {
                LaneState::Free { from: number + 2 }
            };
            rows.push(LaneRow {
                lane,
                is_read,
                wires,
            });
        }
        let count = live.len();
        rows.iter_mut()
            .for_each(|row| row.wires.resize(count, None));
        Lanes { rows, count }
    }

    /// Layers that read the output of `number`, in order.
    pub fn readers(&self, number: usize) -> Vec<usize> {
        // It comes down in one lane, that of its layer.
        let reads = |reader: &usize| {
            let wire = self.rows[*reader].wires[self.rows[number].lane];
            wire.is_some_and(|wire| wire.source == number && wire.read)
        };
        (number + 1..self.rows.len()).filter(reads).collect()
    }
}

/// The inputs of each row: none for the image, those of each layer, those of the classifier.
pub fn inputs(architecture: &Architecture) -> Vec<&[usize]> {
    let layers = architecture
        .layers
        .iter()
        .map(|layer| layer.inputs.as_slice());
    std::iter::once([].as_slice())
        .chain(layers)
        .chain([architecture.output.as_slice()])
        .collect()
}

/// The state of a lane while the rows are processed.
#[derive(Debug, Clone, Copy)]
enum LaneState {
    Free { from: usize },
    Output { source: usize },
}

impl LaneState {
    fn wire(self, row: usize, is_input: &[bool], last_reader: &[Option<usize>]) -> Option<Wire> {
        match self {
            LaneState::Free { .. } => None,
            LaneState::Output { source } => Some(Wire {
                source,
                read: is_input[source],
                ends: last_reader[source] == Some(row),
            }),
        }
    }
}

/// The lane for row `number`: that of its latest input that ends here, otherwise the leftmost free
/// one.
fn place(number: usize, wires: &[Option<Wire>], live: &[LaneState]) -> usize {
    let ending = wires.iter().enumerate().filter_map(|(lane, wire)| {
        wire.filter(|wire| wire.ends)
            .map(|wire| (wire.source, lane))
    });
    let is_free = |state: &LaneState| matches!(state, LaneState::Free { from } if *from <= number);
    let free = || live.iter().position(is_free).unwrap_or(live.len());
    ending.max().map_or_else(free, |(_, lane)| lane)
}

/// By row: the last row that reads it.
fn last_readers(inputs: &[&[usize]]) -> Vec<Option<usize>> {
    let mut last = vec![None; inputs.len()];
    for (row, inputs) in inputs.iter().enumerate() {
        inputs.iter().for_each(|&input| last[input] = Some(row));
    }
    last
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::space::Layer;

    /// Any network that can be built: every layer reads some earlier ones.
    pub fn any_network() -> impl Strategy<Value = Architecture> {
        let inputs = (1usize..14).prop_flat_map(|layers| {
            let lists: Vec<_> = (1..=layers + 1)
                .map(|row| {
                    proptest::sample::subsequence((0..row).collect::<Vec<_>>(), 1..=row.min(9))
                        .prop_shuffle()
                })
                .collect();
            lists
        });
        inputs.prop_map(|mut lists| {
            let output = lists.pop().unwrap_or_default();
            let layer = |inputs| Layer {
                kind: Default::default(),
                kernel: [1, 1],
                filters: 2,
                stride: [1, 1],
                padding: [0, 0],
                inputs,
            };
            let layers = lists.into_iter().map(layer).collect();
            Architecture {
                name: "any".into(),
                input: [1, 8, 8],
                classes: 3,
                layers,
                output,
            }
        })
    }

    fn lanes(inputs: &[&[usize]]) -> Lanes {
        Lanes::of_inputs(inputs)
    }

    #[test]
    fn a_chain_is_one_line() {
        let lanes = lanes(&[&[], &[0], &[1], &[2]]);
        assert_eq!(
            (lanes.count, lanes.rows.iter().map(|row| row.lane).max()),
            (1, Some(0))
        );
    }

    #[test]
    fn a_lane_is_reused_after_its_end() {
        // 1 and 2 are both read by 3; 4 and 5 by 6.
        let lanes = lanes(&[&[], &[0], &[1], &[1, 2], &[3], &[3, 4], &[5]]);
        assert_eq!(lanes.count, 2);
    }

    #[test]
    fn below_an_unread_layer_the_lane_stays_empty_for_a_row() {
        let lanes = lanes(&[&[], &[0], &[0], &[0], &[3]]);
        assert!(!lanes.rows[1].is_read && !lanes.rows[2].is_read);
        assert_ne!(lanes.rows[1].lane, lanes.rows[2].lane);
    }

    #[test]
    fn readers_are_listed_in_order() {
        assert_eq!(lanes(&[&[], &[0], &[1, 0], &[1, 2]]).readers(1), [2, 3]);
    }

    proptest! {
        #[test]
        fn every_connection_runs_in_one_lane_from_its_source_to_its_reader(network in any_network()) {
            let lanes = Lanes::of(&network).expect("it can be built");
            let inputs = inputs(&network);
            for (reader, (row, inputs)) in lanes.rows.iter().zip(&inputs).enumerate() {
                let mut read: Vec<usize> = row.wires.iter().flatten().filter(|wire| wire.read).map(|wire| wire.source).collect();
                let mut wanted = inputs.to_vec();
                read.sort_unstable();
                wanted.sort_unstable();
                prop_assert_eq!(read, wanted, "row {}", reader);
                for (lane, wire) in row.wires.iter().enumerate() {
                    let Some(wire) = wire else { continue };
                    prop_assert_eq!(lanes.rows[wire.source].lane, lane);
                    for between in &lanes.rows[wire.source + 1..reader] {
                        let passing = between.wires[lane];
                        prop_assert!(passing.is_some_and(|passing| passing.source == wire.source && !passing.ends));
                    }
                }
            }
        }

        #[test]
        fn no_layer_is_on_a_lane_that_continues(network in any_network()) {
            for row in Lanes::of(&network).expect("it can be built").rows {
                prop_assert!(row.wires[row.lane].is_none_or(|wire| wire.ends && wire.read));
            }
        }
    }
}

//! Networks of several shapes.

use proptest::prelude::*;

use super::super::tests::assert_sound;
use super::*;
use crate::config::Decode;
use crate::space::builtin::builtin;
use crate::space::lanes::tests::any_network;

fn nascnn15() -> Architecture {
    builtin("nascnn15", Decode::Literal, [3, 32, 32], 10)
        .unwrap()
        .unwrap()
}

#[test]
fn every_connection_is_a_bend_or_a_straight_line() {
    let network = nascnn15();
    let lanes = Lanes::of(&network).unwrap();
    let svg = draw(&network, Form::Wide, "t");
    let edges = network
        .layers
        .iter()
        .map(|layer| layer.inputs.len())
        .sum::<usize>()
        + network.output.len();
    let bends = svg.matches('Q').count();
    let straight = (0..lanes.rows.len())
        .flat_map(|source| {
            lanes
                .readers(source)
                .into_iter()
                .map(move |reader| (source, reader))
        })
        .filter(|(source, reader)| lanes.rows[*source].lane == lanes.rows[*reader].lane)
        .count();
    assert_eq!(bends + straight, edges);
}

#[test]
fn skip_connections_are_counted() {
    let network = nascnn15();
    let edges = network
        .layers
        .iter()
        .map(|layer| layer.inputs.len())
        .sum::<usize>()
        + 1;
    // Every layer except 8, 9 and 12 reads the previous one; here they are counted from the
    // definition itself.
    let near = (1..=15)
        .filter(|row| network.layers[row - 1].inputs.contains(&(row - 1)))
        .count()
        + 1;
    assert_eq!(skip_connections(&network), edges - near);
}

proptest! {
    #[test]
    fn any_network_is_drawn_in_both_forms(network in any_network()) {
        for form in [Form::Wide, Form::Narrow] {
            assert_sound(&draw(&network, form, "t"));
        }
    }
}

#[test]
fn a_network_that_cannot_be_built_or_is_too_deep_is_not_drawn() {
    let mut network = nascnn15();
    network.layers[0].inputs = vec![9];
    assert!(draw(&network, Form::Wide, "t").contains("cannot be built"));
    let layer = crate::space::Layer {
        kind: Default::default(),
        kernel: [1; 2],
        filters: 1,
        stride: [1; 2],
        padding: [0; 2],
        inputs: vec![0],
    };
    network.layers = vec![layer; MOST_LAYERS + 1];
    assert!(draw(&network, Form::Wide, "t").contains("too many to draw"));
}

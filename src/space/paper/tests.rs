//! The properties of the paper's spaces: every child can be built and has its DNA, and NASCNN15 is
//! one of the children.

use proptest::prelude::*;

use super::*;
use crate::config::{Decode, SpaceConfig};
use crate::space::builtin::builtin;
use crate::space::{Architecture, Dna, Operation, Space};

fn config(layer: &str, strides: &[u32]) -> SpaceConfig {
    SpaceConfig {
        layer: layer.to_owned(),
        kernels: vec![1, 3, 5, 7],
        filters: vec![24, 36, 48, 64],
        strides: strides.to_vec(),
        paddings: vec![],
        decode: Decode::Literal,
    }
}

fn space() -> Space {
    Space::new(&config("paper", &[]), [3, 32, 32], 10).unwrap()
}

fn network(genes: &[&[u32]]) -> Architecture {
    let dna = Dna(genes.iter().map(|gene| gene.to_vec()).collect());
    space().network(&dna, "child").unwrap()
}

fn error(genes: &[&[u32]]) -> String {
    let dna = Dna(genes.iter().map(|gene| gene.to_vec()).collect());
    space().network(&dna, "child").unwrap_err().to_string()
}

/// A child of `depth` layers whose choices are the numbers in `picks`, repeated as needed (modulo
/// the number of options).
fn sampled(space: &Space, depth: usize, picks: &[usize]) -> Dna {
    let (mut prefix, mut picks) = (space.prefix(depth), picks.iter().cycle());
    while let Some(next) = prefix.next() {
        assert!(next.feasible.iter().all(|feasible| *feasible));
        prefix.choose(picks.next().unwrap() % next.feasible.len());
    }
    prefix.dna()
}

#[test]
fn a_layer_reads_exactly_the_layers_of_its_bits() {
    let network = network(&[
        &[3, 5, 24],
        &[1, 1, 36, 1],
        &[3, 3, 48, 1, 1],
        &[7, 7, 24, 0, 1, 0],
    ]);
    let inputs: Vec<&[usize]> = network
        .layers
        .iter()
        .map(|layer| &layer.inputs[..])
        .collect();
    assert_eq!(inputs, [&[0][..], &[1], &[1, 2], &[2]]);
    assert_eq!(network.layers[0].kernel, [3, 5]);
    assert_eq!(network.layers[0].padding, [1, 2]);
}

#[test]
fn a_layer_without_inputs_reads_the_image_and_unread_layers_go_to_the_classifier() {
    let network = network(&[&[3, 3, 24], &[3, 3, 24, 0], &[3, 3, 24, 0, 0]]);
    assert!(network.layers.iter().all(|layer| layer.inputs == [0]));
    assert_eq!(network.output, [1, 2, 3]);
}

#[test]
fn with_strides_a_layer_is_as_large_as_its_largest_input_requires() {
    let space = Space::new(&config("paper_strides", &[1, 2, 3]), [3, 32, 32], 10).unwrap();
    let dna = Dna(vec![
        vec![3, 3, 24, 2, 3],
        vec![3, 3, 24, 3, 1, 0],
        vec![3, 3, 24, 1, 2, 1, 1],
    ]);
    let network = space.network(&dna, "child").unwrap();
    let shapes = network.shapes().unwrap();
    // Layers 1 and 2 read the image; layer 3 joins 16x11 and 11x32 to 16x32.
    assert_eq!(shapes[1..], [[24, 16, 11], [24, 11, 32], [24, 16, 16]]);
}

#[test]
fn a_gene_of_the_wrong_length_or_with_an_invalid_bit_names_its_layer() {
    assert_eq!(
        error(&[&[3, 3, 24], &[3, 3, 24]]),
        "layer 2: the gene has 3 values, but must have 4: kernel height, kernel width, filters, and a skip bit for each of the 1 \
         earlier layers"
    );
    assert_eq!(
        error(&[&[3, 3, 24], &[3, 3, 24, 2]]),
        "layer 2: the bit of layer 1 is 2, but must be 0 or 1"
    );
    assert!(error(&[&[0, 3, 24]]).contains("layer 1: kernel height is 0"));
}

#[test]
fn strides_are_rejected_if_the_space_does_not_decide_them() {
    let refused = |config: &SpaceConfig| {
        let error = Space::new(config, [3, 32, 32], 10).unwrap_err();
        error.to_string()
    };
    assert!(refused(&config("paper", &[1, 2])).contains("space.strides = [1, 2]: must be empty"));
    assert!(refused(&config("paper_strides", &[])).contains("must list at least one value"));
    let even = SpaceConfig {
        kernels: vec![2, 3],
        ..config("paper", &[])
    };
    assert!(refused(&even).contains("space.kernels = 2: must list odd numbers"));
    assert!(refused(&config("papers", &[])).contains("must be one of chain, rectangular, paper,"));
}

#[test]
fn nascnn15_is_a_child_of_the_space_and_all_its_layers_except_the_last_are_read() {
    let nascnn15 = builtin("nascnn15", Decode::Literal, [3, 32, 32], 10);
    let nascnn15 = nascnn15.unwrap().unwrap();
    let dna = crate::space::describe(&nascnn15).expect("the paper's space describes it");
    assert_eq!(dna.0[0], [3, 3, 36]);
    assert_eq!(dna.0[4], [3, 7, 48, 0, 0, 1, 1]);
    let again = space().network(&dna, "again").unwrap();
    assert_eq!(again.output, [15]);
    assert!(again.same_network(&nascnn15));
    // And each of its values is an option.
    let values = dna.0.iter().enumerate().all(|(index, gene)| {
        let heads = space().layer_heads(index + 1);
        let space = space();
        let mut pairs = gene.iter().zip(heads);
        pairs.all(|(value, head)| space.heads()[head].options.contains(value))
    });
    assert!(values);
}

proptest! {
    #[test]
    fn every_child_can_be_built_and_the_network_gives_its_dna_back(
        depth in 1usize..9,
        picks in prop::collection::vec(0usize..4, 1..60),
        height in 1usize..40,
        width in 1usize..40,
    ) {
        for (family, strides) in [(PAPER, &[][..]), (PAPER_STRIDES, &[1, 2, 3])] {
            let space = Space::new(&config(family.name(), strides), [3, height, width], 10).unwrap();
            let dna = sampled(&space, depth, &picks);
            let network = space.network(&dna, "child").unwrap();
            prop_assert!(network.check().is_ok());
            prop_assert!(network.output.contains(&depth));
            prop_assert_eq!(family.describe(&network), Some(dna));
        }
    }
}

#[test]
fn a_run_with_these_heads_restores_the_space() {
    for (layer, strides) in [("paper", &[][..]), ("paper_strides", &[1, 2])] {
        let space = Space::new(&config(layer, strides), [3, 32, 32], 10).unwrap();
        let written = serde_json::to_string(space.heads()).unwrap();
        assert!(
            written.ends_with(r#"{"kind":"skip","choices":[0,1]}]"#),
            "{written}"
        );
        let heads = serde_json::from_str(&written).unwrap();
        let again = Space::restore(heads, Decode::Literal, [3, 32, 32], 10).unwrap();
        let dna = sampled(&space, 4, &[1, 0, 1]);
        assert_eq!(again.network(&dna, "x"), space.network(&dna, "x"));
    }
}

#[test]
fn a_pooling_layer_has_stride_2_and_as_many_channels_as_it_reads() {
    let space = Space::new(&config("paper_pooling", &[]), [3, 32, 32], 10).unwrap();
    let dna = Dna(vec![
        vec![0, 3, 3, 36],
        vec![1, 3, 5, 24, 1],
        vec![0, 3, 3, 48, 1, 1],
        vec![1, 1, 1, 24, 0, 1, 1],
    ]);
    let network = space.network(&dna, "child").unwrap();
    assert_eq!(network.layers[1].kind, Operation::MaxPooling);
    assert_eq!(network.layers[1].padding, [1, 2]);
    let shapes = network.shapes().unwrap();
    assert_eq!(
        shapes[1..],
        [[36, 32, 32], [36, 16, 16], [48, 32, 32], [84, 16, 16]]
    );
    let described = PAPER_POOLING.describe(&network).unwrap();
    let again = space.network(&described, "again").unwrap();
    assert!(again.same_network(&network));
    assert_eq!(PAPER.describe(&network), None);
}

#[test]
fn the_filters_of_a_pooling_layer_cannot_be_chosen() {
    let space = Space::new(&config("paper_pooling", &[]), [3, 32, 32], 10).unwrap();
    let filters_after = |kind: usize| {
        let mut prefix = space.prefix(2);
        for index in [kind, 1, 1] {
            prefix.choose(index);
        }
        prefix.next().unwrap().feasible
    };
    assert_eq!(filters_after(0), [true; 4]);
    assert_eq!(filters_after(1), [true, false, false, false]);
}

#[test]
fn pooling_that_would_read_too_many_channels_is_masked() {
    let config = SpaceConfig {
        filters: vec![4096],
        ..config("paper_pooling", &[])
    };
    let space = Space::new(&config, [3, 32, 32], 10).unwrap();
    let mut prefix = space.prefix(3);
    // Two convolutions, then pooling that reads the first of them.
    for index in [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1] {
        prefix.choose(index);
    }
    assert_eq!(prefix.next().unwrap().feasible, [true, false]);
}

#[test]
fn a_layer_type_beyond_the_known_ones_names_its_layer() {
    let space = Space::new(&config("paper_pooling", &[]), [3, 32, 32], 10).unwrap();
    let error = space
        .network(&Dna(vec![vec![2, 3, 3, 24]]), "x")
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer 1: layer type is 2, but must be from 0 to 1"
    );
}

proptest! {
    #[test]
    fn every_child_with_pooling_can_be_built(
        depth in 1usize..12,
        picks in prop::collection::vec(0usize..4, 1..90),
    ) {
        let space = Space::new(&config("paper_pooling", &[]), [3, 32, 32], 10).unwrap();
        let (mut prefix, mut picks) = (space.prefix(depth), picks.iter().cycle());
        while let Some(next) = prefix.next() {
            let open: Vec<usize> = (0..next.feasible.len()).filter(|i| next.feasible[*i]).collect();
            prefix.choose(open[picks.next().unwrap() % open.len()]);
        }
        let network = space.network(&prefix.dna(), "child").unwrap();
        prop_assert!(network.check().is_ok());
        prop_assert_eq!(network.layers.len(), depth);
    }
}

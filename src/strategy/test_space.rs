//! A space with effective masks, for the tests of strategies.

use crate::config::{Decode, SpaceConfig};
use crate::space::{Dna, Space};

/// 24 layers, not all of which can be built everywhere.
pub fn space() -> Space {
    let config = SpaceConfig {
        layer: "chain".to_owned(),
        kernels: vec![3, 5],
        filters: vec![8, 16, 24],
        strides: vec![1, 2],
        paddings: vec![0, 1],
        decode: Decode::Literal,
    };
    Space::new(&config, [1, 24, 24], 10).unwrap()
}

/// Number of values in which two DNAs of the same depth differ.
pub fn changes(one: &Dna, other: &Dna) -> usize {
    let values = |dna: &Dna| dna.0.iter().flatten().copied().collect::<Vec<_>>();
    let pairs = values(one).into_iter().zip(values(other));
    pairs.filter(|(one, other)| one != other).count()
}

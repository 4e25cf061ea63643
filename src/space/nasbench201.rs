//! The space of NAS-Bench-201 (Dong & Yang 2020): cells of four nodes, in which each of the six
//! edges has one of five operations. A child is a row of a table, identified by the cell's name.
//!
//! A DNA is one gene of six values, one per edge in the order of the cell's name; each is an index
//! into [`OPERATIONS`].

use super::error::SpaceError;
use super::family::{FAMILIES, Family};
use super::head::{Head, HeadKind, Values};
use super::rules::check_gene;
use super::{Design, Dna};
use crate::config::Decode;

/// Operations of an edge, by the value in its gene, with NAS-Bench-201's names.
pub const OPERATIONS: [&str; 5] = [
    "none",
    "skip_connect",
    "nor_conv_1x1",
    "nor_conv_3x3",
    "avg_pool_3x3",
];

/// The edges in the order of a cell's name: by the node that they lead to, then by the node that
/// they come from.
pub const EDGES: [HeadKind; 6] = [
    edge("edge01", "edge 0-1", "0-1"),
    edge("edge02", "edge 0-2", "0-2"),
    edge("edge12", "edge 1-2", "1-2"),
    edge("edge03", "edge 0-3", "0-3"),
    edge("edge13", "edge 1-3", "1-3"),
    edge("edge23", "edge 2-3", "2-3"),
];

const fn edge(key: &'static str, name: &'static str, short_name: &'static str) -> HeadKind {
    HeadKind {
        key,
        name,
        short_name,
        values: Values::Named(&OPERATIONS),
    }
}

/// Edges that lead to each node after the first.
const EDGES_TO: [usize; 3] = [1, 2, 3];

/// Channels of the three stages of five cells each that NAS-Bench-201 stacks, and the side of their
/// maps.
const STAGES: [(u64, u64); 3] = [(16, 32), (32, 16), (64, 8)];
const CELLS_PER_STAGE: u64 = 5;
/// Parameters and multiply-accumulates of everything except the cells (stem, reductions, classifier
/// of 10 classes).
const AROUND: (u64, u64) = (73_306, 7_783_040);

/// The family of NAS-Bench-201.
#[derive(Debug)]
struct Nasbench201;

#[linkme::distributed_slice(FAMILIES)]
static ENTRY: &dyn Family = &Nasbench201;

impl Nasbench201 {
    /// A cell's name: `|OP~0|+|OP~0|OP~1|+|OP~0|OP~1|OP~2|`.
    fn name(gene: &[u32]) -> String {
        let mut edges = gene.iter();
        let node = |count: usize| {
            let into = edges.by_ref().take(count).enumerate();
            let parts: Vec<String> = into
                .map(|(from, operation)| format!("{}~{from}", OPERATIONS[*operation as usize]))
                .collect();
            format!("|{}|", parts.join("|"))
        };
        EDGES_TO.map(node).join("+")
    }
}

impl Family for Nasbench201 {
    fn name(&self) -> &'static str {
        "nasbench201"
    }

    fn kinds(&self) -> &'static [HeadKind] {
        &EDGES
    }

    fn is_tabular(&self) -> bool {
        true
    }

    /// (Every cell exists.)
    fn roomiest(&self, head: &Head) -> u32 {
        head.options.first().copied().unwrap_or(0)
    }

    fn output(&self, _decode: Decode, shapes: &[[usize; 3]], _gene: &[u32]) -> Option<[usize; 3]> {
        shapes.last().copied()
    }

    fn check_depth(&self, depth: usize) -> Result<(), SpaceError> {
        if depth == 1 {
            return Ok(());
        }
        Err(SpaceError::FixedDepth {
            space: self.name(),
            only: 1,
            depth,
        })
    }

    fn decode(
        &self,
        _decode: Decode,
        dna: &Dna,
        _name: &str,
        _input: [usize; 3],
        _classes: usize,
    ) -> Result<Design, SpaceError> {
        self.check_depth(dna.depth())?;
        let gene = &dna.0[0];
        check_gene(&EDGES, 1, gene)?;
        Ok(Design::Key(Nasbench201::name(gene)))
    }

    fn size(&self, dna: &Dna, _design: &Design) -> Result<(u64, u64), SpaceError> {
        let (mut params, mut macs) = AROUND;
        for operation in dna.0.iter().flatten() {
            let taps = match OPERATIONS[*operation as usize] {
                "nor_conv_1x1" => 1,
                "nor_conv_3x3" => 9,
                _ => continue,
            };
            for (channels, side) in STAGES {
                let weights = taps * channels * channels;
                // Batch normalisation has a weight and a bias per channel.
                params += CELLS_PER_STAGE * (weights + 2 * channels);
                macs += CELLS_PER_STAGE * weights * side * side;
            }
        }
        Ok((params, macs))
    }

    fn keys(&self) -> Option<Vec<String>> {
        let base = OPERATIONS.len() as u32;
        let gene = |number: u32| {
            (0..EDGES.len() as u32)
                .map(|edge| number / base.pow(edge) % base)
                .collect::<Vec<u32>>()
        };
        let cells = base.pow(EDGES.len() as u32);
        Some(
            (0..cells)
                .map(|number| Nasbench201::name(&gene(number)))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::SpaceConfig;
    use crate::space::Space;

    fn space() -> Space {
        let config = SpaceConfig {
            layer: "nasbench201".to_owned(),
            kernels: vec![],
            filters: vec![],
            strides: vec![],
            paddings: vec![],
            decode: Decode::Literal,
        };
        Space::new(&config, [0, 0, 0], 0).unwrap()
    }

    fn decoded(gene: [u32; 6]) -> (String, (u64, u64)) {
        let (space, dna) = (space(), Dna(vec![gene.to_vec()]));
        let design = space.decode(&dna, "child").unwrap();
        let size = space.size(&dna, &design).unwrap();
        (design.key(), size)
    }

    #[test]
    fn cells_have_the_names_and_sizes_of_the_benchmark() {
        // Rows 0, 1 and 2 of the published table.
        let row = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|";
        assert_eq!(
            decoded([4, 2, 1, 2, 1, 1]),
            (row.to_owned(), (129_306, 15_647_360))
        );
        assert_eq!(decoded([3, 3, 4, 1, 3, 1]).1, (802_426, 113_951_360));
        assert_eq!(decoded([4, 3, 3, 4, 4, 4]).1, (559_386, 78_561_920));
    }

    #[test]
    fn every_child_is_a_different_row_and_all_options_are_feasible() {
        let space = space();
        let keys: BTreeSet<String> = space.keys().unwrap().into_iter().collect();
        assert_eq!(keys.len(), 15_625);
        assert!(keys.contains(&decoded([0, 1, 2, 3, 4, 0]).0));
        let mut prefix = space.prefix(1);
        let mut heads = Vec::new();
        while let Some(next) = prefix.next() {
            assert_eq!(next.feasible, [true; 5]);
            heads.push(next.head);
            prefix.choose(next.head % 5);
        }
        assert_eq!(
            (heads, prefix.dna()),
            ((0..6).collect(), Dna(vec![vec![0, 1, 2, 3, 4, 0]]))
        );
    }

    #[test]
    fn a_cell_has_one_gene_of_six_known_operations() {
        let space = space();
        let error = |genes: Vec<Vec<u32>>| space.decode(&Dna(genes), "x").unwrap_err().to_string();
        assert!(error(vec![vec![0; 6]; 2]).contains("exactly 1"));
        assert!(error(vec![vec![0; 5]]).contains("must have 6"));
        assert!(error(vec![vec![0, 0, 0, 0, 0, 5]]).contains("edge 2-3 is 5"));
        assert!(space.check_depth(2).is_err() && space.check_depth(1).is_ok());
        let network = space.network(&Dna(vec![vec![0; 6]]), "x");
        assert!(network.unwrap_err().to_string().contains("row of a table"));
    }

    #[test]
    fn a_journals_decisions_restore_the_space() {
        let heads = space().heads().to_vec();
        let again = Space::restore(heads, Decode::Literal, [0, 0, 0], 0).unwrap();
        let dna = Dna(vec![vec![4, 2, 1, 2, 1, 1]]);
        assert_eq!(again.decode(&dna, "x"), space().decode(&dna, "x"));
    }
}

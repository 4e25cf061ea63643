//! The probabilities laid out in many and in few columns.

use super::*;
use crate::event::Choice;
use crate::space::nasbench201::EDGES;
use crate::space::{Design, Dna, Head, HeadKind, Values};
use crate::state::Candidate;
use crate::tui::sample;

/// A child whose choices all picked the second option, with this probability.
fn child(heads: &[Head], depth: usize, probability: f64) -> Candidate {
    let choice = |layer: usize, head: usize| {
        let mut probabilities = vec![0.1; heads[head].options.len()];
        probabilities[1] = probability;
        Choice {
            layer,
            head,
            index: 1,
            log_prob: probability.ln(),
            entropy: 1.0,
            probabilities,
        }
    };
    let of_layer = |layer| (0..heads.len()).map(move |head| choice(layer, head));
    let choices = (1..=depth).flat_map(of_layer).collect();
    Candidate {
        child: 1,
        episode: 1,
        dna: Dna(vec![vec![1; heads.len()]; depth]),
        design: Design::Key(String::new()),
        params: 0,
        macs: 0,
        origin: CandidateOrigin::Sampled {
            log_prob: 0.0,
            entropy: 0.0,
            max_entropy: 0.0,
            choices,
        },
        seq: 0,
    }
}

/// The rows of its map, with their headings.
fn rows(heads: &[Head], depth: usize, width: usize) -> Vec<String> {
    let (child, theme) = (child(heads, depth, 0.6), sample::plain(false));
    let content = HeatMap::new(heads, &child, &theme.glyphs, width).content();
    let rows = content.head.into_iter().chain(content.body);
    let text = rows.map(|row| row.into_iter().map(|(_, text)| text).collect::<String>());
    text.map(|row| row.trim_end().to_owned()).collect()
}

fn cell() -> Vec<Head> {
    let head = |kind| Head {
        kind,
        options: (0..5).collect(),
    };
    EDGES.map(head).into()
}

#[test]
fn a_cell_has_a_row_per_edge_and_names_its_operations() {
    let rows_in = |width| rows(&cell(), 1, width);
    let wide = rows_in(78);
    assert_eq!(
        wide[..2],
        [
            "         none  skip_connect nor_conv_1x1 nor_conv_3x3 avg_pool_3x3",
            "edge 0-1  ░10     ▸▓60          ░10          ░10          ░10",
        ]
    );
    assert_eq!(wide.len(), 7);
    assert!(wide[6].starts_with("edge 2-3"), "{wide:?}");
    let narrow = rows_in(48);
    assert_eq!(narrow[0], "         none  skip  nor_1x1 nor_3x3 avg_3x3");
    assert_eq!(narrow.len(), 7);
    let least = rows_in(37);
    assert!(least[0].contains("nor_3x3"), "{least:?}");
    assert!(least[6].starts_with("2-3"), "{least:?}");
}

#[test]
fn decisions_that_do_not_fit_beside_each_other_stand_below_and_none_is_cut() {
    let size = |name: &'static str| HeadKind {
        key: name,
        name,
        short_name: name,
        values: Values::Listed("space.kernels"),
    };
    let heads = ["kernel", "filters", "stride", "padding"].map(|name| Head {
        kind: size(name),
        options: (1..10).collect(),
    });
    let depth = 2;
    for width in 12..200 {
        let rows = rows(&heads, depth, width);
        let plan = Plan::of(&heads, depth, width);
        assert_eq!(plan.rows(depth), rows.len(), "{width}");
        assert!(
            rows.iter().all(|row| row.chars().count() <= width),
            "{width}: {rows:?}"
        );
        let shades = rows.concat().matches(['░', '▒', '▓', '█']).count();
        assert_eq!(shades, heads.len() * depth * 9, "{width}: {rows:?}");
    }
    assert_eq!(rows(&heads, depth, 115).len(), 4, "one block");
    let two = rows(&heads, depth, 60);
    assert_eq!(two.len(), 8);
    assert!(
        two[0].contains("filters") && two[4].contains("padding"),
        "{two:?}"
    );
}

#[test]
fn the_rows_needed_are_those_of_the_plan() {
    assert_eq!(Plan::of(&cell(), 1, 78).rows(1), 7);
    assert_eq!(Plan::of(&cell(), 1, 48).rows(1), 7);
}

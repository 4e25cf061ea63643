//! The table of choices, in many and in few columns.

use super::*;
use crate::space::paper::SKIP;
use crate::space::{HeadKind, Layer, Values};
use crate::tui::sample;

const fn size(name: &'static str) -> HeadKind {
    HeadKind {
        key: name,
        name,
        short_name: name,
        values: Values::Listed("space.kernels"),
    }
}

/// A network of three layers, the best one that it is compared with, and the table in so many columns.
fn rows(width: usize) -> Vec<String> {
    let heads = [size("kernel"), size("filters"), SKIP].map(|kind| Head {
        kind,
        options: vec![3, 5],
    });
    let dna = Dna(vec![vec![3, 8], vec![5, 8, 1], vec![3, 4, 1, 1]]);
    let best = Dna(vec![vec![3, 8], vec![3, 8, 1], vec![3, 4, 0, 1]]);
    let layer = |inputs: &[usize]| Layer {
        kind: Default::default(),
        kernel: [3, 3],
        filters: 8,
        stride: [1, 1],
        padding: [1, 1],
        inputs: inputs.to_vec(),
    };
    let architecture = Architecture {
        name: String::new(),
        input: [1, 8, 8],
        classes: 2,
        layers: vec![layer(&[0]), layer(&[1]), layer(&[1, 2])],
        output: vec![3],
    };
    let choice = |layer, head, log_prob| Choice {
        layer,
        head,
        index: 0,
        log_prob,
        entropy: 0.5,
        probabilities: vec![0.5, 0.5],
    };
    let made = (1..=3).flat_map(|layer| {
        let sizes = [choice(layer, 0, -1.0), choice(layer, 1, -0.25)];
        let skips = (1..layer).map(move |_| choice(layer, 2, -0.25));
        sizes.into_iter().chain(skips)
    });
    let options = Extras {
        choices: made.collect(),
        compared_dna: Some(best),
        ..Extras::default()
    };
    let theme = sample::plain(false);
    let network = (&architecture, &dna);
    let content = choices(network, &heads, &options, width, &theme.glyphs);
    let rows = content.head.into_iter().chain(content.body);
    let text = rows.map(|row| row.into_iter().map(|(_, text)| text).collect::<String>());
    text.map(|row| row.trim_end().to_owned()).collect()
}

#[test]
fn each_choice_has_its_log_probability_and_its_entropy_beside_it() {
    assert_eq!(
        rows(58)[..3],
        [
            "# kernel log p ent. filters log p ent. skip  log p ent.",
            "1     3  -1.00 0.50      8  -0.25 0.50 none",
            "2     5* -1.00 0.50      8  -0.25 0.50 1     -0.25 0.50",
        ]
    );
    assert!(rows(66)[0].contains("entropy"), "{:?}", rows(66));
    assert!(rows(110)[0].ends_with("field"), "{:?}", rows(110));
}

#[test]
fn where_there_is_no_room_beside_it_they_stand_below_it_and_none_is_left_out() {
    let rows = rows(40);
    assert_eq!(rows.len(), 1 + 3 * 3);
    assert_eq!(rows[0], "#           kernel  filters  skip");
    assert_eq!(rows[7], "3  choice       3        4   1,2*");
    assert_eq!(rows[8], "   log p    -1.00    -0.25   -0.50");
    assert_eq!(rows[9], "   entropy   0.50     0.50   1.00");
}

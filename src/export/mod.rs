//! Export formats of an architecture: PyTorch code, ONNX, a Graphviz graph, and the JSON and DNA
//! files that this program reads. Needs no libtorch.

pub mod dot;
pub mod files;
pub mod onnx;
pub mod pytorch;

use crate::foundation::text;
use crate::space::{self, Architecture, Dna};

/// The architecture file: JSON, one line per layer.
pub fn json(architecture: &Architecture) -> String {
    architecture.to_json()
}

/// The DNA that decodes literally to `architecture`; `None` if it has skip connections, or layers
/// that no gene can describe.
pub fn dna_of(architecture: &Architecture) -> Option<Dna> {
    space::describe(architecture)
}

/// The DNA file: JSON, one line per layer.
pub fn dna(dna: &Dna) -> String {
    let genes: Vec<String> = dna.0.iter().map(|gene| format!("{gene:?}")).collect();
    format!("{{\n  \"dna\": [\n    {}\n  ]\n}}\n", genes.join(",\n    "))
}

/// By layer number (0 is the image): whether its output has any influence on the classifier.
fn matters(architecture: &Architecture) -> Vec<bool> {
    let mut matters = vec![false; architecture.layers.len() + 1];
    let mark = |inputs: &[usize], matters: &mut Vec<bool>| {
        inputs.iter().for_each(|&input| matters[input] = true)
    };
    mark(&architecture.output, &mut matters);
    for (index, layer) in architecture.layers.iter().enumerate().rev() {
        if matters[index + 1] {
            mark(&layer.inputs, &mut matters);
        }
    }
    matters
}

/// A name that is safe in comments and in quotes: control characters, quotes and backslashes become
/// `_`.
fn plain(name: &str) -> String {
    name.chars()
        .map(|character| {
            if text::controls(character) || "\"'\\".contains(character) {
                '_'
            } else {
                character
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Layer;

    #[test]
    fn a_dna_file_is_json_that_contains_the_dna() {
        let written = Dna(vec![vec![3, 8, 1, 1], vec![5, 12, 2, 2]]);
        let value: serde_json::Value = serde_json::from_str(&dna(&written)).unwrap();
        assert_eq!(
            serde_json::from_value::<Dna>(value["dna"].clone()).unwrap(),
            written
        );
    }

    #[test]
    fn a_layer_that_only_an_unread_layer_reads_does_not_matter() {
        let layer = |inputs: &[usize]| Layer {
            kind: Default::default(),
            kernel: [1; 2],
            filters: 2,
            stride: [1; 2],
            padding: [0; 2],
            inputs: inputs.to_vec(),
        };
        let layers = vec![layer(&[0]), layer(&[1]), layer(&[0])];
        let architecture = Architecture {
            name: "x".into(),
            input: [1, 4, 4],
            classes: 2,
            layers,
            output: vec![3],
        };
        assert_eq!(matters(&architecture), [true, false, false, true]);
    }
}

//! The built-in networks: NASCNN15, the monograph's variant of it, and the monograph's published
//! DNA.

use super::decode::CHAIN;
use super::{Architecture, Dna, Layer, SpaceError};
use crate::config::Decode;

/// Names of the built-in networks, with descriptions.
pub const BUILTINS: [(&str, &str); 3] = [
    ("nascnn15", "the 15-layer network of Zoph & Le's Figure 7"),
    (
        "nascnn15-monograph",
        "the monograph's variant: layer 15 reads layer 6 instead of layer 2",
    ),
    (
        "monograph-demo",
        "the monograph's published DNA; can be built with clipped decoding only",
    ),
];

/// The built-in network `name` for images `input` `[C, H, W]` and `classes` classes; `None` if
/// there is no such name. `decode` only affects `monograph-demo`, which is a DNA.
pub fn builtin(
    name: &str,
    decode: Decode,
    input: [usize; 3],
    classes: usize,
) -> Option<Result<Architecture, SpaceError>> {
    match name {
        "nascnn15" => Some(nascnn15(name, input, classes, 2)),
        "nascnn15-monograph" => Some(nascnn15(name, input, classes, 6)),
        "monograph-demo" => Some(CHAIN.network(decode, &monograph_dna(), name, input, classes)),
        _ => None,
    }
}

/// A layer of NASCNN15: kernel `[height, width]`, filters, inputs. Stride 1, "same" padding.
type NascnnLayer = ([usize; 2], usize, &'static [usize]);

/// Layers 1 to 14 of NASCNN15, from the vector data of the paper's Figure 7.
const NASCNN15: [NascnnLayer; 14] = [
    ([3, 3], 36, &[0]),
    ([3, 3], 48, &[1]),
    ([3, 3], 36, &[1, 2]),
    ([5, 5], 36, &[1, 2, 3]),
    ([3, 7], 48, &[3, 4]),
    ([7, 7], 48, &[2, 3, 4, 5]),
    ([7, 7], 48, &[2, 3, 4, 5, 6]),
    ([7, 3], 36, &[1, 6, 7]),
    ([7, 1], 36, &[1, 5, 6, 8]),
    ([7, 7], 36, &[1, 3, 4, 5, 6, 7, 8, 9]),
    ([5, 7], 36, &[1, 2, 5, 6, 7, 8, 9, 10]),
    ([7, 7], 48, &[1, 2, 3, 4, 6, 11]),
    ([7, 5], 48, &[1, 3, 6, 7, 8, 9, 10, 11, 12]),
    ([7, 5], 48, &[3, 7, 12, 13]),
];

/// NASCNN15. `first` is the earliest layer that layer 15 reads: 2 in the figure, 6 in the
/// monograph. Both have 48 filters, so the number of parameters is the same.
fn nascnn15(
    name: &str,
    input: [usize; 3],
    classes: usize,
    first: usize,
) -> Result<Architecture, SpaceError> {
    let layer = |kernel: [usize; 2], filters: usize, inputs: &[usize]| Layer {
        kind: Default::default(),
        kernel,
        filters,
        stride: [1, 1],
        padding: kernel.map(|kernel| kernel / 2),
        inputs: inputs.to_vec(),
    };
    let mut layers: Vec<Layer> = NASCNN15
        .iter()
        .map(|&(kernel, filters, inputs)| layer(kernel, filters, inputs))
        .collect();
    layers.push(layer([7, 5], 48, &[first, 7, 11, 12, 13, 14]));
    let architecture = Architecture {
        name: name.to_owned(),
        input,
        classes,
        layers,
        output: vec![15],
    };
    architecture.check()?;
    Ok(architecture)
}

/// The DNA that the monograph publishes for its best child: `[k, f, s, p]` per layer.
pub fn monograph_dna() -> Dna {
    const GENES: [[u32; 4]; 13] = [
        [1, 2, 11, 1],
        [1, 4, 8, 1],
        [10, 2, 2, 8],
        [2, 13, 13, 5],
        [15, 4, 2, 11],
        [24, 10, 7, 22],
        [7, 13, 4, 25],
        [4, 1, 3, 17],
        [8, 10, 11, 17],
        [11, 5, 9, 6],
        [19, 1, 4, 5],
        [17, 2, 3, 2],
        [18, 12, 16, 11],
    ];
    Dna(GENES.iter().map(|gene| gene.to_vec()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Cost;

    fn cifar(name: &str, decode: Decode) -> Result<Architecture, SpaceError> {
        builtin(name, decode, [3, 32, 32], 10).unwrap()
    }

    /// DESIGN.md section 2, character by character: layer: kernel HxW, filters; inputs.
    const FIGURE_7: &str = "1: 3x3,36; 0 · 2: 3x3,48; 1 · 3: 3x3,36; 1,2 · 4: 5x5,36; 1,2,3 · 5: 3x7,48; 3,4 · 6: 7x7,48; 2,3,4,5 · \
        7: 7x7,48; 2,3,4,5,6 · 8: 7x3,36; 1,6,7 · 9: 7x1,36; 1,5,6,8 · 10: 7x7,36; 1,3,4,5,6,7,8,9 · \
        11: 5x7,36; 1,2,5,6,7,8,9,10 · 12: 7x7,48; 1,2,3,4,6,11 · 13: 7x5,48; 1,3,6,7,8,9,10,11,12 · 14: 7x5,48; 3,7,12,13 · \
        15: 7x5,48; 2,7,11,12,13,14";

    #[test]
    fn nascnn15_is_the_papers_figure_edge_by_edge() {
        let network = cifar("nascnn15", Decode::Literal).unwrap();
        let rows: Vec<String> = network
            .layers
            .iter()
            .enumerate()
            .map(|(index, layer)| {
                let inputs: Vec<String> = layer.inputs.iter().map(usize::to_string).collect();
                format!(
                    "{}: {}x{},{}; {}",
                    index + 1,
                    layer.kernel[0],
                    layer.kernel[1],
                    layer.filters,
                    inputs.join(",")
                )
            })
            .collect();
        assert_eq!(rows.join(" · "), FIGURE_7);
        assert_eq!(network.output, [15]);
        assert!(network.layers.iter().all(|layer| layer.stride == [1, 1]));
        assert!(
            network
                .shapes()
                .unwrap()
                .iter()
                .all(|shape| shape[1..] == [32, 32])
        );
    }

    #[test]
    fn nascnn15_has_the_published_number_of_parameters() {
        let cost = Cost::of(&cifar("nascnn15", Decode::Literal).unwrap()).unwrap();
        assert_eq!(cost.params, 4_201_630);
        let batch_norm: u64 = cost
            .layers
            .iter()
            .map(|layer| 2 * layer.output_shape[0] as u64)
            .sum();
        assert_eq!(cost.params - batch_norm - cost.classifier.params, 4_199_868);
        // Every layer keeps 32x32 and stride 1: each convolution weight is used once per position.
        assert_eq!(cost.macs, 4_199_868 * 1024 + 480);
    }

    #[test]
    fn the_monographs_nascnn15_differs_in_one_edge_and_not_in_its_parameters() {
        let (figure, monograph) = (
            cifar("nascnn15", Decode::Literal).unwrap(),
            cifar("nascnn15-monograph", Decode::Literal).unwrap(),
        );
        assert_eq!(figure.layers[..14], monograph.layers[..14]);
        assert_eq!(monograph.layers[14].inputs, [6, 7, 11, 12, 13, 14]);
        assert_eq!(Cost::of(&monograph).unwrap().params, 4_201_630);
        assert!(!figure.same_network(&monograph));
    }

    #[test]
    fn the_monographs_dna_fails_at_layer_11_as_written() {
        let error = cifar("monograph-demo", Decode::Literal)
            .unwrap_err()
            .to_string();
        assert!(error.contains("layer 11"), "{error}");
        assert!(
            error.contains("19x19 kernel meets an input of 1x1 padded to 11x11"),
            "{error}"
        );
    }

    #[test]
    fn the_monographs_dna_clipped_is_the_network_with_the_reported_accuracy() {
        let network = cifar("monograph-demo", Decode::Clipped).unwrap();
        assert_eq!(Cost::of(&network).unwrap().params, 275_122);
        assert!(
            network
                .shapes()
                .unwrap()
                .iter()
                .all(|shape| shape[1..] == [32, 32])
        );
        let kernels: Vec<usize> = network.layers.iter().map(|layer| layer.kernel[0]).collect();
        assert_eq!(kernels, [1, 1, 7, 3, 7, 7, 7, 5, 7, 7, 7, 7, 7]);
    }

    #[test]
    fn every_listed_name_is_built_and_no_other() {
        for (name, _) in BUILTINS {
            assert_eq!(cifar(name, Decode::Clipped).unwrap().name, name);
        }
        assert!(builtin("nascnn16", Decode::Literal, [3, 32, 32], 10).is_none());
    }
}

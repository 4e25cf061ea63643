//! An architecture with its weights as an ONNX file: Conv, BatchNormalization and Relu for each
//! layer, Pad and Concat where outputs are joined, and GlobalAveragePool, Flatten and Gemm for the
//! classifier.
//!
//! Weights keep PyTorch's names (`layers.0.conv.weight`). Input `images` `[batch, C, H, W]` and
//! output `logits` `[batch, classes]` are float32; the batch may have any size.

mod graph;
mod schema;

use prost::Message;

use self::graph::Builder;
use self::schema::{
    Dimension, FLOAT, GraphProto, ModelProto, OperatorSetIdProto, Size, TensorShapeProto,
    TensorType, TypeProto, ValueInfoProto,
};
use super::plain;
use crate::space::weights::Weights;
use crate::space::{Architecture, ArchitectureError};

/// The operator set used by default.
pub const DEFAULT_OPSET: u8 = 17;
/// Operator sets that can be written: our operators mean the same in each of them.
pub const OPSETS: std::ops::RangeInclusive<u8> = 13..=21;

/// Maximum size of a protocol buffer (2 GiB).
const LARGEST_FILE: usize = i32::MAX as usize;

/// Why no ONNX file can be made.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The architecture cannot be built.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// An operator set outside [`OPSETS`].
    #[error("the operator set {opset} cannot be written; choose one from {} to {}", OPSETS.start(), OPSETS.end())]
    Opset {
        /// The requested operator set.
        opset: u8,
    },
    /// The network is too large for a protocol buffer.
    #[error(
        "the network takes {bytes} bytes, but an ONNX file holds at most {LARGEST_FILE}; export it as PyTorch code"
    )]
    TooLarge {
        /// Bytes of its weights.
        bytes: usize,
    },
    /// The weights lack a tensor of the architecture.
    #[error("the weights have no tensor `{name}`: they were read for another architecture")]
    NoTensor {
        /// Name of the tensor.
        name: String,
    },
}

/// The bytes of the file; `weights` must be those of `architecture`.
///
/// # Errors
/// [`OnnxError`]: a network that cannot be built or is too large, a missing tensor, or an operator
/// set outside [`OPSETS`].
pub fn model(
    architecture: &Architecture,
    weights: &Weights,
    opset: u8,
) -> Result<Vec<u8>, OnnxError> {
    if !OPSETS.contains(&opset) {
        return Err(OnnxError::Opset { opset });
    }
    let Architecture {
        name,
        input,
        classes,
        ..
    } = architecture;
    let (node, initializer) = Builder::new(architecture, weights)?.build()?;
    let graph = GraphProto {
        node,
        initializer,
        name: plain(name),
        doc_string: "images: float32 [batch, channels, height, width], prepared as for the training; logits: [batch, classes]"
            .to_owned(),
        input: vec![tensor("images", input)],
        output: vec![tensor("logits", &[*classes])],
    };
    let model = ModelProto {
        ir_version: ir_version(opset),
        producer_name: "nas-tui".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: opset.into(),
        }],
    };
    match model.encoded_len() {
        bytes if bytes > LARGEST_FILE => Err(OnnxError::TooLarge { bytes }),
        _ => Ok(model.encode_to_vec()),
    }
}

/// The version of the file format introduced together with the operator set, so that readers of
/// that time know it.
fn ir_version(opset: u8) -> i64 {
    match opset {
        ..=14 => 7,
        15..=18 => 8,
        19..=20 => 9,
        21.. => 10,
    }
}

/// A float tensor `[batch, ...sizes]`.
fn tensor(name: &str, sizes: &[usize]) -> ValueInfoProto {
    let dimension = |size| Dimension { size: Some(size) };
    let sizes = sizes
        .iter()
        .map(|&size| dimension(Size::Value(size as i64)));
    let dim = std::iter::once(dimension(Size::Name("batch".to_owned())))
        .chain(sizes)
        .collect();
    let tensor_type = TensorType {
        elem_type: FLOAT,
        shape: Some(TensorShapeProto { dim }),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(tensor_type),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The network and the weights that tests/fixtures/make_numerics.py wrote.
    fn numerics() -> (Architecture, Weights) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let bytes = std::fs::read(folder.join("numerics.safetensors")).unwrap();
        let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        let architecture: Architecture =
            serde_json::from_str(&metadata.metadata().as_ref().unwrap()["architecture"]).unwrap();
        let weights =
            Weights::read(&folder.join("numerics_weights.safetensors"), &architecture).unwrap();
        (architecture, weights)
    }

    fn written(architecture: &Architecture, weights: &Weights) -> GraphProto {
        ModelProto::decode(&model(architecture, weights, DEFAULT_OPSET).unwrap()[..])
            .unwrap()
            .graph
            .unwrap()
    }

    #[test]
    fn the_nodes_of_a_network_are_its_operations_in_order() {
        let (architecture, weights) = numerics();
        let graph = written(&architecture, &weights);
        let nodes: Vec<String> = graph
            .node
            .iter()
            .map(|node| format!("{}: {}", node.name, node.input.join(", ")))
            .collect();
        insta::assert_snapshot!(nodes.join("\n"));
    }

    #[test]
    fn every_tensor_of_the_weights_is_embedded_under_its_name() {
        let (architecture, weights) = numerics();
        let graph = written(&architecture, &weights);
        for (name, values) in weights.tensors() {
            let tensor = graph
                .initializer
                .iter()
                .find(|tensor| tensor.name == *name)
                .unwrap();
            assert_eq!(
                tensor.dims,
                values
                    .shape
                    .iter()
                    .map(|&size| size as i64)
                    .collect::<Vec<_>>()
            );
            let bytes: Vec<u8> = values
                .values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            assert_eq!(tensor.raw_data, bytes, "{name}");
        }
    }

    #[test]
    fn a_layer_whose_output_is_not_read_is_left_out() {
        let (mut architecture, weights) = numerics();
        architecture.layers[4].inputs = vec![3];
        let graph = written(&architecture, &weights);
        assert!(
            graph
                .node
                .iter()
                .all(|node| !node.name.starts_with("layer4/")),
            "{:?}",
            graph.node
        );
        assert!(
            graph
                .initializer
                .iter()
                .all(|tensor| !tensor.name.starts_with("layers.3."))
        );
    }

    #[test]
    fn an_unknown_operator_set_is_refused_with_the_known_ones() {
        let (architecture, weights) = numerics();
        let error = model(&architecture, &weights, 12).unwrap_err().to_string();
        assert!(
            error.contains("operator set 12") && error.contains("from 13 to 21"),
            "{error}"
        );
    }
}

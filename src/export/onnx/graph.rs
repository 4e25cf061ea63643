//! The nodes and embedded tensors of a network's ONNX graph.

use super::OnnxError;
use super::schema::{AttributeProto, AttributeType, FLOAT, INT64, NodeProto, TensorProto};
use crate::export::matters;
use crate::space::architecture::joined_shape;
use crate::space::weights::Weights;
use crate::space::{Architecture, Layer, Operation};

/// Epsilon of every batch norm.
const EPSILON: f32 = 1e-5;

/// Collects nodes in the order in which they run.
pub(super) struct Builder<'a> {
    architecture: &'a Architecture,
    weights: &'a Weights,
    /// `[C, H, W]` by layer number.
    shapes: Vec<[usize; 3]>,
    nodes: Vec<NodeProto>,
    tensors: Vec<TensorProto>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        architecture: &'a Architecture,
        weights: &'a Weights,
    ) -> Result<Self, OnnxError> {
        let shapes = architecture.shapes()?;
        Ok(Builder {
            architecture,
            weights,
            shapes,
            nodes: Vec::new(),
            tensors: Vec::new(),
        })
    }

    /// Nodes and embedded tensors of the whole network.
    pub fn build(mut self) -> Result<(Vec<NodeProto>, Vec<TensorProto>), OnnxError> {
        let matters = matters(self.architecture);
        for (index, layer) in self.architecture.layers.iter().enumerate() {
            if matters[index + 1] {
                self.layer(index, layer)?;
            }
        }
        self.classifier()?;
        Ok((self.nodes, self.tensors))
    }

    /// Convolution, batch norm and ReLU of layer `index + 1`, whose output is `layerN`.
    fn layer(&mut self, index: usize, layer: &Layer) -> Result<(), OnnxError> {
        let name = output_of(index + 1);
        let joined = self.join(&name, &layer.inputs);
        let [height, width] = layer.padding;
        let attributes = vec![
            ints("kernel_shape", &layer.kernel),
            ints("strides", &layer.stride),
            ints("pads", &[height, width, height, width]),
        ];
        if layer.kind == Operation::MaxPooling {
            self.push(
                "MaxPool",
                format!("{name}/pool"),
                vec![joined],
                name,
                attributes,
            );
            return Ok(());
        }
        let weight = self.weight(format!("layers.{index}.conv.weight"))?;
        let convolved = self.node("Conv", &name, "conv", vec![joined, weight], attributes);
        let mut inputs = vec![convolved];
        for part in ["weight", "bias", "running_mean", "running_var"] {
            inputs.push(self.weight(format!("layers.{index}.bn.{part}"))?);
        }
        let normalised = self.node(
            "BatchNormalization",
            &name,
            "bn",
            inputs,
            vec![float("epsilon", EPSILON)],
        );
        self.push(
            "Relu",
            format!("{name}/relu"),
            vec![normalised],
            name,
            Vec::new(),
        );
        Ok(())
    }

    fn classifier(&mut self) -> Result<(), OnnxError> {
        let joined = self.join("classifier", &self.architecture.output);
        let pooled = self.node(
            "GlobalAveragePool",
            "classifier",
            "pool",
            vec![joined],
            Vec::new(),
        );
        let features = self.node(
            "Flatten",
            "classifier",
            "flatten",
            vec![pooled],
            vec![int("axis", 1)],
        );
        let (weight, bias) = (
            self.weight("classifier.weight".to_owned())?,
            self.weight("classifier.bias".to_owned())?,
        );
        let inputs = vec![features, weight, bias];
        self.push(
            "Gemm",
            "classifier/linear".to_owned(),
            inputs,
            "logits".to_owned(),
            vec![int("transB", 1)],
        );
        Ok(())
    }

    /// The name of the joined outputs of `inputs`, which `reader` reads: zero-padded, centred, to
    /// the largest size and concatenated over channels.
    fn join(&mut self, reader: &str, inputs: &[usize]) -> String {
        let joined = joined_shape(inputs, &self.shapes);
        let parts: Vec<String> = inputs
            .iter()
            .map(|&input| self.padded(reader, input, joined))
            .collect();
        match <[String; 1]>::try_from(parts) {
            Ok([only]) => only,
            Err(several) => self.node("Concat", reader, "concat", several, vec![int("axis", 1)]),
        }
    }

    /// The output of layer `input` padded to the height and width of `target`; an odd row or column
    /// goes below or to the right.
    fn padded(&mut self, reader: &str, input: usize, target: [usize; 3]) -> String {
        let [_, height, width] = self.shapes[input];
        let (rows, columns) = (target[1] - height, target[2] - width);
        if rows == 0 && columns == 0 {
            return output_of(input);
        }
        let (top, left) = (rows / 2, columns / 2);
        let pads = [0, 0, top, left, 0, 0, rows - top, columns - left];
        let part = format!("pad_{}", output_of(input));
        let name = format!("{reader}.{part}.pads");
        let raw_data = pads
            .iter()
            .flat_map(|&pad| (pad as i64).to_le_bytes())
            .collect();
        self.tensors.push(TensorProto {
            dims: vec![8],
            data_type: INT64,
            name: name.clone(),
            raw_data,
        });
        self.node(
            "Pad",
            reader,
            &part,
            vec![output_of(input), name],
            Vec::new(),
        )
    }

    /// Embed a tensor of the weights and return its name.
    fn weight(&mut self, name: String) -> Result<String, OnnxError> {
        let Some(tensor) = self.weights.tensors().get(&name) else {
            return Err(OnnxError::NoTensor { name });
        };
        let dims = tensor.shape.iter().map(|&size| size as i64).collect();
        let raw_data = tensor
            .values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.tensors.push(TensorProto {
            dims,
            data_type: FLOAT,
            name: name.clone(),
            raw_data,
        });
        Ok(name)
    }

    /// Add the node `OWNER/PART` and return the name of its output, `OWNER.PART`.
    fn node(
        &mut self,
        operator: &str,
        owner: &str,
        part: &str,
        inputs: Vec<String>,
        attributes: Vec<AttributeProto>,
    ) -> String {
        let output = format!("{owner}.{part}");
        self.push(
            operator,
            format!("{owner}/{part}"),
            inputs,
            output.clone(),
            attributes,
        );
        output
    }

    fn push(
        &mut self,
        operator: &str,
        name: String,
        input: Vec<String>,
        output: String,
        attribute: Vec<AttributeProto>,
    ) {
        self.nodes.push(NodeProto {
            input,
            output: vec![output],
            name,
            op_type: operator.to_owned(),
            attribute,
        });
    }
}

/// The name of a layer's output; 0 is the image.
fn output_of(number: usize) -> String {
    if number == 0 {
        "images".to_owned()
    } else {
        format!("layer{number}")
    }
}

fn attribute(name: &str, r#type: AttributeType) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: r#type.into(),
        ..AttributeProto::default()
    }
}

fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        i: Some(value),
        ..attribute(name, AttributeType::Int)
    }
}

fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        f: Some(value),
        ..attribute(name, AttributeType::Float)
    }
}

fn ints(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto {
        ints: values.iter().map(|&value| value as i64).collect(),
        ..attribute(name, AttributeType::Ints)
    }
}

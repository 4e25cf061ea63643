//! Architecture files with the cost of each layer.

use serde::{Deserialize, Serialize};

use super::file::{json, lines, rows};
use super::{Architecture, ArchitectureError, Cost, Layer, LayerCost, Operation};

/// An architecture file with its costs: the output of `inspect --json`, also accepted wherever an
/// architecture file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostedArchitecture {
    /// Same as in [`Architecture`], like every field except the costs.
    pub name: String,
    /// Shape of one image, `[C, H, W]`.
    pub input: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulates for one image.
    pub macs: u64,
    /// The layers, layer 1 first.
    pub layers: Vec<CostedLayer>,
    /// Numbers of the layers (0 = image) that the classifier reads.
    pub output: Vec<usize>,
}

/// A layer with its cost. (The fields are repeated here because serde cannot both flatten and
/// reject unknown fields.)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostedLayer {
    /// What it computes; a convolution if the file does not say.
    #[serde(default, skip_serializing_if = "Operation::is_convolution")]
    pub kind: Operation,
    /// `[height, width]`, as are stride and padding.
    pub kernel: [usize; 2],
    /// Output channels.
    pub filters: usize,
    /// At least 1.
    pub stride: [usize; 2],
    /// Zeros on both sides.
    pub padding: [usize; 2],
    /// Layers (0 = image) whose outputs it reads.
    pub inputs: Vec<usize>,
    /// `[C, H, W]`.
    pub output_shape: [usize; 3],
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulates for one image.
    pub macs: u64,
    /// Size in image pixels of the area that one output value depends on, `[height, width]`.
    pub receptive_field: [u64; 2],
}

impl CostedArchitecture {
    /// `architecture` with its cost.
    ///
    /// # Errors
    ///
    /// If it cannot be built.
    pub fn new(architecture: &Architecture) -> Result<CostedArchitecture, ArchitectureError> {
        let cost = Cost::of(architecture)?;
        let Architecture {
            name,
            input,
            classes,
            layers,
            output,
        } = architecture.clone();
        let layers = layers
            .into_iter()
            .zip(cost.layers)
            .map(|(layer, cost)| CostedLayer::new(layer, cost))
            .collect();
        Ok(CostedArchitecture {
            name,
            input,
            classes,
            params: cost.params,
            macs: cost.macs,
            layers,
            output,
        })
    }

    /// The JSON text: one line per layer.
    pub fn to_json(&self) -> String {
        let CostedArchitecture {
            name,
            input,
            classes,
            params,
            macs,
            layers,
            output,
        } = self;
        let fields = [
            ("name", json(name)),
            ("input", json(input)),
            ("classes", json(classes)),
        ];
        let costs = [("params", json(params)), ("macs", json(macs))];
        let layers = layers.iter().map(json).collect();
        lines(
            &[
                &fields[..],
                &costs,
                &[("layers", rows(layers)), ("output", json(output))],
            ]
            .concat(),
        )
    }
}

impl CostedLayer {
    fn new(layer: Layer, cost: LayerCost) -> CostedLayer {
        let Layer {
            kind,
            kernel,
            filters,
            stride,
            padding,
            inputs,
        } = layer;
        let LayerCost {
            output_shape,
            params,
            macs,
            receptive_field,
        } = cost;
        CostedLayer {
            kind,
            kernel,
            filters,
            stride,
            padding,
            inputs,
            output_shape,
            params,
            macs,
            receptive_field,
        }
    }
}

impl From<CostedArchitecture> for Architecture {
    fn from(costed: CostedArchitecture) -> Architecture {
        let CostedArchitecture {
            name,
            input,
            classes,
            layers,
            output,
            ..
        } = costed;
        let plain = |layer| {
            let CostedLayer {
                kind,
                kernel,
                filters,
                stride,
                padding,
                inputs,
                ..
            } = layer;
            Layer {
                kind,
                kernel,
                filters,
                stride,
                padding,
                inputs,
            }
        };
        Architecture {
            name,
            input,
            classes,
            layers: layers.into_iter().map(plain).collect(),
            output,
        }
    }
}

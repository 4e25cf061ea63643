//! Architecture files with the cost of each layer.

use serde::{Deserialize, Serialize};

use super::file::{json, lines, rows};
use super::{Architecture, ArchitectureError, Cost, Layer, LayerCost};

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

/// A layer with its cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostedLayer {
    /// The layer.
    #[serde(flatten)]
    pub layer: Layer,
    /// Its cost.
    #[serde(flatten)]
    pub cost: LayerCost,
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
            .map(|(layer, cost)| CostedLayer { layer, cost })
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
        Architecture {
            name,
            input,
            classes,
            layers: layers.into_iter().map(|costed| costed.layer).collect(),
            output,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_with_its_cost_has_the_fields_of_both_and_no_others() {
        let text = r#"{"kernel":[3,3],"filters":8,"stride":[1,1],"padding":[1,1],"inputs":[0],"output_shape":[8,32,32],"params":232,"macs":221184,"receptive_field":[3,3]}"#;
        let costed: CostedLayer = serde_json::from_str(text).unwrap();
        assert_eq!(json(&costed), text);
        for wrong in [
            text.replace("\"macs\"", "\"mac\""),
            text.replace('{', "{\"dilation\":2,"),
        ] {
            serde_json::from_str::<CostedLayer>(&wrong).unwrap_err();
        }
    }
}

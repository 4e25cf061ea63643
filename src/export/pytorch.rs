//! An architecture as Python code: one self-contained module of plain torch.nn.
//!
//! Its parameters have the names used in our weights files (`layers.0.conv.weight`,
//! `layers.0.bn.weight`, `classifier.bias`), so that `load_state_dict` accepts one unchanged.

use super::{matters, plain};
use crate::foundation::numbers::counted;
use crate::space::architecture::joined_shape;
use crate::space::{Architecture, ArchitectureError, Cost, Layer, Operation};

const LAYER: &str = r#"class Layer(nn.Module):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(self, channels, filters, kernel, stride, padding):
        super().__init__()
        self.conv = nn.Conv2d(channels, filters, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(filters, eps=1e-5, momentum=0.1)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))
"#;

/// The type of `maps`, and lists in place of tuples, are required by `torch.jit.script`.
const JOIN: &str = r#"def join(maps: List[torch.Tensor]) -> torch.Tensor:
    """Concatenate over channels. Smaller maps are zero-padded to the largest height and width, centred; where that cannot
    be even, the last row or column is the one more."""
    height = max([x.shape[2] for x in maps])
    width = max([x.shape[3] for x in maps])
    padded = []
    for x in maps:
        rows, columns = height - x.shape[2], width - x.shape[3]
        padded.append(F.pad(x, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2]))
    return torch.cat(padded, dim=1)
"#;

/// The text of `model.py`.
///
/// # Errors
/// If the network cannot be built.
pub fn module(architecture: &Architecture) -> Result<String, ArchitectureError> {
    let (shapes, cost) = (architecture.shapes()?, Cost::of(architecture)?);
    let mut lists = architecture
        .layers
        .iter()
        .map(|layer| &layer.inputs)
        .chain([&architecture.output]);
    let joins = lists.any(|inputs| sizes_differ(inputs, &shapes));
    let mut parts = vec![heading(architecture, &cost, joins), LAYER.to_owned()];
    if joins {
        parts.push(JOIN.to_owned());
    }
    parts.push(network(architecture, &shapes));
    Ok(parts.join("\n\n"))
}

fn heading(architecture: &Architecture, cost: &Cost, joins: bool) -> String {
    let Architecture {
        name,
        input: [channels, height, width],
        classes,
        ..
    } = architecture;
    let Cost { params, macs, .. } = cost;
    let layers = counted(architecture.layers.len() as u64, "convolutional layer");
    let typing = if joins {
        "from typing import List\n\n"
    } else {
        ""
    };
    format!(
        r#""""{name}: {layers}, images {channels}x{height}x{width}, {classes} classes.

{params} parameters, {macs} multiply-accumulates for one image. Written by nas-tui.

    from safetensors.torch import load_file
    network = Network()
    network.load_state_dict(load_file("weights.safetensors"))
"""
{typing}import torch
from torch import nn
from torch.nn import functional as F
"#,
        name = plain(name)
    )
}

fn network(architecture: &Architecture, shapes: &[[usize; 3]]) -> String {
    let layers: Vec<String> = architecture
        .layers
        .iter()
        .enumerate()
        .map(|(index, layer)| construction(index + 1, layer, shapes))
        .collect();
    let matters = matters(architecture);
    let steps: Vec<String> = architecture
        .layers
        .iter()
        .enumerate()
        .map(|(index, layer)| match matters[index + 1] {
            true => format!(
                "        x{} = self.layers[{index}]({})\n",
                index + 1,
                joined(&layer.inputs, shapes)
            ),
            false => format!(
                "        # Layer {} has no influence on the logits: its output is not used.\n",
                index + 1
            ),
        })
        .collect();
    let [features, ..] = joined_shape(&architecture.output, shapes);
    let [channels, height, width] = architecture.input;
    format!(
        r#"class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([
{layers}        ])
        self.classifier = nn.Linear({features}, {classes})

    def forward(self, x0):
        """Logits `[N, {classes}]` of images `[N, {channels}, {height}, {width}]`."""
{steps}        features = {output}.mean(dim=(2, 3))
        return self.classifier(features)
"#,
        layers = layers.concat(),
        classes = architecture.classes,
        steps = steps.concat(),
        output = joined(&architecture.output, shapes),
    )
}

fn construction(number: usize, layer: &Layer, shapes: &[[usize; 3]]) -> String {
    let [channels, ..] = joined_shape(&layer.inputs, shapes);
    let [filters, height, width] = shapes[number];
    let pair = |[rows, columns]: [usize; 2]| format!("({rows}, {columns})");
    let (kernel, stride, padding) = (pair(layer.kernel), pair(layer.stride), pair(layer.padding));
    if layer.kind == Operation::MaxPooling {
        return format!(
            "            nn.MaxPool2d({kernel}, stride={stride}, padding={padding}),  # {number}: to {filters}x{height}x{width}\n"
        );
    }
    format!(
        "            Layer({channels}, {filters}, kernel={kernel}, stride={stride}, padding={padding}),  # {number}: to {filters}x{height}x{width}\n"
    )
}

/// The expression for the joined outputs of `inputs`.
fn joined(inputs: &[usize], shapes: &[[usize; 3]]) -> String {
    let names: Vec<String> = inputs.iter().map(|input| format!("x{input}")).collect();
    let names = names.join(", ");
    match inputs {
        [_] => names,
        _ if sizes_differ(inputs, shapes) => format!("join([{names}])"),
        _ => format!("torch.cat([{names}], dim=1)"),
    }
}

fn sizes_differ(inputs: &[usize], shapes: &[[usize; 3]]) -> bool {
    let joined = joined_shape(inputs, shapes);
    inputs
        .iter()
        .any(|&input| shapes[input][1..] != joined[1..])
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::config::Decode;
    use crate::space::builtin::builtin;

    fn text(name: &str, decode: Decode) -> String {
        module(&builtin(name, decode, [3, 32, 32], 10).unwrap().unwrap()).unwrap()
    }

    fn fixture(name: &str) -> Architecture {
        let path = format!(
            "{}/tests/fixtures/architectures/good/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    // Each of these was loaded into PyTorch 2.11: logits, parameters and names agree with ours
    // (scripts/check_export.py).
    #[test]
    fn nascnn15_is_readable_code() {
        assert_snapshot!("nascnn15.py", text("nascnn15", Decode::Literal));
    }

    #[test]
    fn a_chain_needs_no_concatenation() {
        let text = text("monograph-demo", Decode::Clipped);
        assert!(
            !text.contains("torch.cat") && !text.contains("join"),
            "{text}"
        );
        assert_snapshot!("chain.py", text);
    }

    #[test]
    fn outputs_of_different_size_are_padded_before_they_are_joined() {
        let text = module(&fixture("unequal_sizes_joined")).unwrap();
        // torch.jit.script compiles neither *arguments nor generator expressions.
        assert!(
            text.contains("def join(maps: List[torch.Tensor])")
                && !text.contains("*maps")
                && !text.contains("max(x"),
            "{text}"
        );
        assert_snapshot!("unequal_sizes.py", text);
    }

    #[test]
    fn a_layer_whose_output_is_not_read_keeps_its_weights_and_does_no_work() {
        let mut architecture = fixture("strided_skips");
        architecture.output = vec![4];
        let text = module(&architecture).unwrap();
        assert!(
            text.contains("# Layer 5 has no influence") && text.contains("# 5: to 36x7x7"),
            "{text}"
        );
    }

    #[test]
    fn a_name_cannot_end_the_docstring() {
        let architecture = Architecture {
            name: "\"\"\"\\\nimport os".to_owned(),
            ..fixture("strided_skips")
        };
        assert!(
            module(&architecture)
                .unwrap()
                .starts_with("\"\"\"_____import os: ")
        );
    }

    #[test]
    fn an_architecture_that_cannot_be_built_is_not_written() {
        let architecture = Architecture {
            input: [1, 1, 1],
            ..fixture("unequal_sizes_joined")
        };
        assert!(module(&architecture).is_err());
    }
}

//! An architecture as a Graphviz graph: `dot -Tsvg network.dot > network.svg`.

use super::{matters, plain};
use crate::space::{Architecture, ArchitectureError, Layer};

/// The text of a `.dot` file. A layer whose output is not read is dashed.
///
/// # Errors
/// If the network cannot be built.
pub fn graph(architecture: &Architecture) -> Result<String, ArchitectureError> {
    let shapes = architecture.shapes()?;
    let matters = matters(architecture);
    let [channels, height, width] = architecture.input;
    let mut lines = vec![
        format!("digraph \"{}\" {{", plain(&architecture.name)),
        "  rankdir=TB;".to_owned(),
        "  node [shape=box, fontname=\"Helvetica\"];".to_owned(),
        format!("  n0 [label=\"image\\n{channels}x{height}x{width}\", shape=ellipse];"),
    ];
    for (index, layer) in architecture.layers.iter().enumerate() {
        let [filters, height, width] = shapes[index + 1];
        let style = if matters[index + 1] {
            ""
        } else {
            ", style=dashed"
        };
        let label = format!(
            "{}: {}\\n{filters}x{height}x{width}",
            index + 1,
            convolution(layer)
        );
        lines.push(format!("  n{} [label=\"{label}\"{style}];", index + 1));
    }
    lines.push(format!(
        "  classifier [label=\"mean, linear\\n{} classes\", shape=ellipse];",
        architecture.classes
    ));
    for (index, layer) in architecture.layers.iter().enumerate() {
        lines.extend(
            layer
                .inputs
                .iter()
                .map(|input| format!("  n{input} -> n{};", index + 1)),
        );
    }
    lines.extend(
        architecture
            .output
            .iter()
            .map(|input| format!("  n{input} -> classifier;")),
    );
    lines.push("}\n".to_owned());
    Ok(lines.join("\n"))
}

/// Kernel, and stride unless it is 1.
fn convolution(layer: &Layer) -> String {
    let kernel = layer.kernel_text("x");
    match layer.stride {
        [1, 1] => kernel,
        [down, across] => format!("{kernel} / {down}x{across}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> String {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/architectures/good/strided_skips.json"
        );
        graph(&serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn every_connection_is_one_edge() {
        let edges: Vec<String> = text()
            .lines()
            .filter(|line| line.contains("->"))
            .map(|line| line.trim().to_owned())
            .collect();
        let expected = [
            "n0 -> n1;",
            "n1 -> n2;",
            "n1 -> n3;",
            "n2 -> n3;",
            "n2 -> n4;",
            "n3 -> n4;",
            "n4 -> n5;",
            "n4 -> classifier;",
            "n5 -> classifier;",
        ];
        assert_eq!(edges, expected);
    }

    #[test]
    fn nodes_show_kernel_stride_and_shape() {
        assert!(
            text().contains(r#"n1 [label="1: 3x3 / 2x2\n12x14x14"];"#),
            "{}",
            text()
        );
        assert!(
            text().contains(r#"n2 [label="2: 5x1\n24x14x14"];"#),
            "{}",
            text()
        );
    }
}

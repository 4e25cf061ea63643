//! The costs of each layer: exact figures, shares of the whole, totals.

use super::table::{Column, table};
use crate::space::{Architecture, Cost, training_memory};
use crate::tui::format;
use crate::tui::panels::{Content, Row, join_fitting, labelled};
use crate::tui::theme::{Glyphs, Role};

/// The table in `width` columns. Memory is shown if the run's batch size is known.
pub fn content(
    architecture: &Architecture,
    batch_size: Option<usize>,
    width: usize,
    glyphs: &Glyphs,
) -> Content {
    let cost = match Cost::of(architecture) {
        Ok(cost) => cost,
        Err(error) => {
            let lines = format::wrap(&error.to_string(), width);
            return Content {
                head: Vec::new(),
                body: lines
                    .into_iter()
                    .map(|line| vec![(Role::Error, line)])
                    .collect(),
            };
        }
    };
    let mut content = table(columns(architecture, &cost, glyphs), width);
    content
        .head
        .insert(0, totals(architecture, &cost, batch_size, width));
    content
}

fn totals(
    architecture: &Architecture,
    cost: &Cost,
    batch_size: Option<usize>,
    width: usize,
) -> Row {
    let mut groups = vec![
        labelled("parameters", Role::Strong, format::count(cost.params)),
        labelled("MACs per image", Role::Strong, format::count(cost.macs)),
    ];
    groups.extend(batch_size.map(|batch_size| {
        let memory = training_memory(architecture, batch_size).unwrap_or(u64::MAX);
        labelled(
            &format!("training memory at batch {batch_size}"),
            Role::Text,
            format::bytes(memory),
        )
    }));
    join_fitting(groups, "   ", width)
}

/// A row per layer, then the classifier.
fn columns(architecture: &Architecture, cost: &Cost, glyphs: &Glyphs) -> Vec<Column> {
    let with = |layers: Vec<String>, classifier: String| {
        layers.into_iter().chain([classifier]).collect::<Vec<_>>()
    };
    let times = glyphs.times;
    let shape =
        |[channels, height, width]: [usize; 3]| format!("{channels}{times}{height}{times}{width}");
    let share =
        |part: u64, whole: u64| format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64);
    let costs = || cost.layers.iter();
    let names = (1..=architecture.layers.len())
        .map(|number| number.to_string())
        .collect();
    let kernels = architecture
        .layers
        .iter()
        .map(|layer| layer.kernel_text(times))
        .collect();
    let outputs = costs().map(|cost| shape(cost.output_shape)).collect();
    let fields = costs()
        .map(|cost| {
            format!(
                "{}{times}{}",
                cost.receptive_field[0], cost.receptive_field[1]
            )
        })
        .collect();
    let params = costs().map(|layer| format::count(layer.params)).collect();
    let param_shares = costs()
        .map(|layer| share(layer.params, cost.params))
        .collect();
    let macs = costs().map(|layer| format::count(layer.macs)).collect();
    let mac_shares = costs().map(|layer| share(layer.macs, cost.macs)).collect();
    let classifier = &cost.classifier;
    vec![
        Column::numbers("#", 0, with(names, String::new())),
        Column::numbers("kernel", 4, with(kernels, "linear".to_owned())),
        Column::numbers("output", 3, with(outputs, architecture.classes.to_string())),
        Column::numbers("field", 5, with(fields, String::new())),
        Column::numbers("params", 1, with(params, format::count(classifier.params))),
        Column::numbers(
            "of all",
            2,
            with(param_shares, share(classifier.params, cost.params)),
        ),
        Column::numbers("MACs", 1, with(macs, format::count(classifier.macs))),
        Column::numbers(
            "of all",
            2,
            with(mac_shares, share(classifier.macs, cost.macs)),
        ),
    ]
}

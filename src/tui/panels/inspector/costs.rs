//! The costs of each layer: exact figures, shares of the whole, totals.

use super::table::{RankedColumn, table};
use crate::space::{Architecture, Cost, LayerCost, training_memory};
use crate::state::RunState;
use crate::tui::format;
use crate::tui::panels::{Content, Row, join_fitting, labelled, wrapped};
use crate::tui::theme::{Glyphs, Role};

/// The table in `width` columns. The memory of a training in the run is shown if its batch size is
/// known.
pub fn content(
    architecture: &Architecture,
    run: &RunState,
    width: usize,
    glyphs: &Glyphs,
) -> Content {
    let cost = match Cost::of(architecture) {
        Ok(cost) => cost,
        Err(error) => return wrapped(Role::Error, &error.to_string(), width).into(),
    };
    let mut content = table(columns(architecture, &cost, glyphs), width);
    content
        .head
        .insert(0, totals(architecture, &cost, run, width));
    content
}

fn totals(architecture: &Architecture, cost: &Cost, run: &RunState, width: usize) -> Row {
    let mut groups = vec![
        labelled("parameters", Role::Strong, format::count(cost.params)),
        labelled("MACs per image", Role::Strong, format::count(cost.macs)),
    ];
    groups.extend(run.batch_size().map(|batch_size| {
        let memory = training_memory(architecture, batch_size, run.trains_on());
        let memory = memory.unwrap_or(u64::MAX);
        labelled(
            &format!("training memory at batch {batch_size}"),
            Role::Text,
            format::bytes(memory),
        )
    }));
    join_fitting(groups, "   ", width)
}

/// A row per layer, then the classifier.
fn columns(architecture: &Architecture, cost: &Cost, glyphs: &Glyphs) -> Vec<RankedColumn> {
    let times = glyphs.times;
    let share =
        |part: u64, whole: u64| format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64);
    let column = |heading, rank, layer: &dyn Fn(&LayerCost) -> String, classifier: String| {
        let layers = cost.layers.iter().map(layer);
        RankedColumn::numbers(heading, rank, layers.chain([classifier]))
    };
    let names = (1..=architecture.layers.len()).map(|number| number.to_string());
    let kernels = architecture.layers.iter();
    let kernels = kernels.map(|layer| layer.kernel_text(times));
    let shape = |cost: &LayerCost| {
        cost.output_shape
            .map(|length| length.to_string())
            .join(times)
    };
    let classes = architecture.classes.to_string();
    let field = |cost: &LayerCost| format::pair(cost.receptive_field, times);
    let last = &cost.classifier;
    let params = |layer: &LayerCost| format::count(layer.params);
    let params_share = |layer: &LayerCost| share(layer.params, cost.params);
    let macs = |layer: &LayerCost| format::count(layer.macs);
    let macs_share = |layer: &LayerCost| share(layer.macs, cost.macs);
    vec![
        RankedColumn::numbers("#", 0, names.chain([String::new()])),
        RankedColumn::numbers("kernel", 4, kernels.chain(["linear".to_owned()])),
        column("output", 3, &shape, classes),
        column("field", 5, &field, String::new()),
        column("params", 1, &params, format::count(last.params)),
        column("of all", 2, &params_share, share(last.params, cost.params)),
        column("MACs", 1, &macs, format::count(last.macs)),
        column("of all", 2, &macs_share, share(last.macs, cost.macs)),
    ]
}

//! A network's layers as a table: as many columns as the width allows.

use super::{Content, Row};
use crate::space::cost::{Cost, LayerCost};
use crate::space::{Architecture, Layer};
use crate::tui::format;
use crate::tui::theme::{Glyphs, Role};

/// A column: heading, cells, and whether they are numbers (aligned to the right).
struct Column {
    heading: &'static str,
    numeric: bool,
    cells: Vec<String>,
}

impl Column {
    fn new(heading: &'static str, numeric: bool, cells: impl Iterator<Item = String>) -> Column {
        Column { heading, numeric, cells: cells.collect() }
    }

    fn width(&self) -> usize {
        self.cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0).max(self.heading.len())
    }

    fn align(&self, text: &str, width: usize, glyphs: &Glyphs) -> String {
        let text = format::fit(text, width, glyphs.ellipsis);
        if self.numeric { format!("{text:>width$}") } else { format!("{text:<width$}") }
    }
}

/// The table of `architecture` in `width` columns.
pub fn table(architecture: &Architecture, width: usize, glyphs: &Glyphs) -> Content {
    let columns = fitting(columns(architecture, glyphs), width);
    let gap = if columns.iter().map(|(_, width)| width + 2).sum::<usize>() <= width + 2 { "  " } else { " " };
    let line = |cell: &dyn Fn(&Column) -> String| -> String {
        let cells: Vec<String> = columns.iter().map(|(column, width)| column.align(&cell(column), *width, glyphs)).collect();
        cells.join(gap)
    };
    let head = vec![vec![(Role::Dim, line(&|column| column.heading.to_owned()))]];
    let body: Vec<Row> =
        (0..architecture.layers.len()).map(|index| vec![(Role::Text, line(&|column| column.cells[index].clone()))]).collect();
    Content { head, body }
}

fn columns(architecture: &Architecture, glyphs: &Glyphs) -> Vec<Column> {
    let layers = || architecture.layers.iter();
    let times = glyphs.times;
    let pair = |[height, width]: [usize; 2]| format!("{height}{times}{width}");
    let mut columns = vec![
        Column::new("#", true, (1..=architecture.layers.len()).map(|number| number.to_string())),
        Column::new("kernel", true, layers().map(|layer| pair(layer.kernel))),
        Column::new("filters", true, layers().map(|layer| layer.filters.to_string())),
        Column::new("stride", true, layers().map(|layer| pair(layer.stride))),
        Column::new("pad", true, layers().map(|layer| pair(layer.padding))),
        Column::new("input", false, layers().map(inputs)),
    ];
    // What was sampled can be built, so it has costs; a foreign architecture may not.
    if let Ok(cost) = Cost::of(architecture) {
        columns.extend(cost_columns(&cost.layers, glyphs));
    }
    columns
}

fn cost_columns(costs: &[LayerCost], glyphs: &Glyphs) -> [Column; 4] {
    let times = glyphs.times;
    let costs = || costs.iter();
    [
        Column::new("output", true, costs().map(|cost| format!("{}{times}{}", cost.output_shape[1], cost.output_shape[2]))),
        Column::new("params", true, costs().map(|cost| format::count(cost.params))),
        Column::new("MACs", true, costs().map(|cost| format::compact(cost.macs))),
        Column::new("field", true, costs().map(|cost| format!("{}{times}{}", cost.receptive_field[0], cost.receptive_field[1]))),
    ]
}

fn inputs(layer: &Layer) -> String {
    let names: Vec<String> =
        layer.inputs.iter().map(|input| if *input == 0 { "image".to_owned() } else { input.to_string() }).collect();
    names.join(",")
}

/// The columns that fit, each with its width: later ones are left out, the last one that fits in part is cut.
fn fitting(columns: Vec<Column>, width: usize) -> Vec<(Column, usize)> {
    let mut left = width;
    let mut fitting = Vec::new();
    for column in columns {
        let gap = usize::from(!fitting.is_empty());
        let wanted = column.width();
        // A list of inputs may be cut, a number may not.
        let least = if column.numeric { wanted } else { column.heading.len() };
        if left < gap + least {
            continue;
        }
        let given = wanted.min(left - gap);
        left -= gap + given;
        fitting.push((column, given));
    }
    fitting
}

//! A network's layers as a table: as many columns as the width allows.

mod choices;

pub use choices::choices;

use super::{Content, Row};
use crate::event::Choice;
use crate::foundation::text;
use crate::space::cost::{Cost, LayerCost};
use crate::space::{Architecture, Dna, Head, Layer};
use crate::tui::format;
use crate::tui::theme::{Glyphs, Role};

/// What a table shows besides the layers themselves.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    /// The choices that made the network.
    pub choices: Vec<Choice>,
    /// A network to compare with: cells that differ get a `*`.
    pub compared: Option<Architecture>,
    /// The same for a child that is not a network.
    pub compared_dna: Option<Dna>,
}

/// A column: heading, cells, and whether they are numbers (aligned to the right).
struct CutColumn {
    heading: &'static str,
    numeric: bool,
    cells: Vec<String>,
}

impl CutColumn {
    fn new(heading: &'static str, numeric: bool, cells: impl Iterator<Item = String>) -> CutColumn {
        CutColumn {
            heading,
            numeric,
            cells: cells.collect(),
        }
    }

    /// Mark the cells that differ from `other`. (Layers that it does not have are marked too.)
    fn marked_against(mut self, other: Option<&CutColumn>) -> CutColumn {
        let Some(other) = other else { return self };
        for (index, cell) in self.cells.iter_mut().enumerate() {
            let same = other.cells.get(index).is_some_and(|value| value == cell);
            cell.push(if same { ' ' } else { '*' });
        }
        self
    }

    fn width(&self) -> usize {
        self.cells
            .iter()
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
            .max(self.heading.len())
    }

    fn align(&self, text: &str, width: usize, glyphs: &Glyphs) -> String {
        let text = format::fit(text, width, glyphs.ellipsis);
        if self.numeric {
            text::right(&text, width)
        } else {
            text::left(&text, width)
        }
    }
}

/// The table of `architecture` in `width` columns.
pub fn table(
    architecture: &Architecture,
    options: &Extras,
    width: usize,
    glyphs: &Glyphs,
) -> Content {
    let columns = columns(architecture, options, glyphs);
    lay_out(columns, architecture.layers.len(), width, glyphs)
}

/// The choices of a child that is not a network of layers (a cell), one per row: what each is
/// about, and what was picked.
pub fn heads(
    heads: &[Head],
    dna: &Dna,
    options: &Extras,
    width: usize,
    glyphs: &Glyphs,
) -> Content {
    let values = |dna: &Dna| -> Vec<u32> { dna.0.iter().flatten().copied().collect() };
    let label = |dna: &Dna| {
        let chosen = values(dna).into_iter().zip(heads.iter().cycle());
        let labels = chosen.map(|(value, head)| head.kind.label(value));
        CutColumn::new("choice", false, labels)
    };
    // A run records its heads before its children.
    let rows = if heads.is_empty() {
        0
    } else {
        values(dna).len()
    };
    let named = heads.iter().cycle().take(rows);
    let compared = options.compared_dna.as_ref().map(label);
    let mut columns = vec![
        CutColumn::new(
            "decision",
            false,
            named.map(|head| head.kind.name().to_owned()),
        ),
        label(dna).marked_against(compared.as_ref()),
    ];
    if options.choices.len() == rows {
        let of = |value: fn(&Choice) -> f64| {
            let choices = options.choices.iter();
            choices.map(move |choice| format!("{:.2}", value(choice)))
        };
        columns.push(CutColumn::new("log p", true, of(|choice| choice.log_prob)));
        columns.push(CutColumn::new("entropy", true, of(|choice| choice.entropy)));
    }
    lay_out(columns, rows, width, glyphs)
}

/// As many of the columns as fit, with their headings.
fn lay_out(columns: Vec<CutColumn>, rows: usize, width: usize, glyphs: &Glyphs) -> Content {
    let columns = fitting(columns, width);
    let gap = if columns.iter().map(|(_, width)| width + 2).sum::<usize>() <= width + 2 {
        "  "
    } else {
        " "
    };
    let line = |cell: &dyn Fn(&CutColumn) -> String| -> String {
        let cells: Vec<String> = columns
            .iter()
            .map(|(column, width)| column.align(&cell(column), *width, glyphs))
            .collect();
        cells.join(gap)
    };
    let head = vec![vec![(Role::Dim, line(&|column| column.heading.to_owned()))]];
    let row = |index: usize| marked_row(line(&|column| column.cells[index].clone()));
    Content {
        head,
        body: (0..rows).map(row).collect(),
    }
}

/// A row whose marks are highlighted.
fn marked_row(line: String) -> Row {
    let mut row = Row::new();
    for part in line.split_inclusive('*') {
        match part.strip_suffix('*') {
            Some(text) => row.extend([
                (Role::Text, text.to_owned()),
                (Role::Warning, "*".to_owned()),
            ]),
            None => row.push((Role::Text, part.to_owned())),
        }
    }
    row
}

fn columns(architecture: &Architecture, options: &Extras, glyphs: &Glyphs) -> Vec<CutColumn> {
    let mut columns = vec![CutColumn::new(
        "#",
        true,
        (1..=architecture.layers.len()).map(|number| number.to_string()),
    )];
    let compared = options
        .compared
        .as_ref()
        .map(|other| layer_columns(other, glyphs));
    for (index, column) in layer_columns(architecture, glyphs).into_iter().enumerate() {
        columns.push(column.marked_against(compared.as_ref().map(|columns| &columns[index])));
    }
    // A sampled network can be built, so it has costs; a foreign architecture may not.
    let costs = Cost::of(architecture)
        .map(|cost| cost_columns(&cost.layers, glyphs))
        .unwrap_or_default();
    columns.extend(costs);
    columns
}

/// The columns that describe a layer.
fn layer_columns(architecture: &Architecture, glyphs: &Glyphs) -> Vec<CutColumn> {
    let layers = || architecture.layers.iter();
    let pair = |lengths| format::pair(lengths, glyphs.times);
    vec![
        CutColumn::new(
            "kernel",
            true,
            layers().map(|layer| layer.kernel_text(glyphs.times)),
        ),
        CutColumn::new(
            "filters",
            true,
            layers().map(|layer| layer.filters.to_string()),
        ),
        CutColumn::new("stride", true, layers().map(|layer| pair(layer.stride))),
        CutColumn::new("pad", true, layers().map(|layer| pair(layer.padding))),
        CutColumn::new("input", false, layers().map(inputs)),
    ]
}

/// The columns with a layer's costs.
fn cost_columns(costs: &[LayerCost], glyphs: &Glyphs) -> Vec<CutColumn> {
    let numbers = |heading, cell: &dyn Fn(&LayerCost) -> String| {
        CutColumn::new(heading, true, costs.iter().map(cell))
    };
    vec![
        numbers("output", &|cost| {
            let [_, height, width] = cost.output_shape;
            format::pair([height, width], glyphs.times)
        }),
        numbers("params", &|cost| format::count(cost.params)),
        numbers("MACs", &|cost| format::compact(cost.macs)),
        numbers("field", &|cost| {
            format::pair(cost.receptive_field, glyphs.times)
        }),
    ]
}

fn inputs(layer: &Layer) -> String {
    let name = |input: &usize| match input {
        0 => "image".to_owned(),
        input => input.to_string(),
    };
    layer.inputs.iter().map(name).collect::<Vec<_>>().join(",")
}

/// The columns that fit, each with its width: later ones are left out, and the last one is cut if
/// it only fits partly.
fn fitting(columns: Vec<CutColumn>, width: usize) -> Vec<(CutColumn, usize)> {
    let mut left = width;
    let mut fitting = Vec::new();
    for column in columns {
        let gap = usize::from(!fitting.is_empty());
        let wanted = column.width();
        // A list of inputs may be cut, a number must not be.
        let least = if column.numeric {
            wanted
        } else {
            column.heading.len()
        };
        if left < gap + least {
            continue;
        }
        let given = wanted.min(left - gap);
        left -= gap + given;
        fitting.push((column, given));
    }
    fitting
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ThemeName;
    use crate::space::nasbench201::EDGES;
    use crate::tui::theme::{ColourDepth, Theme};

    #[test]
    fn a_cell_is_shown_as_its_edges_and_operations_with_differences_from_the_best() {
        let edges = [EDGES[0], EDGES[1]].map(|kind| Head {
            kind,
            options: (0..5).collect(),
        });
        let options = Extras {
            compared_dna: Some(Dna(vec![vec![3, 1]])),
            ..Extras::default()
        };
        let theme = Theme::new(ThemeName::ColourBlind, ColourDepth::None, true);
        let dna = Dna(vec![vec![3, 4]]);
        let content = heads(&edges, &dna, &options, 40, &theme.glyphs);
        let text = |row: &Row| {
            row.iter()
                .map(|(_, text)| text.as_str())
                .collect::<String>()
        };
        let rows: Vec<String> = content.body.iter().map(text).collect();
        assert_eq!(rows.len(), 2);
        assert!(
            rows[0].contains("edge 0-1") && rows[0].contains("nor_conv_3x3 "),
            "{rows:?}"
        );
        assert!(
            rows[1].contains("edge 0-2") && rows[1].contains("avg_pool_3x3*"),
            "{rows:?}"
        );
        let none = heads(&[], &dna, &options, 40, &theme.glyphs);
        assert!(none.body.is_empty(), "a run tells its heads first");
    }
}

//! The layers of two children side by side.

use super::{SIGN, sign};
use crate::space::{Architecture, Cost, Head, Layer, LayerCost};
use crate::state::{ChildDetail, RunState};
use crate::tui::format;
use crate::tui::paint::pieces_width;
use crate::tui::panels::Row;
use crate::tui::theme::{Glyphs, Role};
use unicode_width::UnicodeWidthStr;

/// A column of a layer in both networks; the shallower network has no cells for the last layers.
struct LayerColumn {
    heading: &'static str,
    width: usize,
    sides: [Vec<String>; 2],
}

impl LayerColumn {
    fn new(heading: &'static str, sides: [Vec<String>; 2]) -> LayerColumn {
        let cells = sides
            .iter()
            .flatten()
            .map(|cell| cell.width())
            .max()
            .unwrap_or(0);
        LayerColumn {
            heading,
            width: cells.max(heading.width()),
            sides,
        }
    }

    fn cell(&self, side: usize, layer: usize) -> Option<&str> {
        self.sides[side].get(layer).map(String::as_str)
    }

    fn differs(&self, layer: usize) -> bool {
        self.cell(0, layer) != self.cell(1, layer)
    }
}

/// The layers side by side. A layer that differs is marked, and its differing cells are
/// highlighted.
pub fn rows(
    state: &RunState,
    (one, other): (&ChildDetail, &ChildDetail),
    glyphs: &Glyphs,
    width: usize,
) -> Vec<Row> {
    let (Some(network), Some(other_network)) = (
        one.candidate.design.network(),
        other.candidate.design.network(),
    ) else {
        return gene_rows(state.search().heads(), (one, other), glyphs);
    };
    let networks = [network, other_network];
    let layers = networks.map(|network| &network.layers);
    let depth = layers[0].len().max(layers[1].len());
    let number = depth.to_string().len();
    let half = width.saturating_sub(SIGN + number + 2 + 3) / 2;
    let columns = fitting(columns(networks, glyphs), half);
    let between = |row: &mut Row| row.push((Role::Dim, format!(" {} ", glyphs.vertical)));
    let heading = || columns.iter().map(|column| (Role::Dim, column.heading));
    let mut headings = vec![(Role::Dim, format!("{:SIGN$}{:>number$}  ", "", "#"))];
    headings.extend(side(&columns, heading(), half));
    between(&mut headings);
    headings.extend(side(&columns, heading(), 0));
    let mut rows = vec![Row::new(), headings];
    for layer in 0..depth {
        let cells = |side: usize| {
            let role = |column: &LayerColumn| {
                if column.differs(layer) {
                    Role::Strong
                } else {
                    Role::Dim
                }
            };
            columns
                .iter()
                .map(move |column| (role(column), column.cell(side, layer).unwrap_or("")))
        };
        let network = |index: usize, width: usize| match layers[index].get(layer) {
            Some(_) => side(&columns, cells(index), width),
            None => vec![(Role::Dim, format!("{:<width$}", "none"))],
        };
        let differs = layers[0].get(layer) != layers[1].get(layer);
        let mut row = vec![
            (Role::Warning, sign(differs, glyphs)),
            (Role::Dim, format!("{:>number$}  ", layer + 1)),
        ];
        row.extend(network(0, half));
        between(&mut row);
        row.extend(network(1, 0));
        rows.push(row);
    }
    rows
}

/// Children that are not networks (cells): each head's choice in both.
fn gene_rows(
    heads: &[Head],
    (one, other): (&ChildDetail, &ChildDetail),
    glyphs: &Glyphs,
) -> Vec<Row> {
    let values = |detail: &ChildDetail| -> Vec<u32> {
        detail.candidate.dna.0.iter().flatten().copied().collect()
    };
    let (first, second) = (values(one), values(other));
    let row = |(head, (first, second)): (&Head, (u32, u32))| {
        let kind = head.kind;
        let differs = first != second;
        let role = if differs { Role::Strong } else { Role::Dim };
        let (first, second) = (kind.label(first), kind.label(second));
        let cells = format!("{:<9} {first:<14} {second}", kind.name());
        vec![(Role::Warning, sign(differs, glyphs)), (role, cells)]
    };
    let rows = heads.iter().zip(first.into_iter().zip(second)).map(row);
    std::iter::once(Row::new()).chain(rows).collect()
}

/// One network's cells of a row, padded to `width`.
fn side<'a>(
    columns: &[LayerColumn],
    cells: impl Iterator<Item = (Role, &'a str)>,
    width: usize,
) -> Row {
    let mut row = Row::new();
    for (index, (column, (role, cell))) in columns.iter().zip(cells).enumerate() {
        let gap = if index == 0 { "" } else { " " };
        row.push((role, format!("{gap}{cell:>width$}", width = column.width)));
    }
    row.push((
        Role::Dim,
        " ".repeat(width.saturating_sub(pieces_width(&row))),
    ));
    row
}

/// Columns of both networks, most informative first.
fn columns(sides: [&Architecture; 2], glyphs: &Glyphs) -> Vec<LayerColumn> {
    let pair = |lengths| format::pair(lengths, glyphs.times);
    let column = |heading, cell: &dyn Fn(&Layer) -> String| {
        LayerColumn::new(
            heading,
            sides.map(|side| side.layers.iter().map(cell).collect()),
        )
    };
    let mut columns = vec![
        column("kernel", &|layer| layer.kernel_text(glyphs.times)),
        column("filters", &|layer| layer.filters.to_string()),
        column("stride", &|layer| pair(layer.stride)),
        column("pad", &|layer| pair(layer.padding)),
    ];
    let chain = |side: &Architecture| {
        side.layers
            .iter()
            .zip(0..)
            .all(|(layer, before)| layer.inputs == [before])
    };
    if !sides.iter().all(|side| chain(side)) {
        columns.push(column("input", &|layer| {
            layer
                .inputs
                .iter()
                .map(usize::to_string)
                .collect::<Vec<_>>()
                .join(",")
        }));
    }
    let costs = sides.map(|side| Cost::of(side).map(|cost| cost.layers).unwrap_or_default());
    let cost = |heading, cell: &dyn Fn(&LayerCost) -> String| {
        LayerColumn::new(
            heading,
            [0, 1].map(|side: usize| costs[side].iter().map(cell).collect()),
        )
    };
    columns.push(cost("output", &|cost| {
        pair([cost.output_shape[1], cost.output_shape[2]])
    }));
    columns.push(cost("params", &|cost| format::count(cost.params)));
    columns.push(cost("MACs", &|cost| format::compact(cost.macs)));
    columns
}

/// The columns that fit into `width`, in order.
fn fitting(columns: Vec<LayerColumn>, width: usize) -> Vec<LayerColumn> {
    let mut left = width + 1;
    let mut fits = |column: &LayerColumn| {
        let fits = column.width < left;
        left -= if fits { column.width + 1 } else { 0 };
        fits
    };
    columns.into_iter().filter(|column| fits(column)).collect()
}

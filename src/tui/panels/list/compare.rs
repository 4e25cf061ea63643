//! Two children side by side: their figures, and their layers one against the other.

use super::order::best_of;
use super::view::ListView;
use super::{Details, notes, table};
use crate::space::{Architecture, Cost, Decision, Layer, LayerCost};
use crate::state::{ChildDetail, ChildRow, RunState};
use crate::tui::format;
use crate::tui::paint::pieces_width;
use crate::tui::panels::{Content, Row};
use crate::tui::theme::{Glyphs, Role};
use unicode_width::UnicodeWidthStr;

/// Columns of the sign for a difference, of a figure's name, and of the difference.
const SIGN: usize = 2;
const LABEL: usize = 11;
const DIFFERENCE: usize = 12;
/// Rows between the figures and the first layer: an empty one and the headings.
const BETWEEN: usize = 2;

/// One figure of both children.
struct Figure {
    label: &'static str,
    first: String,
    second: String,
    /// What the second has more.
    difference: String,
}

/// Rows that scroll, as far as the list itself knows.
pub fn rows(view: &ListView, state: &RunState) -> usize {
    let Some((first, second)) = view.compared(state) else {
        return 0;
    };
    let depth = |child| row_of(state, child).map_or(0, |row| row.genes.depth());
    FIGURES + BETWEEN + depth(first).max(depth(second))
}

pub fn content(
    view: &ListView,
    state: &RunState,
    details: Details<'_>,
    glyphs: &Glyphs,
    width: usize,
) -> Content {
    let Some((first, second)) = view.compared(state) else {
        let text = "Mark two children of the list, or mark one and move to another: they are shown here side by side.";
        let body = format::wrap(text, width)
            .into_iter()
            .map(|line| vec![(Role::Dim, line)])
            .collect();
        return Content {
            head: vec![Row::new()],
            body,
        };
    };
    let column = (width.saturating_sub(SIGN + LABEL + DIFFERENCE + 2) / 2).clamp(8, 24);
    let name = |child: u64| format!("child {child}");
    let heading = format!(
        "{:width$}{:>column$}{:>column$}  {:>DIFFERENCE$}",
        "",
        name(first),
        name(second),
        "difference",
        width = SIGN + LABEL
    );
    let mut body = figure_rows(state, (first, second), glyphs, column);
    match (details(first), details(second)) {
        (Some(one), Some(other)) => body.extend(layer_rows(state, (&one, &other), glyphs, width)),
        (known, _) => {
            let missing = if known.is_none() { first } else { second };
            body.extend([
                Row::new(),
                vec![(
                    Role::Dim,
                    format!("the layers of child {missing} have not been read yet"),
                )],
            ]);
        }
    }
    Content {
        head: vec![vec![(Role::Strong, heading)]],
        body,
    }
}

/// Figures of each comparison.
const FIGURES: usize = 9;

fn figure_rows(
    state: &RunState,
    (first, second): (u64, u64),
    glyphs: &Glyphs,
    column: usize,
) -> Vec<Row> {
    let rows = (row_of(state, first), row_of(state, second));
    let best = best_of(state);
    let text = |row: Option<&ChildRow>, text: &dyn Fn(&ChildRow) -> String| {
        row.map_or("unknown".to_owned(), text)
    };
    let figure = |label,
                  cell: &dyn Fn(&ChildRow) -> String,
                  difference: &dyn Fn(&ChildRow, &ChildRow) -> String| Figure {
        label,
        first: text(rows.0, cell),
        second: text(rows.1, cell),
        difference: rows
            .0
            .zip(rows.1)
            .map_or(String::new(), |(first, second)| difference(first, second)),
    };
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
    let share =
        |value: fn(&ChildRow) -> f64| move |a: &ChildRow, b: &ChildRow| percent(value(a), value(b));
    let nothing = |_: &ChildRow, _: &ChildRow| String::new();
    let figures: [Figure; FIGURES] = [
        figure(
            "accuracy",
            &|row| or_none(row.accuracy.map(format::accuracy)),
            &|a, b| {
                let points = a
                    .accuracy
                    .zip(b.accuracy)
                    .map(|(a, b)| signed((b - a) * 100.0, 2));
                points.map_or(String::new(), |points| points + " points")
            },
        ),
        figure(
            "reward",
            &|row| format::or_none(row.reward, format::reward),
            &|a, b| {
                a.reward
                    .zip(b.reward)
                    .map_or(String::new(), |(a, b)| signed(b - a, 4))
            },
        ),
        figure(
            "parameters",
            &|row| format::count(row.params),
            &share(|row| row.params as f64),
        ),
        figure(
            "MACs",
            &|row| format::compact(row.macs),
            &share(|row| row.macs as f64),
        ),
        figure("layers", &|row| row.genes.depth().to_string(), &|a, b| {
            signed(b.genes.depth() as f64 - a.genes.depth() as f64, 0)
        }),
        figure(
            "training",
            &|row| table::time(row.seconds),
            &share(|row| row.seconds),
        ),
        figure(
            "energy",
            &|row| or_none(row.energy_wh.map(|energy| format!("{energy:.2} Wh"))),
            &|a, b| {
                a.energy_wh
                    .zip(b.energy_wh)
                    .map_or(String::new(), |(a, b)| percent(a, b))
            },
        ),
        figure("episode", &|row| row.episode.to_string(), &nothing),
        figure("notes", &|row| notes(row, best, true), &nothing),
    ];
    figures
        .iter()
        .map(|figure| figure_row(figure, glyphs, column))
        .collect()
}

fn figure_row(figure: &Figure, glyphs: &Glyphs, column: usize) -> Row {
    let Figure {
        label,
        first,
        second,
        difference,
    } = figure;
    let differs = first != second;
    let fit = |text: &str| format::fit(text, column.saturating_sub(1), glyphs.ellipsis);
    vec![
        (Role::Warning, sign(differs, glyphs)),
        (Role::Dim, format!("{label:<LABEL$}")),
        (
            if differs { Role::Strong } else { Role::Text },
            format!("{:>column$}{:>column$}", fit(first), fit(second)),
        ),
        (
            Role::Text,
            format!(
                "  {:>DIFFERENCE$}",
                if differs { difference.as_str() } else { "" }
            ),
        ),
    ]
}

fn sign(differs: bool, glyphs: &Glyphs) -> String {
    format!("{:<SIGN$}", if differs { glyphs.differs } else { "" })
}

fn signed(value: f64, decimals: usize) -> String {
    format!("{value:+.decimals$}")
}

/// How much larger the second is than the first.
fn percent(first: f64, second: f64) -> String {
    let change = (second - first) / first * 100.0;
    if change.is_finite() {
        format!("{change:+.1} %")
    } else {
        String::new()
    }
}

/// A column of a layer in both networks; a network that is less deep has no cell for the last
/// layers.
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

/// The layers one against the other. A differing layer has the sign; in it the differing cells
/// stand out.
fn layer_rows(
    state: &RunState,
    (one, other): (&ChildDetail, &ChildDetail),
    glyphs: &Glyphs,
    width: usize,
) -> Vec<Row> {
    let (Some(network), Some(other_network)) = (
        one.candidate.design.network(),
        other.candidate.design.network(),
    ) else {
        let run = state.search().started.as_ref();
        let decisions = run.map_or(&[][..], |run| run.decisions.as_slice());
        return gene_rows(decisions, (one, other), glyphs);
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

/// Children that are no networks (cells): what each decision came to in both.
fn gene_rows(
    decisions: &[Decision],
    (one, other): (&ChildDetail, &ChildDetail),
    glyphs: &Glyphs,
) -> Vec<Row> {
    let values = |detail: &ChildDetail| -> Vec<u32> {
        detail.candidate.dna.0.iter().flatten().copied().collect()
    };
    let (first, second) = (values(one), values(other));
    let row = |(decision, (first, second)): (&Decision, (u32, u32))| {
        let kind = decision.kind;
        let differs = first != second;
        let role = if differs { Role::Strong } else { Role::Dim };
        let (first, second) = (kind.label(first), kind.label(second));
        let cells = format!("{:<9} {first:<14} {second}", kind.name());
        vec![(Role::Warning, sign(differs, glyphs)), (role, cells)]
    };
    let rows = decisions.iter().zip(first.into_iter().zip(second)).map(row);
    std::iter::once(Row::new()).chain(rows).collect()
}

/// One network's cells of a row, filled up to `width`.
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

/// Columns of both networks, the ones that say most first.
fn columns(sides: [&Architecture; 2], glyphs: &Glyphs) -> Vec<LayerColumn> {
    let times = glyphs.times;
    let pair = |[height, width]: [usize; 2]| format!("{height}{times}{width}");
    let column = |heading, cell: &dyn Fn(&Layer) -> String| {
        LayerColumn::new(
            heading,
            sides.map(|side| side.layers.iter().map(cell).collect()),
        )
    };
    let mut columns = vec![
        column("kernel", &|layer| pair(layer.kernel)),
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

fn row_of(state: &RunState, child: u64) -> Option<&ChildRow> {
    state
        .search()
        .children
        .iter()
        .find(|row| row.child == child)
}

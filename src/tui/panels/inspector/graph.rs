//! The network drawn as a graph: a row per layer, with its connections on the left and its figures
//! beside it.

use super::rails;
use super::table::{self, RankedColumn};
use crate::foundation::numbers::layers as list;
use crate::space::lanes::{self, Lanes};
use crate::space::{Architecture, Cost};
use crate::tui::format;
use crate::tui::paint::bar;
use crate::tui::panels::{Content, Row, wrapped};
use crate::tui::theme::{Glyphs, Role};

/// Width in columns of the bar for a layer's multiply-accumulates: full for the layer with the
/// most.
const BAR: usize = 6;

/// Rows of the graph: the image, the layers, the classifier.
pub fn rows(architecture: &Architecture) -> usize {
    architecture.layers.len() + 2
}

/// The graph in `width` columns, with the connections of row `chosen` highlighted. The head ends
/// with what that row reads and is read by, in words.
pub fn content(
    architecture: &Architecture,
    chosen: usize,
    width: usize,
    glyphs: &Glyphs,
) -> Content {
    let (Some(lanes), Ok(cost)) = (Lanes::of(architecture), Cost::of(architecture)) else {
        let error = architecture.check().err().map(|error| error.to_string());
        let text = error
            .as_deref()
            .unwrap_or("its figures are too large to show");
        return wrapped(Role::Error, text, width).into();
    };
    let chosen = chosen.min(lanes.rows.len() - 1);
    let columns = columns(architecture, &cost, glyphs);
    let rails = rails::width(lanes.count);
    let drawn = rails + 2 + table::least_width(&columns) <= width;
    let mut content = if drawn {
        beside_rails(
            table::table(columns, width - rails - 2),
            &lanes,
            chosen,
            glyphs,
        )
    } else {
        with_lists(columns, architecture, chosen, width)
    };
    content
        .head
        .insert(0, connections(&lanes, architecture, chosen, width, glyphs));
    content
}

/// The table with the rails in front of its rows.
fn beside_rails(table: Content, lanes: &Lanes, chosen: usize, glyphs: &Glyphs) -> Content {
    let indent = (Role::Text, " ".repeat(rails::width(lanes.count) + 2));
    let head = table
        .head
        .into_iter()
        .map(|row| [vec![indent.clone()], row].concat())
        .collect();
    let body = table.body.into_iter().enumerate().map(|(number, figures)| {
        let mut row = rails::row(lanes, number, Some(chosen), &glyphs.rails);
        row.push((Role::Text, "  ".to_owned()));
        row.extend(emphasised(figures, number == chosen));
        row
    });
    Content {
        head,
        body: body.collect(),
    }
}

/// If the rails need more room than there is: the numbers of the inputs instead.
fn with_lists(
    mut columns: Vec<RankedColumn>,
    architecture: &Architecture,
    chosen: usize,
    width: usize,
) -> Content {
    let lists = lanes::inputs(architecture).into_iter().map(list);
    columns.insert(1, RankedColumn::texts("reads", 0, lists));
    let table = table::table(columns, width);
    let body = table
        .body
        .into_iter()
        .enumerate()
        .map(|(number, row)| emphasised(row, number == chosen))
        .collect();
    Content {
        head: table.head,
        body,
    }
}

fn emphasised(row: Row, chosen: bool) -> Row {
    row.into_iter()
        .map(|(role, text)| {
            (
                if chosen && role == Role::Text {
                    Role::Strong
                } else {
                    role
                },
                text,
            )
        })
        .collect()
}

/// What the selected row reads, and what it is read by.
fn connections(
    lanes: &Lanes,
    architecture: &Architecture,
    chosen: usize,
    width: usize,
    glyphs: &Glyphs,
) -> Row {
    let last = lanes.rows.len() - 1;
    let name = |number: usize| match number {
        0 => "image".to_owned(),
        number if number == last => "classifier".to_owned(),
        number => format!("layer {number}"),
    };
    let readers = lanes.readers(chosen);
    let read_by = match readers.as_slice() {
        [] if chosen == last => String::new(),
        [] => " is not read".to_owned(),
        [only] if *only == last => " is read by the classifier".to_owned(),
        [before @ .., end] if *end == last => {
            format!(" is read by {} and the classifier", list(before))
        }
        _ => format!(" is read by {}", list(&readers)),
    };
    let reads = match chosen {
        0 => String::new(),
        _ => format!(" reads {}", list(lanes::inputs(architecture)[chosen])),
    };
    let and = if reads.is_empty() || read_by.is_empty() {
        ""
    } else {
        ","
    };
    let text = format!("{}{reads}{and}{read_by}", name(chosen));
    vec![(Role::Mean, format::fit(&text, width, glyphs.ellipsis))]
}

fn columns(architecture: &Architecture, cost: &Cost, glyphs: &Glyphs) -> Vec<RankedColumn> {
    let [channels, height, width] = architecture.input.map(|size| size.to_string());
    let times = glyphs.times;
    let pair = |lengths: [usize; 2]| format::pair(lengths, times);
    let layers = || architecture.layers.iter();
    let costs = || cost.layers.iter();
    let numbers = (1..=architecture.layers.len()).map(|number| number.to_string());
    let kernels = layers().map(|layer| layer.kernel_text(glyphs.times));
    let filters = layers().map(|layer| layer.filters.to_string());
    let strides = layers().map(|layer| pair(layer.stride));
    let paddings = layers().map(|layer| pair(layer.padding));
    let outputs = costs().map(|cost| pair([cost.output_shape[1], cost.output_shape[2]]));
    let fields = costs().map(|cost| pair(cost.receptive_field.map(|size| size as usize)));
    let params = costs().map(|cost| format::compact(cost.params));
    let macs = costs().map(|cost| format::compact(cost.macs));
    let classes = architecture.classes.to_string();
    let image = format::pair([&height, &width], times);
    let [last_params, last_macs] =
        [cost.classifier.params, cost.classifier.macs].map(format::compact);
    vec![
        RankedColumn::numbers("#", 0, cells("", numbers, "")),
        RankedColumn::numbers("kernel", 0, cells("image", kernels, "linear")),
        RankedColumn::numbers("filters", 0, cells(&channels, filters, &classes)),
        RankedColumn::numbers("stride", 5, cells("", strides, "")),
        RankedColumn::numbers("pad", 6, cells("", paddings, "")),
        RankedColumn::numbers("output", 0, cells(&image, outputs, "")),
        RankedColumn::numbers("field", 7, cells("", fields, "")),
        RankedColumn::numbers("params", 3, cells("", params, &last_params)),
        RankedColumn::numbers("MACs", 2, cells("", macs, &last_macs)),
        RankedColumn::rows("", 4, bars(cost, glyphs)),
    ]
}

/// The cells of a column: for the image, the layers, and the classifier.
fn cells(image: &str, layers: impl Iterator<Item = String>, classifier: &str) -> Vec<String> {
    let ends = |text: &str| std::iter::once(text.to_owned());
    ends(image).chain(layers).chain(ends(classifier)).collect()
}

/// A bar for each layer's MACs.
fn bars(cost: &Cost, glyphs: &Glyphs) -> Vec<Row> {
    let costs = || cost.layers.iter();
    let largest = costs().map(|cost| cost.macs).max().unwrap_or(0).max(1);
    let share = |macs: u64| macs as f64 / largest as f64;
    let bars = costs().map(|cost| bar(glyphs, BAR, share(cost.macs), Role::Gauge));
    std::iter::once(Row::new())
        .chain(bars)
        .chain([Row::new()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Decode, ThemeName};
    use crate::space::builtin::builtin;
    use crate::tui::theme::{ColourDepth, Theme};

    fn text(content: &Content) -> Vec<String> {
        let line = |row: &Row| {
            row.iter()
                .map(|(_, text)| text.as_str())
                .collect::<String>()
                .trim_end()
                .to_owned()
        };
        content.head.iter().chain(&content.body).map(line).collect()
    }

    #[test]
    fn if_the_lanes_do_not_fit_the_inputs_are_listed() {
        let network = builtin("nascnn15", Decode::Literal, [3, 32, 32], 10)
            .unwrap()
            .unwrap();
        let glyphs = Theme::new(ThemeName::default(), ColourDepth::None, false).glyphs;
        let lines = text(&content(&network, 13, 40, &glyphs));
        assert_eq!(lines[0], "layer 13 reads 1, 3, 6-12, is read by 1…");
        assert_eq!(lines[1], " # reads        kernel filters output");
        assert_eq!(lines[15], "13 1, 3, 6-12      7×5      48  32×32");
    }
}

//! A network drawn as a graph: a row for the image, each layer and the classifier, and a line for
//! every output that is read.
//!
//! An output runs straight down its lane ([`Lanes`]); a bend out of the lane leads to each row that
//! reads it. A line that crosses without a bend is not joined.

use maud::{Markup, html};

use super::Figure;
use super::ink::{Ink, SERIES};
use super::plot::empty;
use super::svg::{self, Form, Pen, Text, TextAnchor, number};
use crate::foundation::numbers::{compact, count};
use crate::space::lanes::{Lanes, inputs};
use crate::space::{Architecture, Cost};

/// Networks with more layers are not drawn, because no one could follow their lines.
const MOST_LAYERS: usize = 150;

/// The figure with its caption.
pub fn figure(architecture: &Architecture) -> Figure {
    Figure::new(
        "network",
        "The network",
        "From the image (top) to the classifier (bottom). A line that bends into a row is read there; one that crosses without a bend is not.",
        |form, title| draw(architecture, form, title),
    )
}

/// The drawing.
pub fn draw(architecture: &Architecture, form: Form, title: &str) -> String {
    if architecture.layers.len() > MOST_LAYERS {
        return empty(
            form,
            &format!(
                "{} layers are too many to draw; the table has them all.",
                architecture.layers.len()
            ),
        );
    }
    match (Lanes::of(architecture), Cost::of(architecture)) {
        (Some(lanes), Ok(cost)) => Drawing::new(architecture, &lanes, &cost, form).document(title),
        _ => empty(form, "This network cannot be built, so it is not drawn."),
    }
}

struct Drawing<'a> {
    architecture: &'a Architecture,
    lanes: &'a Lanes,
    cost: &'a Cost,
    form: Form,
    /// Distance between lanes, and between rows.
    spacing: f64,
    row: f64,
    radius: f64,
}

impl<'a> Drawing<'a> {
    fn new(
        architecture: &'a Architecture,
        lanes: &'a Lanes,
        cost: &'a Cost,
        form: Form,
    ) -> Drawing<'a> {
        let (room, widest, row) = match form {
            Form::Wide => (300.0, 20.0, 34.0),
            Form::Narrow => (120.0, 16.0, 31.0),
        };
        let spacing = (room / lanes.count.max(1) as f64).min(widest);
        Drawing {
            architecture,
            lanes,
            cost,
            form,
            spacing,
            row,
            radius: if form == Form::Wide { 10.0 } else { 8.5 },
        }
    }

    fn x(&self, lane: usize) -> f64 {
        18.0 + lane as f64 * self.spacing
    }

    fn y(&self, row: usize) -> f64 {
        44.0 + row as f64 * self.row
    }

    fn document(&self, title: &str) -> String {
        let height = self.y(self.lanes.rows.len() - 1) + 26.0;
        let outputs = (0..self.lanes.rows.len()).map(|source| self.output(source));
        let joints = (0..self.lanes.rows.len()).map(|reader| self.joints(reader));
        let nodes = (0..self.lanes.rows.len()).map(|row| self.node(row));
        let content =
            html! { (svg::all(outputs)) (svg::all(joints)) (svg::all(nodes)) (self.table()) };
        svg::document((self.form.width(), height), title, &content)
    }

    /// Neighbouring lanes seldom have the same colour; the image is grey.
    fn ink(&self, source: usize) -> Ink {
        if source == 0 {
            Ink::Muted
        } else {
            SERIES[(source - 1) % SERIES.len()]
        }
    }

    /// The line down the lane of an output, as far as its last reader (or the bend to it).
    fn output(&self, source: usize) -> Markup {
        let lane = self.lanes.rows[source].lane;
        let Some(last) = self.lanes.readers(source).last().copied() else {
            return html! {};
        };
        let end = if self.lanes.rows[last].lane == lane {
            self.y(last)
        } else {
            self.y(last) - self.bend()
        };
        Pen::solid(self.ink(source), 2.2).line((self.x(lane), self.y(source)), (self.x(lane), end))
    }

    /// The bends by which a row reads outputs from other lanes, farthest first.
    fn joints(&self, reader: usize) -> Markup {
        let row = &self.lanes.rows[reader];
        let reads = row
            .wires
            .iter()
            .enumerate()
            .filter_map(|(lane, wire)| Some((lane, (*wire)?)));
        let mut reads: Vec<(usize, usize)> = reads
            .filter(|(lane, wire)| wire.read && *lane != row.lane)
            .map(|(lane, wire)| (lane, wire.source))
            .collect();
        reads.sort_by_key(|(lane, _)| std::cmp::Reverse(lane.abs_diff(row.lane)));
        let halos = reads.iter().map(|(lane, _)| self.halo(*lane, reader));
        let lines = reads.iter().map(|(lane, source)| {
            Pen::solid(self.ink(*source), 2.0).draw(&self.joint(*lane, reader))
        });
        svg::all(halos.chain(lines))
    }

    /// From a lane down into the row of a reader.
    fn joint(&self, lane: usize, reader: usize) -> String {
        let (corner, to) = self.corner(lane, reader);
        let lane = self.x(lane);
        let bend = format!(
            "M{} {}Q{} {} {} {}",
            number(lane),
            number(to.1 - self.bend()),
            number(lane),
            number(to.1),
            number(corner),
            number(to.1)
        );
        bend + &format!("L{} {}", number(to.0), number(to.1))
    }

    /// Paper around the straight part of a joint, so that the lanes it crosses appear to pass below
    /// it.
    fn halo(&self, lane: usize, reader: usize) -> Markup {
        let (corner, to) = self.corner(lane, reader);
        let inwards: f64 = if to.0 > corner { 4.0 } else { -4.0 };
        if (to.0 - corner).abs() < 2.0 * inwards.abs() {
            return html! {};
        }
        Pen::solid(Ink::Paper, 6.0).line((corner + inwards, to.1), (to.0 - inwards, to.1))
    }

    /// The end of a joint's bend, and the end of the joint.
    fn corner(&self, lane: usize, reader: usize) -> (f64, (f64, f64)) {
        let (from, to) = (
            self.x(lane),
            (self.x(self.lanes.rows[reader].lane), self.y(reader)),
        );
        let reach = self.bend().min((to.0 - from).abs());
        (
            if to.0 > from {
                from + reach
            } else {
                from - reach
            },
            to,
        )
    }

    fn bend(&self) -> f64 {
        self.row * 0.42
    }

    fn node(&self, row: usize) -> Markup {
        let (x, y) = (self.x(self.lanes.rows[row].lane), self.y(row));
        let last = self.lanes.rows.len() - 1;
        if row == 0 || row == last {
            let half = self.radius * 0.85;
            return html! {
                rect x=(number(x - half)) y=(number(y - half)) width=(number(2.0 * half)) height=(number(2.0 * half)) rx="3"
                    fill=(Ink::Text.colour()) stroke=(Ink::Paper.colour()) stroke-width="1.5" class={ (Ink::Text.fill()) " " (Ink::Paper.stroke()) } {}
            };
        }
        let ink = if self.lanes.rows[row].is_read {
            self.ink(row)
        } else {
            Ink::Muted
        };
        let size = if row < 100 {
            self.radius * 1.05
        } else {
            self.radius * 0.8
        };
        let text = row.to_string();
        let label = Text::new(
            (x, y + size * 0.36),
            size,
            TextAnchor::Middle,
            Ink::Paper,
            &text,
        )
        .bold(true);
        html! { (svg::disc((x, y), self.radius, ink)) (label.draw()) }
    }

    /// What each row is and costs, beside the graph.
    fn table(&self) -> Markup {
        let left = self.x(self.lanes.count.saturating_sub(1)) + 24.0;
        let width = self.form.width() - left - 10.0;
        let size = self.form.text_size();
        let ends: Vec<f64> = self
            .columns()
            .iter()
            .map(|(_, share)| left + share * width)
            .collect();
        let cell = |end: f64, y: f64, ink: Ink, text: &str| {
            Text::new((end, y + size * 0.35), size, TextAnchor::End, ink, text).draw()
        };
        let heads = self
            .columns()
            .iter()
            .zip(&ends)
            .map(|((name, _), end)| cell(*end, 16.0, Ink::Muted, name))
            .collect::<Vec<_>>();
        let rows = (0..self.lanes.rows.len()).map(|row| {
            let cells = self.cells(row);
            let ink = if row == 0 || row + 1 == self.lanes.rows.len() {
                Ink::Muted
            } else {
                Ink::Text
            };
            svg::all(
                cells
                    .iter()
                    .zip(&ends)
                    .map(|(text, end)| cell(*end, self.y(row), ink, text)),
            )
        });
        let bars = self.form == Form::Wide;
        html! { (svg::all(heads)) (svg::all(rows)) @if bars { (self.bars(left + 0.8 * width + 10.0, 0.2 * width - 10.0)) } }
    }

    /// Headings, and the right edges of their columns in the table.
    fn columns(&self) -> &'static [(&'static str, f64)] {
        match self.form {
            Form::Wide => &[
                ("kernel", 0.13),
                ("filters", 0.27),
                ("output", 0.46),
                ("parameters", 0.65),
                ("MACs", 0.8),
            ],
            Form::Narrow => &[("kernel", 0.3), ("filters", 0.6), ("MACs", 1.0)],
        }
    }

    fn cells(&self, row: usize) -> Vec<String> {
        let [channels, height, width] = self.architecture.input;
        let shape = |[channels, height, width]: [usize; 3]| format!("{channels}×{height}×{width}");
        let (kernel, filters, output, params, macs) =
            match (row, self.architecture.layers.get(row.wrapping_sub(1))) {
                (0, _) => (
                    "image".to_owned(),
                    channels.to_string(),
                    shape([channels, height, width]),
                    String::new(),
                    String::new(),
                ),
                (_, Some(layer)) => {
                    let cost = &self.cost.layers[row - 1];
                    (
                        layer.kernel_text("×"),
                        layer.filters.to_string(),
                        shape(cost.output_shape),
                        count(cost.params),
                        compact(cost.macs),
                    )
                }
                _ => {
                    let classifier = &self.cost.classifier;
                    let classes = self.architecture.classes.to_string();
                    (
                        "linear".to_owned(),
                        classes.clone(),
                        classes,
                        count(classifier.params),
                        compact(classifier.macs),
                    )
                }
            };
        match self.form {
            Form::Wide => vec![kernel, filters, output, params, macs],
            Form::Narrow => vec![kernel, filters, macs],
        }
    }

    /// Multiply-accumulates of each layer relative to the most expensive one.
    fn bars(&self, left: f64, width: f64) -> Markup {
        let largest = self
            .cost
            .layers
            .iter()
            .map(|layer| layer.macs)
            .max()
            .unwrap_or(0)
            .max(1) as f64;
        let bar = |(index, layer): (usize, &crate::space::LayerCost)| {
            svg::area(
                (left, self.y(index + 1) - 5.0),
                (width * layer.macs as f64 / largest, 10.0),
                Ink::Sky,
                0.7,
            )
        };
        svg::all(self.cost.layers.iter().enumerate().map(bar))
    }
}

/// `1 skip connection`, `12 skip connections`.
pub fn skips_in_words(architecture: &Architecture) -> String {
    let count = skip_connections(architecture);
    format!(
        "{count} skip connection{}",
        if count == 1 { "" } else { "s" }
    )
}

/// Number of connections that skip at least one layer.
pub fn skip_connections(architecture: &Architecture) -> usize {
    inputs(architecture)
        .iter()
        .enumerate()
        .flat_map(|(row, inputs)| inputs.iter().filter(move |input| **input + 1 < row))
        .count()
}

#[cfg(test)]
mod tests;

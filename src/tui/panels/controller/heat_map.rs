//! The controller's probabilities as shades.

use super::plan::{NUMBER, Part, Plan, WIDE_CELL, labels, longest};
use crate::event::Choice;
use crate::foundation::text;
use crate::space::Head;
use crate::state::Candidate;
use crate::tui::paint::pieces_width;
use crate::tui::panels::{Content, Row};
use crate::tui::theme::{Glyphs, Role};

/// The probabilities of every choice of a child.
pub struct HeatMap<'a> {
    heads: &'a [Head],
    candidate: &'a Candidate,
    glyphs: &'a Glyphs,
    plan: Plan,
}

impl<'a> HeatMap<'a> {
    /// The map of a child in `width` columns.
    pub fn new(
        heads: &'a [Head],
        candidate: &'a Candidate,
        glyphs: &'a Glyphs,
        width: usize,
    ) -> HeatMap<'a> {
        HeatMap {
            heads,
            candidate,
            glyphs,
            plan: Plan::of(heads, candidate.dna.depth(), width),
        }
    }

    /// The rows. Headings stay while the others scroll, unless there are several blocks.
    pub fn content(&self) -> Content {
        let depth = self.candidate.dna.depth();
        match &self.plan {
            Plan::Layers { cell, blocks } => {
                let layers = |block: &[Part]| -> Vec<Row> {
                    let layers = 1..=depth;
                    layers
                        .map(|layer| self.layer(layer, block, *cell))
                        .collect()
                };
                match blocks.as_slice() {
                    [block] => Content {
                        head: self.heading(block),
                        body: layers(block),
                    },
                    blocks => {
                        let rows = |block: &Vec<Part>| [self.heading(block), layers(block)];
                        let rows = blocks.iter().flat_map(rows);
                        rows.flatten().collect::<Vec<Row>>().into()
                    }
                }
            }
            Plan::Decisions {
                cell,
                decisions,
                options,
            } => self.by_decision(*cell, decisions, options),
        }
    }

    /// The names of the heads of a block, and their options.
    fn heading(&self, block: &[Part]) -> Vec<Row> {
        let (mut names, mut values) = (" ".repeat(NUMBER), " ".repeat(NUMBER));
        for part in block {
            let (head, room) = (&self.heads[part.head], part.width - 1);
            let name = match head.kind.is_connection() {
                true => head.kind.short_name(),
                false => head.kind.name(),
            };
            let name: String = name.chars().take(room).collect();
            names.push_str(&text::left(&name, part.width));
            let cells: String = match head.kind.is_connection() {
                true => part
                    .options
                    .clone()
                    .map(|layer| last_digit(layer + 1))
                    .collect(),
                false => {
                    let shown = labels(head)
                        .skip(part.options.start)
                        .take(part.options.len());
                    shown.map(|label| centred(&label, part.cell)).collect()
                }
            };
            values.push_str(&text::left(&cells, part.width));
        }
        vec![vec![(Role::Title, names)], vec![(Role::Dim, values)]]
    }

    /// The probabilities of one layer.
    fn layer(&self, layer: usize, block: &[Part], cell: usize) -> Row {
        let mut row = vec![(Role::Dim, format!("{layer:>2} "))];
        for part in block {
            let mut pieces = match self.heads[part.head].kind.is_connection() {
                true => self.connections(layer, part),
                false => match self.choice(layer, part.head) {
                    Some(choice) => self.cells(choice, part, cell),
                    None => Row::new(),
                },
            };
            let used = pieces_width(&pieces);
            pieces.push((Role::Dim, " ".repeat(part.width.saturating_sub(used))));
            row.extend(pieces);
        }
        row
    }

    fn choice(&self, layer: usize, head: usize) -> Option<&Choice> {
        let mut choices = self.candidate.choices().iter();
        choices.find(|choice| choice.layer == layer && choice.head == head)
    }

    /// The probability of each connection of a layer as a shade, with the chosen ones highlighted.
    fn connections(&self, layer: usize, part: &Part) -> Row {
        let choices = self.candidate.choices().iter();
        let of_layer = choices.filter(|choice| choice.layer == layer && choice.head == part.head);
        let cell = |choice: &Choice| {
            let probability = choice.probabilities.last().copied().unwrap_or(0.0);
            let role = if choice.index == 1 {
                Role::Mean
            } else {
                Role::Dim
            };
            (role, self.glyphs.shades[shade(probability)].to_owned())
        };
        let shown = of_layer.skip(part.options.start).take(part.options.len());
        shown.map(cell).collect()
    }

    /// A cell per option.
    fn cells(&self, choice: &Choice, part: &Part, cell: usize) -> Row {
        let options = part.options.clone();
        options
            .filter(|index| *index < choice.probabilities.len())
            .flat_map(|index| self.cell(choice, index, cell, part.cell))
            .collect()
    }

    /// The probability of an option as a shade (and percentage) in the middle of `width` columns, with a marker
    /// before it if it was chosen. The colour is that of the others, so that with another child only the
    /// markers change.
    fn cell(&self, choice: &Choice, index: usize, cell: usize, width: usize) -> Row {
        let probability = choice.probabilities.get(index).copied().unwrap_or(0.0);
        let shade = self.glyphs.shades[shade(probability)];
        let text = if cell == WIDE_CELL && probability >= 0.995 {
            "100".to_owned()
        } else if cell == WIDE_CELL && probability > 0.0 {
            format!("{shade}{:>2.0}", probability * 100.0)
        } else if cell == WIDE_CELL {
            format!(" {shade} ")
        } else {
            shade.to_owned()
        };
        let role = if probability > 0.0 {
            Role::Child
        } else {
            Role::Dim
        };
        let marker = match index == choice.index {
            true => self.glyphs.marker,
            false => " ",
        };
        let padding = width.saturating_sub(cell);
        let before = " ".repeat(padding / 2);
        let after = " ".repeat(padding - padding / 2);
        vec![
            (Role::Dim, before),
            (Role::Mean, marker.to_owned()),
            (role, format!("{text} {after}")),
        ]
    }

    fn by_decision(&self, cell: usize, decisions: &[&str], options: &[String]) -> Content {
        let label = longest(decisions);
        let columns: Vec<usize> = options.iter().map(|name| name.len().max(cell)).collect();
        let names = options.iter().zip(&columns);
        let names = names.map(|(name, width)| format!(" {}", centred(name, *width)));
        let heading = format!("{}{}", " ".repeat(label), names.collect::<String>());
        let row = |(head, name): (usize, &&str)| -> Row {
            let mut row = vec![(Role::Title, text::left(name, label))];
            let Some(choice) = self.choice(1, head) else {
                return row;
            };
            for (index, width) in columns.iter().enumerate() {
                row.push((Role::Dim, " ".to_owned()));
                row.extend(self.cell(choice, index, cell, *width));
            }
            row
        };
        Content {
            head: vec![vec![(Role::Dim, heading)]],
            body: decisions.iter().enumerate().map(row).collect(),
        }
    }
}

fn centred(text: &str, width: usize) -> String {
    format!("{text:^width$}")
}

fn last_digit(number: usize) -> String {
    (number % 10).to_string()
}

/// Level of shade for a probability: 0 for infeasible options, then four equal steps.
fn shade(probability: f64) -> usize {
    if probability <= 0.0 {
        0
    } else {
        1 + ((probability * 4.0) as usize).min(3)
    }
}

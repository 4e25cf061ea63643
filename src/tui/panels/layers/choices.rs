//! The choices that made a network: each with its log-probability, and the entropy of the distribution
//! that it was drawn from.

use super::{CutColumn, Extras, cost_columns, lay_out};
use crate::event::Choice;
use crate::space::cost::Cost;
use crate::space::{Architecture, Dna, Head};
use crate::tui::panels::Content;
use crate::tui::theme::Glyphs;

/// Names of the figures of a choice, the second one also in brief.
const LOG_PROBABILITY: &str = "log p";
const ENTROPY: [&str; 2] = ["entropy", "ent."];

/// The choices of every layer in `width` columns: the figures of each beside it, with the costs for which
/// there is room, or below it if not all of them fit.
pub fn choices(
    (architecture, dna): (&Architecture, &Dna),
    heads: &[Head],
    options: &Extras,
    width: usize,
    glyphs: &Glyphs,
) -> Content {
    let made = Choices {
        dna,
        heads,
        options,
    };
    let layers = dna.depth();
    let columns_of = |columns: &Vec<CutColumn>| {
        let all: usize = columns.iter().map(|column| column.width() + 1).sum();
        all.saturating_sub(1)
    };
    let mut beside = ENTROPY.map(|entropy| made.beside(entropy)).into_iter();
    match beside.find(|columns| columns_of(columns) <= width) {
        Some(mut columns) => {
            let costs = Cost::of(architecture);
            columns.extend(costs.map_or(Vec::new(), |cost| cost_columns(&cost.layers, glyphs)));
            lay_out(columns, layers, width, glyphs)
        }
        None => lay_out(made.below(), 3 * layers, width, glyphs),
    }
}

/// The choices that made a network.
struct Choices<'a> {
    dna: &'a Dna,
    heads: &'a [Head],
    options: &'a Extras,
}

impl Choices<'_> {
    /// For each decision a column of the values, one of the log-probabilities and one of the entropies.
    fn beside(&self, entropy: &'static str) -> Vec<CutColumn> {
        let layers = 1..=self.dna.depth();
        let number = CutColumn::new("#", true, layers.map(|layer| layer.to_string()));
        let of_head = |head| {
            let [log_probabilities, entropies] = self.figures(head);
            [
                self.values(head),
                CutColumn::new(LOG_PROBABILITY, true, log_probabilities.into_iter()),
                CutColumn::new(entropy, true, entropies.into_iter()),
            ]
        };
        let columns = (0..self.heads.len()).flat_map(of_head);
        std::iter::once(number).chain(columns).collect()
    }

    /// Three rows for each layer, and a column for each decision.
    fn below(&self) -> Vec<CutColumn> {
        let layers = 1..=self.dna.depth();
        let numbers = layers.clone();
        let numbers = numbers.flat_map(|layer| [layer.to_string(), String::new(), String::new()]);
        let names = layers.flat_map(|_| ["choice", LOG_PROBABILITY, ENTROPY[0]].map(str::to_owned));
        let of_head = |head| {
            let values = self.values(head);
            let [log_probabilities, entropies] = self.figures(head);
            // Where values have a mark or a space at their end, numbers below them are in line with them.
            let end = self.options.compared_dna.as_ref().map_or("", |_| " ");
            let figures = log_probabilities.into_iter().zip(entropies);
            let cells = values.cells.into_iter().zip(figures);
            let cells = cells.flat_map(|(value, (log_probability, entropy))| {
                [value, log_probability + end, entropy + end]
            });
            CutColumn::new(values.heading, values.numeric, cells)
        };
        let mut columns = vec![
            CutColumn::new("#", true, numbers),
            CutColumn::new("", false, names),
        ];
        columns.extend((0..self.heads.len()).map(of_head));
        columns
    }

    /// The values of a decision, those marked that differ from the network compared with.
    fn values(&self, head: usize) -> CutColumn {
        let kind = self.heads[head].kind;
        let column = |dna: &Dna| {
            let values = dna
                .0
                .iter()
                .map(|gene| value(&self.heads[head], gene, head));
            CutColumn::new(kind.short_name(), !kind.is_connection(), values)
        };
        let compared = self.options.compared_dna.as_ref().map(column);
        column(self.dna).marked_against(compared.as_ref())
    }

    /// Log-probability and entropy of a decision in each layer: sums, where it is made for each earlier layer.
    fn figures(&self, head: usize) -> [Vec<String>; 2] {
        [
            |choice: &Choice| choice.log_prob,
            |choice: &Choice| choice.entropy,
        ]
        .map(|figure| {
            let of_layer = |layer| {
                let choices = self.options.choices.iter();
                let made = choices.filter(|choice| choice.layer == layer && choice.head == head);
                let sum = made.map(figure).reduce(|sum, value| sum + value);
                sum.map_or(String::new(), |sum| format!("{sum:.2}"))
            };
            (1..=self.dna.depth()).map(of_layer).collect()
        })
    }
}

/// What was decided, in words; for connections the earlier layers that they come from.
fn value(head: &Head, gene: &[u32], place: usize) -> String {
    let decided = gene.get(place..).unwrap_or_default();
    if !head.kind.is_connection() {
        return decided
            .first()
            .map_or(String::new(), |value| head.kind.label(*value));
    }
    let connected = (1..).zip(decided).filter(|(_, bit)| **bit == 1);
    let layers: Vec<String> = connected
        .map(|(layer, _): (usize, _)| layer.to_string())
        .collect();
    match layers.is_empty() {
        true => "none".to_owned(),
        false => layers.join(","),
    }
}

#[cfg(test)]
mod tests;

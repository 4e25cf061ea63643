//! The figures of two children, and their differences.

use super::{DIFFERENCE, LABEL, sign};
use crate::state::{ChildRow, RunState};
use crate::tui::format;
use crate::tui::panels::Row;
use crate::tui::theme::{Glyphs, Role};

/// One figure of both children.
struct FigurePair {
    label: &'static str,
    first: String,
    second: String,
    /// The second minus the first.
    difference: String,
}

/// Number of figures in each comparison.
const FIGURES: usize = 9;

/// Number of figures in the comparison of these children.
pub fn count(state: &RunState, (first, second): (u64, u64)) -> usize {
    let has_note = |child| state.search().notes.of(child).is_some();
    FIGURES + usize::from(has_note(first) || has_note(second))
}

/// A row for each figure, its cells `column` wide.
pub fn rows(
    state: &RunState,
    (first, second): (u64, u64),
    glyphs: &Glyphs,
    column: usize,
) -> Vec<Row> {
    let pair = Compared {
        first: state.search().ended(first),
        second: state.search().ended(second),
    };
    let note = |child| state.search().notes.of(child).unwrap_or_default();
    let note = FigurePair {
        label: "note",
        first: note(first).to_owned(),
        second: note(second).to_owned(),
        difference: String::new(),
    };
    let mut figures = Vec::from(pair.figures(state.search().best_child()));
    if !note.first.is_empty() || !note.second.is_empty() {
        figures.push(note);
    }
    let rows = figures.iter();
    rows.map(|figure| figure_row(figure, glyphs, column))
        .collect()
}

/// The two children, each as far as it has ended.
struct Compared<'a> {
    first: Option<&'a ChildRow>,
    second: Option<&'a ChildRow>,
}

impl Compared<'_> {
    /// The figures in order; the remarks mark the `best` child.
    fn figures(&self, best: Option<u64>) -> [FigurePair; FIGURES] {
        let [accuracy, reward] = self.outcome();
        let [parameters, macs, layers] = self.size();
        let [training, energy] = self.effort();
        let nothing = |_: &ChildRow, _: &ChildRow| String::new();
        let episode = self.figure("episode", |row| row.episode.to_string(), nothing);
        let remarks = self.figure("remarks", |row| row.notes(best, true), nothing);
        [
            accuracy, reward, parameters, macs, layers, training, energy, episode, remarks,
        ]
    }

    fn outcome(&self) -> [FigurePair; 2] {
        let points = |first: f64, second: f64| format::points(second - first);
        let more = |first: f64, second: f64| format::signed(second - first, 4);
        [
            self.figure(
                "accuracy",
                |row| format::or_none(row.accuracy, format::accuracy),
                |a, b| of_both(a.accuracy, b.accuracy, points),
            ),
            self.figure(
                "reward",
                |row| format::or_none(row.reward, format::reward),
                |a, b| of_both(a.reward, b.reward, more),
            ),
        ]
    }

    fn size(&self) -> [FigurePair; 3] {
        let depth = |row: &ChildRow| row.genes.depth();
        [
            self.figure(
                "parameters",
                |row| format::count(row.params),
                |a, b| percent(a.params as f64, b.params as f64),
            ),
            self.figure(
                "MACs",
                |row| format::compact(row.macs),
                |a, b| percent(a.macs as f64, b.macs as f64),
            ),
            self.figure(
                "layers",
                |row| depth(row).to_string(),
                |a, b| format::signed(depth(b) as f64 - depth(a) as f64, 0),
            ),
        ]
    }

    fn effort(&self) -> [FigurePair; 2] {
        let watt_hours = |energy: f64| format!("{energy:.2} Wh");
        [
            self.figure(
                "training",
                |row| format::training_time(row.seconds),
                |a, b| percent(a.seconds, b.seconds),
            ),
            self.figure(
                "energy",
                |row| format::or_none(row.energy_wh, watt_hours),
                |a, b| of_both(a.energy_wh, b.energy_wh, percent),
            ),
        ]
    }

    /// A figure whose difference is shown only if both children have ended.
    fn figure(
        &self,
        label: &'static str,
        cell: impl Fn(&ChildRow) -> String,
        difference: impl Fn(&ChildRow, &ChildRow) -> String,
    ) -> FigurePair {
        let text = |row: Option<&ChildRow>| row.map_or("unknown".to_owned(), &cell);
        let both = self.first.zip(self.second);
        FigurePair {
            label,
            first: text(self.first),
            second: text(self.second),
            difference: both.map_or(String::new(), |(first, second)| difference(first, second)),
        }
    }
}

/// A difference that exists only if both children have the value.
fn of_both(
    first: Option<f64>,
    second: Option<f64>,
    difference: impl Fn(f64, f64) -> String,
) -> String {
    let both = first.zip(second);
    both.map_or(String::new(), |(first, second)| difference(first, second))
}

fn figure_row(figure: &FigurePair, glyphs: &Glyphs, column: usize) -> Row {
    let FigurePair {
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

/// The percentage by which the second is larger than the first.
fn percent(first: f64, second: f64) -> String {
    let change = (second - first) / first * 100.0;
    if change.is_finite() {
        format!("{change:+.1} %")
    } else {
        String::new()
    }
}

//! Edit: a child's values as an editable table, and the network that would result.

use super::draft::{Build, Draft};
use super::table::{RankedColumn, table};
use crate::space::{Cost, Dna, LayerCost, Space, head_of};
use crate::state::ChildRow;
use crate::tui::format;
use crate::tui::panels::{Content, Row, join_fitting, labelled, words, wrapped};
use crate::tui::theme::{Glyphs, Role};

/// The table in `width` columns; above it the verdict and the options for the value under the
/// cursor. `twin` is the first child that already has this DNA.
pub fn content(
    draft: &Draft,
    space: &Space,
    twin: Option<&ChildRow>,
    width: usize,
    glyphs: &Glyphs,
) -> Content {
    let outcome = Build::of(draft.dna(), space);
    let original = Build::of(draft.original(), space);
    let mut content = table(columns(draft, &outcome, space, glyphs), width);
    let mut head = verdict(draft, &outcome, &original, twin, width, glyphs);
    head.push(choices(draft, space, glyphs));
    head.append(&mut content.head);
    content.head = head;
    content
}

/// Whether it can be built; its figures and how they differ from the original's.
fn verdict(
    draft: &Draft,
    outcome: &Build,
    original: &Build,
    twin: Option<&ChildRow>,
    width: usize,
    glyphs: &Glyphs,
) -> Vec<Row> {
    if let Some(problem) = outcome.problem() {
        return wrapped(Role::Error, &problem, width);
    }
    let (Ok((_, cost)), Ok((_, before))) = (&outcome.network, &original.network) else {
        return Vec::new();
    };
    let standing = match (draft.is_edited(), twin) {
        (false, _) => vec![(Role::Dim, "not edited".to_owned())],
        (true, Some(twin)) => words(
            Role::Warning,
            format!("the same as child {}{}", twin.child, result(twin)),
        ),
        (true, None) => vec![(Role::Good, "can be built".to_owned())],
    };
    let figures = vec![
        standing,
        figure("params", cost.params, before.params),
        figure("MACs", cost.macs, before.macs),
        labelled("field", Role::Text, field(cost, glyphs)),
    ];
    vec![join_fitting(figures, "   ", width)]
}

fn result(twin: &ChildRow) -> String {
    twin.accuracy
        .map_or(", which failed".to_owned(), |accuracy| {
            format!(", {}", format::accuracy(accuracy))
        })
}

/// `params 32.3 k (+27.1 %)`.
fn figure(label: &str, now: u64, before: u64) -> Row {
    let mut row = labelled(label, Role::Strong, format::compact(now));
    if now != before && before > 0 {
        let change = (now as f64 / before as f64 - 1.0) * 100.0;
        row.push((Role::Warning, format!(" ({change:+.1} %)")));
    }
    row
}

fn field(cost: &Cost, glyphs: &Glyphs) -> String {
    let last = cost.layers.last();
    let field = last.map_or([1, 1], |layer| layer.receptive_field);
    format::pair(field, glyphs.times)
}

/// The options for the value under the cursor: the current one in brackets, infeasible ones crossed
/// out.
fn choices(draft: &Draft, space: &Space, glyphs: &Glyphs) -> Row {
    let (layer, value) = draft.cursor();
    let Some((head, earlier)) = head_of(space.heads(), value) else {
        return Row::new();
    };
    let name = earlier.map_or_else(
        || head.kind.short_name().to_owned(),
        |earlier| format!("input {earlier}"),
    );
    let mut choices = head.options.clone();
    choices.push(draft.current());
    choices.sort_unstable();
    choices.dedup();
    let mut row = words(Role::Dim, format!("layer {} {name}: ", layer + 1));
    for choice in choices {
        let is_feasible = space.decode(&draft.with(choice), "choice").is_ok();
        let cross = if is_feasible { "" } else { glyphs.failed };
        let (role, text) = match (choice == draft.current(), is_feasible) {
            (true, _) => (Role::Selected, format!("[{choice}{cross}]")),
            (false, true) => (Role::Text, format!(" {choice} ")),
            (false, false) => (Role::Dim, format!(" {choice}{cross} ")),
        };
        row.push((role, text));
    }
    row
}

fn columns(draft: &Draft, outcome: &Build, space: &Space, glyphs: &Glyphs) -> Vec<RankedColumn> {
    let Dna(genes) = draft.dna();
    let failing = outcome.failing_layer();
    let number = |layer: usize| {
        format!(
            "{}{}",
            if failing == Some(layer) {
                glyphs.failed
            } else {
                ""
            },
            layer + 1
        )
    };
    let mut columns = vec![RankedColumn::numbers("#", 0, (0..genes.len()).map(number))];
    for (value, head) in space.heads().iter().enumerate() {
        let cells = (0..genes.len())
            .map(|layer| match head.kind.is_connection() {
                true => connections(draft, layer, value),
                false => cell(draft, layer, value),
            })
            .collect();
        columns.push(RankedColumn::rows(head.kind.short_name(), 0, cells));
    }
    let mut cost = |heading, rank, text: &dyn Fn(&LayerCost) -> String| {
        let costs = (0..genes.len()).map(|layer| outcome.layers.get(layer));
        let cells = costs.map(|cost| cost.map_or("-".to_owned(), text));
        columns.push(RankedColumn::numbers(heading, rank, cells));
    };
    cost("output", 1, &|cost| {
        let [_, height, width] = cost.output_shape;
        format::pair([height, width], glyphs.times)
    });
    cost("params", 2, &|cost| format::compact(cost.params));
    cost("MACs", 3, &|cost| format::compact(cost.macs));
    cost("field", 4, &|cost| {
        format::pair(cost.receptive_field, glyphs.times)
    });
    columns
}

/// The bits of a layer's connections from `first` on, the one under the cursor in brackets.
fn connections(draft: &Draft, layer: usize, first: usize) -> Row {
    let gene = &draft.dna().0[layer];
    let bit = |value: usize| {
        let text = gene[value].to_string();
        match (
            draft.cursor() == (layer, value),
            draft.differs(layer, value),
        ) {
            (true, _) => (Role::Selected, format!("[{text}]")),
            (false, true) => (Role::Warning, text),
            (false, false) => (Role::Text, text),
        }
    };
    let none = (first >= gene.len()).then(|| (Role::Dim, "-".to_owned()));
    none.into_iter()
        .chain((first..gene.len()).map(bit))
        .collect()
}

/// A value: in brackets under the cursor, with a star if it has been changed.
fn cell(draft: &Draft, layer: usize, value: usize) -> Row {
    let text = draft.dna().0[layer]
        .get(value)
        .map_or("-".to_owned(), u32::to_string);
    let star = if draft.differs(layer, value) { "*" } else { "" };
    match (
        draft.cursor() == (layer, value),
        draft.differs(layer, value),
    ) {
        (true, _) => vec![(Role::Selected, format!("[{text}{star}]"))],
        (false, true) => vec![(Role::Warning, format!(" {text}{star}"))],
        (false, false) => vec![(Role::Text, format!(" {text}"))],
    }
}

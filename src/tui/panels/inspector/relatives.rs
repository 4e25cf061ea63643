//! Children similar to the one shown: the one it was edited from, those edited from it, those with
//! the same DNA, and the nearest others by edit distance.

use super::table::{RankedColumn, table};
use crate::space::distance::{Edit, Ruler, distance, edits};
use crate::space::{Dna, Genes, Head, HeadKind, head_of};
use crate::state::{ChildRow, RunState};
use crate::tui::format;
use crate::tui::panels::{Content, Row, words};
use crate::tui::theme::{Glyphs, Role};

/// Maximum number of relatives shown.
pub const MOST: usize = 20;
/// Maximum number of children edited from this one.
const MOST_EDITED: usize = 5;
/// Maximum number of rows for the differences of the selected one.
const DIFFERENCE_ROWS: usize = 4;
/// Maximum edit distance of a relative, in values.
const FARTHEST: u32 = 24;

/// The relatives of a child at the time of the search for them.
#[derive(Debug, Clone)]
pub struct Relatives {
    /// Number of children that had ended by then.
    pub of: usize,
    /// Parent and edited children first, then others by distance.
    pub entries: Vec<Relative>,
}

/// A child related to the one being inspected.
#[derive(Debug, Clone)]
pub struct Relative {
    /// How they are related.
    pub kind: Relation,
    /// The relative itself.
    pub row: ChildRow,
    /// Number of further children with the same DNA as this relative.
    pub others: usize,
    /// The edits that turn the shown child into this one.
    pub edits: Vec<Edit>,
    /// Edit distance of the two DNAs, in values.
    pub distance: u32,
}

/// How two children are related.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    Parent,
    Edited,
    SameDna,
    Near,
}

impl Relatives {
    /// The relatives of `child` with this DNA among the children that have ended. Looks at each of
    /// them once.
    pub fn of(child: u64, dna: &Dna, parent: Option<u64>, state: &RunState) -> Relatives {
        let genes = Genes::from(dna);
        let search = state.search();
        let parents = parent.and_then(|parent| search.ended(parent));
        let parents = parents.map(|row| (Relation::Parent, row));
        let is_edited = |row: &&ChildRow| row.parent == Some(child) && row.child != child;
        let edited = search.children.iter().filter(is_edited).take(MOST_EDITED);
        let family = parents
            .into_iter()
            .chain(edited.map(|row| (Relation::Edited, row)));
        let mut entries: Vec<Relative> = family
            .map(|(kind, row)| Relative::new(kind, row, &genes))
            .collect();
        let is_family = |row: &ChildRow| {
            row.child == child || entries.iter().any(|entry| entry.row.child == row.child)
        };
        let near = nearest(
            &genes,
            search.children.iter().filter(|row| !is_family(row)),
            MOST - entries.len(),
        );
        entries.extend(near);
        Relatives {
            of: search.children.len(),
            entries,
        }
    }
}

impl Relative {
    fn new(kind: Relation, row: &ChildRow, genes: &Genes) -> Relative {
        let edits = edits(genes, &row.genes);
        let distance = distance(genes, &row.genes, u32::MAX - 1).unwrap_or(u32::MAX);
        Relative {
            kind,
            row: row.clone(),
            others: 0,
            edits,
            distance,
        }
    }
}

/// The `most` DNAs nearest to `genes`, each by the first child that has it.
fn nearest<'a>(
    genes: &Genes,
    rows: impl Iterator<Item = &'a ChildRow>,
    most: usize,
) -> Vec<Relative> {
    let mut found: Vec<(u32, &ChildRow, usize)> = Vec::with_capacity(most + 1);
    let (mut ruler, mut limit) = (Ruler::new(genes), FARTHEST);
    for row in rows.filter(|row| row.genes.depth() > 0) {
        let Some(distance) = ruler.distance(&row.genes, limit) else {
            continue;
        };
        if let Some((.., others)) = found
            .iter_mut()
            .find(|(other, found, _)| *other == distance && found.genes == row.genes)
        {
            *others += 1;
            continue;
        }
        let place = found.partition_point(|(other, ..)| *other <= distance);
        found.insert(place, (distance, row, 0));
        found.truncate(most);
        if found.len() == most {
            limit = found.last().map_or(0, |(distance, ..)| *distance);
        }
    }
    let kind = |distance: u32| {
        if distance == 0 {
            Relation::SameDna
        } else {
            Relation::Near
        }
    };
    let relative = |(distance, row, others): (u32, &ChildRow, usize)| Relative {
        others,
        ..Relative::new(kind(distance), row, genes)
    };
    found.into_iter().map(relative).collect()
}

/// The table, with the row of `chosen` highlighted. `accuracy` is that of the shown child.
pub fn content(
    relatives: &Relatives,
    accuracy: Option<f64>,
    heads: &[Head],
    chosen: usize,
    width: usize,
    glyphs: &Glyphs,
) -> Content {
    if relatives.entries.is_empty() {
        return vec![words(Role::Dim, "no other child has ended yet")].into();
    }
    let texts = |heading, rank, text: &dyn Fn(&Relative) -> String| {
        RankedColumn::texts(heading, rank, relatives.entries.iter().map(text))
    };
    let numbers = |heading, rank, text: &dyn Fn(&Relative) -> String| {
        RankedColumn::numbers(heading, rank, relatives.entries.iter().map(text))
    };
    let difference = |entry: &Relative| match (entry.row.accuracy, accuracy) {
        (Some(theirs), Some(ours)) => format::signed((theirs - ours) * 100.0, 2),
        _ => String::new(),
    };
    let marks = (0..relatives.entries.len())
        .map(|index| if index == chosen { glyphs.marker } else { " " }.to_owned());
    let columns = vec![
        RankedColumn::texts("", 0, marks),
        texts("relation", 1, &relation),
        numbers("child", 0, &|entry| entry.row.child.to_string()),
        numbers("same", 5, &|entry| more(entry.others)),
        numbers("accuracy", 0, &|entry| accuracy_or_trouble(&entry.row)),
        numbers("+/-", 2, &difference),
        numbers("reward", 4, &|entry| {
            format::or_none(entry.row.reward, format::reward)
        }),
        numbers("params", 3, &|entry| format::compact(entry.row.params)),
        texts("differences", 2, &|entry| {
            differences(&entry.edits, heads, glyphs, width / 2)
        }),
    ];
    let mut content = table(columns, width);
    for (role, _) in content.body.get_mut(chosen).into_iter().flatten() {
        *role = Role::Strong;
    }
    let mut above = chosen_difference(relatives, heads, chosen, width, glyphs);
    // As many rows for each of them, so that the table stays where it is.
    let others = relatives.entries.iter().enumerate();
    let most = others
        .map(|(place, _)| chosen_difference(relatives, heads, place, width, glyphs).len())
        .max();
    above.resize(most.unwrap_or(1), Row::new());
    content.head.splice(0..0, above);
    content
}

fn accuracy_or_trouble(row: &ChildRow) -> String {
    row.accuracy.map_or_else(
        || row.trouble().unwrap_or_default().to_owned(),
        format::accuracy,
    )
}

/// The differences of the selected relative, in the full width and as many rows as necessary.
fn chosen_difference(
    relatives: &Relatives,
    heads: &[Head],
    chosen: usize,
    width: usize,
    glyphs: &Glyphs,
) -> Vec<Row> {
    let Some(relative) = relatives.entries.get(chosen) else {
        return Vec::new();
    };
    let child = format!("in child {}: ", relative.row.child);
    let text = match relative.edits.as_slice() {
        [] => "the same values".to_owned(),
        edits => differences(edits, heads, glyphs, usize::MAX),
    };
    let mut lines = format::wrap(&format!("{child}{text}"), width);
    if lines.len() > DIFFERENCE_ROWS {
        let rest = lines.split_off(DIFFERENCE_ROWS - 1).join(" ");
        lines.push(format::fit(&rest, width, glyphs.ellipsis));
    }
    let row = |line: String| match line.strip_prefix(&child) {
        Some(rest) => vec![(Role::Dim, child.clone()), (Role::Mean, rest.to_owned())],
        None => vec![(Role::Mean, line)],
    };
    lines.into_iter().map(row).collect()
}

fn relation(relative: &Relative) -> String {
    match relative.kind {
        Relation::Parent => "edited from".to_owned(),
        Relation::Edited => "edited to".to_owned(),
        Relation::SameDna => "same DNA".to_owned(),
        Relation::Near => format!("distance {}", relative.distance),
    }
}

fn more(others: usize) -> String {
    if others == 0 {
        String::new()
    } else {
        format!("+{others}")
    }
}

/// `2: stride 1>2, +4`, in at most `width` columns.
fn differences(edits: &[Edit], heads: &[Head], glyphs: &Glyphs, width: usize) -> String {
    let mut layer_before = 0;
    let mut text = String::new();
    for edit in edits {
        let (layer, change) = match edit {
            Edit::Change {
                layer,
                value,
                from,
                to,
            } => {
                let head = head_of(heads, *value);
                let kind = head.map(|(head, _)| head.kind);
                let name = match head {
                    Some((_, Some(earlier))) => format!("input {earlier}"),
                    _ => kind.map_or("value", HeadKind::short_name).to_owned(),
                };
                let label = |value: &u32| kind.map_or(value.to_string(), |kind| kind.label(*value));
                let (from, to) = (label(from), label(to));
                (*layer, format!("{name} {from}{}{to}", glyphs.becomes))
            }
            Edit::Remove { layer } => (*layer, "left out".to_owned()),
            Edit::Add { layer, gene } => {
                let values: Vec<String> = gene.iter().map(u32::to_string).collect();
                (0, format!("new {layer}: [{}]", values.join(",")))
            }
        };
        let separator = if text.is_empty() { "" } else { ", " };
        let place = if layer == layer_before || layer == 0 {
            String::new()
        } else {
            format!("{layer}: ")
        };
        layer_before = layer;
        text.push_str(&format!("{separator}{place}{change}"));
    }
    format::fit(&text, width.max(12), glyphs.ellipsis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::front;
    use crate::state::SearchRun;

    fn row(child: u64, genes: &[[u32; 4]], parent: Option<u64>) -> ChildRow {
        let dna = Dna(genes.iter().map(|gene| gene.to_vec()).collect());
        ChildRow {
            parent,
            genes: Genes::from(&dna),
            ..front::tests::row(child)
        }
    }

    const A: [u32; 4] = [3, 8, 1, 1];
    const B: [u32; 4] = [5, 16, 2, 2];

    fn found(rows: Vec<ChildRow>) -> Vec<(Relation, u64, usize, u32)> {
        let state = RunState::from(SearchRun {
            children: rows,
            ..SearchRun::default()
        });
        let dna = Dna(vec![A.to_vec(), B.to_vec()]);
        let relatives = Relatives::of(1, &dna, None, &state);
        relatives
            .entries
            .iter()
            .map(|entry| (entry.kind, entry.row.child, entry.others, entry.distance))
            .collect()
    }

    #[test]
    fn the_same_dna_comes_before_similar_ones_and_each_dna_is_shown_once() {
        let near = [[3, 8, 1, 1], [5, 16, 1, 2]];
        let rows = vec![
            row(1, &[A, B], None),
            row(2, &near, None),
            row(3, &[A, B], None),
            row(4, &near, None),
            row(5, &[A], None),
        ];
        assert_eq!(
            found(rows),
            [
                (Relation::SameDna, 3, 0, 0),
                (Relation::Near, 2, 1, 1),
                (Relation::Near, 5, 0, 4)
            ]
        );
    }

    #[test]
    fn children_edited_from_it_come_first() {
        let rows = vec![
            row(1, &[A, B], None),
            row(2, &[A, B], None),
            row(9, &[A, A], Some(1)),
        ];
        assert_eq!(
            found(rows),
            [(Relation::Edited, 9, 0, 4), (Relation::SameDna, 2, 0, 0)]
        );
    }

    #[test]
    fn only_the_nearest_are_kept_and_no_more_than_are_shown() {
        let far = (2..200).map(|child| {
            row(
                child,
                &[[child as u32 + 100, 8, 1, 1], [child as u32, 1, 1, 1]],
                None,
            )
        });
        let rows: Vec<ChildRow> = far.chain([row(200, &[A, [7, 16, 2, 2]], None)]).collect();
        let found = found(rows);
        assert_eq!((found.len(), found[0]), (MOST, (Relation::Near, 200, 0, 1)));
    }
}

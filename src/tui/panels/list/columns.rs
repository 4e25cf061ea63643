//! The columns of the table of children: as many as fit, or those that were chosen or scrolled to.

use super::filter::Property;
use super::order::SortKey;
use super::view::ListView;
use crate::config::Column;
use crate::foundation::near;
use crate::state::{ChildRow, RunState};
use crate::tui::format;

/// A column of figures, aligned to the right. Widths do not depend on what is shown, so that
/// nothing moves during scrolling.
pub struct FigureColumn {
    column: Column,
    /// Its heading.
    pub heading: &'static str,
    /// What sorts by it.
    pub key: Option<SortKey>,
    /// Columns of the terminal.
    pub width: usize,
    /// The figure of a child.
    pub cell: fn(&ChildRow) -> String,
    /// Columns with a high rank are left out first.
    rank: usize,
}

/// The columns that a user has chosen, and how far they are scrolled.
#[derive(Debug, Clone, Default)]
pub struct ChosenColumns {
    /// As typed.
    text: String,
    /// Those after the first; if empty, as many as fit.
    columns: Vec<Column>,
    /// Number of columns after the first that are out of view to the left.
    panned: usize,
}

impl ChosenColumns {
    /// Show these columns, in this order: names, with spaces or commas between them. As many as fit if
    /// there are none.
    ///
    /// # Errors
    /// With a name that no column has, or one that comes twice. The columns are then unchanged.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let names = text.split(|letter: char| letter.is_whitespace() || letter == ',');
        let mut columns = Vec::new();
        for name in names.filter(|name| !name.is_empty()) {
            match named(name) {
                None => return Err(format!("no column is called \"{name}\"{}", similar(name))),
                Some(column) if columns.contains(&column) => {
                    return Err(format!("\"{name}\" comes twice"));
                }
                // The first column is always that of the numbers.
                Some(Column::Child) => {}
                Some(column) => columns.push(column),
            }
        }
        *self = ChosenColumns {
            text: text.trim().to_owned(),
            columns,
            panned: 0,
        };
        Ok(())
    }

    /// As typed by the user; empty if none have been chosen.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Which column may have been meant by `name`, or how to find their names.
fn similar(name: &str) -> String {
    let names = Column::ALL.iter().map(|column| column.name());
    match near::names(name, names).as_slice() {
        [] => "; Tab lists the names".to_owned(),
        near => near::question(near),
    }
}

/// The column of this name, or of what a filter calls so.
fn named(name: &str) -> Option<Column> {
    let mut known = Column::ALL.into_iter();
    let column = known.find(|column| column.name() == name);
    column.or_else(|| {
        Some(match Property::named(name)? {
            Property::Accuracy => Column::Accuracy,
            Property::Reward => Column::Reward,
            Property::Params => Column::Params,
            Property::Macs => Column::Macs,
            Property::Time => Column::Time,
            Property::Episode => Column::Episode,
            Property::Child => Column::Child,
            Property::Layers => Column::Layers,
            Property::Entropy => Column::Entropy,
            Property::Energy => Column::Energy,
        })
    })
}

/// Move to columns that are out of view in a panel with `width` columns of the terminal for figures, if
/// there are any on that side.
pub fn pan(view: &mut ListView, forward: bool, state: &RunState, width: usize) {
    let shown = Shown::of(state, view, width);
    view.columns_mut().panned = match forward {
        true => shown.panned + usize::from(shown.hides_right),
        false => shown.panned.saturating_sub(1),
    };
}

/// The columns in view.
pub struct Shown {
    /// From left to right.
    pub columns: Vec<FigureColumn>,
    /// Between them.
    pub gap: usize,
    /// Number of columns after the first that are out of view to the left.
    pub panned: usize,
    /// Whether others are out of view to the left.
    pub hides_left: bool,
    /// Whether others are out of view to the right, or left out.
    pub hides_right: bool,
}

impl Shown {
    /// The columns of the list that are in view if there are `width` columns of the terminal for them.
    pub fn of(state: &RunState, view: &ListView, width: usize) -> Shown {
        let mut all = columns(state, view);
        let count = all.len();
        let panned = view.columns().panned.min(count.saturating_sub(2));
        let (columns, gap) = if panned == 0 && view.columns().columns.is_empty() {
            fitting(all, width)
        } else {
            // The number of the child stays in view.
            all.drain(1..=panned);
            leading(all, width)
        };
        Shown {
            panned,
            hides_left: panned > 0,
            hides_right: panned + columns.len() < count,
            columns,
            gap,
        }
    }
}

/// The chosen columns; if none are, all of which anything is known.
fn columns(state: &RunState, view: &ListView) -> Vec<FigureColumn> {
    let mut all = all(state);
    let chosen = &view.columns().columns;
    if chosen.is_empty() {
        // The column that the list is sorted by is always shown.
        let (key, _) = view.sort();
        let sorted = all.iter_mut().filter(|column| column.key == Some(key));
        sorted.for_each(|column| column.rank = 0);
        let is_known = view.order().energy_known();
        all.retain(|column| match column.column {
            Column::Energy => is_known,
            Column::Entropy => false,
            _ => true,
        });
        return all;
    }
    let place = |column: Column| chosen.iter().position(|chosen| *chosen == column);
    let is_chosen = |column: Column| column == Column::Child || place(column).is_some();
    all.retain(|column| is_chosen(column.column));
    // The number of the child is in no place, and comes first.
    all.sort_by_key(|column| place(column.column));
    all
}

/// All columns.
fn all(state: &RunState) -> Vec<FigureColumn> {
    use Column::{Accuracy, Child, Energy, Entropy, Episode, Layers, Macs, Params, Reward, Time};
    let newest = state.search().children.last().map_or(0, |row| row.child);
    let newest = newest.to_string().len();
    let of = |column, heading, key, width, rank, cell| FigureColumn {
        column,
        heading,
        key,
        width,
        cell,
        rank,
    };
    vec![
        of(
            Child,
            "child",
            Some(SortKey::Child),
            newest.max(7),
            0,
            |row| row.child.to_string(),
        ),
        of(Episode, "ep", None, 4, 5, |row| row.episode.to_string()),
        of(Accuracy, "accuracy", Some(SortKey::Accuracy), 9, 1, |row| {
            row.accuracy.map_or_else(none, format::accuracy)
        }),
        of(Reward, "reward", Some(SortKey::Reward), 7, 2, |row| {
            format::or_none(row.reward, format::reward)
        }),
        of(Params, "params", Some(SortKey::Params), 9, 3, |row| {
            format::count(row.params)
        }),
        of(Macs, "MACs", Some(SortKey::Macs), 7, 4, |row| {
            format::compact(row.macs)
        }),
        of(Layers, "layers", None, 6, 6, |row| {
            row.genes.depth().to_string()
        }),
        of(Time, "time", Some(SortKey::Time), 8, 7, |row| {
            format::training_time(row.seconds)
        }),
        of(Energy, "energy", Some(SortKey::Energy), 9, 8, |row| {
            let energy = row.energy_wh;
            energy.map_or_else(none, |energy| format!("{energy:.2} Wh"))
        }),
        of(Entropy, "entropy", None, 7, 9, |row| {
            format::or_none(Property::Entropy.of(row), |entropy| format!("{entropy:.2}"))
        }),
    ]
}

/// The text for a missing value.
fn none() -> String {
    "none".to_owned()
}

fn wide(columns: &[FigureColumn], gap: usize) -> usize {
    columns.iter().map(|column| column.width + gap).sum()
}

/// The most important columns that fit, and the gap between them: all of them, closer together if
/// necessary.
fn fitting(columns: Vec<FigureColumn>, width: usize) -> (Vec<FigureColumn>, usize) {
    if wide(&columns, 2) <= width {
        return (columns, 2);
    }
    let mut columns = columns;
    while wide(&columns, 1) > width && columns.len() > 1 {
        let last = columns.iter().map(|column| column.rank).max();
        columns.retain(|column| Some(column.rank) != last);
    }
    (columns, 1)
}

/// The columns from the left on that fit, and the gap between them.
fn leading(mut columns: Vec<FigureColumn>, width: usize) -> (Vec<FigureColumn>, usize) {
    if wide(&columns, 2) <= width {
        return (columns, 2);
    }
    while wide(&columns, 1) > width && columns.len() > 1 {
        columns.pop();
    }
    (columns, 1)
}

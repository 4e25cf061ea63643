//! The most accurate children with their costs.

use std::borrow::Cow;

use super::list::time;
use super::panel::{About, LazyTable, PANELS, SEARCH, Scrolled, TextPanel};
use super::{Content, Row, words};
use crate::analysis::selection::Selection;
use crate::report::page::tables::some_children;
use crate::state::{ChildRow, SearchRun, best_first};
use crate::tui::format;
use crate::tui::panels::scene::Scene;
use crate::tui::target::{Part, Target};
use crate::tui::theme::Role;

/// Number of children that are kept in order.
const MOST: usize = 100;

/// A column: its heading, its width, and the text for a child. Those to the right go first if room is
/// short.
type Column = (&'static str, usize, fn(&ChildRow) -> String);

const COLUMNS: [Column; 6] = [
    ("child", 7, |row| row.child.to_string()),
    ("accuracy", 10, |row| {
        row.accuracy.map_or_else(String::new, format::accuracy)
    }),
    ("MACs", 8, |row| cost(row.macs)),
    ("params", 8, |row| cost(row.params)),
    ("layers", 8, |row| row.genes.depth().to_string()),
    ("time", 9, |row| time(row.seconds)),
];

/// Columns for the rank.
const RANK: usize = 4;

/// The panel, with the rows of the best children of each network, best first.
#[derive(Debug, Clone, Default)]
pub struct Leaderboard {
    best: Vec<ChildRow>,
    /// Number of children that had ended when they were put in order.
    ended: usize,
}

#[linkme::distributed_slice(PANELS)]
static ABOUT: About = About::of::<Scrolled<Leaderboard>>("leaderboard", "Leaderboard", 65, SEARCH);

impl TextPanel for Leaderboard {
    fn title(&self, scene: &Scene<'_>) -> (Cow<'static, str>, Row) {
        // The best of many is better than it is.
        let of = Selection::of(&scene.state.search().outcomes.counts).briefest();
        let beside = of.map_or_else(Row::new, |of| words(Role::Dim, format!("best {of}")));
        ("Leaderboard".into(), beside)
    }

    fn content(&self, scene: &Scene<'_>, width: usize, _height: usize) -> Content {
        if self.best.is_empty() {
            return vec![words(Role::Dim, "no child has an accuracy yet")].into();
        }
        let mut room = width.saturating_sub(RANK);
        let columns: Vec<&Column> = COLUMNS
            .iter()
            .take_while(|(_, width, _)| {
                let fits = *width <= room;
                room = room.saturating_sub(*width);
                fits
            })
            .collect();
        let heading = columns
            .iter()
            .map(|(name, width, _)| format!("{name:>width$}"));
        let heading = format!("{:>RANK$}{}", "", heading.collect::<String>());
        let shown = scene.shown_child();
        let best = self.best.iter().enumerate();
        Content {
            head: vec![words(Role::Dim, heading)],
            body: best
                .map(|(index, row)| line(index + 1, row, &columns, shown == Some(row.child)))
                .collect(),
        }
    }

    fn target(&self, row: usize) -> Option<Target> {
        let child = self.best.get(row)?.child;
        Some(Target::Part(Part::Child(child)))
    }

    fn table<'a>(&'a self, scene: &'a Scene<'_>) -> Option<LazyTable<'a>> {
        if self.best.is_empty() {
            return None;
        }
        Some(Box::new(move || {
            let ranks = (1..=self.best.len()).map(|rank| rank.to_string());
            let notes = &scene.state.search().notes;
            some_children("leaderboard", &self.best, notes).with_first("rank", ranks)
        }))
    }

    fn refresh(&mut self, scene: &Scene<'_>) {
        let search = scene.state.search();
        if scene.shows(ABOUT.id) && self.ended != search.children.len() {
            self.ended = search.children.len();
            self.best = best_of(search);
        }
    }
}

/// The best children of the search, of each network the training that counts.
fn best_of(search: &SearchRun) -> Vec<ChildRow> {
    let counts = |row: &&ChildRow| {
        row.is_proposed() && row.accuracy.is_some() && row.repeat_of.is_none() && !row.superseded
    };
    let mut rows: Vec<&ChildRow> = search.children.iter().filter(counts).collect();
    let place = |row: &ChildRow| (row.accuracy.unwrap_or(0.0), row.child);
    let order = |one: &&ChildRow, other: &&ChildRow| best_first(place(one), place(other));
    if rows.len() > MOST {
        rows.select_nth_unstable_by(MOST, order);
        rows.truncate(MOST);
    }
    rows.sort_by(order);
    rows.into_iter().cloned().collect()
}

fn line(rank: usize, row: &ChildRow, columns: &[&Column], is_shown: bool) -> Row {
    let role = match (is_shown, rank) {
        (true, _) => Role::Selected,
        (false, 1) => Role::Best,
        (false, _) => Role::Text,
    };
    let cells = columns.iter().map(|(_, width, text)| {
        let text = text(row);
        format!("{text:>width$}")
    });
    let cells = cells.collect::<String>();
    vec![(Role::Dim, format!("{rank:>3} ")), (role, cells)]
}

/// A cost, or nothing if the network is not known.
fn cost(value: u64) -> String {
    match value {
        0 => String::new(),
        value => format::compact(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample;

    #[test]
    fn the_best_come_first_and_each_network_once() {
        let state = sample::state_of(&sample::records());
        let best = best_of(state.search());
        assert!(
            best.windows(2)
                .all(|pair| pair[0].accuracy >= pair[1].accuracy)
        );
        assert_eq!(
            best.first().map(|row| row.child),
            state.search().best_child()
        );
        assert!(best.iter().all(|row| row.repeat_of.is_none()));
    }

    #[test]
    fn controls_and_failures_are_not_in_it() {
        let state = sample::state_of(&sample::records());
        let best = best_of(state.search());
        let search = state.search();
        let others = search
            .children
            .iter()
            .filter(|row| row.control || row.is_failed());
        assert!(others.clone().count() > 0, "the run has some");
        for other in others {
            assert!(best.iter().all(|row| row.child != other.child));
        }
    }
}

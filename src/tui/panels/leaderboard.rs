//! The most accurate children with their costs.

use ratatui::layout::Rect;

use super::panel::{About, AtHand, Hint, LazyTable, PANELS, Panel, Response, SEARCH, hints};
use super::scroll::Scroll;
use super::{Content, Row, inside, title, words};
use crate::analysis::selection::Selection;
use crate::report::page::tables::some_children;
use crate::state::{ChildRow, SearchRun, best_first};
use crate::tui::format;
use crate::tui::keymap::Action;
use crate::tui::paint::Painter;
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
    ("time", 9, |row| format::training_time(row.seconds)),
];

/// Columns for the cursor and the rank.
const RANK: usize = 5;

/// The panel, with the rows of the best children of each network, best first.
#[derive(Debug, Clone, Default)]
pub struct Leaderboard {
    best: Vec<ChildRow>,
    /// Number of children that had ended when they were put in order.
    ended: usize,
    /// The child under the cursor; `None` means the best one, whichever that is.
    cursor: Option<u64>,
    /// First row shown.
    top: usize,
    /// Whether `top` holds even if the cursor is then out of view, after the wheel.
    is_scrolled: bool,
}

#[linkme::distributed_slice(PANELS)]
static ABOUT: About = About::of::<Leaderboard>("leaderboard", "Leaderboard", 65, SEARCH);

impl Panel for Leaderboard {
    fn draw(&self, scene: &Scene<'_>, focused: bool, painter: &mut Painter<'_>) {
        let area = inside(painter.area());
        let content = self.content(scene, usize::from(area.width), focused);
        let height = usize::from(area.height);
        let top = self.top(content.room(height));
        // The best of many is better than it is.
        let of = Selection::of(&scene.state.search().outcomes.counts).briefest();
        let best = match self.best.len() {
            MOST => format!("best {MOST}"),
            _ => "best".to_owned(),
        };
        let beside = of.map_or_else(Row::new, |of| words(Role::Dim, format!("{best} {of}")));
        let position = content.position(height, top);
        title(
            painter,
            focused,
            "Leaderboard",
            &beside,
            position.as_deref(),
        );
        let mut inside = painter.part(area);
        content.draw(&mut inside, top);
        content.mark(&mut inside, top, |row| {
            let child = self.best.get(row)?.child;
            Some(Target::Part(Part::Child(child)))
        });
    }

    fn act(&mut self, action: Action, _scene: &Scene<'_>, area: Rect) -> Option<Response> {
        let scroll = Scroll::of(action)?;
        let room = room(area);
        let last = self.best.len().saturating_sub(1);
        let page = room.saturating_sub(1).max(1);
        let place = scroll.among(self.place(), page, last);
        let Some(child) = self.best.get(place).map(|row| row.child) else {
            return Some(Response::Draw);
        };
        self.cursor = Some(child);
        self.is_scrolled = false;
        self.top = self.top(room);
        Some(Response::Choose(self.cursor))
    }

    fn click(&mut self, part: Part, _scene: &Scene<'_>, area: Rect) -> Option<Response> {
        let Part::Child(child) = part else {
            return None;
        };
        // The row clicked stays where it is.
        self.top = self.top(room(area));
        self.cursor = Some(child);
        self.is_scrolled = false;
        Some(Response::Choose(self.cursor))
    }

    fn wheel(&mut self, rows: isize, _scene: &Scene<'_>, area: Rect) -> Option<Response> {
        let room = room(area);
        let last = self.best.len().saturating_sub(room);
        self.top = Scroll::By(rows).among(self.top(room), 1, last);
        self.is_scrolled = true;
        Some(Response::Draw)
    }

    fn hints(&self) -> &'static [Hint] {
        hints!["child": Up, Down]
    }

    fn at_hand(&self, _scene: &Scene<'_>) -> AtHand {
        let selected = self.best.get(self.place());
        selected.map_or(AtHand::Shown, |row| AtHand::Child(row.child))
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

    /// Put the children in order, and the cursor on the selected one if it is among them.
    fn refresh(&mut self, scene: &Scene<'_>) {
        let search = scene.state.search();
        if !scene.shows(ABOUT.id) {
            return;
        }
        if self.ended != search.children.len() {
            self.ended = search.children.len();
            self.best = best_of(search);
        }
        let is_leader = |child: &u64| self.best.iter().any(|row| row.child == *child);
        let chosen = scene.chosen.filter(is_leader);
        if chosen.is_some() && chosen != self.cursor {
            self.cursor = chosen;
            self.is_scrolled = false;
        }
    }
}

impl Leaderboard {
    /// The place of the cursor.
    fn place(&self) -> usize {
        let mut rows = self.best.iter();
        let place = rows.position(|row| Some(row.child) == self.cursor);
        place.unwrap_or(0)
    }

    /// First row shown of `room`: the cursor is in view, unless the wheel has moved the view away from
    /// it.
    fn top(&self, room: usize) -> usize {
        let top = self.top.min(self.best.len().saturating_sub(room));
        match self.is_scrolled {
            true => top,
            false => {
                let place = self.place();
                top.min(place).max((place + 1).saturating_sub(room))
            }
        }
    }

    fn content(&self, scene: &Scene<'_>, width: usize, focused: bool) -> Content {
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
        let (shown, cursor) = (scene.shown_child(), self.place());
        let line = |(place, row): (usize, &ChildRow)| {
            let role = match (place == cursor && focused, shown == Some(row.child), place) {
                (true, _, _) => Role::Selected,
                (_, true, _) => Role::Strong,
                (_, _, 0) => Role::Best,
                _ => Role::Text,
            };
            let marker = match place == cursor {
                true => scene.glyphs().marker,
                false => " ",
            };
            line(marker, place + 1, row, &columns, role)
        };
        Content {
            head: vec![words(Role::Dim, heading)],
            body: self.best.iter().enumerate().map(line).collect(),
        }
    }
}

/// Number of children for which a panel in `area` has room: not in its title, and below the headings.
fn room(area: Rect) -> usize {
    usize::from(inside(area).height).saturating_sub(1).max(1)
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

fn line(marker: &str, rank: usize, row: &ChildRow, columns: &[&Column], role: Role) -> Row {
    let cells = columns.iter().map(|(_, width, text)| {
        let text = text(row);
        format!("{text:>width$}")
    });
    let cells = cells.collect::<String>();
    vec![
        (Role::Focus, marker.to_owned()),
        (Role::Dim, format!("{rank:>3} ")),
        (role, cells),
    ]
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

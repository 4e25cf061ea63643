//! The panels: each draws what a [`scene::Scene`] contains into an area and handles keys
//! ([`panel::Panel`]). A new one is a file that registers itself in [`panel::PANELS`]; the only other
//! line is its `mod` line.

pub mod chart;
pub mod controller;
pub mod dna;
pub mod effects;
pub mod footer;
pub mod header;
pub mod help;
pub mod inspector;
pub mod layers;
pub mod leaderboard;
pub mod list;
pub mod log;
pub mod machine;
pub mod palette;
pub mod panel;
pub mod question;
mod registry;
pub mod runs;
pub mod scene;
pub mod scroll;
pub mod training;
pub mod training_run;

use ratatui::layout::Rect;

pub use registry::{PanelId, Panels};

use super::format;
use super::paint::{Painter, Piece, pieces_width};
use super::target::Target;
use super::theme::Role;
use unicode_width::UnicodeWidthStr;

/// A row of text.
pub type Row = Vec<Piece>;

/// The content of a panel: rows that stay, and rows that scroll below them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Content {
    /// The rows that stay.
    pub head: Vec<Row>,
    /// The rows that scroll.
    pub body: Vec<Row>,
}

impl From<Vec<Row>> for Content {
    /// Rows that all scroll.
    fn from(body: Vec<Row>) -> Content {
        let head = Vec::new();
        Content { head, body }
    }
}

impl Content {
    /// Number of body rows that fit into `height` rows.
    pub fn room(&self, height: usize) -> usize {
        height.saturating_sub(self.head.len())
    }

    /// The largest first row that still fills the panel.
    pub fn last_top(&self, height: usize) -> usize {
        self.body.len().saturating_sub(self.room(height))
    }

    /// Draw from body row `top` on.
    pub fn draw(&self, painter: &mut Painter<'_>, top: usize) {
        let top = top.min(self.last_top(painter.height()));
        for (y, row) in self
            .head
            .iter()
            .chain(self.body.iter().skip(top))
            .take(painter.height())
            .enumerate()
        {
            painter.pieces(0, y, row);
        }
    }

    /// Mark the body rows that are drawn from `top` on, each as what it can be clicked for.
    pub fn mark(
        &self,
        painter: &mut Painter<'_>,
        top: usize,
        target: impl Fn(usize) -> Option<Target>,
    ) {
        let top = top.min(self.last_top(painter.height()));
        let rows = top..self.body.len().min(top + self.room(painter.height()));
        let width = painter.width();
        for row in rows {
            let y = self.head.len() + row - top;
            if let Some(target) = target(row) {
                painter.target((0, y), (width, 1), target);
            }
        }
    }

    /// `3-9 of 15`, if not all of the body fits.
    pub fn position(&self, height: usize, top: usize) -> Option<String> {
        let room = self.room(height);
        let top = top.min(self.last_top(height));
        (self.body.len() > room).then(|| {
            format!(
                "{}-{} of {}",
                top + 1,
                (top + room).min(self.body.len()),
                self.body.len()
            )
        })
    }
}

/// The area of a panel's text: below its title, one column in.
pub fn inside(area: Rect) -> Rect {
    let (indent, title) = (area.width.min(1), area.height.min(1));
    Rect::new(
        area.x + indent,
        area.y + title,
        area.width - indent,
        area.height - title,
    )
}

/// The title row of a panel: its name, as many of the pieces beside it as fit, and a rule to the
/// end.
pub fn title(
    painter: &mut Painter<'_>,
    focused: bool,
    name: &str,
    beside: &Row,
    position: Option<&str>,
) {
    let glyphs = painter.glyphs();
    let (rule, role) = if focused {
        (glyphs.heavy_rule, Role::Focus)
    } else {
        (glyphs.rule, Role::Dim)
    };
    let width = painter.width();
    painter.text(0, 0, role, &rule.repeat(width));
    let x = painter.text(
        1,
        0,
        if focused { Role::Focus } else { Role::Title },
        &format!(" {name} "),
    );
    let room = room_beside(width, name, position);
    let position = position.map_or(String::new(), |position| format!(" {position} "));
    let fitting = (0..=beside.len())
        .rev()
        .find(|count| pieces_width(&beside[..*count]) < room)
        .unwrap_or(0);
    if fitting > 0 {
        let x = painter.pieces(x, 0, &beside[..fitting]);
        painter.text(x, 0, Role::Text, " ");
    }
    painter.right(width.saturating_sub(1), 0, Role::Text, &position);
}

/// The title row with the first of these forms of what is beside the name that is whole there, if need be
/// because the position is shorter (`1-6/12`); if none is, with as much as fits of the last one.
pub fn title_in_forms(
    painter: &mut Painter<'_>,
    focused: bool,
    name: &str,
    forms: &[Row],
    position: Option<&str>,
) {
    let width = painter.width();
    let brief = position.map(|position| position.replace(" of ", "/"));
    let positions = [position, brief.as_deref()];
    let mut pairs = forms
        .iter()
        .flat_map(|form| positions.map(|position| (form, position)));
    let is_whole = |(form, position): &(&Row, Option<&str>)| {
        pieces_width(form) < room_beside(width, name, *position)
    };
    let (last, empty) = (forms.last(), Row::new());
    let (form, position) = pairs
        .find(is_whole)
        .unwrap_or((last.unwrap_or(&empty), position));
    title(painter, focused, name, form, position);
}

/// Columns of a title row of `width` beside its name and its position.
fn room_beside(width: usize, name: &str, position: Option<&str>) -> usize {
    let position = position.map_or(0, |position| position.len() + 2);
    width.saturating_sub(name.width() + 4 + position)
}

/// The groups that fit into `width`, in order, with `gap` between them; later ones are left out
/// first.
pub fn join_fitting(groups: Vec<Row>, gap: &str, width: usize) -> Row {
    let ranked = groups.into_iter().enumerate().collect();
    join_ranked(ranked, gap, width)
}

/// The groups that fit into `width`, in order, with `gap` between them; those of the highest rank
/// are left out first.
pub fn join_ranked(groups: Vec<(usize, Row)>, gap: &str, width: usize) -> Row {
    let groups: Vec<(usize, Row)> = groups
        .into_iter()
        .filter(|(_, group)| !group.is_empty())
        .collect();
    let ranked = groups.iter().map(|(rank, row)| (*rank, pieces_width(row)));
    let fits = fitting(ranked.collect(), gap.width(), width);
    let mut joined = Row::new();
    for (_, (_, group)) in fits.into_iter().zip(groups).filter(|(fits, _)| *fits) {
        if !joined.is_empty() {
            joined.push((Role::Dim, gap.to_owned()));
        }
        joined.extend(group);
    }
    joined
}

/// Which of these parts (rank, columns) fit into `width` with `gap` columns between them: those of
/// the highest rank are left out first.
pub fn fitting(parts: Vec<(usize, usize)>, gap: usize, width: usize) -> Vec<bool> {
    let mut by_rank: Vec<usize> = (0..parts.len()).collect();
    by_rank.sort_by_key(|index| parts[*index].0);
    let mut used = 0;
    let mut fits = vec![false; parts.len()];
    for index in by_rank {
        let wanted = parts[index].1 + if used == 0 { 0 } else { gap };
        fits[index] = used + wanted <= width;
        used += if fits[index] { wanted } else { 0 };
    }
    fits
}

/// A row with a single piece of text.
pub fn words(role: Role, text: impl Into<String>) -> Row {
    vec![(role, text.into())]
}

/// `text` in as many rows of `width` columns as it needs.
pub fn wrapped(role: Role, text: &str, width: usize) -> Vec<Row> {
    let lines = format::wrap(text, width).into_iter();
    lines.map(|line| words(role, line)).collect()
}

/// A label and its value.
pub fn labelled(label: &str, role: Role, value: impl Into<String>) -> Row {
    vec![(Role::Dim, format!("{label} ")), (role, value.into())]
}

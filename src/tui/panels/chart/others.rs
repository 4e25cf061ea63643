//! Other runs on the chart: the curves of those that share its axis, and the row that names all of
//! them.

use unicode_width::UnicodeWidthStr;

use super::curves::at_middles;
use super::extent::Extent;
use crate::analysis::series::Quantity;
use crate::tui::format;
use crate::tui::other_runs::{OtherRun, Standing};
use crate::tui::paint::Piece;
use crate::tui::panels::Row;
use crate::tui::plot::{Dash, Span};
use crate::tui::theme::{Glyphs, Role};

/// Columns between two numbers on a curve, and between the first ones on two curves.
pub const APART: usize = 12;
pub const STAGGER: usize = 3;
/// Columns between two names.
const GAP: usize = 3;
/// Columns of a name that is cut.
const SHORTEST: usize = 4;

/// The number by which a run is known on the chart and in lists, from its place.
pub fn number(place: u8) -> &'static str {
    ["1", "2", "3", "4"]
        .get(usize::from(place))
        .copied()
        .unwrap_or("?")
}

/// The dashes of a run's curve.
pub fn dash(place: u8) -> Dash {
    match place {
        0 => Dash::Even(3),
        1 => Dash::Dots(2),
        2 => Dash::Even(6),
        _ => Dash::Dots(4),
    }
}

/// The means of the episodes of each run that shares the axis, over the children of `span`. Children are
/// counted in each run by itself.
pub fn curves(
    others: &[OtherRun],
    quantity: Quantity,
    span: Span,
    width: usize,
) -> Vec<(u8, Vec<(usize, f64)>)> {
    let curve = |run: &OtherRun| {
        let points = at_middles(run.means(quantity), &extent(run), span, width);
        (run.place, points)
    };
    drawn(others, quantity).map(curve).collect()
}

/// The name of each run that shares the axis, with the means of its finished episodes that have children in
/// `span`. A name that another run has too is followed by the run's number.
pub fn means_in(
    own: &str,
    others: &[OtherRun],
    quantity: Quantity,
    span: Span,
) -> impl Iterator<Item = (String, Vec<(usize, f64)>)> {
    let name = move |run: &OtherRun| {
        let names = others.iter().map(|other| other.name.as_str()).chain([own]);
        match names.filter(|name| *name == run.name).count() {
            ..=1 => run.name.clone(),
            _ => format!("{} {}", run.name, number(run.place)),
        }
    };
    drawn(others, quantity).map(move |run| {
        let extent = extent(run);
        let is_in_view = |episode: usize| {
            let Span { first, last } = extent.children(episode as u64);
            span.clip(first, last).is_some()
        };
        let means = run.means(quantity);
        let means = means.filter_map(|(episode, mean)| Some((episode, mean?)));
        let means = means.filter(|(episode, _)| is_in_view(*episode)).collect();
        (name(run), means)
    })
}

/// The last child of the last finished episode among these runs; 0 if there is none.
pub fn end(others: &[OtherRun], quantity: Quantity) -> u64 {
    let begun = drawn(others, quantity).filter(|run| run.last_episode() > 0);
    let end = |run: &OtherRun| extent(run).children(run.last_episode() as u64).last;
    begun.map(end).max().unwrap_or(0)
}

/// What another run had reached after as many children as are at the crosshair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reached {
    /// Its place among the runs drawn.
    pub place: u8,
    /// The episode in which it had sampled as many children.
    pub episode: usize,
    /// That episode's mean.
    pub mean: f64,
}

/// What each run had reached after as many children.
pub fn at_child(others: &[OtherRun], quantity: Quantity, child: u64) -> Vec<Reached> {
    let value = |run: &OtherRun| {
        let episode = extent(run).episode(child) as usize;
        let mut means = run.means(quantity);
        let (_, mean) = means.find(|(of, _)| *of == episode)?;
        Some(Reached {
            place: run.place,
            episode,
            mean: mean?,
        })
    };
    drawn(others, quantity).filter_map(value).collect()
}

fn extent(run: &OtherRun) -> Extent {
    Extent::of_search(run.started.as_deref(), 0)
}

/// Whether any of these runs shares the axis.
pub fn any_drawn(others: &[OtherRun], quantity: Quantity) -> bool {
    drawn(others, quantity).next().is_some()
}

fn drawn(others: &[OtherRun], quantity: Quantity) -> impl Iterator<Item = &OtherRun> {
    others.iter().filter(move |run| run.shares(quantity))
}

/// A run in the row of names.
struct Label {
    /// Why it and those after it are not drawn, before the first of them.
    heading: Option<Piece>,
    sign: Piece,
    name: String,
    remark: Option<Piece>,
}

impl Label {
    /// Columns without the name; those between a remark and what is before it are part of the remark, as
    /// are those between a heading and what is behind it.
    fn width(&self) -> usize {
        let beside = self.heading.iter().chain(&self.remark);
        self.sign.1.width() + beside.map(|(_, text)| text.width() + 1).sum::<usize>()
    }
}

/// The run shown, then the others, each with its sign, its name and what must be known about it, in
/// `width` columns; those that are not drawn come last, behind the reason. Names are shortened to what
/// distinguishes them, then cut, and left out before any sign is.
pub fn row(
    own: &str,
    others: &[OtherRun],
    quantity: Quantity,
    glyphs: &Glyphs,
    width: usize,
) -> Row {
    let of = |is_long| labels(own, others, (quantity, is_long), glyphs);
    let mut labels = of(true);
    let needed: usize = labels.iter().map(Label::width).sum();
    let names: usize = labels.iter().map(|label| label.name.width() + 1).sum();
    if needed + names + GAP * (labels.len() - 1) > width {
        labels = of(false);
    }
    let gap = fit_in(&mut labels, width, glyphs.ellipsis);
    let mut row = Row::new();
    for Label {
        heading,
        sign,
        name,
        remark,
    } in labels
    {
        if !row.is_empty() {
            row.push((Role::Dim, " ".repeat(gap)));
        }
        row.extend(heading.map(|(role, text)| (role, format!("{text} "))));
        row.push(sign);
        if !name.is_empty() {
            row.push((Role::Text, format!(" {name}")));
        }
        if let Some((role, text)) = remark {
            row.push((role, format!(" {text}")));
        }
    }
    row
}

/// The labels of the run shown and of the others: those that are drawn, then those that are not, by the
/// reason for that, which says what it is the reason for if there is room.
fn labels(
    own: &str,
    others: &[OtherRun],
    (quantity, is_long): (Quantity, bool),
    glyphs: &Glyphs,
) -> Vec<Label> {
    let mut labels = vec![Label {
        heading: None,
        sign: (Role::Mean, glyphs.mean.to_owned()),
        name: own.to_owned(),
        remark: None,
    }];
    let label = |run: &OtherRun| Label {
        heading: None,
        sign: (Role::OtherRun(run.place), number(run.place).to_owned()),
        name: run.name.clone(),
        remark: remark(run, glyphs),
    };
    let mut reasons: Vec<Option<&str>> = vec![None];
    for run in others {
        let reason = obstacle(run, quantity);
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    for reason in reasons {
        let alike = others.iter();
        let alike = alike.filter(|run| obstacle(run, quantity) == reason);
        for (place, run) in alike.enumerate() {
            labels.push(match reason {
                None => label(run),
                Some(reason) => {
                    let not_drawn = if is_long { "not drawn, " } else { "" };
                    let heading = (Role::Warning, format!("{not_drawn}{reason}:"));
                    Label {
                        heading: Some(heading).filter(|_| place == 0),
                        remark: None,
                        ..label(run)
                    }
                }
            });
        }
    }
    labels
}

/// Why the values of a run that is known do not stand on the axis.
fn obstacle(run: &OtherRun, quantity: Quantity) -> Option<&'static str> {
    let known = run.comparability.as_ref();
    let known = known.filter(|_| run.standing == Standing::Known);
    known.and_then(|found| found.obstacle(quantity))
}

/// Make these labels fit into `width` columns; returns the number of columns between two of them.
fn fit_in(labels: &mut [Label], width: usize, ellipsis: &str) -> usize {
    let count = labels.len();
    // What is left for the names, each with a column before it.
    let room = |labels: &[Label], gap: usize| {
        let taken = labels.iter().map(Label::width).sum::<usize>() + gap * (count - 1);
        width.saturating_sub(taken)
    };
    let needed = |labels: &[Label]| -> usize {
        let names = labels.iter();
        names.map(|label| label.name.width() + 1).sum()
    };
    if needed(labels) <= room(labels, GAP) {
        return GAP;
    }
    let names: Vec<&str> = labels.iter().map(|label| label.name.as_str()).collect();
    let distinct = distinct(&names, ellipsis);
    for (label, name) in labels.iter_mut().zip(distinct) {
        label.name = name;
    }
    if needed(labels) <= room(labels, GAP) {
        return GAP;
    }
    let gap = match room(labels, GAP) / count {
        ..=SHORTEST => 1,
        _ => GAP,
    };
    if needed(labels) > room(labels, gap) {
        let each = (room(labels, gap) / count).saturating_sub(1);
        // Two columns of a name say nothing.
        let each = if each < SHORTEST - 1 { 0 } else { each };
        for label in labels.iter_mut() {
            label.name = format::fit(&label.name, each, ellipsis);
        }
    }
    // A long remark must not push the number of another run out of the row.
    let taken: usize = labels.iter().map(Label::width).sum();
    if taken + gap * (count - 1) > width {
        let signs: usize = labels.iter().map(|label| label.sign.1.width()).sum();
        let each = width.saturating_sub(signs + gap * (count - 1)) / (count - 1).max(1);
        let remarks = labels.iter_mut();
        let remarks = remarks.flat_map(|label| label.heading.iter_mut().chain(&mut label.remark));
        for (_, text) in remarks {
            *text = format::fit(text, each.saturating_sub(1), ellipsis);
        }
    }
    gap
}

/// What must be known about a run beside its name.
fn remark(run: &OtherRun, glyphs: &Glyphs) -> Option<Piece> {
    let dim = |text: &str| Some((Role::Dim, text.to_owned()));
    let warning = |text: &str| Some((Role::Warning, text.to_owned()));
    match &run.standing {
        Standing::Wanted | Standing::Opening => return dim("opening"),
        Standing::Reading { percent } => return dim(&format!("reading {percent} %")),
        Standing::Lost(_) => return warning("unreadable"),
        Standing::Damaged(_) => return warning("damaged"),
        Standing::Known => {}
    }
    if run.last_episode() == 0 {
        return dim("no episode yet");
    }
    match run.comparability.as_ref() {
        Some(found) if !found.is_whole() => warning(glyphs.differs),
        Some(found) if !found.settings_known => warning("settings unknown"),
        _ => None,
    }
}

/// The names without what all of them begin and end with, as far as whole parts of them go; `ellipsis`
/// stands for what they begin with.
fn distinct(names: &[&str], ellipsis: &str) -> Vec<String> {
    let is_between = |character: char| "-_./: ".contains(character);
    let (first, rest) = match names {
        [first, rest @ ..] if !rest.is_empty() => (*first, rest),
        _ => return names.iter().map(|name| (*name).to_owned()).collect(),
    };
    let alike = |one: &str, other: &str| -> usize {
        let pairs = one.chars().zip(other.chars());
        let same = pairs.take_while(|(one, other)| one == other);
        same.map(|(character, _)| character.len_utf8()).sum()
    };
    let backwards = |text: &str| text.chars().rev().collect::<String>();
    let shared = rest.iter().map(|name| alike(first, name)).min();
    let head = &first[..shared.unwrap_or(0)];
    let head = head.rfind(is_between).map_or(0, |place| place + 1);
    let reversed = backwards(first);
    let shared = rest.iter().map(|name| alike(&reversed, &backwards(name)));
    let tail = &reversed[..shared.min().unwrap_or(0)];
    let tail = tail.rfind(is_between).map_or(0, |place| place + 1);
    let parts = names
        .iter()
        .map(|name| name.get(head..name.len().saturating_sub(tail)));
    let cuts: Option<Vec<&str>> = parts.collect();
    match cuts {
        Some(cuts) if cuts.iter().all(|cut| !cut.is_empty()) => {
            let mark = if head > 0 { ellipsis } else { "" };
            cuts.iter().map(|cut| format!("{mark}{cut}")).collect()
        }
        _ => names.iter().map(|name| (*name).to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests;

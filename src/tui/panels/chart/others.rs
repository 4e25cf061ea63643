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

/// The last child of the last finished episode among these runs; 0 if there is none.
pub fn end(others: &[OtherRun], quantity: Quantity) -> u64 {
    let begun = drawn(others, quantity).filter(|run| run.last_episode() > 0);
    let end = |run: &OtherRun| extent(run).children(run.last_episode() as u64).last;
    begun.map(end).max().unwrap_or(0)
}

/// The mean of the episode in which each run had sampled as many children.
pub fn at_child(others: &[OtherRun], quantity: Quantity, child: u64) -> Vec<(u8, f64)> {
    let value = |run: &OtherRun| {
        let episode = extent(run).episode(child) as usize;
        let mut means = run.means(quantity);
        let (_, mean) = means.find(|(of, _)| *of == episode)?;
        Some((run.place, mean?))
    };
    drawn(others, quantity).filter_map(value).collect()
}

fn extent(run: &OtherRun) -> Extent {
    Extent::of_search(run.started.as_deref(), 0)
}

fn drawn(others: &[OtherRun], quantity: Quantity) -> impl Iterator<Item = &OtherRun> {
    others.iter().filter(move |run| run.shares(quantity))
}

/// A run in the row of names.
struct Label {
    sign: Piece,
    name: String,
    remark: Option<Piece>,
}

impl Label {
    /// Columns without the name; those between a remark and what is before it are part of the remark.
    fn width(&self) -> usize {
        let remark = self.remark.as_ref();
        self.sign.1.width() + remark.map_or(0, |(_, text)| text.width() + 1)
    }
}

/// The run shown, then the others, each with its sign, its name and what must be known about it, in
/// `width` columns: names are shortened to what distinguishes them, then cut, and left out before any
/// sign is.
pub fn row(
    own: &str,
    others: &[OtherRun],
    quantity: Quantity,
    glyphs: &Glyphs,
    width: usize,
) -> Row {
    let mut labels = vec![Label {
        sign: (Role::Mean, glyphs.mean.to_owned()),
        name: own.to_owned(),
        remark: None,
    }];
    labels.extend(others.iter().map(|run| Label {
        sign: (Role::OtherRun(run.place), number(run.place).to_owned()),
        name: run.name.clone(),
        remark: remark(run, quantity, glyphs),
    }));
    let gap = fit_in(&mut labels, width, glyphs.ellipsis);
    let mut row = Row::new();
    for Label { sign, name, remark } in labels {
        if !row.is_empty() {
            row.push((Role::Dim, " ".repeat(gap)));
        }
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
        let remarks = labels.iter_mut().filter_map(|label| label.remark.as_mut());
        for (_, text) in remarks {
            *text = format::fit(text, each.saturating_sub(1), ellipsis);
        }
    }
    gap
}

/// What must be known about a run beside its name.
fn remark(run: &OtherRun, quantity: Quantity, glyphs: &Glyphs) -> Option<Piece> {
    let dim = |text: &str| Some((Role::Dim, text.to_owned()));
    let warning = |text: &str| Some((Role::Warning, text.to_owned()));
    match &run.standing {
        Standing::Wanted | Standing::Opening => return dim("opening"),
        Standing::Reading { percent } => return dim(&format!("reading {percent} %")),
        Standing::Lost(_) => return warning("unreadable"),
        Standing::Damaged(_) => return warning("damaged"),
        Standing::Known => {}
    }
    let comparability = run.comparability.as_ref();
    let obstacle = comparability.and_then(|found| found.obstacle(quantity));
    if let Some(obstacle) = obstacle {
        return warning(obstacle);
    }
    if run.last_episode() == 0 {
        return dim("no episode yet");
    }
    match comparability {
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
mod tests {
    use super::super::samples;
    use super::*;
    use crate::analysis::comparable::Comparability;
    use crate::tui::other_runs::RunSettings;
    use crate::tui::sample::{drawn, plain};

    /// A run of three episodes of this many children each, whose rewards are higher than usual by `above`.
    fn other(place: u8, children_per_episode: usize, above: f64) -> OtherRun {
        let mut state = samples::run(48);
        let search = state.search_mut().unwrap();
        let started = search.started.as_mut().unwrap();
        started.children_per_episode = children_per_episode;
        let started = started.clone();
        for episode in &mut search.episodes {
            episode.mean_reward += above;
        }
        let mut run = OtherRun::new(place, "other".into(), "other".to_owned());
        run.begin(Some(&state), RunSettings::default());
        run.standing = Standing::Known;
        let config = crate::config::resolve(&crate::config::Options::default()).unwrap();
        let alike = (&started, Some(&config));
        run.comparability = Some(Comparability::of(alike, alike));
        run
    }

    fn text(row: Row) -> String {
        row.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn every_run_keeps_its_number_and_its_remark_where_there_is_no_room_for_names() {
        let mut others: Vec<OtherRun> = (0..4).map(|place| other(place, 16, 0.0)).collect();
        for run in &mut others {
            run.name = format!("2026-11-24T13-12-5{}Z-monograph", run.place);
            let started = run.started.as_deref().unwrap();
            let other_power = crate::event::RunStarted {
                reward_power: 1.5,
                ..started.clone()
            };
            let found = Comparability::of((started, None), (&other_power, None));
            run.comparability = Some(found);
        }
        let glyphs = plain(false).glyphs;
        let of_this_width = |width| {
            let own = "2026-11-24T13-12-59Z-monograph";
            text(row(own, &others, Quantity::Reward, &glyphs, width))
        };
        let narrow = of_this_width(76);
        assert!(narrow.width() <= 76, "{narrow}");
        let with_remark = |number: u8| format!("{number} another reward");
        assert!(
            (1..=4).all(|number| narrow.contains(&with_remark(number))),
            "{narrow}"
        );
        let narrowest = of_this_width(50);
        assert!(narrowest.width() <= 50, "{narrowest}");
        let is_there = |number: u8| narrowest.contains(&format!("{number} another"));
        assert!((1..=4).all(is_there), "{narrowest}");
        assert!(of_this_width(140).contains("1 …50Z another reward"));
    }

    #[test]
    fn a_run_whose_settings_cannot_be_read_is_not_said_to_be_alike() {
        let mut run = other(0, 16, 0.0);
        let started = run.started.as_deref().unwrap();
        let found = Comparability::of((started, None), (started, None));
        run.comparability = Some(found);
        let glyphs = plain(false).glyphs;
        let row = row("shown", &[run], Quantity::Reward, &glyphs, 78);
        assert_eq!(
            text(row),
            format!("{} shown   1 other settings unknown", glyphs.mean)
        );
    }

    #[test]
    fn the_children_of_each_run_are_counted_by_themselves() {
        let others = [other(0, 16, 0.0), other(1, 8, 0.1)];
        let means: Vec<f64> = others[0]
            .means(Quantity::Reward)
            .filter_map(|(_, mean)| mean)
            .collect();
        assert_eq!(end(&others, Quantity::Reward), 48);
        assert_eq!(end(&others[1..], Quantity::Reward), 24);
        let at = |child| at_child(&others, Quantity::Reward, child);
        assert_eq!(at(9), [(0, means[0]), (1, means[1] + 0.1)]);
        assert_eq!(at(33), [(0, means[2])], "the other one had ended");
        let span = Span { first: 1, last: 48 };
        let columns = |place: usize| {
            let curves = curves(&others, Quantity::Reward, span, 48);
            curves[place].1.iter().map(|(x, _)| *x).collect::<Vec<_>>()
        };
        assert_eq!(columns(0).len(), 3);
        assert!(columns(1).iter().all(|x| *x < 24), "{:?}", columns(1));
    }

    #[test]
    fn every_run_has_its_number_on_the_chart_and_in_the_row_of_names() {
        let above = |place: u8| 0.08 * f64::from(place + 1);
        let others: Vec<OtherRun> = (0..4).map(|place| other(place, 16, above(place))).collect();
        for ascii in [false, true] {
            let glyphs = plain(ascii).glyphs;
            let row = row("shown", &others, Quantity::Reward, &glyphs, 78);
            let text = text(row);
            assert_eq!(text.matches(" other").count(), 4, "{text}");
            let chart = drawn((78, 18), ascii, |painter| {
                let view = super::super::ChartView::default();
                super::super::draw_chart(&samples::run(48), &view, &others, true, painter);
            });
            let is_axis = |letter: char| "│┤|+".contains(letter);
            let plot = chart.lines().skip(2).take(12);
            let plot: String = plot
                .filter_map(|row| Some(row.split_once(is_axis)?.1))
                .collect();
            for number in ["1", "2", "3", "4"] {
                let is_drawn = plot.contains(number);
                assert!(
                    text.contains(&format!("{number} other")) && is_drawn,
                    "{chart}"
                );
            }
        }
    }

    #[test]
    fn names_are_shortened_to_what_distinguishes_them() {
        let names = [
            "2026-11-24T13-12-59Z-monograph",
            "2026-11-24T15-02-11Z-monograph",
        ];
        let distinct = |names: &[&str]| distinct(names, "…");
        assert_eq!(distinct(&names), ["…24T13-12-59Z", "…24T15-02-11Z"]);
        assert_eq!(distinct(&["seed-1", "seed-12"]), ["…1", "…12"]);
        assert_eq!(distinct(&["one-run", "other-run"]), ["one", "other"]);
        assert_eq!(distinct(&["run", "other"]), ["run", "other"]);
        let one_within_the_other = ["a-b", "a-b-c"];
        assert_eq!(distinct(&one_within_the_other), ["…b", "…b-c"]);
        assert_eq!(distinct(&["same", "same"]), ["same", "same"]);
        assert_eq!(distinct(&["ä-1", "ä-2"]), ["…1", "…2"]);
    }
}

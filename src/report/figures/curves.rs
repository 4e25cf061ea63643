//! Values over epochs or episodes, as lines: learning curves, losses, learning rate, entropy.

use maud::{Markup, html};

use super::ink::Ink;
use super::plot::{DASH, LegendKey, Mark, Plot, TitledAxis, empty};
use super::svg::{self, Form, Pen, Text, TextAnchor};
use crate::foundation::axis::{extremes, percent, plain};

/// The kind of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Drawn unchanged, on an axis that fits.
    Plain,
    /// Like [`Unit::Plain`], on an axis that starts at 0.
    FromZero,
    /// A fraction, written as a percentage.
    Share,
    /// Positive values that span several powers of ten.
    Logarithmic,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Name in the legend.
    pub name: String,
    /// Colour of the line.
    pub ink: Ink,
    /// Whether the line is dashed, so that it can be told apart without colour.
    pub dashed: bool,
    /// Count (epoch, episode) and value.
    pub points: Vec<(u64, f64)>,
}

/// A point that is marked and labelled.
#[derive(Debug, Clone, PartialEq)]
pub struct Noted {
    /// Count (epoch, episode) and value.
    pub at: (u64, f64),
    /// Text beside the mark.
    pub text: String,
}

/// The data of the figure.
#[derive(Debug, Clone, PartialEq)]
pub struct LineFigure {
    /// Title of the horizontal axis.
    pub along: &'static str,
    /// Title of the vertical axis.
    pub up: &'static str,
    /// How the values are written and spaced.
    pub unit: Unit,
    /// The lines, in the order of the legend.
    pub series: Vec<Trace>,
    /// The point that is marked, if any.
    pub noted: Option<Noted>,
    /// Counts at which something changes for all lines, with its new value: no line is drawn from the
    /// one before to it.
    pub changes: Vec<(u64, String)>,
    /// Text shown if there are no values.
    pub nothing: &'static str,
}

impl Trace {
    /// A solid line.
    pub fn solid(name: &str, ink: Ink, points: Vec<(u64, f64)>) -> Trace {
        Trace {
            name: name.to_owned(),
            ink,
            dashed: false,
            points,
        }
    }

    /// A dashed line.
    pub fn dashed(name: &str, ink: Ink, points: Vec<(u64, f64)>) -> Trace {
        Trace {
            dashed: true,
            ..Trace::solid(name, ink, points)
        }
    }

    fn places(&self) -> Vec<(f64, f64)> {
        self.points
            .iter()
            .filter(|(_, value)| value.is_finite())
            .map(|(count, value)| (*count as f64, *value))
            .collect()
    }
}

impl LineFigure {
    fn changes_between(&self, one: f64, next: f64) -> bool {
        let mut counts = self.changes.iter().map(|(count, _)| *count as f64);
        counts.any(|count| one < count && count <= next)
    }
}

/// The figure.
pub fn draw(data: &LineFigure, form: Form, title: &str) -> String {
    let values = || {
        data.series
            .iter()
            .flat_map(|series| &series.points)
            .filter(|(_, value)| value.is_finite())
    };
    let (Some(first), Some(last)) = (
        values().map(|point| point.0).min(),
        values().map(|point| point.0).max(),
    ) else {
        return empty(form, data.nothing);
    };
    let (low, high) = extremes(values().map(|(_, value)| *value));
    let x = TitledAxis::counts(
        data.along,
        first,
        last,
        if form == Form::Wide { 10 } else { 5 },
    );
    let y = match data.unit {
        Unit::Plain => TitledAxis::values(data.up, (low, high), 6, plain),
        Unit::FromZero => TitledAxis::values(data.up, (low.min(0.0), high), 6, plain),
        Unit::Share => TitledAxis::values(data.up, (low, high), 6, percent),
        Unit::Logarithmic => TitledAxis::logarithmic(data.up, (low, high), 6, plain),
    };
    let key = |series: &Trace| {
        LegendKey::new(
            if series.dashed {
                Mark::Dashes
            } else {
                Mark::Line
            },
            series.ink,
            series.name.clone(),
        )
    };
    let plot = Plot::new(form, x, y, data.series.iter().map(key).collect());
    let lines = data.series.iter().map(|series| line(series, data, &plot));
    let changes = (0..data.changes.len())
        .filter(|number| (first..=last).contains(&data.changes[*number].0))
        .map(|number| boundary(data, number, first, &plot));
    plot.document(
        title,
        &html! { (svg::all(changes)) (svg::all(lines)) @if let Some(noted) = &data.noted { (note(noted, &plot)) } },
    )
}

/// A change: a dashed line from bottom to top before its count (unless the figure begins there), with
/// the new value beside it, at the top or the bottom, whichever is farther from the lines.
fn boundary(data: &LineFigure, number: usize, first: u64, plot: &Plot) -> Markup {
    let (count, text) = &data.changes[number];
    let next = data.changes.get(number + 1).map_or(u64::MAX, |next| next.0);
    let values = data.series.iter().flat_map(Trace::places);
    let near = values.filter(|(at, _)| (*count as f64..next as f64).contains(at));
    let heights: Vec<f64> = near.map(|place| plot.y(place.1)).collect();
    let height = heights.iter().sum::<f64>() / heights.len().max(1) as f64;
    let is_low = height > f64::midpoint(plot.top(), plot.floor());
    let y = if is_low {
        plot.top() + plot.text_size()
    } else {
        plot.floor() - 7.0
    };
    let begins = *count > first;
    let x = if begins {
        plot.x(*count as f64 - 0.5)
    } else {
        plot.left()
    };
    let (line, anchor) = (Pen::dashed(Ink::Muted, 1.2, "2 4"), TextAnchor::Start);
    let text = Text::new((x + 5.0, y), plot.text_size(), anchor, Ink::Muted, text);
    html! {
        @if begins { (line.line((x, plot.top()), (x, plot.floor()))) }
        (text.draw_over())
    }
}

fn line(series: &Trace, data: &LineFigure, plot: &Plot) -> Markup {
    let places = series.places();
    let pen = if series.dashed {
        Pen::dashed(series.ink, 2.0, DASH)
    } else {
        Pen::solid(series.ink, 2.2)
    };
    html! {
        @for part in places.chunk_by(|one, next| !data.changes_between(one.0, next.0)) { (plot.line(part, pen)) }
        // Few values are marked individually: a single one would have no line at all.
        @if places.len() <= 30 { @for place in &places { (svg::disc(plot.at(*place), 3.4, series.ink)) } }
    }
}

/// A ring and its text, on the side that has room.
fn note(noted: &Noted, plot: &Plot) -> Markup {
    let (x, y) = plot.at((noted.at.0 as f64, noted.at.1));
    let left = x > plot.right() / 2.0;
    let (at, anchor) = if left {
        ((x - 10.0, y - 9.0), TextAnchor::End)
    } else {
        ((x + 10.0, y - 9.0), TextAnchor::Start)
    };
    let text = Text::new(at, plot.text_size(), anchor, Ink::Text, &noted.text).bold(true);
    html! {
        circle cx=(svg::number(x)) cy=(svg::number(y)) r="6.5" fill="none" stroke=(Ink::Text.colour()) class=(Ink::Text.stroke()) stroke-width="1.6" {}
        (text.draw_over())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_sound;
    use super::*;

    fn curves(unit: Unit, points: &[(u64, f64)]) -> LineFigure {
        let series = vec![
            Trace::solid("train", Ink::Blue, points.to_vec()),
            Trace::dashed("validation", Ink::Orange, points.to_vec()),
        ];
        LineFigure {
            along: "epoch",
            up: "loss",
            unit,
            series,
            noted: None,
            changes: vec![(2, "24x24".to_owned())],
            nothing: "nothing yet",
        }
    }

    #[test]
    fn every_unit_is_drawn_whatever_the_values() {
        for unit in [Unit::Plain, Unit::FromZero, Unit::Share, Unit::Logarithmic] {
            for points in [
                vec![(1, 0.5)],
                vec![(1, 0.5), (2, 0.5)],
                vec![(3, 0.0), (9, 1e-9)],
                vec![(1, f64::NAN), (2, 0.1)],
            ] {
                assert_sound(&draw(&curves(unit, &points), Form::Narrow, "t"));
            }
        }
    }

    #[test]
    fn no_line_is_drawn_across_a_change_and_its_value_is_written() {
        let points = [(1, 0.5), (2, 0.6), (3, 0.7), (4, 0.8)];
        let lines = |changes: Vec<(u64, String)>| {
            let figure = LineFigure {
                changes,
                ..curves(Unit::Plain, &points)
            };
            draw(&figure, Form::Wide, "t")
        };
        let (whole, parted) = (lines(vec![]), lines(vec![(3, "24x24".to_owned())]));
        let paths = |drawing: &str| drawing.matches("<path").count();
        // Two series in two parts each, and the line between them.
        assert_eq!(paths(&parted), paths(&whole) + 3);
        assert!(parted.contains("24x24") && !whole.contains("24x24"));
    }

    #[test]
    fn no_value_is_said() {
        assert!(draw(&curves(Unit::Plain, &[]), Form::Wide, "t").contains("nothing yet"));
        assert!(
            draw(&curves(Unit::Plain, &[(1, f64::NAN)]), Form::Wide, "t").contains("nothing yet")
        );
    }
}

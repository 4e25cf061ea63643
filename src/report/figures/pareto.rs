//! Accuracy against cost: every child as a point, and the Pareto front as a staircase.

use maud::{Markup, html};

use super::ink::Ink;
use super::plot::{LegendKey, Mark, Plot, TitledAxis, empty};
use super::svg::{self, Form, Pen, Text, TextAnchor};
use crate::analysis::front::{CostPoint, Front};
use crate::analysis::series::stairs;
use crate::foundation::axis::{extremes, percent};
use crate::foundation::numbers::round;
use crate::state::RunState;

/// The data of the figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Pareto {
    /// Multiply-accumulates and accuracy of each child that has an accuracy.
    pub children: Vec<(u64, f64)>,
    /// The children on the front, in ascending order of cost.
    pub front: Vec<(u64, f64)>,
    /// The most accurate child: its number, cost and accuracy.
    pub best: Option<(u64, u64, f64)>,
}

impl Pareto {
    /// The children of `state` that count and have an accuracy.
    pub fn of(state: &RunState) -> Pareto {
        let search = state.search();
        let front = Front::of(0..search.children.len() as u32, &search.children);
        let place = |point: CostPoint| (point.macs, point.accuracy);
        let points = search.children.iter().filter_map(CostPoint::of);
        let best = search.outcomes.best.as_ref();
        Pareto {
            children: points.map(place).collect(),
            front: front.points(&search.children).map(place).collect(),
            best: best.map(|best| (best.child, best.macs, best.accuracy)),
        }
    }
}

/// The figure.
pub fn draw(data: &Pareto, form: Form, title: &str) -> String {
    let costs = || data.children.iter().map(|(macs, _)| *macs as f64);
    let accuracies = || data.children.iter().map(|(_, accuracy)| *accuracy);
    if data.children.is_empty() {
        return empty(form, "No child has an accuracy yet.");
    }
    let label = |value: f64, _| round(value);
    let x = TitledAxis::logarithmic(
        "MACs per image",
        extremes(costs()),
        if form == Form::Wide { 8 } else { 4 },
        label,
    );
    let y = TitledAxis::values("validation accuracy", extremes(accuracies()), 6, percent);
    let keys = vec![
        LegendKey::new(Mark::Dot, Ink::Blue, "a child"),
        LegendKey::new(
            Mark::Line,
            Ink::Green,
            "Pareto front: nothing cheaper is as accurate",
        ),
    ];
    let plot = Plot::new(form, x, y, keys);
    let points = data
        .children
        .iter()
        .map(|(macs, accuracy)| plot.at((*macs as f64, *accuracy)));
    plot.document(title, &html! { (svg::dots(points, 5.0, Ink::Blue, 0.5)) (front(data, &plot)) (best(data, &plot)) })
}

fn front(data: &Pareto, plot: &Plot) -> Markup {
    let members = data.front.iter();
    let steps = stairs(members.map(|(macs, accuracy)| (*macs as f64, *accuracy)));
    html! {
        (plot.line(&steps, Pen::solid(Ink::Green, 2.0)))
        @for (macs, accuracy) in &data.front { (svg::disc(plot.at((*macs as f64, *accuracy)), 4.2, Ink::Green)) }
    }
}

fn best(data: &Pareto, plot: &Plot) -> Markup {
    let Some((child, macs, accuracy)) = data.best else {
        return html! {};
    };
    let (x, y) = plot.at((macs as f64, accuracy));
    let (shift, anchor) = if x > plot.right() / 2.0 {
        (-9.0, TextAnchor::End)
    } else {
        (9.0, TextAnchor::Start)
    };
    let text = format!("child {child}, the best");
    Text::new(
        (x + shift, y - 7.0),
        plot.text_size(),
        anchor,
        Ink::Text,
        &text,
    )
    .bold(true)
    .draw_over()
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_sound;
    use super::*;

    #[test]
    fn a_search_without_accuracies_says_so() {
        let none = Pareto {
            children: Vec::new(),
            front: Vec::new(),
            best: None,
        };
        assert!(draw(&none, Form::Wide, "t").contains("No child has an accuracy yet."));
    }

    #[test]
    fn one_child_and_many_are_drawn() {
        let one = Pareto {
            children: vec![(1_000, 0.5)],
            front: vec![(1_000, 0.5)],
            best: Some((1, 1_000, 0.5)),
        };
        assert_sound(&draw(&one, Form::Narrow, "t"));
        let children = (1..200u64)
            .map(|n| (n * n * 1_000, (n as f64 / 200.0).sqrt()))
            .collect();
        assert_sound(&draw(&Pareto { children, ..one }, Form::Wide, "t"));
    }
}

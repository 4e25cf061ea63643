//! Strategies over many searches of a table: the best result after each number of evaluations.

use maud::{Markup, html};

use super::ink::{Ink, SERIES};
use super::plot::{BAND, DASH, LegendKey, Mark, Plot, TitledAxis, empty};
use super::svg::{self, Form, Pen};
use crate::analysis::benchmark::{Searches, drawn_at};
use crate::foundation::axis::{extremes, percent};
use crate::foundation::numbers::round;

/// Evaluations where the figure begins: before them all strategies guess.
const FIRST: usize = 10;

/// The data of the figure.
#[derive(Debug, Clone, PartialEq)]
pub struct StrategyCurves {
    /// The lines, in the order of the legend.
    pub strategies: Vec<Curve>,
    /// The best test accuracy that there is to find, in 0..=1.
    pub best_test: f64,
}

/// Mean test accuracy of one strategy's best children.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The name used in `search.strategy`.
    pub strategy: String,
    /// Evaluations with `[low, mean, high]`: the mean over the seeds and its 95 % interval.
    pub points: Vec<(f64, [f64; 3])>,
}

impl StrategyCurves {
    /// The curves of `strategies` up to `most` evaluations.
    pub fn of(strategies: &[Searches], most: usize, best_test: f64) -> StrategyCurves {
        let first = FIRST.min(most);
        let at: Vec<usize> = drawn_at(most)
            .into_iter()
            .filter(|count| *count >= first)
            .collect();
        let curve = |searches: &Searches| Curve {
            strategy: searches.strategy.clone(),
            points: at
                .iter()
                .map(|count| (*count as f64, searches.mean_test(*count)))
                .collect(),
        };
        StrategyCurves {
            strategies: strategies.iter().map(curve).collect(),
            best_test,
        }
    }

    fn points(&self) -> impl Iterator<Item = &(f64, [f64; 3])> {
        self.strategies.iter().flat_map(|curve| &curve.points)
    }
}

/// The figure: a line and a band for each strategy, evaluations on a logarithmic axis.
pub fn draw(data: &StrategyCurves, form: Form, title: &str) -> String {
    let (first, last) = extremes(data.points().map(|(count, _)| *count));
    if first > last {
        return empty(form, "No search has evaluated a child.");
    }
    let edges = data.points().flat_map(|(_, [low, _, high])| [*low, *high]);
    let (low, high) = extremes(edges.chain([data.best_test]));
    let ticks = if form == Form::Wide { 8 } else { 4 };
    let x = TitledAxis::logarithmic("evaluations", (first, last), ticks, |value, _| round(value));
    let y = TitledAxis::values("test accuracy", (low, high), 6, percent);
    let plot = Plot::new(form, x, y, legend(data));
    let curves = || data.strategies.iter().enumerate();
    plot.document(
        title,
        &html! {
            (plot.line(&[(first, data.best_test), (last, data.best_test)], Pen::dashed(Ink::Muted, 1.4, DASH)))
            (svg::all(curves().map(|(place, curve)| band(curve, ink(place), &plot))))
            (svg::all(curves().map(|(place, curve)| line(curve, place, &plot))))
        },
    )
}

fn ink(place: usize) -> Ink {
    SERIES[place % SERIES.len()]
}

/// Once every ink is taken, lines are dashed.
fn is_dashed(place: usize) -> bool {
    place >= SERIES.len()
}

fn legend(data: &StrategyCurves) -> Vec<LegendKey> {
    let key = |(place, curve): (usize, &Curve)| {
        let mark = if is_dashed(place) {
            Mark::Dashes
        } else {
            Mark::Line
        };
        LegendKey::new(mark, ink(place), &curve.strategy)
    };
    let strategies = data.strategies.iter().enumerate().map(key);
    let others = [
        LegendKey::new(Mark::Band, Ink::Muted, "95 % interval of the mean"),
        LegendKey::new(Mark::Dashes, Ink::Muted, "best of the table"),
    ];
    strategies.chain(others).collect()
}

fn band(curve: &Curve, ink: Ink, plot: &Plot) -> Markup {
    let upper = curve
        .points
        .iter()
        .map(|(count, [_, _, high])| (*count, *high));
    let lower = curve.points.iter().rev();
    let lower = lower.map(|(count, [low, _, _])| (*count, *low));
    let outline: Vec<(f64, f64)> = upper.chain(lower).map(|point| plot.at(point)).collect();
    svg::polygon(&outline, ink, BAND)
}

fn line(curve: &Curve, place: usize, plot: &Plot) -> Markup {
    let points = curve
        .points
        .iter()
        .map(|(count, [_, mean, _])| (*count, *mean));
    let pen = if is_dashed(place) {
        Pen::dashed(ink(place), 2.0, DASH)
    } else {
        Pen::solid(ink(place), 2.0)
    };
    plot.line(&points.collect::<Vec<_>>(), pen)
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_sound;
    use super::*;
    use crate::analysis::benchmark::{Found, Trajectory};

    fn searches(number: u64, seeds: u64, evaluations: u64) -> Searches {
        let found = |child: u64| Found {
            child,
            validation: 0.8,
            test: 0.9 + 0.04 * (child + number) as f64 / (evaluations + 9) as f64,
        };
        let trajectory = |seed| Trajectory {
            seed,
            found: (1..=evaluations)
                .map(|child| found(child + seed % 2))
                .collect(),
        };
        Searches {
            strategy: format!("strategy {number}"),
            trajectories: (1..=seeds).map(trajectory).collect(),
        }
    }

    #[test]
    fn any_number_of_strategies_seeds_and_evaluations_is_drawn() {
        for (strategies, seeds, evaluations) in [(1, 1, 1), (2, 3, 10), (7, 4, 1_000)] {
            let all: Vec<Searches> = (0..strategies)
                .map(|number| searches(number, seeds, evaluations))
                .collect();
            let curves = StrategyCurves::of(&all, evaluations as usize, 0.9437);
            for form in [Form::Wide, Form::Narrow] {
                let svg = draw(&curves, form, "t");
                assert_sound(&svg);
                assert!((0..strategies).all(|number| svg.contains(&format!("strategy {number}"))));
            }
        }
    }

    #[test]
    fn without_a_search_the_figure_says_so() {
        let svg = draw(&StrategyCurves::of(&[], 10, 0.9), Form::Wide, "t");
        assert!(svg.contains("No search"));
    }
}

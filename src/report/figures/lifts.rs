//! The lift of a strategy in several searches, each with its interval.

use maud::{Markup, html};

use super::ink::Ink;
use super::plot::{DASH, Plot, TitledAxis, empty};
use super::svg::{self, Form, Pen, Text, TextAnchor};
use crate::analysis::lift::PolicyLift;
use crate::foundation::axis::{extremes, plain};
use crate::study::replication::StrategyLift;

/// Space for the lift at the end of a row.
const BESIDE: f64 = 62.0;

/// A row: its name, its lift, its ink.
type LiftRow = (String, PolicyLift, Ink);

/// The figure: the lift of each seed against the random search and against its own controls, then
/// those of all seeds together, with 95 % intervals and a dashed line at no lift.
pub fn draw(lift: &StrategyLift, form: Form, title: &str) -> String {
    let rows = rows(lift);
    if rows.is_empty() {
        return empty(form, "No search has been compared yet.");
    }
    let edges = rows.iter().flat_map(|(_, lift, _)| lift.ci95);
    let x = TitledAxis::values("", extremes(edges.chain([0.0])), 8, plain);
    let names = rows.iter().map(|(name, ..)| name.as_str());
    let plot = Plot::of_rows(form, x, names, BESIDE);
    let none = plot.x(0.0);
    let content = html! {
        (Pen::dashed(Ink::Muted, 1.6, DASH).line((none, plot.top() - 4.0), (none, plot.floor())))
        @for (number, row) in rows.iter().enumerate() { (draw_row(row, number as f64, &plot)) }
    };
    plot.document(title, &content)
}

fn rows(lift: &StrategyLift) -> Vec<LiftRow> {
    let seeds = lift.seeds.iter();
    let named = seeds.map(|seed| (format!("seed {}", seed.seed), seed.lift));
    let all = named.chain([("all".to_owned(), lift.together)]);
    let both = all.flat_map(|(name, pair)| {
        let controls = format!("{name}, controls");
        [
            (name, pair.random, Ink::Blue),
            (controls, pair.controls, Ink::Orange),
        ]
    });
    both.filter_map(|(name, lift, ink)| Some((name, lift?, ink)))
        .collect()
}

fn draw_row((_, lift, ink): &LiftRow, number: f64, plot: &Plot) -> Markup {
    let value = format!("{:+.3}", lift.difference);
    let size = plot.text_size();
    let at = (plot.right() + 56.0, plot.y(number) + size * 0.35);
    let [low, high] = lift.ci95;
    html! {
        (plot.line(&[(low, number), (high, number)], Pen::solid(*ink, 2.0)))
        (svg::disc(plot.at((lift.difference, number)), 5.0, *ink))
        (Text::new(at, size, TextAnchor::End, Ink::Text, &value).draw())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_sound;
    use super::*;
    use crate::study::replication::{LiftPair, SeedLift};

    fn lift(difference: f64) -> Option<PolicyLift> {
        Some(PolicyLift {
            difference,
            ci95: [difference - 0.05, difference + 0.05],
            p_value: 0.01,
            controls: 9,
            episodes: 9,
        })
    }

    fn of_seeds(seeds: u64, random: Option<PolicyLift>) -> StrategyLift {
        let pair = LiftPair {
            random,
            controls: lift(0.1),
        };
        StrategyLift {
            strategy: "reinforce".to_owned(),
            seeds: (1..=seeds)
                .map(|seed| SeedLift { seed, lift: pair })
                .collect(),
            together: pair,
            over_seeds: None,
            best_accuracy: None,
        }
    }

    #[test]
    fn each_seed_and_all_together_have_a_row_for_each_comparison() {
        for form in [Form::Wide, Form::Narrow] {
            let svg = draw(&of_seeds(3, lift(0.2)), form, "t");
            assert_sound(&svg);
            for text in [
                "seed 3",
                "seed 1, controls",
                "all, controls",
                "+0.200",
                "+0.100",
            ] {
                assert!(svg.contains(text), "{text}");
            }
        }
    }

    #[test]
    fn without_a_comparison_the_figure_says_so() {
        let mut none = of_seeds(0, None);
        none.together.controls = None;
        assert!(draw(&none, Form::Wide, "t").contains("No search"));
    }
}

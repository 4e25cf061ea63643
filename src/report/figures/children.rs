//! The children of a search as points, with their episodes: reward, or accuracy.

use maud::{Markup, html};

use super::ink::Ink;
use super::plot::{BAND, DASH, LegendKey, Mark, Plot, TitledAxis, empty};
use super::svg::{self, Form, Pen};
use crate::analysis::series::{self, Children, Episode, Quantity, stairs};
use crate::foundation::axis::{extremes, percent, plain};
use crate::state::RunState;

/// The data of the figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// The quantity drawn for each child.
    pub quantity: Quantity,
    /// The children that the search sampled.
    pub children: Children,
    /// The episodes that have finished and whose children are drawn.
    pub episodes: Vec<Episode>,
    /// Controls in each episode.
    pub controls: u64,
    /// Strategy of the run that this one is compared with.
    pub reference: Option<String>,
}

impl Data {
    /// The children and episodes of `state`, without edited and excluded children, which are in no
    /// chart.
    pub fn of(state: &RunState, quantity: Quantity) -> Data {
        let children = Children::of(state, quantity);
        let started = state.search().started.as_ref();
        let reference = started.and_then(|run| run.comparable());
        Data {
            quantity,
            controls: started.map_or(0, |run| run.controls as u64),
            episodes: series::episodes(state, &children, quantity),
            children,
            reference: reference.map(|reference| reference.strategy.clone()),
        }
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        let of_episodes = self.episodes.iter().flat_map(|episode| {
            [
                episode.mean,
                episode.baseline,
                episode.reference,
                episode.quartiles.map(|[low, _]| low),
                episode.quartiles.map(|[_, high]| high),
            ]
        });
        let children = &self.children;
        let points = children.points.iter().chain(&children.controls);
        points
            .map(|point| Some(point.value))
            .chain(of_episodes)
            .flatten()
            .filter(|value| value.is_finite())
    }

    /// The running maximum: a point for each child that raised it, level up to the last child.
    fn best_so_far(&self) -> Vec<(f64, f64)> {
        let improvements = self.children.improvements();
        let mut steps: Vec<(f64, f64)> =
            stairs(improvements.map(|(child, best)| (child as f64, best)));
        if let (Some((_, last)), Some((_, best))) = (self.children.ends(), steps.last().copied()) {
            steps.push((last as f64, best));
        }
        steps
    }
}

/// The figure.
pub fn draw(data: &Data, form: Form, title: &str) -> String {
    let Some((first, last)) = data.children.ends() else {
        return empty(form, "No child has ended yet.");
    };
    let (low, high) = extremes(data.values());
    if low > high {
        return empty(form, "No child has an accuracy: all failed.");
    }
    let x = TitledAxis::counts("child", first, last, if form == Form::Wide { 8 } else { 5 });
    let y = match data.quantity {
        Quantity::Reward => TitledAxis::values("reward", (low, high), 6, plain),
        Quantity::Accuracy => TitledAxis::values("validation accuracy", (low, high), 6, percent),
    };
    let plot = Plot::new(form, x, y, legend(data));
    plot.document(
        title,
        &html! { (bands(data, &plot)) (points(data, &plot)) (lines(data, &plot)) },
    )
}

fn legend(data: &Data) -> Vec<LegendKey> {
    let has_controls = !data.children.controls.is_empty();
    let any = |value: fn(&Episode) -> bool| data.episodes.iter().any(value);
    let keys = [
        (
            true,
            LegendKey::new(
                Mark::Dot,
                Ink::Blue,
                if has_controls {
                    "a child of the policy"
                } else {
                    "a child"
                },
            ),
        ),
        (
            has_controls,
            LegendKey::new(Mark::Ring, Ink::Text, "a control: random, equal depth"),
        ),
        (
            has_controls,
            LegendKey::new(Mark::Dashes, Ink::Text, "running mean of the controls"),
        ),
        (
            !data.children.failed.is_empty(),
            LegendKey::new(Mark::Cross, Ink::Vermilion, "a failed child"),
        ),
        (
            any(|episode| episode.quartiles.is_some()),
            LegendKey::new(Mark::Band, Ink::Blue, "middle half of the episode"),
        ),
        (
            any(|episode| episode.mean.is_some()),
            LegendKey::new(Mark::Line, Ink::Orange, "mean of the episode"),
        ),
        (
            any(|episode| episode.baseline.is_some()),
            LegendKey::new(Mark::Dashes, Ink::Muted, "baseline"),
        ),
        (
            !data.best_so_far().is_empty(),
            LegendKey::new(Mark::Line, Ink::Green, "best so far"),
        ),
        (
            any(|episode| episode.reference.is_some()),
            LegendKey::new(
                Mark::Dashes,
                Ink::Purple,
                format!(
                    "mean of the {} run",
                    data.reference.as_deref().unwrap_or("other")
                ),
            ),
        ),
    ];
    keys.into_iter()
        .filter(|(there, _)| *there)
        .map(|(_, key)| key)
        .collect()
}

/// The middle half of each episode, and its baseline.
fn bands(data: &Data, plot: &Plot) -> Markup {
    let edges = |episode: &Episode| (episode.first as f64 - 0.5, episode.last as f64 + 0.5);
    let band = |episode: &Episode| {
        let (from, to) = edges(episode);
        let [low, high] = episode.quartiles?;
        let (left, top) = plot.at((from, high));
        Some(svg::area(
            (left, top),
            (plot.x(to) - left, (plot.y(low) - top).max(1.0)),
            Ink::Blue,
            BAND,
        ))
    };
    let baseline = |episode: &Episode| {
        let ((from, to), baseline) = (edges(episode), episode.baseline?);
        Some(plot.line(
            &[(from, baseline), (to, baseline)],
            Pen::dashed(Ink::Muted, 1.5, DASH),
        ))
    };
    svg::all(
        data.episodes
            .iter()
            .filter_map(band)
            .chain(data.episodes.iter().filter_map(baseline)),
    )
}

fn points(data: &Data, plot: &Plot) -> Markup {
    let whole = data.children.unfailed();
    let points = whole.map(|point| plot.at((point.child as f64, point.value)));
    let failed = data.children.failed.iter();
    let failed = failed.map(|failed| (plot.x(failed.child as f64), plot.floor() - 5.0));
    // Many children are drawn as smaller dots, which show where they cluster.
    let diameter = (6.0 - (data.children.count() as f64 / 200.0).sqrt()).clamp(2.5, 5.0);
    html! {
        (svg::dots(points, diameter, Ink::Blue, 0.55))
        (svg::crosses(failed, 6.0, Ink::Vermilion))
    }
}

fn lines(data: &Data, plot: &Plot) -> Markup {
    let middle = |episode: &Episode| (episode.first + episode.last) as f64 / 2.0;
    let over = |value: fn(&Episode) -> Option<f64>| -> Vec<(f64, f64)> {
        data.episodes
            .iter()
            .filter_map(|episode| Some((middle(episode), value(episode)?)))
            .collect()
    };
    let (mean, reference) = (
        over(|episode| episode.mean),
        over(|episode| episode.reference),
    );
    let smoothed = data.children.smoothed_controls(data.controls);
    let controls: Vec<(f64, f64)> = smoothed
        .map(|(control, mean)| (control.child as f64, mean))
        .collect();
    let hollow = data.children.unfailed_controls();
    let hollow = hollow.map(|control| plot.at((control.child as f64, control.value)));
    html! {
        (plot.line(&data.best_so_far(), Pen::solid(Ink::Green, 2.0)))
        (plot.line(&reference, Pen::dashed(Ink::Purple, 2.0, DASH)))
        (plot.line(&mean, Pen::solid(Ink::Orange, 2.4)))
        // A few episodes are marked individually; of many, only the line can be seen.
        @if mean.len() <= 60 { @for point in &mean { (svg::disc(plot.at(*point), 3.6, Ink::Orange)) } }
        @if !controls.is_empty() {
            (plot.line(&controls, Pen::dashed(Ink::Text, 1.6, DASH)))
            (svg::rings(hollow, 3.6, Ink::Text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_sound;
    use super::*;
    use crate::analysis::series::{Failed, Point};

    const FAILED: Failed = Failed {
        child: 2,
        episode: 1,
    };

    fn demo() -> RunState {
        let mut state = RunState::default();
        let text = include_str!("../../../tests/fixtures/journal-demo.jsonl");
        text.lines()
            .for_each(|line| state.apply(&serde_json::from_str(line).unwrap()));
        state
    }

    fn three(quantity: Quantity) -> Data {
        let point = |child, value| Point {
            child,
            episode: 1,
            value,
            failed: false,
        };
        let children = Children {
            points: vec![point(1, 0.2), point(3, 0.4)],
            failed: vec![FAILED],
            newest: 3,
            ..Children::default()
        };
        let episode = Episode {
            first: 1,
            last: 3,
            mean: Some(0.3),
            quartiles: Some([0.25, 0.35]),
            baseline: Some(0.28),
            reference: None,
        };
        Data {
            quantity,
            children,
            episodes: vec![episode],
            controls: 0,
            reference: None,
        }
    }

    #[test]
    fn a_small_figure_looks_as_it_did() {
        insta::assert_snapshot!(
            draw(
                &three(Quantity::Reward),
                Form::Narrow,
                "Rewards of three children"
            )
            .replace("><", ">\n<")
        );
    }

    #[test]
    fn a_real_run_is_drawn_in_both_forms_and_quantities() {
        let state = demo();
        for quantity in [Quantity::Reward, Quantity::Accuracy] {
            let data = Data::of(&state, quantity);
            assert_eq!((data.children.count(), data.episodes.len()), (96, 6));
            for form in [Form::Wide, Form::Narrow] {
                assert_sound(&draw(&data, form, "children"));
            }
        }
    }

    #[test]
    fn accuracy_has_no_baseline_and_a_failed_child_no_accuracy() {
        let data = Data::of(&demo(), Quantity::Accuracy);
        assert!(
            data.episodes
                .iter()
                .all(|episode| episode.baseline.is_none())
        );
        let Children { points, failed, .. } = data.children;
        let first = failed.first().unwrap().child;
        assert!(
            points
                .iter()
                .all(|point| point.child != first && !point.failed)
        );
    }

    #[test]
    fn the_figures_of_an_episode_are_those_of_its_event() {
        let state = demo();
        let data = Data::of(&state, Quantity::Reward);
        for (drawn, told) in data.episodes.iter().zip(&state.search().episodes) {
            assert!((drawn.mean.unwrap() - told.mean_reward).abs() < 1e-9);
        }
    }

    #[test]
    fn the_run_it_is_compared_with_is_named_and_drawn() {
        let mut data = three(Quantity::Reward);
        data.reference = Some("random".to_owned());
        assert!(
            !draw(&data, Form::Wide, "t").contains("random"),
            "no episode in common"
        );
        data.episodes[0].reference = Some(0.1);
        assert!(draw(&data, Form::Wide, "t").contains("mean of the random run"));
    }

    #[test]
    fn controls_are_hollow_points_with_their_running_mean() {
        let mut data = three(Quantity::Reward);
        assert!(!draw(&data, Form::Wide, "t").contains("control"));
        data.controls = 1;
        data.children.controls = vec![Point {
            child: 3,
            episode: 1,
            value: 0.1,
            failed: false,
        }];
        let drawn = draw(&data, Form::Wide, "t");
        assert!(drawn.contains("a control: random, equal depth"));
        assert!(drawn.contains("running mean of the controls"));
        assert_eq!(drawn.matches("a3.6 3.6 0 1 0 7.2 0").count(), 1);
        assert_sound(&drawn);
    }

    #[test]
    fn if_there_is_nothing_to_draw_the_figure_says_so() {
        let none = Data {
            children: Children::default(),
            episodes: Vec::new(),
            ..three(Quantity::Reward)
        };
        assert!(draw(&none, Form::Wide, "t").contains("No child has ended yet."));
        let failed = Data {
            children: Children {
                failed: vec![FAILED],
                ..Children::default()
            },
            episodes: Vec::new(),
            ..three(Quantity::Accuracy)
        };
        assert!(draw(&failed, Form::Wide, "t").contains("No child has an accuracy"));
    }

    #[test]
    fn the_best_so_far_rises_in_steps_to_the_last_child() {
        assert_eq!(
            three(Quantity::Reward).best_so_far(),
            [(1.0, 0.2), (3.0, 0.2), (3.0, 0.4), (3.0, 0.4)]
        );
    }
}

//! The children of a search as points, with their episodes: reward, or accuracy.

use maud::{Markup, html};

use super::ink::Ink;
use super::plot::{BAND, DASH, Key, Mark, Plot, Scale, empty, percent, plain};
use super::svg::{self, Form, Pen};
use crate::analysis::statistics::{mean, quartiles};
use crate::state::{ChildRow, RunState};

/// What is drawn of each child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    Reward,
    Accuracy,
}

/// A child that the search sampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Child {
    pub child: u64,
    /// None where a failed child has no such value.
    pub value: Option<f64>,
    pub failed: bool,
}

/// A finished episode over its children.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Episode {
    pub first: u64,
    pub last: u64,
    pub mean: Option<f64>,
    /// First and third quartile of its children.
    pub quartiles: Option<[f64; 2]>,
    /// What its advantages were taken against: rewards only.
    pub baseline: Option<f64>,
    /// Mean of the same episode of the run that this one is held against.
    pub reference: Option<f64>,
}

/// What the figure shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Children {
    pub quantity: Quantity,
    /// By number.
    pub children: Vec<Child>,
    pub episodes: Vec<Episode>,
    /// Strategy of the run that this one is held against.
    pub reference: Option<String>,
}

impl Children {
    /// The children and episodes of `state`; those that users edited or that are excluded are in no
    /// chart.
    pub fn of(state: &RunState, quantity: Quantity) -> Children {
        let sampled = state.search().evaluated();
        let mut children: Vec<Child> = sampled.map(|row| child(row, quantity)).collect();
        children.sort_by_key(|child| child.child);
        let reference = state
            .search()
            .started
            .as_ref()
            .and_then(|run| run.comparable())
            .map(|reference| reference.strategy.clone());
        Children {
            quantity,
            children,
            episodes: episodes(state, quantity),
            reference,
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
        self.children
            .iter()
            .map(|child| child.value)
            .chain(of_episodes)
            .flatten()
            .filter(|value| value.is_finite())
    }

    /// The largest value up to each child that raised it, and at the last child.
    fn best_so_far(&self) -> Vec<(f64, f64)> {
        let mut steps: Vec<(f64, f64)> = Vec::new();
        let mut best = f64::NEG_INFINITY;
        for child in self.children.iter().filter(|child| !child.failed) {
            let Some(value) = child.value.filter(|value| *value > best) else {
                continue;
            };
            if best.is_finite() {
                steps.push((child.child as f64, best));
            }
            best = value;
            steps.push((child.child as f64, best));
        }
        if let (Some(last), true) = (self.children.last(), best.is_finite()) {
            steps.push((last.child as f64, best));
        }
        steps
    }
}

fn child(row: &ChildRow, quantity: Quantity) -> Child {
    let value = if quantity == Quantity::Reward {
        row.reward
    } else {
        row.accuracy
    };
    Child {
        child: row.child,
        value: value.filter(|value| value.is_finite()),
        failed: row.is_failed(),
    }
}

fn episodes(state: &RunState, quantity: Quantity) -> Vec<Episode> {
    let mut by_episode: std::collections::BTreeMap<usize, Vec<&ChildRow>> =
        std::collections::BTreeMap::new();
    for row in state.search().evaluated() {
        by_episode.entry(row.episode).or_default().push(row);
    }
    let reference = state
        .search()
        .started
        .as_ref()
        .and_then(|run| run.comparable());
    let one = |finished: &crate::event::EpisodeFinished| {
        let rows = by_episode.get(&finished.episode)?;
        let mut values: Vec<f64> = rows
            .iter()
            .filter_map(|row| child(row, quantity).value)
            .collect();
        let other = reference.and_then(|other| {
            other
                .episodes
                .iter()
                .find(|other| other.episode == finished.episode)
        });
        let reward = quantity == Quantity::Reward;
        Some(Episode {
            first: rows.iter().map(|row| row.child).min()?,
            last: rows.iter().map(|row| row.child).max()?,
            mean: (!values.is_empty()).then(|| mean(&values)),
            quartiles: quartiles(&mut values).map(|[low, _, high]| [low, high]),
            baseline: reward.then_some(finished.baseline),
            reference: other.and_then(|other| {
                if reward {
                    Some(other.mean_reward)
                } else {
                    other.mean_accuracy
                }
            }),
        })
    };
    state.search().episodes.iter().filter_map(one).collect()
}

/// The figure.
pub fn draw(data: &Children, form: Form, title: &str) -> String {
    let (Some(first), Some(last)) = (data.children.first(), data.children.last()) else {
        return empty(form, "No child has come to an end yet.");
    };
    let (low, high) = data
        .values()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    if low > high {
        return empty(form, "No child has an accuracy: all failed.");
    }
    let x = Scale::counts(
        "child",
        first.child,
        last.child,
        if form == Form::Wide { 8 } else { 5 },
    );
    let y = match data.quantity {
        Quantity::Reward => Scale::values("reward", (low, high), 6, plain),
        Quantity::Accuracy => Scale::values("validation accuracy", (low, high), 6, percent),
    };
    let plot = Plot::new(form, x, y, legend(data));
    plot.document(
        title,
        &html! { (bands(data, &plot)) (points(data, &plot)) (lines(data, &plot)) },
    )
}

fn legend(data: &Children) -> Vec<Key> {
    let any = |value: fn(&Episode) -> bool| data.episodes.iter().any(value);
    let keys = [
        (true, Key::new(Mark::Dot, Ink::Blue, "a child")),
        (
            data.children.iter().any(|child| child.failed),
            Key::new(Mark::Cross, Ink::Vermilion, "a failed child"),
        ),
        (
            any(|episode| episode.quartiles.is_some()),
            Key::new(Mark::Band, Ink::Blue, "middle half of the episode"),
        ),
        (
            any(|episode| episode.mean.is_some()),
            Key::new(Mark::Line, Ink::Orange, "mean of the episode"),
        ),
        (
            any(|episode| episode.baseline.is_some()),
            Key::new(Mark::Dashes, Ink::Muted, "baseline"),
        ),
        (
            !data.best_so_far().is_empty(),
            Key::new(Mark::Line, Ink::Green, "best so far"),
        ),
        (
            any(|episode| episode.reference.is_some()),
            Key::new(
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
fn bands(data: &Children, plot: &Plot) -> Markup {
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

fn points(data: &Children, plot: &Plot) -> Markup {
    let whole = data.children.iter().filter(|child| !child.failed);
    let points = whole.filter_map(|child| Some(plot.at((child.child as f64, child.value?))));
    let failed = data
        .children
        .iter()
        .filter(|child| child.failed)
        .map(|child| (plot.x(child.child as f64), plot.floor() - 5.0));
    // Many children are many dots: smaller ones, that show where they lie close.
    let diameter = (6.0 - (data.children.len() as f64 / 200.0).sqrt()).clamp(2.5, 5.0);
    html! {
        (svg::dots(points, diameter, Ink::Blue, 0.55))
        (svg::crosses(failed, 6.0, Ink::Vermilion))
    }
}

fn lines(data: &Children, plot: &Plot) -> Markup {
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
    html! {
        (plot.line(&data.best_so_far(), Pen::solid(Ink::Green, 2.0)))
        (plot.line(&reference, Pen::dashed(Ink::Purple, 2.0, DASH)))
        (plot.line(&mean, Pen::solid(Ink::Orange, 2.4)))
        // A few episodes are marked one by one; of many, only their line can be seen.
        @if mean.len() <= 60 { @for point in &mean { (svg::disc(plot.at(*point), 3.6, Ink::Orange)) } }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_sound;
    use super::*;

    fn demo() -> RunState {
        let mut state = RunState::default();
        let text = include_str!("../../../tests/fixtures/journal-demo.jsonl");
        text.lines()
            .for_each(|line| state.apply(&serde_json::from_str(line).unwrap()));
        state
    }

    fn three(quantity: Quantity) -> Children {
        let child = |child, value: Option<f64>| Child {
            child,
            value,
            failed: value.is_none(),
        };
        let children = vec![child(1, Some(0.2)), child(2, None), child(3, Some(0.4))];
        let episode = Episode {
            first: 1,
            last: 3,
            mean: Some(0.3),
            quartiles: Some([0.25, 0.35]),
            baseline: Some(0.28),
            reference: None,
        };
        Children {
            quantity,
            children,
            episodes: vec![episode],
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
            let data = Children::of(&state, quantity);
            assert_eq!((data.children.len(), data.episodes.len()), (96, 6));
            for form in [Form::Wide, Form::Narrow] {
                assert_sound(&draw(&data, form, "children"));
            }
        }
    }

    #[test]
    fn accuracy_has_no_baseline_and_a_failed_child_no_accuracy() {
        let data = Children::of(&demo(), Quantity::Accuracy);
        assert!(
            data.episodes
                .iter()
                .all(|episode| episode.baseline.is_none())
        );
        assert_eq!(
            data.children
                .iter()
                .find(|child| child.failed)
                .map(|child| child.value),
            Some(None)
        );
    }

    #[test]
    fn what_an_episode_ends_with_is_what_its_event_tells() {
        let state = demo();
        let data = Children::of(&state, Quantity::Reward);
        for (drawn, told) in data.episodes.iter().zip(&state.search().episodes) {
            assert!((drawn.mean.unwrap() - told.mean_reward).abs() < 1e-9);
        }
    }

    #[test]
    fn the_run_that_it_is_held_against_is_named_and_drawn() {
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
    fn nothing_to_draw_is_said() {
        let none = Children {
            children: Vec::new(),
            episodes: Vec::new(),
            ..three(Quantity::Reward)
        };
        assert!(draw(&none, Form::Wide, "t").contains("No child has come to an end yet."));
        let failed = vec![Child {
            child: 1,
            value: None,
            failed: true,
        }];
        let failed = Children {
            children: failed,
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

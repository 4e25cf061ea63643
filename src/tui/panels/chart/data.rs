//! What the chart draws, as numbers: points of children, and curves over all children and episodes.
//!
//! One pass over the run's children each; the memory is a few words per child and per column.

use super::view::{Extent, Quantity, Span};
use crate::analysis::statistics::quartiles;
use crate::event::RunStarted;
use crate::state::RunState;

/// A child that has a value of the quantity shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub child: u64,
    pub episode: usize,
    pub value: f64,
    /// Its reward is 0 because it failed: counted in every mean, drawn as a mark on the floor and
    /// not as a point.
    pub failed: bool,
}

/// Points among which the place of a new one is looked for.
const NEAR: usize = 64;

/// The children of a run that the search sampled, by number.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Children {
    pub points: Vec<Point>,
    pub failed: Vec<u64>,
    /// The highest number; 0 for none.
    pub newest: u64,
}

impl Children {
    /// In one pass: the rows of a long run do not fit into a processor's cache.
    pub fn of(state: &RunState, quantity: Quantity) -> Children {
        let mut children = Children {
            points: Vec::with_capacity(state.search().children.len()),
            ..Children::default()
        };
        for row in state.search().sampled() {
            children.newest = children.newest.max(row.child);
            let failed = row.is_failed();
            if failed {
                children.failed.push(row.child);
            }
            let value = if quantity == Quantity::Accuracy {
                row.accuracy
            } else {
                row.reward
            };
            if let Some(value) = value.filter(|value| value.is_finite()) {
                children.push(Point {
                    child: row.child,
                    episode: row.episode,
                    value,
                    failed,
                });
            }
        }
        if !children.points.is_sorted_by_key(|point| point.child) {
            children.points.sort_by_key(|point| point.child);
        }
        children
    }

    /// Put a point in its place: workers finish in any order, and the curves must not depend on it.
    /// A child ends soon after its neighbours, so that its place is near; a point whose place is
    /// far is left for sorting.
    fn push(&mut self, point: Point) {
        let near = self.points.iter().rev().take(NEAR);
        let later = near.take_while(|other| other.child > point.child).count();
        let place = if later < NEAR {
            self.points.len() - later
        } else {
            self.points.len()
        };
        self.points.insert(place, point);
    }

    /// The points from one child to another.
    pub fn within(&self, span: Span) -> &[Point] {
        let from = self
            .points
            .partition_point(|point| point.child < span.first);
        let to = self
            .points
            .partition_point(|point| point.child <= span.last);
        &self.points[from..to]
    }

    /// The quartiles of an episode's children; failed children count with their reward, and have no
    /// accuracy to count.
    pub fn quartiles_of(&self, episode: usize) -> Option<[f64; 3]> {
        let of_episode = self.points.iter().filter(|point| point.episode == episode);
        quartiles(&mut of_episode.map(|point| point.value).collect::<Vec<_>>())
    }

    /// The smoothed value after each point, see [`Smoothed`].
    pub fn smoothed(&self, extent: &Extent) -> impl Iterator<Item = (&Point, f64)> {
        let mut smoothed = Smoothed::over(extent.per_episode);
        self.points
            .iter()
            .map(move |point| (point, smoothed.take(point.value)))
    }
}

/// Exponential moving average without the pull towards its starting value of 0 (bias correction:
/// Kingma & Ba, 2015):
///
/// ```text
/// m(t) = (1 - a) m(t-1) + a x(t),  w(t) = (1 - a) w(t-1) + a,  m(0) = w(0) = 0;  average(t) = m(t) / w(t)
/// ```
///
/// a = 2 / (2 n + 1) for n children an episode: values are as old, on average, as those of a plain
/// mean over the last two episodes. Over one episode it would be as rough as the episodes' means,
/// which the chart shows anyway.
#[derive(Debug, Clone, Copy)]
pub struct Smoothed {
    rate: f64,
    sum: f64,
    weight: f64,
}

impl Smoothed {
    pub fn over(children_per_episode: u64) -> Smoothed {
        Smoothed {
            rate: 2.0 / (2.0 * children_per_episode.max(1) as f64 + 1.0),
            sum: 0.0,
            weight: 0.0,
        }
    }

    /// The average after the next value.
    pub fn take(&mut self, value: f64) -> f64 {
        self.sum += self.rate * (value - self.sum);
        self.weight += self.rate * (1.0 - self.weight);
        self.sum / self.weight
    }
}

/// A value over a range of columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    pub from: usize,
    pub to: usize,
    pub value: f64,
}

/// The curves in view. Where several values share a column, it has one of them: the last or the
/// mean.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curves {
    /// After the last child of each column, over all children of the run.
    pub smooth: Vec<(usize, f64)>,
    /// The largest value of all children of the run up to each column.
    pub best: Vec<(usize, f64)>,
    /// What each episode's advantages were taken against: rewards only.
    pub baseline: Vec<Level>,
    /// Quartiles of the finished episodes.
    pub low: Vec<Level>,
    pub high: Vec<Level>,
    /// At the middle of each episode.
    pub mean: Vec<(usize, f64)>,
    pub reference: Vec<(usize, f64)>,
}

impl Curves {
    /// The curves of `state` over the children of `span`, drawn `width` dots wide.
    pub fn of(
        state: &RunState,
        children: &Children,
        quantity: Quantity,
        span: Span,
        width: usize,
    ) -> Curves {
        let extent = Extent::new(state, children.newest);
        let mut curves = Curves {
            mean: means(state, quantity, &extent, span, width),
            ..Curves::default()
        };
        curves.reference = reference(state, quantity, &extent, span, width);
        curves.follow(children, &extent, span, width);
        curves.band(state, children, &extent, span, width);
        if quantity == Quantity::Reward {
            curves.baseline = baselines(state, &extent, span, width);
        }
        curves
    }

    /// All values, for an axis that must hold them.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        let lines = [&self.smooth, &self.best, &self.mean, &self.reference]
            .into_iter()
            .flatten()
            .map(|(_, value)| *value);
        let levels = [&self.baseline, &self.low, &self.high]
            .into_iter()
            .flatten()
            .map(|level| level.value);
        lines.chain(levels)
    }

    /// Smoothed values and the best so far.
    fn follow(&mut self, children: &Children, extent: &Extent, span: Span, width: usize) {
        let mut best = f64::NEG_INFINITY;
        for (point, smooth) in children.smoothed(extent) {
            if point.child > span.last {
                break;
            }
            if !point.failed {
                best = best.max(point.value);
            }
            let Some(column) = span.column(point.child, width) else {
                continue;
            };
            put_last(&mut self.smooth, column, smooth);
            if best.is_finite() {
                put_last(&mut self.best, column, best);
            }
        }
    }

    fn band(
        &mut self,
        state: &RunState,
        children: &Children,
        extent: &Extent,
        span: Span,
        width: usize,
    ) {
        let (mut low, mut high) = (Means::new(width), Means::new(width));
        let mut values = Vec::new();
        let finished = state
            .search()
            .episodes
            .last()
            .map_or(0, |episode| episode.episode);
        for of_episode in children
            .within(span.whole_episodes(extent))
            .chunk_by(|one, other| one.episode == other.episode)
        {
            let episode = of_episode[0].episode;
            let Some(part) = extent
                .columns(episode as u64, span, width)
                .filter(|_| episode <= finished)
            else {
                continue;
            };
            values.clear();
            values.extend(of_episode.iter().map(|point| point.value));
            if let Some([first, _, third]) = quartiles(&mut values) {
                low.add(part, first);
                high.add(part, third);
            }
        }
        (self.low, self.high) = (low.levels(), high.levels());
    }
}

fn put_last(line: &mut Vec<(usize, f64)>, column: usize, value: f64) {
    match line.last_mut() {
        Some((last, old)) if *last == column => *old = value,
        _ => line.push((column, value)),
    }
}

impl Span {
    /// The span with all children of the episodes at its ends.
    fn whole_episodes(self, extent: &Extent) -> Span {
        let first = extent.children(extent.episode(self.first)).first;
        Span {
            first,
            last: extent
                .children(extent.episode(self.last))
                .last
                .max(self.last),
        }
    }
}

impl Extent {
    /// First and last column of an episode's children in view.
    fn columns(&self, episode: u64, span: Span, width: usize) -> Option<(usize, usize)> {
        let Span { first, last } = self.children(episode);
        let part = span.clip(first, last).filter(|_| episode > 0)?;
        Some((
            span.column(part.first, width)?,
            span.column(part.last, width)?,
        ))
    }

    /// Column of the middle of an episode.
    fn middle(&self, episode: u64, span: Span, width: usize) -> Option<usize> {
        let Span { first, last } = self.children(episode);
        span.column(first + (last - first) / 2, width)
            .filter(|_| episode > 0)
    }
}

/// Means of the values that share their columns: episodes may be narrower than a column.
struct Means(Vec<(f64, u32)>);

impl Means {
    fn new(width: usize) -> Means {
        Means(vec![(0.0, 0); width])
    }

    /// A value from one column to another.
    fn add(&mut self, (from, to): (usize, usize), value: f64) {
        for (sum, count) in self.0.iter_mut().take(to + 1).skip(from) {
            *sum += value;
            *count += 1;
        }
    }

    fn points(self) -> Vec<(usize, f64)> {
        let columns = self
            .0
            .into_iter()
            .enumerate()
            .filter(|(_, (_, count))| *count > 0);
        columns
            .map(|(column, (sum, count))| (column, sum / f64::from(count)))
            .collect()
    }

    /// Neighbouring columns of one value as one.
    fn levels(self) -> Vec<Level> {
        let mut levels: Vec<Level> = Vec::new();
        for (column, value) in self.points() {
            match levels.last_mut() {
                Some(level) if level.to + 1 == column && level.value == value => level.to = column,
                _ => levels.push(Level {
                    from: column,
                    to: column,
                    value,
                }),
            }
        }
        levels
    }
}

/// The mean of each finished episode.
fn means(
    state: &RunState,
    quantity: Quantity,
    extent: &Extent,
    span: Span,
    width: usize,
) -> Vec<(usize, f64)> {
    let of = |(episode, reward, accuracy): (usize, f64, Option<f64>)| {
        let value = if quantity == Quantity::Reward {
            Some(reward)
        } else {
            accuracy
        };
        (episode, value)
    };
    let episodes = state
        .search()
        .episodes
        .iter()
        .map(|episode| (episode.episode, episode.mean_reward, episode.mean_accuracy));
    at_middles(episodes.map(of), extent, span, width)
}

/// The mean of each episode of the run that this one is held against, at the same episode of this
/// one.
fn reference(
    state: &RunState,
    quantity: Quantity,
    extent: &Extent,
    span: Span,
    width: usize,
) -> Vec<(usize, f64)> {
    let episodes = state
        .search()
        .started
        .iter()
        .filter_map(RunStarted::comparable)
        .flat_map(|reference| &reference.episodes);
    let value = |mean_reward: f64, accuracy| {
        if quantity == Quantity::Reward {
            Some(mean_reward)
        } else {
            accuracy
        }
    };
    let values = episodes.map(|episode| {
        (
            episode.episode,
            value(episode.mean_reward, episode.mean_accuracy),
        )
    });
    at_middles(values, extent, span, width)
}

fn at_middles(
    values: impl Iterator<Item = (usize, Option<f64>)>,
    extent: &Extent,
    span: Span,
    width: usize,
) -> Vec<(usize, f64)> {
    let mut means = Means::new(width);
    for (episode, value) in values {
        let Some(value) = value.filter(|value| value.is_finite()) else {
            continue;
        };
        if let Some(column) = extent.middle(episode as u64, span, width) {
            means.add((column, column), value);
        }
    }
    means.points()
}

/// The baseline of each finished episode and of the one under way.
fn baselines(state: &RunState, extent: &Extent, span: Span, width: usize) -> Vec<Level> {
    let finished = state
        .search()
        .episodes
        .iter()
        .map(|episode| (episode.episode, episode.baseline));
    let known = state
        .search()
        .episodes
        .last()
        .map_or(0, |episode| episode.episode);
    let current = state
        .search()
        .baseline
        .filter(|_| state.search().episode > known)
        .map(|baseline| (state.search().episode, baseline));
    let mut means = Means::new(width);
    for (episode, baseline) in finished
        .chain(current)
        .filter(|(_, baseline)| baseline.is_finite())
    {
        if let Some(columns) = extent.columns(episode as u64, span, width) {
            means.add(columns, baseline);
        }
    }
    means.levels()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples;
    use super::*;
    use crate::state::{ChildRow, SearchRun};

    const REWARD: Quantity = Quantity::Reward;

    fn smooth(state: &RunState, span: Span, width: usize) -> Vec<(usize, f64)> {
        Curves::of(state, &Children::of(state, REWARD), REWARD, span, width).smooth
    }

    #[test]
    fn the_first_smoothed_value_is_the_first_value_and_equal_values_stay() {
        let mut smoothed = Smoothed::over(16);
        assert!(
            [0.25; 40]
                .iter()
                .all(|value| (smoothed.take(*value) - 0.25).abs() < 1e-15)
        );
    }

    #[test]
    fn smoothing_weights_values_by_their_age() {
        let mut smoothed = Smoothed::over(2);
        let rate: f64 = 2.0 / 5.0;
        let expected = (0.9 * rate + 0.5 * rate * (1.0 - rate)) / (1.0 - (1.0 - rate).powi(2));
        smoothed.take(0.5);
        assert!((smoothed.take(0.9) - expected).abs() < 1e-15);
    }

    #[test]
    fn the_smoothed_curve_does_not_depend_on_what_is_in_view_or_on_the_order_of_ending() {
        let mut state = samples::run(96);
        let whole = smooth(&state, Span { first: 1, last: 96 }, 96);
        assert_eq!(
            smooth(
                &state,
                Span {
                    first: 65,
                    last: 96
                },
                32
            )[0]
            .1,
            whole[64].1
        );
        assert_eq!(
            smooth(&state, Span { first: 1, last: 96 }, 8)[7].1,
            whole[95].1
        );
        state
            .search_mut()
            .unwrap()
            .children
            .chunks_mut(8)
            .for_each(<[_]>::reverse);
        assert_eq!(
            smooth(&state, Span { first: 1, last: 96 }, 96),
            whole,
            "neighbours change places"
        );
        state
            .search_mut()
            .unwrap()
            .children
            .sort_by_key(|row| std::cmp::Reverse(row.child));
        assert_eq!(
            smooth(&state, Span { first: 1, last: 96 }, 96),
            whole,
            "all change places"
        );
    }

    #[test]
    fn a_failed_child_counts_with_its_reward_and_has_no_accuracy() {
        let children = vec![samples::row(1, None), samples::row(2, Some(0.8))];
        let state = RunState::from(SearchRun {
            children,
            ..SearchRun::default()
        });
        let rewards = Children::of(&state, Quantity::Reward).points;
        assert_eq!(
            rewards
                .iter()
                .map(|point| (point.value, point.failed))
                .collect::<Vec<_>>(),
            [(0.0, true), (0.8f64.powi(3), false)]
        );
        let accuracies = Children::of(&state, Quantity::Accuracy);
        assert_eq!(
            accuracies
                .points
                .iter()
                .map(|point| point.value)
                .collect::<Vec<_>>(),
            [0.8]
        );
        assert_eq!(accuracies.failed, [1]);
    }

    #[test]
    fn an_edited_child_is_in_no_curve_and_no_point() {
        let mut state = samples::run(32);
        let before = Children::of(&state, REWARD);
        state.search_mut().unwrap().children.push(ChildRow {
            parent: Some(3),
            ..samples::row(321, Some(1.0))
        });
        assert_eq!(Children::of(&state, REWARD), before);
        assert_eq!(Extent::of(&state).newest, 32);
    }

    #[test]
    fn an_episode_has_a_band_once_it_is_finished() {
        let mut state = samples::run(20);
        let children = Children::of(&state, REWARD);
        let span = Span { first: 1, last: 32 };
        let band = Curves::of(&state, &children, REWARD, span, 32);
        let [first, _, third] = children.quartiles_of(1).unwrap();
        assert_eq!(
            band.low,
            [Level {
                from: 0,
                to: 15,
                value: first
            }]
        );
        assert_eq!(
            band.high,
            [Level {
                from: 0,
                to: 15,
                value: third
            }]
        );
        state.search_mut().unwrap().episodes.clear();
        assert_eq!(Curves::of(&state, &children, REWARD, span, 32).low, []);
    }

    #[test]
    fn accuracy_has_no_baseline() {
        let state = samples::run(40);
        let curves = |quantity| {
            Curves::of(
                &state,
                &Children::of(&state, quantity),
                quantity,
                Span { first: 1, last: 48 },
                48,
            )
        };
        assert!(curves(Quantity::Accuracy).baseline.is_empty());
        assert_eq!(
            curves(Quantity::Reward).baseline.len(),
            3,
            "two finished episodes and the one under way"
        );
    }

    #[test]
    fn episodes_narrower_than_a_column_share_the_mean() {
        let mut means = Means::new(4);
        [((0, 0), 1.0), ((0, 1), 3.0), ((1, 3), 5.0)]
            .into_iter()
            .for_each(|(columns, value)| means.add(columns, value));
        let level = |from, to, value| Level { from, to, value };
        assert_eq!(
            means.levels(),
            [level(0, 0, 2.0), level(1, 1, 4.0), level(2, 3, 5.0)]
        );
    }

    proptest! {
        #[test]
        fn a_smoothed_value_lies_among_its_values(values in prop::collection::vec(0.0..1.0f64, 1..60), per_episode in 1u64..20) {
            let mut smoothed = Smoothed::over(per_episode);
            let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
            for value in values {
                (low, high) = (low.min(value), high.max(value));
                let average = smoothed.take(value);
                prop_assert!(low - 1e-12 <= average && average <= high + 1e-12);
            }
        }

        #[test]
        fn curves_stay_in_their_width_and_within_the_values(
            children in 0u64..200, first in 1u64..200, count in 1u64..400, width in 0usize..90,
        ) {
            let state = samples::run(children);
            let span = Span { first, last: first + count - 1 };
            let points = Children::of(&state, REWARD);
            let curves = Curves::of(&state, &points, REWARD, span, width);
            let lines = [&curves.smooth, &curves.best, &curves.mean, &curves.reference];
            prop_assert!(lines.into_iter().flatten().all(|(x, _)| *x < width));
            prop_assert!([&curves.low, &curves.baseline].into_iter().flatten().all(|level| level.from <= level.to && level.to < width));
            prop_assert!(curves.values().all(|value| (0.0..=1.0).contains(&value)));
        }
    }
}

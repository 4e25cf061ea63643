//! The series drawn in charts: of a search by children and episodes, of a training by epochs. The
//! screen and reports draw the same series.
//!
//! They take one pass over the run's children and a few words of memory per child.

mod epochs;

use std::ops::RangeInclusive;

pub use epochs::{EpochPoint, Measure};

use super::statistics::quartiles;
use crate::event::{EpisodeFinished, RunStarted};
use crate::state::{RunState, is_better};

/// The quantity drawn for each child. The two are different: reward = accuracy^power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quantity {
    /// Reward, 0 to 1; 0 for a failed child.
    #[default]
    Reward,
    /// Validation accuracy, 0 to 1; a failed child has none.
    Accuracy,
}

impl Quantity {
    /// Whichever of the two is drawn.
    fn of<T>(self, reward: T, accuracy: T) -> T {
        match self {
            Quantity::Reward => reward,
            Quantity::Accuracy => accuracy,
        }
    }
}

/// A child that has a value of the quantity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Its number, from 1.
    pub child: u64,
    /// The episode in which it was sampled, from 1.
    pub episode: usize,
    /// Reward or accuracy, 0 to 1.
    pub value: f64,
    /// Whether its reward is 0 because it failed: it counts in every mean, and is drawn as a mark
    /// on the axis instead of a point.
    pub failed: bool,
}

/// A child that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed {
    /// Its number, from 1.
    pub child: u64,
    /// The episode in which it was sampled, from 1.
    pub episode: usize,
}

/// Number of points among which the position of a new one is searched for.
const NEAR: usize = 64;

/// The sampled children of a run, by number, and its controls. Edited children are in no series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Children {
    /// Points by number.
    pub points: Vec<Point>,
    /// Controls by episode. Their `child` is the number of the sampled child beside which each is
    /// drawn, see `place_of_control`.
    pub controls: Vec<Point>,
    /// Failed children by number, whichever the quantity; failed controls are among them, at their
    /// places.
    pub failed: Vec<Failed>,
    /// The highest number, including excluded children; 0 if there are no children.
    pub newest: u64,
}

impl Children {
    /// In one pass, because the rows of a long run do not fit into a processor's cache.
    pub fn of(state: &RunState, quantity: Quantity) -> Children {
        let mut children = Children {
            points: Vec::with_capacity(state.search().children.len()),
            ..Children::default()
        };
        let started = state.search().started.as_ref();
        for row in state
            .search()
            .children
            .iter()
            .filter(|row| !row.is_edited())
        {
            let (episode, failed) = (row.episode, row.is_failed());
            let value = quantity.of(row.reward, row.accuracy);
            let value = value.filter(|value| value.is_finite());
            let point = |child| {
                value.map(|value| Point {
                    child,
                    episode,
                    value,
                    failed,
                })
            };
            let child = match started.filter(|_| row.control) {
                Some(run) => place_of_control(row.child, episode, run),
                None => row.child,
            };
            if failed {
                children.failed.push(Failed { child, episode });
            }
            if row.control {
                children.controls.extend(point(child));
                continue;
            }
            children.newest = children.newest.max(child);
            if let Some(point) = point(child) {
                children.push(point);
            }
        }
        children.controls.sort_by_key(|point| point.child);
        if !children.points.is_sorted_by_key(|point| point.child) {
            children.points.sort_by_key(|point| point.child);
        }
        children.failed.sort_by_key(|failed| failed.child);
        children
    }

    /// Insert a point at its position: workers finish in any order, and the curves must not depend
    /// on it. A child ends soon after its neighbours, so its position is near the end; if it is
    /// not, the point is left for sorting.
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

    /// The points of a range of children.
    pub fn within(&self, children: RangeInclusive<u64>) -> &[Point] {
        let from = self
            .points
            .partition_point(|point| point.child < *children.start());
        let to = self
            .points
            .partition_point(|point| point.child <= *children.end());
        &self.points[from..to.max(from)]
    }

    /// Number of children drawn, as points or as failed.
    pub fn count(&self) -> usize {
        self.unfailed().count() + self.failed.len()
    }

    /// The first and the last place of a child drawn; `None` if there are none.
    pub fn ends(&self) -> Option<(u64, u64)> {
        let (points, controls) = (&self.points, &self.controls);
        let points = [
            points.first(),
            points.last(),
            controls.first(),
            controls.last(),
        ];
        let failed = [self.failed.first(), self.failed.last()];
        let numbers = || {
            let points = points.into_iter().flatten().map(|point| point.child);
            points.chain(failed.into_iter().flatten().map(|failed| failed.child))
        };
        Some((numbers().min()?, numbers().max()?))
    }

    /// The children that are drawn as points.
    pub fn unfailed(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(|point| !point.failed)
    }

    /// The quartiles of an episode's children; failed children count with their reward, but have no
    /// accuracy.
    pub fn quartiles_of(&self, episode: usize) -> Option<[f64; 3]> {
        let of_episode = self.points.iter().filter(|point| point.episode == episode);
        quartiles(&mut of_episode.map(|point| point.value).collect::<Vec<_>>())
    }

    /// The smoothed value after each point, see [`Smoothed`].
    pub fn smoothed(&self, children_per_episode: u64) -> impl Iterator<Item = (&Point, f64)> {
        let mut smoothed = Smoothed::over(children_per_episode);
        self.points
            .iter()
            .map(move |point| (point, smoothed.take(point.value)))
    }

    /// The running mean of the controls after each of them: smoothed over as many episodes as
    /// [`Children::smoothed`], so that a reward that changes with the depth moves both alike and
    /// their distance is that of the two arms.
    pub fn smoothed_controls(&self, controls: u64) -> impl Iterator<Item = (&Point, f64)> {
        let mut smoothed = Smoothed::over(controls);
        let controls = self.controls.iter();
        controls.map(move |point| (point, smoothed.take(point.value)))
    }

    /// The controls that are drawn as points.
    pub fn unfailed_controls(&self) -> impl Iterator<Item = &Point> {
        self.controls.iter().filter(|point| !point.failed)
    }

    /// The running maximum, at each child that raised it.
    pub fn improvements(&self) -> impl Iterator<Item = (u64, f64)> {
        let mut best = None;
        self.unfailed().filter_map(move |point| {
            let this = (point.value, point.child);
            let is_best = best.is_none_or(|best| is_better(this, best));
            is_best.then(|| {
                best = Some(this);
                (point.child, point.value)
            })
        })
    }
}

/// The sampled child beside which a control of `episode` is drawn. Controls are spread evenly over
/// the width of their episode, but never stand in its middle, where its mean is.
fn place_of_control(control: u64, episode: usize, run: &RunStarted) -> u64 {
    let (children, controls) = (run.children_per_episode as u64, run.controls.max(1) as u64);
    let first = (episode.max(1) as u64 - 1) * children + 1;
    let among = control.saturating_sub(run.children() as u64 + 1) % controls;
    first + (4 * among + 3) * children / (4 * controls)
}

/// The mean over the controls of each episode.
pub fn control_means(children: &Children) -> impl Iterator<Item = (usize, f64)> {
    let episodes = children
        .controls
        .chunk_by(|one, other| one.episode == other.episode);
    episodes.map(|controls| {
        let sum: f64 = controls.iter().map(|control| control.value).sum();
        (controls[0].episode, sum / controls.len() as f64)
    })
}

/// The quartiles of each group of neighbouring points of one episode.
pub fn bands(points: &[Point]) -> impl Iterator<Item = (usize, [f64; 3])> {
    let mut values = Vec::new();
    let episodes = points.chunk_by(|one, other| one.episode == other.episode);
    episodes.filter_map(move |of_episode| {
        values.clear();
        values.extend(of_episode.iter().map(|point| point.value));
        Some((of_episode[0].episode, quartiles(&mut values)?))
    })
}

/// Exponential moving average without bias towards its starting value of 0 (bias correction: Kingma
/// & Ba, 2015):
///
/// ```text
/// m(t) = (1 - a) m(t-1) + a x(t),  w(t) = (1 - a) w(t-1) + a,  m(0) = w(0) = 0;  average(t) = m(t)
/// / w(t)
/// ```
///
/// a = 2 / (2 n + 1) for n children per episode: the average age of the values is that of a plain
/// mean over the last two episodes. Over one episode it would be as rough as the episodes' means,
/// which the chart shows anyway.
#[derive(Debug, Clone, Copy)]
pub struct Smoothed {
    rate: f64,
    sum: f64,
    weight: f64,
}

impl Smoothed {
    /// The average for this many children per episode.
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

/// The mean over the children of each finished episode; `None` if no child has the value.
pub fn means(state: &RunState, quantity: Quantity) -> impl Iterator<Item = (usize, Option<f64>)> {
    state.search().episodes.iter().map(move |episode| {
        let mean = quantity.of(Some(episode.mean_reward), episode.mean_accuracy);
        (episode.episode, mean)
    })
}

/// The mean of each episode of the run that this one is compared with.
pub fn reference_means(
    state: &RunState,
    quantity: Quantity,
) -> impl Iterator<Item = (usize, Option<f64>)> {
    let run = state.search().started.as_ref();
    let reference = run.and_then(RunStarted::comparable);
    let episodes = reference.map_or(&[][..], |reference| &reference.episodes);
    episodes.iter().map(move |episode| {
        let mean = quantity.of(Some(episode.mean_reward), episode.mean_accuracy);
        (episode.episode, mean)
    })
}

/// The baseline of each finished episode and of the current one.
pub fn baselines(state: &RunState) -> impl Iterator<Item = (usize, f64)> {
    let search = state.search();
    let known = search.episodes.last().map_or(0, |episode| episode.episode);
    let current = search.baseline.filter(|_| search.episode > known);
    let finished = search.episodes.iter();
    finished
        .filter_map(|episode| Some((episode.episode, episode.baseline?)))
        .chain(current.map(|baseline| (search.episode, baseline)))
}

/// A finished episode with the range of its children.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Episode {
    /// Lowest number of its children.
    pub first: u64,
    /// Highest number of its children.
    pub last: u64,
    /// Mean of the quantity; `None` if no child has it.
    pub mean: Option<f64>,
    /// First and third quartile of its children.
    pub quartiles: Option<[f64; 2]>,
    /// Baseline that was subtracted from its rewards; only for rewards.
    pub baseline: Option<f64>,
    /// Mean of the same episode of the run that this one is compared with.
    pub reference: Option<f64>,
}

/// The finished episodes whose children are drawn.
pub fn episodes(state: &RunState, children: &Children, quantity: Quantity) -> Vec<Episode> {
    let references: Vec<_> = reference_means(state, quantity).collect();
    let mut by_episode: std::collections::BTreeMap<usize, (u64, u64, Vec<f64>)> =
        std::collections::BTreeMap::new();
    let points = children.points.iter().map(|point| {
        let Point { child, episode, .. } = *point;
        (child, episode, Some(point.value))
    });
    let failed = children.failed.iter();
    for (child, episode, value) in
        points.chain(failed.map(|failed| (failed.child, failed.episode, None)))
    {
        let (first, last, values) = by_episode
            .entry(episode)
            .or_insert_with(|| (child, child, Vec::new()));
        (*first, *last) = ((*first).min(child), (*last).max(child));
        values.extend(value);
    }
    let one = |(finished, (episode, mean)): (&EpisodeFinished, (usize, Option<f64>))| {
        let (first, last, mut values) = by_episode.remove(&episode)?;
        let reference = references.iter().find(|(other, _)| *other == episode);
        Some(Episode {
            first,
            last,
            mean,
            quartiles: quartiles(&mut values).map(|[low, _, high]| [low, high]),
            baseline: quantity.of(finished.baseline, None),
            reference: reference.and_then(|(_, mean)| *mean),
        })
    };
    let finished = state.search().episodes.iter().zip(means(state, quantity));
    finished.filter_map(one).collect()
}

/// The corners of a step line: level from each point to the next one, where it rises or falls.
pub fn stairs<X: Copy, Y: Copy>(points: impl IntoIterator<Item = (X, Y)>) -> Vec<(X, Y)> {
    let mut corners: Vec<(X, Y)> = Vec::new();
    for (x, y) in points {
        corners.extend(corners.last().map(|(_, before)| (x, *before)));
        corners.push((x, y));
    }
    corners
}

#[cfg(test)]
mod tests;

//! How long a search will still take: from what its children cost so far, the depths to come, and
//! how far a learning policy may move towards other costs.
//!
//! A child takes a time per layer and a time per multiply-accumulate; both are fitted to the latest
//! children. What children to come cost is what uniform children of their depth cost, times how much
//! more than those the children of the present policy cost: of a policy that does not learn all
//! children say that (of a long search the latest 2,048), of one that learns only the latest few. A
//! policy that learns moves: in 10 recorded searches of the presets `demo` and `demo-cifar` its
//! children came to cost 5 to 50 times what uniform ones do, which nothing tells beforehand. So the
//! logarithm of the cost is taken for a random walk, one step per update, whose size is estimated from
//! the run.
//!
//! Nor can it be known how fast the machine will be: others use it too. How much its speed has varied
//! from episode to episode widens both ends, as if it might differ as much in all of the rest; in a long
//! search, how much the means of stretches of the run have varied, because what comes and goes within a
//! stretch averages out. The ends are shown while they are farther than a factor of 1.25 from the number
//! between them. docs/PERFORMANCE.md has how often that was right.

use crate::event::{CostOutlook, RunStarted};
use crate::state::{ChildRow, RunState, RunStatus, SearchRun};

/// The latest trained children that the fit uses; of a long search a stretch.
const FITTED: usize = 32;
/// Stretches into which a long search so far is divided: of how much their mean speeds differ it is
/// estimated how much that of the rest may.
const STRETCHES: usize = 8;
/// The latest trained children whose cost is that of the present policy, if it learns.
const PRESENT: usize = 16;
/// The latest children that anything is estimated from.
const REMEMBERED: usize = 2_048;
/// Standard deviation of a policy's step in the logarithm of the cost before anything is known, and
/// the number of steps as which that counts.
const STEP: f64 = 0.6;
const STEP_WEIGHT: f64 = 4.0;
/// Quantile of the normal distribution at both ends of the walk: 80 %.
const ENDS: f64 = 1.28;
/// Standard deviation of the logarithm of the machine's speed before anything is known, and how many
/// episodes that weighs as much as.
const DISTURBANCE: f64 = 0.3;
const DISTURBANCE_WEIGHT: f64 = 1.0;
/// Children in a row whose time says how fast the machine was: at least, and at most.
const SMALLEST_PART: usize = 4;
const LARGEST_PART: usize = 32;
/// Quantile of the normal distribution at both ends of the machine's speed: 90 %.
const SPEED_ENDS: f64 = 1.64;
/// Ends that are no farther than this factor from the number between them are not shown.
const NEAR: f64 = 1.25;
/// At how many points of the rest of the run the cost is computed.
const POINTS: usize = 128;

/// Seconds until a search ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SearchTimeLeft {
    /// If the policy stays as it is.
    pub seconds: f64,
    /// From where to where, while that is far apart.
    pub range: Option<[f64; 2]>,
}

impl SearchTimeLeft {
    /// The time left in a search, or in the episode that it is to stop after; `None` if it is over, or
    /// nothing is known yet.
    pub fn of(state: &RunState) -> Option<SearchTimeLeft> {
        let search = state.search();
        let run = search.started.as_ref()?;
        let counts = search.outcomes.counts;
        let episodes = match search.stops_after_episode {
            true => search.episode.min(run.episodes),
            false => run.episodes,
        };
        let per_episode = run.children_per_episode.saturating_add(run.controls);
        let planned = episodes.saturating_mul(per_episode);
        let left = planned.saturating_sub(counts.sampled + counts.controls);
        let trained = latest_trained(search);
        let is_ending = state.status.is_over() || state.status == RunStatus::Stopping;
        if is_ending || left == 0 || trained.len() < run.workers.clamp(2, PRESENT) {
            return None;
        }
        // Without the cost of uniform children, those of other depths say nothing of the depth to come.
        let is_settled = !run.learns() && run.outlook.is_some();
        let present = if is_settled { REMEMBERED } else { PRESENT };
        let rest = Rest {
            run,
            cost: Fit::of(last(&trained, FITTED.max(trained.len() / STRETCHES))),
            present: Present::of(last(&trained, present), run.outlook.as_deref()),
            sampled: counts.sampled,
            left,
        };
        let wall = seconds_per_trained_second(search, run) * (1.0 - share_of_repeats(search));
        let step = if run.learns() { step(search) } else { 0.0 };
        let [low, middle, high] = [-ENDS, 0.0, ENDS].map(|of| wall * rest.seconds(of * step));
        // Added to what the policy may do. (Combined as the root of the sum of squares, the ranges of the
        // recorded runs that learn contain the truth 117 times of 160; added, 138 times.)
        let disturbance = (SPEED_ENDS * disturbance(&trained, left)).exp();
        let [low, high] = [low / disturbance, high * disturbance];
        let is_known = [low, middle, high]
            .iter()
            .all(|seconds| seconds.is_finite() && *seconds > 0.0);
        is_known.then(|| SearchTimeLeft {
            seconds: middle,
            range: (NEAR * low < middle || high > NEAR * middle).then_some([low, high]),
        })
    }
}

/// Whether the time of a child says something about those to come.
fn is_typical(row: &ChildRow) -> bool {
    row.repeat_of.is_none() && !row.is_excluded() && !row.skipped && !row.is_edited()
}

fn last<T>(all: &[T], count: usize) -> &[T] {
    &all[all.len().saturating_sub(count)..]
}

fn latest_trained(search: &SearchRun) -> Vec<&ChildRow> {
    let rows = last(&search.children, REMEMBERED).iter();
    rows.filter(|row| is_typical(row)).collect()
}

fn share_of_repeats(search: &SearchRun) -> f64 {
    let latest = last(&search.children, 64).iter();
    let (repeats, all) = latest.fold((0.0, 0.0), |(repeats, all), row| {
        (repeats + f64::from(row.repeat_of.is_some()), all + 1.0)
    });
    repeats / f64::max(all, 1.0)
}

/// Seconds of the run per second of training, from the latest episodes: it depends on the workers, and
/// on how well a whole episode occupies them.
fn seconds_per_trained_second(search: &SearchRun, run: &RunStarted) -> f64 {
    let latest = last(&search.episodes, 3);
    let lasted: f64 = latest.iter().map(|episode| episode.seconds).sum();
    let first = latest.first().map_or(usize::MAX, |first| first.episode);
    let last = latest.last().map_or(0, |last| last.episode);
    let rows = search.children.iter().rev();
    let trained: f64 = rows
        .take_while(|row| row.episode >= first || row.is_edited())
        .filter(|row| row.episode <= last)
        .map(|row| row.seconds)
        .sum();
    if run.asynchronous || trained <= 0.0 || lasted <= 0.0 {
        1.05 / run.workers.max(1) as f64
    } else {
        lasted / trained
    }
}

/// Seconds of a child's training: a part per layer, and a part per multiply-accumulate.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Fit {
    per_layer: f64,
    per_mac: f64,
}

impl Fit {
    /// The fit of least squares in proportion to the cost, neither part negative, scaled so that
    /// these children take as long in all as they did: a sum is to be estimated.
    fn of(trained: &[&ChildRow]) -> Fit {
        let fit = Fit::in_proportion(trained);
        let fitted: f64 = trained
            .iter()
            .map(|row| fit.seconds(row.genes.depth().max(1) as f64, row.macs as f64))
            .sum();
        let lasted: f64 = trained.iter().map(|row| row.seconds).sum();
        Fit {
            per_layer: fit.per_layer * lasted / fitted,
            per_mac: fit.per_mac * lasted / fitted,
        }
    }

    /// Seconds of a child.
    fn seconds(&self, layers: f64, macs: f64) -> f64 {
        self.per_layer * layers + self.per_mac * macs
    }

    fn in_proportion(trained: &[&ChildRow]) -> Fit {
        let mean = trained.iter().map(|row| row.macs as f64).sum::<f64>() / trained.len() as f64;
        let (mut ll, mut lm, mut mm, mut ls, mut ms) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for row in trained {
            let (layers, macs) = (row.genes.depth().max(1) as f64, row.macs as f64);
            let weight = (macs + mean.max(1.0)).powi(-2);
            ll += weight * layers * layers;
            lm += weight * layers * macs;
            mm += weight * macs * macs;
            ls += weight * layers * row.seconds;
            ms += weight * macs * row.seconds;
        }
        let determinant = ll * mm - lm * lm;
        let both = (determinant > 1e-9 * ll * mm).then(|| Fit {
            per_layer: (ls * mm - ms * lm) / determinant,
            per_mac: (ms * ll - ls * lm) / determinant,
        });
        match both {
            Some(fit) if fit.per_layer >= 0.0 && fit.per_mac >= 0.0 => fit,
            Some(fit) if fit.per_layer < 0.0 => Fit {
                per_layer: 0.0,
                per_mac: ms / mm,
            },
            _ => Fit {
                per_layer: ls / ll,
                per_mac: 0.0,
            },
        }
    }
}

/// The children of the present policy.
#[derive(Debug, Clone, Copy)]
struct Present {
    /// Their mean depth.
    depth: f64,
    /// Their mean multiply-accumulates.
    macs: f64,
    /// How many times as many multiply-accumulates they have as uniform children of their depths.
    relative: f64,
}

impl Present {
    fn of(latest: &[&ChildRow], outlook: Option<&CostOutlook>) -> Present {
        let depths: f64 = latest.iter().map(|row| row.genes.depth() as f64).sum();
        let macs: f64 = latest.iter().map(|row| row.macs as f64).sum();
        let uniform = |row: &&ChildRow| uniform_macs(outlook, row.genes.depth() as f64);
        Present {
            depth: depths / latest.len() as f64,
            macs: macs / latest.len() as f64,
            relative: macs / latest.iter().map(uniform).sum::<f64>(),
        }
    }
}

/// Mean multiply-accumulates of uniform children of a depth; 1 at every depth if that is not known.
fn uniform_macs(outlook: Option<&CostOutlook>, depth: f64) -> f64 {
    let known = outlook.and_then(|outlook| outlook.macs_at(depth));
    known.filter(|macs| *macs > 0.0).unwrap_or(1.0)
}

/// The children to come.
struct Rest<'a> {
    run: &'a RunStarted,
    cost: Fit,
    present: Present,
    /// Children sampled so far, without controls.
    sampled: usize,
    /// Children and controls to come.
    left: usize,
}

impl Rest<'_> {
    /// Seconds of training in all, if the logarithm of a child's cost moves by `step` times the
    /// square root of the number of updates until then.
    fn seconds(&self, step: f64) -> f64 {
        let per_episode = self.run.children_per_episode.max(1) as f64;
        let proposed = per_episode / (per_episode + self.run.controls as f64);
        let points = self.left.min(POINTS);
        let outlook = self.run.outlook.as_deref();
        let largest = outlook.map_or(f64::INFINITY, |outlook| outlook.largest_macs as f64);
        let at_point = |point: usize| {
            let ahead = (point as f64 + 0.5) * self.left as f64 / points as f64 * proposed;
            let depth = outlook.and_then(|outlook| outlook.depth_of(self.sampled as f64 + ahead));
            let depth = depth.unwrap_or(self.present.depth);
            let unmoved = self.present.relative * uniform_macs(outlook, depth);
            let moved = unmoved * (step * (ahead / per_episode).sqrt()).exp();
            let macs = moved.min(largest.max(self.present.macs));
            self.cost.seconds(depth, macs)
        };
        (0..points).map(at_point).sum::<f64>() * self.left as f64 / points as f64
    }
}

/// Standard deviation of the policy's steps so far in the mean logarithm of the cost, without what
/// chance adds to an episode's mean.
fn step(search: &SearchRun) -> f64 {
    let mut episodes: Vec<(usize, Vec<f64>)> = Vec::new();
    let rows = last(&search.children, REMEMBERED);
    for row in rows.iter().filter(|row| is_typical(row) && !row.control) {
        let cost = (row.macs.max(1) as f64).ln();
        match episodes.last_mut() {
            Some((episode, costs)) if *episode == row.episode => costs.push(cost),
            _ => episodes.push((row.episode, vec![cost])),
        }
    }
    let known: Vec<(f64, f64)> = episodes
        .iter()
        .filter(|(_, costs)| costs.len() >= 4)
        .map(|(_, costs)| mean_and_its_variance(costs))
        .collect();
    let squares = known.windows(2).map(|pair| {
        let (one, next) = (pair[0], pair[1]);
        ((next.0 - one.0).powi(2) - one.1 - next.1).max(0.0)
    });
    let steps = known.len().saturating_sub(1) as f64;
    ((STEP_WEIGHT * STEP * STEP + squares.sum::<f64>()) / (STEP_WEIGHT + steps)).sqrt()
}

/// Standard deviation of the logarithm of the machine's speed in so many children to come, relative to
/// that of the children fitted.
fn disturbance(trained: &[&ChildRow], left: usize) -> f64 {
    let slowness = slowness_of_parts(trained);
    let of_parts = deviation(&slowness, DISTURBANCE);
    let to_come = left.saturating_mul(slowness.len()) / trained.len();
    let stretch = to_come.min(slowness.len() / STRETCHES);
    if stretch < 2 {
        return of_parts;
    }
    let mean = |parts: &[f64]| parts.iter().sum::<f64>() / parts.len() as f64;
    let stretches: Vec<f64> = slowness.rchunks_exact(stretch).map(mean).collect();
    // The children fitted are such a stretch, and so are those to come.
    std::f64::consts::SQRT_2 * deviation(&stretches, of_parts)
}

/// Logarithms of the ratio of the time that children in a row took in all to what the fit to all children
/// predicts. Small episodes are taken together, and long ones in parts.
fn slowness_of_parts(trained: &[&ChildRow]) -> Vec<f64> {
    let fit = Fit::of(trained);
    let mut parts: Vec<Vec<&ChildRow>> = Vec::new();
    for row in trained {
        match parts.last_mut() {
            Some(part) if part.len() < SMALLEST_PART => part.push(row),
            Some(part) if part.len() < LARGEST_PART && part[0].episode == row.episode => {
                part.push(row);
            }
            _ => parts.push(vec![row]),
        }
    }
    parts.retain(|part| part.len() >= SMALLEST_PART);
    let slowness = |part: &Vec<&ChildRow>| {
        let lasted: f64 = part.iter().map(|row| row.seconds).sum();
        let layers = |row: &ChildRow| row.genes.depth().max(1) as f64;
        let predicted = part
            .iter()
            .map(|row| fit.seconds(layers(row), row.macs as f64));
        (lasted / predicted.sum::<f64>()).ln()
    };
    let slowness = parts.iter().map(slowness);
    slowness.filter(|one| one.is_finite()).collect()
}

/// Standard deviation of these values, and of the one that they were taken to have before, which weighs
/// [`DISTURBANCE_WEIGHT`].
fn deviation(values: &[f64], before: f64) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let squares: f64 = values.iter().map(|one| (one - mean).powi(2)).sum();
    let degrees = values.len().saturating_sub(1) as f64;
    let before = DISTURBANCE_WEIGHT * before * before;
    ((before + squares) / (DISTURBANCE_WEIGHT + degrees)).sqrt()
}

fn mean_and_its_variance(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, squares / (count - 1.0) / count)
}

#[cfg(test)]
#[path = "time_left/tests.rs"]
mod tests;

//! The series of the run as curves over columns of dots.

use super::extent::Extent;
use crate::analysis::series::{self, Children, Quantity};
use crate::state::RunState;
use crate::tui::plot::{PlotSeries, Span};

/// A value over a range of columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// First column of dots.
    pub from: usize,
    /// Last column of dots, inclusive.
    pub to: usize,
    /// In units of the axis.
    pub value: f64,
}

/// The curves in view. If several values share a column, the curve has the last one or their mean.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curves {
    /// Smoothed over all children of the run, at the last child of each column.
    pub smooth: Vec<(usize, f64)>,
    /// The largest value of all children of the run up to each column.
    pub best: Vec<(usize, f64)>,
    /// The baseline that was subtracted from each episode's rewards (only for rewards).
    pub baseline: Vec<Stretch>,
    /// Lower quartiles of the finished episodes.
    pub low: Vec<Stretch>,
    /// Upper quartiles of the finished episodes.
    pub high: Vec<Stretch>,
    /// Mean of each episode, at its middle.
    pub mean: Vec<(usize, f64)>,
    /// Running mean of the controls.
    pub controls: Vec<(usize, f64)>,
    /// Mean of each episode of the reference run.
    pub reference: Vec<(usize, f64)>,
    /// Mean of each episode of the runs drawn over this one, each with its place among them.
    pub others: Vec<(u8, Vec<(usize, f64)>)>,
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
            mean: at_middles(series::means(state, quantity), &extent, span, width),
            ..Curves::default()
        };
        let reference = series::reference_means(state, quantity);
        curves.reference = at_middles(reference, &extent, span, width);
        curves.follow(children, &extent, span, width);
        curves.follow_controls(state, children, span, width);
        curves.band(state, children, &extent, span, width);
        if quantity == Quantity::Reward {
            curves.baseline = baselines(state, &extent, span, width);
        }
        curves
    }

    /// The curves that are drawn beside those of other runs: the children and their means, so that there
    /// are few lines to tell apart.
    pub fn beside(self, others: Vec<(u8, Vec<(usize, f64)>)>) -> Curves {
        Curves {
            mean: self.mean,
            controls: self.controls,
            reference: self.reference,
            others,
            ..Curves::default()
        }
    }

    /// Drop the curves that are not among `named`.
    pub fn keep(&mut self, named: &[PlotSeries]) {
        let Curves {
            smooth,
            best,
            mean,
            controls,
            reference,
            ..
        } = self;
        let lines = [
            (PlotSeries::Control, controls),
            (PlotSeries::Smooth, smooth),
            (PlotSeries::Best, best),
            (PlotSeries::Mean, mean),
            (PlotSeries::Reference, reference),
        ];
        for (series, points) in lines {
            if !named.contains(&series) {
                points.clear();
            }
        }
        if !named.contains(&PlotSeries::Baseline) {
            self.baseline.clear();
        }
        if !named.contains(&PlotSeries::Band) {
            (self.low, self.high) = (Vec::new(), Vec::new());
        }
    }

    /// All values, for an axis that must contain them.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        let Curves {
            smooth,
            best,
            mean,
            controls,
            reference,
            others,
            ..
        } = self;
        let others = others.iter().map(|(_, points)| points);
        let lines = [smooth, best, mean, controls, reference]
            .into_iter()
            .chain(others)
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
        let mut improvements = children.improvements().peekable();
        let mut best = None;
        for (point, smooth) in children.smoothed(extent.per_episode) {
            if point.child > span.last {
                break;
            }
            while let Some((_, value)) = improvements.next_if(|(child, _)| *child <= point.child) {
                best = Some(value);
            }
            let Some(column) = span.column(point.child, width) else {
                continue;
            };
            put_last(&mut self.smooth, column, smooth);
            if let Some(best) = best {
                put_last(&mut self.best, column, best);
            }
        }
    }

    fn follow_controls(&mut self, state: &RunState, children: &Children, span: Span, width: usize) {
        let started = state.search().started.as_ref();
        let controls = started.map_or(1, |run| run.controls as u64);
        for (point, mean) in children.smoothed_controls(controls) {
            if let Some(column) = span.column(point.child, width) {
                put_last(&mut self.controls, column, mean);
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
        let finished = state
            .search()
            .episodes
            .last()
            .map_or(0, |episode| episode.episode);
        let points = children.within(extent.whole_episodes(span).range());
        for (episode, [first, _, third]) in series::bands(points) {
            let columns = extent.columns(episode as u64, span, width);
            if let Some(columns) = columns.filter(|_| episode <= finished) {
                low.add(columns, first);
                high.add(columns, third);
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

/// Means of values that share columns, because episodes may be narrower than a column.
struct Means(Vec<(f64, u32)>);

impl Means {
    fn new(width: usize) -> Means {
        Means(vec![(0.0, 0); width])
    }

    /// Add a value for a range of columns.
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

    /// Merge neighbouring columns with the same value.
    fn levels(self) -> Vec<Stretch> {
        let mut levels: Vec<Stretch> = Vec::new();
        for (column, value) in self.points() {
            match levels.last_mut() {
                Some(level) if level.to + 1 == column && level.value == value => level.to = column,
                _ => levels.push(Stretch {
                    from: column,
                    to: column,
                    value,
                }),
            }
        }
        levels
    }
}

/// Values of episodes at the columns of their middles; means where several share a column.
pub fn at_middles(
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

/// The baselines over the children of their episodes.
fn baselines(state: &RunState, extent: &Extent, span: Span, width: usize) -> Vec<Stretch> {
    let mut means = Means::new(width);
    for (episode, baseline) in series::baselines(state).filter(|(_, value)| value.is_finite()) {
        if let Some(columns) = extent.columns(episode as u64, span, width) {
            means.add(columns, baseline);
        }
    }
    means.levels()
}

#[cfg(test)]
mod tests;

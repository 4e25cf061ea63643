//! Axes for plots of rows of characters: their ticks stand in the middle of a row each, at even distances,
//! if that is possible without wasting much of the plot; and there are at least three of them, unless it is
//! very low.

use super::even_log::log_axis_in_rows;
use super::frame::labelled;
use crate::foundation::axis::{Axis, ValueAxis, extremes};

/// How much longer than the tightest axis one may be for the sake of even distances, in a plot of few rows
/// and in one of at least so many; and how many ticks it then has at least.
const LONGER: f64 = 1.34;
const LONGER_IF_TALL: f64 = 1.5;
const TALL: usize = 12;
/// How much longer than the shortest such axis one may be for the sake of more ticks.
const HARDLY_LONGER: f64 = 1.2;
const FEWEST: usize = 3;
/// Number of rows from which on so many ticks are labelled, whatever that takes.
const FEWEST_FROM: usize = 5;
/// Relative to the length of an axis.
const NOTHING: f64 = 1e-9;

/// The axis that covers `values`, of which at most `ticks` ticks are labelled, in a plot of `rows` rows. It is
/// not extended beyond `most`, the largest value that there can be, unless there would be too few
/// labels; nor below zero.
pub fn axis_in_rows(
    values: impl Iterator<Item = f64>,
    is_log: bool,
    ticks: usize,
    rows: usize,
    most: f64,
) -> ValueAxis {
    let (ticks, fewest) = if rows < FEWEST_FROM {
        (ticks.max(2), 2)
    } else {
        (ticks.max(FEWEST), FEWEST)
    };
    let values = values.filter(|value| value.is_finite() && (*value > 0.0 || !is_log));
    let (low, high) = extremes(values);
    let log = is_log.then(|| log_axis_in_rows(low, high, (fewest, ticks), rows, most));
    if let Some(axis) = log.flatten() {
        return ValueAxis::Log(axis);
    }
    let plot = Plot {
        rows,
        most,
        highest: if high.is_finite() {
            high
        } else {
            f64::INFINITY
        },
    };
    let (low, high) = plot.room_below(low, high);
    let axis = plot.with_round_ends(low, high, ticks);
    let is_enough = |axis: &Axis| {
        let labels = labelled(&ValueAxis::Linear(*axis), rows, ticks);
        let highest = labels.last().map_or(0.0, |(tick, _)| *tick);
        labels.len() >= fewest && highest <= most + length(axis) * NOTHING
    };
    if is_enough(&axis) {
        return ValueAxis::Linear(axis);
    }
    let beyond = Plot {
        most: f64::INFINITY,
        ..plot
    };
    let any = |plot: Plot| {
        // Of many ticks only some are labelled; and half of 0.5 is round enough.
        let axes = (2..=2 * ticks).map(|ticks| Axis::covering(low, high, ticks));
        let halves = |axis: Axis| {
            let step = axis.step / 2.0;
            [axis, Axis { step, ..axis }]
        };
        let axes = axes.flat_map(halves);
        let mut even: Vec<Axis> = axes.flat_map(|axis| plot.extended(&axis)).collect();
        even.retain(is_enough);
        shortest(&even)
    };
    ValueAxis::Linear(any(plot).or_else(|| any(beyond)).unwrap_or(axis))
}

/// What an axis is for.
#[derive(Clone, Copy)]
struct Plot {
    rows: usize,
    /// The largest value that there can be.
    most: f64,
    /// The largest value that there is; infinite if there is none.
    highest: f64,
}

impl Plot {
    /// What is to be covered: if the values are all about the same, and so large that an axis would have as much
    /// room above as below them although nothing can be there, more below them.
    fn room_below(self, low: f64, high: f64) -> (f64, f64) {
        let is_flat = high - low < high * 1e-3;
        let is_at_the_limit = high <= self.most && high * 1.05 > self.most;
        match is_flat && is_at_the_limit {
            true => (self.most * 0.9, self.most),
            false => (low, high),
        }
    }

    /// The axis with at most `ticks` ticks, all of them at even distances if that does not make it much longer.
    fn with_round_ends(self, low: f64, high: f64, ticks: usize) -> Axis {
        let axes = (2..=ticks).map(|ticks| Axis::covering(low, high, ticks));
        let axes: Vec<Axis> = axes.collect();
        let tightest = shortest(&axes).unwrap_or_else(|| Axis::covering(low, high, ticks));
        let longer = if self.rows < TALL {
            LONGER
        } else {
            LONGER_IF_TALL
        };
        let longest = length(&tightest) * longer;
        let even: Vec<Axis> = axes
            .iter()
            .flat_map(|axis| self.extended(axis))
            .filter(|axis| axis.ticks().count() >= FEWEST && length(axis) <= longest)
            .collect();
        finest(&even).unwrap_or(tightest)
    }

    /// The axis with as much room above or below it as puts each of its ticks into the middle of a row.
    fn extended(self, axis: &Axis) -> Vec<Axis> {
        let steps = axis.ticks().count() - 1;
        let rows = self.rows.saturating_sub(1);
        let each = rows.checked_div(steps).unwrap_or(0);
        // With two steps there are three ticks. With one row more each, the highest tick may have no room, which
        // matters only if a value is that high.
        let mut each = vec![each + 1, each, each.min(rows / (FEWEST - 1))];
        each.retain(|each| (1..=rows).contains(each));
        each.dedup();
        let axes = each.into_iter();
        axes.flat_map(|each| self.with_ticks_apart(axis, each))
            .collect()
    }

    /// The same with so many rows from each tick to the next.
    fn with_ticks_apart(self, axis: &Axis, each: usize) -> Vec<Axis> {
        let length = axis.step * (self.rows - 1) as f64 / each as f64;
        let nothing = length * NOTHING;
        let (high, low) = (axis.low + length, axis.high - length);
        let covers = high >= self.highest.min(axis.high) - nothing;
        let is_possible = covers && high <= self.most + nothing;
        let above = is_possible.then_some(Axis { high, ..*axis });
        // Its lowest value is a tick too, and not one that is written -0.
        let is_tick = (self.rows - 1).is_multiple_of(each);
        let below = low <= axis.low + nothing && is_tick && low >= -nothing;
        let low = if low < nothing { 0.0 } else { low };
        let below = below.then_some(Axis { low, ..*axis });
        above.into_iter().chain(below).collect()
    }
}

fn length(axis: &Axis) -> f64 {
    axis.high - axis.low
}

/// The one with the most ticks among those that are hardly longer than the shortest.
fn finest(axes: &[Axis]) -> Option<Axis> {
    let longest = length(&shortest(axes)?) * HARDLY_LONGER;
    let axes = axes.iter().filter(|axis| length(axis) <= longest);
    let order = |one: &&Axis, other: &&Axis| {
        let ticks = |axis: &Axis| axis.ticks().count();
        let fewer = ticks(other).cmp(&ticks(one));
        fewer.then(length(one).total_cmp(&length(other)))
    };
    axes.min_by(order).copied()
}

/// Among equally long ones, the one with the most ticks.
fn shortest(axes: &[Axis]) -> Option<Axis> {
    let axes = axes.iter().rev().copied();
    axes.min_by(|one, other| length(one).total_cmp(&length(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_of_an_axis_of_accuracies_is_above_100_percent() {
        for rows in 3..60 {
            for low in [0.0, 0.1, 0.28, 0.5, 0.9] {
                let values = [low, 0.93].into_iter();
                let count = (rows / 2 + 1).clamp(2, 7);
                let ValueAxis::Linear(axis) = axis_in_rows(values, false, count, rows, 1.0) else {
                    panic!("a linear axis");
                };
                let Axis {
                    low: from,
                    high: to,
                    ..
                } = axis;
                assert!(
                    from >= -1e-9 && from <= low && (0.93..1.26).contains(&to),
                    "{rows}: {axis:?}"
                );
                let labels = labelled(&ValueAxis::Linear(axis), rows, count);
                let highest = labels.last().map(|(tick, _)| *tick);
                assert!(highest < Some(1.0 + 1e-6), "{rows}: {axis:?}");
            }
        }
    }

    #[test]
    fn an_axis_ends_a_little_above_the_largest_value() {
        let axis = axis_in_rows([0.0, 0.4168].into_iter(), false, 7, 15, 1.0);
        let ticks: Vec<f64> = axis.ticks().iter().map(|(tick, _)| *tick).collect();
        assert_eq!(ticks.len(), 5, "0.0 to 0.4");
        let ValueAxis::Linear(axis) = axis else {
            panic!("a linear axis");
        };
        assert!(axis.high > 0.4168 && axis.high < 0.5, "{axis:?}");
    }

    #[test]
    fn a_tall_plot_has_more_than_a_few_labels() {
        for high in (1..=95).map(|part| f64::from(part) * 0.01) {
            let axis = axis_in_rows([0.0, high].into_iter(), false, 9, 26, 1.0);
            let labels = labelled(&axis, 26, 9).len();
            assert!(labels > 4, "{high}: {axis:?}");
        }
    }

    #[test]
    fn an_axis_covers_its_values_and_never_begins_at_minus_zero() {
        let ranges = [0.0, 0.02, 0.1, 0.28].into_iter();
        for low in ranges {
            for high in (1..=50).map(|part| low + f64::from(part) * 0.0141) {
                for rows in 3..50 {
                    let values = [low, high].into_iter();
                    let axis = axis_in_rows(values, false, (rows / 2).clamp(2, 7), rows, 1.0);
                    let ValueAxis::Linear(axis) = axis else {
                        panic!("a linear axis");
                    };
                    let covers = axis.low <= low + 1e-9 && axis.high >= high - 1e-9;
                    let is_negative = axis.low.is_sign_negative();
                    assert!(covers && !is_negative, "{low} {high} {rows}: {axis:?}");
                }
            }
        }
    }

    #[test]
    fn room_is_made_below_where_there_can_be_nothing_above() {
        let axis = axis_in_rows([0.28, 0.99].into_iter(), false, 7, 16, 1.0);
        let ticks: Vec<f64> = axis
            .ticks()
            .iter()
            .map(|(tick, _)| (tick * 10.0).round())
            .collect();
        assert_eq!(ticks, [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
    }
}

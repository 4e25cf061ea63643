//! Axes for plots of rows of characters: their ticks stand in the middle of a row each, at even distances,
//! if that is possible without wasting much of the plot.

use crate::foundation::axis::{Axis, ValueAxis, extremes};

/// How much longer than the tightest axis one may be for the sake of even distances, in a plot of few rows
/// and in one of at least so many; and how many ticks it then has at least.
const LONGER: f64 = 1.34;
const LONGER_IF_TALL: f64 = 1.5;
const TALL: usize = 12;
const FEWEST: usize = 3;
/// Relative to the length of an axis.
const NOTHING: f64 = 1e-9;

/// The axis that covers `values`, with at most `ticks` ticks, in a plot of `rows` rows. It is not
/// extended beyond `most`, the largest value that there can be, nor below zero.
pub fn axis_in_rows(
    values: impl Iterator<Item = f64>,
    is_log: bool,
    ticks: usize,
    rows: usize,
    most: f64,
) -> ValueAxis {
    if is_log {
        return ValueAxis::over(values, is_log, ticks);
    }
    let (low, high) = extremes(values.filter(|value| value.is_finite()));
    let axes = (2..=ticks.max(2)).map(|ticks| Axis::covering(low, high, ticks));
    let axes: Vec<Axis> = axes.collect();
    let tightest = shortest(&axes).unwrap_or_else(|| Axis::covering(low, high, ticks));
    let longer = if rows < TALL { LONGER } else { LONGER_IF_TALL };
    let longest = length(&tightest) * longer;
    let even: Vec<Axis> = axes
        .iter()
        .flat_map(|axis| extended(axis, rows, most))
        .filter(|axis| axis.ticks().count() >= FEWEST && length(axis) <= longest)
        .collect();
    ValueAxis::Linear(shortest(&even).unwrap_or(tightest))
}

fn length(axis: &Axis) -> f64 {
    axis.high - axis.low
}

/// Among equally long ones, the one with the most ticks.
fn shortest(axes: &[Axis]) -> Option<Axis> {
    let axes = axes.iter().rev().copied();
    axes.min_by(|one, other| length(one).total_cmp(&length(other)))
}

/// The axis with as much room above or below it as puts each of its ticks into the middle of a row.
fn extended(axis: &Axis, rows: usize, most: f64) -> Vec<Axis> {
    let steps = axis.ticks().count() - 1;
    let each = rows.saturating_sub(1).checked_div(steps).unwrap_or(0);
    if each == 0 {
        return Vec::new();
    }
    let length = axis.step * (rows - 1) as f64 / each as f64;
    let (high, low) = (axis.low + length, axis.high - length);
    let above = (high <= most + length * NOTHING).then_some(Axis { high, ..*axis });
    // Its lowest value is a tick too.
    let is_tick = (rows - 1).is_multiple_of(each);
    let below = (is_tick && low >= -length * NOTHING).then_some(Axis { low, ..*axis });
    above.into_iter().chain(below).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_of_accuracies_ends_at_100_percent() {
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
                    from >= -1e-9 && from <= low && (0.93..1.0 + 1e-6).contains(&to),
                    "{rows}: {axis:?}"
                );
            }
        }
    }

    #[test]
    fn room_is_made_below_where_there_can_be_nothing_above() {
        let axis = axis_in_rows([0.28, 0.93].into_iter(), false, 7, 16, 1.0);
        let ticks: Vec<f64> = axis
            .ticks()
            .iter()
            .map(|(tick, _)| (tick * 10.0).round())
            .collect();
        assert_eq!(ticks, [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
    }
}

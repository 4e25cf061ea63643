//! The scale along one direction of a figure: its title, its extent, and its ticks.

use crate::foundation::axis::{Axis, LogAxis, ValueAxis, round_step};

/// The whole of an axis.
const WHOLE: (f64, f64) = (0.0, 1.0);
/// How far a logarithmic axis goes beyond its values, as a factor.
const MARGIN: f64 = 1.15;

/// The scale along one direction of a plot.
#[derive(Debug, Clone, PartialEq)]
pub struct TitledAxis {
    pub(super) title: String,
    axis: ValueAxis,
    /// The part of the axis that is drawn.
    shown: (f64, f64),
    /// Values of the ticks and their labels.
    pub(super) ticks: Vec<(f64, String)>,
}

impl TitledAxis {
    /// A scale that covers `low` to `high`, with round ends and about `most` ticks, labelled by
    /// `label` (value, decimals).
    pub fn values(
        title: &str,
        (low, high): (f64, f64),
        most: usize,
        label: fn(f64, usize) -> String,
    ) -> TitledAxis {
        TitledAxis::of(
            title,
            ValueAxis::Linear(Axis::covering(low, high, most)),
            label,
        )
    }

    /// Like [`TitledAxis::values`], but logarithmic, and only as long as the values: between two round
    /// ends there may be as much again.
    pub fn logarithmic(
        title: &str,
        (low, high): (f64, f64),
        most: usize,
        label: fn(f64, usize) -> String,
    ) -> TitledAxis {
        let axis = ValueAxis::Log(LogAxis::covering(low, high, most));
        let shown = (axis.fraction(low / MARGIN), axis.fraction(high * MARGIN));
        let mut whole = TitledAxis::of(title, axis, label);
        let axis = &whole.axis;
        let is_shown =
            |(value, _): &(f64, String)| (shown.0..=shown.1).contains(&axis.fraction(*value));
        let within: Vec<(f64, String)> = whole
            .ticks
            .iter()
            .filter(|tick| is_shown(tick))
            .cloned()
            .collect();
        // A single tick would not tell the scale.
        if within.len() >= 2 {
            (whole.ticks, whole.shown) = (within, shown);
        }
        whole
    }

    fn of(title: &str, axis: ValueAxis, label: fn(f64, usize) -> String) -> TitledAxis {
        let ticks = axis
            .ticks()
            .into_iter()
            .map(|(value, decimals)| (value, label(value, decimals)))
            .collect();
        TitledAxis {
            title: title.to_owned(),
            axis,
            shown: WHOLE,
            ticks,
        }
    }

    /// A scale for things that are counted from `first` to `last`: children, epochs, episodes.
    /// Ticks are whole numbers.
    pub fn counts(title: &str, first: u64, last: u64, most: usize) -> TitledAxis {
        let (low, high) = (first as f64, last.max(first) as f64);
        let step = round_step(((high - low) / most.max(1) as f64).max(1.0));
        // (The step is at least 1 and about that fraction of the extent, so more would not fit.)
        let before = ((low / step).ceil() - 1.0).max(0.0);
        let multiples = (1..=most + 2)
            .map(|multiple| (before + multiple as f64) * step)
            .skip_while(|value| *value < low)
            .take_while(|value| *value <= high);
        // The very first gets a tick if there is room before the second.
        let begin =
            (low % step != 0.0 && (step - low % step) >= 0.6 * step || high == low).then_some(low);
        let mut ticks: Vec<(f64, String)> = begin
            .into_iter()
            .chain(multiples)
            .map(|value| (value, crate::foundation::numbers::count(value as u64)))
            .collect();
        ticks.dedup_by(|one, other| one.0 == other.0);
        let margin = 0.5_f64.max((high - low) * 0.01);
        TitledAxis {
            title: title.to_owned(),
            axis: ValueAxis::Linear(Axis {
                low: low - margin,
                high: high + margin,
                step,
            }),
            shown: WHOLE,
            ticks,
        }
    }

    pub(super) fn fraction(&self, value: f64) -> f64 {
        let (low, high) = self.shown;
        let fraction = ((self.axis.fraction(value) - low) / (high - low)).clamp(0.0, 1.0);
        if fraction.is_finite() { fraction } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithmic_axis_is_filled_by_its_values() {
        for (low, high, most) in [(10.6e3, 1.57e6, 4), (10.6e3, 1.57e6, 8), (2.1e6, 3.3e8, 4)] {
            let axis =
                TitledAxis::logarithmic("MACs", (low, high), most, |value, _| value.to_string());
            assert!(axis.ticks.len() >= 2, "{axis:?}");
            let used = axis.fraction(high) - axis.fraction(low);
            assert!((0.9..=1.0).contains(&used), "{used}: {axis:?}");
        }
        let narrow =
            TitledAxis::logarithmic("MACs", (5.1e3, 5.2e3), 4, |value, _| value.to_string());
        assert!(narrow.ticks.len() >= 2, "{narrow:?}");
    }
}

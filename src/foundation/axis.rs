//! Axes with round values, linear and logarithmic.

/// An axis of values, from the bottom of a plot to its top.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueAxis {
    /// Evenly spaced values.
    Linear(Axis),
    /// Powers of ten, evenly spaced.
    Log(LogAxis),
}

impl ValueAxis {
    /// The axis that covers all plottable `values`, with at most `ticks` ticks (at least two).
    pub fn over(values: impl Iterator<Item = f64>, is_log: bool, ticks: usize) -> ValueAxis {
        let values = values.filter(|value| value.is_finite() && (*value > 0.0 || !is_log));
        let (low, high) = extremes(values);
        if is_log {
            ValueAxis::Log(LogAxis::covering(low, high, ticks))
        } else {
            ValueAxis::Linear(Axis::covering(low, high, ticks))
        }
    }

    /// Position of `value` between the bottom (0) and the top (1).
    pub fn fraction(&self, value: f64) -> f64 {
        match self {
            ValueAxis::Linear(axis) => axis.fraction(value),
            ValueAxis::Log(axis) => axis.fraction(value),
        }
    }

    /// The tick values, each with the number of decimals it needs.
    pub fn ticks(&self) -> Vec<(f64, usize)> {
        match self {
            ValueAxis::Linear(axis) => axis.ticks().map(|tick| (tick, axis.decimals())).collect(),
            ValueAxis::Log(axis) => axis
                .ticks()
                .iter()
                .map(|tick| (*tick, decimals_of_two(*tick)))
                .collect(),
        }
    }
}

/// An axis from `low` to `high` with ticks at multiples of `step`, which is 1, 2 or 5 times a power
/// of ten.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// The lowest value shown.
    pub low: f64,
    /// The highest value shown.
    pub high: f64,
    /// Distance between two ticks.
    pub step: f64,
}

impl Axis {
    /// The tightest axis over `low..=high` with at most `ticks` values (at least two).
    pub fn covering(low: f64, high: f64, ticks: usize) -> Axis {
        let (low, high) = if low.is_finite() && high.is_finite() && low <= high {
            (low, high)
        } else {
            (0.0, 1.0)
        };
        // A flat series still needs a height: a twentieth of its magnitude on both sides, or 0 to
        // 1.
        let size = high.abs().max(low.abs());
        let (low, high) = match high - low {
            _ if size < 1e-9 => (0.0, 1.0),
            span if span < size * 1e-3 => (low - size / 20.0, high + size / 20.0),
            _ => (low, high),
        };
        let span = high - low;
        let mut step = round_step(span / ticks.max(2) as f64);
        loop {
            let (from, mut to) = (
                (low / step + 1e-9).floor() * step,
                (high / step - 1e-9).ceil() * step,
            );
            if to <= from {
                to = from + step;
            }
            if (((to - from) / step).round() as usize) < ticks.max(2) {
                return Axis {
                    low: from,
                    high: to,
                    step,
                };
            }
            step = round_step(step * 1.5);
        }
    }

    /// Position of `value` between low (0) and high (1).
    pub fn fraction(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// The tick values in ascending order, from its low end.
    pub fn ticks(&self) -> impl Iterator<Item = f64> + use<> {
        let Axis { low, high, step } = *self;
        let count = ((high - low) / step + 1e-9).floor() as usize;
        (0..=count).map(move |index| low + index as f64 * step)
    }

    /// Decimals needed to tell its tick values apart.
    pub fn decimals(&self) -> usize {
        decimals_of_two(self.step)
    }
}

/// The smallest and the largest of `values`; infinity and minus infinity if there are no values.
pub fn extremes(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    })
}

/// `0.25`: a value with the given number of decimals.
pub fn plain(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}")
}

/// `25 %` for a share of 0.25 that has two decimals.
pub fn percent(value: f64, decimals: usize) -> String {
    format!("{:.*} %", decimals.saturating_sub(2), value * 100.0)
}

/// The smallest 1, 2 or 5 times a power of ten that is at least `step`.
pub fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let leading = step / power;
    let rounded = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|candidate| leading <= candidate * (1.0 + 1e-9))
        .unwrap_or(10.0);
    rounded * power
}

/// A logarithmic axis. Values that have no logarithm (0 and below) sit at its bottom.
#[derive(Debug, Clone, PartialEq)]
pub struct LogAxis {
    /// Positive and ascending, at least two: 1 to 9, 1-2-5, 1-3 or 1 times powers of ten, or values at
    /// even distances.
    ticks: Vec<f64>,
    /// The highest value shown; the lowest is the first tick.
    high: f64,
}

/// Leading digits of the ticks of a logarithmic axis, densest first.
const LEADING: [&[f64]; 4] = [
    &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
    &[1.0, 2.0, 5.0],
    &[1.0, 3.0],
    &[1.0],
];
/// Maximum number of decades of a logarithmic axis; smaller values sit at its bottom.
const DECADES: i32 = 12;

impl LogAxis {
    /// The axis with the most ticks, but no more than `ticks` (at least two), that covers the
    /// positive part of `low..=high`.
    pub fn covering(low: f64, high: f64, ticks: usize) -> LogAxis {
        let high = if high.is_finite() && high >= f64::MIN_POSITIVE {
            high
        } else {
            1.0
        };
        let low = if low.is_finite() && low > 0.0 {
            low.min(high)
        } else {
            high / 10.0
        };
        let low = low.max(high / 10f64.powi(DECADES)).max(f64::MIN_POSITIVE);
        let most = ticks.max(2);
        let dense = LEADING
            .into_iter()
            .map(|leading| log_ticks(low, high, leading, 1));
        let sparse = (2..=2 * DECADES).map(|decades| log_ticks(low, high, &[1.0], decades));
        let ticks = dense.chain(sparse).find(|ticks| ticks.len() <= most);
        let ticks = ticks.unwrap_or(vec![low, high.max(low * 10.0)]);
        let high = ticks.last().copied().unwrap_or(high);
        LogAxis { ticks, high }
    }

    /// The axis from the first of these ticks, which are positive and ascending, to `high`.
    pub fn with_ticks(ticks: Vec<f64>, high: f64) -> LogAxis {
        LogAxis { ticks, high }
    }

    /// The tick values in ascending order: at least two.
    pub fn ticks(&self) -> &[f64] {
        &self.ticks
    }

    /// Position of `value` between the lowest tick (0) and the highest value (1).
    pub fn fraction(&self, value: f64) -> f64 {
        match self.ticks.first() {
            Some(low) if value > 0.0 => {
                ((value / low).ln() / (self.high / low).ln()).clamp(0.0, 1.0)
            }
            _ => 0.0,
        }
    }
}

/// Round values from the last one not above `low` to the first one not below `high`, in steps of
/// `decades` decades.
fn log_ticks(low: f64, high: f64, leading: &[f64], decades: i32) -> Vec<f64> {
    let slack = 1e-9;
    let (from, to) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let from = from.div_euclid(decades) * decades;
    let to = to + decades;
    let all: Vec<f64> = (from..=to)
        .step_by(decades.unsigned_abs() as usize)
        .flat_map(|power| leading.iter().map(move |digit| power_of_ten(*digit, power)))
        .collect();
    let first = all
        .iter()
        .rposition(|tick| *tick <= low * (1.0 + slack))
        .unwrap_or(0);
    let last = all
        .iter()
        .position(|tick| *tick >= high * (1.0 - slack))
        .unwrap_or(all.len() - 1)
        .max(first + 1);
    all[first..=last.min(all.len() - 1)].to_vec()
}

/// `digit` times ten to the power of `power`. A negative power divides, because 3 / 10 is exactly
/// 0.3 and 3 * 0.1 is not.
fn power_of_ten(digit: f64, power: i32) -> f64 {
    if power < 0 {
        digit / 10f64.powi(-power)
    } else {
        digit * 10f64.powi(power)
    }
}

/// Decimals needed to show the first digit of `value`.
fn decimals(value: f64) -> usize {
    (-(value * (1.0 + 1e-9)).log10().floor()).clamp(0.0, 12.0) as usize
}

/// Decimals needed to show a value of at most two digits.
fn decimals_of_two(value: f64) -> usize {
    let decimals = decimals(value);
    let scale = 10f64.powi(decimals as i32);
    let is_shown = ((value * scale).round() / scale - value).abs() <= value * 1e-6;
    decimals + usize::from(!is_shown)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn axes_are_round() {
        let axis = Axis::covering(0.413, 0.678, 5);
        assert_eq!((axis.low, axis.step, axis.decimals()), (0.4, 0.1, 1));
        assert_eq!(axis.ticks().count(), 4);
    }

    #[test]
    fn a_flat_series_is_centred_on_its_axis_and_zeros_sit_at_the_bottom() {
        let axis = Axis::covering(0.5, 0.5, 4);
        assert!((0.3..0.7).contains(&axis.fraction(0.5)), "{axis:?}");
        let zeros = Axis::covering(0.0, 0.0, 6);
        assert_eq!((zeros.low, zeros.high), (0.0, 1.0));
    }

    #[test]
    fn a_logarithmic_axis_has_as_many_round_values_as_fit() {
        assert_eq!(
            LogAxis::covering(0.31, 0.72, 6).ticks,
            [0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
        );
        assert_eq!(LogAxis::covering(0.31, 0.72, 5).ticks, [0.2, 0.5, 1.0]);
        assert_eq!(
            LogAxis::covering(0.001, 0.72, 9).ticks,
            [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
        );
        assert_eq!(
            LogAxis::covering(1e-8, 0.72, 4).ticks,
            [1e-9, 1e-6, 1e-3, 1.0]
        );
    }

    #[test]
    fn a_logarithmic_axis_can_be_longer_than_its_ticks() {
        let axis = LogAxis::with_ticks(vec![0.1, 1.0, 10.0], 1_000.0);
        let at = [0.1, 10.0, 1_000.0].map(|value| axis.fraction(value));
        assert_eq!(at, [0.0, 0.5, 1.0]);
    }

    #[test]
    fn values_without_a_logarithm_sit_at_the_bottom() {
        let axis = LogAxis::covering(0.0, 0.5, 5);
        assert_eq!(
            (
                axis.fraction(0.0),
                axis.fraction(-1.0),
                axis.fraction(f64::NAN)
            ),
            (0.0, 0.0, 0.0)
        );
        assert_eq!(axis.fraction(0.5), 1.0);
    }

    #[test]
    fn a_label_shows_the_first_digit_of_its_value() {
        assert_eq!(
            [1.0, 0.5, 0.1, 0.003, 20.0, 0.07].map(decimals_of_two),
            [0, 1, 1, 3, 0, 2]
        );
        assert_eq!([0.25, 1.6, 16.0, 0.032].map(decimals_of_two), [2, 1, 0, 3]);
    }

    proptest! {
        #[test]
        fn an_axis_covers_its_values_with_no_more_ticks_than_fit(low in -1e3..1e3f64, span in 0.0..1e3f64, ticks in 2usize..20) {
            let axis = Axis::covering(low, low + span, ticks);
            let slack = axis.step * 1e-6;
            prop_assert!(axis.low <= low + slack.max(1e-9) && axis.high >= low + span - slack && axis.low < axis.high);
            prop_assert!(axis.ticks().count() <= ticks);
            let leading = axis.step / 10f64.powf(axis.step.log10().floor());
            prop_assert!([1.0, 2.0, 5.0, 10.0].iter().any(|round| (leading - round).abs() < 1e-6), "step {}", axis.step);
        }


        #[test]
        fn a_logarithmic_axis_covers_its_values_with_no_more_ticks_than_fit(
            low in -3.0..1.0f64, power in -9.0..0.0f64, span in 0.0..1.0f64, ticks in 2usize..20,
        ) {
            let low = low * 10f64.powf(power);
            let axis = LogAxis::covering(low, low.abs() + span, ticks);
            prop_assert!((2..=ticks).contains(&axis.ticks.len()), "{axis:?}");
            prop_assert!(axis.ticks.is_sorted_by(|one, other| one < other), "{axis:?}");
            let highest = low.abs() + span;
            prop_assert!(axis.ticks[axis.ticks.len() - 1] >= highest * (1.0 - 1e-6), "{axis:?}");
            let lowest = low.max(highest / 10f64.powi(DECADES));
            prop_assert!(low <= 0.0 || axis.ticks[0] <= lowest * (1.0 + 1e-6), "{axis:?}");
        }
    }
}

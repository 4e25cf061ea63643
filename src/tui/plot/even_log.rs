//! Logarithmic axes for plots of rows of characters: from one tick to the next it is always the same factor,
//! and the same number of rows.

use crate::foundation::axis::LogAxis;

/// Maximum number of decades; smaller values sit at the bottom.
const DECADES: i32 = 12;
/// Factors from one tick to the next, besides powers of ten and their roots.
const FACTORS: [f64; 3] = [2.0, 4.0, 5.0];
/// Leading digits of the lowest tick.
const LEADING: [f64; 5] = [1.0, 2.0, 2.5, 3.0, 5.0];
/// How much longer an axis may be whose ticks have one digit each, and one whose ticks are powers of ten.
const FOR_ONE_DIGIT: f64 = 1.15;
const FOR_POWERS: f64 = 1.05;
/// The more ticks, the longer an axis may be: this over their number.
const FOR_TICKS: f64 = 1.5;
/// Values within a smaller factor are nearly as far from each other on a linear axis, which has rounder
/// ticks for them.
const LEAST_FACTOR: f64 = 2.0;

/// The axis from `low` to `high` with so many ticks (at least, at most) in a plot of `rows` rows, none above
/// `limit` if that is possible; `None` if the values are so close to each other that a linear one is as good.
pub fn log_axis_in_rows(
    low: f64,
    high: f64,
    ticks: (usize, usize),
    rows: usize,
    limit: f64,
) -> Option<LogAxis> {
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
    if high < low * LEAST_FACTOR {
        return None;
    }
    let best = |limit: f64| shortest((low, high), ticks, rows, limit);
    best(limit).or_else(|| best(f64::INFINITY))
}

/// The best of all axes, which is the shortest unless its ticks are much worse.
fn shortest(
    (low, high): (f64, f64),
    (fewest, most): (usize, usize),
    rows: usize,
    limit: f64,
) -> Option<LogAxis> {
    // Half decades are 1, 3, 10, ...
    let decades = (1..=4 * DECADES).map(|halves| 10f64.powf(f64::from(halves) / 2.0));
    let factors = FACTORS.into_iter().chain(decades);
    let rows = rows.saturating_sub(1);
    let all = factors.flat_map(|factor| {
        let spacings = (2..=rows).filter(|each| (fewest..=most).contains(&(rows / each + 1)));
        let spaced = spacings.map(move |each| Spacing { factor, each, rows });
        spaced.flat_map(move |spacing| {
            LEADING.map(|leading| spacing.over((low, high), leading, limit))
        })
    });
    let all = all
        .flatten()
        .filter(|(_, axis)| axis.ticks().len() >= fewest);
    let best = all.min_by(|(one, _), (other, _)| one.total_cmp(other));
    best.map(|(_, axis)| axis)
}

/// Ticks a factor apart, and so many rows.
#[derive(Clone, Copy)]
struct Spacing {
    factor: f64,
    each: usize,
    /// From the lowest row to the highest.
    rows: usize,
}

impl Spacing {
    /// The axis that begins with this digit, and how long it is, more for worse ticks; `None` if it does not
    /// reach `high`, or its ticks are not round.
    fn over(self, (low, high): (f64, f64), leading: f64, limit: f64) -> Option<(f64, LogAxis)> {
        let length = self.rows as f64 / self.each as f64 * self.factor.ln();
        let power = (low * (1.0 + 1e-9) / leading).log10().floor() as i32;
        let power = power.max(f64::MIN_10_EXP);
        let from = leading * 10f64.powi(power);
        let top = from * length.exp();
        if !top.is_finite() || top < high * (1.0 - 1e-9) {
            return None;
        }
        let steps = 0..=(self.rows / self.each) as i32;
        let ticks = steps.map(|step| rounded(leading * self.factor.powi(step), power));
        let mut ticks: Vec<(f64, usize)> = ticks.collect::<Option<_>>()?;
        ticks.retain(|(tick, _)| *tick <= limit * (1.0 + 1e-9));
        let (ticks, digits): (Vec<f64>, Vec<usize>) = ticks.into_iter().unzip();
        let axis = LogAxis::with_ticks(ticks, top);
        let row = |tick: &f64| (axis.fraction(*tick) * self.rows as f64).round() as usize;
        let mut rows = axis.ticks().iter().map(row).enumerate();
        if !rows.all(|(place, row)| row == place * self.each) {
            return None;
        }
        let has_one_digit = digits.iter().all(|digits| *digits == 1);
        let decades = self.factor.log10();
        let are_powers = leading == 1.0 && (decades - decades.round()).abs() < 1e-9;
        let mut score = length * (1.0 + FOR_TICKS / digits.len() as f64);
        score *= if has_one_digit { 1.0 } else { FOR_ONE_DIGIT };
        score *= if are_powers { 1.0 } else { FOR_POWERS };
        Some((score, axis))
    }
}

/// The round value that `value` times a power of ten stands for, and its number of digits; `None` if there is none
/// with two digits.
fn rounded(value: f64, power: i32) -> Option<(f64, usize)> {
    let own = value.log10().floor() as i32;
    let leading = value / 10f64.powi(own);
    // The root of ten, which half a decade ends with.
    let is_root = (leading - 10f64.sqrt()).abs() < 1e-6;
    let leading = if is_root { 3.0 } else { leading };
    let digits = (1..=2).find(|digits| {
        let scaled = leading * 10f64.powi(digits - 1);
        (scaled - scaled.round()).abs() < 1e-6
    })?;
    let power = own + power - (digits - 1);
    let whole = (leading * 10f64.powi(digits - 1)).round();
    // A negative power divides, because 3 / 10 is exactly 0.3 and 3 * 0.1 is not.
    let rounded = match power < 0 {
        true => whole / 10f64.powi(-power),
        false => whole * 10f64.powi(power),
    };
    (rounded > 0.0).then_some((rounded, digits as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_a_factor_apart() {
        let ticks = |low, high, most, rows| {
            let axis = log_axis_in_rows(low, high, (3, most), rows, 5.0).expect("far apart");
            axis.ticks().to_vec()
        };
        assert_eq!(ticks(0.55, 3.5, 6, 10), [0.5, 1.0, 2.0, 4.0]);
        assert_eq!(ticks(0.25, 2.3, 6, 10), [0.2, 0.4, 0.8, 1.6, 3.2]);
        let half_decades = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0];
        assert_eq!(ticks(0.001, 0.8, 7, 13), half_decades);
        assert_eq!(ticks(0.001, 0.8, 4, 10), [0.001, 0.01, 0.1, 1.0]);
        assert_eq!(ticks(0.001, 0.45, 3, 6), [0.001, 0.03, 1.0]);
        assert_eq!(ticks(1e-9, 1.0, 3, 5).len(), 3);
        let shares = log_axis_in_rows(0.42, 0.86, (3, 3), 5, 1.0).expect("far apart");
        assert_eq!(shares.ticks(), [0.25, 0.5, 1.0]);
        assert!(log_axis_in_rows(0.5, 0.6, (3, 5), 9, 1.0).is_none());
    }

    #[test]
    fn a_tick_has_at_most_two_digits() {
        assert_eq!(rounded(1.6, -1), Some((0.16, 2)));
        assert_eq!(rounded(10f64.sqrt() * 10.0, -2), Some((0.3, 1)));
        assert_eq!(rounded(1.25, 0), None);
    }
}

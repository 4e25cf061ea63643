//! A logarithmic axis with values at 1, 2 and 5 times powers of ten.

const PREFIXES: [&str; 7] = ["", " k", " M", " G", " T", " P", " E"];

/// An axis from `low` to `high`, both round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogAxis {
    pub low: Round,
    pub high: Round,
}

/// 1, 2 or 5 times a power of ten, in their order: 1, 2, 5, 10, 20, ...
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Round(u32);

impl Round {
    /// Of all that 64 bits can count.
    const LAST: u32 = 3 * 19;

    pub fn value(self) -> f64 {
        [1.0, 2.0, 5.0][self.0 as usize % 3] * 10f64.powi(self.0 as i32 / 3)
    }

    fn is_power_of_ten(self) -> bool {
        self.0.is_multiple_of(3)
    }

    /// `1`, `20`, `500 k`, `2 M`.
    pub fn label(self) -> String {
        let power = self.0 as usize / 3;
        let digits = [1, 2, 5][self.0 as usize % 3] * [1, 10, 100][power % 3];
        format!("{digits}{}", PREFIXES.get(power / 3).unwrap_or(&""))
    }
}

impl LogAxis {
    /// The tightest axis over `low..=high`; values below 1 count as 1.
    pub fn covering(low: u64, high: u64) -> LogAxis {
        let (low, high) = (low.max(1) as f64, high.max(low).max(1) as f64);
        let all = || (0..=Round::LAST).map(Round);
        let below = all().take_while(|round| round.value() <= low).last().unwrap_or(Round(0));
        let above = all().find(|round| round.value() >= high).unwrap_or(Round(Round::LAST));
        if below < above {
            return LogAxis { low: below, high: above };
        }
        LogAxis { low: Round(below.0.saturating_sub(1)), high: Round((above.0 + 1).min(Round::LAST)) }
    }

    /// Where `value` is between low (0) and high (1).
    pub fn fraction(&self, value: f64) -> f64 {
        let (low, high) = (self.low.value().ln(), self.high.value().ln());
        ((value.max(1.0).ln() - low) / (high - low)).clamp(0.0, 1.0)
    }

    /// Its values, at most `most` (at least one): all round ones, or powers of ten, or every second of them, and so on.
    pub fn ticks(&self, most: usize) -> Vec<Round> {
        let all: Vec<Round> = (self.low.0..=self.high.0).map(Round).collect();
        let powers: Vec<Round> = all.iter().copied().filter(|round| round.is_power_of_ten()).collect();
        match (all.len(), powers.len()) {
            (all_count, _) if all_count <= most.max(1) => all,
            (_, 0) => all.into_iter().take(1).collect(),
            (_, count) => powers.into_iter().step_by(count.div_ceil(most.max(1))).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_are_short_and_round() {
        let labels: Vec<String> = LogAxis::covering(700_000, 4_100_000).ticks(9).into_iter().map(Round::label).collect();
        assert_eq!(labels, ["500 k", "1 M", "2 M", "5 M"]);
    }

    #[test]
    fn where_not_all_values_fit_powers_of_ten_remain() {
        let labels: Vec<String> = LogAxis::covering(3, 4_000).ticks(5).into_iter().map(Round::label).collect();
        assert_eq!(labels, ["10", "100", "1 k"]);
    }

    #[test]
    fn a_single_value_lies_inside_its_axis() {
        let axis = LogAxis::covering(1_000, 1_000);
        assert_eq!((axis.low.label(), axis.high.label()), ("500".to_owned(), "2 k".to_owned()));
    }

    proptest! {
        #[test]
        fn an_axis_covers_what_it_shall_with_no_more_ticks_than_fit(low: u64, high: u64, most in 1usize..12) {
            let (low, high) = (low.min(high), low.max(high));
            let axis = LogAxis::covering(low, high);
            prop_assert!(axis.low < axis.high);
            let places = [axis.fraction(low as f64), axis.fraction(high as f64)];
            prop_assert!(places[0] <= places[1] && places.iter().all(|place| (0.0..=1.0).contains(place)));
            let ticks = axis.ticks(most);
            prop_assert!(!ticks.is_empty() && ticks.len() <= most);
        }
    }
}

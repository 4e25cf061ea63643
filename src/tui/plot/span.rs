//! A range of counted things on the horizontal axis of a plot.

use super::round_step;

/// A range of counted things (children, epochs), both ends included; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The lowest number, inclusive.
    pub first: u64,
    /// The highest number, inclusive.
    pub last: u64,
}

impl Span {
    /// How many numbers are in it.
    pub fn count(self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }

    /// Whether it contains `number`.
    pub fn contains(self, number: u64) -> bool {
        (self.first..=self.last).contains(&number)
    }

    /// The column of `number` among `width`; `None` outside the span.
    pub fn column(self, number: u64, width: usize) -> Option<usize> {
        (self.contains(number) && width > 0).then(|| {
            let middle = ((number - self.first) as f64 + 0.5) / self.count() as f64;
            ((middle * width as f64) as usize).min(width - 1)
        })
    }

    /// The number at `column` of `width`, the inverse of [`Span::column`].
    pub fn at(self, column: usize, width: usize) -> u64 {
        let middle = (column as f64 + 0.5) / width.max(1) as f64;
        let past = (middle * self.count() as f64) as u64;
        self.first.saturating_add(past).min(self.last)
    }

    /// The part of `first..=last` that it contains.
    pub fn clip(self, first: u64, last: u64) -> Option<Span> {
        let (first, last) = (first.max(self.first), last.min(self.last));
        (first <= last).then_some(Span { first, last })
    }

    /// The span as a range.
    pub fn range(self) -> std::ops::RangeInclusive<u64> {
        self.first..=self.last
    }

    /// The multiples of a round step in it, about `most` of them.
    pub fn ticks(self, most: u64) -> impl Iterator<Item = u64> + use<> {
        let step = whole_step(self.count() as f64 / most.max(1) as f64);
        let multiples = (self.first.div_ceil(step)..).map(move |tick| tick.saturating_mul(step));
        // Near the largest number the multiples would not advance.
        multiples
            .take(most as usize + 2)
            .take_while(move |tick| *tick <= self.last)
    }

    /// Its ticks, about as many as `most`: the column of each among `width`, and its number.
    pub fn labels(self, most: u64, width: usize) -> impl Iterator<Item = (usize, String)> {
        let label = move |tick| Some((self.column(tick, width)?, tick.to_string()));
        self.ticks(most).filter_map(label)
    }
}

/// The smallest round step of at least 1 that is not below `least`.
fn whole_step(least: f64) -> u64 {
    round_step(least.max(1.0)).min(1e18) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_number_at_a_column_is_drawn_there_or_is_the_nearest_one(
            first in 1u64..1_000_000, count in 1u64..20_000, width in 1usize..400, place in 0.0..1.0
        ) {
            let span = Span { first, last: first + count - 1 };
            let column = (place * width as f64) as usize;
            let number = span.at(column, width);
            prop_assert!(span.contains(number));
            let drawn = |number: u64| span.column(number, width).map_or(usize::MAX, |drawn| drawn.abs_diff(column));
            if count >= width as u64 {
                prop_assert_eq!(drawn(number), 0);
            }
            prop_assert!(drawn(number) <= drawn(number + 1).min(drawn(number - 1)).saturating_add(1));
        }
    }
}
